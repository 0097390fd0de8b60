//! A run of a plugin over all customers: describe → gather → fit → evaluate → generation → flip. One run serves the interfaces
//! `segmentation` and `scoring` alike.

mod analyses;
mod careful;
mod causes;
mod context;
mod copied;
mod datasets;
mod day;
mod ending;
mod evaluate;
mod evaluator;
mod explain;
mod follow;
mod gather;
mod inputs;
mod learned;
mod ledger;
mod models;
mod outputs;
mod place;
mod plugin_run;
mod reading;
mod replay;
pub(crate) mod report;
mod results;
mod resume;
mod seen;
mod serving;
mod source;
mod spec;
mod trial;
mod words;

use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::{PluginId, Reason, RecordId};

pub use analyses::{AnalysisInfo, AnalysisRequest, AnalysisResult, AnalysisResultPage};
pub(crate) use analyses::{AnalysisInput, Questions, analyse, ask, check_asked};
pub(crate) use causes::{Causes, PassedOn};
pub(crate) use context::{of as context, of_records as context_of};
pub(crate) use datasets::{Spec, open_all};
pub(crate) use day::today;
pub(crate) use ending::finish_transitions;
pub(crate) use evaluator::{PerInterface, check as check_config, outputs as describe_outputs};
pub(crate) use explain::{explain, score_explain, score_rules};
pub(crate) use follow::{are_behind, follow_all};
pub(crate) use gather::{Gathered, Live, Made, Place, gather};
pub(crate) use inputs::ReadByRuns;
pub(crate) use learned::{FitInput, ShownModels, fit, has_run, start};
pub use learned::{ModelInfo, ModelPage, ShownModel};
pub use ledger::{RunInfo, RunPage};
pub(crate) use ledger::{RunRecord, get as record, is_known, list, results_of};
pub(crate) use plugin_run::{RunInput, run};
pub(crate) use replay::{check as check_replay, replay};
pub(crate) use seen::{Withheld, narrow};
pub(crate) use serving::{serve_again, serve_since};
pub(crate) use source::{OpenedRows, Source};
pub(crate) use spec::{
    check_chosen, check_known_as_of, check_learnable, configured, dataset, granted, granted_to, not_recorded,
    rows_granted, rows_granted_to,
};
pub(crate) use trial::{Recorded, dry_run, evaluate_rows, replay_with, row_in};
pub(crate) use words::{Words, columns as columns_of, of as words_of};

/// What is asked of a run, where it differs from the plugin's settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunRequest {
    /// A configuration for this run only.
    pub config: Option<Json>,
    /// Up to when data counts, for this run only.
    pub as_of: Option<AsOf>,
    /// Which model evaluates.
    pub model: ModelChoice,
    /// Whether to write down what changed for each customer although the model is new. A first run never does.
    pub announce: bool,
}

/// Which model a run evaluates with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelChoice {
    /// The one that is pinned; a new one where none is.
    #[default]
    Usual,
    /// A new one, learned from the data as it is.
    Fit,
    /// The one of the plugin's last run, which has to be of the same configuration.
    Last,
    /// The one of this number, with the configuration that it was learned under.
    Number(u32),
}

/// Why a customer has its value in a segmentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The run whose model was asked.
    pub run: RecordId,
    /// The value; `None` where the customer has none.
    pub value: Option<String>,
    /// At most five, the strongest first.
    pub reasons: Vec<Reason>,
}

/// Why a customer has its value in a score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreExplanation {
    /// Full name of the score.
    pub score: String,
    /// The run whose model was asked.
    pub run: RecordId,
    /// The plugin that gave the value.
    pub plugin: PluginId,
    /// In which version.
    pub version: String,
    /// Up to when data counted.
    pub as_of: AsOf,
    /// The value; `None` where the customer has none.
    pub value: Option<f64>,
    /// The band that the value is in, where the score has bands.
    pub band: Option<String>,
    /// At most five, the strongest first.
    pub reasons: Vec<Reason>,
}
