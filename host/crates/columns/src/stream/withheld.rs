//! What is left of a column that the reader may not see.

use trellis_model::{ColumnData, TextColumn, Validity};

/// A column of the same type and length in which no row has a value, and nothing is left of what was there.
pub fn withheld(data: ColumnData) -> (Validity, ColumnData) {
    let rows = data.len();
    let data = match data {
        ColumnData::Float64(_) => ColumnData::Float64(vec![0.0; rows]),
        ColumnData::Int64(_) => ColumnData::Int64(vec![0; rows]),
        ColumnData::Boolean(_) => ColumnData::Boolean(vec![0; rows]),
        ColumnData::Date(_) => ColumnData::Date(vec![0; rows]),
        ColumnData::Time(_) => ColumnData::Time(vec![0; rows]),
        ColumnData::Money { currency, .. } => ColumnData::Money { currency, minor_units: vec![0; rows] },
        ColumnData::Text(_) => ColumnData::Text((0..rows).map(|_| "").collect()),
        ColumnData::Dictionary { .. } => {
            ColumnData::Dictionary { codes: vec![0; rows], values: TextColumn::default() }
        }
        ColumnData::Reference(_) => ColumnData::Reference(vec![0; rows]),
        ColumnData::DictionaryList { .. } => ColumnData::DictionaryList {
            offsets: vec![0; rows + 1],
            codes: Vec::new(),
            values: TextColumn::default(),
        },
    };
    (Validity::from_flags(std::iter::repeat_n(false, rows)), data)
}
