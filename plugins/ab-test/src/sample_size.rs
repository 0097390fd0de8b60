//! How many are needed to see a difference (Fleiss, Levin, Paik: *Statistical Methods for Rates and Proportions*, 3rd ed.; Cohen 1988).

use trellis_sdk::math;

use crate::distributions::{integral, normal_above, normal_quantile, student_quantile};

/// What is to be seen, and how surely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The rate of the first group, above 0 and below 1.
    pub first: f64,
    /// The rate of the second, another one.
    pub second: f64,
    /// How often chance may pass for a difference.
    pub alpha: f64,
    /// How often a difference is to be seen.
    pub power: f64,
    /// 1 or 2.
    pub sides: u32,
    /// How many times as large as the first group the second is.
    pub ratio: f64,
}

/// Members of the first group by each formula, not rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// The usual one: the error without a difference is pooled.
    pub pooled: f64,
    /// Both errors as they are with the difference.
    pub unpooled: f64,
    /// By Cohen's h.
    pub arcsine: f64,
    /// As `pooled`, with the error without a difference from the first rate alone, as calculators on the web have it.
    pub baseline_variance: f64,
    /// `pooled` with the correction for continuity.
    pub with_continuity: f64,
}

impl Plan {
    fn quantiles(&self) -> (f64, f64) {
        (normal_quantile(1.0 - self.alpha / f64::from(self.sides)), normal_quantile(self.power))
    }

    /// How many the first group needs; the second needs `ratio` times as many.
    pub fn sizes(&self) -> Sizes {
        let (z_alpha, z_power) = self.quantiles();
        let (a, b, k) = (self.first, self.second, self.ratio);
        let difference = (b - a).abs();
        let mean = (a + k * b) / (1.0 + k);
        let (at_null, at_difference) =
            ((mean * (1.0 - mean) * (1.0 + 1.0 / k)).sqrt(), (a * (1.0 - a) + b * (1.0 - b) / k).sqrt());
        let square = |value: f64| value * value;
        let pooled = square((z_alpha * at_null + z_power * at_difference) / difference);
        let h = 2.0 * (math::asin(b.sqrt()) - math::asin(a.sqrt()));
        let root = 1.0 + (1.0 + 2.0 * (1.0 + k) / (k * pooled * difference)).sqrt();
        Sizes {
            pooled,
            unpooled: square((z_alpha + z_power) * at_difference / difference),
            arcsine: square(self.noncentrality() / h) * (1.0 + 1.0 / k),
            baseline_variance: self.baseline_variance(),
            with_continuity: pooled / 4.0 * square(root),
        }
    }

    fn baseline_variance(&self) -> f64 {
        let (z_alpha, z_power) = self.quantiles();
        let (a, b, k) = (self.first, self.second, self.ratio);
        let variance = |rate: f64| rate * (1.0 - rate);
        let null = (variance(a) * (1.0 + 1.0 / k)).sqrt();
        let other = (variance(a) + variance(b) / k).sqrt();
        let root = (z_alpha * null + z_power * other) / (b - a);
        root * root
    }

    /// How many standard errors away a difference has to lie to be seen often enough; chance in the wrong direction counts too, where both sides do.
    fn noncentrality(&self) -> f64 {
        let (z_alpha, z_power) = self.quantiles();
        let wrong_way = |shift: f64| if self.sides == 2 { normal_above(z_alpha + shift) } else { 0.0 };
        let seen = |shift: f64| normal_above(z_alpha - shift) + wrong_way(shift);
        let (mut low, mut high) = (0.0, (z_alpha + z_power).max(0.0));
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if seen(middle) < self.power { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }

    /// How often the difference is seen with `members` in the first group (the pooled formula; chance in the wrong direction does not count).
    pub fn power_at(&self, members: f64) -> f64 {
        let (z_alpha, _) = self.quantiles();
        let (a, b, k) = (self.first, self.second, self.ratio);
        let mean = (a + k * b) / (1.0 + k);
        let null = (mean * (1.0 - mean) * (1.0 + 1.0 / k)).sqrt();
        let other = (a * (1.0 - a) + b * (1.0 - b) / k).sqrt();
        normal_above((z_alpha * null - members.sqrt() * (b - a).abs()) / other)
    }
}

/// How many each of two groups needs to see a difference of means: by Student's test, and by the normal distribution. Not rounded.
pub fn mean_sizes(delta: f64, deviation: f64, alpha: f64, power: f64, sides: u32) -> (f64, f64) {
    let effect = (delta / deviation).abs();
    let z = normal_quantile(1.0 - alpha / f64::from(sides)) + normal_quantile(power);
    let normal = 2.0 * (z / effect) * (z / effect);
    let seen = |n: f64| t_power(n, effect, alpha, sides);
    // Student's test needs a little more than the normal distribution says.
    let (mut low, mut high) = (1.5_f64.max(normal * 0.5), normal + 10.0);
    while seen(high) < power && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if seen(middle) < power { low = middle } else { high = middle }
    }
    (f64::midpoint(low, high), normal)
}

/// How often Student's test with `n` in each group sees an `effect` in standard deviations: the tail of the noncentral t distribution, as the mean of
/// the normal tail over the distribution of the deviation.
fn t_power(n: f64, effect: f64, alpha: f64, sides: u32) -> f64 {
    let freedom = 2.0 * n - 2.0;
    let limit = student_quantile(alpha * 2.0 / f64::from(sides), freedom);
    let shift = effect * (n / 2.0).sqrt();
    let half = freedom / 2.0;
    // The density of s = sqrt(chi-square / freedom).
    let constant = math::log(2.0) + half * math::log(half) - statrs::function::gamma::ln_gamma(half);
    let density = |s: f64| math::exp(constant + (freedom - 1.0) * math::log(s) - half * s * s);
    let spread = 12.0 / (2.0 * freedom).sqrt();
    let (from, to) = ((1.0 - spread).max(1e-9), 1.0 + spread);
    let beyond = |s: f64| {
        let wrong_way = if sides == 2 { normal_above(limit * s + shift) } else { 0.0 };
        normal_above(limit * s - shift) + wrong_way
    };
    integral(from, to, 200, |s| density(s) * beyond(s))
}
