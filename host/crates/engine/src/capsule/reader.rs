//! Reading a capsule.

use std::{
    fs::File,
    io::{BufReader, Seek, SeekFrom},
    path::Path,
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
        Ok(Self { file, header, rows_at })
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
        Inputs { reader: self, rows }
    }
}

impl Inputs {
    /// The next batch, `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, Unusable> {
        let frame = self.reader.next(Kind::Inputs)?;
        frame.map(|frame| batch_of(&frame)).transpose()
    }

    /// Passes over batches.
    pub(crate) fn skip(&mut self, batches: u64) -> Result<(), Unusable> {
        for _ in 0..batches {
            self.reader.skip(Kind::Inputs)?;
        }
        Ok(())
    }

    pub(crate) fn rewind(&mut self) -> Result<(), Unusable> {
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
