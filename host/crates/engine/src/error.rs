//! What can go wrong in the engine.

mod cannot_run;
mod text;

use std::path::PathBuf;

use trellis_model::{PluginId, RecordId, Text};

/// What can go wrong in the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such job.
    #[error("there is no job {id}")]
    UnknownJob {
        /// The id that was asked for.
        id: RecordId,
    },
    /// There is no such prepared import.
    #[error("there is no import {id}")]
    UnknownImport {
        /// The id that was asked for.
        id: RecordId,
    },
    /// There is no such plugin.
    #[error("there is no plugin `{id}`")]
    UnknownPlugin {
        /// The id that was asked for.
        id: String,
    },
    /// The plugin has no such version.
    #[error("plugin `{plugin}` is not installed in version {version}")]
    UnknownVersion {
        /// Which plugin.
        plugin: PluginId,
        /// The version that was asked for.
        version: String,
    },
    /// The plugin has no such run.
    #[error("plugin `{plugin}` has no run {run}")]
    UnknownRun {
        /// Which plugin.
        plugin: PluginId,
        /// The id that was asked for.
        run: RecordId,
    },
    /// There is no such decision.
    #[error("there is no decision {id}")]
    UnknownDecision {
        /// The id that was asked for.
        id: RecordId,
    },
    /// The plugin does not suggest that now.
    #[error("plugin `{plugin}` does not suggest `{name}` for `{record}` now")]
    UnknownSuggestion {
        /// Which plugin.
        plugin: PluginId,
        /// The name that was asked for.
        name: String,
        /// The record.
        record: RecordId,
    },
    /// What a run or a decision saw is not kept any more.
    #[error("inputs of {run} are gone: {}", reason.en)]
    InputsExpired {
        /// The run or decision.
        run: RecordId,
        /// Why.
        reason: Text,
    },
    /// There is no such segmentation or score, or it is not a plugin's, or it was never run.
    #[error("`{name}` {}", reason.en)]
    NoExplanation {
        /// The segmentation or score.
        name: String,
        /// Why there is nothing to explain.
        reason: Text,
    },
    /// A segmentation that a filter makes cannot be as it is wanted.
    #[error("{field}: {}", reason.en)]
    InvalidSegmentation {
        /// What of it: `name`, `object`, `label` or `filter`.
        field: &'static str,
        /// Why.
        reason: Text,
    },
    /// A segmentation is named by others, so it is not removed.
    #[error("segmentation `{name}` is named by {}", listed(uses))]
    SegmentationInUse {
        /// The segmentation.
        name: String,
        /// By what.
        uses: Vec<crate::SegmentationUse>,
    },
    /// The version is there with other content.
    #[error(
        "plugin `{plugin}` {version} is installed with other content (digest {installed}, this file {uploaded}): raise `version` in plugin.toml"
    )]
    VersionExists {
        /// Which plugin.
        plugin: PluginId,
        /// Which version.
        version: String,
        /// Digest of what is installed.
        installed: String,
        /// Digest of the file.
        uploaded: String,
    },
    /// The plugin is not enabled.
    #[error("plugin `{plugin}` is {state}: enable it first")]
    NotEnabled {
        /// Which plugin.
        plugin: PluginId,
        /// How it stands.
        state: &'static str,
    },
    /// The plugin's file is missing, damaged or does not load.
    #[error("plugin `{plugin}` {version} is broken: {reason}")]
    Broken {
        /// Which plugin.
        plugin: PluginId,
        /// Which version.
        version: String,
        /// Why.
        reason: String,
    },
    /// The settings of a use do not fit the plugin's manifest.
    #[error("settings of plugin `{plugin}`: {}", reason.en)]
    InvalidSettings {
        /// Which plugin.
        plugin: PluginId,
        /// The setting and what is wrong with it.
        reason: Text,
    },
    /// The plugin cannot be run over customers, or wants data that this host does not have.
    #[error("plugin `{plugin}` cannot be run: {}", reason.en)]
    CannotRun {
        /// Which plugin.
        plugin: PluginId,
        /// Why.
        reason: Text,
    },
    /// Another version of the plugin took over while a run of it was under way.
    #[error(
        "plugin `{plugin}` is used in version {serving} by now: the results of version {version} are dropped"
    )]
    Superseded {
        /// Which plugin.
        plugin: PluginId,
        /// The version that was run.
        version: String,
        /// The version in use.
        serving: String,
    },
    /// A version asks for more than its plugin was granted so far.
    #[error("plugin `{plugin}` {version} asks for more than was granted: {}; say in `grants` what holds", requests.iter().map(|request| format!("`{}`", request.grant)).collect::<Vec<_>>().join(", "))]
    GrantsNeeded {
        /// Which plugin.
        plugin: PluginId,
        /// Which version of it.
        version: String,
        /// What was not granted yet.
        requests: Vec<trellis_plugin_host::Request>,
    },
    /// The plugin's own tests fail on this host.
    #[error("{failed} of {tests} tests of plugin `{plugin}` {version} fail; the first: {first}")]
    SelfTestsFailed {
        /// Which plugin.
        plugin: PluginId,
        /// Which version of it.
        version: String,
        /// How many fail.
        failed: usize,
        /// How many there are.
        tests: usize,
        /// Name of the first that fails, and how.
        first: String,
    },
    /// What a plugin brings cannot be read.
    #[error("plugin `{plugin}` brings something that cannot be used: {reason}")]
    InvalidPack {
        /// Which plugin.
        plugin: PluginId,
        /// What, and why.
        reason: String,
    },
    /// There is no earlier use of the plugin to go back to.
    #[error("plugin `{plugin}` cannot be rolled back: {reason}")]
    NothingEarlier {
        /// Which plugin.
        plugin: PluginId,
        /// Why.
        reason: String,
    },
    /// What is to be removed is used.
    #[error("{what} cannot be removed: {reason}")]
    InUse {
        /// The plugin, or which version of it.
        what: String,
        /// What uses it, and what to do.
        reason: String,
    },
    /// No version is evaluated beside the one in use.
    #[error("plugin `{plugin}` has no shadow: start one first")]
    NoShadow {
        /// Which plugin.
        plugin: PluginId,
    },
    /// What a shadow came to is over the limits of a promotion, or too little.
    #[error("plugin `{plugin}` {version} is not promoted: {}", joined(against))]
    PromotionRefused {
        /// Which plugin.
        plugin: PluginId,
        /// The shadow's version.
        version: String,
        /// Every reason against it.
        against: Vec<Text>,
        /// What the shadow came to.
        figures: Box<serde_json::Value>,
    },
    /// The plugin is being run already.
    #[error("plugin `{plugin}` is being run by job {job}: wait for it or cancel it")]
    Busy {
        /// Which plugin.
        plugin: PluginId,
        /// The job that runs it.
        job: RecordId,
    },
    /// The plugin never learned such a model.
    #[error("plugin `{plugin}` has no model {model}")]
    UnknownModel {
        /// Which plugin.
        plugin: PluginId,
        /// The number that was asked for.
        model: u32,
    },
    /// The plugin has no current results, so that no model is in use.
    #[error("plugin `{plugin}` has no model in use: run it first")]
    NoModel {
        /// Which plugin.
        plugin: PluginId,
    },
    /// The plugin does not answer such a question.
    #[error("plugin `{plugin}` has no analysis `{analysis}`")]
    UnknownAnalysis {
        /// Which plugin.
        plugin: PluginId,
        /// The name that was asked for.
        analysis: String,
    },
    /// There is no such answer, or it is no longer kept.
    #[error(
        "analysis `{analysis}` of plugin `{plugin}` has no result {result} (`engine.analysis_results_max`)"
    )]
    UnknownAnalysisResult {
        /// Which plugin.
        plugin: PluginId,
        /// Which question.
        analysis: String,
        /// The id that was asked for.
        result: RecordId,
    },
    /// What is said with a question does not fit its schema.
    #[error("parameters of analysis `{analysis}` of plugin `{plugin}`: {}", problems.iter().map(|(name, reason)| text::problem(name, &reason.en)).collect::<Vec<_>>().join("; "))]
    InvalidParameters {
        /// Which plugin.
        plugin: PluginId,
        /// Which question.
        analysis: String,
        /// Each parameter (empty for all of them) and what is wrong with it.
        problems: Vec<(String, Text)>,
    },
    /// An answer is larger than what is kept.
    #[error("plugin `{plugin}` answered `{analysis}` with {bytes} bytes, {limit}")]
    AnswerTooLarge {
        /// Which plugin.
        plugin: PluginId,
        /// Which question.
        analysis: String,
        /// How many bytes it has.
        bytes: usize,
        /// What it is over.
        limit: AnswerLimit,
    },
    /// The rows that a question or a fit reads could not be copied to disk, so that two passes might give different ones.
    #[error("dataset `{dataset}` of plugin `{plugin}` cannot be read: {}", reason.en)]
    NotCopied {
        /// Which plugin.
        plugin: PluginId,
        /// Which of its datasets.
        dataset: String,
        /// Why.
        reason: Text,
    },
    /// A model is known, but its bytes are not kept any more.
    #[error(
        "model {model} of plugin `{plugin}` is no longer kept (`engine.models_kept_per_plugin`): fit a new one"
    )]
    ModelExpired {
        /// Which plugin.
        plugin: PluginId,
        /// Which model.
        model: u32,
    },
    /// A run is wanted with another model than the one that is pinned.
    #[error("runs of plugin `{plugin}` use model {model}, which is pinned: unpin it first")]
    ModelPinned {
        /// Which plugin.
        plugin: PluginId,
        /// The pinned model.
        model: u32,
    },
    /// A version of a plugin does not read a model that another version learned.
    #[error(
        "plugin `{plugin}` {version} does not read {}, which it says is unreadable ({reason}): fit a new model, or use the version that learned it",
        .model.map_or_else(|| "the last model".to_owned(), |model| format!("model {model}"))
    )]
    ModelIncompatible {
        /// Which plugin.
        plugin: PluginId,
        /// In which version.
        version: String,
        /// Which model; `None` where it has no number.
        model: Option<u32>,
        /// What the plugin says.
        reason: String,
    },
    /// Too many jobs wait.
    #[error("{waiting} jobs wait already, at most {waiting_max} may (`engine.jobs_queued_max`)")]
    QueueFull {
        /// How many wait.
        waiting: usize,
        /// The limit.
        waiting_max: usize,
    },
    /// A request is not usable as it is.
    #[error("{reason}")]
    InvalidRequest {
        /// What is wrong with which part of it.
        reason: String,
    },
    /// The job has not ended, so what it does cannot be taken back yet.
    #[error("job {id} has not ended: wait for it or cancel it")]
    JobNotEnded {
        /// Which job.
        id: RecordId,
    },
    /// The job was cancelled.
    #[error("the job was cancelled")]
    Cancelled,
    /// The server is going down.
    #[error("the server is stopping")]
    Stopping,
    /// A thread of the engine ended unexpectedly. A bug of the host, not of a plugin.
    #[error("internal failure while {doing}: {reason}")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// What is known.
        reason: String,
    },
    /// What is stored cannot be trusted.
    #[error("stored data is damaged: {what}")]
    Damaged {
        /// What, and how it was found.
        what: String,
    },
    /// A file of the engine cannot be used.
    #[error("{doing} `{path}`")]
    File {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A plugin was refused, failed, or says that it cannot answer. The message names it and its version.
    #[error(transparent)]
    Plugin(#[from] trellis_plugin_host::Error),
    /// Records cannot be read or written.
    #[error(transparent)]
    Records(#[from] trellis_records::Error),
    /// A file cannot be imported as a whole: its mapping or header is wrong.
    #[error(transparent)]
    Import(#[from] trellis_transfer::import::Error),
    /// Records cannot be exported as somebody wants.
    #[error(transparent)]
    Export(#[from] trellis_transfer::export::Error),
    /// Columns cannot be read or written.
    #[error(transparent)]
    Columns(#[from] trellis_columns::Error),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] trellis_storage::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A stable code; `host/docs/errors/` has a page for each.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownJob { .. }
            | Self::UnknownImport { .. }
            | Self::UnknownPlugin { .. }
            | Self::UnknownVersion { .. }
            | Self::UnknownRun { .. }
            | Self::UnknownDecision { .. }
            | Self::UnknownModel { .. }
            | Self::NoModel { .. }
            | Self::UnknownAnalysis { .. }
            | Self::UnknownAnalysisResult { .. }
            | Self::UnknownSuggestion { .. } => "not_found",
            Self::InputsExpired { .. } => "inputs_expired",
            Self::NoExplanation { .. } => "no_explanation",
            Self::InvalidSegmentation { .. } => "validation_error",
            Self::SegmentationInUse { .. } => "conflict",
            Self::VersionExists { .. } => "plugin_version_exists",
            Self::NotEnabled { .. } => "plugin_not_enabled",
            Self::Broken { .. } => "plugin_broken",
            Self::InvalidSettings { .. } => "plugin_settings_invalid",
            Self::CannotRun { .. } => "plugin_cannot_run",
            Self::Superseded { .. } => "plugin_superseded",
            Self::GrantsNeeded { .. } => "plugin_grants_needed",
            Self::SelfTestsFailed { .. } => "plugin_tests_failed",
            Self::InvalidPack { .. } => "plugin_refused",
            Self::NothingEarlier { .. } => "conflict",
            Self::InUse { .. } => "plugin_in_use",
            Self::NoShadow { .. } => "not_found",
            Self::PromotionRefused { .. } => "promotion_refused",
            Self::Busy { .. } => "plugin_busy",
            Self::ModelExpired { .. } => "model_expired",
            Self::ModelPinned { .. } => "model_pinned",
            Self::ModelIncompatible { .. } => "model_incompatible",
            Self::QueueFull { .. } => "too_many_jobs",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::InvalidParameters { .. } => "validation_error",
            Self::AnswerTooLarge { .. } | Self::NotCopied { .. } => "plugin_cannot_run",
            Self::JobNotEnded { .. } => "conflict",
            Self::Cancelled => "cancelled",
            Self::Stopping => "stopping",
            Self::Internal { .. } => "internal",
            Self::Damaged { .. } => "damaged",
            Self::File { .. } => "file",
            Self::Plugin(error) => plugin_code(error),
            Self::Records(error) => error.code(),
            Self::Import(error) => error.code(),
            Self::Export(error) => error.code(),
            Self::Columns(error) => error.code(),
            Self::Storage(_) => "storage",
        }
    }
}

/// Uses of a segmentation in words that are the same in both languages.
fn listed(uses: &[crate::SegmentationUse]) -> String {
    let shown = uses.iter().take(5).map(|of| format!("{} `{}`", of.object, of.name));
    let more = (uses.len() > 5).then(|| "…".to_owned());
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

/// What an answer may be too large for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerLimit {
    /// The store: `engine.analysis_result_bytes_max`.
    #[error("at most {bytes_max} are kept (`engine.analysis_result_bytes_max`)")]
    Packed {
        /// The limit.
        bytes_max: usize,
    },
    /// Whoever reads it: it is unpacked whole.
    #[error("at most {bytes_max} before it is packed")]
    Unpacked {
        /// The limit.
        bytes_max: usize,
    },
}

fn joined(reasons: &[Text]) -> String {
    reasons.iter().map(|reason| reason.en.as_str()).collect::<Vec<_>>().join("; ")
}

fn plugin_code(error: &trellis_plugin_host::Error) -> &'static str {
    use trellis_plugin_host::Error as E;
    match error {
        E::Fault(_) => "plugin_fault",
        E::Plugin { .. } => "plugin_error",
        E::Cancelled { .. } => "cancelled",
        E::Busy { .. } => "plugin_busy",
        E::Unavailable { .. } => "plugin_unavailable",
        E::RowStream { .. } => "internal",
        _ => "plugin_refused",
    }
}
