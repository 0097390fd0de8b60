//! Learning clusters from every customer.

use trellis_sdk::math::sqrt;
use trellis_sdk::{Context, PluginError, Result, RowStream};

use crate::config::Config;
use crate::kmeans::{Clustering, best_of, lloyd};
use crate::model::{ClusterModel, ElbowRow};
use crate::points::Points;
use crate::quality::{calinski_harabasz, davies_bouldin, silhouettes};
use crate::rows::{Names, Reading, Rows};

/// Of more customers an even choice is taken to find the number of clusters and where they begin; the last iterations see everybody.
const SEARCH_POINTS_MAX: usize = 20_000;

/// What is read: eight bytes for each figure of each customer.
#[derive(Debug)]
struct Population {
    currency: String,
    points: Points,
    /// For each of the customers that are named to begin with its place; none until it was read.
    starts: Vec<Option<usize>>,
    left_out: u64,
}

/// Reads one pass of `rows` and finds clusters.
pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<ClusterModel> {
    let reading = reading(config);
    let Population { currency, mut points, starts, left_out } = Population::read(rows, config, &reading, at)?;
    let scale = Scale::of(&points);
    points.standardise(&scale.means, &scale.deviations);
    let (mut clustering, elbow) = find(&points, &starts, config, at.seed)?;
    let silhouette = silhouettes(&points, std::slice::from_ref(&clustering)).first().copied().flatten();
    let (calinski_harabasz, davies_bouldin) =
        (calinski_harabasz(&points, &clustering), davies_bouldin(&points, &clustering));
    if config.start_customers.is_empty() {
        sort_by_size(&mut clustering);
    }
    Ok(ClusterModel {
        reading,
        currency,
        customers: points.count() as u64,
        left_out,
        means: scale.means,
        deviations: scale.deviations,
        missing: scale.missing,
        centroids: clustering.centroids,
        sizes: clustering.sizes,
        inertia: clustering.inertia,
        iterations: u64::from(clustering.iterations),
        silhouette,
        calinski_harabasz,
        davies_bouldin,
        elbow,
    })
}

/// What the configuration says about reading figures.
pub(crate) fn reading(config: &Config) -> Reading {
    let fields = config.features.iter().map(|field| format!("features.{field}"));
    let names = config.purchases.iter().map(|figure| figure.name().to_owned()).chain(fields).collect();
    Reading { names, logarithm: config.logarithm, missing: config.missing }
}

impl Population {
    fn read(rows: &mut RowStream<'_>, config: &Config, reading: &Reading, at: &Context) -> Result<Self> {
        let mut population = Self {
            currency: String::new(),
            points: Points::new(reading.names.len()),
            starts: vec![None; config.start_customers.len()],
            left_out: 0,
        };
        let mut point = vec![0.0; reading.names.len()];
        for batch in rows {
            let rows = Rows::read(&batch, reading, at)?;
            if population.currency.is_empty() {
                rows.currency.clone_into(&mut population.currency);
            } else if population.currency != rows.currency {
                let message = (
                    format!("`spent` is in {} and in {}", population.currency, rows.currency),
                    format!("`spent` 的币种既有 {} 又有 {}", population.currency, rows.currency),
                );
                return Err(PluginError::UnsuitableData(message.into()));
            }
            let names = if config.start_customers.is_empty() { None } else { Some(Names::read(&batch)?) };
            for (row, absent) in rows.absent.iter().enumerate() {
                if *absent {
                    population.left_out += 1;
                    continue;
                }
                let start = names.as_ref().and_then(|names| names.place_in(&config.start_customers, row));
                if let Some(place) = start.and_then(|start| population.starts.get_mut(start)) {
                    *place = Some(population.points.count());
                }
                rows.copy(row, &mut point);
                population.points.push(&point);
            }
        }
        if population.points.count() == 0 {
            let message = (
                "no customer has the figures that are compared, up to the day as of which it runs",
                "截至运行日期，没有客户具备参与比较的指标",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        Ok(population)
    }
}

/// Mean and population standard deviation of each figure over the customers who have it; 0 and 1 where nobody has it, and a deviation of 1
/// where all are equal.
#[derive(Debug)]
struct Scale {
    means: Vec<f64>,
    deviations: Vec<f64>,
    missing: Vec<u64>,
}

impl Scale {
    fn of(points: &Points) -> Self {
        let dimensions = points.dimensions();
        let (mut sums, mut known) = (vec![0.0; dimensions], vec![0_u64; dimensions]);
        for (tile, filled) in points.tiles() {
            for ((values, sum), known) in tile.iter().zip(&mut sums).zip(&mut known) {
                for value in values.iter().take(filled).filter(|value| !value.is_nan()) {
                    *sum += value;
                    *known += 1;
                }
            }
        }
        let means: Vec<f64> =
            sums.iter().zip(&known).map(|(sum, known)| sum / (*known).max(1) as f64).collect();
        let mut squares = vec![0.0; dimensions];
        for (tile, filled) in points.tiles() {
            for ((values, mean), squares) in tile.iter().zip(&means).zip(&mut squares) {
                for value in values.iter().take(filled).filter(|value| !value.is_nan()) {
                    *squares += (value - mean) * (value - mean);
                }
            }
        }
        let deviation = |(squares, known): (&f64, &u64)| {
            let deviation = sqrt(squares / (*known).max(1) as f64);
            if deviation > 0.0 { deviation } else { 1.0 }
        };
        Self {
            deviations: squares.iter().zip(&known).map(deviation).collect(),
            missing: known.iter().map(|known| points.count() as u64 - known).collect(),
            means,
        }
    }
}

/// Finds the clusters: from given customers, as many as are asked for, or as many as are told apart best.
fn find(
    points: &Points,
    starts: &[Option<usize>],
    config: &Config,
    seed: u64,
) -> Result<(Clustering, Vec<ElbowRow>)> {
    if !config.start_customers.is_empty() {
        let start = |(name, place): (&String, &Option<usize>)| match place {
            Some(place) => Ok(points.point(*place)),
            None => {
                let message = (
                    format!(
                        "`start_customers` names `{name}`; no customer of that name has the figures that are compared"
                    ),
                    format!("`start_customers` 中的 `{name}` 无效：没有这样的客户，或其不具备参与比较的指标"),
                );
                Err(PluginError::InvalidConfig(message.into()))
            }
        };
        let starts: Vec<Vec<f64>> =
            config.start_customers.iter().zip(starts).map(start).collect::<Result<_>>()?;
        return Ok((lloyd(points, starts), Vec::new()));
    }
    let step = points.count().div_ceil(SEARCH_POINTS_MAX).max(1);
    let thinned = (step > 1).then(|| points.thinned(step));
    let searched = thinned.as_ref().unwrap_or(points);
    let counts = match config.clusters {
        Some(clusters) => clusters..=clusters,
        None => 2..=config.clusters_max,
    };
    let found: Vec<Clustering> =
        counts.filter_map(|clusters| best_of(searched, clusters, config.restarts, seed)).collect();
    let elbow = if config.clusters.is_some() { Vec::new() } else { elbow(searched, &found) };
    let best = elbow
        .iter()
        .enumerate()
        .filter_map(|(place, row)| Some((place, row.silhouette?)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    let chosen = found.into_iter().nth(best.map_or(0, |(place, _)| place));
    let chosen = chosen.ok_or_else(|| {
        PluginError::UnsuitableData(("there is no customer to group", "没有可供分群的客户").into())
    })?;
    let clustering = if thinned.is_some() { lloyd(points, chosen.centroids) } else { chosen };
    Ok((clustering, elbow))
}

fn elbow(points: &Points, found: &[Clustering]) -> Vec<ElbowRow> {
    let row = |(clustering, silhouette): (&Clustering, Option<f64>)| ElbowRow {
        clusters: clustering.sizes.len() as u64,
        inertia: clustering.inertia / points.count() as f64,
        silhouette,
    };
    let mut rows: Vec<ElbowRow> = found.iter().zip(silhouettes(points, found)).map(row).collect();
    // Where there are fewer different customers than clusters, the same comes out again.
    rows.dedup_by_key(|row| row.clusters);
    rows
}

/// The largest cluster first; of equally large ones the one with the smaller centroid.
fn sort_by_size(clustering: &mut Clustering) {
    let mut clusters: Vec<(u64, Vec<f64>)> =
        clustering.sizes.drain(..).zip(clustering.centroids.drain(..)).collect();
    clusters.sort_by(|one, other| {
        let smaller = |one: &[f64], other: &[f64]| {
            let orders = one.iter().zip(other).map(|(one, other)| one.total_cmp(other));
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        other.0.cmp(&one.0).then_with(|| smaller(&one.1, &other.1))
    });
    (clustering.sizes, clustering.centroids) = clusters.into_iter().unzip();
    clustering.labels.clear();
}
