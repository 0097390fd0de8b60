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
