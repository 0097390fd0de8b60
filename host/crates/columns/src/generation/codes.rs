//! Codes of customers in memory and in the store. 0 is null, 1 the first value of the segmentation, and so on.

use std::sync::Arc;

use super::block::{Block, Body};
use crate::keys::KeyKind;

/// Rows of a block: with two bytes a row and its header it stays within 4 KiB.
const ROWS: usize = 2_032;

/// Codes of [`ROWS`] ordinals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodeBlock {
    /// Every row has this code.
    Constant(u16),
    Bytes(Arc<[u8]>),
    Words(Arc<[u16]>),
}

impl CodeBlock {
    /// The smallest form of up to [`ROWS`] codes; rows that are missing at the end are null.
    pub(crate) fn of_bytes(codes: &[u8]) -> Self {
        let padded = |last: &[u8]| -> Arc<[u8]> {
            let mut all = last.to_vec();
            all.resize(ROWS, 0);
            all.into()
        };
        let first = codes.first().copied().unwrap_or(0);
        let full = codes.len() == ROWS || first == 0;
        if full && codes.iter().all(|code| *code == first) {
            return Self::Constant(u16::from(first));
        }
        Self::Bytes(if codes.len() == ROWS { codes.into() } else { padded(codes) })
    }

    /// As [`CodeBlock::of_bytes`], from wider codes.
    pub(crate) fn of_words(codes: &[u16]) -> Self {
        if codes.iter().all(|code| *code < 256) {
            let narrow: Vec<u8> = codes.iter().map(|code| *code as u8).collect();
            return Self::of_bytes(&narrow);
        }
        let mut all = codes.to_vec();
        all.resize(ROWS, 0);
        let first = codes.first().copied().unwrap_or(0);
        if all.iter().all(|code| *code == first) { Self::Constant(first) } else { Self::Words(all.into()) }
    }

    /// Tells `add` which codes there are and how many rows have each; the same code may come several times.
    pub(crate) fn count(&self, mut add: impl FnMut(u16, u64)) {
        match self {
            Self::Constant(code) => add(*code, ROWS as u64),
            Self::Bytes(codes) => codes.iter().for_each(|code| add(u16::from(*code), 1)),
            Self::Words(codes) => codes.iter().for_each(|code| add(*code, 1)),
        }
    }
}

impl Block for CodeBlock {
    type Cell = u16;
    const ROWS: usize = ROWS;
    const KEY: KeyKind = KeyKind::Block;
    const OF: &'static str = "segmentation";
    const EMPTY: &'static Self = &Self::Constant(0);

    fn of(cells: Vec<u16>) -> Self {
        Self::of_words(&cells)
    }

    fn get(&self, row: usize) -> u16 {
        match self {
            Self::Constant(code) => *code,
            Self::Bytes(codes) => codes.get(row).map_or(0, |code| u16::from(*code)),
            Self::Words(codes) => codes.get(row).copied().unwrap_or(0),
        }
    }

    fn constant(&self) -> Option<u16> {
        match self {
            Self::Constant(code) => Some(*code),
            _ => None,
        }
    }

    fn members(&self) -> u16 {
        match self {
            Self::Constant(0) => 0,
            Self::Constant(_) => ROWS as u16,
            Self::Bytes(codes) => codes.iter().filter(|code| **code != 0).count() as u16,
            Self::Words(codes) => codes.iter().filter(|code| **code != 0).count() as u16,
        }
    }

    fn body(&self) -> Body {
        match self {
            Self::Constant(code) => Body { form: 1, constant: *code, bytes: Vec::new() },
            Self::Bytes(codes) => Body { form: 2, constant: 0, bytes: codes.to_vec() },
            Self::Words(codes) => {
                let bytes = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
                Body { form: 3, constant: 0, bytes }
            }
        }
    }

    fn from_body(form: u8, constant: u16, bytes: &[u8]) -> Option<Self> {
        let words = || bytes.as_chunks::<2>().0.iter().map(|code| u16::from_le_bytes(*code)).collect();
        match (form, bytes.len()) {
            (1, 0) => Some(Self::Constant(constant)),
            (2, ROWS) => Some(Self::Bytes(bytes.into())),
            (3, length) if length == ROWS * 2 => Some(Self::Words(words())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::{decode, encode, stored_checksum};
    use super::super::column::BlockColumn;
    use super::*;
    use crate::GenerationId;
    use crate::keys::{self, OutputId};

    fn key(block: u32) -> Vec<u8> {
        keys::block(KeyKind::Block, GenerationId(1), OutputId(2), block)
    }

    fn check(codes: &[u16]) {
        let block = CodeBlock::of_words(codes);
        let stored = encode(&block, &key(3));
        assert!(stored.len() <= 4_096, "{} bytes", stored.len());
        let (again, crc) = decode::<CodeBlock>(&key(3), &stored).unwrap();
        assert_eq!((again, crc), (block.clone(), stored_checksum(&stored)));
        let padded = codes.iter().copied().chain(std::iter::repeat(0));
        assert!(padded.take(ROWS).enumerate().all(|(row, code)| block.get(row) == code));
    }

    #[test]
    fn blocks_come_back_in_every_form() {
        check(&[]);
        check(&[0; ROWS]);
        check(&[7; ROWS]);
        check(&[999; ROWS]);
        check(&[7; 5]);
        check(&[999; 5]);
        check(&(0..ROWS as u16).collect::<Vec<_>>());
        check(&(0..ROWS as u16).map(|row| row % 251).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_or_misplaced_block_is_named() {
        let good = encode(&CodeBlock::of_bytes(&[1, 2, 3]), &key(3));
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            let error = decode::<CodeBlock>(&key(3), &bad).unwrap_err().to_string();
            assert!(error.contains("block 3 of segmentation 2 in generation 1"), "{error}");
        }
        assert!(decode::<CodeBlock>(&key(4), &good).is_err());
    }

    #[test]
    fn columns_find_and_set() {
        let mut column = BlockColumn::<CodeBlock>::default();
        for ordinal in [5, 2_031, 2_032, 9_999] {
            assert_eq!(column.set(ordinal, 2), 0);
        }
        assert_eq!(column.set(2_032, 300), 2);
        assert_eq!((column.get(2_032), column.get(5), column.get(6), column.get(1 << 30)), (300, 2, 0, 0));
        let find = |from, bound, rows| column.find(from, bound, rows, |code| code == 2);
        assert_eq!(find(0, 20_000, 10), [5, 2_031, 9_999]);
        assert_eq!(find(6, 20_000, 1), [2_031]);
        assert_eq!(find(6, 9_999, 10), [2_031]);
        assert_eq!(column.find(0, 12_000, 20_000, |code| code == 0).len(), 12_000 - 4);
    }
}
