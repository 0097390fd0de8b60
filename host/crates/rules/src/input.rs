use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use trellis_model::{
    Action, FieldName, Lookups, NamedRecord, ObjectDefinition, Reason, RecordId, Text, Value,
};

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Before a record is saved: it may change and refuse it.
    BeforeSave,
    /// After a record was saved: it returns actions.
    AfterSave,
    /// After a record entered or left a segment, or crossed a band of a score: it returns actions.
    Transition,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BeforeSave, Self::AfterSave, Self::Transition];

    /// Its name in rule records and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeSave => "before_save",
            Self::AfterSave => "after_save",
            Self::Transition => "transition",
        }
    }

    /// The trigger of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == name)
    }
}

/// What a rule decides about.
#[derive(Clone)]
pub struct Input {
    /// The record's object: its fields' types are what the rule's values are checked against.
    pub object: Arc<ObjectDefinition>,
    /// The record; for a before-save rule as proposed.
    pub record: NamedRecord,
    /// The record as it was; `None` where it is created.
    pub before: Option<NamedRecord>,
    /// What happened, for a rule on transitions.
    pub event: Option<Transition>,
    /// Fields that the rule was not granted: reading or changing one is an error that says so.
    pub hidden: BTreeSet<FieldName>,
    /// The time that the rule sees, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// The organisation's time zone, for today and for the day of a time.
    pub time_zone: TimeZone,
    /// The user who saves, if it is one.
    pub user: Option<RecordId>,
    /// Answers the rule's questions. It may be asked from another thread than the one that runs the rule.
    pub lookups: Arc<dyn Lookups>,
}

impl std::fmt::Debug for Input {
    /// Names the record; its values are nobody's business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("object", &self.record.object).field("id", &self.record.id).finish()
    }
}

/// A record's move from one value of a segmentation, or band of a score, to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// `segment.<name>` or `score.<name>`.
    pub watched: String,
    /// The value or band that it left; `None` for none.
    pub from: Option<String>,
    /// The value or band that it entered.
    pub to: Option<String>,
    /// The score now.
    pub value: Option<f64>,
}

/// What a before-save rule decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BeforeSave {
    /// What becomes of which field; only fields whose value is another than proposed.
    pub changes: BTreeMap<FieldName, Option<Value>>,
    /// Why the record must not be saved; empty where it may.
    pub vetoes: Vec<RuleVeto>,
    /// What the rule printed.
    pub printed: Vec<String>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleVeto {
    /// The field at fault, if it is one.
    pub field: Option<FieldName>,
    /// A stable code in kebab-case; `refused` where the rule gives none.
    pub code: String,
    /// Why, in words for whoever saves.
    pub message: Text,
}

/// What a rule decided after the fact.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AfterSave {
    /// What is to happen, in the rule's order.
    pub actions: Vec<Action>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What the rule printed.
    pub printed: Vec<String>,
}
