use serde::{Deserialize, Serialize};
use trellis_model::{RecordId, Value};

use crate::{AsOf, CurrentResult, GenerationId};

/// Which generation of a segmentation or score is current, and which are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Pointer {
    pub(crate) current: Option<GenerationId>,
    /// Ascending by generation; holds the current one.
    pub(crate) results: Vec<StoredResult>,
    pub(crate) stale: bool,
    pub(crate) presence: Presence,
}

/// Whether what keeps a result up to date is there, and what is shown of the result while it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Presence {
    /// It is there.
    #[default]
    There,
    /// It is away; the last values are shown and marked stale.
    Kept,
    /// It is away, and until it is back nobody has a value. The values themselves stay as they are.
    Cleared,
}

/// A generation as the result of a segmentation or score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredResult {
    pub(crate) generation: GenerationId,
    pub(crate) run: [u8; 16],
    /// `None` is now.
    pub(crate) as_of_days: Option<i32>,
    pub(crate) flipped_at_ms: i64,
}

impl Pointer {
    pub(crate) fn result(&self, generation: GenerationId) -> Option<&StoredResult> {
        self.results.iter().find(|result| result.generation == generation)
    }

    /// The newest kept generation before the current one.
    pub(crate) fn earlier(&self) -> Option<&StoredResult> {
        let current = self.current?;
        self.results.iter().rev().find(|result| result.generation < current)
    }

    /// The same pointer with another current generation.
    pub(crate) fn flipped_to(&self, result: StoredResult) -> Self {
        let mut results = self.results.clone();
        results.retain(|known| known.generation != result.generation);
        let current = Some(result.generation);
        results.push(result);
        results.sort_by_key(|result| result.generation);
        Self { current, results, stale: false, presence: self.presence }
    }

    /// Whether nothing keeps the current result up to date.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale || self.presence != Presence::There
    }

    /// The same pointer with the current generation and the newest others, `kept` in all.
    pub(crate) fn pruned(&self, kept: usize) -> Self {
        let others = self.results.iter().filter(|result| Some(result.generation) != self.current).count();
        let mut dropped = others.saturating_sub(kept.max(1) - 1);
        let mut pruned = self.clone();
        pruned.results.retain(|result| {
            let drop = dropped > 0 && Some(result.generation) != self.current;
            dropped -= usize::from(drop);
            !drop
        });
        pruned
    }
}

impl StoredResult {
    pub(crate) fn as_of(&self) -> AsOf {
        self.as_of_days.and_then(Value::date_of_days).map_or(AsOf::Now, AsOf::Date)
    }

    pub(crate) fn run(&self) -> RecordId {
        RecordId(uuid::Uuid::from_bytes(self.run))
    }

    /// What readers are told of it while it is current, or of the one that was.
    pub(crate) fn to_current(&self) -> CurrentResult {
        CurrentResult {
            generation: self.generation,
            run: self.run(),
            as_of: self.as_of(),
            flipped_at_ms: self.flipped_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(current: u64, generations: &[u64]) -> Pointer {
        let result = |generation: &u64| StoredResult {
            generation: GenerationId(*generation),
            run: [7; 16],
            as_of_days: None,
            flipped_at_ms: 0,
        };
        let results = generations.iter().map(result).collect();
        Pointer { current: Some(GenerationId(current)), results, ..Pointer::default() }
    }

    #[test]
    fn the_current_generation_and_the_newest_others_are_kept() {
        let check = |current, generations: &[u64], kept, expected: &[u64]| {
            assert_eq!(pointer(current, generations).pruned(kept), pointer(current, expected));
        };
        check(5, &[1, 2, 3, 4, 5], 3, &[3, 4, 5]);
        check(1, &[1, 2, 3, 4, 5], 3, &[1, 4, 5]);
        check(5, &[4, 5], 3, &[4, 5]);
        check(5, &[4, 5], 1, &[5]);
    }

    #[test]
    fn a_flip_makes_a_result_fresh_and_nobody_come_back() {
        let away = Pointer { stale: true, presence: Presence::Cleared, ..pointer(1, &[1]) };
        let flipped =
            away.flipped_to(StoredResult { generation: GenerationId(2), ..away.results[0].clone() });
        assert_eq!((flipped.stale, flipped.presence), (false, Presence::Cleared));
        assert!(
            flipped.is_stale()
                && pointer(1, &[1]).flipped_to(away.results[0].clone()).presence == Presence::There
        );
    }

    #[test]
    fn the_run_reads_back() {
        let id = RecordId::parse("0192f0c1-2345-7abc-8def-0123456789ab").unwrap();
        let result = StoredResult {
            generation: GenerationId(1),
            run: *id.as_bytes(),
            as_of_days: Some(10_134),
            flipped_at_ms: 0,
        };
        assert_eq!(result.run(), id);
        assert_eq!(result.as_of(), AsOf::Date("1997-09-30".parse().unwrap()));
    }
}
