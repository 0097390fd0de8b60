//! Numbers of customers in memory and in the store: kept exactly, finite or null.

use std::sync::Arc;

use super::block::{Block, Body};
use crate::keys::KeyKind;

/// Rows of a block: with eight bytes a row, a bit a row and its header it stays within 4 KiB.
const ROWS: usize = 496;
const VALID_BYTES: usize = ROWS / 8;

/// A finite number or null. Two are the same where their bits are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(f64);

/// Numbers of [`ROWS`] ordinals, with what is asked about all of them.
#[derive(Debug, Clone)]
pub(crate) struct NumberBlock {
    rows: Rows,
    summary: Summary,
}

#[derive(Debug, Clone, PartialEq)]
enum Rows {
    /// Every row has this number.
    Constant(Number),
    Numbers(Arc<[Number]>),
}

/// What is said about several numbers together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// How many are not null.
    pub(crate) members: u64,
    /// Their sum, added in the order of their ordinals.
    pub(crate) sum: f64,
    /// The lowest; infinite where there are none.
    pub(crate) minimum: f64,
    /// The highest; infinite where there are none.
    pub(crate) maximum: f64,
}

impl Number {
    pub(crate) const NULL: Self = Self(f64::NAN);

    /// `None` for what is not finite.
    pub(crate) fn new(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(number))
    }

    /// `None` is null.
    pub(crate) fn get(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }

    fn is_null(self) -> bool {
        !self.0.is_finite()
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || (self.is_null() && other.is_null())
    }
}

impl Summary {
    pub(crate) const NOTHING: Self =
        Self { members: 0, sum: 0.0, minimum: f64::INFINITY, maximum: f64::NEG_INFINITY };

    fn of(numbers: impl IntoIterator<Item = Number>) -> Self {
        numbers.into_iter().filter_map(Number::get).fold(Self::NOTHING, |all, number| Self {
            members: all.members + 1,
            sum: all.sum + number,
            minimum: all.minimum.min(number),
            maximum: all.maximum.max(number),
        })
    }

    /// What is said about these and those.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            members: self.members + other.members,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }
}

impl PartialEq for NumberBlock {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl NumberBlock {
    /// The smallest form of up to [`ROWS`] numbers; rows that are missing at the end are null.
    pub(crate) fn of_numbers(numbers: &[Number]) -> Self {
        let first = numbers.first().copied().unwrap_or(Number::NULL);
        let full = numbers.len() == ROWS || first.is_null();
        let rows = if full && numbers.iter().all(|number| *number == first) {
            Rows::Constant(first)
        } else if numbers.len() == ROWS {
            Rows::Numbers(numbers.into())
        } else {
            let mut all = numbers.to_vec();
            all.resize(ROWS, Number::NULL);
            Rows::Numbers(all.into())
        };
        Self::with_summary(rows)
    }

    fn with_summary(rows: Rows) -> Self {
        let summary = match &rows {
            Rows::Constant(number) => Summary::of(std::iter::repeat_n(*number, ROWS)),
            Rows::Numbers(numbers) => Summary::of(numbers.iter().copied()),
        };
        Self { rows, summary }
    }

    pub(crate) fn summary(&self) -> Summary {
        self.summary
    }

    /// The summary of those rows that are wanted.
    pub(crate) fn summary_of(&self, wanted: impl Fn(usize) -> bool) -> Summary {
        Summary::of((0..ROWS).filter(|row| wanted(*row)).map(|row| self.get(row)))
    }
}

impl Block for NumberBlock {
    type Cell = Number;
    const ROWS: usize = ROWS;
    const KEY: KeyKind = KeyKind::NumberBlock;
    const OF: &'static str = "score";
    const EMPTY: &'static Self = &Self { rows: Rows::Constant(Number::NULL), summary: Summary::NOTHING };

    fn of(cells: Vec<Number>) -> Self {
        Self::of_numbers(&cells)
    }

    fn get(&self, row: usize) -> Number {
        match &self.rows {
            Rows::Constant(number) => *number,
            Rows::Numbers(numbers) => numbers.get(row).copied().unwrap_or(Number::NULL),
        }
    }

    fn constant(&self) -> Option<Number> {
        match &self.rows {
            Rows::Constant(number) => Some(*number),
            Rows::Numbers(_) => None,
        }
    }

    fn members(&self) -> u16 {
        self.summary.members as u16
    }

    fn body(&self) -> Body {
        let bits = |number: &Number| number.get().unwrap_or(0.0).to_le_bytes();
        let (form, bytes) = match &self.rows {
            Rows::Constant(number) => (1, bits(number).to_vec()),
            Rows::Numbers(numbers) if self.summary.members == ROWS as u64 => {
                (2, numbers.iter().flat_map(bits).collect())
            }
            Rows::Numbers(numbers) => {
                let mut bytes = vec![0_u8; VALID_BYTES];
                for (valid, numbers) in bytes.iter_mut().zip(numbers.chunks(8)) {
                    *valid = numbers.iter().rev().fold(0, |bits, of| bits << 1 | u8::from(!of.is_null()));
                }
                bytes.extend(numbers.iter().flat_map(bits));
                (3, bytes)
            }
        };
        Body { form, constant: 0, bytes }
    }

    fn from_body(form: u8, constant: u16, bytes: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8; 8]| Number::new(f64::from_le_bytes(*bytes));
        let rows = match (form, constant, bytes.len()) {
            (1, 0, 8) => Rows::Constant(number(bytes.first_chunk()?)?),
            (2, 0, length) if length == ROWS * 8 => {
                Rows::Numbers(bytes.as_chunks().0.iter().map(number).collect::<Option<_>>()?)
            }
            (3, 0, length) if length == VALID_BYTES + ROWS * 8 => {
                let (valid, numbers) = bytes.split_at_checked(VALID_BYTES)?;
                let is_valid = |row: usize| valid.get(row / 8).is_some_and(|bits| bits >> (row % 8) & 1 == 1);
                let rows = numbers.as_chunks().0.iter().enumerate().map(|(row, bytes)| match number(bytes) {
                    Some(number) if is_valid(row) => Some(number),
                    Some(number) if number.0.to_bits() == 0 => Some(Number::NULL),
                    _ => None,
                });
                Rows::Numbers(rows.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        Some(Self::with_summary(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::{decode, encode, stored_checksum, stored_members};
    use super::super::column::BlockColumn;
    use super::*;
    use crate::GenerationId;
    use crate::keys::{self, OutputId};

    fn key(block: u32) -> Vec<u8> {
        keys::block(KeyKind::NumberBlock, GenerationId(1), OutputId(2), block)
    }

    fn numbers(numbers: &[Option<f64>]) -> Vec<Number> {
        numbers
            .iter()
            .map(|number| number.map_or(Number::NULL, |number| Number::new(number).unwrap()))
            .collect()
    }

    fn block(of: &[Option<f64>]) -> NumberBlock {
        NumberBlock::of_numbers(&numbers(of))
    }

    fn check(of: &[Option<f64>], form: u8) {
        let block = block(of);
        let stored = encode(&block, &key(3));
        assert!(stored.len() <= 4_096, "{} bytes", stored.len());
        assert_eq!(stored[1], form);
        assert_eq!(stored_members(&stored), of.iter().flatten().count() as u64);
        let (again, crc) = decode::<NumberBlock>(&key(3), &stored).unwrap();
        assert_eq!((&again, crc), (&block, stored_checksum(&stored)));
        assert_eq!(again.summary(), block.summary());
        for row in 0..ROWS {
            let expected = of.get(row).copied().flatten();
            assert_eq!(again.get(row).get().map(f64::to_bits), expected.map(f64::to_bits), "row {row}");
        }
    }

    #[test]
    fn blocks_come_back_in_every_form_and_to_the_last_bit() {
        check(&[Some(0.1); ROWS], 1);
        check(&[Some(-0.0); ROWS], 1);
        check(&(0..ROWS).map(|row| Some(row as f64 / 7.0)).collect::<Vec<_>>(), 2);
        check(&[Some(0.0), Some(-0.0)].repeat(ROWS / 2), 2);
        check(&[Some(f64::MAX), None, Some(f64::MIN_POSITIVE), Some(5e-324), Some(-0.0)], 3);
        check(&(0..ROWS).map(|row| (row % 9 != 3).then_some(row as f64)).collect::<Vec<_>>(), 3);
        check(&[Some(7.0); 5], 3);
        assert_eq!(&block(&[None; ROWS]), NumberBlock::EMPTY);
        assert_eq!(&block(&[]), NumberBlock::EMPTY);
    }

    #[test]
    fn a_damaged_or_misplaced_block_is_named() {
        let forms: [&[Option<f64>]; 3] =
            [&[Some(0.1); ROWS], &[Some(1.0), None], &[Some(1.0), Some(2.0)].repeat(ROWS / 2)];
        for form in forms {
            let good = encode(&block(form), &key(3));
            for place in 0..good.len() {
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[place] ^= 1 << bit;
                    let error = decode::<NumberBlock>(&key(3), &bad).unwrap_err().to_string();
                    assert!(error.contains("block 3 of score 2 in generation 1"), "{error}");
                }
            }
            for length in 0..good.len() {
                assert!(decode::<NumberBlock>(&key(3), &good[..length]).is_err(), "{length} bytes");
            }
            assert!(decode::<NumberBlock>(&key(4), &good).is_err());
        }
    }

    #[test]
    fn numbers_that_nobody_can_have_written_are_refused() {
        let finite = |bytes: &mut Vec<u8>, number: f64| bytes.extend(number.to_le_bytes());
        let mut bytes = Vec::new();
        finite(&mut bytes, f64::NAN);
        assert_eq!(NumberBlock::from_body(1, 0, &bytes), None);
        let mut bytes = vec![0; VALID_BYTES];
        (0..ROWS).for_each(|_| finite(&mut bytes, 1.0));
        assert_eq!(NumberBlock::from_body(3, 0, &bytes), None, "null rows hold 0");
    }

    #[test]
    fn summaries_leave_nulls_out() {
        let some = block(&[Some(3.0), None, Some(-1.0)]);
        assert_eq!(some.summary(), Summary { members: 2, sum: 2.0, minimum: -1.0, maximum: 3.0 });
        let first = some.summary_of(|row| row == 0);
        assert_eq!(first, Summary { members: 1, sum: 3.0, minimum: 3.0, maximum: 3.0 });
        assert_eq!(first.and(Summary::NOTHING), first);
    }

    #[test]
    fn columns_set_and_find() {
        let mut column = BlockColumn::<NumberBlock>::default();
        let number = |number| Number::new(number).unwrap();
        for ordinal in [5, 495, 496, 2_000] {
            assert_eq!(column.set(ordinal, number(0.5)), Number::NULL);
        }
        assert_eq!(column.set(496, Number::NULL), number(0.5));
        assert_eq!(
            (column.get(5), column.get(496), column.get(1 << 40)),
            (number(0.5), Number::NULL, Number::NULL)
        );
        let found = column.find(0, 3_000, 10, |number| number.get().is_some_and(|number| number > 0.0));
        assert_eq!(found, [5, 495, 2_000]);
    }
}
