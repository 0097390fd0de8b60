//! Growing a tree by looking at every threshold.
//!
//! Each numeric feature is sorted once; then every level of the tree takes one pass over it (the way of SLIQ: Mehta, Agrawal and
//! Rissanen, 1996). So a level costs rows × features, however many nodes it has.

use super::{Growth, Node, Split, Test, Tree};
use crate::encoding::{Encoded, Values};

/// The node of rows that are in a leaf already.
const DONE: u32 = u32::MAX;

/// Grows a tree on all rows. `target` is 0 and 1, or any finite numbers. Of equal splits the one of the first feature, then of the lowest threshold
/// or level, is made; the threshold is the midpoint between two neighbouring values.
pub fn grow_exact(rows: &Encoded, target: &[f64], growth: &Growth) -> Tree {
    let orders: Vec<Option<Vec<Placed>>> = rows
        .features
        .iter()
        .map(|values| match values {
            Values::Numbers(numbers) => Some(order(numbers)),
            Values::Levels { .. } => None,
        })
        .collect();
    let sum: f64 = target.iter().sum();
    let root = Node { rows: target.len() as u64, value: mean(sum, target.len()), split: None };
    let mut nodes = vec![root];
    let mut rows_in = target.iter().map(|target| Row { target: *target, node: 0 }).collect::<Vec<_>>();
    let mut open = vec![Open { place: 0, rows: target.len(), sum, best: None }];
    for _ in 0..growth.max_depth {
        open.retain(|node| node.rows >= 2 * growth.min_leaf.max(1));
        if open.is_empty() {
            break;
        }
        let places = slots(&open, nodes.len());
        let mut level =
            Level { places: &places, rows: &rows_in, open: &mut open, min_leaf: growth.min_leaf.max(1) };
        for (feature, (values, order)) in rows.features.iter().zip(&orders).enumerate() {
            match (values, order) {
                (Values::Numbers(_), Some(order)) => level.thresholds(feature, order),
                (Values::Levels { codes, count }, _) => level.levels(feature, codes, *count),
                _ => {}
            }
        }
        open = divide(rows, &mut nodes, &mut rows_in, &open);
    }
    Tree::in_order(&nodes)
}

/// A row and where it is now: what a pass over a feature looks up, side by side.
#[derive(Debug, Clone, Copy)]
struct Row {
    target: f64,
    node: u32,
}

/// A value of a feature with its row. In the order of the values, so that a pass reads them one after the other.
#[derive(Debug, Clone, Copy)]
struct Placed {
    value: f64,
    row: u32,
}

/// A node that may still divide.
struct Open {
    place: usize,
    rows: usize,
    sum: f64,
    best: Option<(f64, usize, Test)>,
}

impl Open {
    #[inline]
    fn offer(&mut self, gain: f64, feature: usize, test: impl FnOnce() -> Test) {
        if self.best.is_none_or(|(best, ..)| gain > best) {
            self.best = Some((gain, feature, test()));
        }
    }

    /// By how much dividing into the part with these figures and the rest lowers the sum of squares.
    #[inline]
    fn gain(&self, rows: usize, sum: f64) -> f64 {
        let (others, rest) = ((self.rows - rows) as f64, self.sum - sum);
        sum * sum / rows as f64 + rest * rest / others - self.sum * self.sum / self.rows as f64
    }
}

/// Where each node is in `open`; [`DONE`] where it is not.
fn slots(open: &[Open], nodes: usize) -> Vec<u32> {
    let mut slots = vec![DONE; nodes];
    for (slot, node) in (0..).zip(open) {
        if let Some(place) = slots.get_mut(node.place) {
            *place = slot;
        }
    }
    slots
}

/// All open nodes of one depth, which look for their best split together.
struct Level<'a> {
    places: &'a [u32],
    rows: &'a [Row],
    open: &'a mut [Open],
    min_leaf: usize,
}

#[derive(Clone, Copy)]
struct Running {
    rows: usize,
    sum: f64,
    last: f64,
}

#[expect(
    clippy::indexing_slicing,
    reason = "rows, nodes and slots are counted by the caller; this is the inner loop"
)]
impl Level<'_> {
    fn thresholds(&mut self, feature: usize, order: &[Placed]) {
        let mut running = vec![Running { rows: 0, sum: 0.0, last: 0.0 }; self.open.len()];
        for Placed { value, row } in order.iter().copied() {
            let Row { target, node } = self.rows[row as usize];
            if node == DONE {
                continue;
            }
            let slot = self.places[node as usize];
            if slot == DONE {
                continue;
            }
            let left = &mut running[slot as usize];
            if left.rows > 0 && value > left.last && left.rows >= self.min_leaf {
                let open = &mut self.open[slot as usize];
                if open.rows - left.rows >= self.min_leaf {
                    let gain = open.gain(left.rows, left.sum);
                    let last = left.last;
                    open.offer(gain, feature, || Test::AtMost(midpoint(last, value)));
                }
            }
            left.rows += 1;
            left.sum += target;
            left.last = value;
        }
    }

    fn levels(&mut self, feature: usize, codes: &[u8], count: usize) {
        let mut found = vec![(0_usize, 0.0_f64); self.open.len() * count];
        for (code, Row { target, node }) in codes.iter().zip(self.rows) {
            let (code, node) = (usize::from(*code), *node);
            if node == DONE || code >= count {
                continue;
            }
            let slot = self.places[node as usize];
            if slot != DONE {
                let cell = &mut found[slot as usize * count + code];
                cell.0 += 1;
                cell.1 += target;
            }
        }
        for (open, levels) in self.open.iter_mut().zip(found.chunks_exact(count.max(1))) {
            for (level, (rows, sum)) in (0..).zip(levels) {
                if *rows >= self.min_leaf && open.rows - rows >= self.min_leaf {
                    let gain = open.gain(*rows, *sum);
                    open.offer(gain, feature, || Test::IsNot(level));
                }
            }
        }
    }
}

/// Divides the open nodes by their best splits; gives the nodes of the next depth.
#[expect(clippy::indexing_slicing, reason = "every row is in a node that exists")]
fn divide(encoded: &Encoded, nodes: &mut Vec<Node>, rows: &mut [Row], open: &[Open]) -> Vec<Open> {
    let mut next = Vec::new();
    for node in open {
        // A gain within the rounding of the sums is none.
        let noise = 1e-12 * (node.sum * node.sum / node.rows as f64).abs();
        let Some((gain, feature, test)) = node.best.filter(|(gain, ..)| *gain > noise) else { continue };
        let (left, right) = (nodes.len(), nodes.len() + 1);
        nodes[node.place].split = Some(Split { feature, test, left, right, gain });
        for place in [left, right] {
            nodes.push(Node { rows: 0, value: 0.0, split: None });
            next.push(Open { place, rows: 0, sum: 0.0, best: None });
        }
    }
    let first = next.first().map_or(nodes.len(), |node| node.place);
    for (row, Row { target, node }) in rows.iter_mut().enumerate() {
        if *node == DONE {
            continue;
        }
        let Some(split) = nodes[*node as usize].split else {
            *node = DONE;
            continue;
        };
        let goes_left = split.test.holds(&encoded.features[split.feature], row);
        let place = if goes_left { split.left } else { split.right };
        *node = u32::try_from(place).unwrap_or(DONE);
        let child = &mut next[place - first];
        child.rows += 1;
        child.sum += *target;
    }
    for node in &next {
        nodes[node.place].rows = node.rows as u64;
        nodes[node.place].value = mean(node.sum, node.rows);
    }
    next
}

/// A threshold between two neighbours that the upper one does not reach, even where nothing lies between them.
fn midpoint(lower: f64, upper: f64) -> f64 {
    let middle = lower / 2.0 + upper / 2.0;
    if middle < upper { middle } else { lower }
}

fn mean(sum: f64, rows: usize) -> f64 {
    if rows == 0 { 0.0 } else { sum / rows as f64 }
}

/// `numbers` with their rows in ascending order, equal ones in order of their rows: a radix sort by 16 bits at a time.
#[expect(clippy::indexing_slicing, reason = "digits are below 65,536, places below the number of rows")]
fn order(numbers: &[f64]) -> Vec<Placed> {
    let placed = |(_, row): (u64, u32)| Placed { value: numbers[row as usize], row };
    let key = |value: f64| {
        // Both zeros are one value.
        let bits = (value + 0.0).to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    };
    let mut sorted: Vec<(u64, u32)> = (0..).zip(numbers).map(|(place, value)| (key(*value), place)).collect();
    if numbers.len() < 4_096 {
        sorted.sort_unstable();
        return sorted.into_iter().map(placed).collect();
    }
    let mut other = vec![(0, 0); sorted.len()];
    for shift in [0, 16, 32, 48] {
        let digit = |key: u64| (key >> shift) as usize & 0xffff;
        let mut starts = vec![0_usize; 0x1_0000];
        for (key, _) in &sorted {
            starts[digit(*key)] += 1;
        }
        if starts[digit(sorted[0].0)] == sorted.len() {
            continue;
        }
        let mut start = 0;
        for count in &mut starts {
            start += std::mem::replace(count, start);
        }
        for item in &sorted {
            let slot = &mut starts[digit(item.0)];
            other[*slot] = *item;
            *slot += 1;
        }
        std::mem::swap(&mut sorted, &mut other);
    }
    sorted.into_iter().map(placed).collect()
}
