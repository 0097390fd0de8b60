//! Means of positive quantities, each customer with a rate of its own: what a purchase costs, how long it is from one to the next.

use libm::{exp, lgamma, log};

use crate::maximise::maximise_from;
use crate::special::digamma;
use crate::standard_errors;

/// Beyond these logarithms of a parameter a likelihood is as good as flat.
const LOGARITHM_MAX: f64 = 15.0;
const STARTS: [[f64; 3]; 2] = [[0.0, 0.7, 0.0], [1.8, 1.4, -0.7]];

/// The Gamma–Gamma model: each of a customer's values is Gamma(p, rate ν), ν differs between customers as Gamma(q, rate v).
///
/// P. Fader, B. Hardie, *The Gamma-Gamma Model of Monetary Value* (2013), after R. Colombo and W. Jiang (1999).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaGamma {
    /// The shape of one customer's values: the larger, the more alike they are.
    pub p: f64,
    /// The shape of the rates between customers: the larger, the more alike customers are.
    pub q: f64,
    /// The rate of the rates, in the unit of the values.
    pub v: f64,
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// The model.
    pub model: GammaGamma,
    /// The standard errors of p, q and v, where the data determine them.
    pub standard_errors: [Option<f64>; 3],
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Whether the likelihood is flat there.
    pub is_flat: bool,
}

/// Customers with equally many values: how many values, how many customers, the sum of the logarithms of their means, and the means.
#[derive(Debug)]
struct Group {
    count: f64,
    sum_of_logarithms: f64,
    means: Vec<f64>,
}

impl GammaGamma {
    /// Fits to customers by how many values they have and the mean of these. Those without values, and means that are not positive and
    /// finite, are left out; none where that leaves fewer than two customers.
    pub fn fit(customers: &[(f64, f64)]) -> Option<Fitted> {
        let mut customers: Vec<(f64, f64)> = customers
            .iter()
            .copied()
            .filter(|(count, mean)| *count > 0.0 && *mean > 0.0 && mean.is_finite())
            .collect();
        if customers.len() < 2 {
            return None;
        }
        customers.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        // In units of the mean of all, so that the starts suit any currency.
        let unit = customers.iter().map(|(_, mean)| mean).sum::<f64>() / customers.len() as f64;
        let groups: Vec<Group> = customers
            .chunk_by(|one, next| one.0 == next.0)
            .map(|customers| {
                let means: Vec<f64> = customers.iter().map(|(_, mean)| mean / unit).collect();
                Group {
                    count: customers.first().map_or(0.0, |(count, _)| *count),
                    sum_of_logarithms: means.iter().map(|mean| log(*mean)).sum(),
                    means,
                }
            })
            .collect();
        let found = maximise_from(&STARTS, |point| likelihood(&groups, point))?;
        let [p, q, v] = found.point.map(exp);
        let [p_error, q_error, v_error] = standard_errors(&found.point, |point| likelihood(&groups, point).1);
        Some(Fitted {
            model: Self { p, q, v: v * unit },
            standard_errors: [
                p_error.map(|error| error * p),
                q_error.map(|error| error * q),
                v_error.map(|error| error * v * unit),
            ],
            log_likelihood: found.value - customers.len() as f64 * log(unit),
            is_flat: found.is_flat,
        })
    }

    /// The mean value that is expected of a customer of whom `count` values with this mean are known: the customer's own mean and that of the
    /// population, weighted. None of a customer without values where the population's mean is infinite (q at most 1).
    pub fn expected_mean(&self, count: f64, mean: f64) -> f64 {
        self.p * (self.v + count * mean) / (self.p * count + self.q - 1.0)
    }

    /// The mean value of a customer of whom nothing is known; none where it is infinite.
    pub fn population_mean(&self) -> Option<f64> {
        (self.q > 1.0).then(|| self.p * self.v / (self.q - 1.0))
    }

    /// How much of [`GammaGamma::expected_mean`] is the customer's own, 0 to 1.
    pub fn own_weight(&self, count: f64) -> f64 {
        (self.p * count / (self.p * count + self.q - 1.0)).clamp(0.0, 1.0)
    }
}

/// The log-likelihood and its slopes by the logarithms of p, q and v.
fn likelihood(groups: &[Group], point: &[f64; 3]) -> (f64, [f64; 3]) {
    if point.iter().any(|logarithm| logarithm.abs() > LOGARITHM_MAX) {
        return (f64::NEG_INFINITY, [0.0; 3]);
    }
    let [p, q, v] = point.map(exp);
    let (log_v, gamma_q, digamma_q) = (log(v), lgamma(q), digamma(q));
    let (mut value, mut by_p, mut by_q, mut by_v) = (0.0, 0.0, 0.0, 0.0);
    for group in groups {
        let (count, customers) = (group.count, group.means.len() as f64);
        let (shape, log_count) = (p * count, log(count));
        let (mut logarithms, mut inverses) = (0.0, 0.0);
        for mean in &group.means {
            let rate = count * mean + v;
            logarithms += log(rate);
            inverses += 1.0 / rate;
        }
        let digamma_both = digamma(shape + q);
        value += customers * (lgamma(shape + q) - lgamma(shape) - gamma_q + q * log_v + shape * log_count)
            + (shape - 1.0) * group.sum_of_logarithms
            - (shape + q) * logarithms;
        by_p += count
            * (customers * (digamma_both - digamma(shape) + log_count) + group.sum_of_logarithms
                - logarithms);
        by_q += customers * (digamma_both - digamma_q + log_v) - logarithms;
        by_v += customers * q / v - (shape + q) * inverses;
    }
    (value, [p * by_p, q * by_q, v * by_v])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn customers() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((1..30_i32, 0.01..5_000.0_f64), 2..60)
            .prop_map(|all| all.into_iter().map(|(count, mean)| (f64::from(count), mean)).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_fit_does_not_depend_on_the_unit(all in customers(), unit in 0.01..1000.0_f64) {
            let one = GammaGamma::fit(&all).unwrap();
            let scaled: Vec<_> = all.iter().map(|(count, mean)| (*count, mean * unit)).collect();
            let other = GammaGamma::fit(&scaled).unwrap();
            let shift = all.len() as f64 * unit.ln();
            prop_assert!((one.log_likelihood - shift - other.log_likelihood).abs() < 1e-4 * one.log_likelihood.abs().max(1.0));
        }

        #[test]
        fn the_slopes_are_those_of_differences(all in customers(), point in prop::array::uniform3(-1.0..2.0_f64)) {
            let groups: Vec<Group> = all.iter().map(|(count, mean)| Group { count: *count, sum_of_logarithms: mean.ln(), means: vec![*mean] }).collect();
            let (value, slopes) = likelihood(&groups, &point);
            for parameter in 0..3 {
                let at = |step: f64| { let mut moved = point; moved[parameter] += step; likelihood(&groups, &moved).0 };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                prop_assert!((difference - slopes[parameter]).abs() < 1e-5 * value.abs().max(1.0));
            }
        }
    }

    #[test]
    fn nothing_to_learn_from_gives_nothing() {
        assert_eq!(GammaGamma::fit(&[]), None);
        assert_eq!(GammaGamma::fit(&[(0.0, 5.0), (2.0, 0.0), (1.0, f64::NAN), (1.0, 3.0)]), None);
    }

    #[test]
    fn customers_who_are_all_alike_are_expected_to_stay_so() {
        let fitted = GammaGamma::fit(&[(2.0, 10.0); 12]).unwrap();
        assert!((fitted.model.expected_mean(2.0, 10.0) - 10.0).abs() < 0.1, "{fitted:?}");
    }
}
