//! Reading a capsule.

use std::{
    fs::File,
    io::{BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use trellis_model::Batch;

use super::{
    End, Header, StoredBatch, Unusable,
    frame::{self, Frame, Kind},
};

/// Bytes that come from the file at once.
const BUFFER_BYTES: usize = 1 << 18;

/// The content of the first frame.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Opening {
    V1(Header),
}

/// A capsule that is read from the front.
#[derive(Debug)]
pub(crate) struct CapsuleReader {
    path: PathBuf,
    file: BufReader<File>,
    header: Header,
    /// Where the frame after the header begins.
    rows_at: u64,
}

/// The batches of a capsule, as often as wanted.
#[derive(Debug)]
pub(crate) struct Inputs {
    reader: CapsuleReader,
    rows: u64,
    /// The number of the further dataset whose batches they are; `None` for those of the run itself.
    dataset: Option<u64>,
    /// Whether the end of a further dataset was seen.
    ended: bool,
}

/// A further dataset, as a capsule lists it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum StoredDataset {
    V1 { name: String, rows: u64 },
}

/// Reads a file through and compares its digest with its name.
pub(super) fn verify(path: &Path, digest: &[u8; 32]) -> Result<(), Unusable> {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
    read.map_err(|error| Unusable::unreadable(&error))?;
    if hasher.finalize().as_bytes() == digest {
        Ok(())
    } else {
        Err(Unusable::damaged("its content has another digest"))
    }
}

impl CapsuleReader {
    pub(super) fn open(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path).map_err(|error| Unusable::unreadable(&error))?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        let head = frame::read_head(&mut file)?.filter(|head| head.kind == Kind::Header);
        let head = head.ok_or_else(|| Unusable::damaged("it begins with no header"))?;
        let Opening::V1(header) = frame::decode_value(&frame::read_content(&mut file, &head)?)?;
        let rows_at = file.stream_position().map_err(|error| Unusable::unreadable(&error))?;
        Ok(Self { path: path.to_owned(), file, header, rows_at })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The next frame of a kind; `None` where no more follow.
    pub(crate) fn next(&mut self, kind: Kind) -> Result<Option<Frame>, Unusable> {
        self.find(|head| head.kind == kind)
    }

    /// The next frame of one of two kinds.
    pub(crate) fn next_of(&mut self, kinds: [Kind; 2]) -> Result<Option<Frame>, Unusable> {
        self.find(|head| kinds.contains(&head.kind))
    }

    /// The frame of a kind whose rows may include an ordinal.
    pub(crate) fn of_ordinal(&mut self, kind: Kind, ordinal: u64) -> Result<Option<Frame>, Unusable> {
        self.rewind()?;
        self.find(|head| head.kind == kind && (head.ordinals.0..=head.ordinals.1).contains(&ordinal))
    }

    /// Passes over the next frame of a kind without reading its content.
    fn skip(&mut self, kind: Kind) -> Result<(), Unusable> {
        while let Some(head) = frame::read_head(&mut self.file)? {
            frame::skip_content(&mut self.file, &head)?;
            if head.kind == kind {
                break;
            }
        }
        Ok(())
    }

    fn find(&mut self, wanted: impl Fn(&frame::Head) -> bool) -> Result<Option<Frame>, Unusable> {
        while let Some(head) = frame::read_head(&mut self.file)? {
            if wanted(&head) {
                return frame::read_content(&mut self.file, &head).map(Some);
            }
            frame::skip_content(&mut self.file, &head)?;
        }
        Ok(None)
    }

    /// Goes back to the first frame after the header.
    pub(crate) fn rewind(&mut self) -> Result<(), Unusable> {
        let rewound = self.file.seek(SeekFrom::Start(self.rows_at));
        rewound.map(drop).map_err(|error| Unusable::unreadable(&error))
    }

    /// What the capsule says at its end.
    pub(crate) fn end(&mut self) -> Result<End, Unusable> {
        self.rewind()?;
        let end = self.next(Kind::End)?.ok_or_else(|| Unusable::damaged("it has no end"))?;
        self.rewind()?;
        frame::decode_value(&end)
    }

    /// Its batches, `rows` rows in all.
    pub(crate) fn into_inputs(self, rows: u64) -> Inputs {
        Inputs { reader: self, rows, dataset: None, ended: false }
    }

    /// The batches of one of its further datasets, `rows` rows in all, whether it lists them or not.
    pub(crate) fn into_dataset(self, number: u64, rows: u64) -> Inputs {
        Inputs { reader: self, rows, dataset: Some(number), ended: false }
    }

    /// Its further datasets, by name; empty where it recorded none.
    pub(crate) fn datasets(&mut self) -> Result<Vec<(String, Inputs)>, Unusable> {
        self.rewind()?;
        // They come before all inputs.
        let found = self.find(|head| matches!(head.kind, Kind::Datasets | Kind::Inputs | Kind::End))?;
        self.rewind()?;
        let Some(frame) = found.filter(|frame| frame.kind == Kind::Datasets) else { return Ok(Vec::new()) };
        let listed: Vec<StoredDataset> = frame::decode_value(&frame)?;
        let dataset = |(number, StoredDataset::V1 { name, rows }): (usize, StoredDataset)| {
            let reader = Self::open(&self.path)?;
            Ok((name, Inputs { reader, rows, dataset: Some(number as u64), ended: false }))
        };
        listed.into_iter().enumerate().map(dataset).collect()
    }
}

impl Inputs {
    /// The next batch, `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, Unusable> {
        let Some(number) = self.dataset else {
            let frame = self.reader.next(Kind::Inputs)?;
            return frame.map(|frame| batch_of(&frame)).transpose();
        };
        if self.ended {
            return Ok(None);
        }
        let is_wanted = |head: &frame::Head| match head.kind {
            // They stand one after the other, so the next one ends it.
            Kind::Dataset => head.ordinals.0 >= number,
            kind => kind == Kind::Datasets,
        };
        let is_of_it = |frame: &Frame| frame.kind == Kind::Dataset && frame.ordinals.0 == number;
        let frame = self.reader.find(is_wanted)?.filter(is_of_it);
        self.ended = frame.is_none();
        frame.map(|frame| batch_of(&frame)).transpose()
    }

    /// The same batches from the first one, read apart from these.
    pub(crate) fn again(&self) -> Result<Self, Unusable> {
        let reader = CapsuleReader::open(&self.reader.path)?;
        Ok(Self { reader, rows: self.rows, dataset: self.dataset, ended: false })
    }

    /// Passes over batches.
    pub(crate) fn skip(&mut self, batches: u64) -> Result<(), Unusable> {
        for _ in 0..batches {
            self.reader.skip(Kind::Inputs)?;
        }
        Ok(())
    }

    pub(crate) fn rewind(&mut self) -> Result<(), Unusable> {
        self.ended = false;
        self.reader.rewind()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }
}

/// The batch of a frame.
pub(crate) fn batch_of(frame: &Frame) -> Result<Batch, Unusable> {
    frame::decode_value::<StoredBatch>(frame).map(Batch::from)
}
