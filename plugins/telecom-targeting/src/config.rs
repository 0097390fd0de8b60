//! What an admin can set.

use serde::Deserialize;
use trellis_mining::learner::{Choice, Settings, SplitRule};
use trellis_sdk::{PluginError, Result};

/// The configuration; `plugin.toml` says what each setting is for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// The customer's field that says whether they use the service.
    #[serde(default = "target")]
    pub target: String,
    /// Its values that mean a user, compared without regard to case.
    #[serde(default = "user_values")]
    pub user_values: Vec<String>,
    /// The customer's field with how much they use it; none leaves the second tree out.
    #[serde(default = "usage")]
    pub usage: Option<String>,
    /// The customer's fields that the trees ask about.
    #[serde(default = "features")]
    pub features: Vec<String>,
    /// From which percent on the groups of those who do not use it begin, descending.
    #[serde(default = "groups")]
    pub groups: Vec<f64>,
    /// How many questions lie above a leaf at most.
    #[serde(default = "max_depth")]
    pub max_depth: usize,
    /// How many customers a leaf has at least.
    #[serde(default = "min_leaf")]
    pub min_leaf: usize,
    /// A question stays if each leaf that it adds brings at least so many percent of the whole gain.
    #[serde(default = "prune_percent")]
    pub prune_percent: f64,
    /// How many percent of the customers are held out to see how good the tree is.
    #[serde(default = "holdout_percent")]
    pub holdout_percent: f64,
}

fn field(name: &str) -> String {
    format!("telecom_targeting__{name}")
}

fn target() -> String {
    field("uses_service")
}

fn usage() -> Option<String> {
    Some(field("call_minutes"))
}

fn features() -> Vec<String> {
    ["age", "occupation", "income", "marital_status", "monthly_bill", "industry", "uses_mp3"]
        .map(field)
        .to_vec()
}

fn user_values() -> Vec<String> {
    ["yes", "true", "1", "uses", "是", "使用"].map(ToOwned::to_owned).to_vec()
}

fn groups() -> Vec<f64> {
    vec![95.0, 80.0, 50.0, 20.0, 5.0]
}

fn max_depth() -> usize {
    7
}

fn min_leaf() -> usize {
    20
}

fn prune_percent() -> f64 {
    0.5
}

fn holdout_percent() -> f64 {
    20.0
}

impl Config {
    /// Refuses what the schema cannot: settings that contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        if self.features.is_empty() {
            return refuse(
                "`features` is empty; the tree has nothing to ask about",
                "`features` 为空；决策树没有可用的特征",
            );
        }
        if self.features.contains(&self.target) {
            return refuse(
                "`features` contains the `target`; a tree that knows the answer finds nothing",
                "`features` 包含了 `target`；决策树若已知答案，便得不出任何规律",
            );
        }
        if self.usage.as_ref().is_some_and(|usage| self.features.contains(usage)) {
            return refuse(
                "`features` contains the `usage`; only users have one, so that it gives the answer away",
                "`features` 包含了 `usage`；只有使用者才有使用量，这会泄露答案",
            );
        }
        if !self.groups.is_sorted_by(|one, next| one > next) {
            return refuse(
                "`groups` must descend, each percentage once",
                "`groups` 须依次递减，且百分比不得重复",
            );
        }
        if !self.groups.iter().all(|percent| (0.0..=100.0).contains(percent) && percent.fract() == 0.0) {
            return refuse(
                "`groups` must be whole percentages from 0 to 100",
                "`groups` 须为 0 到 100 的整数百分比",
            );
        }
        Ok(())
    }

    pub(crate) fn learning(&self) -> Settings {
        Settings {
            model: Choice::Tree,
            max_depth: self.max_depth,
            min_leaf: self.min_leaf,
            prune_percent: self.prune_percent,
            holdout_percent: self.holdout_percent,
            split: SplitRule::Random,
            ..Settings::default()
        }
    }

    /// The columns of the chosen fields in a batch.
    pub(crate) fn feature_columns(&self) -> Vec<String> {
        self.features.iter().map(|field| format!("features.{field}")).collect()
    }

    /// Whether a value of the target means a user.
    pub(crate) fn means_user(&self, value: &str) -> bool {
        self.user_values.iter().any(|known| known.trim().to_lowercase() == value.trim().to_lowercase())
    }

    /// How many leaves the tree has at most.
    pub(crate) fn leaves_max(&self) -> usize {
        1 << self.max_depth.min(8)
    }
}
