//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// The most clusters that there can be; the manifest's schema says so too.
pub(crate) const CLUSTERS_MAX: usize = 20;

/// What an admin can set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which figures of orders count.
    pub purchases: Vec<Figure>,
    /// Which fields of the customer count.
    pub features: Vec<String>,
    /// Whether ln(1 + x) counts instead of x.
    pub logarithm: bool,
    /// How many clusters; chosen by silhouette where there is none.
    pub clusters: Option<usize>,
    /// Up to how many are tried.
    pub clusters_max: usize,
    /// What happens where a figure is missing.
    pub missing: Missing,
    /// How many random beginnings are tried.
    pub restarts: usize,
    /// Which customers to begin with instead: what `start_field` says of them.
    pub start_customers: Vec<String>,
    /// The field of the customer that `start_customers` names.
    pub start_field: Option<String>,
}

/// A figure of a customer's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Days since the last order.
    Recency,
    /// Number of orders.
    Frequency,
    /// Sum of the orders.
    Monetary,
    /// Sum over number.
    AverageOrder,
}

/// What happens to a customer of whom a figure is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// It counts as the mean of the others.
    Mean,
    /// The customer belongs to no cluster.
    LeaveOut,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            purchases: vec![Figure::Recency, Figure::Frequency, Figure::Monetary],
            features: Vec::new(),
            logarithm: false,
            clusters: None,
            clusters_max: 8,
            missing: Missing::Mean,
            restarts: 8,
            start_customers: Vec::new(),
            start_field: None,
        }
    }
}

impl Figure {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Recency => "recency",
            Self::Frequency => "frequency",
            Self::Monetary => "monetary",
            Self::AverageOrder => "average_order",
        }
    }
}

impl Config {
    /// # Errors
    /// [`PluginError::InvalidConfig`] where settings contradict each other or the manifest's schema.
    pub(crate) fn checked(&self) -> Result<&Self> {
        let invalid = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        if self.purchases.is_empty() && self.features.is_empty() {
            return invalid(
                "`purchases` and `features` are both empty; something has to be compared",
                "`purchases` 和 `features` 均为空；至少要选择一项进行比较",
            );
        }
        for (place, figure) in self.purchases.iter().enumerate() {
            if self.purchases.iter().take(place).any(|before| before == figure) {
                return invalid(
                    &format!("`purchases` names `{}` twice", figure.name()),
                    &format!("`purchases` 中 `{}` 重复", figure.name()),
                );
            }
        }
        for (name, clusters) in [("clusters", self.clusters), ("clusters_max", Some(self.clusters_max))] {
            if clusters.is_some_and(|clusters| !(2..=CLUSTERS_MAX).contains(&clusters)) {
                let found = clusters.unwrap_or(0);
                return invalid(
                    &format!("`{name}` is {found}; it must be 2 to {CLUSTERS_MAX}"),
                    &format!("`{name}` 为 {found}；须在 2 到 {CLUSTERS_MAX} 之间"),
                );
            }
        }
        let starts = self.start_customers.len();
        if starts == 1 || starts > CLUSTERS_MAX {
            return invalid(
                &format!("`start_customers` has {starts} entries; 2 to {CLUSTERS_MAX} make clusters"),
                &format!("`start_customers` 有 {starts} 项；须为 2 到 {CLUSTERS_MAX} 项才能聚类"),
            );
        }
        if starts > 0 && self.start_field.is_none() {
            return invalid(
                "`start_customers` needs `start_field`, the field that it names customers by",
                "填写 `start_customers` 时须指定 `start_field`，即以哪个字段标识客户",
            );
        }
        for (place, customer) in self.start_customers.iter().enumerate() {
            if self.start_customers.iter().take(place).any(|before| before == customer) {
                return invalid(
                    &format!("`start_customers` names `{customer}` twice"),
                    &format!("`start_customers` 中 `{customer}` 重复"),
                );
            }
        }
        if let Some(clusters) = self.clusters.filter(|clusters| starts > 0 && *clusters != starts) {
            return invalid(
                &format!("`clusters` is {clusters}, but `start_customers` has {starts} entries"),
                &format!("`clusters` 为 {clusters}，但 `start_customers` 有 {starts} 项"),
            );
        }
        if !(1..=50).contains(&self.restarts) {
            return invalid(
                &format!("`restarts` is {}; it must be 1 to 50", self.restarts),
                &format!("`restarts` 为 {}；须在 1 到 50 之间", self.restarts),
            );
        }
        Ok(self)
    }

    /// How many clusters there are at most.
    pub(crate) fn most_clusters(&self) -> usize {
        match self.start_customers.len() {
            0 => self.clusters.unwrap_or(self.clusters_max),
            starts => starts,
        }
    }
}
