//! Moves columns between the model's types and those that cross to guests. No value is looked at.

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
    };
    wit::Column { name: column.name, valid: column.valid.0, data }
}

fn texts_to_guest(texts: TextColumn) -> wit::TextColumn {
    wit::TextColumn { offsets: texts.offsets, bytes: texts.bytes }
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
    };
    Column { name: column.name, valid: Validity(column.valid), data }
}

fn texts_from_guest(texts: wit::TextColumn) -> TextColumn {
    TextColumn { offsets: texts.offsets, bytes: texts.bytes }
}
