//! The Pareto/NBD model: while active, a customer buys as a Poisson process with a rate that is Gamma(r, α) over customers; the customer
//! stops after an exponential time with a rate that is Gamma(s, β) over customers.
//!
//! D. Schmittlein, D. Morrison, R. Colombo, *Management Science* 33 (1987); the likelihood after P. Fader, B. Hardie, *A Note on Deriving the
//! Pareto/NBD Model* (2005), here after Euler's transformation of its hypergeometric functions: with p(t) = (α+t)^-(r+x) (β+t)^-s,
//!
//! L = Γ(r+x)/Γ(r) αʳ βˢ · { p(T) + s/(r+s+x) · [G(t_x) p(t_x) - G(T) p(T)] }
//!
//! where G(t) is ₂F₁(1, r+x; r+s+x+1; (α-β)/(α+t)) for α ≥ β, and ₂F₁(1, s+1; r+s+x+1; (β-α)/(β+t)) · (α+t)/(β+t) otherwise.

use trellis_likelihood::special::{digamma, unit_hypergeometric};
use trellis_likelihood::{Maximum, standard_errors};
use trellis_sdk::math::{exp, expm1, fabs, lgamma, log, log1p, pow};

use crate::climb::climb;
use crate::history::{Histories, History, weeks};
use crate::purchases::Estimate;

/// Beyond these logarithms of a parameter the likelihood is as good as flat.
const LOGARITHM_MAX: f64 = 12.0;
/// How far the logarithms of α and β lie apart at most: beyond, the series need many thousand terms, and say no more than at the end.
const APART_MAX: f64 = 5.0;
/// Into how many parts the time is cut in which a customer may have stopped; even.
const PARTS: usize = 64;

/// The parameters; times in weeks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParetoNbd {
    /// Shape of the rates of buying.
    pub r: f64,
    /// Rate of the rates of buying, in weeks.
    pub alpha: f64,
    /// Shape of the rates of stopping.
    pub s: f64,
    /// Rate of the rates of stopping, in weeks.
    pub beta: f64,
}

impl ParetoNbd {
    /// Fits by maximum likelihood; none where nobody bought again.
    pub fn fit(histories: &Histories) -> Option<Estimate<Self>> {
        if histories.repeats == 0 {
            return None;
        }
        let age = log(histories.mean_age());
        let starts = [[0.0, age, 0.0, age], [-0.7, age - 1.0, -0.5, age - 0.8]];
        let mut terms = Terms::new(histories.days_max);
        let mut function = |histories: &Histories, point: &[f64; 4]| likelihood(histories, &mut terms, point);
        let Maximum { point, value, is_flat } = climb(histories, &starts, &mut function)?;
        let [r, alpha, s, beta] = point.map(exp);
        let errors = standard_errors(&point, |point| function(histories, point).1);
        let errors = std::array::from_fn(|part| {
            errors.get(part).copied().flatten().zip(point.get(part)).map(|(error, part)| error * exp(*part))
        });
        let model = Self { r, alpha, s, beta };
        Some(Estimate { model, standard_errors: errors, log_likelihood: value, is_flat })
    }

    /// The probability that the customer has not stopped.
    pub fn alive(&self, history: &History) -> f64 {
        let sum = self.sum(history.x(), history.t_x(), history.age());
        (sum.left / sum.value).clamp(0.0, 1.0)
    }

    /// The expected number of purchases within `weeks` from now.
    pub fn expected(&self, history: &History, weeks: f64) -> f64 {
        let (x, age) = (history.x(), history.age());
        let until = log1p(weeks / (self.beta + age));
        let above_one = self.s - 1.0;
        let lasting = if fabs(above_one) < 1e-9 { until } else { -expm1(-above_one * until) / above_one };
        self.alive(history) * (self.r + x) * (self.beta + age) / (self.alpha + age) * lasting
    }

    /// The probabilities of 0, 1, … purchases within `weeks` of a new customer, after the first: those of somebody who does not stop, and
    /// the mean over the times at which somebody may have stopped (by Simpson's rule over the share that is still active).
    pub fn counts(&self, weeks: f64, most: usize) -> Vec<f64> {
        let active = pow(self.beta / (self.beta + weeks), self.s);
        let mut counts = self.steady_counts(weeks, most);
        counts.iter_mut().for_each(|chance| *chance *= active);
        for part in 0..=PARTS {
            let share = active + (1.0 - active) * part as f64 / PARTS as f64;
            let stopped_at = (self.beta * expm1(-log(share) / self.s)).min(weeks);
            let weight = match part {
                0 | PARTS => 1.0,
                part if part % 2 == 1 => 4.0,
                _ => 2.0,
            };
            let weight = weight * (1.0 - active) / (3.0 * PARTS as f64);
            let then = self.steady_counts(stopped_at, most);
            counts.iter_mut().zip(then).for_each(|(chance, then)| *chance += weight * then);
        }
        counts
    }

    /// The negative binomial probabilities of those who do not stop.
    fn steady_counts(&self, weeks: f64, most: usize) -> Vec<f64> {
        let passed = weeks / (self.alpha + weeks);
        let mut chance = pow(self.alpha / (self.alpha + weeks), self.r);
        (0..=most)
            .map(|count| {
                let this = chance;
                chance *= (self.r + count as f64) / (count as f64 + 1.0) * passed;
                this
            })
            .collect()
    }

    fn sum(&self, x: f64, t_x: f64, age: f64) -> Sum {
        let (last, end) = (self.term(x, t_x), self.term(x, age));
        Sum::of(&last, &end)
    }

    /// s/(r+s+x) · G(t) and ln p(t), with the slopes by r, α, s and β.
    fn term(&self, x: f64, t: f64) -> Term {
        let Self { r, alpha, s, beta } = *self;
        let (alpha_t, beta_t) = (alpha + t, beta + t);
        let (log_alpha, log_beta, all) = (log(alpha_t), log(beta_t), r + s + x);
        let weight = s / all;
        let slopes = if alpha >= beta {
            let g = unit_hypergeometric(r + x, all + 1.0, (alpha - beta) / alpha_t);
            let by = [g.by_b + g.by_c, g.by_z * beta_t / (alpha_t * alpha_t), g.by_c, -g.by_z / alpha_t];
            (g.value, by)
        } else {
            let g = unit_hypergeometric(s + 1.0, all + 1.0, (beta - alpha) / beta_t);
            let ratio = alpha_t / beta_t;
            let by = [
                g.by_c * ratio,
                -g.by_z * ratio / beta_t + g.value / beta_t,
                (g.by_b + g.by_c) * ratio,
                (g.by_z * ratio / beta_t - g.value / beta_t) * ratio,
            ];
            (g.value * ratio, by)
        };
        let (value, [by_r, by_alpha, by_s, by_beta]) = slopes;
        Term {
            gone: weight * value,
            gone_slopes: [
                weight * (by_r - value / all),
                weight * by_alpha,
                weight * (by_s + value * (1.0 / s - 1.0 / all)),
                weight * by_beta,
            ],
            log: -(r + x) * log_alpha - s * log_beta,
            log_slopes: [-log_alpha, -(r + x) / alpha_t, -log_beta, -s / beta_t],
        }
    }
}

/// See [`ParetoNbd::term`].
#[derive(Debug, Clone, Copy, Default)]
struct Term {
    gone: f64,
    gone_slopes: [f64; 4],
    log: f64,
    log_slopes: [f64; 4],
}

/// Days for which terms are kept: some 50 years. What a wrong date makes longer is computed where it occurs.
const TERMS_DAYS_MAX: u32 = 20_000;

/// The term of each day with x repeats, once it was asked for: a million histories with the same x are made of a few thousand days, and
/// series are what takes time.
#[derive(Debug)]
struct Terms {
    /// With the number of the round in which it was computed.
    kept: Vec<(u64, Term)>,
    round: u64,
}

impl Terms {
    fn new(days_max: u32) -> Self {
        let days = days_max.min(TERMS_DAYS_MAX) as usize + 1;
        Self { kept: vec![(0, Term::default()); days], round: 0 }
    }

    /// Forgets everything: other parameters, or other repeats.
    fn begin(&mut self) {
        self.round += 1;
    }

    #[inline]
    fn at(&mut self, model: &ParetoNbd, x: f64, days: u32) -> Term {
        let Some((round, term)) = self.kept.get_mut(days as usize) else { return model.term(x, weeks(days)) };
        if *round != self.round {
            (*round, *term) = (self.round, model.term(x, weeks(days)));
        }
        *term
    }
}

/// The braces of the likelihood over p(t_x).
#[derive(Debug, Clone, Copy)]
struct Sum {
    value: f64,
    /// p(T) over p(t_x).
    left: f64,
}

impl Sum {
    fn of(last: &Term, end: &Term) -> Self {
        let distance = (last.log - end.log).max(0.0);
        let left = exp(-distance);
        Self { value: last.gone + left * (1.0 - end.gone), left }
    }
}

/// The log-likelihood and its slopes by the logarithms of r, α, s and β.
fn likelihood(histories: &Histories, terms: &mut Terms, point: &[f64; 4]) -> (f64, [f64; 4]) {
    let [_, log_alpha, _, log_beta] = *point;
    if point.iter().any(|logarithm| fabs(*logarithm) > LOGARITHM_MAX)
        || fabs(log_alpha - log_beta) > APART_MAX
    {
        return (f64::NEG_INFINITY, [0.0; 4]);
    }
    let [r, alpha, s, beta] = point.map(exp);
    let model = ParetoNbd { r, alpha, s, beta };
    let (gamma_r, digamma_r) = (lgamma(r), digamma(r));
    let (mut value, mut slopes) = (0.0, [0.0; 4]);
    for group in histories.by_repeats() {
        let Some((first, _)) = group.first() else { continue };
        let x = first.x();
        let mut customers = 0.0;
        // Ascending: histories with the same last purchase follow each other.
        terms.begin();
        let mut last_of = (first.last_days, terms.at(&model, x, first.last_days));
        for (history, count) in group {
            if history.last_days != last_of.0 {
                last_of = (history.last_days, terms.at(&model, x, history.last_days));
            }
            let (last, end) = (&last_of.1, &terms.at(&model, x, history.age_days));
            let (sum, count) = (Sum::of(last, end), f64::from(*count));
            customers += count;
            value += count * (last.log + log(sum.value));
            let left = sum.left;
            for (part, slope) in slopes.iter_mut().enumerate() {
                let at = |slopes: &[f64; 4]| slopes.get(part).copied().unwrap_or(0.0);
                let (last_log, end_log) = (at(&last.log_slopes), at(&end.log_slopes));
                let of_sum = at(&last.gone_slopes)
                    - left * ((last_log - end_log) * (1.0 - end.gone) + at(&end.gone_slopes));
                *slope += count * (last_log + of_sum / sum.value);
            }
        }
        value += customers * (lgamma(r + x) - gamma_r + r * log_alpha + s * log_beta);
        let common = [digamma(r + x) - digamma_r + log_alpha, r / alpha, log_beta, s / beta];
        slopes.iter_mut().zip(common).for_each(|(slope, common)| *slope += customers * common);
    }
    let [by_r, by_alpha, by_s, by_beta] = slopes;
    (value, [r * by_r, alpha * by_alpha, s * by_s, beta * by_beta])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Histories {
        let all = [
            (0, 0, 100),
            (0, 0, 100),
            (1, 20, 90),
            (3, 80, 81),
            (2, 5, 300),
            (60, 250, 300),
            (1, 1, 1),
            (2, 9, 9),
        ];
        let history = |(repeats, last_days, age_days)| History { repeats, last_days, age_days };
        Histories::new(all.map(history).to_vec())
    }

    #[test]
    fn the_slopes_are_those_of_differences() {
        let histories = some();
        for point in [
            [0.0, 1.0, -0.3, 0.8],
            [-0.6, 2.4, -0.5, 2.5],
            [0.4, 2.0, 0.5, -0.4],
            [0.2, 1.0, 0.1, 1.0 + 1e-7],
        ] {
            let mut terms = Terms::new(200);
            let (_, slopes) = likelihood(&histories, &mut terms, &point);
            for parameter in 0..4 {
                let mut at = |step: f64| {
                    let mut moved = point;
                    moved[parameter] += step;
                    likelihood(&histories, &mut terms, &moved).0
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!(
                    (difference - slopes[parameter]).abs() < 2e-5 * difference.abs().max(1.0),
                    "{point:?} {parameter}: {difference}, not {}",
                    slopes[parameter]
                );
            }
        }
    }

    /// Against the likelihood as an integral over the time at which the customer stopped, which needs no hypergeometric function.
    #[test]
    fn the_likelihood_is_that_of_the_integral() {
        let model = ParetoNbd { r: 0.9, alpha: 7.0, s: 0.6, beta: 11.0 };
        for (alpha, beta) in [(7.0, 11.0), (11.0, 7.0)] {
            let model = ParetoNbd { alpha, beta, ..model };
            let (x, t_x, age) = (3.0, 9.0, 30.0);
            let density =
                |t: f64| model.s * (alpha + t).powf(-(model.r + x)) * (beta + t).powf(-(model.s + 1.0));
            let parts = 20_000;
            let step = (age - t_x) / f64::from(parts);
            let integral: f64 =
                (0..parts).map(|part| density(t_x + (f64::from(part) + 0.5) * step) * step).sum();
            let end = model.term(x, age).log;
            let expected = (end.exp() + integral).ln();
            let found = model.term(x, t_x).log + model.sum(x, t_x, age).value.ln();
            assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
        }
    }

    #[test]
    fn counts_are_probabilities_and_agree_with_the_expectation() {
        let model = ParetoNbd { r: 0.8, alpha: 6.0, s: 1.3, beta: 9.0 };
        let counts = model.counts(30.0, 300);
        let mean: f64 = counts.iter().enumerate().map(|(count, chance)| count as f64 * chance).sum();
        let new = History { repeats: 0, last_days: 0, age_days: 0 };
        assert!((counts.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!((mean - model.expected(&new, 30.0)).abs() < 1e-3, "{mean}");
        assert!((model.alive(&new) - 1.0).abs() < 1e-12);
    }
}
