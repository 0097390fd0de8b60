//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The host cuts columns by it. Default 365.
    pub window_days: u32,
    /// The field of the account with its margin. The host makes a column of it.
    pub margin: Option<String>,
    /// Used where there is no such field, in percent. Default 30.
    pub margin_percent: f64,
    /// The field of the account within which customers are counted. The host makes a column of it.
    pub group: Option<String>,
    /// A group of so many customers or more has many. Default 1,000.
    pub many_customers: u64,
    /// A group of so many customers or fewer has few. Default 100.
    pub few_customers: u64,
    /// In whole units of the base currency; without it the best third.
    pub high_margin: Option<f64>,
    /// In whole units of the base currency; without it the lowest third.
    pub low_margin: Option<f64>,
    /// Rating from which participation is high. Default 6.
    pub participation_high: f64,
    /// Rating from which products are complex. Default 6.
    pub complexity_high: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window_days: 365,
            margin: None,
            margin_percent: 30.0,
            group: None,
            many_customers: 1000,
            few_customers: 100,
            high_margin: None,
            low_margin: None,
            participation_high: 6.0,
            complexity_high: 6.0,
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] where two settings contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        let (few, many) = (self.few_customers, self.many_customers);
        if few >= many {
            let problem = (
                format!("`few_customers` is {few}; it must be less than `many_customers`, {many}"),
                format!("`few_customers` 为 {few}；须小于 `many_customers`（{many}）"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        if let (Some(low), Some(high)) = (self.low_margin, self.high_margin)
            && low > high
        {
            let problem = (
                format!("`low_margin` is {low}, more than `high_margin`, {high}"),
                format!("`low_margin` 为 {low}，大于 `high_margin`（{high}）"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        Ok(())
    }
}
