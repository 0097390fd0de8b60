//! Frequent itemsets by FP-growth (Han, Pei, Yin: *Mining Frequent Patterns without Candidate Generation*, SIGMOD 2000).
//!
//! A tree of prefixes is an array of nodes without lists of children: its paths are put in order first, so that each new path shares a prefix
//! with the one before it and with no other. The trees of the recursion are built the same way.

use trellis_sdk::{PluginError, Result};

use crate::baskets::Baskets;
use crate::itemsets::Itemsets;

/// No node.
const NONE: u32 = u32::MAX;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// In how many baskets an itemset is at least; 1 or more.
    pub(crate) min_count: u32,
    /// How many items an itemset has at most.
    pub(crate) length_max: usize,
    /// How many itemsets there may be; more is an error that names `min_support`.
    pub(crate) itemsets_max: usize,
}

/// All itemsets that are in at least `min_count` baskets, with their counts.
pub(crate) fn mine(baskets: &Baskets, limits: Limits) -> Result<Itemsets> {
    let counts = baskets.counts();
    let mut frequent: Vec<u32> = (0..).take(counts.len()).collect();
    let count_of = |item: &u32| counts.get(*item as usize).copied().unwrap_or(0);
    frequent.retain(|item| count_of(item) >= limits.min_count);
    frequent.sort_unstable_by_key(|item| (std::cmp::Reverse(count_of(item)), *item));

    let mut rank_of = vec![NONE; counts.len()];
    for (rank, item) in (0..).zip(&frequent) {
        if let Some(place) = rank_of.get_mut(*item as usize) {
            *place = rank;
        }
    }
    let mut paths = Paths::default();
    for basket in baskets.iter() {
        let ranks = basket.iter().filter_map(|item| rank_of.get(*item as usize).copied());
        paths.push_sorted(ranks.filter(|rank| *rank != NONE), 1);
    }
    let tree = Tree::of_paths(&paths, frequent);
    let mut growth = Growth { limits, found: Itemsets::default(), suffix: Vec::new() };
    growth.grow(&tree)?;
    growth.found.finish();
    Ok(growth.found)
}

/// Paths of ranks, ascending, each with how often it occurs.
#[derive(Debug, Default)]
struct Paths {
    ranks: Vec<u32>,
    ends: Vec<u32>,
    counts: Vec<u32>,
}

impl Paths {
    fn push_sorted(&mut self, ranks: impl Iterator<Item = u32>, count: u32) {
        let from = self.ranks.len();
        self.ranks.extend(ranks);
        if let Some(path) = self.ranks.get_mut(from..).filter(|path| !path.is_empty()) {
            path.sort_unstable();
            self.ends.push(u32::try_from(self.ranks.len()).expect("paths hold no more items than baskets"));
            self.counts.push(count);
        }
    }

    fn path(&self, place: u32) -> &[u32] {
        let place = place as usize;
        let from =
            place.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let to = self.ends.get(place).map_or(from, |end| *end as usize);
        self.ranks.get(from..to).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
struct Node {
    rank: u32,
    parent: u32,
    count: u32,
    /// Another node of the same rank.
    next: u32,
}

/// Prefixes of baskets: the rank of a child is above that of its parent.
#[derive(Debug)]
struct Tree {
    nodes: Vec<Node>,
    /// The first node of each rank.
    heads: Vec<u32>,
    /// In how many baskets each rank is.
    counts: Vec<u32>,
    /// The item of each rank.
    items: Vec<u32>,
}

impl Tree {
    fn of_paths(paths: &Paths, items: Vec<u32>) -> Self {
        let mut order: Vec<u32> = (0..).take(paths.counts.len()).collect();
        order.sort_unstable_by(|one, other| paths.path(*one).cmp(paths.path(*other)));
        let mut tree =
            Self { nodes: Vec::new(), heads: vec![NONE; items.len()], counts: vec![0; items.len()], items };
        // The nodes of the path before, from the root.
        let mut trail: Vec<u32> = Vec::new();
        for place in order {
            let count = paths.counts.get(place as usize).copied().unwrap_or(0);
            tree.insert(paths.path(place), count, &mut trail);
        }
        tree
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the hot loop of building: ranks are below `items.len()`, nodes exist"
    )]
    fn insert(&mut self, path: &[u32], count: u32, trail: &mut Vec<u32>) {
        let shared =
            trail.iter().zip(path).take_while(|(node, rank)| self.nodes[**node as usize].rank == **rank);
        let shared = shared.count();
        trail.truncate(shared);
        for node in &*trail {
            self.nodes[*node as usize].count += count;
        }
        for rank in &path[shared..] {
            let node = self.nodes.len() as u32;
            let parent = trail.last().copied().unwrap_or(NONE);
            self.nodes.push(Node { rank: *rank, parent, count, next: self.heads[*rank as usize] });
            self.heads[*rank as usize] = node;
            trail.push(node);
        }
        for rank in path {
            self.counts[*rank as usize] += count;
        }
    }

    /// The tree of what stands above `rank`, of items that are there often enough; none where there is none.
    #[expect(
        clippy::indexing_slicing,
        reason = "the hot loop of the recursion: links of a tree lead to its nodes"
    )]
    fn above(&self, rank: usize, min_count: u32) -> Option<Tree> {
        let mut counts = vec![0_u32; rank];
        let mut node = self.heads[rank];
        while node != NONE {
            let Node { count, next, parent: mut up, .. } = self.nodes[node as usize];
            while up != NONE {
                let ancestor = &self.nodes[up as usize];
                counts[ancestor.rank as usize] += count;
                up = ancestor.parent;
            }
            node = next;
        }
        let mut items = Vec::new();
        // The rank in the new tree of each rank of this one.
        let mut new_rank = counts;
        for (old, place) in new_rank.iter_mut().enumerate() {
            *place = if *place >= min_count {
                items.push(self.items[old]);
                items.len() as u32 - 1
            } else {
                NONE
            };
        }
        if items.is_empty() {
            return None;
        }
        let mut paths = Paths::default();
        let mut path = Vec::new();
        let mut node = self.heads[rank];
        while node != NONE {
            let Node { count, next, parent: mut up, .. } = self.nodes[node as usize];
            path.clear();
            while up != NONE {
                let ancestor = &self.nodes[up as usize];
                let rank = new_rank[ancestor.rank as usize];
                if rank != NONE {
                    path.push(rank);
                }
                up = ancestor.parent;
            }
            paths.push_sorted(path.iter().rev().copied(), count);
            node = next;
        }
        Some(Tree::of_paths(&paths, items))
    }
}

struct Growth {
    limits: Limits,
    found: Itemsets,
    suffix: Vec<u32>,
}

impl Growth {
    /// Finds all itemsets of `tree`, each with the suffix. No deeper than the longest itemset.
    fn grow(&mut self, tree: &Tree) -> Result<()> {
        for (rank, (item, count)) in tree.items.iter().zip(&tree.counts).enumerate().rev() {
            if *count < self.limits.min_count {
                continue;
            }
            self.suffix.push(*item);
            self.found.push(&self.suffix, *count);
            if self.found.len() > self.limits.itemsets_max {
                return Err(PluginError::UnsuitableData(
                    (
                        format!(
                            "more than {} itemsets are that frequent: raise `min_support` or lower `max_length`",
                            self.limits.itemsets_max
                        ),
                        format!(
                            "频繁项集超过 {} 个：请提高 `min_support` 或降低 `max_length`",
                            self.limits.itemsets_max
                        ),
                    )
                        .into(),
                ));
            }
            if self.suffix.len() < self.limits.length_max
                && let Some(above) = tree.above(rank, self.limits.min_count)
            {
                self.grow(&above)?;
            }
            self.suffix.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::rules::{Thresholds, count_with_any_right_side, generate};

    fn baskets(lists: &[Vec<u32>]) -> Baskets {
        let mut baskets = Baskets::default();
        (0..9).for_each(|item| {
            baskets.items.number(&item.to_string());
        });
        for list in lists {
            baskets.push(&mut list.clone()).expect("few items");
        }
        baskets
    }

    /// Every subset of nine items with its count, the slow way.
    fn all_subsets(baskets: &Baskets) -> BTreeMap<Vec<u32>, u32> {
        let subsets =
            (1_u32..512).map(|bits| (0..9).filter(|item| bits >> item & 1 == 1).collect::<Vec<u32>>());
        let count = |items: &Vec<u32>| {
            baskets.iter().filter(|basket| items.iter().all(|item| basket.contains(item))).count() as u32
        };
        subsets.map(|items| (items.clone(), count(&items))).collect()
    }

    fn limits(min_count: u32, length_max: usize) -> Limits {
        Limits { min_count, length_max, itemsets_max: 1_000 }
    }

    proptest! {
        #[test]
        fn itemsets_and_rules_are_those_of_the_definitions(
            lists in proptest::collection::vec(proptest::collection::vec(0_u32..9, 0..7), 1..40),
            min_count in 1_u32..5,
            length_max in 1_usize..7,
            min_confidence in 0.0_f64..1.0,
        ) {
            let baskets = baskets(&lists);
            let counts = all_subsets(&baskets);
            let found = mine(&baskets, limits(min_count, length_max)).expect("there are at most 511");
            let by_items: BTreeMap<Vec<u32>, u32> = found.iter().map(|(items, count)| (items.to_vec(), count)).collect();
            let expected: BTreeMap<Vec<u32>, u32> = counts.iter()
                .filter(|(items, count)| **count >= min_count && items.len() <= length_max)
                .map(|(items, count)| (items.clone(), *count)).collect();
            prop_assert_eq!(by_items.len(), found.len());
            prop_assert_eq!(&by_items, &expected);

            let of = |items: &[u32]| f64::from(counts[items]);
            let (mut one_right, mut any_right) = (0, 0);
            for (items, count) in expected.iter().filter(|(items, _)| items.len() > 1) {
                for bits in 1..(1_u32 << items.len()) - 1 {
                    let lhs: Vec<u32> = items.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 0).map(|(_, item)| *item).collect();
                    let holds = f64::from(*count) / of(&lhs) >= min_confidence;
                    any_right += u64::from(holds);
                    one_right += usize::from(holds && lhs.len() + 1 == items.len());
                }
            }
            let rules = generate(&found, baskets.len(), Thresholds { min_confidence, min_lift: 0.0 });
            prop_assert_eq!(rules.len(), one_right);
            prop_assert_eq!(count_with_any_right_side(&found, min_confidence), any_right);
            for rule in rules {
                prop_assert_eq!((rule.lhs_count, rule.rhs_count), (counts[&rule.lhs], counts[&vec![rule.rhs]]));
            }
        }
    }

    #[test]
    fn too_many_itemsets_name_the_setting() {
        let one = baskets(&[(0..9).collect()]);
        let error = mine(&one, Limits { itemsets_max: 510, ..limits(1, 9) }).expect_err("511 itemsets");
        assert!(error.to_string().contains("`min_support`"), "{error}");
    }
}
