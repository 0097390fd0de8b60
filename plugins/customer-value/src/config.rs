//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set. Weights are percent.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whose sales are compared with the estimated spend. The host cuts a column by it. Default 365.
    pub window_days: u32,
    /// Default 40.
    pub history_weight: f64,
    /// Default 25.
    pub potential_weight: f64,
    /// Default 20.
    pub satisfaction_weight: f64,
    /// Default 15.
    pub influence_weight: f64,
    /// Default 50.
    pub economic_weight: f64,
    /// Default 30.
    pub development_weight: f64,
    /// Default 20.
    pub image_weight: f64,
    /// Percent from which the share of wallet is high. Default 60.
    pub wallet_high: f64,
    /// Percent from which it is medium. Default 30.
    pub wallet_medium: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window_days: 365,
            history_weight: 40.0,
            potential_weight: 25.0,
            satisfaction_weight: 20.0,
            influence_weight: 15.0,
            economic_weight: 50.0,
            development_weight: 30.0,
            image_weight: 20.0,
            wallet_high: 60.0,
            wallet_medium: 30.0,
        }
    }
}

impl Config {
    /// History, potential, satisfaction, influence.
    pub(crate) fn value_weights(&self) -> [f64; 4] {
        [self.history_weight, self.potential_weight, self.satisfaction_weight, self.influence_weight]
    }

    /// Economic, development, image.
    pub(crate) fn composite_weights(&self) -> [f64; 3] {
        [self.economic_weight, self.development_weight, self.image_weight]
    }

    /// # Errors
    /// [`PluginError::InvalidConfig`] where weights do not add up, or bands are not in order.
    pub(crate) fn check(&self) -> Result<()> {
        let sums: [(&str, &str, f64); 2] = [
            (
                "`history_weight`, `potential_weight`, `satisfaction_weight` and `influence_weight`",
                "`history_weight`、`potential_weight`、`satisfaction_weight` 与 `influence_weight`",
                self.value_weights().iter().sum(),
            ),
            (
                "`economic_weight`, `development_weight` and `image_weight`",
                "`economic_weight`、`development_weight` 与 `image_weight`",
                self.composite_weights().iter().sum(),
            ),
        ];
        for (names, names_zh, sum) in sums {
            // Weights are typed by people, with a few decimals.
            if sum.is_nan() || (sum - 100.0).abs() >= 1e-6 {
                return Err(PluginError::InvalidConfig(
                    (
                        format!("{names} add up to {sum}; they must add up to 100"),
                        format!("{names_zh} 之和为 {sum}；须为 100"),
                    )
                        .into(),
                ));
            }
        }
        let (medium, high) = (self.wallet_medium, self.wallet_high);
        if medium >= high {
            let problem = (
                format!("`wallet_medium` is {medium}; it must be less than `wallet_high`, {high}"),
                format!("`wallet_medium` 为 {medium}；须小于 `wallet_high`（{high}）"),
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        Ok(())
    }
}
