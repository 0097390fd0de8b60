//! What drives loyalty: four regressions, with two links that are zero by definition; and the two curves of satisfaction.

use trellis_sdk::math;

use crate::least_squares::{Fit, LeastSquares};
use crate::rows::{Customer, Item, METRICS, SWITCHING_COSTS};

/// How many of perceived value, satisfaction, trust and switching cost each metric takes: switching cost, the last, keeps customers buying and tolerating prices, and makes nobody buy
/// something else or recommend.
pub(crate) const INPUTS_OF_METRIC: [usize; 4] = [4, 3, 3, 4];

/// Sums up what the four regressions need. Ratings are 1 to 10.
#[derive(Debug)]
pub(crate) struct Determinants {
    metrics: [LeastSquares; 4],
    /// The attitude in points of 100 by how far basic and latent expectations are met.
    basic: LeastSquares,
    latent: LeastSquares,
    levels: [[(f64, u64); 10]; 2],
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Found {
    /// For each metric; none where too few customers answered.
    pub(crate) metrics: [Option<Fit>; 4],
    /// Attitude = a + b ln(rating): each further point of basic expectations brings less.
    pub(crate) basic: Option<Fit>,
    /// Attitude = a + b rating²: each further point of latent expectations brings more.
    pub(crate) latent: Option<Fit>,
    /// The mean attitude and the number of customers at each rating 1 to 10, of basic and of latent expectations.
    pub(crate) levels: [[(f64, u64); 10]; 2],
}

impl Default for Determinants {
    fn default() -> Self {
        Self {
            metrics: INPUTS_OF_METRIC.map(LeastSquares::new),
            basic: LeastSquares::new(1),
            latent: LeastSquares::new(1),
            levels: [[(0.0, 0); 10]; 2],
        }
    }
}

impl Determinants {
    /// Adds a customer where it answered what is needed.
    pub(crate) fn add(&mut self, customer: &Customer) {
        let inputs = [
            customer.rating(Item::PerceivedValue),
            customer.rating(Item::Satisfaction),
            customer.trust(),
            customer.mean_rating(&SWITCHING_COSTS),
        ];
        for ((regression, item), count) in self.metrics.iter_mut().zip(METRICS).zip(INPUTS_OF_METRIC) {
            let mut row = [0.0; 4];
            let known = row.iter_mut().zip(inputs).take(count);
            let is_complete = known.fold(true, |complete, (cell, input)| {
                *cell = input.unwrap_or_default();
                complete && input.is_some()
            });
            if let Some(outcome) = customer.rating(item).filter(|_| is_complete) {
                regression.add(row.get(..count).unwrap_or_default(), outcome);
            }
        }
        let Some(attitude) = customer.mean_points(&METRICS) else { return };
        if let Some(rating) = customer.rating(Item::BasicExpectations) {
            self.basic.add(&[basic_term(rating)], attitude);
        }
        if let Some(rating) = customer.rating(Item::LatentExpectations) {
            self.latent.add(&[latent_term(rating)], attitude);
        }
        let expectations = [Item::BasicExpectations, Item::LatentExpectations];
        for (levels, item) in self.levels.iter_mut().zip(expectations) {
            let level = customer.rating(item).and_then(|rating| levels.get_mut(rating.round() as usize - 1));
            if let Some((sum, count)) = level {
                *sum += attitude;
                *count += 1;
            }
        }
    }

    pub(crate) fn found(&self) -> Found {
        let mean = |(sum, count): (f64, u64)| (if count > 0 { sum / count as f64 } else { 0.0 }, count);
        Found {
            metrics: self.metrics.each_ref().map(LeastSquares::solve),
            basic: self.basic.solve(),
            latent: self.latent.solve(),
            levels: self.levels.map(|levels| levels.map(mean)),
        }
    }
}

/// What the attitude is linear in, of basic expectations.
pub(crate) fn basic_term(rating: f64) -> f64 {
    math::log(rating)
}

/// What the attitude is linear in, of latent expectations.
pub(crate) fn latent_term(rating: f64) -> f64 {
    rating * rating
}

/// The value of a curve of one term.
pub(crate) fn curve(fit: &Fit, term: f64) -> f64 {
    let slope = fit.coefficients.first().copied().flatten().map_or(0.0, |slope| slope.value);
    fit.intercept.value + slope * term
}
