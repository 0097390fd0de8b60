//! What the calls of a loaded plugin used together.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::CallStats;

/// What calls used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Calls that ended.
    pub calls: u64,
    /// How many of them were faults of the plugin: traps, limits, answers of a wrong shape.
    pub faults: u64,
    /// Wall time on a permit, without what the plugin waited for rows.
    pub wall: Duration,
    /// See [`CallStats::fuel`]; 0 where it is not counted.
    pub fuel: u64,
    /// The most linear memory that the call had which ended last, in bytes.
    pub memory_bytes_last: u64,
}

impl Used {
    /// What was used since `before`, an earlier look at the same plugin.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(before.calls),
            faults: self.faults.saturating_sub(before.faults),
            wall: self.wall.saturating_sub(before.wall),
            fuel: self.fuel.saturating_sub(before.fuel),
            memory_bytes_last: self.memory_bytes_last,
        }
    }
}

/// Adds up what calls use.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    calls: AtomicU64,
    faults: AtomicU64,
    wall_ns: AtomicU64,
    fuel: AtomicU64,
    memory_bytes_last: AtomicU64,
}

impl Usage {
    pub(crate) fn add(&self, stats: &CallStats, failed: bool) {
        let wall = stats.wall.saturating_sub(stats.waited);
        self.calls.fetch_add(1, Relaxed);
        self.faults.fetch_add(u64::from(failed), Relaxed);
        self.wall_ns.fetch_add(u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.fuel.fetch_add(stats.fuel.unwrap_or(0), Relaxed);
        self.memory_bytes_last.store(stats.memory_bytes_peak, Relaxed);
    }

    pub(crate) fn total(&self) -> Used {
        Used {
            calls: self.calls.load(Relaxed),
            faults: self.faults.load(Relaxed),
            wall: Duration::from_nanos(self.wall_ns.load(Relaxed)),
            fuel: self.fuel.load(Relaxed),
            memory_bytes_last: self.memory_bytes_last.load(Relaxed),
        }
    }
}
