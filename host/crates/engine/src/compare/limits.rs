//! How much is compared, and what may differ at most where a version is promoted.

use serde::Deserialize;

/// How much is compared, and what may differ at most where a version is promoted. Each limit has a test that reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareLimits {
    /// Customers that one dry run evaluates; those with the lowest ordinals.
    pub dry_run_customers_max: u64,
    /// Records of each object that a dry run shows to record hooks and service workflows; those changed last.
    pub dry_run_records_max: u64,
    /// Campaigns that a dry run evaluates.
    pub dry_run_campaigns_max: usize,
    /// Rows that differ and are listed in a comparison; the others are counted.
    pub rows_listed_max: usize,
    /// Different pairs of values that are counted for one output of a comparison; further ones are counted together.
    pub pairs_max: usize,
    /// Runs that the check of an upgrade does again.
    pub check_runs_max: usize,
    /// Decisions that the check of an upgrade makes again.
    pub check_decisions_max: usize,
    /// Single decisions that wait for a shadow; further ones are dropped and counted.
    pub shadow_queued_max: usize,
    /// Bytes that these take, about; further ones are dropped and counted.
    pub shadow_queued_bytes_max: u64,
    /// Shadow results of whole runs that are kept of a plugin.
    pub shadow_results_kept_per_plugin: usize,
    /// How often the figures of a shadow are written down, in milliseconds.
    pub shadow_save_ms: u64,
    /// Rows and decisions that have to be compared before a version is promoted.
    pub promote_compared_min: u64,
    /// Rows that may differ, in a thousandth of those compared.
    pub promote_rows_changed_per_mille_max: u64,
    /// Decisions that may differ, in a thousandth of those compared.
    pub promote_decisions_changed_per_mille_max: u64,
    /// Calls of the new version that may fail.
    pub promote_faults_max: u64,
    /// Fuel that the new version may use, in percent of what the version in use needs for the same.
    pub promote_fuel_percent_max: u64,
}

impl Default for CompareLimits {
    fn default() -> Self {
        Self {
            dry_run_customers_max: 1_000_000,
            dry_run_records_max: 200,
            dry_run_campaigns_max: 20,
            rows_listed_max: 100,
            pairs_max: 1_000,
            check_runs_max: 3,
            check_decisions_max: 500,
            shadow_queued_max: 1_000,
            shadow_queued_bytes_max: 64 << 20,
            shadow_results_kept_per_plugin: 3,
            shadow_save_ms: 1_000,
            promote_compared_min: 100,
            promote_rows_changed_per_mille_max: 5,
            promote_decisions_changed_per_mille_max: 5,
            promote_faults_max: 0,
            promote_fuel_percent_max: 200,
        }
    }
}
