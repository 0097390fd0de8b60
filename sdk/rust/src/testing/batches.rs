//! Building batches and cutting them.

use crate::Batch;
use crate::bindings::shared::trellis::plugin::columns::{
    self as wire, Column, ColumnData, DictionaryColumn, DictionaryListColumn, MoneyColumn, TextColumn,
};
use crate::writing::{is_present, text_column, validity};

/// Builds a batch column by column. Every column must have as many values as there are ordinals; `None` is null.
///
/// ```
/// use trellis_sdk::testing::BatchBuilder;
///
/// let batch = BatchBuilder::new([1, 2]).date("last_order", [Some(10_000), None]).money("spent", "USD", [Some(7402), None]).build();
/// assert_eq!(batch.money("spent")?.minor_units().get(0), Some(7402));
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    batch: wire::Batch,
}

impl BatchBuilder {
    /// Begins a batch of the records with these ordinals.
    ///
    /// # Panics
    /// If they do not ascend: no host sends such a batch.
    pub fn new(ordinals: impl IntoIterator<Item = u64>) -> Self {
        let ordinals: Vec<u64> = ordinals.into_iter().collect();
        assert!(ordinals.is_sorted_by(|one, next| one < next), "ordinals of a batch ascend");
        let rows = u32::try_from(ordinals.len()).expect("a batch has at most 65,536 rows");
        Self { batch: wire::Batch { rows, ordinals, columns: Vec::new() } }
    }

    /// Adds a column of numbers.
    pub fn float64(self, name: &str, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.column(name, values, ColumnData::Float64)
    }

    /// Adds a column of whole numbers.
    pub fn int64(self, name: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        self.column(name, values, ColumnData::Int64)
    }

    /// Adds a column of days since 1970-01-01.
    pub fn date(self, name: &str, values: impl IntoIterator<Item = Option<i32>>) -> Self {
        self.column(name, values, ColumnData::Date)
    }

    /// Adds a column of milliseconds since 1970-01-01T00:00:00Z.
    pub fn time(self, name: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        self.column(name, values, ColumnData::Time)
    }

    /// Adds a column of other records' ordinals.
    pub fn reference(self, name: &str, values: impl IntoIterator<Item = Option<u64>>) -> Self {
        self.column(name, values, ColumnData::Reference)
    }

    /// Adds a column of truth values.
    pub fn boolean(self, name: &str, values: impl IntoIterator<Item = Option<bool>>) -> Self {
        self.column(name, values.into_iter().map(|value| value.map(u8::from)), ColumnData::Boolean)
    }

    /// Adds a column of amounts in minor units of `currency`.
    pub fn money(self, name: &str, currency: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        let currency = currency.to_owned();
        self.column(name, values, |minor_units| ColumnData::Money(MoneyColumn { currency, minor_units }))
    }

    /// Adds a column of texts.
    pub fn text<'a>(self, name: &str, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        self.column(name, values, |texts| ColumnData::Text(text_column(texts)))
    }

    /// Adds a column of repeating texts.
    pub fn dictionary<'a>(self, name: &str, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut texts: Vec<&str> = Vec::new();
        let codes: Vec<Option<u32>> = values
            .into_iter()
            .map(|text| {
                let text = text?;
                let known = texts.iter().position(|known| *known == text);
                let code = known.unwrap_or_else(|| {
                    texts.push(text);
                    texts.len() - 1
                });
                Some(u32::try_from(code).expect("a batch has at most 65,536 rows"))
            })
            .collect();
        self.column(name, codes, |codes| {
            ColumnData::Dictionary(DictionaryColumn { codes, values: text_column(texts) })
        })
    }

    /// Adds a column of several repeating texts a row.
    ///
    /// # Panics
    /// If a row names a text twice: no host sends such a batch.
    pub fn lists<'a>(self, name: &str, values: impl IntoIterator<Item = Option<Vec<&'a str>>>) -> Self {
        let rows: Vec<Option<Vec<&str>>> = values.into_iter().collect();
        let mut texts: Vec<&str> = rows.iter().flatten().flatten().copied().collect();
        texts.sort_unstable();
        texts.dedup();
        let (mut offsets, mut codes) = (vec![0], Vec::new());
        for row in &rows {
            let mut found: Vec<u32> = row
                .iter()
                .flatten()
                .map(|text| u32::try_from(texts.partition_point(|known| known < text)).expect("few texts"))
                .collect();
            found.sort_unstable();
            assert!(found.is_sorted_by(|one, next| one < next), "a row of `{name}` names a text twice");
            codes.extend(found);
            offsets.push(u32::try_from(codes.len()).expect("a batch is smaller than 4 GiB"));
        }
        let present = rows.iter().map(|row| row.is_some().then_some(()));
        self.column(name, present, |_: Vec<()>| {
            ColumnData::DictionaryList(DictionaryListColumn { offsets, codes, values: text_column(texts) })
        })
    }

    /// The batch.
    pub fn build(self) -> Batch {
        self.batch.into()
    }

    fn column<T: Default>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = Option<T>>,
        data: impl FnOnce(Vec<T>) -> ColumnData,
    ) -> Self {
        let values: Vec<Option<T>> = values.into_iter().collect();
        assert_eq!(
            values.len(),
            self.batch.ordinals.len(),
            "column `{name}` has a value or a null for each ordinal"
        );
        let valid = validity(values.iter().map(Option::is_some));
        let data = data(values.into_iter().map(Option::unwrap_or_default).collect());
        self.batch.columns.push(Column { name: name.to_owned(), valid, data });
        self
    }
}

/// Cuts `batch` after every `rows` rows.
///
/// # Panics
/// If `rows` is 0.
pub fn split(batch: &Batch, rows: usize) -> Vec<Batch> {
    assert!(rows > 0, "a batch has rows");
    (0..batch.rows()).step_by(rows).map(|from| part(batch, from, (from + rows).min(batch.rows()))).collect()
}

fn part(batch: &Batch, from: usize, to: usize) -> Batch {
    let column = |column: &Column| Column {
        name: column.name.clone(),
        valid: validity((from..to).map(|row| is_present(&column.valid, row))),
        data: part_of_data(&column.data, from, to),
    };
    let ordinals = batch.ordinals().get(from..to).expect("the rows exist").to_vec();
    let rows = u32::try_from(to - from).expect("a batch has at most 65,536 rows");
    wire::Batch { rows, ordinals, columns: batch.wire.columns.iter().map(column).collect() }.into()
}

fn part_of_data(data: &ColumnData, from: usize, to: usize) -> ColumnData {
    fn rows<T: Copy>(values: &[T], from: usize, to: usize) -> Vec<T> {
        values.get(from..to).expect("the rows exist").to_vec()
    }
    match data {
        ColumnData::Float64(values) => ColumnData::Float64(rows(values, from, to)),
        ColumnData::Int64(values) => ColumnData::Int64(rows(values, from, to)),
        ColumnData::Boolean(values) => ColumnData::Boolean(rows(values, from, to)),
        ColumnData::Date(values) => ColumnData::Date(rows(values, from, to)),
        ColumnData::Time(values) => ColumnData::Time(rows(values, from, to)),
        ColumnData::Reference(values) => ColumnData::Reference(rows(values, from, to)),
        ColumnData::Money(money) => ColumnData::Money(MoneyColumn {
            currency: money.currency.clone(),
            minor_units: rows(&money.minor_units, from, to),
        }),
        ColumnData::Text(text) => {
            let offsets = rows(&text.offsets, from, to + 1);
            let base = *offsets.first().expect("one more than there are rows");
            let end = *offsets.last().expect("one more than there are rows");
            let bytes = rows(&text.bytes, base as usize, end as usize);
            ColumnData::Text(TextColumn {
                offsets: offsets.iter().map(|offset| offset - base).collect(),
                bytes,
            })
        }
        ColumnData::Dictionary(dictionary) => ColumnData::Dictionary(DictionaryColumn {
            codes: rows(&dictionary.codes, from, to),
            values: dictionary.values.clone(),
        }),
        ColumnData::DictionaryList(lists) => {
            let offsets = rows(&lists.offsets, from, to + 1);
            let base = *offsets.first().expect("one more than there are rows");
            let end = *offsets.last().expect("one more than there are rows");
            ColumnData::DictionaryList(DictionaryListColumn {
                codes: rows(&lists.codes, base as usize, end as usize),
                offsets: offsets.iter().map(|offset| offset - base).collect(),
                values: lists.values.clone(),
            })
        }
    }
}
