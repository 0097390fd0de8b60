//! Data in columns, in the shape in which it crosses to plugins and in which derived data is scanned.

use crate::Money;

/// Rows in ascending order of their ordinals.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// How many rows each column has.
    pub rows: u32,
    /// The ordinal of each row's record.
    pub ordinals: Vec<u64>,
    /// The columns, in the order in which they were declared.
    pub columns: Vec<Column>,
}

/// One named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name within the batch.
    pub name: String,
    /// Which rows have a value.
    pub valid: Validity,
    /// The values; at a null row the value is there and means nothing.
    pub data: ColumnData,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Finite numbers.
    Float64(Vec<f64>),
    /// Whole numbers.
    Int64(Vec<i64>),
    /// 0 is false, 1 is true.
    Boolean(Vec<u8>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Time(Vec<i64>),
    /// Minor units of one ISO 4217 currency.
    Money {
        /// The currency's code.
        currency: String,
        /// The amounts.
        minor_units: Vec<i64>,
    },
    /// Texts that mostly differ.
    Text(TextColumn),
    /// Texts that repeat: for each row an index into `values`.
    Dictionary {
        /// One code a row; ignored where the row is null.
        codes: Vec<u32>,
        /// The different texts.
        values: TextColumn,
    },
    /// Ordinals of the records that a reference points at.
    Reference(Vec<u64>),
    /// Several texts a row out of few: those of row `i` are `values[codes[offsets[i]..offsets[i + 1]]]`.
    DictionaryList {
        /// One more entry than there are rows.
        offsets: Vec<u32>,
        /// Row after row: within a row ascending, each once.
        codes: Vec<u32>,
        /// The different texts.
        values: TextColumn,
    },
}

/// Texts laid end to end: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumn {
    /// One more entry than there are texts.
    pub offsets: Vec<u32>,
    /// UTF-8.
    pub bytes: Vec<u8>,
}

/// Which rows of a column have a value: bit `i % 8` (lowest first) of byte `i / 8`; no bytes at all means every row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validity(pub Vec<u8>);

impl Validity {
    /// Every row has a value.
    pub fn all() -> Self {
        Self(Vec::new())
    }

    /// Collects one flag a row; becomes [`Validity::all`] where every row has a value.
    pub fn from_flags(flags: impl IntoIterator<Item = bool>) -> Self {
        let (mut bytes, mut all) = (Vec::new(), true);
        for (row, flag) in flags.into_iter().enumerate() {
            if row % 8 == 0 {
                bytes.push(0_u8);
            }
            if let Some(last) = bytes.last_mut() {
                *last |= u8::from(flag) << (row % 8);
            }
            all &= flag;
        }
        if all { Self::all() } else { Self(bytes) }
    }

    /// Whether the row has a value.
    pub fn get(&self, row: usize) -> bool {
        self.0.is_empty() || self.0.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
    }

    fn pick(&self, rows: &[usize]) -> Self {
        if self.0.is_empty() { Self::all() } else { Self::from_flags(rows.iter().map(|&row| self.get(row))) }
    }

    /// Whether the bytes are enough for `rows` rows.
    pub fn fits(&self, rows: usize) -> bool {
        self.0.is_empty() || self.0.len() == rows.div_ceil(8)
    }
}

impl ColumnData {
    /// How many rows there are, null ones included.
    pub fn len(&self) -> usize {
        match self {
            Self::Float64(values) => values.len(),
            Self::Int64(values) | Self::Time(values) => values.len(),
            Self::Money { minor_units, .. } => minor_units.len(),
            Self::Boolean(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Text(texts) => texts.len(),
            Self::Dictionary { codes, .. } => codes.len(),
            Self::Reference(ordinals) => ordinals.len(),
            Self::DictionaryList { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn pick(&self, rows: &[usize]) -> Self {
        match self {
            Self::Float64(values) => Self::Float64(picked(values, rows)),
            Self::Int64(values) => Self::Int64(picked(values, rows)),
            Self::Boolean(values) => Self::Boolean(picked(values, rows)),
            Self::Date(values) => Self::Date(picked(values, rows)),
            Self::Time(values) => Self::Time(picked(values, rows)),
            Self::Money { currency, minor_units } => {
                Self::Money { currency: currency.clone(), minor_units: picked(minor_units, rows) }
            }
            Self::Text(texts) => Self::Text(rows.iter().filter_map(|&row| texts.get(row)).collect()),
            Self::Dictionary { codes, values } => {
                Self::Dictionary { codes: picked(codes, rows), values: values.clone() }
            }
            Self::Reference(ordinals) => Self::Reference(picked(ordinals, rows)),
            Self::DictionaryList { offsets, codes, values } => {
                let (mut ends, mut kept) = (vec![0], Vec::new());
                for list in rows.iter().filter_map(|&row| row_codes(offsets, codes, row)) {
                    kept.extend_from_slice(list);
                    ends.push(u32::try_from(kept.len()).expect("no more than there were"));
                }
                Self::DictionaryList { offsets: ends, codes: kept, values: values.clone() }
            }
        }
    }

    /// About how many bytes the values take, for limits.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Float64(_) | Self::Int64(_) | Self::Time(_) | Self::Money { .. } | Self::Reference(_) => {
                self.len() * 8
            }
            Self::Boolean(values) => values.len(),
            Self::Date(values) => values.len() * 4,
            Self::Text(texts) => texts.bytes.len() + texts.offsets.len() * 4,
            Self::Dictionary { codes, values } => {
                codes.len() * 4 + values.bytes.len() + values.offsets.len() * 4
            }
            Self::DictionaryList { offsets, codes, values } => {
                (offsets.len() + codes.len() + values.offsets.len()) * 4 + values.bytes.len()
            }
        }
    }
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }
}

impl TextColumn {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a text.
    ///
    /// # Panics
    /// When the texts together pass 4 GiB, which the limits on batches rule out.
    pub fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(u32::try_from(self.bytes.len()).expect("a batch is a few MiB"));
    }

    /// Returns a text, or `None` where there is none or its bytes are not a text.
    pub fn get(&self, index: usize) -> Option<&str> {
        let start = *self.offsets.get(index)? as usize;
        let end = *self.offsets.get(index + 1)? as usize;
        std::str::from_utf8(self.bytes.get(start..end)?).ok()
    }
}

impl<T: AsRef<str>> FromIterator<T> for TextColumn {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut column = Self::default();
        texts.into_iter().for_each(|text| column.push(text.as_ref()));
        column
    }
}

impl Batch {
    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// A batch of some of the rows, given by their numbers in ascending order; a number without a row is left out.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let column = |column: &Column| Column {
            name: column.name.clone(),
            valid: column.valid.pick(rows),
            data: column.data.pick(rows),
        };
        let ordinals = picked(&self.ordinals, rows);
        Self {
            rows: u32::try_from(ordinals.len()).expect("no more than there were"),
            ordinals,
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// About how many bytes the batch takes, for limits.
    pub fn bytes(&self) -> usize {
        self.ordinals.len() * 8
            + self.columns.iter().map(|column| column.data.bytes() + column.valid.0.len()).sum::<usize>()
    }
}

/// The codes of a row of a [`ColumnData::DictionaryList`]; `None` where there is no such row.
pub fn row_codes<'a>(offsets: &[u32], codes: &'a [u32], row: usize) -> Option<&'a [u32]> {
    let (start, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
    codes.get(start as usize..end as usize)
}

fn picked<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|&row| values.get(row).copied()).collect()
}

/// What a money amount is in minor units of its currency, or `None` where it has more decimals or does not fit.
pub fn minor_units(money: &Money) -> Option<i64> {
    let scaled =
        money.amount.checked_mul(rust_decimal::Decimal::from(10_i64.pow(money.currency.decimals())))?;
    scaled.is_integer().then(|| i64::try_from(scaled).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_rows_keep_their_values_and_nulls() {
        let texts: TextColumn = ["a", "b", "c"].into_iter().collect();
        let valid = Validity::from_flags([true, false, true]);
        let column = |name: &str, data| Column { name: name.into(), valid: valid.clone(), data };
        let codes = ColumnData::Dictionary { codes: vec![2, 0, 1], values: texts.clone() };
        let lists = ColumnData::DictionaryList {
            offsets: vec![0, 2, 2, 3],
            codes: vec![0, 2, 1],
            values: texts.clone(),
        };
        let columns = vec![
            column("text", ColumnData::Text(texts.clone())),
            column("code", codes),
            column("list", lists),
        ];
        let batch = Batch { rows: 3, ordinals: vec![4, 7, 9], columns };
        let picked = batch.pick(&[1, 2, 5]);
        assert_eq!((picked.rows, picked.ordinals.as_slice()), (2, &[7, 9][..]));
        let [text, code, lists] = picked.columns.as_slice() else { panic!("three columns") };
        assert_eq!(text.data, ColumnData::Text(["b", "c"].into_iter().collect()));
        assert_eq!(code.data, ColumnData::Dictionary { codes: vec![0, 1], values: texts.clone() });
        assert_eq!(
            lists.data,
            ColumnData::DictionaryList { offsets: vec![0, 0, 1], codes: vec![1], values: texts }
        );
        assert_eq!([text.valid.get(0), text.valid.get(1)], [false, true]);
        assert_eq!(batch.pick(&[0, 1, 2]), batch);
    }
}
