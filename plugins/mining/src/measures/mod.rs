//! How good scores are, once it is known what became of the rows.

mod association;
mod deciles;
mod ranking;

use trellis_sdk::math::log;

pub(crate) use association::chi_square_tail;
pub use association::{Level, WeightOfEvidence, chi_square, weight_of_evidence};
pub use deciles::{Decile, deciles};
pub use ranking::{Roc, auc, kolmogorov_smirnov, roc};

/// What became of rows whose score reached a threshold, and of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Positive, and predicted so.
    pub true_positive: u64,
    /// Negative, but predicted positive.
    pub false_positive: u64,
    /// Positive, but predicted negative.
    pub false_negative: u64,
    /// Negative, and predicted so.
    pub true_negative: u64,
}

impl Confusion {
    /// Counts; a score equal to the threshold predicts a positive.
    pub fn of(scores: &[f64], positive: &[bool], threshold: f64) -> Self {
        let mut confusion = Self::default();
        for (score, positive) in scores.iter().zip(positive) {
            let cell = match (*score >= threshold, *positive) {
                (true, true) => &mut confusion.true_positive,
                (true, false) => &mut confusion.false_positive,
                (false, true) => &mut confusion.false_negative,
                (false, false) => &mut confusion.true_negative,
            };
            *cell += 1;
        }
        confusion
    }

    /// The share of rows that were predicted rightly; 0 of none.
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positive + self.true_negative;
        ratio(right, right + self.false_positive + self.false_negative)
    }

    /// Of those predicted positive the share that is; 0 where nobody was.
    pub fn precision(&self) -> f64 {
        ratio(self.true_positive, self.true_positive + self.false_positive)
    }

    /// Of the positives the share that was found; 0 where there are none.
    pub fn recall(&self) -> f64 {
        ratio(self.true_positive, self.true_positive + self.false_negative)
    }
}

/// The mean squared distance between probabilities and what became of them (Brier, 1950).
pub fn brier(scores: &[f64], positive: &[bool]) -> f64 {
    let squares = scores.iter().zip(positive).map(|(score, positive)| {
        let distance = score - f64::from(u8::from(*positive));
        distance * distance
    });
    squares.sum::<f64>() / scores.len().max(1) as f64
}

/// The mean of minus the logarithm of the probability of what happened. Probabilities of 0 and 1 count as the smallest step away from them,
/// so that one certainty that was wrong does not make it infinite.
pub fn log_loss(scores: &[f64], positive: &[bool]) -> f64 {
    let losses = scores.iter().zip(positive).map(|(score, positive)| {
        let of_truth = if *positive { *score } else { 1.0 - score };
        -log(of_truth.clamp(f64::EPSILON, 1.0))
    });
    losses.sum::<f64>() / scores.len().max(1) as f64
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
