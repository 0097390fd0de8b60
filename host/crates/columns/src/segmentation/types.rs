use trellis_model::{ObjectId, ObjectName, PluginId, RecordId, SegmentationName, Text};

use crate::{AsOf, GenerationId, RunId};

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
    /// Short names beside `name`; each belongs to one segmentation.
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

/// Where the memberships of a segmentation come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An output of a plugin.
    Plugin {
        /// Which plugin.
        plugin: PluginId,
        /// Its name for the output.
        output: String,
    },
    /// A filter; the single value is `member`.
    Filter,
    /// People, by hand; the single value is `member`.
    Manual,
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
    /// Whether nothing keeps the result up to date any more (its plugin was disabled or removed).
    pub stale: bool,
    /// What is wrong with the stored result, where it cannot be read.
    pub damaged: Option<String>,
}

/// Which result is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentResult {
    /// Its generation.
    pub generation: GenerationId,
    /// The run that made it.
    pub run: RunId,
    /// Up to when events counted.
    pub as_of: AsOf,
    /// When it became current, in milliseconds since 1970-01-01T00:00:00Z.
    pub flipped_at_ms: i64,
}

/// How many customers have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    /// The value's API name.
    pub value: String,
    /// How many.
    pub count: u64,
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
