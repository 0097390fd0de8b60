//! How well scores tell positives from negatives, whatever their scale.

/// A point of the receiver operating characteristic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roc {
    /// The share of negatives whose score is at least `threshold`.
    pub false_positive_rate: f64,
    /// The share of positives whose score is at least `threshold`.
    pub true_positive_rate: f64,
    /// The score.
    pub threshold: f64,
}

/// The area under the receiver operating characteristic: how likely a positive scores higher than a negative, a tie counting half
/// (Mann-Whitney with mid-ranks). ½ where there is only one class.
pub fn auc(scores: &[f64], positive: &[bool]) -> f64 {
    let (mut won, mut negatives_below) = (0.0, 0_u64);
    let (mut positives, mut negatives) = (0_u64, 0_u64);
    each_score(scores, positive, |_, of_positives, of_negatives| {
        won += of_positives as f64 * (negatives_below as f64 + of_negatives as f64 / 2.0);
        negatives_below += of_negatives;
        positives += of_positives;
        negatives += of_negatives;
    });
    if positives == 0 || negatives == 0 {
        return 0.5;
    }
    won / positives as f64 / negatives as f64
}

/// The largest distance between the distributions of the scores of positives and negatives; 0 where there is only one class.
pub fn kolmogorov_smirnov(scores: &[f64], positive: &[bool]) -> f64 {
    let points = roc(scores, positive);
    points
        .iter()
        .map(|point| (point.true_positive_rate - point.false_positive_rate).abs())
        .fold(0.0, f64::max)
}

/// The receiver operating characteristic, a point for each different score, the highest first. Empty where there is only one class.
pub fn roc(scores: &[f64], positive: &[bool]) -> Vec<Roc> {
    let mut steps = Vec::new();
    each_score(scores, positive, |score, of_positives, of_negatives| {
        steps.push((score, of_positives, of_negatives));
    });
    let sum = |of: fn(&(f64, u64, u64)) -> u64| steps.iter().map(of).sum::<u64>() as f64;
    let (positives, negatives) = (sum(|step| step.1), sum(|step| step.2));
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let (mut found, mut wrong) = (0, 0);
    let points = steps.iter().rev().map(|(threshold, of_positives, of_negatives)| {
        found += of_positives;
        wrong += of_negatives;
        Roc {
            false_positive_rate: wrong as f64 / negatives,
            true_positive_rate: found as f64 / positives,
            threshold: *threshold,
        }
    });
    points.collect()
}

/// Hands over each different score in ascending order, with how many positives and negatives have it.
fn each_score(scores: &[f64], positive: &[bool], mut each: impl FnMut(f64, u64, u64)) {
    let mut sorted: Vec<(f64, bool)> =
        scores.iter().map(|score| score + 0.0).zip(positive.iter().copied()).collect();
    sorted.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    for equal in sorted.chunk_by(|one, other| one.0 == other.0) {
        let positives = equal.iter().filter(|(_, positive)| *positive).count() as u64;
        let score = equal.first().map_or(0.0, |(score, _)| *score);
        each(score, positives, equal.len() as u64 - positives);
    }
}
