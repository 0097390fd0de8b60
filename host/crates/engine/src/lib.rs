//! What the host does beside requests: jobs, installed plugins and their use, runs of plugins, imports, the reader that keeps
//! columns and results up with the log, rules and hooks before saves, reactions after them, and the ledger of what was decided.
//!
//! A plugin or rule decides; this crate says what it gets to see, stores what it answers (a run's as a new generation of columns, which
//! it then flips to), and carries out what was granted. Nothing here serves HTTP, and nothing here edits a record except through `trellis_records`.
//!
//! ```
//! use trellis_engine::{JobState, RunRequest, UseSettings};
//! use trellis_columns::AsOf;
//! let settings = UseSettings { as_of: AsOf::Date("1997-09-30".parse()?), ..UseSettings::default() };
//! assert!(settings.config.is_null(), "the manifest's defaults");
//! assert!(RunRequest::default().as_of.is_none(), "that of the settings");
//! assert!(JobState::Failed.is_final());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod actions;
mod as_of;
mod attachments;
mod background;
mod blocking;
mod bulk;
mod campaign;
mod capsule;
mod comments;
mod compare;
mod config;
mod core;
mod decide;
mod decisions;
mod duplicates;
mod engine;
mod error;
mod expiry;
mod export;
mod formulas;
mod hooks;
mod import;
mod imports;
mod jobs;
mod keys;
mod lifecycle;
mod lookups;
mod merge;
mod plugins;
mod react;
mod reader;
mod rules;
mod run;
mod schedules;
mod schema_build;
mod search;
mod segments;
mod stored;
mod suggest;
mod supervision;
mod timers;
mod transforms;
mod undo;
mod view;
mod work;

pub use attachments::{AttachmentContent, Upload};
pub use bulk::BulkChange;
pub use campaign::{CampaignEvaluation, Eligibility, SegmentCampaign, TakenSegment};
pub use compare::{CompareLimits, DryRunRequest, ReplayWith, ShadowRequest};
pub use config::Config;
pub use decisions::{
    ActionOutcome, ActionState, Decision, DecisionKind, DecisionPage, DecisionQuery, Replay,
};
pub use engine::Engine;
pub use error::{Error, Result};
pub use export::ExportRequest;
pub use formulas::RuleFormulas;
pub use imports::{ImportChange, ImportSession, ImportState, PreparedRow};
pub use jobs::{Job, JobError, JobKind, JobPage, JobState, Progress};
pub use lifecycle::{
    NamesDiff, PackPart, PackProblem, Removed, Review, ReviewDiff, ReviewedHook, ReviewedName,
    ReviewedOutput, ReviewedRequest, ReviewedSchedule, ShippedRule, ShippedRuleState, SwitchOptions,
    Switched, UpgradeRequest, check_pack,
};
pub use plugins::{
    OnQuarantine, PluginInfo, PluginState, SwitchInfo, SwitchKind, UseSettings, VersionInfo, VersionUse,
};
pub use rules::{BrokenRule, RuleDraft, RuleProblem, RuleTarget, RuleTest};
pub use run::{
    AnalysisInfo, AnalysisRequest, AnalysisResult, AnalysisResultPage, Explanation, ModelChoice, ModelInfo,
    ModelPage, RunInfo, RunPage, RunRequest, ScoreExplanation, ShownModel,
};
pub use schedules::{LastScheduled, ScheduleInfo, ScheduledOutcome, UseSchedule};
pub use segments::{FilterSegmentation, SegmentationUse};
pub use suggest::PluginSuggestion;
pub use trellis_model::Reason;
pub use trellis_plugin_host::manifest::{Absence, AbsentPolicy, AbsentUse, Cron, Schedule, ScheduledModel};
pub use trellis_plugin_host::{
    Chart, ClassLimits, Drawing, LearnedBy, Metric, Panel, PanelColumn, Report, Request,
};
pub use trellis_plugin_host::{
    FunctionMetrics, Health, HealthState, LastFault, LogLevel, LogLine, LoggedLine, PluginMetrics, PoisonRow,
    RowKey,
};
pub use trellis_plugin_host::{WASMTIME_VERSION, WitRange, supported_wit};
pub use trellis_plugin_kit::golden::Limits as GoldenLimits;
pub use trellis_rules::{Limits as RuleLimits, RuleVeto, Trigger};
pub use undo::{ResultUndo, ResultUndoState, UndoOrder, UndoPreview};
pub use view::View;
