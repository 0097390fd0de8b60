use serde_json::Value as Json;
use trellis_model::{Actor, Cause, RecordId, SegmentationName, TextColumn, Validity};

use crate::AsOf;

/// The run that a result is of: the id of its job.
pub type RunId = RecordId;

/// The number of a generation of results. Grows; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct GenerationId(pub u64);

impl std::fmt::Display for GenerationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who writes a log entry, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who.
    pub actor: Actor,
    /// Why; its job is the run's.
    pub cause: Cause,
}

impl Origin {
    /// A part of the host itself.
    pub fn system(component: &str) -> Self {
        Self { actor: Actor::System { component: component.to_owned() }, cause: Cause::default() }
    }
}

/// One segmentation's values of some rows, as plugins give them: a code a row into a dictionary of values.
#[derive(Debug, Clone, Copy)]
pub struct CodesColumn<'a> {
    /// For each row an index into `values`; ignored where the row is null.
    pub codes: &'a [u32],
    /// Which rows have a value.
    pub valid: &'a Validity,
    /// The values by their API names; every one that is used must be defined.
    pub values: &'a TextColumn,
}

/// One score's numbers of some rows.
#[derive(Debug, Clone, Copy)]
pub struct NumbersColumn<'a> {
    /// One a row, finite; ignored where the row is null.
    pub values: &'a [f64],
    /// Which rows have a number.
    pub valid: &'a Validity,
}

/// What a run puts out of some rows.
#[derive(Debug, Clone, Copy)]
pub enum ResultColumn<'a> {
    /// Of a segmentation.
    Codes(CodesColumn<'a>),
    /// Of a score.
    Numbers(NumbersColumn<'a>),
}

/// What is said about a flip.
#[derive(Debug, Clone, PartialEq)]
pub struct FlipRequest {
    /// The run that made the results.
    pub run: RunId,
    /// Whether this is a first run, a re-fit or an upgrade: one summary entry instead of an entry per changed block.
    pub baseline: bool,
    /// Up to when the run counted events.
    pub as_of: AsOf,
    /// Further data of the `run.flipped` entry (plugin, version, model digest, position…); a JSON object.
    pub data: Json,
    /// Who flips.
    pub origin: Origin,
}

/// What a flip did. Its transitions are pending until [`crate::Columns::transitions`] has written them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flipped {
    /// The generation that is current now.
    pub generation: GenerationId,
    /// Number of the `run.flipped` entry.
    pub log_number: u64,
    /// The segmentations that were flipped, and after them the scores.
    pub outputs: Vec<FlippedOutput>,
}

/// A segmentation or score that was flipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlippedOutput {
    /// Which one.
    pub name: SegmentationName,
    /// What was current before.
    pub previous: Option<GenerationId>,
}

/// How many customers the transitions of a flip were about, segmentations and scores together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransitionCounts {
    /// Null before, a value now.
    pub entered: u64,
    /// A value before, null now.
    pub left: u64,
    /// One value or band before, another now.
    pub changed: u64,
    /// Log entries written by this call.
    pub entries: u64,
}

/// The value that one customer has by a single re-evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The customer.
    pub ordinal: u64,
    /// Its value; `None` is null.
    pub value: Option<String>,
}

/// The number that one customer has by a single re-evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreDelta {
    /// The customer.
    pub ordinal: u64,
    /// Its number, finite; `None` is null.
    pub value: Option<f64>,
}

/// What became of deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// They are in; so many customers changed their value.
    Written {
        /// Customers whose value is another than before.
        changed: usize,
    },
    /// The generation is no longer current: evaluate again with the current model.
    Superseded,
}
