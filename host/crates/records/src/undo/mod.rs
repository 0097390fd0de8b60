//! Taking back what was done: one change, all that a job did, all that a rule or plugin did.
//!
//! What is taken back is the net effect on each record, and of that what nobody changed since: a field goes back if it still holds what it
//! was given, a created record is deleted if nobody changed it, a deleted one comes back. The log tells all of this; nothing is kept for it.
//! An undo is made of ordinary changes with their own log entries, so it can be undone the same way. Deletion here can always be taken
//! back, so the order in which records go does not matter to what refers to them; they go the newest change first all the same.

mod apply;
mod in_use;
mod plan;
mod target;
mod trace;

use trellis_model::{Actor, FieldName, ObjectName, PluginId, RecordId, Text, Value};

pub use apply::UndoOutcome;
pub use in_use::InUse;
pub use plan::{UndoCursor, UndoPage};
pub use target::UndoEntries;

/// What shall be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoTarget {
    /// All that one log entry changed.
    Entry(u64),
    /// What one log entry changed of one record.
    Change {
        /// The entry.
        number: u64,
        /// The record's object.
        object: ObjectName,
        /// The record.
        id: RecordId,
    },
    /// All that a job did: an import, a merge, a run, an undo.
    Job(RecordId),
    /// What a rule did by itself, not what it changed in other people's saves.
    Rule {
        /// The rule.
        id: RecordId,
        /// Only from this time on, in milliseconds since 1970-01-01T00:00:00Z.
        since_ms: Option<i64>,
    },
    /// What a plugin did.
    Plugin {
        /// The plugin.
        id: PluginId,
        /// Only from this time on, in milliseconds since 1970-01-01T00:00:00Z.
        since_ms: Option<i64>,
    },
}

/// What an undo is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// What shall be taken back.
    pub target: UndoTarget,
    /// Whether with it what rules and plugins did in reaction to it.
    pub include_caused: bool,
    /// Only entries up to this number: what the target does later stays.
    pub until: u64,
}

/// One record of an undo.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoItem {
    /// The record's object.
    pub object: ObjectName,
    /// The record.
    pub id: RecordId,
    /// What stands for it, where the caller may read that.
    pub title: Option<String>,
    /// What would be done.
    pub action: UndoAction,
    /// Whether it can be.
    pub state: UndoState,
    /// The fields that would go back, or cannot; only those that the caller may read.
    pub fields: Vec<UndoField>,
    /// Who stood in the way where something changed since, the last one first for each field.
    pub since: Vec<Since>,
    /// Why it is refused or in conflict.
    pub reason: Option<UndoReason>,
    /// The record's version, on which this is based; 0 where there is no record.
    pub version: u64,
    /// The job of the record's last change.
    pub last_job: Option<RecordId>,
    pub(crate) changes: crate::FieldChanges,
}

/// What is done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UndoAction {
    /// It was created or restored: it is deleted.
    Delete,
    /// It was deleted: it comes back, and its fields with it.
    Restore,
    /// Fields go back to what they were.
    Update,
}

/// Whether a record can go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UndoState {
    /// Yes.
    Can,
    /// Some of its fields can, others changed since or are out of reach.
    Partly,
    /// It is so already.
    Done,
    /// It changed again since.
    ChangedSince,
    /// The log no longer tells what it was like.
    Expired,
    /// The record is not there any more.
    Missing,
    /// A unique value is taken by another record.
    Conflict,
    /// The caller may not do it, or the record would not be valid, or a rule or plugin refuses.
    Refused,
}

/// A field of a record that goes back.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoField {
    /// The field.
    pub field: FieldName,
    /// What it holds now.
    pub now: Option<Value>,
    /// What it would hold.
    pub back_to: Option<Value>,
    /// [`UndoState::Can`], [`UndoState::Done`], [`UndoState::ChangedSince`] or [`UndoState::Refused`].
    pub state: UndoState,
}

/// A later change that stands in the way of an undo.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// Of which fields; none where it deleted or restored the record, or where the reader may not know.
    pub fields: Vec<FieldName>,
    /// The log entry.
    pub number: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// Who.
    pub actor: Actor,
}

/// Why a record cannot go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoReason {
    /// Stable, as [`crate::Error::code`].
    pub code: &'static str,
    /// For people.
    pub text: Text,
}

impl UndoAction {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Update => "update",
        }
    }
}

impl UndoState {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Can,
        Self::Partly,
        Self::Done,
        Self::ChangedSince,
        Self::Expired,
        Self::Missing,
        Self::Conflict,
        Self::Refused,
    ];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Can => "can",
            Self::Partly => "partly",
            Self::Done => "done",
            Self::ChangedSince => "changed_since",
            Self::Expired => "expired",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
        }
    }

    /// Whether something can be done.
    pub fn can(self) -> bool {
        matches!(self, Self::Can | Self::Partly)
    }
}
