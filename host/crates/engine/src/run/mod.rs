//! A run of a plugin over all customers: describe → fit → assign → generation → flip.

mod assign;
mod explain;
mod follow;
mod ledger;
mod models;
mod outputs;
mod plugin_run;
mod spec;

use serde_json::Value as Json;
use trellis_columns::AsOf;
use trellis_model::{RecordId, Text};

pub(crate) use explain::explain;
pub(crate) use follow::follow_all;
pub(crate) use plugin_run::{RunInput, finish_transitions, run};

/// What is asked of a run, where it differs from the plugin's settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunRequest {
    /// A configuration for this run only.
    pub config: Option<Json>,
    /// Up to when data counts, for this run only.
    pub as_of: Option<AsOf>,
    /// Which model assigns.
    pub model: ModelChoice,
    /// Whether to write down what changed for each customer although the model is new. A first run never does.
    pub announce: bool,
}

/// Which model a run assigns with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelChoice {
    /// A new one, learned from the data as it is.
    #[default]
    Fit,
    /// The one of the plugin's last run, which has to be of the same version and configuration.
    Last,
}

/// One reason why a customer has a value, as the plugin tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A stable code.
    pub code: String,
    /// The sentence.
    pub text: Text,
    /// How much it weighed.
    pub weight: f64,
}

/// Why a customer has its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The run whose model was asked.
    pub run: RecordId,
    /// The value; `None` where the customer has none.
    pub value: Option<String>,
    /// At most five, the strongest first.
    pub reasons: Vec<Reason>,
}
