//! The rows in ten groups from the highest score to the lowest: lift and gains.

/// One of ten equal groups.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Decile {
    /// How many rows are in it.
    pub rows: u64,
    /// How many of them are positive.
    pub positives: u64,
    /// The mean of their scores.
    pub mean_score: f64,
    /// Their lowest score; 0 where there are none.
    pub lowest_score: f64,
    /// The share of positives.
    pub rate: f64,
    /// That share over the share among all rows.
    pub lift: f64,
    /// The share of all positives that is in this group or a higher one.
    pub cumulative_gain: f64,
    /// The share of positives in this group and the higher ones over the share among all rows.
    pub cumulative_lift: f64,
}

/// Divides the rows: group g of n rows holds the ranks ⌊(g-1)·n/10⌋ + 1 to ⌊g·n/10⌋ by descending score, rounded to twelve decimal places; of equal scores
/// the earlier row comes first.
pub fn deciles(scores: &[f64], positive: &[bool]) -> Vec<Decile> {
    let rounded = |score: f64| (score * 1e12).round();
    let mut order: Vec<(f64, usize)> =
        scores.iter().enumerate().map(|(row, score)| (rounded(*score) + 0.0, row)).collect();
    order.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    let all = order.len();
    let positives = positive.iter().filter(|positive| **positive).count() as f64;
    let base = positives / all.max(1) as f64;
    let over = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let (mut found, mut seen) = (0_u64, 0_u64);
    let group = |number: usize| {
        let ranks = order.get((number - 1) * all / 10..number * all / 10).unwrap_or_default();
        let of_row = |row: usize| (scores.get(row).copied(), positive.get(row).copied());
        let hits = ranks.iter().filter(|(_, row)| of_row(*row).1 == Some(true)).count() as u64;
        let sum: f64 = ranks.iter().filter_map(|(_, row)| of_row(*row).0).sum();
        found += hits;
        seen += ranks.len() as u64;
        let rate = over(hits as f64, ranks.len() as f64);
        Decile {
            rows: ranks.len() as u64,
            positives: hits,
            mean_score: over(sum, ranks.len() as f64),
            lowest_score: ranks.last().and_then(|(_, row)| of_row(*row).0).unwrap_or(0.0),
            rate,
            lift: over(rate, base),
            cumulative_gain: over(found as f64, positives),
            cumulative_lift: over(over(found as f64, seen as f64), base),
        }
    };
    (1..=10).map(group).collect()
}
