//! Customers in the order of a score, without sorting all of them.

use std::collections::BinaryHeap;

use trellis_model::Value;
use trellis_records::Ranking;

use crate::generation::{Block, Number, NumberBlock, NumberColumn};
use crate::population::Population;

/// Ordinals as a [`Ranking`] wants them; `None` where they are too many. Goes twice over the numbers, block by block.
pub(crate) fn ranked(column: &NumberColumn, population: &Population, ranking: &Ranking) -> Option<Vec<u64>> {
    let from = ranking.from.as_ref().map_or(0, |from| key(number_of(from.as_ref()), ranking.descending));
    let last = last_key(column, population, ranking, from);
    let mut found = Vec::new();
    for block in blocks(population) {
        if !overlaps(column.block(block), ranking.descending, from, last) {
            continue;
        }
        let rows = keys(column, population, ranking.descending, block);
        found.extend(rows.filter(|(key, _)| (from..=last).contains(key)));
        if found.len() > ranking.rows_max {
            return None;
        }
    }
    found.sort_unstable();
    Some(found.into_iter().map(|(_, ordinal)| ordinal).collect())
}

/// The greatest key among the first `rows_min` ones from `from` on.
fn last_key(column: &NumberColumn, population: &Population, ranking: &Ranking, from: u64) -> u64 {
    let rows_min = ranking.rows_min.max(1);
    let mut lowest: BinaryHeap<u64> = BinaryHeap::with_capacity(rows_min + 1);
    for block in blocks(population) {
        let last =
            if lowest.len() < rows_min { u64::MAX } else { lowest.peek().copied().unwrap_or(u64::MAX) };
        if !overlaps(column.block(block), ranking.descending, from, last) {
            continue;
        }
        for (key, _) in keys(column, population, ranking.descending, block).filter(|(key, _)| *key >= from) {
            if lowest.len() < rows_min {
                lowest.push(key);
            } else if let Some(mut greatest) = lowest.peek_mut().filter(|greatest| **greatest > key) {
                *greatest = key;
            }
        }
    }
    // Where there are fewer than wanted, all of them come.
    if lowest.len() < rows_min { u64::MAX } else { lowest.peek().copied().unwrap_or(u64::MAX) }
}

fn blocks(population: &Population) -> std::ops::Range<usize> {
    0..population.bound().div_ceil(NumberBlock::ROWS as u64) as usize
}

/// Keys and ordinals of the customers of a block that are not deleted.
fn keys<'a>(
    column: &'a NumberColumn,
    population: &'a Population,
    descending: bool,
    block: usize,
) -> impl Iterator<Item = (u64, u64)> + 'a {
    let (rows, start) = (column.block(block), (block * NumberBlock::ROWS) as u64);
    let live = (0..NumberBlock::ROWS).map(move |row| (row, start + row as u64));
    let live = live.filter(|(_, ordinal)| population.contains(*ordinal));
    live.map(move |(row, ordinal)| (key(Number::get(rows.get(row)), descending), ordinal))
}

/// Whether a block can have keys between two, both included.
fn overlaps(block: &NumberBlock, descending: bool, from: u64, last: u64) -> bool {
    let summary = block.summary();
    let some = |number: f64| key((summary.members > 0).then_some(number), descending);
    let null = key(None, descending);
    let has_null = summary.members < NumberBlock::ROWS as u64;
    let (a, b) = (some(summary.minimum), some(summary.maximum));
    let numbers = a.min(b) <= last && a.max(b) >= from;
    numbers || (has_null && (from..=last).contains(&null))
}

fn number_of(value: Option<&Value>) -> Option<f64> {
    match value {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// Whole numbers that sort as the order does: null lowest, then numbers; the other way round where it descends.
fn key(number: Option<f64>, descending: bool) -> u64 {
    let key = number.map_or(0, |number| {
        // Both zeros are the same to whoever compares.
        let bits = (number + 0.0).to_bits();
        if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
    });
    if descending { !key } else { key }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is wanted, by sorting everybody.
    fn naive(numbers: &[Option<f64>], gone: &[bool], ranking: &Ranking) -> Option<Vec<u64>> {
        let compare = |a: Option<f64>, b: Option<f64>| {
            let ordering = a.partial_cmp(&b).unwrap();
            if ranking.descending { ordering.reverse() } else { ordering }
        };
        let mut all: Vec<usize> = (0..numbers.len()).filter(|row| !gone[*row]).collect();
        all.sort_by(|a, b| compare(numbers[*a], numbers[*b]).then(a.cmp(b)));
        let from = ranking.from.as_ref().map(|from| number_of(from.as_ref()));
        all.retain(|row| from.is_none_or(|from| compare(numbers[*row], from).is_ge()));
        let last = all.get(ranking.rows_min.max(1) - 1).map(|row| numbers[*row]);
        all.retain(|row| last.is_none_or(|last| compare(numbers[*row], last).is_le()));
        (all.len() <= ranking.rows_max).then(|| all.into_iter().map(|row| row as u64).collect())
    }

    fn number() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            2 => Just(None),
            2 => prop::sample::select(vec![Some(0.0), Some(-0.0), Some(1.5), Some(-1.5)]),
            3 => (-1e3..1e3).prop_map(Some),
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_sorting_everybody(
            numbers in prop::collection::vec(number(), 1..1_200),
            gone in prop::collection::vec(prop::bool::weighted(0.1), 1_200),
            descending: bool,
            from in prop::option::of(number()),
            rows_min in 0..300_usize,
            rows_max in 300..1_200_usize,
        ) {
            let (mut column, mut population) = (NumberColumn::default(), Population::default());
            for (row, number) in numbers.iter().enumerate() {
                column.set(row as u64, number.map_or(Number::NULL, |number| Number::new(number).unwrap()));
                population.insert(row as u64);
                if gone[row] {
                    population.delete(row as u64);
                }
            }
            let from = from.map(|from| from.map(trellis_model::Value::Number));
            let ranking = Ranking { descending, from, rows_min, rows_max };
            prop_assert_eq!(ranked(&column, &population, &ranking), naive(&numbers, &gone, &ranking));
        }
    }
}
