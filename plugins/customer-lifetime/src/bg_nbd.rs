//! The BG/NBD model: while active, a customer buys as a Poisson process with a rate that is Gamma(r, α) over customers; after each purchase
//! the customer stops with a probability that is Beta(a, b) over customers.
//!
//! P. Fader, B. Hardie, K. Lee, "Counting Your Customers" the Easy Way, *Marketing Science* 24 (2005).

use trellis_likelihood::special::{digamma, hypergeometric};
use trellis_likelihood::{Maximum, standard_errors};
use trellis_sdk::math::{exp, expm1, fabs, lgamma, log, log1p, pow};

use crate::climb::climb;
use crate::history::{Histories, History, weeks};
use crate::purchases::Estimate;

/// Beyond these logarithms of a parameter the likelihood is as good as flat.
const LOGARITHM_MAX: f64 = 14.0;

/// The parameters; times in weeks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbd {
    /// Shape of the rates.
    pub r: f64,
    /// Rate of the rates, in weeks.
    pub alpha: f64,
    /// First shape of the probabilities to stop.
    pub a: f64,
    /// Second shape of the probabilities to stop.
    pub b: f64,
}

impl BgNbd {
    /// Fits by maximum likelihood; none where nobody bought again.
    pub fn fit(histories: &Histories) -> Option<Estimate<Self>> {
        if histories.repeats == 0 {
            return None;
        }
        let age = log(histories.mean_age());
        let starts = [[0.0, age, 0.0, 0.0], [-1.2, age - 1.5, -0.5, 1.0], [0.7, age, -2.0, 2.0]];
        let mut tables = Tables::new(histories.days_max);
        let mut function =
            |histories: &Histories, point: &[f64; 4]| likelihood(histories, &mut tables, point);
        let Maximum { point, value, is_flat } = climb(histories, &starts, &mut function)?;
        let [r, alpha, a, b] = point.map(exp);
        let errors = standard_errors(&point, |point| function(histories, point).1);
        let errors = std::array::from_fn(|part| {
            errors.get(part).copied().flatten().zip(point.get(part)).map(|(error, part)| error * exp(*part))
        });
        Some(Estimate {
            model: Self { r, alpha, a, b },
            standard_errors: errors,
            log_likelihood: value,
            is_flat,
        })
    }

    /// The probability that the customer has not stopped. Without repeat purchases it is 1: the model lets nobody stop before a second one.
    pub fn alive(&self, history: &History) -> f64 {
        if history.repeats == 0 {
            return 1.0;
        }
        let x = history.x();
        let odds = self.a / (self.b + x - 1.0)
            * exp((self.r + x) * log((self.alpha + history.age()) / (self.alpha + history.t_x())));
        1.0 / (1.0 + odds)
    }

    /// The expected number of purchases within `weeks` from now.
    ///
    /// The paper's formula after Euler's transformation, which neither overflows nor cancels for customers with many purchases.
    pub fn expected(&self, history: &History, weeks: f64) -> f64 {
        let (x, age) = (history.x(), self.alpha + history.age());
        // At a = 1 both sides of the fraction vanish; a step aside costs ten digits less than is shown.
        let above_one = if fabs(self.a - 1.0) < 1e-6 { 1e-6 } else { self.a - 1.0 };
        let c = above_one + self.b + x;
        let c = if fabs(c) < 1e-9 { 1e-9 } else { c };
        let z = weeks / (age + weeks);
        let series = hypergeometric(above_one + self.b - self.r, above_one, c, z);
        let left = log1p(-z) * above_one;
        // 1 - e^left (1 + (series - 1)), with the small parts apart.
        let bought = -expm1(left) - exp(left) * (series - 1.0);
        (c / above_one * bought * self.alive(history)).max(0.0)
    }

    /// The probabilities of 0, 1, … purchases within `weeks` of a new customer, after the first.
    pub fn counts(&self, weeks: f64, most: usize) -> Vec<f64> {
        let left = self.alpha / (self.alpha + weeks);
        let passed = weeks / (self.alpha + weeks);
        let mut bought = pow(left, self.r);
        let mut at_most_before = 0.0;
        let ln_beta = |a: f64, b: f64| lgamma(a) + lgamma(b) - lgamma(a + b);
        let whole = ln_beta(self.a, self.b);
        (0..=most)
            .map(|count| {
                let x = count as f64;
                let active = exp(ln_beta(self.a, self.b + x) - whole) * bought;
                let stopped = if count > 0 {
                    exp(ln_beta(self.a + 1.0, self.b + x - 1.0) - whole) * (1.0 - at_most_before)
                } else {
                    0.0
                };
                at_most_before += bought;
                bought *= (self.r + x) / (x + 1.0) * passed;
                active + stopped
            })
            .collect()
    }
}

/// Days for which logarithms are kept: some 50 years. What a wrong date makes longer is computed where it occurs.
const TABLE_DAYS_MAX: u32 = 20_000;

/// ln(α + t) and 1/(α + t) for each day t: every history is made of a few hundred days.
#[derive(Debug)]
struct Tables {
    alpha: f64,
    logarithms: Vec<f64>,
    inverses: Vec<f64>,
}

impl Tables {
    fn new(days_max: u32) -> Self {
        let days = days_max.min(TABLE_DAYS_MAX) as usize + 1;
        Self { alpha: f64::NAN, logarithms: vec![0.0; days], inverses: vec![0.0; days] }
    }

    fn fill(&mut self, alpha: f64) {
        self.alpha = alpha;
        for ((day, logarithm), inverse) in (0..).zip(&mut self.logarithms).zip(&mut self.inverses) {
            let rate = alpha + weeks(day);
            *logarithm = log(rate);
            *inverse = 1.0 / rate;
        }
    }

    fn at(&self, day: u32) -> (f64, f64) {
        let place = day as usize;
        let (Some(logarithm), Some(inverse)) = (self.logarithms.get(place), self.inverses.get(place)) else {
            let rate = self.alpha + weeks(day);
            return (log(rate), 1.0 / rate);
        };
        (*logarithm, *inverse)
    }
}

/// The log-likelihood and its slopes by the logarithms of r, α, a and b.
fn likelihood(histories: &Histories, tables: &mut Tables, point: &[f64; 4]) -> (f64, [f64; 4]) {
    if point.iter().any(|logarithm| fabs(*logarithm) > LOGARITHM_MAX) {
        return (f64::NEG_INFINITY, [0.0; 4]);
    }
    let [r, alpha, a, b] = point.map(exp);
    tables.fill(alpha);
    let (log_alpha, log_a) = (log(alpha), log(a));
    let (gamma_r, gamma_b, gamma_both) = (lgamma(r), lgamma(b), lgamma(a + b));
    let (digamma_r, digamma_b, digamma_both) = (digamma(r), digamma(b), digamma(a + b));
    let (mut value, mut by_r, mut by_alpha, mut by_a, mut by_b) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for group in histories.by_repeats() {
        let Some((first, _)) = group.first() else { continue };
        let x = first.x();
        let shape = r + x;
        let log_stop = if first.repeats > 0 { log_a - log(b + x - 1.0) } else { f64::NEG_INFINITY };
        let mut sums = Sums::default();
        for (history, count) in group {
            let ((log_age, by_age), (log_last, by_last)) =
                (tables.at(history.age_days), tables.at(history.last_days));
            sums.add(f64::from(*count), shape, [log_age, by_age, log_last, by_last], log_stop);
        }
        value += sums.customers
            * (lgamma(shape) - gamma_r + r * log_alpha + gamma_both + lgamma(b + x)
                - gamma_b
                - lgamma(a + b + x))
            + sums.value;
        by_r += sums.customers * (digamma(shape) - digamma_r + log_alpha) - sums.by_shape;
        by_alpha += sums.customers * r / alpha - shape * sums.by_time;
        let digamma_end = digamma(a + b + x);
        by_a += sums.customers * (digamma_both - digamma_end) + sums.stopped / a;
        by_b += sums.customers * (digamma_both + digamma(b + x) - digamma_b - digamma_end);
        if first.repeats > 0 {
            by_b -= sums.stopped / (b + x - 1.0);
        }
    }
    (value, [r * by_r, alpha * by_alpha, a * by_a, b * by_b])
}

/// What differs between customers with equally many repeats.
#[derive(Debug, Default)]
struct Sums {
    customers: f64,
    value: f64,
    by_shape: f64,
    by_time: f64,
    /// The probabilities to have stopped.
    stopped: f64,
}

impl Sums {
    #[inline]
    fn add(&mut self, count: f64, shape: f64, [log_age, by_age, log_last, by_last]: [f64; 4], log_stop: f64) {
        self.customers += count;
        // Two ways to have come about: still active, or stopped after the last purchase.
        let advantage = log_stop + shape * (log_age - log_last);
        let smaller = exp(-fabs(advantage));
        let stopped = if advantage > 0.0 { 1.0 / (1.0 + smaller) } else { smaller / (1.0 + smaller) };
        self.value += count * (advantage.max(0.0) + log1p(smaller) - shape * log_age);
        self.by_shape += count * ((1.0 - stopped) * log_age + stopped * log_last);
        self.by_time += count * ((1.0 - stopped) * by_age + stopped * by_last);
        self.stopped += count * stopped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Histories {
        let all =
            [(0, 0, 100), (0, 0, 100), (1, 20, 90), (3, 80, 81), (2, 5, 300), (60, 250, 300), (1, 1, 1)];
        let history = |(repeats, last_days, age_days)| History { repeats, last_days, age_days };
        Histories::new(all.map(history).to_vec())
    }

    #[test]
    fn the_slopes_are_those_of_differences() {
        let histories = some();
        let mut tables = Tables::new(histories.days_max);
        for point in [[0.0, 1.0, -0.3, 0.8], [-1.4, 1.5, -0.2, 0.9], [1.0, -1.0, 0.5, -0.4]] {
            let (_, slopes) = likelihood(&histories, &mut tables, &point);
            for parameter in 0..4 {
                let mut at = |step: f64| {
                    let mut moved = point;
                    moved[parameter] += step;
                    likelihood(&histories, &mut tables, &moved).0
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((difference - slopes[parameter]).abs() < 1e-5 * difference.abs().max(1.0));
            }
        }
    }

    #[test]
    fn counts_are_probabilities_and_agree_with_the_expectation() {
        let model = BgNbd { r: 0.8, alpha: 6.0, a: 1.3, b: 2.9 };
        let counts = model.counts(30.0, 400);
        let mean: f64 = counts.iter().enumerate().map(|(count, chance)| count as f64 * chance).sum();
        let new = History { repeats: 0, last_days: 0, age_days: 0 };
        assert!((counts.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((mean - model.expected(&new, 30.0)).abs() < 1e-6, "{mean}");
    }

    #[test]
    fn a_of_one_is_no_hole() {
        let expected = |a: f64| {
            let history = History { repeats: 3, last_days: 40, age_days: 60 };
            BgNbd { r: 0.4, alpha: 5.0, a, b: 2.0 }.expected(&history, 20.0)
        };
        let between = (expected(0.9999) + expected(1.0001)) / 2.0;
        assert!((expected(1.0) - between).abs() < 1e-5 && between > 0.0);
    }
}
