//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set. Periods are in days.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The recent period. Default 180.
    pub window_days: u32,
    /// The recent period and the one before it. Default 540.
    pub history_days: u32,
    /// Up to so many orders a customer is exploring. Default 2.
    pub trial_orders: i64,
    /// Up to so many days after the first order it is exploring. Default 90.
    pub trial_days: i64,
    /// A relation that ended within so many days was not stable yet. Default 365.
    pub early_days: i64,
    /// From so many days on a relation is long-term. Default 1,095.
    pub late_days: i64,
    /// Growth of the daily volume that shows build-up, in percent. Default 20.
    pub growth_percent: f64,
    /// Drop of the daily volume that shows decline, in percent. Default 40.
    pub drop_percent: f64,
    /// A total demand that fell by no more counts as unchanged, in percent. Default 15.
    pub demand_tolerance_percent: f64,
    /// Without an order for so many of its own mean intervals a relation has ended. Default 4.
    pub exit_cycles: f64,
    /// And not before so many days. Default 180.
    pub exit_days: i64,
    /// What remains of the sales, in percent. Default 30.
    pub margin_percent: f64,
    /// What an attempt to recover costs, in whole units of the base currency. Default 500.
    pub recovery_cost: f64,
    /// How likely it succeeds, in percent. Default 25.
    pub recovery_percent: f64,
    /// For how many years a recovered customer buys as before. Default 2.
    pub recovery_years: f64,
    /// The field of the account with what has been invested. The host makes a column of it.
    pub cost: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window_days: 180,
            history_days: 540,
            trial_orders: 2,
            trial_days: 90,
            early_days: 365,
            late_days: 1095,
            growth_percent: 20.0,
            drop_percent: 40.0,
            demand_tolerance_percent: 15.0,
            exit_cycles: 4.0,
            exit_days: 180,
            margin_percent: 30.0,
            recovery_cost: 500.0,
            recovery_percent: 25.0,
            recovery_years: 2.0,
            cost: None,
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] where two settings contradict each other.
    pub(crate) fn check(&self) -> Result<()> {
        let (window, history, early, late) =
            (self.window_days, self.history_days, self.early_days, self.late_days);
        if history <= window {
            let problem = (
                format!("`history_days` is {history}; it must be more than `window_days`, {window}"),
                format!("`history_days` 为 {history}；须大于 `window_days`（{window}）"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        if late <= early {
            let problem = (
                format!("`late_days` is {late}; it must be more than `early_days`, {early}"),
                format!("`late_days` 为 {late}；须大于 `early_days`（{early}）"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        Ok(())
    }
}
