//! The log: every change, in order, with who and why.

use std::collections::BTreeMap;

use trellis_model::{Actor, Cause, ChangeKind, FieldChange, FieldId, ObjectId, RecordId};
use trellis_storage::{Position, WriteSet};

use crate::{Records, Result};

/// An entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Its number: 1 is the first, without gaps.
    pub number: u64,
    /// The position of its write set: the version of the records that it changed.
    pub position: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What.
    pub body: EntryBody,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryBody {
    /// Records changed, all in one write set.
    Changes(Vec<LoggedChange>),
    /// Something else happened.
    Event {
        /// Its name, for example `run.flipped`.
        name: String,
        /// Its data, at most 1 MiB.
        data: serde_json::Value,
    },
}

/// A change of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedChange {
    /// The record's object.
    pub object: ObjectId,
    /// The record.
    pub id: RecordId,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Number of the record's last entry before this one; 0 for none.
    pub previous: u64,
    /// The record's ordinal, where its object has them.
    pub ordinal: Option<u64>,
    /// Which event the record is (or was, before it was deleted), where its object is the events of another.
    pub event: Option<EventRef>,
    /// The fields that changed, before and after; `None` once the payload has expired.
    pub fields: Option<BTreeMap<FieldId, FieldChange>>,
}

/// Where an event record stands in the events of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRef {
    /// The object of its target.
    pub target_object: ObjectId,
    /// The ordinal of its target.
    pub target_ordinal: u64,
    /// Days or milliseconds, as the time field is.
    pub time: i64,
}

/// An entry that is to be written. It gets its number, position and time from the commit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What.
    pub body: EntryBody,
}

/// What a commit answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The position of the write set.
    pub position: Position,
    /// The number of the log entry, where there is one.
    pub log_number: Option<u64>,
    /// For each add that the caller made, in order, the value of its counter just after it.
    pub counters: Vec<u64>,
}

impl Records {
    /// The number of the last log entry; 0 for none.
    pub fn log_head(&self) -> u64 {
        unimplemented!()
    }

    /// Tells when the log grows. The value is the number of the last entry.
    pub fn log_watch(&self) -> tokio::sync::watch::Receiver<u64> {
        unimplemented!()
    }

    /// Returns the entries after a number, at most `entries_max`, without gaps.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) where an entry cannot be read.
    pub async fn log_after(&self, after: u64, entries_max: usize) -> Result<Vec<LogEntry>> {
        let _ = (after, entries_max);
        unimplemented!()
    }

    /// Commits a write set of another crate's keys, with its log entry if it has one.
    ///
    /// # Errors
    /// Those of [`trellis_storage::Store::commit`].
    pub async fn commit(&self, set: WriteSet, entry: Option<NewEntry>) -> Result<Committed> {
        let _ = (set, entry);
        unimplemented!()
    }
}
