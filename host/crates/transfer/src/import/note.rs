//! What a batch notes with its rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use trellis_model::ChangeKind;
use trellis_records::Taken;

use super::checkpoint::{Counts, Done};

/// Write sets of a batch by their end, and what each changes: a batch may take several.
type WriteSets = BTreeMap<usize, Vec<(usize, ChangeKind)>>;

/// What a batch notes with its rows.
#[derive(Debug, Clone, Default)]
pub(super) struct BatchNote {
    pub(super) slot: u32,
    /// The last row of the batches that were finished when it began.
    pub(super) through: u64,
    /// What those came to.
    pub(super) before: Counts,
    /// The row of each write.
    pub(super) rows: Vec<u64>,
    changes: Arc<Mutex<WriteSets>>,
    of_references: bool,
}

impl BatchNote {
    /// Of an import that goes on from what was done.
    pub(super) fn first(done: &Done) -> Self {
        Self { through: done.through, before: done.counts, ..Self::default() }
    }

    /// Of records that references create.
    pub(super) fn of_references(slot: u32, created: u64) -> Self {
        let before = Counts { created_references: created, ..Counts::default() };
        Self { slot, before, of_references: true, ..Self::default() }
    }

    /// Makes it that of the next batch.
    pub(super) fn next_slot(&mut self, slots: usize) {
        self.slot = (self.slot + 1) % u32::try_from(slots).unwrap_or(1);
        self.changes = Arc::default();
    }

    /// The note with a write set of the batch. Asked again where a save starts again: what was said of the same writes is forgotten.
    pub(super) fn with(&self, taken: &Taken<'_>) -> Vec<u8> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = taken.changes.first().map_or(0, |(write, _)| *write);
        changes.retain(|end, _| *end <= first);
        changes.insert(taken.end, taken.changes.to_vec());
        let all: Vec<(usize, ChangeKind)> = changes.values().flatten().copied().collect();
        let mut done = Done { through: self.through, counts: self.before, ..Done::default() };
        if self.of_references {
            done.counts.created_references += all.len() as u64;
            return done.note();
        }
        for (write, kind) in all {
            let Some(row) = self.rows.get(write) else { continue };
            match kind {
                ChangeKind::Created => done.created.insert(*row),
                _ => done.updated.insert(*row),
            };
        }
        done.note()
    }
}
