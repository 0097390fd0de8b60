//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who the key customers are.
    pub key_by: KeyBy,
    /// Percent of the revenue that key customers bring; by default 80.
    pub share_percent: f64,
    /// Percent of the revenue up to which customers are in class A, and in class B; by default 80 and 95.
    pub class_a_percent: f64,
    pub class_b_percent: f64,
    /// Percent of customers who are the best of a ranking; by default 20.
    pub top_percent: f64,
    /// In how many rankings a key customer is among the best; by default 2.
    pub rankings_min: u32,
    /// Fields in which key customers may differ from others.
    pub traits: Vec<String>,
    /// The field that counts as revenue, in place of orders.
    pub value_field: Option<String>,
    /// The field with the margin.
    pub margin_field: Option<String>,
    /// The field with the number of referrals.
    pub referrals_field: Option<String>,
    /// Days of the recent time that growth compares; by default 90.
    pub growth_days: u32,
}

/// Who the key customers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyBy {
    /// The fewest who bring a share of the revenue.
    Share,
    /// The best in several rankings.
    Rankings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            key_by: KeyBy::Share,
            share_percent: 80.0,
            class_a_percent: 80.0,
            class_b_percent: 95.0,
            top_percent: 20.0,
            rankings_min: 2,
            traits: Vec::new(),
            value_field: None,
            margin_field: None,
            referrals_field: None,
            growth_days: 90,
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] for what the manifest's schema does not allow either.
    pub(crate) fn checked(&self) -> Result<&Self> {
        let invalid = |en: String, zh: String| Err(PluginError::InvalidConfig((en, zh).into()));
        for (name, percent) in [("share_percent", self.share_percent), ("top_percent", self.top_percent)] {
            if !(percent > 0.0 && percent <= 100.0) {
                return invalid(
                    format!("`{name}` is {percent}; it must be above 0, at most 100"),
                    format!("`{name}` 为 {percent}；须大于 0 且不超过 100"),
                );
            }
        }
        let (a, b) = (self.class_a_percent, self.class_b_percent);
        if !(a > 0.0 && a < b && b < 100.0) {
            return invalid(
                format!(
                    "`class_a_percent` is {a} and `class_b_percent` {b}; they must ascend between 0 and 100"
                ),
                format!("`class_a_percent` 为 {a}，`class_b_percent` 为 {b}；须在 0 与 100 之间依次递增"),
            );
        }
        if !(1..=6).contains(&self.rankings_min) {
            return invalid(
                format!("`rankings_min` is {}; it must be 1 to 6", self.rankings_min),
                format!("`rankings_min` 为 {}；须在 1 到 6 之间", self.rankings_min),
            );
        }
        if !(1..=3650).contains(&self.growth_days) {
            return invalid(
                format!("`growth_days` is {}; it must be 1 to 3650", self.growth_days),
                format!("`growth_days` 为 {}；须在 1 到 3650 之间", self.growth_days),
            );
        }
        Ok(self)
    }
}
