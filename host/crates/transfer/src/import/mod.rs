//! Import: a file of rows becomes records, by a [`Mapping`] of columns to fields.
//!
//! Good rows are written, bad rows are named with their line and reason; the same import again changes nothing. It does not
//! write to the store itself: every row goes through [`Records::write_batch`](trellis_records::Records::write_batch), hooks included.

mod cell;
mod checkpoint;
mod error;
mod limits;
mod mapping;
mod natural_order;
mod note;
mod parse;
mod profile;
mod references;
mod report;
mod row_id;
mod run;
mod source;
mod table;
#[cfg(test)]
mod test_schema;
mod trial;
mod write;

pub use checkpoint::{Checkpoints, Done};
pub use error::{Error, Result};
pub use limits::Limits;
pub use mapping::{ColumnSpec, DropSpec, Mapping, MappingSpec, Mode, ReferenceSpec, Several};
pub use profile::{ColumnProfile, Profile, TableRow, each_row, profile};
pub use report::{Dropped, ImportReport, Phase, Progress, RowError};
pub use run::{Control, Input, import_csv, import_csv_within, rehearse, run};
pub use source::{read_header, read_header_with};
pub(crate) use table::encode;
pub use table::{Edits, ReadOptions};
