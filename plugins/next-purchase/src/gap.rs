//! How long it takes until a customer buys again.

use trellis_likelihood::GammaGamma;
use trellis_likelihood::special::incomplete_beta;
use trellis_sdk::math::{exp, lgamma, log, pow};

/// Beyond this many days a purchase is not predicted.
pub(crate) const DAYS_MAX: f64 = 36_500.0;

/// The time from one purchase day to the next of one customer. Times between purchases are Gamma(p, rate λ) with λ Gamma(q, rate v) over customers;
/// after `count` such times that add up to `days`, λ is Gamma(q + p·count, v + days), and the next time follows a beta prime distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gap {
    shape: f64,
    tail: f64,
    scale: f64,
}

impl Gap {
    pub(crate) fn new(model: &GammaGamma, count: f64, days: f64) -> Self {
        Self { shape: model.p, tail: model.q + model.p * count, scale: model.v + days }
    }

    /// The mean; none where it is infinite.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.tail > 1.0).then(|| self.shape * self.scale / (self.tail - 1.0))
    }

    /// The probability that it takes longer than so many days.
    pub(crate) fn survival(&self, days: f64) -> f64 {
        incomplete_beta(self.tail, self.shape, self.scale / (self.scale + days.max(0.0)))
    }

    /// The probability to buy within `window` days, of somebody whose last purchase is `since` days ago.
    pub(crate) fn within(&self, since: f64, window: f64) -> f64 {
        1.0 - self.left(since, since + window)
    }

    /// The probability that it takes longer than `until` days, if it takes longer than `since`.
    fn left(&self, since: f64, until: f64) -> f64 {
        let so_far = self.survival(since);
        let left = if so_far > 1e-280 {
            self.survival(until) / so_far
        } else {
            // So far out the tail is a power.
            pow((self.scale + since) / (self.scale + until), self.tail)
        };
        left.clamp(0.0, 1.0)
    }

    /// After how many days from now half of such customers, whose last purchase is `since` days ago, have bought: to a hundredth of a day, at most
    /// [`DAYS_MAX`].
    pub(crate) fn median_left(&self, since: f64) -> f64 {
        let (mut low, mut high) = (0.0, DAYS_MAX);
        if self.left(since, since + high) > 0.5 {
            return DAYS_MAX;
        }
        let mut guess = self.mean().map_or(self.scale, |mean| 0.7 * mean).clamp(0.01, DAYS_MAX);
        for _ in 0..60 {
            let left = self.left(since, since + guess);
            if left > 0.5 {
                low = guess;
            } else {
                high = guess;
            }
            // Newton's step for the logarithm of what is left, or half the way where it leads outside.
            let hazard = self.hazard(since + guess);
            let step = if left > 0.0 && hazard > 0.0 { log(2.0 * left) / hazard } else { f64::NAN };
            let next = guess + step;
            let next = if next > low && next < high { next } else { 0.5 * (low + high) };
            if (next - guess).abs() < 0.01 || high - low < 0.01 {
                return next;
            }
            guess = next;
        }
        guess
    }

    /// The density over the survival.
    fn hazard(&self, days: f64) -> f64 {
        let survival = self.survival(days);
        let share = days / (self.scale + days);
        let logarithm = (self.shape - 1.0) * log(share)
            + (self.tail + 1.0) * log(1.0 - share)
            + lgamma(self.shape + self.tail)
            - lgamma(self.shape)
            - lgamma(self.tail);
        exp(logarithm) / self.scale / survival
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: GammaGamma = GammaGamma { p: 1.4, q: 2.3, v: 60.0 };

    #[test]
    fn the_median_leaves_half() {
        for (count, days, since) in
            [(0.0, 0.0, 0.0), (1.0, 20.0, 5.0), (9.0, 270.0, 31.0), (3.0, 90.0, 900.0), (40.0, 40.0, 400.0)]
        {
            let gap = Gap::new(&MODEL, count, days);
            let median = gap.median_left(since);
            assert!((gap.left(since, since + median) - 0.5).abs() < 1e-3, "{count} {days} {since}: {median}");
        }
    }

    /// Against the mean of exponential-like gaps over the rate's distribution, by the midpoint rule.
    #[test]
    fn survival_is_the_mixture_over_rates() {
        let exponential = GammaGamma { p: 1.0, q: 2.3, v: 60.0 };
        let gap = Gap::new(&exponential, 2.0, 30.0);
        for days in [1.0, 10.0, 100.0] {
            // With p = 1 the mixture is (v / (v + t))^q in closed form.
            let expected = (90.0_f64 / (90.0 + days)).powf(4.3);
            assert!((gap.survival(days) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn who_is_long_gone_does_not_break_the_figures() {
        let gap = Gap::new(&GammaGamma { p: 400.0, q: 50.0, v: 3.0 }, 200.0, 200.0);
        let (within, median) = (gap.within(5000.0, 30.0), gap.median_left(5000.0));
        assert!((0.0..=1.0).contains(&within) && median.is_finite() && median > 0.0);
    }
}
