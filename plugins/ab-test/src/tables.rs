//! Tables of counts: chi-square, and whether a split came out as planned.

use crate::distributions::chi_square_above;

/// Pearson's chi-square of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableTest {
    /// The statistic.
    pub chi_square: f64,
    /// Degrees of freedom.
    pub freedom: u64,
    /// How likely one so large is if rows and columns have nothing to do with each other.
    pub p: f64,
    /// 0 to 1: how strongly they have.
    pub cramers_v: f64,
    /// Whether every count that is expected is at least 5.
    pub is_reliable: bool,
}

/// Tests a table of counts, without a correction. Empty rows and columns are left out; none where less than two of either are left, or where rows
/// differ in length.
pub fn chi_square(table: &[Vec<u64>]) -> Option<TableTest> {
    let width = table.first()?.len();
    if table.iter().any(|row| row.len() != width) {
        return None;
    }
    let rows: Vec<f64> = table.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let column = |place: usize| table.iter().filter_map(|row| row.get(place)).sum::<u64>() as f64;
    let columns: Vec<f64> = (0..width).map(column).collect();
    let n: f64 = rows.iter().sum();
    let filled = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count() as u64;
    let (height, width) = (filled(&rows), filled(&columns));
    if height < 2 || width < 2 {
        return None;
    }
    let (mut statistic, mut least) = (0.0, f64::INFINITY);
    for (cells, row) in table.iter().zip(&rows) {
        for (cell, column) in cells.iter().zip(&columns) {
            let expected = row * column / n;
            if expected > 0.0 {
                statistic += (*cell as f64 - expected) * (*cell as f64 - expected) / expected;
                least = least.min(expected);
            }
        }
    }
    let freedom = (height - 1) * (width - 1);
    Some(TableTest {
        chi_square: statistic,
        freedom,
        p: chi_square_above(statistic, freedom),
        cramers_v: (statistic / n / (height.min(width) - 1) as f64).sqrt(),
        is_reliable: least >= 5.0,
    })
}

/// Whether groups came out in the sizes that weights ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitCheck {
    /// What the weights ask for.
    pub expected: Vec<f64>,
    /// The statistic.
    pub chi_square: f64,
    /// How likely a split so uneven is by chance.
    pub p: f64,
}

/// Checks a split (sample-ratio mismatch). None where weights and counts differ in number, fewer than two weights are above 0, or nobody was split.
pub fn check_split(observed: &[u64], weights: &[f64]) -> Option<SplitCheck> {
    let n = observed.iter().sum::<u64>() as f64;
    let sum: f64 = weights.iter().sum();
    let groups = weights.iter().filter(|weight| **weight > 0.0).count() as u64;
    if observed.len() != weights.len() || groups < 2 || n <= 0.0 {
        return None;
    }
    let expected: Vec<f64> = weights.iter().map(|weight| n * weight / sum).collect();
    let pairs = || observed.iter().zip(&expected);
    // Whoever is in a group that should not exist is no chance.
    let has_stray = pairs().any(|(count, expected)| *expected <= 0.0 && *count > 0);
    let part =
        |(count, expected): (&u64, &f64)| (*count as f64 - expected) * (*count as f64 - expected) / expected;
    let chi_square: f64 = pairs().filter(|(_, expected)| **expected > 0.0).map(part).sum();
    let p = if has_stray { 0.0 } else { chi_square_above(chi_square, groups - 1) };
    Some(SplitCheck { expected, chi_square, p })
}
