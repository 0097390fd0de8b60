//! How far an import is, committed with the rows themselves, so that one that is taken up again knows exactly which rows it has written.
//!
//! Several batches are on their way at once and may be committed in any order, but they are finished in order. So each writes a note into
//! a slot of its own: which of its rows it creates and changes, and what all batches came to that were finished when it began. A slot is
//! used again only after the batches before it are finished; so the notes together tell the whole.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The slot of what is known when an import is taken up again.
pub(super) const RESUMED: u32 = 1_000;
/// The slot of records that references create.
pub(super) const REFERENCES: u32 = 1_001;

/// Where an import notes how far it is.
pub trait Checkpoints: Send + Sync {
    /// The key and value that put a note, of at most 4 KiB, into a slot; they are committed with the rows that it is about.
    fn put(&self, slot: u32, note: Vec<u8>) -> Vec<(Vec<u8>, Vec<u8>)>;
}

/// What rows came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) failed: u64,
    pub(super) errors_found: u64,
    pub(super) created_references: u64,
}

/// What an earlier attempt has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// All rows up to this one are finished, and counted.
    pub(super) through: u64,
    pub(super) counts: Counts,
    /// Rows after it that were created and changed; not counted yet.
    pub(super) created: BTreeSet<u64>,
    pub(super) updated: BTreeSet<u64>,
}

/// A note as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    through: u64,
    counts: Counts,
    /// Runs of rows: how many lie between this one and the last, and how many it has.
    created: Vec<(u64, u64)>,
    updated: Vec<(u64, u64)>,
}

impl Done {
    /// Puts together what the notes of all slots say; notes that cannot be read say nothing.
    pub fn of<'a>(notes: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut done = Self::default();
        for note in notes {
            let Ok(note) = postcard::from_bytes::<Note>(note) else { continue };
            let references = done.counts.created_references.max(note.counts.created_references);
            if note.through >= done.through && note.counts.rows >= done.counts.rows {
                (done.through, done.counts) = (note.through, note.counts);
            }
            done.counts.created_references = references;
            done.created.extend(rows_of(&note.created));
            done.updated.extend(rows_of(&note.updated));
        }
        let through = done.through;
        done.created.retain(|row| *row > through);
        done.updated.retain(|row| *row > through);
        done
    }

    /// The row up to which everything is finished: what was noted elsewhere about later ones does not hold.
    pub fn through(&self) -> u64 {
        self.through
    }

    /// One note that says the same as all. To be put into [`Done::slot`] before the import goes on, and the others be deleted.
    pub fn note(&self) -> Vec<u8> {
        let note = Note {
            through: self.through,
            counts: self.counts,
            created: runs(&self.created),
            updated: runs(&self.updated),
        };
        postcard::to_stdvec(&note).expect("plain numbers are always encodable")
    }

    /// The slot of [`Done::note`].
    pub fn slot() -> u32 {
        RESUMED
    }
}

fn runs(rows: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut next = 0;
    for &row in rows {
        match runs.last_mut().filter(|_| row == next) {
            Some((_, length)) => *length += 1,
            None => runs.push((row - next, 1)),
        }
        next = row + 1;
    }
    runs
}

fn rows_of(runs: &[(u64, u64)]) -> BTreeSet<u64> {
    let mut rows = BTreeSet::new();
    let mut next = 0_u64;
    for (gap, length) in runs {
        let from = next.saturating_add(*gap);
        next = from.saturating_add(*length);
        rows.extend(from..next);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(through: u64, created: u64, rows: &[u64]) -> Done {
        let counts = Counts { rows: through, created, ..Counts::default() };
        Done { through, counts, created: rows.iter().copied().collect(), updated: BTreeSet::new() }
    }

    #[test]
    fn notes_of_batches_on_their_way_add_up() {
        // Batches of 10: two are finished, of the next three the first and the last are committed.
        let notes = [done(10, 9, &[11, 12, 20]), done(20, 17, &[21, 23]), done(20, 17, &[45])];
        let notes: Vec<Vec<u8>> = notes.iter().map(Done::note).collect();
        let all = Done::of(notes.iter().map(Vec::as_slice));
        assert_eq!(all, done(20, 17, &[21, 23, 45]));
        assert_eq!(Done::of([all.note().as_slice()]), all, "and say the same in one note");
        assert_eq!(Done::of([b"\xff\xff".as_slice()]), Done::default());
    }

    #[test]
    fn a_note_about_two_hundred_rows_is_short() {
        let every_other: Vec<u64> = (1_000_000..1_000_400).step_by(2).collect();
        assert!(done(999_999, 5, &every_other).note().len() < 500);
    }
}
