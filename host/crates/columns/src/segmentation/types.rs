use trellis_model::{ObjectId, ObjectName, RecordId, SegmentationName, Text};

use crate::{CurrentResult, GenerationId, Source, ValueCount};

/// A segmentation: a customer has at most one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentationDefinition {
    /// Its API name, which never changes: `retail_rfm__class`.
    pub name: SegmentationName,
    /// The object whose records it is about.
    pub object: ObjectName,
    /// What people call it.
    pub label: Text,
    /// What it means; may be empty.
    pub description: Text,
    /// Its values in the order in which they are shown. Once defined a value stays; later definitions may add some.
    pub values: Vec<ValueDefinition>,
    /// Where memberships come from.
    pub source: Source,
    /// Short names beside `name`; each belongs to one segmentation or score.
    pub aliases: Vec<SegmentationName>,
}

/// A value of a segmentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueDefinition {
    /// Its API name: 1 to 100 characters, none of them a control character.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it means; may be empty.
    pub description: Text,
}

/// A segmentation with its current result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentationInfo {
    /// What it is.
    pub definition: SegmentationDefinition,
    /// The number of its object.
    pub object: ObjectId,
    /// The result that is shown; `None` before the first run.
    pub current: Option<CurrentResult>,
    /// Customers that are not deleted, by value, in the order of the values.
    pub counts: Vec<ValueCount>,
    /// Customers that are not deleted and have no value.
    pub null_count: u64,
    /// Generations that can be rolled back to, the newest first.
    pub kept: Vec<GenerationId>,
    /// Whether nothing keeps the result up to date: its plugin is away, or an older run was made current again.
    pub stale: bool,
    /// Whether nobody has a value as long as its plugin is away.
    pub cleared: bool,
    /// What is wrong with the stored result, where it cannot be read.
    pub damaged: Option<String>,
}

/// A page of the customers that have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// Ordinals, ascending, with their records.
    pub members: Vec<(u64, RecordId)>,
    /// For the page after this one: its `after`; `None` at the end.
    pub next: Option<u64>,
    /// How many customers have the value, where the caller may see every record of the object.
    pub total: Option<u64>,
}

/// Which transitions to show; all where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransitionsWanted<'a> {
    /// Only of customers who have this value now; `Some(None)` is no value.
    pub entered: Option<Option<&'a str>>,
    /// Only of customers who had this value before; `Some(None)` is no value.
    pub left: Option<Option<&'a str>>,
}

/// A page of the customers whose value is another than after the run before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransitionPage {
    /// The result before the current one, whose values are compared as they were last; `None` where no earlier run is kept.
    pub previous: Option<CurrentResult>,
    /// How many went from which value to which, whatever page is asked for; empty where the caller may not see every record of the object.
    pub counts: Vec<TransitionCount>,
    /// By ordinal, ascending.
    pub transitions: Vec<Transition>,
    /// For the page after this one: its `after`; `None` at the end.
    pub next: Option<u64>,
    /// How many there are in all pages, where the caller may see every record of the object.
    pub total: Option<u64>,
}

/// A customer who went from one value to another; `None` is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The customer's ordinal.
    pub ordinal: u64,
    /// The customer's record.
    pub id: RecordId,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub value: Option<String>,
}

/// How many went from one value to another; `None` is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionCount {
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub value: Option<String>,
    /// How many customers.
    pub count: u64,
}
