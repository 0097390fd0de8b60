//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which model of purchases.
    pub model: Choice,
    /// How far ahead, in weeks; 1 to 520, by default 52.
    pub horizon_weeks: u32,
    /// Percent by which money is worth less in a year; 0 to 100, by default 10.
    pub discount_percent_yearly: f64,
    /// Percent of revenue that count as value; above 0 to 100, by default 100.
    pub margin_percent: f64,
    /// Years in the simple formula; above 0 to 50, by default 3.
    pub lifetime_years: f64,
    /// Purchases a year of somebody without history; where there is none, as many as of customers.
    pub expected_orders_yearly: Option<f64>,
    /// Spend per purchase of somebody without history, in whole units of the currency; likewise.
    pub expected_spend: Option<f64>,
    /// Days that are held out to check the model; 0 to 3650, by default none.
    pub holdout_days: u32,
}

/// Which model of purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// A customer may stop after each purchase.
    BgNbd,
    /// A customer may stop at any time.
    ParetoNbd,
    /// The one under which the data are likelier.
    Better,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: Choice::BgNbd,
            horizon_weeks: 52,
            discount_percent_yearly: 10.0,
            margin_percent: 100.0,
            lifetime_years: 3.0,
            expected_orders_yearly: None,
            expected_spend: None,
            holdout_days: 0,
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] for what the manifest's schema does not allow either.
    pub(crate) fn checked(&self) -> Result<Self> {
        let within = |name: &str, value: f64, from: f64, to: f64| {
            if (from..=to).contains(&value) {
                return Ok(());
            }
            Err(PluginError::InvalidConfig(
                (
                    format!("`{name}` is {value}; it must be {from} to {to}"),
                    format!("`{name}` 为 {value}；须在 {from} 到 {to} 之间"),
                )
                    .into(),
            ))
        };
        within("horizon_weeks", f64::from(self.horizon_weeks), 1.0, 520.0)?;
        within("discount_percent_yearly", self.discount_percent_yearly, 0.0, 100.0)?;
        within("margin_percent", self.margin_percent, f64::MIN_POSITIVE, 100.0)?;
        within("lifetime_years", self.lifetime_years, f64::MIN_POSITIVE, 50.0)?;
        within("expected_orders_yearly", self.expected_orders_yearly.unwrap_or(0.0), 0.0, 1e4)?;
        within("expected_spend", self.expected_spend.unwrap_or(0.0), 0.0, 1e12)?;
        within("holdout_days", f64::from(self.holdout_days), 0.0, 3650.0)?;
        Ok(*self)
    }
}
