//! Write Trellis plugins in Rust.
//!
//! A plugin is a function: data in, decisions out. It has no clock, no randomness, no network and no store; what it may know
//! comes as an argument. A whole one:
//!
//! ```
//! use trellis_sdk::{Assignments, Batch, Context, NoConfig, Result, Segmentation, SegmentationDescription, described, export_segmentation};
//!
//! struct Spenders;
//!
//! impl Segmentation for Spenders {
//!     type Config = NoConfig;
//!
//!     fn describe(_: &NoConfig) -> Result<Vec<SegmentationDescription>> {
//!         Ok(vec![described("tier", "Tier", "等级").value("big", "Big", "大客户").value("small", "Small", "小客户")])
//!     }
//!
//!     fn assign(_: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
//!         let mut assignments = Assignments::default();
//!         let spent = rows.money("spent")?.minor_units();
//!         assignments.push("tier", ["big", "small"], spent.iter().map(|cents| u32::from(cents < Some(100_000))).collect());
//!         Ok(assignments)
//!     }
//! }
//!
//! export_segmentation!(Spenders);
//! ```
//!
//! Six more kinds of plugin have a trait of their own, each with a whole example: [`Scoring`] gives customers numbers, [`CampaignRules`] decides who
//! takes part in a campaign and what happens next, [`ServiceWorkflow`] guides the work on cases, [`RecordHook`] checks records before
//! they are saved, [`Analysis`] answers questions about a whole population, [`ModelReport`] shows what a [`Segmentation`] or a
//! [`Scoring`] learned. One crate may export several; they get the same configuration, so they share
//! one type of it.
//!
//! With a `plugin.toml` beside its `Cargo.toml` (`crate-type = ["cdylib", "rlib"]`), `trellis plugin build` makes a component of it.
//!
//! The traits take types of this crate, not handles of the host, so that a plugin's tests run natively: see [`testing`].
//! Use [`math`] instead of the methods of `f64` for anything beyond the four operations and the square root, and [`Rng`] for random numbers:
//! then a native test and the component give the same bytes.
//!
//! This crate deliberately gives no access to time, files, threads or the network; there is nothing behind such calls.

#![warn(missing_docs)]

extern crate self as trellis_sdk;

mod actions;
pub mod analysis;
mod assignments;
mod batch;
pub mod bindings;
mod campaign_answers;
pub mod campaign_rules;
mod config;
mod decisions;
mod describing;
mod error;
mod fields;
pub mod log;
pub mod lookups;
mod model;
pub mod model_report;
mod money;
mod random;
pub mod record_hook;
mod report;
mod scores;
pub mod scoring;
pub mod segmentation;
pub mod service_workflow;
mod stamp;
mod stream;
pub mod testing;
pub mod values;
mod variants;
mod writing;

pub use actions::{
    Action, CancelTimer, CreateRecord, CreateTask, SendMessage, SetFields, StartTimer, cancel_timer,
    create_record, message, set_fields, start_timer, task,
};
pub use analysis::{Analysis, AnalysisDescription, analysis};
pub use assignments::{Assignments, NO_VALUE};
pub use batch::Batch;
pub use bindings::shared::trellis::plugin::host_log::Level;
pub use bindings::shared::trellis::plugin::types::{Context, LocalizedText, Metric, Model, Reason, RowError};
pub use campaign_answers::{Eligibilities, Variants};
pub use campaign_rules::CampaignRules;
pub use config::{NoConfig, parse_config, parse_parameters};
pub use decisions::{Decision, Requirement, RowActions, Suggestion, requirement, suggestion};
pub use describing::{described, localized, metric, reason};
pub use error::{PluginError, Result};
pub use fields::{FieldValue, Fields, ObjectRecord, Value};
pub use model::{ModelReader, ModelWriter};
pub use model_report::{LearnedBy, ModelReport};
pub use money::{decimal_places, format_money};
pub use random::Rng;
pub use record_hook::{Change, RecordHook, Refusal, Verdict};
pub use report::{Chart, Drawing, Graph, Matrix, Panel, PanelColumn, Report, Tree, panel, report};
pub use scores::{Band, ScoreDescription, Scores, scored};
pub use scoring::Scoring;
pub use segmentation::{SegmentValue, Segmentation, SegmentationDescription};
pub use service_workflow::{Occurrence, ServiceWorkflow, WorkItem};
pub use stream::{ColumnDescription, RowStream};
pub use variants::{stable_hash, weighted};

/// Mathematical functions that give the same bits natively and in a component.
pub use libm as math;
/// For `#[derive(Deserialize)]` on a configuration: add `#[serde(crate = "trellis_sdk::serde")]`.
pub use serde;
/// Writes JSON, for the filters of [`lookups`].
pub use serde_json::json;
#[doc(hidden)]
pub use stamp::STAMP;
#[doc(hidden)]
pub use wit_bindgen;
