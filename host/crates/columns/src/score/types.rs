use trellis_model::{ObjectId, ObjectName, SegmentationName, Text};

use crate::{CurrentResult, GenerationId, Source, ValueCount};

/// A score: a customer has at most one number in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDefinition {
    /// Its API name, which never changes: `churn_lite__risk`. Segmentations and scores share one set of names.
    pub name: SegmentationName,
    /// The object whose records it is about.
    pub object: ObjectName,
    /// What people call it.
    pub label: Text,
    /// What it says; may be empty.
    pub description: Text,
    /// Its unit for people, at most 40 characters; empty for a pure number.
    pub unit: Text,
    /// The lowest number that it can have, if there is one. For people: whoever computes numbers keeps to it.
    pub minimum: Option<f64>,
    /// The highest number that it can have, if there is one.
    pub maximum: Option<f64>,
    /// Its bands, ascending by their lowest numbers, at most [`crate::Config::values_max`]; none where crossing is no event.
    pub bands: Vec<BandDefinition>,
    /// Where its numbers come from.
    pub source: Source,
    /// Short names beside `name`; each belongs to one segmentation or score.
    pub aliases: Vec<SegmentationName>,
}

/// A part of a score's range that has a name.
#[derive(Debug, Clone, PartialEq)]
pub struct BandDefinition {
    /// Its API name: 1 to 100 characters, none of them a control character.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it means; may be empty.
    pub description: Text,
    /// Its lowest number, which is in it. It reaches up to the next band; the first also holds all that is lower.
    pub lowest: f64,
}

/// A score with its current result.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreInfo {
    /// What it is.
    pub definition: ScoreDefinition,
    /// The number of its object.
    pub object: ObjectId,
    /// The result that is shown; `None` before the first run.
    pub current: Option<CurrentResult>,
    /// Customers that are not deleted and have a number.
    pub count: u64,
    /// Customers that are not deleted and have none.
    pub null_count: u64,
    /// The lowest number that a customer has now.
    pub minimum: Option<f64>,
    /// The highest number that a customer has now.
    pub maximum: Option<f64>,
    /// The mean of the numbers that customers have now; `None` too where their sum passes what a number can hold.
    pub mean: Option<f64>,
    /// Customers that are not deleted, by band, in the order of the bands.
    pub bands: Vec<ValueCount>,
    /// Generations that can be rolled back to, the newest first.
    pub kept: Vec<GenerationId>,
    /// Whether nothing keeps the result up to date: its plugin is away, or an older run was made current again.
    pub stale: bool,
    /// Whether nobody has a value as long as its plugin is away.
    pub cleared: bool,
    /// What is wrong with the stored result, where it cannot be read.
    pub damaged: Option<String>,
}
