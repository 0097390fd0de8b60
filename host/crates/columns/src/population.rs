//! Which ordinals of an object are in use: records that exist and are not deleted.

use std::collections::BTreeSet;

use trellis_model::{ObjectId, ObjectName, Scope};
use trellis_records::{Deleted, Query, Records};

use crate::Result;

/// One bit an ordinal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Population {
    words: Vec<u64>,
    live: u64,
    deleted: BTreeSet<u64>,
}

const PAGE_ROWS: usize = 10_000;

impl Population {
    /// Reads it from the records. What changes meanwhile comes by the log: [`Population::insert`] and [`Population::delete`] are idempotent.
    pub(crate) async fn read(records: &Records, object: ObjectId, name: &ObjectName) -> Result<Self> {
        let mut population = Self::default();
        let mut after = None;
        loop {
            let page = records.ordinals_after(object, after, PAGE_ROWS).await?;
            page.iter().for_each(|(ordinal, _)| population.insert(*ordinal));
            match page.last() {
                Some((last, _)) if page.len() == PAGE_ROWS => after = Some(*last),
                _ => break,
            }
        }
        let limit = records.config().limits.page_rows_max;
        let mut query = Query { deleted: Deleted::Only, limit, ..Query::new(name.clone()) };
        loop {
            let page = records.list(&Scope::everything(), &query).await?;
            page.records
                .iter()
                .filter_map(|record| record.ordinal)
                .for_each(|ordinal| population.delete(ordinal));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(population),
            }
        }
    }

    /// From its stored form.
    pub(crate) fn from_parts(words: Vec<u64>, deleted: BTreeSet<u64>) -> Self {
        let live = words.iter().map(|word| u64::from(word.count_ones())).sum();
        Self { words, live, deleted }
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Ordinals of deleted records, which can be restored.
    pub(crate) fn deleted(&self) -> &BTreeSet<u64> {
        &self.deleted
    }

    /// How many records there are.
    pub(crate) fn live(&self) -> u64 {
        self.live
    }

    pub(crate) fn contains(&self, ordinal: u64) -> bool {
        self.word(ordinal / 64) >> (ordinal % 64) & 1 == 1
    }

    /// The bits of ordinals `64 * index` to `64 * index + 63`, the lowest first.
    pub(crate) fn word(&self, index: u64) -> u64 {
        usize::try_from(index).ok().and_then(|index| self.words.get(index)).copied().unwrap_or(0)
    }

    /// An exclusive bound of the ordinals.
    pub(crate) fn bound(&self) -> u64 {
        self.words.len() as u64 * 64
    }

    pub(crate) fn insert(&mut self, ordinal: u64) {
        self.deleted.remove(&ordinal);
        self.set(ordinal, true);
    }

    pub(crate) fn delete(&mut self, ordinal: u64) {
        self.deleted.insert(ordinal);
        self.set(ordinal, false);
    }

    fn set(&mut self, ordinal: u64, live: bool) {
        let index = (ordinal / 64) as usize;
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        let Some(word) = self.words.get_mut(index) else { return };
        let (bit, before) = (1 << (ordinal % 64), word.count_ones());
        *word = if live { *word | bit } else { *word & !bit };
        self.live = self.live + u64::from(word.count_ones()) - u64::from(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_go_and_come_back() {
        let mut population = Population::default();
        [3, 64, 64, 200].into_iter().for_each(|ordinal| population.insert(ordinal));
        population.delete(64);
        population.delete(64);
        assert_eq!((population.live(), population.contains(3), population.contains(64)), (2, true, false));
        assert_eq!(population.deleted().iter().copied().collect::<Vec<_>>(), [64]);
        population.insert(64);
        assert_eq!((population.live(), population.bound(), population.contains(1 << 40)), (3, 256, false));
        let again = Population::from_parts(population.words().to_vec(), population.deleted().clone());
        assert_eq!(again, population);
    }
}
