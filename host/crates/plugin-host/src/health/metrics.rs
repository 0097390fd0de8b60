//! What the calls of a version were like: counted since the start of the server, in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{CallStats, Fault, FaultKind};

/// Buckets of a histogram: four a doubling of the time, from a microsecond to half an hour; what took longer is in the last.
const BUCKETS: usize = 4 * 32;

/// How long calls took. A quantile is at most a quarter above the true one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, sum: Duration::ZERO }
    }
}

/// The upper end of a bucket in microseconds.
fn upper_us(bucket: usize) -> u64 {
    let (doubling, quarter) = (bucket / 4, bucket as u64 % 4);
    (1_u64 << doubling) + ((1_u64 << doubling) * (quarter + 1)).div_ceil(4)
}

impl Histogram {
    pub(super) fn add(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, 1 << 31);
        let doubling = us.ilog2() as usize;
        let quarter = ((us - (1 << doubling)) * 4) >> doubling;
        let bucket = (doubling * 4 + usize::try_from(quarter).unwrap_or(3)).min(BUCKETS - 1);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.total += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// The time below which a part of the calls stayed, in microseconds; 0 without calls.
    pub(super) fn quantile_us(&self, part: f64) -> u64 {
        let wanted = (self.total as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        if self.total == 0 { 0 } else { reached.map_or(0, upper_us) }
    }
}

/// What one function of a version did since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FunctionMetrics {
    /// Calls that were made, parts of a batch that failed included.
    pub calls: u64,
    /// Faults by kind: see [`FaultKind::name`].
    pub faults: BTreeMap<&'static str, u64>,
    /// Rows that were passed.
    pub rows: u64,
    /// Bytes of their columns.
    pub bytes: u64,
    /// Log lines over the limit of a call.
    pub log_lines_dropped: u64,
    /// Half of the calls took less, in microseconds.
    pub p50_us: u64,
    /// 95 of 100 calls took less, in microseconds.
    pub p95_us: u64,
    /// 99 of 100 calls took less, in microseconds.
    pub p99_us: u64,
    /// All of them together, in microseconds.
    pub total_us: u64,
    /// Processor time of all of them together, in microseconds.
    pub cpu_us: u64,
}

/// A fault, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFault {
    /// When it was, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// Where: `segmentation.assign`.
    pub function: String,
    /// What happened.
    pub reason: String,
}

/// The figures of one function while they are collected.
#[derive(Debug, Default)]
pub(super) struct Collected {
    figures: FunctionMetrics,
    took: Histogram,
}

/// How large a call was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Collected {
    pub(super) fn add(&mut self, size: Size, stats: &CallStats, fault: Option<&Fault>) {
        let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.took.add(stats.wall);
        let figures = &mut self.figures;
        figures.calls += 1;
        figures.rows += size.rows;
        figures.bytes += size.bytes;
        figures.log_lines_dropped += stats.log_lines_suppressed;
        figures.cpu_us += microseconds(stats.cpu);
        if let Some(fault) = fault {
            *figures.faults.entry(fault.kind.name()).or_default() += 1;
        }
    }

    pub(super) fn shown(&self) -> FunctionMetrics {
        FunctionMetrics {
            p50_us: self.took.quantile_us(0.5),
            p95_us: self.took.quantile_us(0.95),
            p99_us: self.took.quantile_us(0.99),
            total_us: u64::try_from(self.took.sum.as_micros()).unwrap_or(u64::MAX),
            ..self.figures.clone()
        }
    }
}

impl FaultKind {
    /// Its name in figures.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Timeout { .. } => "timeout",
            Self::Memory { .. } => "memory",
            Self::Table { .. } => "table",
            Self::StackOverflow => "stack-overflow",
            Self::OutputTooLarge { .. } => "output-too-large",
            Self::TooManyActions { .. } => "too-many-actions",
            Self::InvalidResult(_) => "invalid-result",
            Self::TooManyPasses { .. } => "too-many-passes",
            Self::TooManyStreams { .. } => "too-many-streams",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_at_most_a_quarter_too_high() {
        let mut histogram = Histogram::default();
        (1..=1_000_u64).for_each(|us| histogram.add(Duration::from_micros(us * 10)));
        for (part, exact) in [(0.5, 5_000), (0.95, 9_500), (0.99, 9_900)] {
            let found = histogram.quantile_us(part);
            assert!(found >= exact && found as f64 <= exact as f64 * 1.25, "{part}: {found}");
        }
        assert_eq!(Histogram::default().quantile_us(0.99), 0);
    }

    #[test]
    fn times_beyond_the_last_bucket_and_below_the_first_are_counted() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::ZERO);
        histogram.add(Duration::MAX);
        assert_eq!(histogram.total, 2);
        assert!(histogram.quantile_us(0.1) <= 2 && histogram.quantile_us(1.0) > 2_000_000_000);
    }
}
