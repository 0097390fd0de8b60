//! Reading texts.

use trellis_sdk::values::{Dictionary, Texts};
use trellis_sdk::{Batch, Result};

/// A column of texts, however the host sends it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Words<'a> {
    Dictionary(Dictionary<'a>),
    Texts(Texts<'a>),
}

impl<'a> Words<'a> {
    pub(crate) fn read(batch: &'a Batch, name: &str) -> Result<Self> {
        if batch.type_of(name) == Some("text") {
            return Ok(Self::Texts(batch.text(name)?));
        }
        Ok(Self::Dictionary(batch.dictionary(name)?))
    }

    /// The text of a row; none at a null.
    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Dictionary(dictionary) => dictionary.get(row),
            Self::Texts(texts) => texts.get(row),
        }
    }
}
