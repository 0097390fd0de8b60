//! Numbers as the bins that they fall into.

use trellis_sdk::Rng;

use super::Test;
use crate::encoding::{Encoded, Values};

/// How many bins a number has at most.
const BINS_MAX: usize = 255;
/// From how many rows the bins are learned: enough for a bin to be off by a few thousandths of the rows.
const SAMPLE: usize = 65_536;

/// Rows whose numbers are bins: the same bytes for all trees that are grown on them.
#[derive(Debug, Clone)]
pub struct Binned {
    /// How many rows there are.
    pub rows: usize,
    pub(crate) features: Vec<Bins>,
}

/// The bins of one feature.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    /// One a row: a bin, or a level.
    pub(crate) codes: Vec<u8>,
    pub(crate) cuts: Cuts,
}

/// What bins mean.
#[derive(Debug, Clone)]
pub(crate) enum Cuts {
    /// Bin b holds what lies above cut b - 1 and not above cut b.
    Thresholds(Vec<f64>),
    /// As many levels.
    Levels(usize),
}

impl Cuts {
    /// The question behind a split at `bin`.
    pub(crate) fn test(&self, bin: u8) -> Test {
        match self {
            Self::Thresholds(cuts) => {
                Test::AtMost(cuts.get(usize::from(bin)).copied().unwrap_or(f64::INFINITY))
            }
            Self::Levels(_) => Test::IsNot(bin),
        }
    }
}

impl Binned {
    /// Bins all numbers: a bin for each value where there are at most 255, else about equally many rows in each. `seed` chooses
    /// the rows of a large set that the bins are learned from.
    pub fn new(rows: &Encoded, seed: u64) -> Self {
        let places = sample(rows.rows, seed);
        let features = rows
            .features
            .iter()
            .map(|values| match values {
                Values::Levels { codes, count } => Bins { codes: codes.clone(), cuts: Cuts::Levels(*count) },
                Values::Numbers(numbers) => {
                    let cuts = cuts(numbers, &places);
                    Bins { codes: codes(numbers, &cuts), cuts: Cuts::Thresholds(cuts) }
                }
            })
            .collect();
        Self { rows: rows.rows, features }
    }
}

/// Some rows, or all where they are few.
fn sample(rows: usize, seed: u64) -> Vec<usize> {
    if rows <= SAMPLE {
        return (0..rows).collect();
    }
    let mut rng = Rng::from_seed(seed);
    (0..SAMPLE).map(|_| rng.below(rows as u64) as usize).collect()
}

/// Where bins end, ascending.
#[expect(clippy::indexing_slicing, reason = "places are those of rows; neighbours exist within the windows")]
fn cuts(numbers: &[f64], places: &[usize]) -> Vec<f64> {
    let mut found: Vec<f64> = places.iter().map(|place| numbers[*place] + 0.0).collect();
    found.sort_unstable_by(f64::total_cmp);
    let mut distinct = found.clone();
    distinct.dedup();
    let between = |lower: f64, upper: f64| {
        let middle = lower / 2.0 + upper / 2.0;
        if middle < upper { middle } else { lower }
    };
    if distinct.len() <= BINS_MAX {
        return distinct.windows(2).map(|pair| between(pair[0], pair[1])).collect();
    }
    let mut cuts: Vec<f64> = Vec::with_capacity(BINS_MAX - 1);
    for number in 1..BINS_MAX {
        let value = found[number * found.len() / BINS_MAX];
        let next = distinct.partition_point(|other| *other <= value);
        if let Some(upper) = distinct.get(next) {
            let cut = between(value, *upper);
            if cuts.last().is_none_or(|last| *last < cut) {
                cuts.push(cut);
            }
        }
    }
    cuts
}

/// The bin of each number: how many cuts lie below it. The search has the same steps for every number, so that nothing is guessed wrongly.
#[expect(clippy::indexing_slicing, reason = "a search over 256 cells by eight halvings stays within them")]
fn codes(numbers: &[f64], cuts: &[f64]) -> Vec<u8> {
    let mut padded = [f64::INFINITY; 256];
    for (cell, cut) in padded.iter_mut().zip(cuts) {
        *cell = *cut;
    }
    let code = |number: &f64| {
        let mut place = 0_usize;
        for step in [128, 64, 32, 16, 8, 4, 2, 1] {
            place += if padded[place + step - 1] < *number { step } else { 0 };
        }
        place as u8
    };
    numbers.iter().map(code).collect()
}
