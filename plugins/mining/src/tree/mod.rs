//! Classification and regression trees (Breiman, Friedman, Olshen and Stone, *Classification and Regression Trees*, 1984).
//!
//! Splits are binary: a number is at most a threshold, or a category is not one of its levels (the 0/1 column of that level is at most
//! ½). Both kinds of tree choose the split that lowers the variance of the target most; for a target of 0 and 1 that is the one that lowers
//! the Gini impurity most, which is twice its variance.

mod binned;
mod exact;
mod histogram;
mod rules;

use trellis_sdk::{ModelReader, ModelWriter, PluginError, Result};

use crate::encoding::{Encoded, Values};

pub use binned::Binned;
pub use exact::grow_exact;
pub use histogram::grow_histogram;
pub(crate) use histogram::{Gradients, grow};
pub use rules::{LeafRule, condition, short};

/// How far a tree grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// How many splits lie above a leaf at most.
    pub max_depth: usize,
    /// How many leaves there are at most; the splits that gain most are made first. Only trees from histograms heed it.
    pub max_leaves: usize,
    /// How many training rows a leaf has at least.
    pub min_leaf: usize,
    /// Added to the second derivatives of a leaf (boosting); 0 for plain trees.
    pub shrinkage: f64,
}

impl Default for Growth {
    fn default() -> Self {
        Self { max_depth: 5, max_leaves: usize::MAX, min_leaf: 20, shrinkage: 0.0 }
    }
}

/// Up to so many rows [`grow_tree`] looks at every threshold.
const EXACT_UP_TO: usize = 200_000;

/// Grows a tree on all rows: on every threshold where rows are at most 200,000, else on histograms whose bins are learned from rows that `seed` chooses.
pub fn grow_tree(rows: &Encoded, target: &[f64], growth: &Growth, seed: u64) -> Tree {
    if rows.rows <= EXACT_UP_TO {
        grow_exact(rows, target, growth)
    } else {
        grow_histogram(&Binned::new(rows, seed), target, growth)
    }
}

/// A tree. Its first node is the root; nodes come in order from left to right, parents before children.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A node of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// How many training rows reached it.
    pub rows: u64,
    /// The mean of the target over them: the share of positives, or the expected number.
    pub value: f64,
    /// How it divides; none for a leaf.
    pub split: Option<Split>,
}

/// How a node divides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Which feature of the encoding is asked.
    pub feature: usize,
    /// What is asked; rows for which it holds go left.
    pub test: Test,
    /// The place of the left child.
    pub left: usize,
    /// The place of the right child.
    pub right: usize,
    /// By how much it lowers the sum of squares around the mean.
    pub gain: f64,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// Is the number at most this?
    AtMost(f64),
    /// Is the category another level than this?
    IsNot(u8),
}

impl Test {
    /// Whether a row goes left.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "features have a value for each row")]
    pub fn holds(self, values: &Values, row: usize) -> bool {
        match (self, values) {
            (Self::AtMost(threshold), Values::Numbers(numbers)) => numbers[row] <= threshold,
            (Self::IsNot(level), Values::Levels { codes, .. }) => codes[row] != level,
            _ => true,
        }
    }
}

impl Tree {
    /// The place of the leaf that each row falls into, among all nodes.
    pub fn leaves_of(&self, rows: &Encoded) -> Vec<usize> {
        (0..rows.rows).map(|row| self.leaf_of(rows, row)).collect()
    }

    /// The place of the leaf that `row` falls into.
    #[inline]
    pub fn leaf_of(&self, rows: &Encoded, row: usize) -> usize {
        self.path(rows, row).last().unwrap_or(0)
    }

    /// The nodes from the root to the leaf of `row`.
    pub fn path<'a>(&'a self, rows: &'a Encoded, row: usize) -> impl Iterator<Item = usize> + 'a {
        std::iter::successors(Some(0), move |place| {
            let split = self.nodes.get(*place)?.split?;
            let goes_left =
                rows.features.get(split.feature).is_none_or(|values| split.test.holds(values, row));
            Some(if goes_left { split.left } else { split.right })
        })
    }

    /// The value of the leaf of each row.
    pub fn values_of(&self, rows: &Encoded) -> Vec<f64> {
        let value = |row| self.nodes.get(self.leaf_of(rows, row)).map_or(0.0, |node| node.value);
        (0..rows.rows).map(value).collect()
    }

    /// The places of the leaves, from left to right.
    pub fn leaves(&self) -> Vec<usize> {
        let is_leaf = |place: &usize| self.nodes.get(*place).is_some_and(|node| node.split.is_none());
        (0..self.nodes.len()).filter(is_leaf).collect()
    }

    /// How much each feature lowered the sum of squares, as shares of the whole.
    pub fn importance(&self, features: usize) -> Vec<f64> {
        let mut gains = vec![0.0; features];
        self.add_gains(&mut gains);
        let whole: f64 = gains.iter().sum();
        if whole > 0.0 {
            gains.iter_mut().for_each(|gain| *gain /= whole);
        }
        gains
    }

    /// Adds the gain of each split to that of its feature.
    pub fn add_gains(&self, gains: &mut [f64]) {
        for split in self.nodes.iter().filter_map(|node| node.split) {
            if let Some(gain) = gains.get_mut(split.feature) {
                *gain += split.gain;
            }
        }
    }

    /// The smallest of the trees within this one whose `Σ squares + price · leaves` is least (cost-complexity pruning); `price` as a share of the sum of
    /// squares at the root.
    #[must_use]
    pub fn pruned(&self, price: f64) -> Self {
        let mut worth = vec![0.0_f64; self.nodes.len()];
        let mut leaves = vec![1_usize; self.nodes.len()];
        let mut nodes = self.nodes.clone();
        let whole: f64 = self.nodes.iter().filter_map(|node| Some(node.split?.gain)).sum();
        for place in (0..nodes.len()).rev() {
            let Some(split) = nodes.get(place).and_then(|node| node.split) else { continue };
            let of = |values: &[f64], place: usize| values.get(place).copied().unwrap_or(0.0);
            let gain = split.gain + of(&worth, split.left) + of(&worth, split.right);
            let below: usize = [split.left, split.right].iter().filter_map(|child| leaves.get(*child)).sum();
            if gain <= price * whole * (below - 1) as f64 {
                if let Some(node) = nodes.get_mut(place) {
                    node.split = None;
                }
            } else {
                if let Some(mine) = worth.get_mut(place) {
                    *mine = gain;
                }
                if let Some(mine) = leaves.get_mut(place) {
                    *mine = below;
                }
            }
        }
        Self::in_order(&nodes)
    }

    /// The nodes that the root of `nodes` reaches, from left to right.
    fn in_order(nodes: &[Node]) -> Self {
        fn visit(nodes: &[Node], place: usize, ordered: &mut Vec<Node>) {
            let Some(node) = nodes.get(place) else { return };
            let mine = ordered.len();
            ordered.push(node.clone());
            let Some(split) = node.split else { return };
            let left = ordered.len();
            visit(nodes, split.left, ordered);
            let right = ordered.len();
            visit(nodes, split.right, ordered);
            if let Some(node) = ordered.get_mut(mine) {
                node.split = Some(Split { left, right, ..split });
            }
        }
        let mut ordered = Vec::with_capacity(nodes.len());
        visit(nodes, 0, &mut ordered);
        Self { nodes: ordered }
    }

    /// Writes the tree.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        self.nodes.iter().fold(writer.u64(self.nodes.len() as u64), |writer, node| {
            let writer = writer.u64(node.rows).f64(node.value);
            let Some(split) = node.split else { return writer.u64(0) };
            let writer = match split.test {
                Test::AtMost(threshold) => writer.u64(1).f64(threshold),
                Test::IsNot(level) => writer.u64(2).u64(u64::from(level)),
            };
            writer.u64(split.feature as u64).u64(split.left as u64).u64(split.right as u64).f64(split.gain)
        })
    }

    /// Reads what [`Tree::write`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else, and for children that do not come after their parent, since a row could not
    /// reach a leaf.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let count = reader.u64()?;
        let mut nodes = Vec::new();
        for place in 0..count {
            let (rows, value) = (reader.u64()?, reader.f64()?);
            let test = match reader.u64()? {
                0 => None,
                1 => Some(Test::AtMost(reader.f64()?)),
                _ => Some(Test::IsNot(u8::try_from(reader.u64()?).unwrap_or(u8::MAX))),
            };
            let split = match test {
                None => None,
                Some(test) => {
                    let (feature, left, right) = (reader.u64()?, reader.u64()?, reader.u64()?);
                    let gain = reader.f64()?;
                    if !(place < left && left < right && right < count) {
                        let message = format!("node {place} of the model's tree has no place of its own");
                        return Err(PluginError::UnreadableModel(message.into()));
                    }
                    Some(Split {
                        feature: feature as usize,
                        test,
                        left: left as usize,
                        right: right as usize,
                        gain,
                    })
                }
            };
            nodes.push(Node { rows, value, split });
        }
        Ok(Self { nodes })
    }
}
