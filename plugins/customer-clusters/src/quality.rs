//! How well clusters are told apart.

use trellis_sdk::math::sqrt;

use crate::kmeans::{Clustering, squared_distance};
use crate::points::{LANES, Points, squared_distance_of};

/// Up to how many points silhouettes are exact, since every pair is compared; of more, an even choice is taken.
pub(crate) const SILHOUETTE_POINTS_MAX: usize = 4_000;

/// The mean silhouette of each of `clusterings` (P. Rousseeuw, *Journal of Computational and Applied Mathematics* 20, 1987): how much nearer points
/// are to their own cluster than to the next, -1 to 1. The members of clusters of one count as 0. Each distance is computed once for all
/// clusterings. None for a clustering of one cluster.
pub fn silhouettes(points: &Points, clusterings: &[Clustering]) -> Vec<Option<f64>> {
    let step = points.count().div_ceil(SILHOUETTE_POINTS_MAX).max(1);
    let chosen: Vec<usize> = (0..points.count()).step_by(step).collect();
    let thinned = points.thinned(step);
    let label = |clustering: &Clustering, place: usize| {
        usize::from(clustering.labels.get(place).copied().unwrap_or(0))
    };
    let labels: Vec<Vec<usize>> = clusterings
        .iter()
        .map(|clustering| chosen.iter().map(|place| label(clustering, *place)).collect())
        .collect();
    let sizes: Vec<Vec<f64>> = clusterings
        .iter()
        .zip(&labels)
        .map(|(clustering, labels)| {
            let mut sizes = vec![0.0; clustering.sizes.len()];
            labels.iter().for_each(|label| add(&mut sizes, *label, 1.0));
            sizes
        })
        .collect();
    let mut totals = vec![0.0; clusterings.len()];
    let mut sums: Vec<Vec<f64>> = sizes.iter().map(|sizes| vec![0.0; sizes.len()]).collect();
    let mut distances = vec![0.0; thinned.count()];
    for place in 0..thinned.count() {
        thinned.distances(&thinned.point(place), &mut distances);
        sums.iter_mut().for_each(|sums| sums.fill(0.0));
        for (sums, labels) in sums.iter_mut().zip(&labels) {
            for (label, distance) in labels.iter().zip(&distances) {
                add(sums, *label, *distance);
            }
        }
        let of_row = totals.iter_mut().zip(&sums).zip(&labels).zip(&sizes);
        for (((total, sums), labels), sizes) in of_row {
            *total += silhouette(sums, sizes, labels.get(place).copied().unwrap_or(0));
        }
    }
    let mean = |(total, clustering): (f64, &Clustering)| {
        (clustering.sizes.len() > 1).then(|| total / thinned.count() as f64)
    };
    totals.into_iter().zip(clusterings).map(mean).collect()
}

/// Of one point: `sums` of its distances to the members of each cluster.
fn silhouette(sums: &[f64], sizes: &[f64], own: usize) -> f64 {
    let own_size = sizes.get(own).copied().unwrap_or(0.0);
    if own_size <= 1.0 {
        return 0.0;
    }
    let within = sums.get(own).copied().unwrap_or(0.0) / (own_size - 1.0);
    let others =
        sums.iter().zip(sizes).enumerate().filter(|(cluster, (_, size))| *cluster != own && **size > 0.0);
    let next = others.map(|(_, (sum, size))| sum / size).fold(f64::INFINITY, f64::min);
    let larger = within.max(next);
    if next.is_finite() && larger > 0.0 { (next - within) / larger } else { 0.0 }
}

fn add(sums: &mut [f64], place: usize, value: f64) {
    if let Some(sum) = sums.get_mut(place) {
        *sum += value;
    }
}

/// The ratio of what lies between clusters to what lies within, each by its degrees of freedom (T. Caliński, J. Harabasz, 1974). None for one
/// cluster, or where nothing lies within.
pub fn calinski_harabasz(points: &Points, clustering: &Clustering) -> Option<f64> {
    let (count, clusters) = (points.count() as f64, clustering.sizes.len() as f64);
    let means = overall_mean(clustering);
    let between: f64 = clustering
        .centroids
        .iter()
        .zip(&clustering.sizes)
        .map(|(centroid, size)| *size as f64 * squared_distance(centroid, &means))
        .sum();
    let ratio = between * (count - clusters) / (clustering.inertia * (clusters - 1.0));
    (clusters > 1.0 && count > clusters && clustering.inertia > 0.0).then_some(ratio)
}

/// The mean over clusters of how alike each is to the one most alike: the sum of their mean distances from the centroid over the distance of
/// the centroids (D. Davies, D. Bouldin, 1979); the lower, the better. None for one cluster.
pub fn davies_bouldin(points: &Points, clustering: &Clustering) -> Option<f64> {
    let mut spreads = vec![0.0; clustering.sizes.len()];
    for ((tile, _), labels) in points.tiles().zip(clustering.labels.chunks(LANES)) {
        for (lane, label) in labels.iter().enumerate() {
            let label = usize::from(*label);
            let Some(centroid) = clustering.centroids.get(label) else { continue };
            add(&mut spreads, label, squared_distance_of(tile, lane, centroid).sqrt());
        }
    }
    spreads.iter_mut().zip(&clustering.sizes).for_each(|(spread, size)| *spread /= *size as f64);
    let clusters = || clustering.centroids.iter().zip(&spreads).enumerate();
    let worst = clusters().map(|(one, (centroid, spread))| {
        let others = clusters().filter(|(other, _)| *other != one);
        others
            .map(|(_, (other, other_spread))| {
                (spread + other_spread) / sqrt(squared_distance(centroid, other))
            })
            .fold(0.0, f64::max)
    });
    let sum: f64 = worst.sum();
    (clustering.sizes.len() > 1).then(|| sum / clustering.sizes.len() as f64)
}

fn overall_mean(clustering: &Clustering) -> Vec<f64> {
    let count = clustering.sizes.iter().sum::<u64>() as f64;
    let mut means = vec![0.0; clustering.centroids.first().map_or(0, Vec::len)];
    for (centroid, size) in clustering.centroids.iter().zip(&clustering.sizes) {
        for (mean, value) in means.iter_mut().zip(centroid) {
            *mean += value * *size as f64 / count;
        }
    }
    means
}
