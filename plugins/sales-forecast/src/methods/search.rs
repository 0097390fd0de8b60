//! The lowest point of a function of a few numbers from 0 to 1.
//!
//! Nelder and Mead (1965), kept within the cube, begun at the best places of a grid. A crate does this too (argmin), but brings a clock and
//! random numbers along, which a plugin does not have; see `host/docs/decisions/dependencies.md`.

/// Steps of the grid along each axis.
const GRID: [f64; 5] = [0.02, 0.15, 0.4, 0.7, 0.95];
/// Places of the grid from which the search begins.
const STARTS: usize = 3;
/// Steps of one search at most.
const STEPS_MAX: usize = 400;
/// The search ends where the simplex is this small along every axis.
const SIZE_MIN: f64 = 1e-7;

/// Where `value` is least in the cube of `dimensions` (at most 3) numbers from 0 to 1. Where it is nowhere finite, some place.
pub(super) fn least(dimensions: usize, value: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let value = |place: &[f64]| Some(value(place)).filter(|value| value.is_finite()).unwrap_or(f64::MAX);
    let mut places: Vec<(f64, Vec<f64>)> =
        grid(dimensions).into_iter().map(|place| (value(&place), place)).collect();
    places.sort_by(|one, other| one.0.total_cmp(&other.0));
    places.truncate(STARTS);
    let found = places.into_iter().map(|(_, start)| descend(start, &value));
    found.min_by(|one, other| one.0.total_cmp(&other.0)).map_or_else(Vec::new, |(_, place)| place)
}

fn grid(dimensions: usize) -> Vec<Vec<f64>> {
    (0..dimensions).fold(vec![Vec::new()], |places, _| {
        let longer = |place: &Vec<f64>| GRID.map(|step| [place.as_slice(), &[step]].concat());
        places.iter().flat_map(longer).collect()
    })
}

/// Goes down from `start`.
fn descend(start: Vec<f64>, value: &impl Fn(&[f64]) -> f64) -> (f64, Vec<f64>) {
    let mut simplex = vec![(value(&start), start.clone())];
    for axis in 0..start.len() {
        let mut corner = start.clone();
        if let Some(number) = corner.get_mut(axis) {
            *number += if *number > 0.5 { -0.1 } else { 0.1 };
        }
        simplex.push((value(&corner), corner));
    }
    for _ in 0..STEPS_MAX {
        simplex.sort_by(|one, other| one.0.total_cmp(&other.0));
        if size(&simplex) < SIZE_MIN {
            break;
        }
        step(&mut simplex, value);
    }
    simplex.sort_by(|one, other| one.0.total_cmp(&other.0));
    simplex.swap_remove(0)
}

/// Moves the worst corner of a sorted simplex: mirrors it, goes further, or draws it in; else draws all corners to the best.
fn step(simplex: &mut Vec<(f64, Vec<f64>)>, value: &impl Fn(&[f64]) -> f64) {
    let Some(worst) = simplex.pop() else { return };
    let (best, second) =
        (simplex.first().map_or(f64::MAX, |one| one.0), simplex.last().map_or(f64::MAX, |one| one.0));
    let centre = centre(simplex);
    let at = |factor: f64| {
        let between = |(centre, worst): (&f64, &f64)| (centre + factor * (centre - worst)).clamp(0.0, 1.0);
        let place: Vec<f64> = centre.iter().zip(&worst.1).map(between).collect();
        (value(&place), place)
    };
    let mirrored = at(1.0);
    let next = if mirrored.0 < best {
        let further = at(2.0);
        if further.0 < mirrored.0 { further } else { mirrored }
    } else if mirrored.0 < second {
        mirrored
    } else {
        let drawn_in = if mirrored.0 < worst.0 { at(0.5) } else { at(-0.5) };
        if drawn_in.0 < worst.0.min(mirrored.0) {
            drawn_in
        } else {
            simplex.push(worst);
            return shrink(simplex, value);
        }
    };
    simplex.push(next);
}

fn shrink(simplex: &mut [(f64, Vec<f64>)], value: &impl Fn(&[f64]) -> f64) {
    let Some((best, others)) = simplex.split_first_mut() else { return };
    for corner in others {
        for (number, towards) in corner.1.iter_mut().zip(&best.1) {
            *number = (*number + towards) / 2.0;
        }
        corner.0 = value(&corner.1);
    }
}

fn centre(corners: &[(f64, Vec<f64>)]) -> Vec<f64> {
    let mut sums = vec![0.0; corners.first().map_or(0, |corner| corner.1.len())];
    for corner in corners {
        for (sum, number) in sums.iter_mut().zip(&corner.1) {
            *sum += number / corners.len() as f64;
        }
    }
    sums
}

fn size(simplex: &[(f64, Vec<f64>)]) -> f64 {
    let Some((best, others)) = simplex.split_first() else { return 0.0 };
    let distance = |corner: &(f64, Vec<f64>)| {
        corner.1.iter().zip(&best.1).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
    };
    others.iter().map(distance).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::least;

    #[test]
    fn the_lowest_point_is_found_inside_and_at_the_edge() {
        let near = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (one, other) in found.iter().zip(expected) {
                assert!((one - other).abs() < 1e-4, "{found:?} is not {expected:?}");
            }
        };
        near(least(1, |place| (place[0] - 0.3).abs()), &[0.3]);
        near(least(2, |place| (place[0] - 0.2).powi(2) + 3.0 * (place[1] - place[0]).powi(2)), &[0.2, 0.2]);
        near(least(3, |place| place[0] + (place[1] - 0.5).powi(2) - place[2]), &[0.0, 0.5, 1.0]);
        assert!(least(2, |_| f64::NAN).iter().all(|number| (0.0..=1.0).contains(number)));
    }
}
