//! Growing a tree from histograms of bins.
//!
//! The node whose split gains most divides next. Only the smaller child reads its rows; the histogram of the larger is what is left
//! of its parent's (as LightGBM does: Ke et al., 2017).

use super::binned::{Binned, Cuts};
use super::{Growth, Node, Split, Tree};

/// A first derivative with its sign turned, and a second, for each row: the target and 1 for plain trees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gradients {
    pub(crate) first: f64,
    pub(crate) second: f64,
}

/// Grows a tree on all rows, on thresholds between bins. Of equal splits the one of the first feature, then of the lowest threshold or
/// level, is made.
pub fn grow_histogram(rows: &Binned, target: &[f64], growth: &Growth) -> Tree {
    let gradients: Vec<Gradients> =
        target.iter().map(|first| Gradients { first: *first, second: 1.0 }).collect();
    let all: Vec<u32> = (0..u32::try_from(rows.rows).unwrap_or(u32::MAX)).collect();
    let features: Vec<usize> = (0..rows.features.len()).collect();
    grow(rows, &gradients, all, &features, growth)
}

/// Grows a tree on the rows at the places `members`, looking at these features only.
pub(crate) fn grow(
    rows: &Binned,
    gradients: &[Gradients],
    members: Vec<u32>,
    features: &[usize],
    growth: &Growth,
) -> Tree {
    let mut grower =
        Grower { rows, gradients, features, growth, members, ordered: Vec::new(), nodes: Vec::new() };
    let end = grower.members.len();
    let histogram = grower.histogram(0, end);
    let root = grower.leaf(0, end, 0, histogram);
    let mut open: Vec<Leaf> = root.into_iter().collect();
    let mut leaves = 1;
    while leaves < growth.max_leaves {
        // The first of the best: leaves stand in the order in which they arose.
        let mut best: Option<(usize, f64)> = None;
        for (place, leaf) in open.iter().enumerate() {
            if best.is_none_or(|(_, gain)| leaf.best.gain > gain) {
                best = Some((place, leaf.best.gain));
            }
        }
        let Some((place, _)) = best else { break };
        let leaf = open.remove(place);
        open.extend(grower.divide(leaf));
        leaves += 1;
    }
    Tree::in_order(&grower.nodes)
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Cell {
    first: f64,
    second: f64,
    rows: u32,
}

impl Cell {
    #[inline]
    fn add(&mut self, other: &Self) {
        self.first += other.first;
        self.second += other.second;
        self.rows += other.rows;
    }

    #[inline]
    fn without(&self, other: &Self) -> Self {
        Self {
            first: self.first - other.first,
            second: self.second - other.second,
            rows: self.rows - other.rows,
        }
    }

    #[inline]
    fn worth(&self, shrinkage: f64) -> f64 {
        self.first * self.first / (self.second + shrinkage)
    }
}

/// A leaf that can divide.
struct Leaf {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
    histogram: Vec<Vec<Cell>>,
    best: Best,
}

#[derive(Clone, Copy)]
struct Best {
    gain: f64,
    feature: usize,
    bin: u8,
}

struct Grower<'a> {
    rows: &'a Binned,
    gradients: &'a [Gradients],
    features: &'a [usize],
    growth: &'a Growth,
    /// The rows, those of a node side by side and in ascending order.
    members: Vec<u32>,
    /// The gradients of the rows of the node that is counted, so that each feature reads them in order.
    ordered: Vec<Gradients>,
    nodes: Vec<Node>,
}

#[expect(
    clippy::indexing_slicing,
    reason = "members are rows, codes are below their count; this is the inner loop"
)]
impl Grower<'_> {
    fn histogram(&mut self, start: usize, end: usize) -> Vec<Vec<Cell>> {
        let members = &self.members[start..end];
        self.ordered.clear();
        self.ordered.extend(members.iter().map(|row| self.gradients[*row as usize]));
        let all = members.len() == self.rows.rows;
        self.features
            .iter()
            .map(|feature| {
                let bins = &self.rows.features[*feature];
                // One cell for each byte: no code needs a check, and rows without a level have one, too.
                let mut cells = vec![Cell::default(); 256];
                let mut add = |code: u8, gradients: &Gradients| {
                    let cell = &mut cells[usize::from(code)];
                    cell.first += gradients.first;
                    cell.second += gradients.second;
                    cell.rows += 1;
                };
                if all {
                    bins.codes.iter().zip(&self.ordered).for_each(|(code, gradients)| add(*code, gradients));
                } else {
                    for (row, gradients) in members.iter().zip(&self.ordered) {
                        add(bins.codes[*row as usize], gradients);
                    }
                }
                cells
            })
            .collect()
    }

    /// Adds a node for the members from `start` to `end`; none where it cannot divide.
    fn leaf(&mut self, start: usize, end: usize, depth: usize, histogram: Vec<Vec<Cell>>) -> Option<Leaf> {
        let mut whole = Cell::default();
        for row in &self.members[start..end] {
            let Gradients { first, second } = self.gradients[*row as usize];
            whole.add(&Cell { first, second, rows: 1 });
        }
        let node = self.nodes.len();
        let weight = whole.second + self.growth.shrinkage;
        let value = if weight > 0.0 { whole.first / weight } else { 0.0 };
        self.nodes.push(Node { rows: u64::from(whole.rows), value, split: None });
        if depth >= self.growth.max_depth || (end - start) < 2 * self.growth.min_leaf.max(1) {
            return None;
        }
        let best = self.best(&histogram, &whole)?;
        Some(Leaf { node, start, end, depth, histogram, best })
    }

    fn best(&self, histogram: &[Vec<Cell>], whole: &Cell) -> Option<Best> {
        let least = self.growth.min_leaf.max(1) as u32;
        let worth = whole.worth(self.growth.shrinkage);
        // A gain within the rounding of the sums is none.
        let mut best = Best { gain: 1e-12 * worth.abs() + 1e-14, feature: usize::MAX, bin: 0 };
        for (feature, cells) in self.features.iter().zip(histogram) {
            let cuts = &self.rows.features[*feature].cuts;
            let splits = match cuts {
                Cuts::Thresholds(cuts) => cuts.len(),
                Cuts::Levels(count) => *count,
            };
            let mut left = Cell::default();
            for (bin, cell) in (0..=u8::MAX).zip(cells).take(splits) {
                let part = match cuts {
                    Cuts::Thresholds(_) => {
                        left.add(cell);
                        left
                    }
                    Cuts::Levels(_) => *cell,
                };
                if part.rows < least || whole.rows - part.rows < least {
                    continue;
                }
                let rest = whole.without(&part);
                let gain = part.worth(self.growth.shrinkage) + rest.worth(self.growth.shrinkage) - worth;
                if gain > best.gain {
                    best = Best { gain, feature: *feature, bin };
                }
            }
        }
        (best.feature != usize::MAX).then_some(best)
    }

    /// Divides a leaf; gives those of its children that can divide.
    fn divide(&mut self, leaf: Leaf) -> Vec<Leaf> {
        let Best { gain, feature, bin } = leaf.best;
        let bins = &self.rows.features[feature];
        let is_threshold = matches!(bins.cuts, Cuts::Thresholds(_));
        let goes_left = |row: &u32| {
            let code = bins.codes[*row as usize];
            if is_threshold { code <= bin } else { code != bin }
        };
        let (left, right): (Vec<u32>, Vec<u32>) =
            self.members[leaf.start..leaf.end].iter().partition(|row| goes_left(row));
        let middle = leaf.start + left.len();
        self.members[leaf.start..middle].copy_from_slice(&left);
        self.members[middle..leaf.end].copy_from_slice(&right);
        let test = bins.cuts.test(bin);
        let left_is_small = left.len() <= right.len();
        let (start, end) = if left_is_small { (leaf.start, middle) } else { (middle, leaf.end) };
        let deepest = leaf.depth + 1 >= self.growth.max_depth;
        let small = if deepest { Vec::new() } else { self.histogram(start, end) };
        let mut large = leaf.histogram;
        for (cells, others) in large.iter_mut().zip(&small) {
            for (cell, other) in cells.iter_mut().zip(others) {
                *cell = cell.without(other);
            }
        }
        let (of_left, of_right) = if left_is_small { (small, large) } else { (large, small) };
        let place = self.nodes.len();
        let one = self.leaf(leaf.start, middle, leaf.depth + 1, of_left);
        let right_place = self.nodes.len();
        let other = self.leaf(middle, leaf.end, leaf.depth + 1, of_right);
        self.nodes[leaf.node].split = Some(Split { feature, test, left: place, right: right_place, gain });
        one.into_iter().chain(other).collect()
    }
}
