//! CSV (RFC 4180, commas, UTF-8), read row by row in bounded memory.
//!
//! Not the `csv` crate: that one reads a row of any length into memory, and a quote that is never closed swallows the rest
//! of the file as one row. Here a row that is not well formed costs its first line and no more.

mod lines;
mod rows;

pub(super) use rows::{Fault, Read, Row, Rows};
