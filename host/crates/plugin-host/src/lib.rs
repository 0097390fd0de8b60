//! Runs plugins: WebAssembly components behind the interfaces of `wit/`.
//!
//! A plugin is a function. It is loaded once ([`PluginHost::load`]: size, manifest, imports and exports are checked before anything is
//! compiled), and every call gets a store and an instance of its own, limits by class ([`Limits`]), and a check of what it
//! returns. Whatever a plugin does ends in a value or in an [`Error`] that names the plugin and its version.
//!
//! All functions block and are called from worker threads. The crate knows no records, no storage and no HTTP: rows come in as
//! [`trellis_model::Batch`], decisions go out. It never loads compiled code that it did not write itself.
//!
//! ```
//! use trellis_plugin_host::{Config, Error, PluginHost};
//! let host = PluginHost::new(Config::default())?;
//! let refused = host.load(b"\0asm\x01\0\0\0").unwrap_err();
//! assert!(matches!(refused, Error::NotAComponent { .. }), "a core module is no component: {refused}");
//! # Ok::<(), Error>(())
//! ```
#![warn(missing_docs)]

mod answers;
mod bisect;
mod cache;
mod call;
mod calm;
mod carried;
mod check;
mod compile;
mod component;
mod config;
mod convert;
mod engines;
mod error;
mod failure;
mod health;
mod host;
mod interfaces;
mod join;
mod limits;
pub mod manifest;
mod permits;
mod plain;
mod plugin;
mod report;
mod report_json;
mod run;
mod trap;
mod used;

pub use answers::{CallContext, Fitted, Metric, Model, RowError};
pub use call::{CallStats, CancelFlag, LogLevel, LogLine};
pub use calm::yield_to_others;
pub use carried::{CARRIED_BYTES_MAX, Carried};
pub use compile::compile_child;
pub use component::{Digest, Inspection, inspect, read_manifest};
pub use config::{Compiler, Config};
pub use error::{Error, Fault, FaultKind, PluginError, PluginVersion, Result};
pub use health::{
    Clock, FunctionMetrics, Health, HealthChange, HealthListener, HealthState, LastFault, LoggedLine,
    PluginMetrics, PoisonRow, Quarantine, RowKey, Supervision,
};
pub use host::{HostStats, PluginHost};
pub use interfaces::analysis::{Analysed, Analysis, AnalysisDescription};
pub use interfaces::campaign_rules::{
    CampaignRules, Eligible, Evaluation, NextActions, RowActions, Variants,
};
pub use interfaces::model_report::{LearnedBy, ModelReport};
pub use interfaces::record_hook::{HookChange, RecordHook, Refusal, Verdict};
pub use interfaces::row_streams::{ColumnDescription, RowStream};
pub use interfaces::scoring::{Band, ScoreDescription, Scored, ScoredColumn, Scoring};
pub use interfaces::segmentation::{
    Assigned, AssignedColumn, SegmentValue, Segmentation, SegmentationDescription,
};
pub use interfaces::service_workflow::{
    Decided, Occurrence, Requirement, ServiceWorkflow, Suggestion, WorkItem,
};
pub use interfaces::versions::{SUPPORTED_WIT, WASMTIME_VERSION, WitRange, supported_wit};
pub use limits::{ClassLimits, LimitClass, Limits};
pub use manifest::{Manifest, Request};
pub use plugin::Plugin;
pub use report::{Chart, Drawing, Panel, PanelColumn, Report};
pub use trellis_model::Reason;
pub use used::Used;
