//! The values of one column, with their nulls.

use crate::bindings::shared::trellis::plugin::columns::{DictionaryListColumn, TextColumn};

/// Which rows of a column have a value.
#[derive(Debug, Clone, Copy)]
pub struct Validity<'a> {
    /// Bit `row % 8`, lowest first, of byte `row / 8`. Empty: every row has a value.
    bits: &'a [u8],
}

impl<'a> Validity<'a> {
    pub(crate) fn of_bits(bits: &'a [u8], rows: usize) -> Option<Self> {
        (bits.is_empty() || bits.len() == rows.div_ceil(8)).then_some(Self { bits })
    }

    /// Whether `row` has a value. A row that does not exist has none, unless there are no nulls at all.
    #[inline]
    pub fn has(self, row: usize) -> bool {
        self.bits.is_empty() || self.bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
    }

    /// Whether every row has a value, so that a loop may skip asking.
    pub fn is_full(self) -> bool {
        self.bits.is_empty()
    }
}

/// Plain values, one a row.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a, T> {
    values: &'a [T],
    validity: Validity<'a>,
}

impl<'a, T: Copy> Values<'a, T> {
    pub(crate) fn new(values: &'a [T], validity: Validity<'a>) -> Self {
        Self { values, validity }
    }

    /// The value of `row`; none at a null, or where there is no such row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<T> {
        if self.validity.has(row) { self.values.get(row).copied() } else { None }
    }

    /// The value of every row in order.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<T>> + use<'a, T> {
        let validity = self.validity;
        self.values.iter().enumerate().map(move |(row, value)| validity.has(row).then_some(*value))
    }

    /// All values as they lie in memory; those at null rows mean nothing. The fastest way where [`Values::validity`] is full.
    pub fn as_slice(&self) -> &'a [T] {
        self.values
    }

    /// Which rows have a value.
    pub fn validity(&self) -> Validity<'a> {
        self.validity
    }
}

/// Truth values, one a row.
#[derive(Debug, Clone, Copy)]
pub struct Booleans<'a> {
    bytes: Values<'a, u8>,
}

impl<'a> Booleans<'a> {
    pub(crate) fn new(bytes: Values<'a, u8>) -> Self {
        Self { bytes }
    }

    /// The value of `row`; none at a null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<bool> {
        self.bytes.get(row).map(|byte| byte != 0)
    }

    /// The value of every row in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<bool>> + use<'a> {
        self.bytes.iter().map(|byte| byte.map(|byte| byte != 0))
    }
}

/// Amounts in minor units of one currency, one a row.
#[derive(Debug, Clone, Copy)]
pub struct Money<'a> {
    currency: &'a str,
    minor_units: Values<'a, i64>,
}

impl<'a> Money<'a> {
    pub(crate) fn new(currency: &'a str, minor_units: Values<'a, i64>) -> Self {
        Self { currency, minor_units }
    }

    /// The ISO 4217 code of every amount.
    pub fn currency(&self) -> &'a str {
        self.currency
    }

    /// The amounts: cents of USD, fen of CNY, yen of JPY.
    pub fn minor_units(&self) -> Values<'a, i64> {
        self.minor_units
    }
}

/// Texts, one a row.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    offsets: &'a [u32],
    text: &'a str,
    validity: Validity<'a>,
}

impl<'a> Texts<'a> {
    /// Fails unless there are `rows` texts, all of it is UTF-8, and the last offset is its length.
    pub(crate) fn new(column: &'a TextColumn, rows: usize, validity: Validity<'a>) -> Option<Self> {
        let text = std::str::from_utf8(&column.bytes).ok()?;
        let fits = column.offsets.len() == rows + 1
            && column.offsets.last().is_some_and(|end| *end as usize == text.len());
        fits.then_some(Self { offsets: &column.offsets, text, validity })
    }

    /// The text of `row`; none at a null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        if !self.validity.has(row) {
            return None;
        }
        let (from, to) = (self.offsets.get(row)?, self.offsets.get(row + 1)?);
        self.text.get(*from as usize..*to as usize)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of every row in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&'a str>> + use<'a> {
        let texts = *self;
        (0..self.len()).map(move |row| texts.get(row))
    }
}

/// Texts that repeat: for each row a code, for each code a text.
#[derive(Debug, Clone, Copy)]
pub struct Dictionary<'a> {
    codes: Values<'a, u32>,
    texts: Texts<'a>,
}

impl<'a> Dictionary<'a> {
    pub(crate) fn new(codes: Values<'a, u32>, texts: &'a TextColumn) -> Option<Self> {
        let count = texts.offsets.len().checked_sub(1)?;
        let texts = Texts::new(texts, count, Validity { bits: &[] })?;
        Some(Self { codes, texts })
    }

    /// The text of `row`; none at a null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        self.texts.get(self.codes.get(row)? as usize)
    }

    /// The text of every row in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&'a str>> + use<'a> {
        let texts = self.texts;
        self.codes.iter().map(move |code| texts.get(code? as usize))
    }

    /// For each row which of [`Dictionary::texts`] it is. Working with codes spares comparing texts, but they hold for this
    /// batch only.
    pub fn codes(&self) -> Values<'a, u32> {
        self.codes
    }

    /// The different texts.
    pub fn texts(&self) -> Texts<'a> {
        self.texts
    }
}

/// Several repeating texts a row: for each row some codes, for each code a text.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    offsets: &'a [u32],
    codes: &'a [u32],
    texts: Texts<'a>,
    validity: Validity<'a>,
}

impl<'a> Lists<'a> {
    /// Fails unless there is an end for each of `rows` rows, the last end is that of the codes, and the texts fit together.
    pub(crate) fn new(column: &'a DictionaryListColumn, rows: usize, validity: Validity<'a>) -> Option<Self> {
        let count = column.values.offsets.len().checked_sub(1)?;
        let texts = Texts::new(&column.values, count, Validity { bits: &[] })?;
        let fits = column.offsets.len() == rows + 1
            && column.offsets.is_sorted()
            && column.offsets.last().is_some_and(|end| *end as usize == column.codes.len());
        fits.then_some(Self { offsets: &column.offsets, codes: &column.codes, texts, validity })
    }

    /// Which of [`Lists::texts`] `row` has, ascending, each once; none at a null.
    #[inline]
    pub fn codes(&self, row: usize) -> Option<&'a [u32]> {
        if !self.validity.has(row) {
            return None;
        }
        let (from, to) = (self.offsets.get(row)?, self.offsets.get(row + 1)?);
        self.codes.get(*from as usize..*to as usize)
    }

    /// The texts of `row`; none at a null.
    pub fn get(&self, row: usize) -> Option<impl Iterator<Item = &'a str> + use<'a>> {
        let texts = self.texts;
        Some(self.codes(row)?.iter().filter_map(move |code| texts.get(*code as usize)))
    }

    /// The different texts. Codes hold for this batch only.
    pub fn texts(&self) -> Texts<'a> {
        self.texts
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }
}
