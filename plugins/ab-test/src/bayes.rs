//! Which variant is best, by Bayes: each rate has the prior Beta(1, 1), so Beta(1 + responses, 1 + others) after the test.
//!
//! The probabilities are integrals in one dimension, P(i is best) = ∫ fᵢ(x) ∏ⱼ Fⱼ(x) dx, computed by quadrature: the same figures in every
//! run, far more exact than draws.

use crate::distributions::{beta_below, beta_density, integral};
use crate::proportions::Group;

/// What Bayes says about one variant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// How likely its rate is the highest.
    pub probability_best: f64,
    /// How much of the rate is lost in the mean if it is chosen and another one is better.
    pub expected_loss: f64,
}

/// Where the pieces of an integral begin, in standard deviations from the mean of each rate: fine where most of it lies, out to where the tail of
/// the most skewed rate, an exponential one, is below 1e-17.
const BREAKS: [f64; 7] = [-40.0, -12.0, -4.0, 0.0, 4.0, 12.0, 40.0];
/// Each piece is cut so often, with ten points in each cut.
const CUTS: u32 = 8;

/// What Bayes says about each of `groups`.
pub fn beliefs(groups: &[Group]) -> Vec<Belief> {
    let shapes: Vec<(f64, f64)> = groups
        .iter()
        .map(|group| (group.responses as f64 + 1.0, (group.members - group.responses) as f64 + 1.0))
        .collect();
    let highest_mean = expected_highest(&shapes);
    let belief = |(place, shape): (usize, &(f64, f64))| Belief {
        probability_best: probability_best(&shapes, place),
        expected_loss: (highest_mean - mean(*shape)).max(0.0),
    };
    shapes.iter().enumerate().map(belief).collect()
}

/// How likely the second rate is higher than the first.
pub fn probability_second_greater(first: Group, second: Group) -> f64 {
    beliefs(&[first, second]).get(1).map_or(0.0, |belief| belief.probability_best)
}

fn mean((a, b): (f64, f64)) -> f64 {
    a / (a + b)
}

/// Where the pieces of an integral begin and end, for one rate, within 0 to 1.
fn breaks((a, b): (f64, f64)) -> [f64; 7] {
    let deviation = (a * b / ((a + b) * (a + b) * (a + b + 1.0))).sqrt();
    BREAKS.map(|distance| (mean((a, b)) + distance * deviation).clamp(0.0, 1.0))
}

/// The integral of `f` from `from` to `to`, cut where any of the rates changes its shape.
fn cut_integral(shapes: &[(f64, f64)], from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mut ends: Vec<f64> =
        shapes.iter().flat_map(|shape| breaks(*shape)).filter(|end| *end > from && *end < to).collect();
    ends.extend([from, to]);
    ends.sort_unstable_by(f64::total_cmp);
    ends.dedup();
    ends.windows(2)
        .map(|ends| match ends {
            [from, to] => integral(*from, *to, CUTS, &f),
            _ => 0.0,
        })
        .sum()
}

fn probability_best(shapes: &[(f64, f64)], place: usize) -> f64 {
    let Some((a, b)) = shapes.get(place).copied() else { return 0.0 };
    let [from, .., to] = breaks((a, b));
    let others =
        || shapes.iter().enumerate().filter(move |(other, _)| *other != place).map(|(_, shape)| *shape);
    let value = cut_integral(shapes, from, to, |x| {
        beta_density(a, b, x) * others().map(|(a, b)| beta_below(a, b, x)).product::<f64>()
    });
    value.clamp(0.0, 1.0)
}

/// The mean of the highest rate: ∫ 1 - ∏ Fⱼ(x) dx.
fn expected_highest(shapes: &[(f64, f64)]) -> f64 {
    // Below the highest lower end of a range the highest rate surely lies above, above all upper ends surely below.
    let from = shapes.iter().map(|shape| breaks(*shape)).fold(0.0, |most: f64, [from, ..]| most.max(from));
    let to = shapes.iter().map(|shape| breaks(*shape)).fold(0.0, |most: f64, [.., to]| most.max(to));
    let rest = |x: f64| 1.0 - shapes.iter().map(|(a, b)| beta_below(*a, *b, x)).product::<f64>();
    from + cut_integral(shapes, from, to, rest)
}
