//! k-means: Lloyd's iterations, and where to begin them.
//!
//! S. Lloyd, *IEEE Transactions on Information Theory* 28 (1982); seeding after D. Arthur, S. Vassilvitskii, *k-means++* (2007).

use trellis_sdk::Rng;

use crate::nearest::{Nearest, Slack};
use crate::points::{LANES, Points, lanes, squared_distance_of, squared_distances};

/// When iterations are given up. They stop by themselves much earlier: every one lowers the inertia.
const ITERATIONS_MAX: u32 = 1_000;

/// Clusters of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The mean of each cluster, in standardised units.
    pub centroids: Vec<Vec<f64>>,
    /// How many points each has.
    pub sizes: Vec<u64>,
    /// The sum of squared distances to the own centroid.
    pub inertia: f64,
    /// How often points were assigned until nothing changed.
    pub iterations: u32,
    /// The cluster of each point.
    pub labels: Vec<u8>,
}

/// Moves `centroids` to the means of the points nearest to them until no point changes its cluster. A cluster that loses all its points goes on
/// from the point that is farthest from its centroid; where points coincide, there may be fewer clusters than centroids.
///
/// # Panics
/// If a centroid has not as many values as the points, or there are more than 255.
pub fn lloyd(points: &Points, centroids: Vec<Vec<f64>>) -> Clustering {
    assert!(centroids.iter().all(|centroid| centroid.len() == points.dimensions()), "a centroid is a point");
    assert!(centroids.len() <= usize::from(u8::MAX), "labels fit a byte");
    let mut centroids = centroids;
    let mut groups = Groups::new(points, centroids.len());
    let mut slack = Slack::new(points);
    let mut iterations = 0;
    while iterations < ITERATIONS_MAX {
        iterations += 1;
        if !groups.assign(points, &centroids, &mut slack) {
            break;
        }
        groups.move_to_means(&mut centroids);
        refill(points, &groups.labels, &groups.sizes, &mut centroids);
    }
    groups.sum_up(points);
    groups.move_to_means(&mut centroids);
    finished(points, centroids, groups.labels, iterations)
}

/// Which cluster each point is in, and the sum of each cluster's points. From one iteration to the next only those that changed are moved between
/// the sums, which are few after the first iterations; what that rounds off is made up for at the end.
#[derive(Debug)]
struct Groups {
    labels: Vec<u8>,
    sums: Vec<f64>,
    sizes: Vec<u64>,
    dimensions: usize,
}

impl Groups {
    fn new(points: &Points, clusters: usize) -> Self {
        Self {
            labels: vec![u8::MAX; points.count()],
            sums: vec![0.0; clusters * points.dimensions()],
            sizes: vec![0; clusters],
            dimensions: points.dimensions(),
        }
    }

    /// Assigns every point to the nearest centroid; returns whether any changed its cluster.
    fn assign(&mut self, points: &Points, centroids: &[Vec<f64>], slack: &mut Slack) -> bool {
        let nearest = Nearest::new(centroids, self.dimensions);
        let mut labels = std::mem::take(&mut self.labels);
        let mut changed = false;
        slack.move_to(centroids);
        for (((tile, _), labels), slack) in points.tiles().zip(labels.chunks_mut(LANES)).zip(slack.of_tiles())
        {
            let Some(slack) = slack else { continue };
            let (found, margin) = nearest.of_tile(tile);
            slack.set(margin);
            for (lane, (label, found)) in labels.iter_mut().zip(found).enumerate() {
                if *label != found {
                    changed = true;
                    self.take_out(usize::from(*label), tile, lane);
                    self.put_in(usize::from(found), tile, lane);
                    *label = found;
                }
            }
        }
        self.labels = labels;
        changed
    }

    /// Adds up every cluster anew.
    fn sum_up(&mut self, points: &Points) {
        self.sums.fill(0.0);
        self.sizes.fill(0);
        let labels = std::mem::take(&mut self.labels);
        for ((tile, _), labels) in points.tiles().zip(labels.chunks(LANES)) {
            for (lane, label) in labels.iter().enumerate() {
                self.put_in(usize::from(*label), tile, lane);
            }
        }
        self.labels = labels;
    }

    fn put_in(&mut self, cluster: usize, tile: &[[f64; LANES]], lane: usize) {
        let Some(size) = self.sizes.get_mut(cluster) else { return };
        *size += 1;
        for (sum, values) in self.sums.iter_mut().skip(cluster * self.dimensions).zip(tile) {
            *sum += values.get(lane).copied().unwrap_or(0.0);
        }
    }

    /// Does nothing for a point that is in no cluster yet.
    fn take_out(&mut self, cluster: usize, tile: &[[f64; LANES]], lane: usize) {
        let Some(size) = self.sizes.get_mut(cluster) else { return };
        *size -= 1;
        for (sum, values) in self.sums.iter_mut().skip(cluster * self.dimensions).zip(tile) {
            *sum -= values.get(lane).copied().unwrap_or(0.0);
        }
    }

    /// Moves the centroid of every cluster that has points to their mean.
    fn move_to_means(&self, centroids: &mut [Vec<f64>]) {
        let means = self.sums.chunks_exact(self.dimensions).zip(&self.sizes);
        for (centroid, (sums, size)) in centroids.iter_mut().zip(means).filter(|(_, (_, size))| **size > 0) {
            for (coordinate, sum) in centroid.iter_mut().zip(sums) {
                *coordinate = sum / *size as f64;
            }
        }
    }
}

/// Puts the centroid of each empty cluster on the point that is farthest from its own, unless all lie on theirs.
fn refill(points: &Points, labels: &[u8], sizes: &[u64], centroids: &mut [Vec<f64>]) {
    for empty in (0..sizes.len()).filter(|cluster| sizes.get(*cluster) == Some(&0)) {
        let distances = (0..points.count()).map(|place| {
            let point = points.point(place);
            let own = labels.get(place).and_then(|label| centroids.get(usize::from(*label)));
            let taken = centroids.contains(&point);
            let distance = own.map_or(0.0, |centroid| squared_distance(&point, centroid));
            (if taken { 0.0 } else { distance }, place)
        });
        let farthest = distances.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let Some((_, place)) = farthest.filter(|(distance, _)| *distance > 0.0) else { return };
        if let Some(centroid) = centroids.get_mut(empty) {
            *centroid = points.point(place);
        }
    }
}

/// Drops empty clusters and measures what is left.
fn finished(points: &Points, centroids: Vec<Vec<f64>>, mut labels: Vec<u8>, iterations: u32) -> Clustering {
    let mut sizes = vec![0_u64; centroids.len()];
    for label in &labels {
        if let Some(size) = sizes.get_mut(usize::from(*label)) {
            *size += 1;
        }
    }
    let mut next = 0;
    let numbers: Vec<u8> = sizes
        .iter()
        .map(|size| {
            let number = next;
            next += u8::from(*size > 0);
            number
        })
        .collect();
    labels.iter_mut().for_each(|label| {
        *label = numbers.get(usize::from(*label)).copied().unwrap_or(0);
    });
    let centroids: Vec<Vec<f64>> = centroids
        .into_iter()
        .zip(&sizes)
        .filter(|(_, size)| **size > 0)
        .map(|(centroid, _)| centroid)
        .collect();
    sizes.retain(|size| *size > 0);
    let inertia = inertia(points, &centroids, &labels);
    Clustering { centroids, sizes, inertia, iterations, labels }
}

fn inertia(points: &Points, centroids: &[Vec<f64>], labels: &[u8]) -> f64 {
    let mut inertia = 0.0;
    for ((tile, filled), labels) in points.tiles().zip(labels.chunks(LANES)) {
        for (lane, label) in labels.iter().take(filled).enumerate() {
            let Some(centroid) = centroids.get(usize::from(*label)) else { continue };
            inertia += squared_distance_of(tile, lane, centroid);
        }
    }
    inertia
}

/// Begins at `clusters` points drawn with probabilities proportional to their squared distance from those drawn before (k-means++). Fewer where
/// there are fewer different points.
pub fn spread_out(points: &Points, clusters: usize, rng: &mut Rng) -> Vec<Vec<f64>> {
    if points.count() == 0 {
        return Vec::new();
    }
    let mut chosen = vec![points.point(rng.below(points.count() as u64) as usize)];
    let mut distances = vec![f64::INFINITY; points.count()];
    while chosen.len() < clusters {
        let Some(latest) = chosen.last() else { break };
        let mut whole = 0.0;
        for ((tile, filled), distances) in points.tiles().zip(distances.chunks_mut(LANES)) {
            let found = lanes(squared_distances(tile, latest));
            for (distance, found) in distances.iter_mut().zip(found).take(filled) {
                *distance = distance.min(found);
                whole += *distance;
            }
        }
        if whole <= 0.0 {
            break;
        }
        let mut left = rng.unit() * whole;
        let drawn = distances.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        // Rounding may leave a rest: then the last point that is not chosen already.
        let drawn = drawn.or_else(|| distances.iter().rposition(|distance| *distance > 0.0));
        chosen.extend(drawn.map(|place| points.point(place)));
    }
    chosen
}

/// The best of several clusterings from random beginnings; of equally good ones the first.
pub fn best_of(points: &Points, clusters: usize, restarts: usize, seed: u64) -> Option<Clustering> {
    let runs = (0..restarts).map(|restart| {
        let mut rng = Rng::for_part(seed, (clusters as u64) << 32 | restart as u64);
        lloyd(points, spread_out(points, clusters, &mut rng))
    });
    runs.reduce(|best, next| if next.inertia < best.inertia { next } else { best })
}

/// The cluster of each point.
pub(crate) fn labels(points: &Points, centroids: &[Vec<f64>]) -> Vec<u8> {
    let nearest = Nearest::new(centroids, points.dimensions());
    let mut labels = Vec::with_capacity(points.count());
    for (tile, filled) in points.tiles() {
        let (found, _) = nearest.of_tile(tile);
        labels.extend(found.into_iter().take(filled));
    }
    labels
}

/// The number of the centroid nearest to `point`, and the squared distance.
pub fn nearest(point: &[f64], centroids: &[Vec<f64>]) -> Option<(usize, f64)> {
    let distances = centroids.iter().map(|centroid| squared_distance(point, centroid)).enumerate();
    distances.reduce(|best, next| if next.1 < best.1 { next } else { best })
}

pub(crate) fn squared_distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(all: &[Vec<f64>]) -> Points {
        let mut points = Points::new(all[0].len());
        all.iter().for_each(|point| points.push(point));
        points
    }

    fn cloud() -> impl Strategy<Value = Vec<Vec<f64>>> {
        (1..5_usize).prop_flat_map(|dimensions| {
            prop::collection::vec(prop::collection::vec((-9..9_i32).prop_map(f64::from), dimensions), 1..70)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_point_is_with_its_nearest_mean_and_no_cluster_is_empty(all in cloud(), clusters in 1..7_usize, seed: u64) {
            let points = points(&all);
            let found = best_of(&points, clusters, 3, seed).unwrap();
            let mut different = all.clone();
            different.sort_by(|one, other| one.partial_cmp(other).unwrap());
            different.dedup();
            prop_assert!(found.sizes.len() <= clusters.min(different.len()));
            prop_assert!(found.sizes.len() >= clusters.min(different.len()).min(2));
            prop_assert_eq!(found.sizes.iter().sum::<u64>(), all.len() as u64);
            let mut inertia = 0.0;
            for (cluster, centroid) in found.centroids.iter().enumerate() {
                let members: Vec<_> = all.iter().zip(&found.labels).filter(|(_, label)| usize::from(**label) == cluster).map(|(point, _)| point).collect();
                prop_assert!(!members.is_empty());
                for (dimension, value) in centroid.iter().enumerate() {
                    let mean = members.iter().map(|point| point[dimension]).sum::<f64>() / members.len() as f64;
                    prop_assert!((mean - value).abs() < 1e-9);
                }
                for point in members {
                    let own = squared_distance(point, centroid);
                    prop_assert!(own <= nearest(point, &found.centroids).unwrap().1 + 1e-9);
                    inertia += own;
                }
            }
            prop_assert!((inertia - found.inertia).abs() < 1e-8 * inertia.max(1.0));
        }

        #[test]
        fn the_seed_alone_decides(all in cloud(), seed: u64) {
            let points = points(&all);
            prop_assert_eq!(best_of(&points, 3, 2, seed), best_of(&points, 3, 2, seed));
        }
    }

    #[test]
    fn four_corners_are_four_clusters() {
        let corner = |x: f64, y: f64| (0..9).map(move |place| vec![x + 0.01 * f64::from(place), y]);
        let all: Vec<_> = corner(0.0, 0.0)
            .chain(corner(0.0, 9.0))
            .chain(corner(9.0, 0.0))
            .chain(corner(9.0, 9.0))
            .collect();
        let found = best_of(&points(&all), 4, 5, 7).unwrap();
        assert_eq!(found.sizes, [9; 4]);
        assert_eq!(best_of(&points(&vec![vec![1.0, 2.0]; 5]), 3, 2, 0).unwrap().sizes, [5]);
    }

    #[test]
    fn a_centroid_that_nobody_is_near_goes_where_it_is_needed() {
        let all = vec![vec![0.0], vec![0.1], vec![10.0], vec![10.1], vec![30.0]];
        let found = lloyd(&points(&all), vec![vec![5.0], vec![-500.0], vec![-600.0]]);
        assert_eq!(found.sizes.iter().sum::<u64>(), 5);
        assert_eq!(found.sizes.len(), 3);
    }
}
