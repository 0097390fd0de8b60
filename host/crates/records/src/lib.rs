//! Objects and their records: the save pipeline, the log, indexes, queries, ordinals and events, import.
//!
//! Every change of a record goes through [`Records::write_batch`] and is committed with its index entries and its log entry
//! as one write set. This crate knows neither plugins nor columns: both come in through the traits [`SaveHook`] and
//! [`DerivedFields`].

mod caller;
mod check;
mod clock;
mod codec;
mod config;
mod error;
mod events;
mod hooks;
pub mod import;
mod index;
mod keys;
mod log;
mod ordinals;
mod query;
mod records;
mod save;
mod schema;

pub use caller::Caller;
pub use check::CheckReport;
pub use clock::{Clock, IdSource, SystemClock, SystemIds};
pub use config::{Config, Limits};
pub use error::{Error, FieldError, Result};
pub use events::{EventCursor, EventPage};
pub use hooks::{DerivedFields, DerivedValue, Proposed, SaveHook, Veto};
pub use log::{Committed, EntryBody, EventRef, LogEntry, LoggedChange, NewEntry};
pub use query::{Cursor, Deleted, Plan, Query, RecordPage, Total};
pub use records::Records;
pub use save::{FieldChanges, Write, Written};
pub use schema::Schema;
