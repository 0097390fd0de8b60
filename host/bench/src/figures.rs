//! Taking times and printing them.

use std::time::{Duration, Instant};

/// Prints a figure with its unit and, where there is one, what it is aimed at or compared with.
pub(crate) fn print(name: &str, value: f64, unit: &str, beside: &str) {
    let value = if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    println!("  {name:<58} {value:>12} {unit:<8} {beside}");
}

/// The least time of several runs, after one that does not count: what the code costs when nothing disturbs it.
pub(crate) fn least<T>(runs: u32, mut work: impl FnMut() -> T) -> Duration {
    std::hint::black_box(work());
    let time = |_| {
        let started = Instant::now();
        std::hint::black_box(work());
        started.elapsed()
    };
    (0..runs).map(time).min().unwrap_or_default()
}

/// The time of one run.
pub(crate) fn once<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

/// Nanoseconds of a duration, per so many things.
pub(crate) fn nanos_per(duration: Duration, things: usize) -> f64 {
    duration.as_nanos() as f64 / things as f64
}

/// How many a second.
pub(crate) fn per_second(things: usize, duration: Duration) -> f64 {
    things as f64 / duration.as_secs_f64()
}

/// The value below which a share of the sorted times lies.
pub(crate) fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
    times.get(place).copied().unwrap_or_default()
}
