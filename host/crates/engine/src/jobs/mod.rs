//! Work that outlives a request: it can be listed, watched, cancelled, and survives a restart.

mod keep;
mod notes;
mod pause;
mod recover;
mod runner;
mod stored;
mod table;

use trellis_model::{Actor, RecordId, Text};

pub(crate) use notes::Notes;
pub(crate) use recover::open_ids;
pub(crate) use runner::{Running, Watch, Work};
pub(crate) use stored::{Request, StoredActor};
pub(crate) use table::Jobs;

/// Work that outlives a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id; ids sort by creation.
    pub id: RecordId,
    /// What kind of work it is.
    pub kind: JobKind,
    /// What it works on: the object of an import, the plugin of a run, the campaign's id.
    pub subject: String,
    /// How it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// When it was asked for, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// When a thread took it up, the last time if it was started again.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub finished_at_ms: Option<i64>,
    /// How often it was taken up.
    pub attempts: u32,
    /// What came out; null until it succeeded. Its form depends on the kind.
    pub result: serde_json::Value,
    /// Why it failed.
    pub error: Option<JobError>,
    /// Who asked for it.
    pub created_by: Actor,
}

/// What kind of work a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Loads a file of records.
    Import,
    /// Runs a plugin over the customers.
    PluginRun,
    /// Does a run again from what it read, to see that the same comes out.
    RunReplay,
    /// Runs a campaign over its audience.
    CampaignRun,
    /// Makes one change to all records that a filter matches.
    BulkEdit,
    /// Builds and deletes indexes of an object.
    SchemaBuild,
    /// Builds the index of full-text search anew.
    SearchRebuild,
    /// Merges records.
    Merge,
    /// Looks for duplicates.
    DuplicateScan,
    /// Takes back what a change, a job, a rule or a plugin did.
    Undo,
    /// Says what an import would do.
    ImportCheck,
    /// Writes records into a file.
    Export,
    /// Learns a model of a plugin.
    PluginFit,
    /// Compares a version of a plugin with what there is, or with another version.
    PluginRehearsal,
    /// Has a plugin answer a question about a whole population.
    PluginAnalysis,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Import,
        Self::PluginRun,
        Self::RunReplay,
        Self::CampaignRun,
        Self::BulkEdit,
        Self::SchemaBuild,
        Self::SearchRebuild,
        Self::Merge,
        Self::DuplicateScan,
        Self::Undo,
        Self::ImportCheck,
        Self::Export,
        Self::PluginFit,
        Self::PluginRehearsal,
        Self::PluginAnalysis,
    ];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::PluginRun => "plugin-run",
            Self::RunReplay => "run-replay",
            Self::CampaignRun => "campaign-run",
            Self::BulkEdit => "bulk-edit",
            Self::SchemaBuild => "schema-build",
            Self::SearchRebuild => "search-rebuild",
            Self::Merge => "merge",
            Self::DuplicateScan => "duplicate-scan",
            Self::Undo => "undo",
            Self::ImportCheck => "import-check",
            Self::Export => "export",
            Self::PluginFit => "plugin-fit",
            Self::PluginRehearsal => "plugin-rehearsal",
            Self::PluginAnalysis => "plugin-analysis",
        }
    }
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum JobState {
    /// It waits for a thread.
    Queued,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// The server stopped while it ran, and it cannot go on by itself.
    Interrupted,
    /// Somebody paused it; it goes on when somebody says so.
    Paused,
}

impl JobState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Paused => "paused",
        }
    }

    /// Whether nothing more happens to the job.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How much is done.
    pub done: u64,
    /// Of how much, where that is known.
    pub total: Option<u64>,
    /// Of what: `rows`, `customers`.
    pub unit: String,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    /// A stable code, as in [`crate::Error::code`].
    pub code: String,
    /// What happened, with the input that it was about.
    pub message: Text,
}

/// A page of jobs, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The last one's id where more follow: the next page comes after it.
    pub next: Option<RecordId>,
}

#[cfg(test)]
mod tests;
