//! Checking the model on purchases that it has not seen.

use trellis_sdk::math::{fabs, sqrt};

use crate::config::Config;
use crate::history::{Histories, History, weeks};
use crate::population::COUNTS_MAX;
use crate::purchases::Purchases;

/// Predictions of a model of what lay before the window, and what happened in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Holdout {
    pub(crate) actual: f64,
    pub(crate) predicted: f64,
    pub(crate) mean_absolute_error: f64,
    pub(crate) root_mean_square_error: f64,
    /// Pearson's; 0 where one of the two is constant.
    pub(crate) correlation: f64,
    /// Customers with 0, 1, … repeat purchases before the window; the last with that many and more.
    pub(crate) by_repeats: Vec<HoldoutRow>,
}

/// Means of customers with equally many repeat purchases.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct HoldoutRow {
    pub(crate) customers: u64,
    pub(crate) actual: f64,
    pub(crate) predicted: f64,
}

impl Holdout {
    /// Fits to the histories before the window and compares; none where these do not suffice for a model.
    pub(crate) fn check(customers: &[(History, u32)], config: &Config) -> Option<Self> {
        let histories = Histories::new(customers.iter().map(|(history, _)| *history).collect());
        let model = Purchases::fit(&histories, config.model)?.model;
        let window = weeks(config.holdout_days);
        let mut predictions: Vec<(History, f64)> = histories
            .distinct
            .iter()
            .map(|(history, _)| (*history, model.expected(history, window)))
            .collect();
        predictions.sort_unstable_by_key(|(history, _)| *history);
        let mut sums = Sums::default();
        let mut by_repeats = vec![HoldoutRow::default(); COUNTS_MAX + 1];
        for (history, actual) in customers {
            let place = predictions.binary_search_by_key(history, |(history, _)| *history).ok()?;
            let predicted = predictions.get(place).map_or(0.0, |(_, predicted)| *predicted);
            let actual = f64::from(*actual);
            sums.add(actual, predicted);
            if let Some(row) = by_repeats.get_mut((history.repeats as usize).min(COUNTS_MAX)) {
                row.customers += 1;
                row.actual += actual;
                row.predicted += predicted;
            }
        }
        for row in &mut by_repeats {
            let customers = row.customers.max(1) as f64;
            (row.actual, row.predicted) = (row.actual / customers, row.predicted / customers);
        }
        Some(sums.holdout(by_repeats))
    }
}

#[derive(Debug, Default)]
struct Sums {
    count: f64,
    actual: f64,
    predicted: f64,
    actual_squares: f64,
    predicted_squares: f64,
    products: f64,
    errors: f64,
    error_squares: f64,
}

impl Sums {
    fn add(&mut self, actual: f64, predicted: f64) {
        self.count += 1.0;
        self.actual += actual;
        self.predicted += predicted;
        self.actual_squares += actual * actual;
        self.predicted_squares += predicted * predicted;
        self.products += actual * predicted;
        self.errors += fabs(actual - predicted);
        self.error_squares += (actual - predicted) * (actual - predicted);
    }

    fn holdout(&self, by_repeats: Vec<HoldoutRow>) -> Holdout {
        let covariance = self.products - self.actual * self.predicted / self.count;
        let variances = (self.actual_squares - self.actual * self.actual / self.count)
            * (self.predicted_squares - self.predicted * self.predicted / self.count);
        Holdout {
            actual: self.actual,
            predicted: self.predicted,
            mean_absolute_error: self.errors / self.count,
            root_mean_square_error: sqrt(self.error_squares / self.count),
            correlation: if variances > 0.0 { covariance / sqrt(variances) } else { 0.0 },
            by_repeats,
        }
    }
}
