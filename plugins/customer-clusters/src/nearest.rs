//! Which centroid is nearest, and of whom that need not be asked again.

use wide::f64x4;

use crate::points::{LANES, Points, halves, lanes};

/// Which centroid is nearest to each of the points of a tile; of equally near ones the first.
///
/// |x - c|² = |x|² + 2 (|c|²/2 - x·c), so that half of it without |x|² is compared: one multiplication for each value.
#[derive(Debug)]
pub(crate) struct Nearest {
    centroids: Vec<f64>,
    half_norms: Vec<f64>,
    dimensions: usize,
}

impl Nearest {
    pub(crate) fn new(centroids: &[Vec<f64>], dimensions: usize) -> Self {
        let half_norm = |centroid: &Vec<f64>| centroid.iter().map(|value| value * value).sum::<f64>() / 2.0;
        Self {
            half_norms: centroids.iter().map(half_norm).collect(),
            centroids: centroids.concat(),
            dimensions,
        }
    }

    /// The number of the nearest centroid of each point, and by how much the next one is farther away: half the difference of the squared
    /// distances, of the point where it is smallest; infinite where there is no other.
    #[inline]
    pub(crate) fn of_tile(&self, tile: &[[f64; LANES]]) -> ([u8; LANES], f64) {
        let mut nearest = [f64x4::splat(f64::INFINITY); 2];
        let mut seconds = nearest;
        // Labels as wide as distances: one comparison chooses both.
        let mut labels = [f64x4::ZERO; 2];
        let clusters = self.centroids.chunks_exact(self.dimensions).zip(&self.half_norms);
        for ((centroid, half_norm), label) in clusters.zip(0_u8..) {
            let mut distances = [f64x4::splat(*half_norm); 2];
            for (values, coordinate) in tile.iter().zip(centroid) {
                let coordinate = f64x4::splat(*coordinate);
                for (distances, values) in distances.iter_mut().zip(halves(values)) {
                    *distances -= values * coordinate;
                }
            }
            let label = f64x4::splat(f64::from(label));
            let bests = nearest.iter_mut().zip(&mut labels).zip(&mut seconds);
            for (((best, best_label), second), distances) in bests.zip(distances) {
                let is_nearer = distances.simd_lt(*best);
                *second = second.fast_min(is_nearer.bitselect(*best, distances));
                *best = is_nearer.bitselect(distances, *best);
                *best_label = is_nearer.bitselect(label, *best_label);
            }
        }
        let ([first, last], [first_second, last_second]) = (nearest, seconds);
        let (one, other) = (first_second - first, last_second - last);
        let margin = one.fast_min(other).to_array().into_iter().fold(f64::INFINITY, f64::min);
        // There are at most 255.
        (lanes(labels).map(|label| label as u8), margin)
    }
}

/// How far centroids may move before a point of a tile may be nearer to another one, so that tiles far from every border are not looked at
/// again: G. Hamerly, *Making k-means even faster* (2010), with one bound for all points of a tile.
#[derive(Debug)]
pub(crate) struct Slack {
    tiles: Vec<OfTile>,
    /// Where the centroids were when the tiles were looked at last.
    centroids: Vec<Vec<f64>>,
    /// The largest norm of a centroid.
    norm: f64,
    /// How far two of them have moved at most, together, since then.
    moved: f64,
}

#[derive(Debug, Clone)]
struct OfTile {
    /// The largest norm of its points.
    norm: f64,
    /// The difference of the distances to the nearest and to the next centroid is at least this.
    left: f64,
}

/// What is written down of a tile that was looked at.
#[derive(Debug)]
pub(crate) struct SlackOfTile<'a> {
    of: &'a mut OfTile,
    norm: f64,
}

/// Distances are as exact as this part of the norms; what is nearer than that is looked at.
const ROUNDING: f64 = 1e-9;

impl Slack {
    /// None: every tile has to be looked at.
    pub(crate) fn new(points: &Points) -> Self {
        let tiles = points.tiles().map(|(tile, _)| {
            let mut squares = [f64x4::ZERO; 2];
            for values in tile {
                for (squares, values) in squares.iter_mut().zip(halves(values)) {
                    *squares += values * values;
                }
            }
            let [one, other] = squares;
            let square = one.fast_max(other).to_array().into_iter().fold(0.0, f64::max);
            OfTile { norm: square.sqrt(), left: 0.0 }
        });
        Self { tiles: tiles.collect(), centroids: Vec::new(), norm: 0.0, moved: f64::INFINITY }
    }

    /// The centroids are these from now on.
    pub(crate) fn move_to(&mut self, centroids: &[Vec<f64>]) {
        let distance = |(one, other): (&Vec<f64>, &Vec<f64>)| {
            one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum::<f64>().sqrt()
        };
        let mut moved: Vec<f64> = centroids.iter().zip(&self.centroids).map(distance).collect();
        moved.sort_by(|one, other| other.total_cmp(one));
        self.moved =
            if self.centroids.len() == centroids.len() { moved.iter().take(2).sum() } else { f64::INFINITY };
        let norms =
            centroids.iter().map(|centroid| centroid.iter().map(|value| value * value).sum::<f64>().sqrt());
        self.norm = norms.fold(0.0, f64::max);
        self.centroids = centroids.to_vec();
    }

    /// Each tile in turn: nothing where no point can have changed its cluster.
    pub(crate) fn of_tiles(&mut self) -> impl Iterator<Item = Option<SlackOfTile<'_>>> {
        let (moved, norm) = (self.moved, self.norm);
        self.tiles.iter_mut().map(move |of| {
            of.left -= moved;
            (of.left <= ROUNDING * (of.norm + norm)).then_some(SlackOfTile { of, norm })
        })
    }
}

impl SlackOfTile<'_> {
    /// Notes the margin that [`Nearest::of_tile`] found: d₂ - d₁ = (d₂² - d₁²) / (d₂ + d₁), and no distance exceeds the sum of the norms.
    pub(crate) fn set(self, margin: f64) {
        self.of.left = margin / (self.of.norm + self.norm);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn who_is_not_looked_at_has_not_changed(
            all in prop::collection::vec(prop::collection::vec(-3.0..3.0_f64, 2), 1..80),
            steps in prop::collection::vec(prop::collection::vec(prop::collection::vec(-3.0..3.0_f64, 2), 3), 1..6),
            share in 0.0..0.5_f64,
        ) {
            let mut points = Points::new(2);
            all.iter().for_each(|point| points.push(point));
            let mut slack = Slack::new(&points);
            let mut centroids = vec![vec![-1.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0]];
            let mut labels = vec![[u8::MAX; LANES]; all.len().div_ceil(LANES)];
            for step in steps {
                let nearest = Nearest::new(&centroids, 2);
                slack.move_to(&centroids);
                for (((tile, _), labels), slack) in points.tiles().zip(&mut labels).zip(slack.of_tiles()) {
                    let (found, margin) = nearest.of_tile(tile);
                    match slack {
                        Some(slack) => {
                            slack.set(margin);
                            *labels = found;
                        }
                        None => prop_assert_eq!(*labels, found),
                    }
                }
                for (centroid, to) in centroids.iter_mut().zip(step) {
                    centroid.iter_mut().zip(to).for_each(|(value, to)| *value += share * share * share * (to - *value));
                }
            }
        }
    }
}
