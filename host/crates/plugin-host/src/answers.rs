//! What the interfaces share: the context of a call, models, rows that failed.

use trellis_model::Text;

use crate::{CallStats, LogLine};

/// What holds for the whole of a call; the same in every call of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// The run or request that the call belongs to.
    pub run_id: String,
    /// The day up to which data exists, inclusive, in days since 1970-01-01.
    pub as_of_days: i32,
    /// The logical time in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// The organisation's IANA time zone.
    pub time_zone: String,
    /// The organisation's ISO 4217 base currency.
    pub base_currency: String,
    /// The seed of the run.
    pub seed: u64,
}

/// What a plugin learned, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// What it learned.
    pub model: Model,
    /// What it wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// What a plugin learned from a whole population.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Model {
    /// The plugin's own format.
    pub bytes: Vec<u8>,
    /// What was learned, for people.
    pub summary: Text,
    /// Figures about it.
    pub metrics: Vec<Metric>,
}

/// A figure about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it is.
    pub label: Text,
    /// Its unit for people; may be empty.
    pub unit: Text,
    /// Finite.
    pub value: f64,
}

/// A row that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Which row of the batch, from 0.
    pub row: u32,
    /// A stable code.
    pub code: String,
    /// What is wrong with it.
    pub message: Text,
}
