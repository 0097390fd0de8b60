//! Learning a model from every customer.

use trellis_sdk::math::pow;
use trellis_sdk::{Context, PluginError, Result, RowStream, decimal_places};

use crate::config::{Config, Method, Middle};
use crate::dimensions::{Dimension, Direction};
use crate::model::RfmModel;
use crate::rows::Rows;
use crate::segments;
use crate::shape::{POINTS_MAX, Shape};

/// How many customers are graded at a time: what fits the fast memory.
const CHUNK: usize = 4096;

/// The figures of every customer with an order, in the order of their ordinals: 24 bytes a customer, and 16 more while a
/// dimension is cut.
#[derive(Debug)]
pub(crate) struct Population {
    currency: String,
    ordinals: Vec<u64>,
    recency: Vec<i32>,
    orders: Vec<u32>,
    spent: Vec<i64>,
}

impl Population {
    /// Reads one pass of `rows`.
    pub(crate) fn read(rows: &mut RowStream<'_>, at: &Context) -> Result<Self> {
        let count = usize::try_from(rows.rows()).unwrap_or(0);
        let mut population = Self {
            currency: String::new(),
            ordinals: Vec::with_capacity(count),
            recency: Vec::with_capacity(count),
            orders: Vec::with_capacity(count),
            spent: Vec::with_capacity(count),
        };
        for batch in rows {
            population.add(&Rows::read(&batch, at)?)?;
        }
        if population.ordinals.is_empty() {
            return Err(PluginError::UnsuitableData(
                (
                    "no customer has an order up to the day as of which it runs",
                    "截至运行日期，没有客户有订单",
                )
                    .into(),
            ));
        }
        Ok(population)
    }

    fn add(&mut self, rows: &Rows<'_>) -> Result<()> {
        if self.currency.is_empty() {
            rows.currency.clone_into(&mut self.currency);
        } else if self.currency != rows.currency {
            let message = (
                format!("`spent` is in {} and in {}", self.currency, rows.currency),
                format!("`spent` 的币种既有 {} 又有 {}", self.currency, rows.currency),
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        for figures in rows.present() {
            self.ordinals.push(figures.ordinal);
            self.recency.push(i32::try_from(figures.recency).unwrap_or(i32::MAX));
            self.orders.push(u32::try_from(figures.orders).unwrap_or(u32::MAX));
            self.spent.push(figures.spent);
        }
        Ok(())
    }

    /// Cuts each dimension into groups, averages what the classes and the matrix are judged by, and counts everybody.
    pub(crate) fn model(&self, config: &Config) -> Result<RfmModel> {
        let mut model = self.cut(config.groups);
        model.weights = config.checked_weights()?;
        model.graded_by = config.graded_by;
        model.segments = segments::of(&config.segments, config.groups);
        model.segment_map = segments::map(&model.segments, config.groups)?;
        if config.matrix_by == Middle::Median {
            model.matrix_by = Middle::Median;
            let average =
                self.spent.iter().zip(&self.orders).map(|(spent, orders)| *spent as f64 / f64::from(*orders));
            model.matrix_cuts = [
                median(average.collect()),
                median(self.orders.iter().map(|orders| f64::from(*orders)).collect()),
            ];
        }
        if let Some(bounds) = &config.bounds {
            let unit = pow(10.0, f64::from(decimal_places(&self.currency)));
            model.recency.bounds.clone_from(&bounds.recency);
            model.frequency.bounds.clone_from(&bounds.frequency);
            // What is a whole number of minor units but for rounding stays it.
            model.monetary.bounds =
                bounds.monetary.iter().map(|bound| (bound * unit * 1e6).round() / 1e6).collect();
        }
        if model.graded_by != Method::Quantile {
            self.average_classes(&mut model);
        }
        let mut shape = Shape::new(model.groups);
        let step = self.ordinals.len().div_ceil(POINTS_MAX).max(1);
        for (number, rows) in self.chunks().enumerate() {
            shape.add(&model, &rows, number * CHUNK, step);
        }
        model.shape = shape;
        Ok(model)
    }

    /// The customers as rows, [`CHUNK`] at a time.
    fn chunks(&self) -> impl Iterator<Item = Rows<'_>> {
        let figures = self.recency.chunks(CHUNK).zip(self.orders.chunks(CHUNK)).zip(self.spent.chunks(CHUNK));
        self.ordinals.chunks(CHUNK).zip(figures).map(|(ordinals, ((recency, orders), spent))| Rows {
            ordinals,
            currency: &self.currency,
            recency: recency.iter().map(|days| i64::from(*days)).collect(),
            orders: orders.iter().map(|orders| i64::from(*orders)).collect(),
            spent: spent.to_vec(),
            absent: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Averages the scores that decide on the class. Their sums are whole numbers.
    fn average_classes(&self, model: &mut RfmModel) {
        let mut sums = [0_u64; 3];
        for rows in self.chunks() {
            for (sum, scores) in sums.iter_mut().zip(model.scores(&rows)) {
                *sum += scores.iter().map(|score| u64::from(*score) + 1).sum::<u64>();
            }
        }
        let count = self.ordinals.len() as f64;
        let dimensions = [&mut model.recency, &mut model.frequency, &mut model.monetary];
        for (dimension, sum) in dimensions.into_iter().zip(sums) {
            dimension.class_mean = sum as f64 / count;
        }
    }

    fn cut(&self, groups: usize) -> RfmModel {
        let count = self.ordinals.len() as f64;
        let average_spend = |(spent, orders): (&i64, &u32)| *spent as f64 / f64::from(*orders);
        let mean_average_spend = self.spent.iter().zip(&self.orders).map(average_spend).sum::<f64>() / count;
        let mean_frequency = self.orders.iter().map(|orders| u64::from(*orders)).sum::<u64>() as f64 / count;
        RfmModel {
            groups,
            customers: self.ordinals.len() as u64,
            currency: self.currency.clone(),
            recency: self.dimension(
                groups,
                Direction::Down,
                self.recency.iter().map(|days| i64::from(*days)),
            ),
            frequency: self.dimension(
                groups,
                Direction::Up,
                self.orders.iter().map(|orders| i64::from(*orders)),
            ),
            monetary: self.dimension(groups, Direction::Up, self.spent.iter().copied()),
            mean_average_spend,
            mean_frequency,
            matrix_by: Middle::Mean,
            matrix_cuts: [mean_average_spend, mean_frequency],
            graded_by: Method::Quantile,
            segments: Vec::new(),
            segment_map: Vec::new(),
            weights: None,
            shape: Shape::default(),
        }
    }

    fn dimension(&self, groups: usize, direction: Direction, values: impl Iterator<Item = i64>) -> Dimension {
        // A position stands for its ordinal: both ascend together.
        let mut keys: Vec<(i64, u32)> =
            values.zip(0..).map(|(value, position)| (direction.key(value), position)).collect();
        let quantiles: Vec<Quantile> =
            (1..groups).map(|cut| Quantile::new(cut, groups, keys.len())).collect();
        let starts = group_starts(groups, keys.len());

        let mut ranks = starts.clone();
        ranks.extend(quantiles.iter().flat_map(|quantile| quantile.ranks(direction, keys.len())));
        ranks.sort_unstable();
        ranks.dedup();
        place(&mut keys, &ranks, 0);

        let at = |rank: usize| keys.get(rank).copied().expect("a rank is below the number of customers");
        let boundary = |rank: &usize| {
            let (key, position) = at(*rank);
            (key, self.ordinals.get(position as usize).copied().expect("a position is that of a customer"))
        };
        let value = |rank: usize| direction.key(at(rank).0);
        let thresholds = quantiles.iter().map(|quantile| {
            let [low, high] = quantile.ranks(direction, keys.len()).map(value);
            quantile.between(low, high)
        });
        let mut dimension = Dimension {
            direction,
            thresholds: thresholds.collect(),
            boundaries: starts.iter().map(boundary).collect(),
            bounds: Vec::new(),
            mean_score: 0.0,
            class_mean: 0.0,
            is_constant: keys.iter().all(|(key, _)| keys.first().is_some_and(|(first, _)| first == key)),
        };
        dimension.mean_score = mean_score(&dimension, &keys);
        dimension.class_mean = dimension.mean_score;
        dimension
    }
}

/// A place between two neighbouring values: `(count - 1) * cut / groups` in the ascending order, kept as whole numbers so that
/// no rounding moves a customer over a threshold.
#[derive(Debug, Clone, Copy)]
struct Quantile {
    rank: usize,
    /// The part of the way to the next value, in `groups`ths.
    part: usize,
    groups: usize,
}

impl Quantile {
    fn new(cut: usize, groups: usize, count: usize) -> Self {
        let place = (count as u64 - 1) * cut as u64;
        Self { rank: (place / groups as u64) as usize, part: (place % groups as u64) as usize, groups }
    }

    /// The ranks of the two values in the order of keys.
    fn ranks(self, direction: Direction, count: usize) -> [usize; 2] {
        let next = (self.rank + 1).min(count - 1);
        match direction {
            Direction::Up => [self.rank, next],
            Direction::Down => [count - 1 - self.rank, count - 1 - next],
        }
    }

    fn between(self, low: i64, high: i64) -> f64 {
        let way = i128::from(high) - i128::from(low);
        low as f64 + (way * self.part as i128) as f64 / self.groups as f64
    }
}

/// Where the second, third … of `groups` equal groups begin; the first ones are one larger where it does not come out even.
fn group_starts(groups: usize, count: usize) -> Vec<usize> {
    let (size, larger) = (count / groups, count % groups);
    (1..groups).map(|group| group * size + group.min(larger)).filter(|start| *start < count).collect()
}

/// Moves `keys` until each of `ranks` (ascending, counted from `base`) holds what sorting would put there. Linear in the keys, times the
/// logarithm of the ranks: a third of what sorting a million customers takes.
fn place(keys: &mut [(i64, u32)], ranks: &[usize], base: usize) {
    let Some(middle) = ranks.get(ranks.len() / 2) else { return };
    let (lower, _, upper) = keys.select_nth_unstable(middle - base);
    let (below, above) = ranks.split_at(ranks.len() / 2);
    place(lower, below, base);
    place(upper, above.get(1..).unwrap_or_default(), middle + 1);
}

/// The figure in the middle; of an even number the mean of the two.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| figures.get(place).copied().unwrap_or_default();
    f64::midpoint(at(figures.len().saturating_sub(1) / 2), at(figures.len() / 2))
}

/// The mean of the quantile scores, counted from 1. Their sum is a whole number, so the order of the customers does not matter.
fn mean_score(dimension: &Dimension, keys: &[(i64, u32)]) -> f64 {
    let mut sum = 0;
    for chunk in keys.chunks(CHUNK) {
        let values: Vec<i64> = chunk.iter().map(|(key, _)| dimension.direction.key(*key)).collect();
        sum += dimension.quantile_scores(&values).iter().map(|score| u64::from(*score) + 1).sum::<u64>();
    }
    sum as f64 / keys.len() as f64
}
