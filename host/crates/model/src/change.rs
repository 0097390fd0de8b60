use crate::{PluginId, RecordId, Value};

/// Who changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A user, through a session or a token.
    User {
        /// The user's record.
        id: RecordId,
        /// What it was signed in with.
        via: Via,
    },
    /// A plugin's action.
    Plugin {
        /// Which plugin.
        id: PluginId,
        /// In which version.
        version: String,
        /// For whom, where it acted for somebody.
        for_user: Option<RecordId>,
    },
    /// An admin's rule.
    Rule {
        /// Which rule.
        id: RecordId,
        /// In which version.
        version: u64,
        /// For whom, where it acted for somebody.
        for_user: Option<RecordId>,
    },
    /// The host itself.
    System {
        /// Which part of it, for example `start-up`.
        component: String,
    },
}

/// What a user was signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// An API token, by its public id.
    Token(String),
    /// A browser session, by its public id.
    Session(String),
}

/// Why a change happened: what it came from, and how deep in a chain of reactions it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cause {
    /// The job that made it (an import, a run, an undo), if one did.
    pub job: Option<RecordId>,
    /// The log number of the entry that it reacts to, if it does.
    pub log: Option<u64>,
    /// 0 for what came from outside, one more for each reaction; over 8 is refused.
    pub depth: u8,
    /// Whether after-save rules, campaign rules, workflows, webhooks and notifications stay silent.
    pub automations_off: bool,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It came to be.
    Created,
    /// Fields changed.
    Updated,
    /// It was deleted and can be restored.
    Deleted,
    /// It was restored.
    Restored,
}

impl ChangeKind {
    /// The last part of the event's name: `account.created`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
        }
    }
}

/// A field before and after a change; `None` is null.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Before.
    pub before: Option<Value>,
    /// After.
    pub after: Option<Value>,
}
