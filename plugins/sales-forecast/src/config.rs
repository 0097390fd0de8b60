//! What an admin can set.

use serde::Deserialize;

/// What an admin can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Stages in which an opportunity is won.
    pub won_stages: Vec<String>,
    /// Stages in which an opportunity is lost.
    pub lost_stages: Vec<String>,
    /// Probabilities that replace those of the records.
    pub stage_probabilities: Vec<StageProbability>,
    /// Percent from which an opportunity without a category of its own is `commit`.
    pub commit_percent: f64,
    /// Percent from which it is `best_case`.
    pub best_case_percent: f64,
    /// The last days of the classes that open deals are divided into by age.
    pub age_classes: Vec<i32>,
    /// What counts as revenue of a plan.
    pub revenue_from: RevenueFrom,
    /// Orders of these statuses count for nothing.
    pub orders_left_out: Vec<String>,
}

/// How probable a deal of a stage is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageProbability {
    /// The option of the field `stage`.
    pub stage: String,
    /// From 0 to 100.
    pub percent: f64,
}

/// Where the revenue of a plan is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevenueFrom {
    /// The amounts of the opportunities that were won, on the day they were closed.
    #[default]
    Opportunities,
    /// The amounts of the orders, on the day of the order.
    Orders,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            won_stages: vec!["won".to_owned()],
            lost_stages: vec!["lost".to_owned()],
            stage_probabilities: Vec::new(),
            commit_percent: 75.0,
            best_case_percent: 50.0,
            age_classes: vec![30, 60, 90, 120, 180],
            revenue_from: RevenueFrom::Opportunities,
            orders_left_out: ["draft", "cancelled", "returned"].map(str::to_owned).to_vec(),
        }
    }
}
