//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the tiers are shares of.
    #[serde(default)]
    pub by: By,
    /// Percent for platinum, gold, iron and lead, from the top; together 100. Default: 1, 4, 15, 80 of the customers, or 20, 30, 30, 20 of
    /// the revenue.
    #[serde(default)]
    pub tiers: Option<Vec<f64>>,
    /// How many days ago the tiers lie that the movement starts from. The host cuts a column by it. Default 90.
    #[serde(default)]
    pub window_days: Option<u32>,
    /// The field of the account with what it has cost so far; without it there is no profit.
    #[serde(default)]
    pub cost: Option<String>,
}

/// What the tiers are shares of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Of the number of customers.
    #[default]
    Customers,
    /// Of what all customers spent.
    Revenue,
}

/// The parts of a whole, in millionths.
const WHOLE: u32 = 1_000_000;

/// The sizes of the tiers, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    pub(crate) by: By,
    /// Millionths, from the top.
    parts: [u32; 4],
}

impl Config {
    pub(crate) fn shares(&self) -> Result<Shares> {
        let usual = match self.by {
            By::Customers => [1.0, 4.0, 15.0, 80.0],
            By::Revenue => [20.0, 30.0, 30.0, 20.0],
        };
        let percents = self.tiers.as_deref().unwrap_or(&usual);
        let parts: Vec<u32> = percents.iter().copied().map(part).collect::<Result<_>>()?;
        let count = parts.len();
        let parts = parts.try_into().map_err(|_| {
            invalid(
                format!("has {count} entries; there are 4 tiers"),
                format!("有 {count} 项；共有 4 个层级"),
            )
        })?;
        Shares::of_parts(self.by, parts).ok_or_else(|| {
            let sum: f64 = percents.iter().sum();
            invalid(format!("add up to {sum}; they must add up to 100"), format!("之和为 {sum}；须为 100"))
        })
    }
}

impl Shares {
    /// Millionths for each tier, from the top; none unless they make a whole.
    pub(crate) fn of_parts(by: By, parts: [u32; 4]) -> Option<Self> {
        let sum = parts.iter().try_fold(0_u32, |sum, part| sum.checked_add(*part));
        (sum == Some(WHOLE) && !parts.contains(&0)).then_some(Self { by, parts })
    }

    pub(crate) fn parts(&self) -> [u32; 4] {
        self.parts
    }

    /// The lowest standing of each tier, from the top: 99, 95, 80, 0 for the usual shares.
    ///
    /// Whole millionths are divided once, so that 99.9 is the number that everybody else calls 99.9.
    pub(crate) fn lowest(&self) -> [f64; 4] {
        let mut below = WHOLE;
        self.parts.map(|part| {
            below -= part;
            f64::from(below) / f64::from(WHOLE / 100)
        })
    }

    /// Each share in percent.
    pub(crate) fn percents(&self) -> [f64; 4] {
        self.parts.map(|part| f64::from(part) / f64::from(WHOLE / 100))
    }

    /// The tier that a standing belongs to: 0 is platinum.
    pub(crate) fn tier(&self, standing: f64) -> usize {
        self.lowest().iter().position(|lowest| standing >= *lowest).unwrap_or(3)
    }
}

/// Percent as millionths.
fn part(percent: f64) -> Result<u32> {
    let parts = percent * f64::from(WHOLE / 100);
    if !(0.0..=f64::from(WHOLE)).contains(&parts) || parts.round() < 1.0 {
        return Err(invalid(
            format!("has an entry of {percent}; a tier has 0.0001 to 100 percent"),
            format!("有一项为 {percent}；每个层级须占 0.0001% 到 100%"),
        ));
    }
    Ok(parts.round() as u32)
}

fn invalid(en: String, zh: String) -> PluginError {
    PluginError::InvalidConfig((format!("`tiers` {en}"), format!("`tiers` {zh}")).into())
}
