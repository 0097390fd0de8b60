//! Naive forecasts, averages and simple exponential smoothing.

use super::search::least;
use super::{Errors, Outlook};

/// The mean of the last `window` values. None where there are fewer.
pub fn moving_average(series: &[f64], window: usize) -> Option<f64> {
    let from = series.len().checked_sub(window).filter(|_| window > 0)?;
    Some(series.get(from..)?.iter().sum::<f64>() / window as f64)
}

/// The level that simple exponential smoothing ends at, begun at the first value, and the squared errors of each forecast one step ahead.
pub fn simple_smoothing(series: &[f64], alpha: f64) -> Option<(f64, f64)> {
    let (first, others) = series.split_first()?;
    let (mut level, mut squares) = (*first, 0.0);
    for value in others {
        let error = value - level;
        squares += error * error;
        level = alpha * value + (1.0 - alpha) * level;
    }
    Some((level, squares))
}

/// Each value is that of `season` periods ago.
pub(super) fn naive(series: &[f64], season: usize, horizon: usize) -> Option<Outlook> {
    let from = series.len().checked_sub(season)?;
    let last = series.get(from..).filter(|last| !last.is_empty())?;
    let errors = series.iter().skip(season).zip(series).map(|(value, before)| value - before);
    let errors = Errors::of(errors);
    let deviation = errors.deviation(0);
    // The errors of as many seasons as lie between add up.
    let seasons = |step: usize| ((step / season + 1) as f64).sqrt();
    Some(Outlook {
        values: last.iter().copied().cycle().take(horizon).collect(),
        deviations: (0..horizon).map(|step| deviation * seasons(step)).collect(),
        learned: Vec::new(),
        season: Vec::new(),
        squared_errors: errors.sum(),
    })
}

/// The mean of the last values, for every period to come.
pub(super) fn averaged(series: &[f64], window: usize, horizon: usize) -> Option<Outlook> {
    let mean = moving_average(series, window)?;
    let errors = series.windows(window + 1).filter_map(|run| {
        let (next, before) = run.split_last()?;
        Some(next - before.iter().sum::<f64>() / window as f64)
    });
    let errors = Errors::of(errors);
    let deviation = errors.deviation(0);
    Some(Outlook { squared_errors: errors.sum(), ..flat(mean, horizon, |_| deviation, Vec::new()) })
}

/// Simple exponential smoothing, with the constant that makes the squared errors least unless one is given.
pub(super) fn smoothed(series: &[f64], alpha: Option<f64>, horizon: usize) -> Option<Outlook> {
    let errors = series.len().checked_sub(1).filter(|errors| *errors > 0)?;
    let squares = |place: &[f64]| {
        let alpha = place.first().copied().unwrap_or(0.0);
        simple_smoothing(series, alpha).map_or(f64::INFINITY, |(_, squares)| squares)
    };
    let alpha = alpha.unwrap_or_else(|| least(1, squares).first().copied().unwrap_or(0.0));
    let (level, squares) = simple_smoothing(series, alpha)?;
    let deviation = (squares / errors as f64).sqrt();
    let growing = |step: usize| deviation * (1.0 + step as f64 * alpha * alpha).sqrt();
    let learned = vec![("alpha", alpha), ("level", level)];
    Some(Outlook { squared_errors: Some(squares), ..flat(level, horizon, growing, learned) })
}

fn flat(
    value: f64,
    horizon: usize,
    deviation: impl Fn(usize) -> f64,
    learned: Vec<(&'static str, f64)>,
) -> Outlook {
    Outlook {
        values: vec![value; horizon],
        deviations: (0..horizon).map(deviation).collect(),
        learned,
        season: Vec::new(),
        squared_errors: None,
    }
}
