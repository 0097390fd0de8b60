//! Laying values out as columns.

use crate::bindings::shared::trellis::plugin::columns::{Column, ColumnData, DictionaryColumn, TextColumn};

/// One bit a row; empty where every row has a value.
pub(crate) fn validity(present: impl Iterator<Item = bool> + Clone) -> Vec<u8> {
    let mut bytes = Vec::new();
    if present.clone().all(|present| present) {
        return bytes;
    }
    for (row, present) in present.enumerate() {
        if row % 8 == 0 {
            bytes.push(0);
        }
        if let Some(byte) = bytes.last_mut() {
            *byte |= u8::from(present) << (row % 8);
        }
    }
    bytes
}

/// Whether `row` has a value.
pub(crate) fn is_present(valid: &[u8], row: usize) -> bool {
    valid.is_empty() || valid.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

pub(crate) fn text_column<V: AsRef<str>>(texts: impl IntoIterator<Item = V>) -> TextColumn {
    let mut column = TextColumn { offsets: vec![0], bytes: Vec::new() };
    for text in texts {
        column.bytes.extend_from_slice(text.as_ref().as_bytes());
        column.offsets.push(u32::try_from(column.bytes.len()).expect("a batch is smaller than 4 GiB"));
    }
    column
}

/// A dictionary column that is filled row by row. Meant for few different texts: a new row is compared with each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Words {
    texts: Vec<String>,
    codes: Vec<Option<u32>>,
}

impl Words {
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let code = text.map(|text| {
            let known = self.texts.iter().position(|known| known == text);
            let code = known.unwrap_or_else(|| {
                self.texts.push(text.to_owned());
                self.texts.len() - 1
            });
            u32::try_from(code).expect("a batch has at most 65,536 rows")
        });
        self.codes.push(code);
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let code = (*self.codes.get(row)?)?;
        self.texts.get(code as usize).map(String::as_str)
    }

    pub(crate) fn into_column(self, name: &str) -> Column {
        let valid = validity(self.codes.iter().map(Option::is_some));
        let codes = self.codes.into_iter().map(Option::unwrap_or_default).collect();
        let data = ColumnData::Dictionary(DictionaryColumn { codes, values: text_column(self.texts) });
        Column { name: name.to_owned(), valid, data }
    }
}
