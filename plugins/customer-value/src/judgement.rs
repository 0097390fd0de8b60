//! What a customer is worth, what it gets, and how much of its wallet is ours.

use crate::model::ValueModel;
use crate::rows::{COSTS, Customer, Item, VALUES};

/// Value delivered by value captured.
pub(crate) const QUADRANTS: [&str; 4] = ["synergy", "generous", "harvested", "weak"];

/// What is said of one customer. Points are of 100.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Judgement {
    /// History, potential, satisfaction, influence.
    pub(crate) parts: [Option<f64>; 4],
    pub(crate) value: Option<f64>,
    /// Economic, development, image.
    pub(crate) contributions: [Option<f64>; 3],
    pub(crate) composite: Option<f64>,
    /// Sums of four ratings: 4 to 40.
    pub(crate) total_value: Option<f64>,
    pub(crate) total_cost: Option<f64>,
    /// The first less the second, −36 to 36.
    pub(crate) delivered: Option<f64>,
    /// Percent, at most 100.
    pub(crate) wallet: Option<f64>,
    /// By how many percentage points that is more than in the window before, at the same estimate.
    pub(crate) wallet_change: Option<f64>,
    /// Whether the sales exceed the estimate, which is then wrong.
    pub(crate) exceeds_estimate: bool,
    /// A place in [`QUADRANTS`].
    pub(crate) quadrant: Option<usize>,
}

impl ValueModel {
    /// Judges one customer by what was learned from all.
    pub(crate) fn judge(&self, customer: &Customer<'_>) -> Judgement {
        let (wallet, exceeds_estimate) = self.wallet(customer);
        let parts = [
            self.history(customer),
            self.potential(customer, wallet),
            customer.points(Item::Satisfaction),
            customer.points(Item::Influence),
        ];
        let contributions = [
            if customer.orders > 0 { self.spent.percent(customer.spent as f64) } else { None },
            self.potential(customer, wallet),
            customer.points(Item::SocialImage),
        ];
        let sum = |items| customer.mean(items).map(|mean| 4.0 * mean);
        let (total_value, total_cost) = (sum(VALUES), sum(COSTS));
        let delivered = total_value.zip(total_cost).map(|(value, cost)| value - cost);
        Judgement {
            parts,
            value: weighted(parts, self.config.value_weights()),
            contributions,
            composite: weighted(contributions, self.config.composite_weights()),
            total_value,
            total_cost,
            delivered,
            wallet,
            wallet_change: wallet
                .zip(self.share(customer, customer.spent_before))
                .map(|(now, before)| now - before.min(100.0)),
            exceeds_estimate,
            quadrant: delivered.map(|delivered| self.quadrant(delivered, customer)),
        }
    }

    /// The mean of the ranks by amount and by number of orders.
    fn history(&self, customer: &Customer<'_>) -> Option<f64> {
        if customer.orders == 0 {
            return None;
        }
        let (amount, number) =
            (self.spent.percent(customer.spent as f64)?, self.orders.percent(customer.orders as f64)?);
        Some(f64::midpoint(amount, number))
    }

    /// What was rated; else the rank of what the customer is thought to spend elsewhere.
    fn potential(&self, customer: &Customer<'_>, wallet: Option<f64>) -> Option<f64> {
        let elsewhere = || self.elsewhere.percent(elsewhere(customer, wallet?)?);
        customer.points(Item::Potential).or_else(elsewhere)
    }

    /// Sales of the window as a share of the estimated spend over as many days, in percent.
    pub(crate) fn wallet(&self, customer: &Customer<'_>) -> (Option<f64>, bool) {
        let share = self.share(customer, customer.spent_window);
        (share.map(|share| share.min(100.0)), share.is_some_and(|share| share > 100.0))
    }

    /// Sales of as many days as the window has, in percent of the estimate; over 100 where they exceed it.
    fn share(&self, customer: &Customer<'_>, sales: i64) -> Option<f64> {
        let over_window = customer.estimated_spend? as f64 * f64::from(self.config.window_days) / 365.0;
        Some(100.0 * sales.max(0) as f64 / over_window)
    }

    /// Delivered and captured at or above the middle of the population.
    fn quadrant(&self, delivered: f64, customer: &Customer<'_>) -> usize {
        let captured = customer.spent_window as f64;
        match (delivered >= self.delivered_middle, captured >= self.captured_middle) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        }
    }
}

/// What the customer is thought to spend a year elsewhere, in minor units.
pub(crate) fn elsewhere(customer: &Customer<'_>, wallet: f64) -> Option<f64> {
    customer.estimated_spend.map(|estimated| estimated as f64 * (1.0 - wallet / 100.0))
}

/// The mean of what is known, by weight; none where nothing that has a weight is known.
fn weighted<const N: usize>(parts: [Option<f64>; N], weights: [f64; N]) -> Option<f64> {
    let known = parts.iter().zip(weights).filter_map(|(part, weight)| Some(((*part)?, weight)));
    let (sum, whole) =
        known.fold((0.0, 0.0), |(sum, whole), (part, weight)| (sum + part * weight, whole + weight));
    (whole > 0.0).then(|| (sum / whole).clamp(0.0, 100.0))
}
