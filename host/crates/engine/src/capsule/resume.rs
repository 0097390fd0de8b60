//! Going on with the capsule of a run that a stop of the server interrupted.

use std::{
    fs::{self, File},
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use trellis_model::RecordId;
use uuid::Uuid;

use super::{
    CapsuleReader, CapsuleWriter, Header, Unusable,
    frame::{self, Kind},
    reader::Opening,
    writer,
};

/// Bytes that come from the file at once.
const BUFFER_BYTES: usize = 1 << 18;

/// What a capsule has to be of, to be gone on with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) epoch: [u8; 16],
    pub(crate) run: [u8; 16],
    pub(crate) plugin_digest: [u8; 32],
    pub(crate) config: &'a str,
    /// Batches of inputs that it has, all of them.
    pub(crate) batches: u64,
}

/// A capsule that has all of its inputs and the results of the first batches.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub(crate) writer: CapsuleWriter,
    pub(crate) reader: CapsuleReader,
    pub(crate) header: Header,
    /// Batches whose results are in.
    pub(crate) evaluated: u64,
}

/// How far a file is whole.
struct Whole {
    header: Header,
    hasher: blake3::Hasher,
    bytes: u64,
    inputs: u64,
    results: u64,
}

pub(super) fn take_up(dir: &Path, wanted: &Wanted<'_>, bytes_max: u64) -> Option<Unfinished> {
    let path = writer::generating(dir, RecordId(Uuid::from_bytes(wanted.run)));
    if !path.exists() {
        return None;
    }
    match open(dir, &path, wanted, bytes_max) {
        Ok(Some(unfinished)) => Some(unfinished),
        found => {
            if let Err(why) = found {
                tracing::warn!("what an earlier attempt of a run had read cannot be used: {}", why.0.en);
            }
            let _ = fs::remove_file(&path);
            None
        }
    }
}

fn open(
    dir: &Path,
    path: &Path,
    wanted: &Wanted<'_>,
    bytes_max: u64,
) -> Result<Option<Unfinished>, Unusable> {
    let whole = whole_part(path)?;
    let header = &whole.header;
    let is_same = (header.epoch, header.run, header.plugin_digest, header.config.as_str())
        == (wanted.epoch, wanted.run, wanted.plugin_digest, wanted.config);
    if !is_same || whole.inputs != wanted.batches || whole.results > whole.inputs {
        return Ok(None);
    }
    let unreadable = |error: std::io::Error| Unusable::unreadable(&error);
    let mut file = File::options().read(true).write(true).open(path).map_err(unreadable)?;
    // What was written half goes.
    file.set_len(whole.bytes).map_err(unreadable)?;
    file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    let so_far = (whole.hasher, whole.bytes);
    Ok(Some(Unfinished {
        writer: CapsuleWriter::continued(dir, path.to_owned(), file, so_far, bytes_max),
        reader: CapsuleReader::open(path)?,
        header: whole.header,
        evaluated: whole.results,
    }))
}

/// Reads a file up to the last whole frame after which a batch is done: an input, or the results of a batch.
fn whole_part(path: &Path) -> Result<Whole, Unusable> {
    let file = File::open(path).map_err(|error| Unusable::unreadable(&error))?;
    let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
    let head = frame::read_head(&mut file)?.filter(|head| head.kind == Kind::Header);
    let head = head.ok_or_else(|| Unusable::damaged("it begins with no header"))?;
    let Opening::V1(header) = frame::decode_value(&frame::read_content(&mut file, &head)?)?;
    let mut at = position(&mut file)?;
    let (mut inputs, mut results) = (0, 0);
    // A frame that is cut off or damaged, as a crash leaves it, ends what is whole.
    while let Ok(Some(head)) = frame::read_head(&mut file) {
        if frame::read_content(&mut file, &head).is_err() {
            break;
        }
        match head.kind {
            Kind::Inputs => inputs += 1,
            Kind::Results => results += 1,
            Kind::Failed => continue,
            Kind::Dataset | Kind::Datasets => {}
            Kind::Header | Kind::End => break,
        }
        at = position(&mut file)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(|error| Unusable::unreadable(&error))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file.take(at)).map_err(|error| Unusable::unreadable(&error))?;
    Ok(Whole { header, hasher, bytes: at, inputs, results })
}

fn position(file: &mut BufReader<File>) -> Result<u64, Unusable> {
    file.stream_position().map_err(|error| Unusable::unreadable(&error))
}
