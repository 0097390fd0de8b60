//! Tables of text: CSV of any encoding and delimiter, and sheets of XLSX workbooks, read row by row in bounded memory.
//!
//! Not the `csv` crate: that one reads a row of any length into memory, and a quote that is never closed swallows the rest
//! of the file as one row. Here a row that is not well formed costs its first line and no more.

mod decode;
mod file;
mod guess;
mod lines;
mod rows;
mod sheet;

pub(crate) use decode::encode;
pub(super) use file::{Edited, Kind, Table, file_error, texts};
pub use file::{Edits, ReadOptions};
pub(super) use guess::is_header;
pub(super) use rows::{Fault, Read, Row};
