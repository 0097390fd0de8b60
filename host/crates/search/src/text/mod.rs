//! What of a text can be found, and what a query asks for: both sides make the same words.

mod fold;
mod names;
mod query;
mod words;

pub(crate) use names::pinyin;
pub(crate) use query::{Query, Term};
pub(crate) use words::{number, whole, words};

pub(crate) use fold::fold;
