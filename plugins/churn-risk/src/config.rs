//! What an admin can set.

use serde::Deserialize;
use trellis_mining::learner::Settings;
use trellis_sdk::{PluginError, Result};

/// The configuration; `plugin.toml` says what each setting is for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// What counts as lost.
    #[serde(default = "by_label")]
    pub definition: Definition,
    /// The customer's field that says whether they are lost; for [`Definition::Label`].
    pub target: Option<String>,
    /// Its values that mean lost, compared without regard to case.
    #[serde(default = "lost_values")]
    pub lost_values: Vec<String>,
    /// The customer's fields that the model learns from.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether it learns from the customer's orders, too. It always does where orders say who is lost.
    #[serde(default)]
    pub behaviour: bool,
    /// How many days the outcome is watched; for the definitions by orders.
    #[serde(default = "outcome_days")]
    pub outcome_days: i32,
    /// Who had an order so many days before the watched days was a customer when they began; for [`Definition::Window`].
    #[serde(default = "active_days")]
    pub active_days: i32,
    /// How many usual intervals without an order mean lost.
    #[serde(default = "cycles")]
    pub cycles: f64,
    /// The customer's field with their worth; what they spent where it is left out.
    pub value: Option<String>,
    /// The customer's field with how long they have been one; counted from the first order where it is left out.
    pub tenure: Option<String>,
    /// The customer's field that survival is divided by.
    pub group: Option<String>,
    /// From which percent on the risk is medium.
    #[serde(default = "medium_percent")]
    pub medium_percent: f64,
    /// From which percent on it is high.
    #[serde(default = "high_percent")]
    pub high_percent: f64,
    /// How many percent of the customers are of high value.
    #[serde(default = "high_value_percent")]
    pub high_value_percent: f64,
    /// How many percent are of low value.
    #[serde(default = "low_value_percent")]
    pub low_value_percent: f64,
    /// What it costs to try to retain a customer, in whole units of the base currency.
    pub retention_cost: Option<f64>,
    /// What it brings where the customer would have left, in the same units.
    pub retention_benefit: Option<f64>,
    /// Above which percent of customers who left within a year, by number or by value, the report about reasons warns.
    #[serde(default = "acceptable_churn_percent")]
    pub acceptable_churn_percent: f64,
    /// How the model is learned.
    #[serde(flatten)]
    pub learning: Settings,
}

/// What counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// A field says so: the contract was cancelled or has ended.
    Label,
    /// No order within the days that are watched.
    Window,
    /// No order for several of the customer's own usual intervals.
    Cycle,
}

fn by_label() -> Definition {
    Definition::Label
}

fn lost_values() -> Vec<String> {
    ["yes", "true", "1", "lost", "churned", "cancelled", "former_customer", "是", "流失"]
        .map(ToOwned::to_owned)
        .to_vec()
}

fn outcome_days() -> i32 {
    90
}

fn active_days() -> i32 {
    365
}

fn cycles() -> f64 {
    3.0
}

fn medium_percent() -> f64 {
    30.0
}

fn high_percent() -> f64 {
    60.0
}

fn high_value_percent() -> f64 {
    20.0
}

fn low_value_percent() -> f64 {
    50.0
}

fn acceptable_churn_percent() -> f64 {
    5.0
}

impl Config {
    /// Refuses what the schema cannot: settings that contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        if self.medium_percent >= self.high_percent {
            let (medium, high) = (self.medium_percent, self.high_percent);
            return refuse(
                &format!("`medium_percent` is {medium}; it must be below `high_percent`, which is {high}"),
                &format!("`medium_percent` 为 {medium}；须小于 `high_percent`（{high}）"),
            );
        }
        if self.high_value_percent + self.low_value_percent > 100.0 {
            return refuse(
                "`high_value_percent` and `low_value_percent` are more than 100 together",
                "`high_value_percent` 与 `low_value_percent` 之和超过 100",
            );
        }
        if self.definition == Definition::Label && self.target.is_none() {
            return refuse(
                "`target` is missing; with the definition `label` a field says who is lost",
                "缺少 `target`；按 `label` 定义流失时，须由一个字段标明哪些客户已流失",
            );
        }
        if self.retention_cost.is_some() != self.retention_benefit.is_some() {
            return refuse(
                "`retention_cost` and `retention_benefit` belong together: give both or neither",
                "`retention_cost` 与 `retention_benefit` 须同时填写或同时留空",
            );
        }
        if self.features.is_empty() && !self.uses_orders() {
            return refuse(
                "`features` is empty and `behaviour` is off; the model has nothing to learn from",
                "`features` 为空且 `behaviour` 已关闭；模型无从学习",
            );
        }
        if self.target.as_ref().is_some_and(|target| self.features.contains(target)) {
            return refuse(
                "`features` contains the `target`; a model that knows the outcome learns nothing",
                "`features` 包含了 `target`；模型若已知结果，便学不到任何规律",
            );
        }
        Ok(())
    }

    /// What retaining costs and brings, where an admin said so.
    pub(crate) fn retention(&self) -> Option<(f64, f64)> {
        self.retention_cost.zip(self.retention_benefit)
    }

    /// Whether orders are features.
    pub(crate) fn uses_orders(&self) -> bool {
        self.behaviour || self.definition != Definition::Label
    }

    /// The columns of the chosen fields in a batch.
    pub(crate) fn feature_columns(&self) -> Vec<String> {
        self.features.iter().map(|field| format!("features.{field}")).collect()
    }

    /// Whether a value of the target means lost.
    pub(crate) fn means_lost(&self, value: &str) -> bool {
        self.lost_values.iter().any(|lost| lost.trim().to_lowercase() == value.trim().to_lowercase())
    }
}
