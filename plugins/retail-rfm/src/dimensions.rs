//! Grading one of the three dimensions.

use crate::config::Method;

/// Which end of a dimension is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// More is better: frequency, monetary value.
    Up,
    /// Less is better: recency in days.
    Down,
}

/// What `fit` learned about one dimension.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dimension {
    pub(crate) direction: Direction,
    /// The quantiles 1/n … (n-1)/n of the values, ascending, interpolated linearly (type 7 of Hyndman and Fan).
    pub(crate) thresholds: Vec<f64>,
    /// The first (key, ordinal) of the second, third … equal group, ascending; fewer where there are fewer customers than
    /// groups. The key is the value, negated where less is better.
    pub(crate) boundaries: Vec<(i64, u64)>,
    /// The bounds that an admin set, ascending: days, orders, minor units; none where there are none.
    pub(crate) bounds: Vec<f64>,
    /// The mean over the population of the quantile score, counted from 1.
    pub(crate) mean_score: f64,
    /// The mean over the population of the score that decides on the class.
    pub(crate) class_mean: f64,
    /// Whether everybody has the same value, so that it tells nobody from others.
    pub(crate) is_constant: bool,
}

impl Direction {
    /// What sorts the worst first.
    pub(crate) fn key(self, value: i64) -> i64 {
        match self {
            Self::Up => value,
            Self::Down => -value,
        }
    }
}

impl Dimension {
    /// For each value its score by quantiles, counted from 0, the worst. Equal values have equal scores.
    ///
    /// The loops run over whole columns, one threshold at a time, since that is what compiles to straight code.
    pub(crate) fn quantile_scores(&self, values: &[i64]) -> Vec<u32> {
        self.scores_by(&self.thresholds, values)
    }

    /// For each value its score by the bounds that an admin set, counted from 0, the worst.
    pub(crate) fn fixed_scores(&self, values: &[i64]) -> Vec<u32> {
        self.scores_by(&self.bounds, values)
    }

    /// For each row its score by `method`.
    pub(crate) fn scores(&self, method: Method, values: &[i64], ordinals: &[u64]) -> Vec<u32> {
        match method {
            Method::Quantile => self.quantile_scores(values),
            Method::Ntile => self.ntile_scores(values, ordinals),
            Method::Fixed => self.fixed_scores(values),
        }
    }

    fn scores_by(&self, thresholds: &[f64], values: &[i64]) -> Vec<u32> {
        let mut scores = vec![0; values.len()];
        for threshold in thresholds {
            for (score, value) in scores.iter_mut().zip(values) {
                *score += u32::from(*value as f64 > *threshold);
            }
        }
        if self.direction == Direction::Down {
            let best = thresholds.len() as u32;
            scores.iter_mut().for_each(|score| *score = best - *score);
        }
        scores
    }

    /// For each row its score by equal groups, counted from 0, the worst. Of equal values the lower ordinal comes first.
    pub(crate) fn ntile_scores(&self, values: &[i64], ordinals: &[u64]) -> Vec<u32> {
        let mut scores = vec![0; values.len()];
        for (boundary, first_ordinal) in &self.boundaries {
            for ((score, value), ordinal) in scores.iter_mut().zip(values).zip(ordinals) {
                let key = self.direction.key(*value);
                *score += u32::from(key > *boundary)
                    | u32::from(key == *boundary) & u32::from(ordinal >= first_ordinal);
            }
        }
        scores
    }
}
