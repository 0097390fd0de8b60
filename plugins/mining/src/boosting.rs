//! Gradient boosting of histogram trees for a yes or no (Friedman, "Stochastic gradient boosting", 2002, with Newton steps in the
//! leaves as XGBoost and LightGBM take them).
//!
//! Several boosted models with seeds of their own vote: their log odds are averaged. Each tree sees a part of the rows and of the features. The
//! same rows and seed give the same bytes.

use trellis_sdk::math::log;
use trellis_sdk::{ModelReader, ModelWriter, Result, Rng};

use crate::encoding::Encoded;
use crate::logistic::probability;
use crate::measures::log_loss;
use crate::tree::{Binned, Gradients, Growth, Tree, grow};

/// Up to how many rows several boosted models vote.
const VOTED_UP_TO: usize = 50_000;

/// How trees are boosted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boosting {
    /// How many trees each voter has at most.
    pub rounds: usize,
    /// How much of each tree counts.
    pub rate: f64,
    /// How each tree grows.
    pub growth: Growth,
    /// The share of the rows that each tree sees.
    pub row_share: f64,
    /// The share of the features that each tree sees.
    pub feature_share: f64,
    /// How many boosted models vote.
    pub voters: usize,
}

impl Default for Boosting {
    fn default() -> Self {
        Self {
            rounds: 200,
            rate: 0.05,
            growth: Growth { max_depth: 6, max_leaves: 12, min_leaf: 20, shrinkage: 1.0 },
            row_share: 0.6,
            feature_share: 0.5,
            voters: 4,
        }
    }
}

impl Boosting {
    /// As the default, with smaller leaves where there are fewer than 400 rows: leaves of 20 of the rows that a tree sees would leave nothing to
    /// divide. Of more than 50,000 rows one boosted model is enough: a vote evens out what chance makes of few rows, and each voter costs
    /// as much again, in learning and in every score.
    pub fn of_rows(rows: usize) -> Self {
        let boosting = Self::default();
        let min_leaf = boosting.growth.min_leaf.min(rows / 20).max(2);
        let voters = if rows > VOTED_UP_TO { 1 } else { boosting.voters };
        Self { growth: Growth { min_leaf, ..boosting.growth }, voters, ..boosting }
    }
}

/// Boosted trees.
#[derive(Debug, Clone, PartialEq)]
pub struct Boosted {
    /// The log odds of the training rows as a whole.
    pub start: f64,
    /// How much of each tree's value counts: the rate over the number of voters.
    pub weight: f64,
    /// The trees of all voters; their values are log odds.
    pub trees: Vec<Tree>,
}

/// Boosts on all rows. Both classes have to occur.
pub fn fit(rows: &Encoded, positive: &[bool], boosting: &Boosting, seed: u64) -> Boosted {
    let binned = Binned::new(rows, seed);
    let start = start(positive);
    let mut trees = Vec::new();
    for voter in 0..boosting.voters.max(1) {
        let mut booster = Booster::new(&binned, positive, boosting, start, voter_seed(seed, voter));
        trees.extend((0..boosting.rounds).map(|_| booster.round(rows)));
    }
    Boosted { start, weight: boosting.rate / boosting.voters.max(1) as f64, trees }
}

/// How many rounds do best on `held`, which the trees do not see: the number with the least log loss, and the log odds of `held` then. Stops where 25
/// rounds brought nothing.
pub fn rounds(
    train: (&Encoded, &[bool]),
    held: (&Encoded, &[bool]),
    boosting: &Boosting,
    seed: u64,
) -> (usize, Vec<f64>) {
    let (rows, positive) = train;
    let binned = Binned::new(rows, seed);
    let start = start(positive);
    let voters = boosting.voters.max(1);
    let mut boosters: Vec<Booster<'_>> = (0..voters)
        .map(|voter| Booster::new(&binned, positive, boosting, start, voter_seed(seed, voter)))
        .collect();
    let mut margins = vec![start; held.0.rows];
    let mut best = (0, log_loss_of(&margins, held.1), margins.clone());
    for round in 1..=boosting.rounds {
        for booster in &mut boosters {
            let tree = booster.round(rows);
            let values = tree.values_of(held.0);
            for (margin, value) in margins.iter_mut().zip(values) {
                *margin += boosting.rate / voters as f64 * value;
            }
        }
        let loss = log_loss_of(&margins, held.1);
        if loss < best.1 {
            best = (round, loss, margins.clone());
        }
        if round >= best.0 + 25 {
            break;
        }
    }
    (best.0, best.2)
}

impl Boosted {
    /// The log odds of every row.
    pub fn margins(&self, rows: &Encoded) -> Vec<f64> {
        let mut margins = vec![self.start; rows.rows];
        for tree in &self.trees {
            for (row, margin) in margins.iter_mut().enumerate() {
                let node = tree.nodes.get(tree.leaf_of(rows, row));
                *margin += self.weight * node.map_or(0.0, |node| node.value);
            }
        }
        margins
    }

    /// What each feature adds to the log odds of each row: along the row's path through each tree, the change of the node's value belongs to the
    /// feature that was asked (Saabas, 2014). The sum over all features, and the values of the roots, is the row's log odds.
    pub fn contributions(&self, rows: &Encoded) -> Vec<Vec<f64>> {
        let mut contributions = vec![vec![0.0; rows.rows]; rows.features.len()];
        for tree in &self.trees {
            for row in 0..rows.rows {
                for (feature, change) in steps(tree, rows, row) {
                    if let Some(cell) = contributions.get_mut(feature).and_then(|cells| cells.get_mut(row)) {
                        *cell += self.weight * change;
                    }
                }
            }
        }
        contributions
    }

    /// The share of each feature in the gain of all trees.
    pub fn importance(&self, features: usize) -> Vec<f64> {
        let mut gains = vec![0.0; features];
        self.trees.iter().for_each(|tree| tree.add_gains(&mut gains));
        let whole: f64 = gains.iter().sum();
        if whole > 0.0 {
            gains.iter_mut().for_each(|gain| *gain /= whole);
        }
        gains
    }

    /// Writes the trees.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        let writer = writer.f64(self.start).f64(self.weight).u64(self.trees.len() as u64);
        self.trees.iter().fold(writer, |writer, tree| tree.write(writer))
    }

    /// Reads what [`Boosted::write`] wrote.
    ///
    /// # Errors
    /// [`trellis_sdk::PluginError::UnreadableModel`] for anything else.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let (start, weight, count) = (reader.f64()?, reader.f64()?, reader.u64()?);
        let trees: Result<Vec<Tree>> = (0..count).map(|_| Tree::read(reader)).collect();
        Ok(Self { start, weight, trees: trees? })
    }
}

/// By how much each split on the way of `row` changes the value of its node, with the feature that was asked.
pub(crate) fn steps<'a>(
    tree: &'a Tree,
    rows: &'a Encoded,
    row: usize,
) -> impl Iterator<Item = (usize, f64)> + 'a {
    let nodes = tree.path(rows, row).filter_map(|place| tree.nodes.get(place));
    let children = tree.path(rows, row).skip(1).filter_map(|place| tree.nodes.get(place));
    nodes.zip(children).filter_map(|(node, child)| Some((node.split?.feature, child.value - node.value)))
}

fn start(positive: &[bool]) -> f64 {
    let share = positive.iter().filter(|positive| **positive).count() as f64 / positive.len().max(1) as f64;
    let share = share.clamp(1e-9, 1.0 - 1e-9);
    log(share / (1.0 - share))
}

fn voter_seed(seed: u64, voter: usize) -> u64 {
    Rng::for_part(seed, voter as u64).next_u64()
}

fn log_loss_of(margins: &[f64], positive: &[bool]) -> f64 {
    let scores: Vec<f64> = margins.iter().map(|margin| probability(*margin)).collect();
    log_loss(&scores, positive)
}

/// One voter while it learns.
struct Booster<'a> {
    rows: &'a Binned,
    positive: &'a [bool],
    boosting: &'a Boosting,
    margins: Vec<f64>,
    gradients: Vec<Gradients>,
    rng: Rng,
}

impl<'a> Booster<'a> {
    fn new(rows: &'a Binned, positive: &'a [bool], boosting: &'a Boosting, start: f64, seed: u64) -> Self {
        let margins = vec![start; positive.len()];
        Self { rows, positive, boosting, margins, gradients: Vec::new(), rng: Rng::from_seed(seed) }
    }

    /// Grows the next tree and moves the log odds of all rows by it.
    fn round(&mut self, rows: &Encoded) -> Tree {
        self.gradients.clear();
        self.gradients.extend(self.margins.iter().zip(self.positive).map(|(margin, positive)| {
            let expected = probability(*margin);
            let first = f64::from(u8::from(*positive)) - expected;
            Gradients { first, second: (expected * (1.0 - expected)).max(1e-12) }
        }));
        let count = u32::try_from(self.margins.len()).unwrap_or(u32::MAX);
        let share = self.boosting.row_share;
        let members: Vec<u32> = if share < 1.0 {
            (0..count).filter(|_| self.rng.unit() < share).collect()
        } else {
            (0..count).collect()
        };
        let features = self.features();
        let tree = grow(self.rows, &self.gradients, members, &features, &self.boosting.growth);
        for (row, margin) in self.margins.iter_mut().enumerate() {
            let node = tree.nodes.get(tree.leaf_of(rows, row));
            *margin += self.boosting.rate * node.map_or(0.0, |node| node.value);
        }
        tree
    }

    /// Some of the features, in order.
    fn features(&mut self) -> Vec<usize> {
        let all = self.rows.features.len();
        let wanted = ((all as f64 * self.boosting.feature_share).round() as usize).clamp(1, all.max(1));
        let mut features: Vec<usize> = (0..all).collect();
        if wanted < all {
            self.rng.shuffle(&mut features);
            features.truncate(wanted);
            features.sort_unstable();
        }
        features
    }
}
