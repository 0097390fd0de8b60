//! Tails and quantiles of the usual distributions. The normal one comes from libm, whose `erfc` is exact far out; the others from statrs.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::{gamma_ur, ln_gamma};
use trellis_sdk::math;

/// P(Z > z) of the standard normal distribution.
pub(crate) fn normal_above(z: f64) -> f64 {
    0.5 * math::erfc(z / std::f64::consts::SQRT_2)
}

/// P(|Z| > |z|).
pub(crate) fn normal_beyond(z: f64) -> f64 {
    math::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The z with P(Z < z) = `p`, for 0 < `p` < 1: statrs' approximation, made exact by steps of Halley.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let (tail, sign) = if p < 0.5 { (p, -1.0) } else { (1.0 - p, 1.0) };
    let mut z = std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * tail);
    for _ in 0..3 {
        let density = math::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
        if density <= 0.0 {
            break;
        }
        let step = (normal_above(z) - tail) / density;
        z += step / (1.0 - 0.5 * z * step);
    }
    sign * z
}

/// P(X > x) of the chi-square distribution with `freedom` degrees.
pub(crate) fn chi_square_above(x: f64, freedom: u64) -> f64 {
    match freedom {
        _ if x <= 0.0 => 1.0,
        1 => math::erfc((0.5 * x).sqrt()),
        2 => math::exp(-0.5 * x),
        _ => gamma_ur(0.5 * freedom as f64, 0.5 * x),
    }
}

/// P(|T| > |t|) of Student's distribution.
pub(crate) fn student_beyond(t: f64, freedom: f64) -> f64 {
    if t == 0.0 {
        return 1.0;
    }
    beta_reg(0.5 * freedom, 0.5, freedom / (freedom + t * t))
}

/// The t > 0 with P(|T| > t) = `tails`, by bisection: at most 200 steps.
pub(crate) fn student_quantile(tails: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_beyond(high, freedom) > tails && high < 1e300 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if student_beyond(middle, freedom) > tails { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// P(X < x) of Beta(a, b).
pub(crate) fn beta_below(a: f64, b: f64, x: f64) -> f64 {
    beta_reg(a, b, x.clamp(0.0, 1.0))
}

/// The density of Beta(a, b) inside of 0 to 1, for a and b of 1 or more.
pub(crate) fn beta_density(a: f64, b: f64, x: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) {
        return 0.0;
    }
    let power = |base: f64, exponent: f64| if exponent == 0.0 { 0.0 } else { exponent * math::log(base) };
    let rest = if b == 1.0 { 0.0 } else { (b - 1.0) * math::log1p(-x) };
    math::exp(power(x, a - 1.0) + rest - ln_gamma(a) - ln_gamma(b) + ln_gamma(a + b))
}

/// ln n!.
pub(crate) fn ln_factorial(n: u64) -> f64 {
    ln_gamma(n as f64 + 1.0)
}

/// The nodes and weights of Gauss and Legendre with ten points on -1 to 1, the half above 0 (Abramowitz and Stegun, table 25.4).
const GAUSS: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

/// The integral of `f` from `from` to `to`, by ten points in each of `pieces` equal pieces.
pub(crate) fn integral(from: f64, to: f64, pieces: u32, mut f: impl FnMut(f64) -> f64) -> f64 {
    let half = 0.5 * (to - from) / f64::from(pieces);
    let piece = |number: u32| {
        let middle = from + half * f64::from(2 * number + 1);
        let points =
            GAUSS.iter().map(|(node, weight)| weight * (f(middle - half * node) + f(middle + half * node)));
        half * points.sum::<f64>()
    };
    (0..pieces).map(piece).sum()
}
