//! What an admin can set.

use serde::Deserialize;
use trellis_mining::learner::Settings;
use trellis_sdk::{PluginError, Result};

/// The configuration; `plugin.toml` says what each setting is for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// The customer's field that says whether they responded.
    pub target: Option<String>,
    /// Its values that mean a response, compared without regard to case.
    #[serde(default = "response_values")]
    pub response_values: Vec<String>,
    /// The customer's fields that the model learns from.
    #[serde(default)]
    pub features: Vec<String>,
    /// What it costs to contact a customer, in whole units of the base currency.
    #[serde(default = "contact_cost")]
    pub contact_cost: f64,
    /// What a response brings, in the same units.
    #[serde(default = "response_value")]
    pub response_value: f64,
    /// How many percent of the customers are the easy ones.
    #[serde(default = "easy_percent")]
    pub easy_percent: f64,
    /// How many percent are the hard ones.
    #[serde(default = "hard_percent")]
    pub hard_percent: f64,
    /// How the model is learned.
    #[serde(flatten)]
    pub learning: Settings,
}

fn response_values() -> Vec<String> {
    ["yes", "true", "1", "responded", "accepted", "bought", "是", "响应"].map(ToOwned::to_owned).to_vec()
}

fn contact_cost() -> f64 {
    1.0
}

fn response_value() -> f64 {
    10.0
}

fn easy_percent() -> f64 {
    20.0
}

fn hard_percent() -> f64 {
    50.0
}

impl Config {
    /// Refuses what the schema cannot: settings that contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        let Some(target) = &self.target else {
            return refuse(
                "`target` is missing; a field has to say who responded",
                "缺少 `target`；须由一个字段标明哪些客户有响应",
            );
        };
        if self.features.is_empty() {
            return refuse(
                "`features` is empty; the model has nothing to learn from",
                "`features` 为空；模型无从学习",
            );
        }
        if self.features.contains(target) {
            return refuse(
                "`features` contains the `target`; a model that knows the outcome learns nothing",
                "`features` 包含了 `target`；模型若已知结果，便学不到任何规律",
            );
        }
        if self.easy_percent + self.hard_percent > 100.0 {
            return refuse(
                "`easy_percent` and `hard_percent` are more than 100 together",
                "`easy_percent` 与 `hard_percent` 之和超过 100",
            );
        }
        Ok(())
    }

    /// The columns of the chosen fields in a batch.
    pub(crate) fn feature_columns(&self) -> Vec<String> {
        self.features.iter().map(|field| format!("features.{field}")).collect()
    }

    /// Whether a value of the target means a response.
    pub(crate) fn means_response(&self, value: &str) -> bool {
        self.response_values.iter().any(|known| known.trim().to_lowercase() == value.trim().to_lowercase())
    }
}
