//! Codes of customers in memory and in the store. 0 is null, 1 the first value of the segmentation, and so on.

use std::sync::Arc;

use crate::keys::{self, SegmentationId};
use crate::{Error, GenerationId, Result};

/// Rows of a block: with two bytes a row and its header it stays within 4 KiB.
pub(crate) const BLOCK_ROWS: usize = 2_032;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 12;
const CRC_AT: std::ops::Range<usize> = 8..12;

/// Codes of [`BLOCK_ROWS`] ordinals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodeBlock {
    /// Every row has this code.
    Constant(u16),
    Bytes(Arc<[u8]>),
    Words(Arc<[u16]>),
}

/// Codes of all ordinals; past its end every code is null.
#[derive(Debug, Clone, Default)]
pub(crate) struct CodeColumn {
    blocks: Vec<CodeBlock>,
}

impl PartialEq for CodeColumn {
    fn eq(&self, other: &Self) -> bool {
        (0..self.blocks.len().max(other.blocks.len())).all(|index| self.block(index) == other.block(index))
    }
}

impl Eq for CodeColumn {}

impl CodeBlock {
    /// The smallest form of up to [`BLOCK_ROWS`] codes; rows that are missing at the end are null.
    pub(crate) fn of_bytes(codes: &[u8]) -> Self {
        let padded = |last: &[u8]| -> Arc<[u8]> {
            let mut all = last.to_vec();
            all.resize(BLOCK_ROWS, 0);
            all.into()
        };
        let first = codes.first().copied().unwrap_or(0);
        let full = codes.len() == BLOCK_ROWS || first == 0;
        if full && codes.iter().all(|code| *code == first) {
            return Self::Constant(u16::from(first));
        }
        Self::Bytes(if codes.len() == BLOCK_ROWS { codes.into() } else { padded(codes) })
    }

    /// As [`CodeBlock::of_bytes`], from wider codes.
    pub(crate) fn of_words(codes: &[u16]) -> Self {
        if codes.iter().all(|code| *code < 256) {
            let narrow: Vec<u8> = codes.iter().map(|code| *code as u8).collect();
            return Self::of_bytes(&narrow);
        }
        let mut all = codes.to_vec();
        all.resize(BLOCK_ROWS, 0);
        let first = codes.first().copied().unwrap_or(0);
        if all.iter().all(|code| *code == first) { Self::Constant(first) } else { Self::Words(all.into()) }
    }

    pub(crate) fn get(&self, row: usize) -> u16 {
        match self {
            Self::Constant(code) => *code,
            Self::Bytes(codes) => codes.get(row).map_or(0, |code| u16::from(*code)),
            Self::Words(codes) => codes.get(row).copied().unwrap_or(0),
        }
    }

    pub(crate) fn codes(&self) -> impl Iterator<Item = u16> {
        (0..BLOCK_ROWS).map(|row| self.get(row))
    }

    /// Rows that are not null.
    pub(crate) fn members(&self) -> u16 {
        match self {
            Self::Constant(0) => 0,
            Self::Constant(_) => BLOCK_ROWS as u16,
            Self::Bytes(codes) => codes.iter().filter(|code| **code != 0).count() as u16,
            Self::Words(codes) => codes.iter().filter(|code| **code != 0).count() as u16,
        }
    }

    /// The stored form: `version u8 · form u8 · rows u16 · members u16 · constant u16 · CRC32C u32 · codes`, little-endian, the
    /// checksum over the block's key, the header before it and the codes.
    pub(crate) fn encode(&self, key: &[u8]) -> Vec<u8> {
        let (form, constant) = match self {
            Self::Constant(code) => (1, *code),
            Self::Bytes(_) => (2, 0),
            Self::Words(_) => (3, 0),
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + BLOCK_ROWS);
        bytes.extend([VERSION, form]);
        bytes.extend((BLOCK_ROWS as u16).to_le_bytes());
        bytes.extend(self.members().to_le_bytes());
        bytes.extend(constant.to_le_bytes());
        bytes.extend([0; 4]);
        match self {
            Self::Constant(_) => {}
            Self::Bytes(codes) => bytes.extend_from_slice(codes),
            Self::Words(codes) => codes.iter().for_each(|code| bytes.extend(code.to_le_bytes())),
        }
        let crc = checksum(key, &bytes);
        if let Some(place) = bytes.get_mut(CRC_AT) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        bytes
    }

    /// Reads a stored block; also returns its checksum, which the generation's digest adds up.
    pub(crate) fn decode(key: &[u8], bytes: &[u8]) -> Result<(Self, u32)> {
        let damaged = |what: &str| {
            let (generation, segmentation) = (keys::u64_at(key, 1), keys::u32_at(key, 9));
            let (generation, segmentation) = (generation.unwrap_or(0), segmentation.unwrap_or(0));
            let block = keys::u32_at(key, 13).unwrap_or(0);
            Error::damaged(format!(
                "block {block} of segmentation {segmentation} in generation {generation}: {what}"
            ))
        };
        let (header, codes) =
            bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(|| damaged("it is cut short"))?;
        let [version, form, rows_low, rows_high, members_low, members_high, low, high, crc @ ..] = *header;
        let crc = u32::from_le_bytes(crc);
        if version != VERSION {
            return Err(damaged(&format!("format version {version}, this program knows {VERSION}")));
        }
        if crc != checksum(key, bytes) {
            return Err(damaged("it does not match its checksum"));
        }
        let words = || codes.as_chunks::<2>().0.iter().map(|code| u16::from_le_bytes(*code)).collect();
        let block = match (form, codes.len()) {
            (1, 0) => Self::Constant(u16::from_le_bytes([low, high])),
            (2, BLOCK_ROWS) => Self::Bytes(codes.into()),
            (3, length) if length == BLOCK_ROWS * 2 => Self::Words(words()),
            _ => return Err(damaged("it is of no known form")),
        };
        let rows = u16::from_le_bytes([rows_low, rows_high]);
        let members = u16::from_le_bytes([members_low, members_high]);
        if usize::from(rows) != BLOCK_ROWS || members != block.members() {
            return Err(damaged("its counts are not those of its codes"));
        }
        Ok((block, crc))
    }
}

fn checksum(key: &[u8], bytes: &[u8]) -> u32 {
    let header = bytes.get(..CRC_AT.start).unwrap_or_default();
    let codes = bytes.get(CRC_AT.end..).unwrap_or_default();
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(key), header), codes)
}

/// The checksum in a stored block.
pub(crate) fn stored_checksum(bytes: &[u8]) -> u32 {
    bytes.get(CRC_AT).and_then(|crc| crc.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl CodeColumn {
    pub(crate) fn from_blocks(blocks: Vec<CodeBlock>) -> Self {
        Self { blocks }
    }

    pub(crate) fn blocks(&self) -> &[CodeBlock] {
        &self.blocks
    }

    pub(crate) fn block(&self, index: usize) -> &CodeBlock {
        self.blocks.get(index).unwrap_or(&CodeBlock::Constant(0))
    }

    /// An exclusive bound of the ordinals that have a code.
    pub(crate) fn bound(&self) -> u64 {
        (self.blocks.len() * BLOCK_ROWS) as u64
    }

    pub(crate) fn get(&self, ordinal: u64) -> u16 {
        let (block, row) = place(ordinal);
        self.block(block).get(row)
    }

    /// Puts a code and returns the one before.
    pub(crate) fn set(&mut self, ordinal: u64, code: u16) -> u16 {
        let (index, row) = place(ordinal);
        let before = self.get(ordinal);
        if before == code {
            return before;
        }
        let mut codes: Vec<u16> = self.block(index).codes().collect();
        if let Some(place) = codes.get_mut(row) {
            *place = code;
        }
        self.put_block(index, CodeBlock::of_words(&codes));
        before
    }

    pub(crate) fn put_block(&mut self, index: usize, block: CodeBlock) {
        if index >= self.blocks.len() {
            self.blocks.resize(index + 1, CodeBlock::Constant(0));
        }
        if let Some(place) = self.blocks.get_mut(index) {
            *place = block;
        }
    }

    /// How many rows have each code, null too, up to the greatest code below `codes`.
    pub(crate) fn counts(&self, codes: usize) -> Vec<u64> {
        let mut counts = vec![0_u64; codes];
        let mut add = |code: u16, rows: u64| {
            if let Some(count) = counts.get_mut(usize::from(code)) {
                *count += rows;
            }
        };
        for block in &self.blocks {
            match block {
                CodeBlock::Constant(code) => add(*code, BLOCK_ROWS as u64),
                CodeBlock::Bytes(codes) => codes.iter().for_each(|code| add(u16::from(*code), 1)),
                CodeBlock::Words(codes) => codes.iter().for_each(|code| add(*code, 1)),
            }
        }
        counts
    }

    /// Up to `rows_max` ordinals from `from` to below `bound`, ascending, whose code is wanted.
    pub(crate) fn find(
        &self,
        from: u64,
        bound: u64,
        rows_max: usize,
        wanted: impl Fn(u16) -> bool,
    ) -> Vec<u64> {
        let mut found = Vec::new();
        let mut ordinal = from;
        while ordinal < bound && found.len() < rows_max {
            let (index, row) = place(ordinal);
            let (block, start) = (self.block(index), ordinal - row as u64);
            let rows = row..BLOCK_ROWS.min((bound - start) as usize);
            let rows = rows.filter(|row| wanted(block.get(*row))).map(|row| start + row as u64);
            match block {
                CodeBlock::Constant(code) if !wanted(*code) => {}
                _ => found.extend(rows.take(rows_max - found.len())),
            }
            ordinal = start + BLOCK_ROWS as u64;
        }
        found
    }
}

/// The block and the row in it of an ordinal.
pub(crate) fn place(ordinal: u64) -> (usize, usize) {
    let rows = BLOCK_ROWS as u64;
    ((ordinal / rows) as usize, (ordinal % rows) as usize)
}

/// A stored block's key, number and value, for write sets; `None` for a block without members, which is not stored.
pub(crate) fn to_stored(
    generation: GenerationId,
    segmentation: SegmentationId,
    index: usize,
    block: &CodeBlock,
) -> Option<(Vec<u8>, Vec<u8>)> {
    if *block == CodeBlock::Constant(0) {
        return None;
    }
    let key = keys::block(generation, segmentation, index as u32);
    let value = block.encode(&key);
    Some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codes: &[u16]) {
        let block = CodeBlock::of_words(codes);
        let key = keys::block(GenerationId(1), SegmentationId(2), 3);
        let stored = block.encode(&key);
        assert!(stored.len() <= 4_096, "{} bytes", stored.len());
        let (again, crc) = CodeBlock::decode(&key, &stored).unwrap();
        assert_eq!((again, crc), (block.clone(), stored_checksum(&stored)));
        assert!(block.codes().take(codes.len()).eq(codes.iter().copied()));
        assert!(block.codes().skip(codes.len()).all(|code| code == 0));
    }

    #[test]
    fn blocks_come_back_in_every_form() {
        check(&[]);
        check(&[0; BLOCK_ROWS]);
        check(&[7; BLOCK_ROWS]);
        check(&[999; BLOCK_ROWS]);
        check(&[7; 5]);
        check(&[999; 5]);
        check(&(0..BLOCK_ROWS as u16).collect::<Vec<_>>());
        check(&(0..BLOCK_ROWS as u16).map(|row| row % 251).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_or_misplaced_block_is_named() {
        let key = keys::block(GenerationId(1), SegmentationId(2), 3);
        let good = CodeBlock::of_bytes(&[1, 2, 3]).encode(&key);
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            let error = CodeBlock::decode(&key, &bad).unwrap_err().to_string();
            assert!(error.contains("block 3 of segmentation 2 in generation 1"), "{error}");
        }
        assert!(CodeBlock::decode(&keys::block(GenerationId(1), SegmentationId(2), 4), &good).is_err());
    }

    #[test]
    fn columns_find_set_and_count() {
        let mut column = CodeColumn::default();
        for ordinal in [5, 2_031, 2_032, 9_999] {
            assert_eq!(column.set(ordinal, 2), 0);
        }
        assert_eq!(column.set(2_032, 300), 2);
        assert_eq!((column.get(2_032), column.get(5), column.get(6), column.get(1 << 30)), (300, 2, 0, 0));
        let find = |from, bound, rows| column.find(from, bound, rows, |code| code == 2);
        assert_eq!(find(0, 20_000, 10), [5, 2_031, 9_999]);
        assert_eq!(find(6, 20_000, 1), [2_031]);
        assert_eq!(find(6, 9_999, 10), [2_031]);
        let counts = column.counts(301);
        assert_eq!((counts[2], counts[300], counts[0]), (3, 1, column.bound() - 4));
        assert_eq!(column.find(0, 12_000, 20_000, |code| code == 0).len(), 12_000 - 4);
    }
}
