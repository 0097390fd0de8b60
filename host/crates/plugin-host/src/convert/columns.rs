//! Moves columns between the model's types and those that cross to guests. No value is looked at.

use std::borrow::Cow;
use std::ops::Range;

use trellis_model::{Batch, Column, ColumnData, TextColumn, Validity};

use crate::interfaces::bindings::trellis::plugin::columns as wit;

pub(crate) fn batch_to_guest(batch: Batch) -> wit::Batch {
    wit::Batch {
        rows: batch.rows,
        ordinals: batch.ordinals,
        columns: batch.columns.into_iter().map(column_to_guest).collect(),
    }
}

fn column_to_guest(column: Column) -> wit::Column {
    let data = match column.data {
        ColumnData::Float64(values) => wit::ColumnData::Float64(values),
        ColumnData::Int64(values) => wit::ColumnData::Int64(values),
        ColumnData::Boolean(values) => wit::ColumnData::Boolean(values),
        ColumnData::Date(values) => wit::ColumnData::Date(values),
        ColumnData::Time(values) => wit::ColumnData::Time(values),
        ColumnData::Money { currency, minor_units } => {
            wit::ColumnData::Money(wit::MoneyColumn { currency, minor_units })
        }
        ColumnData::Text(texts) => wit::ColumnData::Text(texts_to_guest(texts)),
        ColumnData::Dictionary { codes, values } => {
            wit::ColumnData::Dictionary(wit::DictionaryColumn { codes, values: texts_to_guest(values) })
        }
        ColumnData::Reference(ordinals) => wit::ColumnData::Reference(ordinals),
        ColumnData::DictionaryList { offsets, codes, values } => {
            wit::ColumnData::DictionaryList(wit::DictionaryListColumn {
                offsets,
                codes,
                values: texts_to_guest(values),
            })
        }
    };
    wit::Column { name: column.name, valid: column.valid.0, data }
}

fn texts_to_guest(texts: TextColumn) -> wit::TextColumn {
    wit::TextColumn { offsets: texts.offsets, bytes: texts.bytes }
}

/// Some rows of a batch, one after the other; rows that there are not are left out.
pub(crate) fn rows_of(batch: &wit::Batch, range: Range<usize>) -> Cow<'_, wit::Batch> {
    if range == (0..batch.rows as usize) {
        return Cow::Borrowed(batch);
    }
    let column = |column: &wit::Column| wit::Column {
        name: column.name.clone(),
        valid: valid_of(&column.valid, &range),
        data: data_of(&column.data, &range),
    };
    let ordinals = part(&batch.ordinals, &range);
    Cow::Owned(wit::Batch {
        rows: u32::try_from(ordinals.len()).unwrap_or(u32::MAX),
        columns: batch.columns.iter().map(column).collect(),
        ordinals,
    })
}

fn part<T: Copy>(values: &[T], range: &Range<usize>) -> Vec<T> {
    values.get(range.clone()).unwrap_or_default().to_vec()
}

fn valid_of(valid: &[u8], range: &Range<usize>) -> Vec<u8> {
    if valid.is_empty() {
        return Vec::new();
    }
    let is_valid = |row: usize| valid.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1);
    Validity::from_flags(range.clone().map(is_valid)).0
}

fn data_of(data: &wit::ColumnData, range: &Range<usize>) -> wit::ColumnData {
    match data {
        wit::ColumnData::Float64(values) => wit::ColumnData::Float64(part(values, range)),
        wit::ColumnData::Int64(values) => wit::ColumnData::Int64(part(values, range)),
        wit::ColumnData::Boolean(values) => wit::ColumnData::Boolean(part(values, range)),
        wit::ColumnData::Date(values) => wit::ColumnData::Date(part(values, range)),
        wit::ColumnData::Time(values) => wit::ColumnData::Time(part(values, range)),
        wit::ColumnData::Money(money) => wit::ColumnData::Money(wit::MoneyColumn {
            currency: money.currency.clone(),
            minor_units: part(&money.minor_units, range),
        }),
        wit::ColumnData::Text(texts) => wit::ColumnData::Text(texts_of(texts, range)),
        wit::ColumnData::Dictionary(column) => wit::ColumnData::Dictionary(wit::DictionaryColumn {
            codes: part(&column.codes, range),
            values: column.values.clone(),
        }),
        wit::ColumnData::Reference(ordinals) => wit::ColumnData::Reference(part(ordinals, range)),
        wit::ColumnData::DictionaryList(lists) => {
            let (offsets, codes) = (ends_of(&lists.offsets, range), codes_of(lists, range));
            let values = lists.values.clone();
            wit::ColumnData::DictionaryList(wit::DictionaryListColumn { offsets, codes, values })
        }
    }
}

/// Texts are laid end to end, so that a part has offsets of its own.
fn texts_of(texts: &wit::TextColumn, range: &Range<usize>) -> wit::TextColumn {
    let bytes = spanned(&texts.offsets, range);
    wit::TextColumn {
        offsets: ends_of(&texts.offsets, range),
        bytes: texts.bytes.get(bytes).unwrap_or_default().to_vec(),
    }
}

fn codes_of(lists: &wit::DictionaryListColumn, range: &Range<usize>) -> Vec<u32> {
    lists.codes.get(spanned(&lists.offsets, range)).unwrap_or_default().to_vec()
}

/// The offsets of some rows, as they are where nothing stands before these.
fn ends_of(offsets: &[u32], range: &Range<usize>) -> Vec<u32> {
    let offsets = offsets.get(range.start..=range.end).unwrap_or(&[0]);
    let first = offsets.first().copied().unwrap_or(0);
    offsets.iter().map(|offset| offset.saturating_sub(first)).collect()
}

/// What lies between the first and the last offset of some rows.
fn spanned(offsets: &[u32], range: &Range<usize>) -> Range<usize> {
    let offsets = offsets.get(range.start..=range.end).unwrap_or(&[0]);
    let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    first as usize..last as usize
}

/// Takes a column that a guest returned; its content is still to be checked.
pub(crate) fn column_from_guest(column: wit::Column) -> Column {
    let data = match column.data {
        wit::ColumnData::Float64(values) => ColumnData::Float64(values),
        wit::ColumnData::Int64(values) => ColumnData::Int64(values),
        wit::ColumnData::Boolean(values) => ColumnData::Boolean(values),
        wit::ColumnData::Date(values) => ColumnData::Date(values),
        wit::ColumnData::Time(values) => ColumnData::Time(values),
        wit::ColumnData::Money(money) => {
            ColumnData::Money { currency: money.currency, minor_units: money.minor_units }
        }
        wit::ColumnData::Text(texts) => ColumnData::Text(texts_from_guest(texts)),
        wit::ColumnData::Dictionary(column) => {
            ColumnData::Dictionary { codes: column.codes, values: texts_from_guest(column.values) }
        }
        wit::ColumnData::Reference(ordinals) => ColumnData::Reference(ordinals),
        wit::ColumnData::DictionaryList(lists) => ColumnData::DictionaryList {
            offsets: lists.offsets,
            codes: lists.codes,
            values: texts_from_guest(lists.values),
        },
    };
    Column { name: column.name, valid: Validity(column.valid), data }
}

pub(crate) fn texts_from_guest(texts: wit::TextColumn) -> TextColumn {
    TextColumn { offsets: texts.offsets, bytes: texts.bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_batch_is_what_picking_its_rows_gives() {
        let column = |name: &str, valid: Validity, data| Column { name: name.to_owned(), valid, data };
        let some = || Validity::from_flags((0..11).map(|row| row % 3 != 1));
        let texts = || (0..11).map(|row| "客".repeat(row % 4)).collect::<TextColumn>();
        let lists = ColumnData::DictionaryList {
            offsets: (0..12).map(|row| row / 2 * 3).collect(),
            codes: (0..5).flat_map(|_| [0, 4, 9]).collect(),
            values: texts(),
        };
        let batch = Batch {
            rows: 11,
            ordinals: (100..111).collect(),
            columns: vec![
                column("a", some(), ColumnData::Float64((0..11).map(f64::from).collect())),
                column("b", Validity::all(), ColumnData::Text(texts())),
                column("c", some(), ColumnData::Dictionary { codes: (0..11).collect(), values: texts() }),
                column("d", some(), ColumnData::Boolean(vec![1; 11])),
                column("e", some(), lists),
            ],
        };
        let whole = batch_to_guest(batch.clone());
        for range in [0..11, 0..5, 5..11, 3..4, 10..11, 0..0] {
            let rows: Vec<usize> = range.clone().collect();
            let picked = batch_to_guest(batch.pick(&rows));
            let part = rows_of(&whole, range.clone());
            assert_eq!(format!("{part:?}"), format!("{picked:?}"), "{range:?}");
        }
    }
}
