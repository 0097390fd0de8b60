//! Two proportions: the tests and intervals of the textbooks.
//!
//! Sources: Wilson (1927) for the interval of one; Newcombe (1998, method 10) for that of the difference; Katz et al. (1978) for the
//! relative risk; Cohen (1988) for h; Yates (1934) for the correction.

use trellis_sdk::math;

use crate::distributions::{chi_square_above, ln_factorial, normal_above, normal_beyond, normal_quantile};

/// How many of a group did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How many there are.
    pub members: u64,
    /// How many of them did it; no more than there are.
    pub responses: u64,
}

/// A lower and an upper end.
pub type Interval = (f64, f64);

/// A value with how likely one so extreme is if nothing differs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// z, chi-square or G.
    pub statistic: f64,
    /// Two-sided.
    pub p: f64,
}

/// The second group against the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The second rate minus the first.
    pub difference: f64,
    /// The difference as a share of the first rate; none where that is 0.
    pub relative_lift: Option<f64>,
    /// With the standard error as it is if nothing differs.
    pub z_pooled: Test,
    /// How likely a difference of that size or more is in favour of the second, if nothing differs (pooled).
    pub p_second_greater: f64,
    /// With the standard error of both rates as they are; none where both are 0 or 1.
    pub z_unpooled: Option<Test>,
    /// Of the difference.
    pub wald: Interval,
    /// Of the difference; holds what it promises for small groups too.
    pub newcombe: Interval,
    /// Pearson's.
    pub chi_square: Test,
    /// With the correction for continuity.
    pub chi_square_yates: Test,
    /// The likelihood ratio.
    pub g_test: Test,
    /// Exact: all tables with these margins that are no likelier; none above [`FISHER_MAX`] members.
    pub fisher: Option<f64>,
    /// Exact, in favour of the first group.
    pub fisher_first_greater: Option<f64>,
    /// None where it is infinite or 0 divides 0.
    pub odds_ratio: Option<f64>,
    /// None where the first rate is 0.
    pub relative_risk: Option<f64>,
    /// None where a rate is 0.
    pub relative_risk_interval: Option<Interval>,
    /// The difference of the angles 2·asin(√rate): 0.2 is small, 0.5 medium, 0.8 large.
    pub cohens_h: f64,
    /// Whether the normal approximation may be trusted: five responses and five others expected in each group.
    pub is_reliable: bool,
}

/// Fisher's test adds up as many terms as the smaller margin has: beyond this the z-test says the same.
pub const FISHER_MAX: u64 = 20_000_000;

impl Group {
    /// The share, 0 to 1; none for an empty group.
    pub fn rate(self) -> Option<f64> {
        (self.members > 0).then(|| self.responses as f64 / self.members as f64)
    }

    /// Wilson's score interval at the confidence `1 - alpha`.
    pub fn wilson(self, alpha: f64) -> Option<Interval> {
        let rate = self.rate()?;
        let (n, z) = (self.members as f64, normal_quantile(1.0 - alpha / 2.0));
        let zz = z * z;
        let middle = (rate + zz / (2.0 * n)) / (1.0 + zz / n);
        let half = z / (1.0 + zz / n) * (rate * (1.0 - rate) / n + zz / (4.0 * n * n)).sqrt();
        // The ends at 0 and 1 are exact; rounding must not put them beside.
        let low = if self.responses == 0 { 0.0 } else { middle - half };
        let high = if self.responses == self.members { 1.0 } else { middle + half };
        Some((low, high))
    }
}

/// Compares `second` with `first`, with intervals at the confidence `1 - alpha`. None where a group is empty, or all or none of both did it:
/// then there is nothing to test.
pub fn compare(first: Group, second: Group, alpha: f64) -> Option<Comparison> {
    let (a, b) = (first.rate()?, second.rate()?);
    let (n_a, n_b) = (first.members as f64, second.members as f64);
    let pooled = (first.responses + second.responses) as f64 / (n_a + n_b);
    let pooled_error = (pooled * (1.0 - pooled) * (1.0 / n_a + 1.0 / n_b)).sqrt();
    if pooled_error <= 0.0 {
        return None;
    }
    let difference = b - a;
    let error = (a * (1.0 - a) / n_a + b * (1.0 - b) / n_b).sqrt();
    let z = normal_quantile(1.0 - alpha / 2.0);
    let z_pooled = difference / pooled_error;
    let by_z = |z: f64| Test { statistic: z, p: normal_beyond(z) };
    let (chi_square, chi_square_yates, g_test) = chi_squares(first, second);
    let has_fisher = first.members + second.members <= FISHER_MAX;
    Some(Comparison {
        difference,
        relative_lift: (a > 0.0).then(|| difference / a),
        z_pooled: by_z(z_pooled),
        p_second_greater: normal_above(z_pooled),
        z_unpooled: (error > 0.0).then(|| by_z(difference / error)),
        wald: (difference - z * error, difference + z * error),
        newcombe: newcombe(first, second, alpha)?,
        chi_square,
        chi_square_yates,
        g_test,
        fisher: has_fisher.then(|| fisher(first, second).0),
        fisher_first_greater: has_fisher.then(|| fisher(first, second).1),
        odds_ratio: odds_ratio(first, second),
        relative_risk: (a > 0.0).then(|| b / a),
        relative_risk_interval: relative_risk_interval(first, second, z),
        cohens_h: 2.0 * (math::asin(b.sqrt()) - math::asin(a.sqrt())),
        is_reliable: n_a.min(n_b) * pooled.min(1.0 - pooled) >= 5.0,
    })
}

fn newcombe(first: Group, second: Group, alpha: f64) -> Option<Interval> {
    let (a, b) = (first.rate()?, second.rate()?);
    let ((a_low, a_high), (b_low, b_high)) = (first.wilson(alpha)?, second.wilson(alpha)?);
    let length = |one: f64, other: f64| (one * one + other * other).sqrt();
    Some((b - a - length(b - b_low, a_high - a), b - a + length(b_high - b, a - a_low)))
}

/// Pearson's chi-square, with Yates' correction, and G.
fn chi_squares(first: Group, second: Group) -> (Test, Test, Test) {
    let cells =
        [first, second].map(|group| [group.responses as f64, (group.members - group.responses) as f64]);
    let [[a, b], [c, d]] = cells;
    let n = a + b + c + d;
    let margins = (a + b) * (c + d) * (a + c) * (b + d);
    let cross = (a * d - b * c).abs();
    let by_chi = |statistic: f64| Test { statistic, p: chi_square_above(statistic, 1) };
    let yates = (cross - 0.5 * n).max(0.0);
    let part = |cell: f64, row: f64, column: f64| {
        if cell > 0.0 { cell * math::log(cell * n / (row * column)) } else { 0.0 }
    };
    let g = part(a, a + b, a + c) + part(b, a + b, b + d) + part(c, c + d, a + c) + part(d, c + d, b + d);
    (by_chi(n * cross * cross / margins), by_chi(n * yates * yates / margins), by_chi((2.0 * g).max(0.0)))
}

/// Fisher's exact test, two-sided (all tables that are no likelier) and in favour of the first group.
fn fisher(first: Group, second: Group) -> (f64, f64) {
    let (row, other, responses) = (first.members, second.members, first.responses + second.responses);
    let n = row + other;
    let (lowest, highest) = (responses.saturating_sub(other), row.min(responses));
    let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    let ln_observed =
        ln_choose(row, first.responses) + ln_choose(other, second.responses) - ln_choose(n, responses);
    // Probabilities relative to that of the observed table, by the ratio of neighbours.
    let up = |k: u64| {
        (row - k) as f64 * (responses - k) as f64 / ((k + 1) as f64 * (other + k + 1 - responses) as f64)
    };
    let down = |k: u64| {
        k as f64 * (other + k - responses) as f64 / ((row - k + 1) as f64 * (responses - k + 1) as f64)
    };
    // Tables as likely as the observed one count although rounding makes them a hair likelier.
    let limit = 1.0 + 1e-7;
    let (mut two_sided, mut greater) = (1.0, 1.0);
    let mut likelihood = 1.0;
    for k in first.responses..highest {
        likelihood *= up(k);
        greater += likelihood;
        if likelihood <= limit {
            two_sided += likelihood;
        }
        if likelihood < 1e-20 {
            break;
        }
    }
    let mut likelihood = 1.0;
    for k in (lowest + 1..=first.responses).rev() {
        likelihood *= down(k);
        if likelihood <= limit {
            two_sided += likelihood;
        }
        if likelihood < 1e-20 {
            break;
        }
    }
    let observed = math::exp(ln_observed);
    ((observed * two_sided).min(1.0), (observed * greater).min(1.0))
}

fn odds_ratio(first: Group, second: Group) -> Option<f64> {
    let others = |group: Group| (group.members - group.responses) as f64;
    let below = others(second) * first.responses as f64;
    (below > 0.0).then(|| second.responses as f64 * others(first) / below)
}

fn relative_risk_interval(first: Group, second: Group, z: f64) -> Option<Interval> {
    if first.responses == 0 || second.responses == 0 {
        return None;
    }
    let part = |group: Group| 1.0 / group.responses as f64 - 1.0 / group.members as f64;
    let (error, middle) = ((part(first) + part(second)).sqrt(), math::log(second.rate()? / first.rate()?));
    Some((math::exp(middle - z * error), math::exp(middle + z * error)))
}
