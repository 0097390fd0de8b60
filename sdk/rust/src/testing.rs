//! What a plugin's own tests need, so that they run with plain `cargo test`: batches, contexts, and the law of splitting.

use std::cell::RefCell;

use crate::assignments::text_column;
use crate::bindings::segmentation::trellis::plugin::columns::{
    self as wire, Column, ColumnData, DictionaryColumn, MoneyColumn, TextColumn,
};
use crate::bindings::segmentation::trellis::plugin::host_log::Level;
use crate::segmentation::Segmentation;
use crate::{Assignments, Batch, Context, RowStream};

thread_local! {
    static LINES: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Takes the lines that this thread wrote through [`crate::log`] since the last time.
pub fn take_log() -> Vec<(Level, String)> {
    LINES.take()
}

#[cfg(not(target_family = "wasm"))]
pub(crate) fn keep_line(level: Level, message: &str) {
    LINES.with_borrow_mut(|lines| lines.push((level, message.to_owned())));
}

/// A context: as of 1970-01-01, UTC, USD, seed 0. Change what a test needs, for example `Context { as_of: 10_134, ..context() }`.
pub fn context() -> Context {
    Context {
        run_id: "test".to_owned(),
        as_of: 0,
        now_ms: 0,
        time_zone: "UTC".to_owned(),
        base_currency: "USD".to_owned(),
        seed: 0,
        extra: Vec::new(),
    }
}

/// A stream that gives `batches`.
pub fn stream(batches: impl IntoIterator<Item = Batch>) -> RowStream<'static> {
    RowStream::of_batches(batches)
}

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
        let present: Vec<bool> = values.iter().map(Option::is_some).collect();
        let data = data(values.into_iter().map(Option::unwrap_or_default).collect());
        self.batch.columns.push(Column { name: name.to_owned(), valid: bits(&present), data });
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

/// Checks that cutting `batch` changes nothing: pieces of 1, 2, 3, 7 and 64 rows give the values, failures and reasons
/// of the whole.
///
/// # Panics
/// If a piece differs, or a call fails.
pub fn assert_splitting_changes_nothing<P: Segmentation>(model: &[u8], batch: &Batch, at: &Context) {
    let whole = P::assign(model, batch, at).expect("the whole batch is assigned");
    let reasons = P::explain(model, batch, at).expect("the whole batch is explained");
    for rows in [1, 2, 3, 7, 64] {
        for (number, piece) in split(batch, rows).into_iter().enumerate() {
            let first = number * rows;
            let assigned = P::assign(model, &piece, at).expect("a piece is assigned");
            for row in 0..piece.rows() {
                assert_same_row(&whole, first + row, &assigned, row);
            }
            let explained = P::explain(model, &piece, at).expect("a piece is explained");
            assert_eq!(
                reasons.get(first..first + piece.rows()),
                Some(&*explained),
                "reasons from row {first}"
            );
        }
    }
}

fn assert_same_row(whole: &Assignments, whole_row: usize, piece: &Assignments, row: usize) {
    for name in whole.names() {
        assert_eq!(whole.value(name, whole_row), piece.value(name, row), "`{name}` of row {whole_row}");
    }
    let failure = |assignments: &Assignments, row: usize| {
        assignments
            .failed()
            .iter()
            .find(|failed| failed.row as usize == row)
            .map(|failed| failed.code.clone())
    };
    assert_eq!(failure(whole, whole_row), failure(piece, row), "failure of row {whole_row}");
}

fn part(batch: &Batch, from: usize, to: usize) -> Batch {
    let column = |column: &Column| {
        let present: Vec<bool> = (from..to).map(|row| is_present(&column.valid, row)).collect();
        Column {
            name: column.name.clone(),
            valid: bits(&present),
            data: part_of_data(&column.data, from, to),
        }
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
    }
}

fn is_present(valid: &[u8], row: usize) -> bool {
    valid.get(row / 8).is_none_or(|byte| byte >> (row % 8) & 1 == 1)
}

/// One bit a row; empty where every row has a value.
fn bits(present: &[bool]) -> Vec<u8> {
    if present.iter().all(|present| *present) {
        return Vec::new();
    }
    let byte_of = |bits: &[bool]| {
        bits.iter().enumerate().fold(0, |byte, (bit, present)| byte | u8::from(*present) << bit)
    };
    present.chunks(8).map(byte_of).collect()
}
