//! Records out of files and into files: import and export.
//!
//! A table of rows (CSV, XLSX) becomes records by a mapping of columns to fields; records become a table again. What is read here is
//! never trusted: size, width and depth are bounded before anything is kept. This crate does not write to the store: every row goes
//! through [`Records::write_batch`](trellis_records::Records::write_batch), hooks included.

pub mod export;
pub mod import;
mod transform;

pub use transform::{NoTransforms, RowTexts, Transform, Transforms};
