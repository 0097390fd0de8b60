//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Within how many days a purchase is asked for: 1 to 3650, by default 30.
    pub window_days: u32,
    /// From which percentage of lateness a customer is overdue: above 50, by default 80.
    pub overdue_percent: f64,
    /// And dormant: above that, by default 95.
    pub dormant_percent: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { window_days: 30, overdue_percent: 80.0, dormant_percent: 95.0 }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] where bands do not ascend.
    pub(crate) fn checked(&self) -> Result<Self> {
        let invalid = |en: String, zh: String| Err(PluginError::InvalidConfig((en, zh).into()));
        if !(1..=3650).contains(&self.window_days) {
            return invalid(
                format!("`window_days` is {}; it must be 1 to 3650", self.window_days),
                format!("`window_days` 为 {}；须在 1 到 3650 之间", self.window_days),
            );
        }
        let (overdue, dormant) = (self.overdue_percent, self.dormant_percent);
        if !(overdue > 50.0 && overdue < dormant && dormant < 100.0) {
            return invalid(
                format!(
                    "`overdue_percent` is {overdue} and `dormant_percent` {dormant}; they must ascend between 50 and 100"
                ),
                format!(
                    "`overdue_percent` 为 {overdue}，`dormant_percent` 为 {dormant}；两者须在 50 与 100 之间依次递增"
                ),
            );
        }
        Ok(*self)
    }
}
