//! Turning scores into probabilities, and showing how far they are ones.

use trellis_sdk::math::{exp, log};
use trellis_sdk::{ModelReader, ModelWriter, Result};

/// A monotone map from scores to probabilities.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Calibration {
    /// Scores are probabilities already.
    #[default]
    None,
    /// A logistic curve over the log odds (Platt, 1999).
    Platt {
        /// The factor of the log odds.
        slope: f64,
        /// What is added.
        intercept: f64,
    },
    /// Steps that never fall (pool adjacent violators; Ayer et al., 1955), joined by lines.
    Isotonic {
        /// Scores, ascending.
        scores: Vec<f64>,
        /// The probability at each.
        probabilities: Vec<f64>,
    },
}

/// A group of rows with similar scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// How many rows.
    pub rows: u64,
    /// The mean of their scores.
    pub expected: f64,
    /// The share of positives.
    pub observed: f64,
}

impl Calibration {
    /// The logistic curve that fits scores of held-out rows best. The targets are those of Platt, a little inside 0 and 1, so that few rows do not
    /// make it certain.
    pub fn platt(scores: &[f64], positive: &[bool]) -> Self {
        let positives = positive.iter().filter(|positive| **positive).count() as f64;
        let negatives = positive.len() as f64 - positives;
        let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
        let (mut slope, mut intercept) = (1.0, 0.0);
        for _ in 0..100 {
            let (mut gradient, mut curvature) = ([0.0; 2], [0.0; 3]);
            for (score, positive) in scores.iter().zip(positive) {
                let odds = log_odds(*score);
                let expected = 1.0 / (1.0 + exp(-(slope * odds + intercept)));
                let residual = if *positive { high } else { low } - expected;
                let weight = (expected * (1.0 - expected)).max(1e-12);
                gradient = [gradient[0] + residual * odds, gradient[1] + residual];
                let [first, mixed, last] = curvature;
                curvature = [first + weight * odds * odds, mixed + weight * odds, last + weight];
            }
            let [first, mixed, last] = [curvature[0] + 1e-9, curvature[1], curvature[2] + 1e-9];
            let determinant = first * last - mixed * mixed;
            let steps = [
                (last * gradient[0] - mixed * gradient[1]) / determinant,
                (first * gradient[1] - mixed * gradient[0]) / determinant,
            ];
            if !steps.iter().all(|step| step.is_finite()) {
                break;
            }
            let longest = steps.iter().fold(0.0, |longest: f64, step| longest.max(step.abs()));
            let length = if longest > 1.0 { 1.0 / longest } else { 1.0 };
            slope += length * steps[0];
            intercept += length * steps[1];
            if longest < 1e-10 {
                break;
            }
        }
        Self::Platt { slope: slope.max(0.0), intercept }
    }

    /// The steps that fit scores of held-out rows best without ever falling.
    pub fn isotonic(scores: &[f64], positive: &[bool]) -> Self {
        let mut order: Vec<(f64, f64)> = scores
            .iter()
            .zip(positive)
            .map(|(score, hit)| (*score + 0.0, f64::from(u8::from(*hit))))
            .collect();
        order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        // Blocks of (weight, sum of outcomes, sum of scores), of which each has a higher mean than the one before.
        let mut blocks: Vec<(f64, f64, f64)> = Vec::new();
        for equal in order.chunk_by(|one, other| one.0 == other.0) {
            let weight = equal.len() as f64;
            let sum = |of: fn(&(f64, f64)) -> f64| equal.iter().map(of).sum::<f64>();
            let mut block = (weight, sum(|pair| pair.1), sum(|pair| pair.0));
            while let Some(last) = blocks.last().filter(|last| last.1 * block.0 >= block.1 * last.0) {
                block = (block.0 + last.0, block.1 + last.1, block.2 + last.2);
                blocks.pop();
            }
            blocks.push(block);
        }
        Self::Isotonic {
            scores: blocks.iter().map(|block| block.2 / block.0).collect(),
            probabilities: blocks.iter().map(|block| block.1 / block.0).collect(),
        }
    }

    /// The probability that belongs to a score.
    pub fn apply(&self, score: f64) -> f64 {
        match self {
            Self::None => score,
            Self::Platt { slope, intercept } => 1.0 / (1.0 + exp(-(slope * log_odds(score) + intercept))),
            Self::Isotonic { scores, probabilities } => interpolate(scores, probabilities, score),
        }
    }

    /// Writes the map.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        match self {
            Self::None => writer.u64(0),
            Self::Platt { slope, intercept } => writer.u64(1).f64(*slope).f64(*intercept),
            Self::Isotonic { scores, probabilities } => writer.u64(2).f64s(scores).f64s(probabilities),
        }
    }

    /// Reads what [`Calibration::write`] wrote.
    ///
    /// # Errors
    /// [`trellis_sdk::PluginError::UnreadableModel`] for anything else.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        Ok(match reader.u64()? {
            0 => Self::None,
            1 => Self::Platt { slope: reader.f64()?, intercept: reader.f64()? },
            _ => Self::Isotonic { scores: reader.f64s()?, probabilities: reader.f64s()? },
        })
    }
}

/// Rows in up to `groups` groups of about equal size by ascending score, equal scores together.
pub fn groups(scores: &[f64], positive: &[bool], groups: usize) -> Vec<Group> {
    let mut order: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
    order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let size = order.len().div_ceil(groups.max(1)).max(1);
    let mut found = Vec::new();
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let mut end = size.min(rest.len());
        while end < rest.len() && rest.get(end).map(|row| row.0) == rest.get(end - 1).map(|row| row.0) {
            end += 1;
        }
        let (group, others) = rest.split_at(end);
        rest = others;
        let rows = group.len() as f64;
        found.push(Group {
            rows: group.len() as u64,
            expected: group.iter().map(|row| row.0).sum::<f64>() / rows,
            observed: group.iter().filter(|row| row.1).count() as f64 / rows,
        });
    }
    found
}

fn log_odds(score: f64) -> f64 {
    let score = score.clamp(1e-9, 1.0 - 1e-9);
    log(score / (1.0 - score))
}

fn interpolate(scores: &[f64], probabilities: &[f64], score: f64) -> f64 {
    let above = scores.partition_point(|known| *known <= score);
    let at = |place: usize| Some((*scores.get(place)?, *probabilities.get(place)?));
    match (above.checked_sub(1).and_then(at), at(above)) {
        (Some((lower, one)), Some((upper, other))) => one + (other - one) * (score - lower) / (upper - lower),
        (Some((_, only)), None) | (None, Some((_, only))) => only,
        (None, None) => score,
    }
}
