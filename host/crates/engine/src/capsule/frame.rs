//! Frames: the parts of a capsule, each compressed and checked by itself, so that one batch can be read without the others.

use std::io::{Read, Seek, SeekFrom};

use serde::{Serialize, de::DeserializeOwned};

use super::Unusable;

/// Bytes before the content of a frame: kind, stored length, raw length, first and last ordinal, checksum.
const HEAD_BYTES: usize = 1 + 4 + 4 + 8 + 8 + CHECK_BYTES;
const CHECK_BYTES: usize = 16;
/// Bytes that a frame has at most once it is decompressed: a batch has 8 MiB of columns, texts included.
const RAW_BYTES_MAX: u32 = 64 << 20;

/// What a frame holds. A number is never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Header = 1,
    /// A batch as the plugin read it.
    Inputs = 2,
    /// What came out of a batch, row by row.
    Results = 3,
    End = 4,
    /// The rows of a batch that failed, where some did; it comes before the results of the batch.
    Failed = 5,
    /// A batch of a further dataset, whose number stands in place of the first ordinal. They come before all inputs.
    Dataset = 6,
    /// Which further datasets there are; it comes after their batches.
    Datasets = 7,
}

/// A part of a capsule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    /// The first and the last ordinal of its rows; 0 where it has none.
    pub(crate) ordinals: (u64, u64),
    pub(crate) bytes: Vec<u8>,
}

/// What stands before the content of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) ordinals: (u64, u64),
    stored_len: u32,
    raw_len: u32,
    check: [u8; CHECK_BYTES],
}

/// The bytes of a frame. Costs a compression, so it is best done by the thread that made the content.
pub(crate) fn encode(kind: Kind, ordinals: (u64, u64), raw: &[u8]) -> Result<Vec<u8>, Unusable> {
    let too_large = || Unusable::damaged(&format!("a part of {} bytes is too large", raw.len()));
    let raw_len =
        u32::try_from(raw.len()).ok().filter(|&bytes| bytes <= RAW_BYTES_MAX).ok_or_else(too_large)?;
    let stored = lz4_flex::block::compress(raw);
    let stored_len = u32::try_from(stored.len()).map_err(|_| too_large())?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + stored.len());
    bytes.push(kind as u8);
    bytes.extend_from_slice(&stored_len.to_le_bytes());
    bytes.extend_from_slice(&raw_len.to_le_bytes());
    bytes.extend_from_slice(&ordinals.0.to_le_bytes());
    bytes.extend_from_slice(&ordinals.1.to_le_bytes());
    bytes.extend_from_slice(&check(&stored));
    bytes.extend_from_slice(&stored);
    Ok(bytes)
}

/// The bytes of a frame that holds one value.
pub(crate) fn encode_value<T: Serialize>(kind: Kind, value: &T) -> Result<Vec<u8>, Unusable> {
    encode(kind, (0, 0), &crate::stored::encode(value))
}

pub(crate) fn decode_value<T: DeserializeOwned>(frame: &Frame) -> Result<T, Unusable> {
    postcard::from_bytes(&frame.bytes).map_err(|error| Unusable::damaged(&error.to_string()))
}

/// Reads what stands before the next content; `None` at the end of the file.
pub(super) fn read_head(file: &mut impl Read) -> Result<Option<Head>, Unusable> {
    let mut bytes = [0; HEAD_BYTES];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(|error| Unusable::unreadable(&error))? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(Unusable::damaged("it ends within a frame")),
            read => filled += read,
        }
    }
    head(&bytes).map(Some)
}

/// Reads the content that belongs to `head`.
pub(super) fn read_content(file: &mut impl Read, head: &Head) -> Result<Frame, Unusable> {
    let mut stored = vec![0; head.stored_len as usize];
    file.read_exact(&mut stored).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Unusable::damaged("it ends within a frame"),
        _ => Unusable::unreadable(&error),
    })?;
    if check(&stored) != head.check {
        return Err(Unusable::damaged("a frame has another checksum"));
    }
    let bytes = lz4_flex::block::decompress(&stored, head.raw_len as usize)
        .map_err(|error| Unusable::damaged(&error.to_string()))?;
    Ok(Frame { kind: head.kind, ordinals: head.ordinals, bytes })
}

/// Passes over the content that belongs to `head`.
pub(super) fn skip_content(file: &mut (impl Read + Seek), head: &Head) -> Result<(), Unusable> {
    let skipped = file.seek(SeekFrom::Current(i64::from(head.stored_len)));
    skipped.map(drop).map_err(|error| Unusable::unreadable(&error))
}

fn head(bytes: &[u8; HEAD_BYTES]) -> Result<Head, Unusable> {
    let (kind, rest) = bytes.split_first().expect("a head has bytes");
    let mut rest = rest;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at(count);
        rest = left;
        taken
    };
    let u32_of = |bytes: &[u8]| u32::from_le_bytes(*bytes.first_chunk().expect("four were taken"));
    let u64_of = |bytes: &[u8]| u64::from_le_bytes(*bytes.first_chunk().expect("eight were taken"));
    let (stored_len, raw_len) = (u32_of(take(4)), u32_of(take(4)));
    let ordinals = (u64_of(take(8)), u64_of(take(8)));
    let check = *take(CHECK_BYTES).first_chunk().expect("sixteen were taken");
    let longest = lz4_flex::block::get_maximum_output_size(RAW_BYTES_MAX as usize);
    if raw_len > RAW_BYTES_MAX || stored_len as usize > longest {
        return Err(Unusable::damaged("a frame says that it is too large"));
    }
    Ok(Head { kind: kind_of(*kind)?, ordinals, stored_len, raw_len, check })
}

fn kind_of(byte: u8) -> Result<Kind, Unusable> {
    let kinds =
        [Kind::Header, Kind::Inputs, Kind::Results, Kind::End, Kind::Failed, Kind::Dataset, Kind::Datasets];
    kinds
        .into_iter()
        .find(|&kind| kind as u8 == byte)
        .ok_or_else(|| Unusable::damaged("a frame of no known kind"))
}

fn check(stored: &[u8]) -> [u8; CHECK_BYTES] {
    *blake3::hash(stored).as_bytes().first_chunk().expect("a digest has 32 bytes")
}
