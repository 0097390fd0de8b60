//! Special functions that `libm` lacks.
//!
//! `statrs` has the incomplete beta function and digamma, but computes them with the methods of `f64`, whose last bits differ between a
//! native test and a component; it has no derivatives of the hypergeometric function.

use libm::{exp, fabs, lgamma, log, log1p};

/// Where a series is given up: its terms fall below rounding long before unless its argument is within a thousandth of 1.
const TERMS_MAX: u32 = 100_000;

/// The derivative of the logarithm of the gamma function, for `x` above 0; 15 digits. The recurrence up to 10, then the asymptotic series
/// (Abramowitz and Stegun, 6.3.5 and 6.3.18).
pub fn digamma(x: f64) -> f64 {
    let mut x = x;
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = inverse
        * (1.0 / 12.0
            - inverse
                * (1.0 / 120.0
                    - inverse
                        * (1.0 / 252.0
                            - inverse
                                * (1.0 / 240.0 - inverse * (1.0 / 132.0 - inverse * 691.0 / 32_760.0)))));
    sum + log(x) - 0.5 / x - series
}

/// Gauss's hypergeometric function ₂F₁(a, b; c; z) for `z` in 0..1, by its series. `c` must not be 0 or a negative whole number.
pub fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 0..TERMS_MAX {
        let k = f64::from(k);
        term *= (a + k) * (b + k) / ((c + k) * (k + 1.0)) * z;
        sum += term;
        if fabs(term) <= 1e-16 * fabs(sum) {
            break;
        }
    }
    sum
}

/// ₂F₁(1, b; c; z) with its derivatives, for `b` and `c` above 0 and `z` in 0..1: all terms are positive, so nothing cancels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitHypergeometric {
    /// The function.
    pub value: f64,
    /// Its derivative by `b`.
    pub by_b: f64,
    /// Its derivative by `c`.
    pub by_c: f64,
    /// Its derivative by `z`.
    pub by_z: f64,
}

/// Computes [`UnitHypergeometric`] in one pass over the series.
pub fn unit_hypergeometric(b: f64, c: f64, z: f64) -> UnitHypergeometric {
    let mut sums =
        UnitHypergeometric { value: 1.0, by_b: 0.0, by_c: 0.0, by_z: if z > 0.0 { 0.0 } else { b / c } };
    if z <= 0.0 {
        return sums;
    }
    // The derivative of a term by b is the term times the sum of 1/(b + j) over its factors; by c likewise, with the other sign.
    let (mut term, mut log_by_b, mut log_by_c) = (1.0, 0.0, 0.0);
    for k in 0..TERMS_MAX {
        let k = f64::from(k);
        let (over, under) = (b + k, c + k);
        // Divisions are what takes time here.
        let (by_over, by_under) = (1.0 / over, 1.0 / under);
        term *= over * by_under * z;
        log_by_b += by_over;
        log_by_c -= by_under;
        sums.value += term;
        sums.by_b += term * log_by_b;
        sums.by_c += term * log_by_c;
        sums.by_z += term * (k + 1.0);
        if term * (k + 2.0) <= 1e-16 * sums.value {
            break;
        }
    }
    sums.by_z /= z;
    sums
}

/// The regularised incomplete beta function: the probability that a beta variable with `a` and `b` (both above 0) is at most `x`. By its
/// continued fraction (Lentz), on the side where it converges fast; about 14 digits.
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if fabs(value) < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000_u32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            change = d * c;
            fraction *= change;
        }
        if fabs(change - 1.0) < 1e-15 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found}, not {expected}");
    }

    #[test]
    fn digamma_has_its_known_values() {
        let euler = 0.577_215_664_901_532_9;
        for (x, expected) in [
            (1.0, -euler),
            (2.0, 1.0 - euler),
            (0.5, -euler - 2.0 * std::f64::consts::LN_2),
            (10.0, 2.251_752_589_066_721),
            (0.001, -1_000.575_571_931_810_5),
        ] {
            close(digamma(x), expected, 1e-13);
        }
    }

    #[test]
    fn the_hypergeometric_function_has_its_elementary_cases() {
        // (1 - z)^-a, and -ln(1 - z) / z.
        close(hypergeometric(0.7, 3.0, 3.0, 0.6), 0.4_f64.powf(-0.7), 1e-13);
        close(hypergeometric(1.0, 1.0, 2.0, 0.9), -(0.1_f64.ln()) / 0.9, 1e-13);
        close(unit_hypergeometric(1.0, 2.0, 0.9).value, -(0.1_f64.ln()) / 0.9, 1e-13);
        // Euler's transformation.
        let (a, b, c, z) = (2.3, 1.7, 4.1, 0.45_f64);
        close(
            hypergeometric(a, b, c, z),
            (1.0 - z).powf(c - a - b) * hypergeometric(c - a, c - b, c, z),
            1e-13,
        );
    }

    #[test]
    fn its_derivatives_are_those_of_differences() {
        let step = 1e-6;
        for (b, c, z) in [(0.8, 2.2, 0.3), (7.5, 9.1, 0.8), (1.2, 30.0, 0.95), (2.0, 3.0, 1e-9)] {
            let found = unit_hypergeometric(b, c, z);
            let value = |b, c, z| unit_hypergeometric(b, c, z).value;
            close(found.by_b, (value(b + step, c, z) - value(b - step, c, z)) / (2.0 * step), 1e-6);
            close(found.by_c, (value(b, c + step, z) - value(b, c - step, z)) / (2.0 * step), 1e-6);
            let step = step.min(z / 2.0);
            close(found.by_z, (value(b, c, z + step) - value(b, c, z - step)) / (2.0 * step), 1e-5);
        }
        close(unit_hypergeometric(2.0, 3.0, 0.0).by_z, 2.0 / 3.0, 1e-15);
    }

    #[test]
    fn the_incomplete_beta_function_has_its_elementary_cases() {
        for x in [0.0, 0.01, 0.3, 0.5, 0.77, 0.999, 1.0_f64] {
            close(incomplete_beta(1.0, 1.0, x), x, 1e-14);
            close(incomplete_beta(3.5, 1.0, x), x.powf(3.5), 1e-13);
            close(incomplete_beta(1.0, 4.0, x), 1.0 - (1.0 - x).powi(4), 1e-13);
            close(incomplete_beta(2.0, 3.0, x), x * x * (6.0 - 8.0 * x + 3.0 * x * x), 1e-13);
        }
        close(incomplete_beta(500.0, 500.0, 0.5), 0.5, 1e-11);
    }
}
