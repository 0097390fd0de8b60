//! CSV import: a file of rows becomes records, by a [`Mapping`] of columns to fields.
//!
//! Good rows are written, bad rows are named with their line and reason; the same import again changes nothing. It does not
//! write to the store itself: every row goes through [`Records::write_batch`](trellis_records::Records::write_batch), hooks included.

mod cell;
mod error;
mod limits;
mod mapping;
mod natural_order;
mod parse;
mod references;
mod report;
mod row_id;
mod run;
mod source;
mod table;
#[cfg(test)]
mod test_schema;

pub use error::{Error, Result};
pub use limits::Limits;
pub use mapping::Mapping;
pub use report::{ImportReport, Phase, Progress, RowError};
pub use run::{import_csv, import_csv_within};
pub use source::read_header;
