use std::collections::BTreeMap;

use crate::{FieldName, ObjectName, RecordId, Text, Value};

/// What a plugin or rule wants to happen. The host checks it against what was granted and commits it like any other change.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Changes fields of a record; a field that maps to `None` becomes null.
    SetFields {
        /// The record's object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// What becomes of which field.
        fields: BTreeMap<FieldName, Option<Value>>,
    },
    /// Creates a record.
    CreateRecord {
        /// Its object.
        object: ObjectName,
        /// Its fields.
        fields: BTreeMap<FieldName, Value>,
    },
    /// Creates a task for somebody.
    CreateTask(NewTask),
    /// Puts a message into the outbox (object `message`), from where whoever runs the channel sends it.
    SendMessage(NewMessage),
    /// Has the host raise the event `timer.fired` for a record later. A timer of the same name of the same record is replaced.
    StartTimer {
        /// Its name, unique for the record and whoever starts it.
        name: String,
        /// The record's object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// When, in milliseconds since 1970-01-01T00:00:00Z; in the past means at once.
        due_ms: i64,
    },
    /// Ends a timer; nothing happens where there is none.
    CancelTimer {
        /// Its name.
        name: String,
        /// The record's object.
        object: ObjectName,
        /// The record.
        id: RecordId,
    },
    /// A kind that this version of the host does not know; it is refused by name.
    Other {
        /// Its kind, in kebab-case.
        kind: String,
        /// What it says, in whatever form that kind has.
        payload: String,
    },
}

/// A task that is to be created.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewTask {
    /// What is to be done; written in the organisation's language.
    pub subject: Text,
    /// More about it; may be empty.
    pub description: Text,
    /// Who has to do it; the owner of the account where it is `None`.
    pub owner: Option<RecordId>,
    /// The customer that it is about.
    pub account: Option<RecordId>,
    /// The case that it is about.
    pub case: Option<RecordId>,
    /// Days from today until it is due.
    pub due_in_days: Option<u16>,
    /// An option of the field `priority` of tasks.
    pub priority: Option<String>,
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewMessage {
    /// An option of the field `channel` of messages: `email`, `sms`, `wechat`…
    pub channel: String,
    /// The customer that gets it.
    pub account: Option<RecordId>,
    /// The person that gets it.
    pub contact: Option<RecordId>,
    /// The subject line; written in the organisation's language.
    pub subject: Text,
    /// The text.
    pub body: Text,
    /// The campaign that it is part of.
    pub campaign: Option<RecordId>,
}

impl Action {
    /// The kinds that this host carries out, as manifests and grants name them.
    pub const KINDS: [&str; 6] =
        ["set-fields", "create-record", "create-task", "send-message", "start-timer", "cancel-timer"];

    /// Its kind, as manifests and grants name it.
    pub fn kind(&self) -> &str {
        match self {
            Self::SetFields { .. } => "set-fields",
            Self::CreateRecord { .. } => "create-record",
            Self::CreateTask(_) => "create-task",
            Self::SendMessage(_) => "send-message",
            Self::StartTimer { .. } => "start-timer",
            Self::CancelTimer { .. } => "cancel-timer",
            Self::Other { kind, .. } => kind,
        }
    }

    /// The object that it is about: the one whose records it changes or creates, or whose record a timer is for.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::SetFields { object, .. }
            | Self::CreateRecord { object, .. }
            | Self::StartTimer { object, .. }
            | Self::CancelTimer { object, .. } => Some(object.as_str()),
            Self::CreateTask(_) => Some("task"),
            Self::SendMessage(_) => Some("message"),
            Self::Other { .. } => None,
        }
    }
}
