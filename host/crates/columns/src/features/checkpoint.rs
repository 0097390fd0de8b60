//! Checkpoint files of features and populations: `host/docs/formats/columns.md`. Whatever is wrong with one, it is made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use trellis_model::ObjectId;

use super::chunk::{CHUNK_ROWS, Chunk, FeatureColumns, Sums};
use super::set::{FeatureSet, Window};
use crate::dataset::{EventSource, EventValueKind};
use crate::population::Population;
use crate::{Error, Result};

const MAGIC: &[u8; 8] = b"TRLSCOL1";
const HEADER_BYTES_MAX: u32 = 64 << 20;

/// Which moment of which store a file is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Moment {
    pub(super) epoch: [u8; 16],
    /// Number of the last log entry that is in.
    pub(super) log_number: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct FeatureHeader {
    moment: Moment,
    source: Vec<u32>,
    built: Window,
    reread: BTreeMap<u64, Window>,
    dirty: BTreeSet<u64>,
    rebuild: bool,
    chunks: u32,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct PopulationHeader {
    moment: Moment,
    object: u32,
    deleted: BTreeSet<u64>,
    words: u32,
}

pub(super) fn write_features(path: &Path, epoch: [u8; 16], set: &FeatureSet) -> Result<()> {
    let header = FeatureHeader {
        moment: Moment { epoch, log_number: set.cursor },
        source: signature(&set.source),
        built: set.built,
        reread: set.reread.clone(),
        dirty: set.dirty.clone(),
        rebuild: set.rebuild,
        chunks: set.columns.chunks().len() as u32,
    };
    write_file(path, &header, |file| {
        set.columns.chunks().iter().try_for_each(|chunk| write_chunk(file, chunk))
    })
}

/// Reads features, or `None` where the file is missing, damaged, of another epoch or of another definition.
pub(super) fn read_features(path: &Path, source: &EventSource, latest: Moment) -> Option<FeatureSet> {
    let read = |file: &mut Checked<BufReader<File>>, header: FeatureHeader| {
        let fits = header.source == signature(source) && is_of(header.moment, latest);
        let chunks = if fits { header.chunks } else { return Ok(None) };
        let chunks = (0..chunks).map(|_| read_chunk(file, source)).collect::<std::io::Result<Vec<_>>>()?;
        Ok(Some(FeatureSet {
            source: source.clone(),
            columns: FeatureColumns::from_chunks(source, chunks),
            cursor: header.moment.log_number,
            built: header.built,
            reread: header.reread,
            dirty: header.dirty,
            rebuild: header.rebuild,
        }))
    };
    read_file(path, read)
}

pub(super) fn write_population(
    path: &Path,
    moment: Moment,
    object: ObjectId,
    population: &Population,
) -> Result<()> {
    let words = population.words();
    let deleted = population.deleted().clone();
    let header = PopulationHeader { moment, object: object.0, deleted, words: words.len() as u32 };
    write_file(path, &header, |file| write_all(file, words, |word| word.to_le_bytes()))
}

/// Reads a population with the log number that it is of; `None` as in [`read_features`].
pub(super) fn read_population(path: &Path, object: ObjectId, latest: Moment) -> Option<(Population, u64)> {
    let read = |file: &mut Checked<BufReader<File>>, header: PopulationHeader| {
        if header.object != object.0 || !is_of(header.moment, latest) {
            return Ok(None);
        }
        let words = read_all(file, header.words as usize, u64::from_le_bytes)?;
        Ok(Some((Population::from_parts(words, header.deleted), header.moment.log_number)))
    };
    read_file(path, read)
}

fn is_of(moment: Moment, latest: Moment) -> bool {
    moment.epoch == latest.epoch && moment.log_number <= latest.log_number
}

/// What the arrays depend on: another definition makes another file.
fn signature(source: &EventSource) -> Vec<u32> {
    let mut numbers = vec![
        CHUNK_ROWS as u32,
        source.events.0,
        source.target.0,
        source.target_field.0,
        source.time_field.0,
        u32::from(source.time_is_date),
    ];
    numbers.extend(source.values.iter().flat_map(|value| [value.field.0, value.kind as u32]));
    numbers
}

fn write_chunk(file: &mut impl Write, chunk: &Chunk) -> std::io::Result<()> {
    write_all(file, &chunk.counts, |count| count.to_le_bytes())?;
    write_all(file, &chunk.first, |time| time.to_le_bytes())?;
    write_all(file, &chunk.last, |time| time.to_le_bytes())?;
    chunk.sums.iter().try_for_each(|sums| match sums {
        Sums::Exact(sums) => write_all(file, sums, |sum| sum.to_le_bytes()),
        Sums::Float(sums) => write_all(file, sums, |sum| sum.to_le_bytes()),
    })
}

fn read_chunk(file: &mut impl Read, source: &EventSource) -> std::io::Result<Chunk> {
    let counts = read_all(file, CHUNK_ROWS, u32::from_le_bytes)?;
    let first = read_all(file, CHUNK_ROWS, i64::from_le_bytes)?;
    let last = read_all(file, CHUNK_ROWS, i64::from_le_bytes)?;
    let sums = source.values.iter().map(|value| match value.kind {
        EventValueKind::Number => read_all(file, CHUNK_ROWS, f64::from_le_bytes).map(Sums::Float),
        EventValueKind::Integer | EventValueKind::Money => {
            read_all(file, CHUNK_ROWS, i128::from_le_bytes).map(Sums::Exact)
        }
    });
    Ok(Chunk::new(counts, first, last, sums.collect::<std::io::Result<_>>()?))
}

fn write_all<T: Copy, const N: usize>(
    file: &mut impl Write,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK_ROWS * N);
    for part in values.chunks(CHUNK_ROWS) {
        buffer.clear();
        part.iter().for_each(|value| buffer.extend_from_slice(&bytes(*value)));
        file.write_all(&buffer)?;
    }
    Ok(())
}

fn read_all<T, const N: usize>(
    file: &mut impl Read,
    count: usize,
    value: impl Fn([u8; N]) -> T,
) -> std::io::Result<Vec<T>> {
    let mut values = Vec::new();
    let mut buffer = vec![0; CHUNK_ROWS * N];
    while values.len() < count {
        let part = (count - values.len()).min(CHUNK_ROWS) * N;
        let part = buffer.get_mut(..part).unwrap_or_default();
        file.read_exact(part)?;
        values.extend(part.as_chunks::<N>().0.iter().map(|bytes| value(*bytes)));
    }
    Ok(values)
}

/// Passes bytes on and keeps their checksum.
struct Checked<F> {
    file: F,
    crc: u32,
}

impl<F: Write> Write for Checked<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl<F: Read> Read for Checked<F> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, bytes.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Writes `magic · header length u32 · header · body · CRC32C u32` beside the file, makes it durable and renames it.
fn write_file(
    path: &Path,
    header: &impl serde::Serialize,
    body: impl FnOnce(&mut Checked<BufWriter<File>>) -> std::io::Result<()>,
) -> Result<()> {
    let failed =
        |source| Error::Io { doing: format!("cannot write checkpoint `{}`", path.display()), source };
    let header = postcard::to_stdvec(header).expect("a header has nothing postcard refuses");
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file =
            Checked { file: BufWriter::with_capacity(1 << 20, File::create(&unfinished)?), crc: 0 };
        file.write_all(MAGIC)?;
        file.write_all(&(header.len() as u32).to_le_bytes())?;
        file.write_all(&header)?;
        body(&mut file)?;
        let crc = file.crc;
        file.write_all(&crc.to_le_bytes())?;
        let file = file.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(failed)
}

fn read_file<H: serde::de::DeserializeOwned, T>(
    path: &Path,
    body: impl FnOnce(&mut Checked<BufReader<File>>, H) -> std::io::Result<Option<T>>,
) -> Option<T> {
    let read = || -> std::io::Result<Option<T>> {
        let wrong = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
        let mut file = Checked { file: BufReader::with_capacity(1 << 20, File::open(path)?), crc: 0 };
        let (mut magic, mut length) = ([0; 8], [0; 4]);
        file.read_exact(&mut magic)?;
        file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if magic != *MAGIC || length > HEADER_BYTES_MAX {
            return Err(wrong("not a checkpoint of this format"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header)?;
        let header = postcard::from_bytes(&header).map_err(|error| wrong(&error.to_string()))?;
        let Some(found) = body(&mut file, header)? else { return Ok(None) };
        let (expected, mut crc) = (file.crc, [0; 4]);
        file.read_exact(&mut crc)?;
        if u32::from_le_bytes(crc) == expected { Ok(Some(found)) } else { Err(wrong("checksum differs")) }
    };
    read().unwrap_or_else(|error| {
        if error.kind() != std::io::ErrorKind::NotFound {
            tracing::warn!(path = %path.display(), %error, "checkpoint cannot be read and is made anew");
        }
        None
    })
}
