//! Finding the highest point of a smooth function of a few parameters.
//!
//! `argmin` has the same method, behind traits for vectors, observers and timers; what it brings along (and a clock) is more than the method.

use libm::fabs;

/// How many steps are made at most; a likelihood of four parameters takes 20 to 60.
const STEPS_MAX: u32 = 400;
/// How far one step goes at most in a parameter: a likelihood's parameters are logarithms, so this is a factor of 20.
const STEP_MAX: f64 = 3.0;
/// How flat the function has to be, relative to its value.
const GRADIENT_TOLERANCE: f64 = 1e-10;

/// Where a function is highest, as far as was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maximum<const N: usize> {
    /// The parameters.
    pub point: [f64; N],
    /// The function's value there.
    pub value: f64,
    /// Whether the function is flat there; else no higher point was found although it is not, as at the edge of where it is finite.
    pub is_flat: bool,
}

/// Climbs from each of `starts` and returns the highest point found; none where the function is finite at no start.
pub fn maximise_from<const N: usize>(
    starts: &[[f64; N]],
    mut function: impl FnMut(&[f64; N]) -> (f64, [f64; N]),
) -> Option<Maximum<N>> {
    let found = starts.iter().filter_map(|start| maximise(*start, &mut function));
    found.reduce(|best, next| if next.value > best.value { next } else { best })
}

/// Climbs from `start` by the method of Broyden, Fletcher, Goldfarb and Shanno with a line search after Lewis and Overton (J. Nocedal,
/// S. Wright, *Numerical Optimization*, 2006, ch. 6). `function` gives its value and gradient; a value that is not finite is outside.
/// None where it is not finite at the start.
pub fn maximise<const N: usize>(
    start: [f64; N],
    function: impl FnMut(&[f64; N]) -> (f64, [f64; N]),
) -> Option<Maximum<N>> {
    climb(start, None, function)
}

/// Climbs like [`maximise`] from a `start` near the maximum where `inverse`, the inverse of the negative second derivatives, is about
/// known: the first step is then one of Newton's, and few follow.
pub fn maximise_near<const N: usize>(
    start: [f64; N],
    inverse: [[f64; N]; N],
    function: impl FnMut(&[f64; N]) -> (f64, [f64; N]),
) -> Option<Maximum<N>> {
    climb(start, Some(inverse), function)
}

fn climb<const N: usize>(
    start: [f64; N],
    known: Option<[[f64; N]; N]>,
    mut function: impl FnMut(&[f64; N]) -> (f64, [f64; N]),
) -> Option<Maximum<N>> {
    let mut descent = |point: &[f64; N]| {
        let (value, gradient) = function(point);
        Place { point: *point, value: -value, gradient: gradient.map(|slope| -slope) }
    };
    let mut place = descent(&start);
    if !place.is_finite() {
        return None;
    }
    let mut inverse = known.unwrap_or_else(identity);
    for step in 0..STEPS_MAX {
        if place.is_flat() {
            break;
        }
        let mut direction = times(&inverse, &place.gradient).map(|slope| -slope);
        if dot(&direction, &place.gradient) >= 0.0 {
            inverse = identity();
            direction = place.gradient.map(|slope| -slope);
        }
        let longest = direction.iter().fold(0.0_f64, |longest, part| longest.max(fabs(*part)));
        let limit = if step == 0 { 0.5 } else { STEP_MAX };
        if longest > limit {
            direction = direction.map(|part| part * limit / longest);
        }
        let Some(next) = search(&place, &direction, &mut descent) else { break };
        inverse =
            updated(&inverse, &minus(&next.point, &place.point), &minus(&next.gradient, &place.gradient));
        let gained = place.value - next.value;
        place = next;
        if gained <= 1e-15 * fabs(place.value) {
            break;
        }
    }
    let is_flat = place.gradient.iter().all(|slope| fabs(*slope) <= 1e-5 * fabs(place.value).max(1.0));
    Some(Maximum { point: place.point, value: -place.value, is_flat })
}

#[derive(Debug, Clone, Copy)]
struct Place<const N: usize> {
    point: [f64; N],
    value: f64,
    gradient: [f64; N],
}

impl<const N: usize> Place<N> {
    fn is_finite(&self) -> bool {
        self.value.is_finite() && self.gradient.iter().all(|slope| slope.is_finite())
    }

    fn is_flat(&self) -> bool {
        self.gradient.iter().all(|slope| fabs(*slope) <= GRADIENT_TOLERANCE * fabs(self.value).max(1.0))
    }
}

/// A lower point along `direction` where the slope has also eased (the weak Wolfe conditions); the lowest seen if there is none such.
fn search<const N: usize>(
    from: &Place<N>,
    direction: &[f64; N],
    descent: &mut impl FnMut(&[f64; N]) -> Place<N>,
) -> Option<Place<N>> {
    let slope = dot(&from.gradient, direction);
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut best: Option<Place<N>> = None;
    for _ in 0..50 {
        // A gain that small is lost in the rounding of the value: no shorter step could be told to be lower.
        if best.is_none() && fabs(length * slope) <= 1e-16 * fabs(from.value) {
            break;
        }
        let mut point = from.point;
        point.iter_mut().zip(direction).for_each(|(part, way)| *part += length * way);
        let next = descent(&point);
        if !next.is_finite() || next.value > from.value + 1e-4 * length * slope {
            high = length;
        } else {
            if best.is_none_or(|best| next.value < best.value) {
                best = Some(next);
            }
            if dot(&next.gradient, direction) >= 0.9 * slope {
                return Some(next);
            }
            low = length;
        }
        length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * length };
    }
    best
}

/// The inverse of the second derivatives after a step `moved` on which the gradient changed by `turned`.
fn updated<const N: usize>(inverse: &[[f64; N]; N], moved: &[f64; N], turned: &[f64; N]) -> [[f64; N]; N] {
    let curvature = dot(moved, turned);
    if curvature <= 1e-14 * libm::sqrt(dot(moved, moved) * dot(turned, turned)) {
        return *inverse;
    }
    let turned_by = times(inverse, turned);
    let factor = (1.0 + dot(turned, &turned_by) / curvature) / curvature;
    let mut next = *inverse;
    for ((row, moved_row), turned_row) in next.iter_mut().zip(moved).zip(&turned_by) {
        for ((cell, moved_column), turned_column) in row.iter_mut().zip(moved).zip(&turned_by) {
            *cell += factor * moved_row * moved_column
                - (turned_row * moved_column + moved_row * turned_column) / curvature;
        }
    }
    next
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|row| std::array::from_fn(|column| if row == column { 1.0 } else { 0.0 }))
}

fn dot<const N: usize>(one: &[f64; N], other: &[f64; N]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn minus<const N: usize>(one: &[f64; N], other: &[f64; N]) -> [f64; N] {
    let mut difference = *one;
    difference.iter_mut().zip(other).for_each(|(one, other)| *one -= other);
    difference
}

fn times<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    matrix.map(|row| dot(&row, vector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curved_valley_of_rosenbrock_is_climbed() {
        let valley = |point: &[f64; 2]| {
            let [x, y] = *point;
            let (across, along) = (y - x * x, 1.0 - x);
            (-(100.0 * across * across + along * along), [400.0 * x * across + 2.0 * along, -200.0 * across])
        };
        let found = maximise([-1.2, 1.0], valley).unwrap();
        assert!(found.is_flat && found.point.iter().all(|part| (part - 1.0).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn second_derivatives_that_are_known_save_steps() {
        let hill = |point: &[f64; 2]| {
            let [x, y] = *point;
            (-(50.0 * x * x + 0.5 * y * y + x.powi(4)), [-100.0 * x - 4.0 * x * x * x, -y])
        };
        let (mut far, mut near) = (0, 0);
        let one = maximise([0.02, 0.3], |point| {
            far += 1;
            hill(point)
        });
        let other = maximise_near([0.02, 0.3], [[0.01, 0.0], [0.0, 1.0]], |point| {
            near += 1;
            hill(point)
        });
        assert!(near < far && near <= 5, "{near} and {far} evaluations");
        for found in [one.unwrap(), other.unwrap()] {
            assert!(found.is_flat && found.point.iter().all(|part| part.abs() < 1e-5), "{found:?}");
        }
    }

    #[test]
    fn the_higher_of_two_hills_is_found_from_two_starts() {
        let hills = |point: &[f64; 1]| {
            let x = point[0];
            (-(x * x - 1.0) * (x * x - 1.0) + 0.1 * x, [-4.0 * x * (x * x - 1.0) + 0.1])
        };
        let found = maximise_from(&[[-2.0], [2.0]], hills).unwrap();
        assert!(found.point[0] > 0.9);
        assert!(maximise([-2.0], hills).unwrap().point[0] < -0.9);
    }

    #[test]
    fn a_function_that_is_nowhere_finite_has_no_maximum_and_an_edge_is_not_flat() {
        assert_eq!(maximise([0.0], |_| (f64::NAN, [0.0])), None);
        let edge =
            |point: &[f64; 1]| if point[0] > 2.0 { (f64::NEG_INFINITY, [0.0]) } else { (point[0], [1.0]) };
        let found = maximise([0.0], edge).unwrap();
        assert!(!found.is_flat && found.value <= 2.0 && found.value > 1.9, "{found:?}");
    }
}
