//! The supervision of plugins: what each version's calls came to, and whether it is called at all.
//!
//! Every call of a plugin passes [`Ward::admit`] before it runs and [`Pass`] after it; there is no other way to a guest. A ward belongs to
//! the digest of a component and outlives the loaded plugin, so that loading it again makes nobody forget.

mod metrics;
mod state;
mod supervision;
mod ward;
mod wards;

use trellis_model::Text;

pub use metrics::{FunctionMetrics, LastFault};
pub use state::HealthState;
pub use supervision::Supervision;
pub(crate) use ward::{Found, Pass, Ward};
pub(crate) use wards::Wards;
pub use wards::{Clock, HealthChange, HealthListener, Quarantine};

use crate::{Digest, LogLine, PluginVersion};

/// How a version of a plugin stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which version.
    pub plugin: PluginVersion,
    /// Names its content.
    pub digest: Digest,
    /// Whether it is called.
    pub state: HealthState,
    /// Strikes that count now.
    pub strikes: u32,
    /// What it did wrong last, if it did since the start of the server.
    pub last_fault: Option<LastFault>,
}

/// A row that a plugin cannot take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoisonRow {
    /// The function that failed on it: `assign`.
    pub function: &'static str,
    /// Which row.
    pub row: RowKey,
    /// When it was found, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// What happens on it.
    pub reason: Text,
}

/// Names a row beyond its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// The customer or record of this ordinal of the dataset's object.
    Ordinal(u64),
    /// The record of this id.
    Record(trellis_model::RecordId),
}

/// A line that a version wrote, with when and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedLine {
    /// When its call ended, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// Which function wrote it.
    pub function: &'static str,
    /// The line.
    pub line: LogLine,
}

/// What a version did since the start of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginMetrics {
    /// Figures by function, such as `segmentation.assign`.
    pub functions: std::collections::BTreeMap<String, FunctionMetrics>,
    /// How it stands.
    pub health: Health,
    /// Strikes since the start, those included that do not count any more.
    pub strikes_total: u64,
    /// Calls that were not made because it backed off or was quarantined.
    pub refused: u64,
    /// Poison rows that were found since the start.
    pub poison_rows: u64,
    /// Log lines that were kept and then let go because there were too many.
    pub log_lines_dropped: u64,
}
