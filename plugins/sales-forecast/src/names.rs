//! Texts of a column as numbers that hold for the whole stream.

use std::collections::BTreeMap;

use trellis_sdk::values::{Dictionary, Texts};
use trellis_sdk::{Batch, Result};

/// Stands for no text.
pub(crate) const NONE: u32 = u32::MAX;

/// Different texts in the order in which they were first met. Codes of a batch hold for that batch only; these hold for ever.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    /// The number of a text.
    pub(crate) fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.by_name.get(name) {
            return *code;
        }
        let code = u32::try_from(self.names.len()).expect("there are fewer texts than rows");
        self.by_name.insert(name.to_owned(), code);
        self.names.push(name.to_owned());
        code
    }

    /// The text of a number.
    pub(crate) fn get(&self, code: u32) -> Option<&str> {
        self.names.get(code as usize).map(String::as_str)
    }

    /// The number of each row's text in a column of texts; [`NONE`] at a null, and everywhere where there is no such column.
    pub(crate) fn codes(&mut self, batch: &Batch, column: &str) -> Result<Vec<u32>> {
        match batch.type_of(column) {
            None => Ok(vec![NONE; batch.rows()]),
            Some("text") => Ok(self.of_texts(batch.text(column)?)),
            Some(_) => Ok(self.of_dictionary(batch.dictionary(column)?)),
        }
    }

    fn of_texts(&mut self, texts: Texts<'_>) -> Vec<u32> {
        texts.iter().map(|text| text.map_or(NONE, |text| self.code(text))).collect()
    }

    /// Looks each different text up once.
    fn of_dictionary(&mut self, dictionary: Dictionary<'_>) -> Vec<u32> {
        let known: Vec<u32> =
            dictionary.texts().iter().map(|text| text.map_or(NONE, |text| self.code(text))).collect();
        let code = |local: Option<u32>| local.and_then(|local| known.get(local as usize).copied());
        dictionary.codes().iter().map(|local| code(local).unwrap_or(NONE)).collect()
    }
}
