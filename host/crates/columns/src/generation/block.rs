//! What blocks of every form have in common: where they stand, their header and checksum.

use std::fmt::Debug;

use crate::keys::{self, KeyKind};
use crate::{Error, Result};

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 12;
const CRC_AT: std::ops::Range<usize> = 8..12;

/// The values of [`Block::ROWS`] ordinals of one segmentation or score.
pub(crate) trait Block: Clone + PartialEq + Debug + 'static {
    /// The value of one row; null is one of them.
    type Cell: Copy + PartialEq;
    /// Rows of a block; stored it stays within 4 KiB.
    const ROWS: usize;
    /// The kind of key under which it is stored.
    const KEY: KeyKind;
    /// What messages call the thing that it is of.
    const OF: &'static str;
    /// A block whose rows are all null.
    const EMPTY: &'static Self;

    /// The smallest form of exactly [`Block::ROWS`] cells.
    fn of(cells: Vec<Self::Cell>) -> Self;
    fn get(&self, row: usize) -> Self::Cell;
    /// The value of every row, where they are all the same and kept so.
    fn constant(&self) -> Option<Self::Cell>;
    /// Rows that are not null.
    fn members(&self) -> u16;
    fn body(&self) -> Body;
    /// The block that [`Block::body`] gave; `None` where that is of no known form.
    fn from_body(form: u8, constant: u16, bytes: &[u8]) -> Option<Self>;
}

/// What of a block's stored form is its own.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) form: u8,
    pub(crate) constant: u16,
    pub(crate) bytes: Vec<u8>,
}

/// The stored form: `version u8 · form u8 · rows u16 · members u16 · constant u16 · CRC32C u32 · body`, little-endian, the
/// checksum over the block's key, the header before it and the body.
pub(crate) fn encode<B: Block>(block: &B, key: &[u8]) -> Vec<u8> {
    let body = block.body();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.bytes.len());
    bytes.extend([VERSION, body.form]);
    bytes.extend((B::ROWS as u16).to_le_bytes());
    bytes.extend(block.members().to_le_bytes());
    bytes.extend(body.constant.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body.bytes);
    let crc = checksum(key, &bytes);
    if let Some(place) = bytes.get_mut(CRC_AT) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    bytes
}

/// Reads a stored block; also returns its checksum, which the generation's digest adds up.
pub(crate) fn decode<B: Block>(key: &[u8], bytes: &[u8]) -> Result<(B, u32)> {
    let damaged = |what: &str| {
        let (generation, output) = (keys::u64_at(key, 1).unwrap_or(0), keys::u32_at(key, 9).unwrap_or(0));
        let (block, of) = (keys::u32_at(key, 13).unwrap_or(0), B::OF);
        Error::damaged(format!("block {block} of {of} {output} in generation {generation}: {what}"))
    };
    let (header, body) =
        bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(|| damaged("it is cut short"))?;
    let [version, form, rows_low, rows_high, members_low, members_high, low, high, crc @ ..] = *header;
    let crc = u32::from_le_bytes(crc);
    if version != VERSION {
        return Err(damaged(&format!("format version {version}, this program knows {VERSION}")));
    }
    if crc != checksum(key, bytes) {
        return Err(damaged("it does not match its checksum"));
    }
    let block = B::from_body(form, u16::from_le_bytes([low, high]), body)
        .ok_or_else(|| damaged("it is of no known form"))?;
    let rows = u16::from_le_bytes([rows_low, rows_high]);
    let members = u16::from_le_bytes([members_low, members_high]);
    if usize::from(rows) != B::ROWS || members != block.members() {
        return Err(damaged("its counts are not those of its rows"));
    }
    Ok((block, crc))
}

fn checksum(key: &[u8], bytes: &[u8]) -> u32 {
    let header = bytes.get(..CRC_AT.start).unwrap_or_default();
    let body = bytes.get(CRC_AT.end..).unwrap_or_default();
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(key), header), body)
}

/// The checksum in a stored block.
pub(crate) fn stored_checksum(bytes: &[u8]) -> u32 {
    bytes.get(CRC_AT).and_then(|crc| crc.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// The count of members in a stored block.
pub(crate) fn stored_members(bytes: &[u8]) -> u64 {
    match *bytes {
        [_, _, _, _, low, high, ..] => u64::from(u16::from_le_bytes([low, high])),
        _ => 0,
    }
}
