//! What the supervision of plugins is told: how many strikes, how long.

use serde::Deserialize;

/// How plugins are supervised. One struct holds every limit; each has its unit in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Supervision {
    /// Strikes within the window that quarantine a version; 0 supervises nothing: no version ever backs off.
    pub strikes_max: u32,
    /// How long a strike counts, in milliseconds.
    pub strike_window_ms: u64,
    /// How long a version is left alone after its second strike in a row, in milliseconds; doubled with each further one.
    pub backoff_ms: u64,
    /// The longest that a version is left alone before it is tried again, in milliseconds.
    pub backoff_ms_max: u64,
    /// A success so long after the last strike clears all strikes, in milliseconds.
    pub healthy_ms: u64,
    /// How long a quarantine lasts before the version is tried again, in milliseconds; 0 means until somebody releases it.
    pub quarantine_ms: u64,
    /// Further calls that may be made to find the poison rows of one batch that failed.
    pub bisect_calls_max: u32,
    /// How long the second try of a call that ran out of time waits for other calls to end, in milliseconds; calls for which somebody
    /// waits do not.
    pub quiet_wait_ms_max: u64,
    /// Poison rows that are listed of a version; the oldest go.
    pub poison_rows_max: usize,
    /// Log lines that are kept of a version; the oldest go.
    pub log_lines_max: usize,
}

impl Default for Supervision {
    fn default() -> Self {
        Self {
            strikes_max: 5,
            strike_window_ms: 600_000,
            backoff_ms: 1_000,
            backoff_ms_max: 60_000,
            healthy_ms: 60_000,
            quarantine_ms: 0,
            bisect_calls_max: 128,
            quiet_wait_ms_max: 1_000,
            poison_rows_max: 1_000,
            log_lines_max: 1_000,
        }
    }
}

impl Supervision {
    /// Nothing backs off and nothing is quarantined; calls are still measured and poison rows still found.
    #[must_use]
    pub fn off() -> Self {
        Self { strikes_max: 0, ..Self::default() }
    }
}
