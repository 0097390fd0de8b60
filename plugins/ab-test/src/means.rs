//! Two means, and two samples by their ranks.
//!
//! Sources: Welch (1947), Student (1908), Mann and Whitney (1947) with the corrections for ties and continuity.

use crate::distributions::{normal_beyond, student_beyond, student_quantile};

/// A sample by its figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, by count - 1.
    pub deviation: f64,
}

/// The second mean against the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanComparison {
    /// The second mean minus the first.
    pub difference: f64,
    /// Welch's t, for deviations that may differ.
    pub welch_t: f64,
    /// Its degrees of freedom.
    pub welch_freedom: f64,
    /// Two-sided.
    pub welch_p: f64,
    /// Of the difference.
    pub welch_interval: (f64, f64),
    /// Student's t, for equal deviations.
    pub student_t: f64,
    /// Two-sided.
    pub student_p: f64,
}

impl Sample {
    /// The figures of some values; none of fewer than two.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (values.len() > 1).then(|| Self {
            count: values.len() as u64,
            mean,
            deviation: (squares / (count - 1.0)).sqrt(),
        })
    }
}

/// Compares `second` with `first`. None where a sample has fewer than two values, or neither varies.
pub fn compare_means(first: Sample, second: Sample, alpha: f64) -> Option<MeanComparison> {
    if first.count < 2 || second.count < 2 {
        return None;
    }
    let (n_a, n_b) = (first.count as f64, second.count as f64);
    let (part_a, part_b) =
        (first.deviation * first.deviation / n_a, second.deviation * second.deviation / n_b);
    let error = (part_a + part_b).sqrt();
    if error.is_nan() || error <= 0.0 {
        return None;
    }
    let difference = second.mean - first.mean;
    let freedom = (part_a + part_b) * (part_a + part_b)
        / (part_a * part_a / (n_a - 1.0) + part_b * part_b / (n_b - 1.0));
    let welch_t = difference / error;
    let half = student_quantile(alpha, freedom) * error;
    let common = (part_a * n_a * (n_a - 1.0) + part_b * n_b * (n_b - 1.0)) / (n_a + n_b - 2.0);
    let student_t = difference / (common * (1.0 / n_a + 1.0 / n_b)).sqrt();
    Some(MeanComparison {
        difference,
        welch_t,
        welch_freedom: freedom,
        welch_p: student_beyond(welch_t, freedom),
        welch_interval: (difference - half, difference + half),
        student_t,
        student_p: student_beyond(student_t, n_a + n_b - 2.0),
    })
}

/// Mann and Whitney's U of the second sample, and its two-sided p by the normal approximation with both corrections. None where a sample is empty
/// or all values are equal.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<(f64, f64)> {
    let mut all: Vec<(f64, bool)> =
        first.iter().map(|value| (*value, false)).chain(second.iter().map(|value| (*value, true))).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut before, mut ranks, mut ties) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|one, next| one.0 == next.0) {
        let count = equal.len() as f64;
        let rank = before + (count + 1.0) / 2.0;
        ranks += rank * equal.iter().filter(|(_, is_second)| *is_second).count() as f64;
        ties += count * count * count - count;
        before += count;
    }
    let (n_a, n_b) = (first.len() as f64, second.len() as f64);
    let n = n_a + n_b;
    let u = ranks - n_b * (n_b + 1.0) / 2.0;
    let variance = n_a * n_b / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let z = ((u - n_a * n_b / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    Some((u, normal_beyond(z)))
}
