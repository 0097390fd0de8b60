//! What plugins learned: every model that a plugin ever fitted has a number and stays known; the bytes of the last ones are kept. Runs and
//! what follows them use one of them, and an admin says which: see [`crate::ModelChoice`].

mod api;
mod choose;
mod fit;
mod keep;
mod show;
mod stored;

use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::{Actor, PluginId, RecordId};

pub(crate) use api::{has_run, start};
pub(super) use choose::{ModelSource, explained, usable};
pub(crate) use fit::{FitInput, fit};
pub(super) use fit::{Subject, keep_model};
pub(super) use keep::prune;
pub use show::ShownModel;
pub(crate) use show::ShownModels;
pub(super) use stored::last;

/// A model that a plugin learned.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Its number; a plugin's models are numbered from 1 and no number is used again.
    pub number: u32,
    /// The plugin that learned it.
    pub plugin: PluginId,
    /// In which version.
    pub version: String,
    /// BLAKE3 digest of the component that learned it, in hex.
    pub digest: String,
    /// The configuration under which it was learned; its results are described under it too.
    pub config: Json,
    /// Up to when data counted.
    pub as_of: AsOf,
    /// The log entry up to which changes were in the data.
    pub log_number: u64,
    /// The customers that it was learned from.
    pub customers: u64,
    /// For each interface what the plugin says about it in both languages (`summary`), its figures (`metrics`), `bytes` and `digest`.
    pub about: Json,
    /// Bytes of all of it.
    pub bytes: u64,
    /// When it was learned, in milliseconds since 1970-01-01T00:00:00Z.
    pub learned_at_ms: i64,
    /// By whom.
    pub learned_by: Actor,
    /// The job that learned it: a run, or a fit of its own.
    pub job: RecordId,
    /// Whether its bytes are still kept, so that it can be used.
    pub kept: bool,
    /// Whether runs are to use it.
    pub pinned: bool,
    /// Whether the current results are its.
    pub in_use: bool,
}

/// A page of models, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelPage {
    /// The models.
    pub models: Vec<ModelInfo>,
    /// The last one's number where more follow: the next page comes after it.
    pub next: Option<u32>,
}
