//! How far a category goes with a yes or no.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use trellis_sdk::math::log;

/// A value of a category.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Level {
    /// How many rows have it.
    pub rows: u64,
    /// How many of them are positive.
    pub positives: u64,
    /// `ln((positives here / all positives) / (negatives here / all negatives))`; none where one of the two is empty.
    pub weight: Option<f64>,
}

/// How much a category tells.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightOfEvidence {
    /// Each value.
    pub levels: Vec<Level>,
    /// Σ (share of positives - share of negatives) · weight, over values with both (information value).
    pub information: f64,
}

/// Weights of evidence without smoothing. `codes` says for each row which of `levels` values it has; rows beyond them are left out.
pub fn weight_of_evidence(codes: &[u8], levels: usize, positive: &[bool]) -> WeightOfEvidence {
    let mut found = vec![Level::default(); levels];
    for (code, positive) in codes.iter().zip(positive) {
        if let Some(level) = found.get_mut(usize::from(*code)) {
            level.rows += 1;
            level.positives += u64::from(*positive);
        }
    }
    let positives: u64 = found.iter().map(|level| level.positives).sum();
    let negatives: u64 = found.iter().map(|level| level.rows - level.positives).sum();
    let mut information = 0.0;
    for level in &mut found {
        let against = level.rows - level.positives;
        if level.positives > 0 && against > 0 {
            let share = level.positives as f64 / positives as f64;
            let other = against as f64 / negatives as f64;
            let weight = log(share / other);
            level.weight = Some(weight);
            information += (share - other) * weight;
        }
    }
    WeightOfEvidence { levels: found, information }
}

/// Pearson's chi-square of a table without continuity correction, its degrees of freedom, and the probability of such a table by chance. Rows and columns
/// without a count are left out; without two of each there is nothing to compare: none.
pub fn chi_square(table: &[Vec<u64>]) -> Option<(f64, usize, f64)> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[u64], column: usize| row.get(column).copied().unwrap_or(0) as f64;
    let of_rows: Vec<f64> = table.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let of_columns: Vec<f64> =
        (0..columns).map(|column| table.iter().map(|row| cell(row, column)).sum()).collect();
    let whole: f64 = of_rows.iter().sum();
    let used = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count();
    let (rows, columns) = (used(&of_rows), used(&of_columns));
    if rows < 2 || columns < 2 {
        return None;
    }
    let mut statistic = 0.0;
    for (row, of_row) in table.iter().zip(&of_rows) {
        for (column, of_column) in of_columns.iter().enumerate() {
            let expected = of_row * of_column / whole;
            if expected > 0.0 {
                let distance = cell(row, column) - expected;
                statistic += distance * distance / expected;
            }
        }
    }
    let freedom = (rows - 1) * (columns - 1);
    Some((statistic, freedom, chi_square_tail(statistic, freedom)))
}

/// How likely a chi-square variable is at least this large.
pub(crate) fn chi_square_tail(statistic: f64, freedom: usize) -> f64 {
    ChiSquared::new(freedom as f64).map_or(1.0, |distribution| distribution.sf(statistic))
}
