//! What a job notes about how far it is, in the write sets of what it does. Its notes go when it ends.

use trellis_model::RecordId;
use trellis_storage::{ScanRange, Store, WriteSet};

use crate::{Result, keys};

/// Notes that one job may have.
const NOTES_MAX: usize = 200;

/// The notes of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notes(pub(crate) RecordId);

impl Notes {
    /// The key of a note.
    pub(crate) fn key(self, slot: u32) -> Vec<u8> {
        keys::part(&keys::open_job(self.0), slot)
    }

    /// All notes.
    pub(crate) async fn all(self, store: &dyn Store) -> Result<Vec<Vec<u8>>> {
        let range = ScanRange::prefix(&keys::parts(&keys::open_job(self.0)));
        let page = store.scan(range, NOTES_MAX).await?;
        Ok(page.rows.iter().map(|row| row.value.to_vec()).collect())
    }

    /// A write set that puts one note in the place of all others.
    pub(crate) async fn only(self, store: &dyn Store, slot: u32, note: Vec<u8>) -> Result<WriteSet> {
        let mut set = WriteSet::new();
        for key in keys_of(store, self.0).await?.into_iter().filter(|key| *key != self.key(slot)) {
            set.delete(key);
        }
        set.put(self.key(slot), note);
        Ok(set)
    }
}

/// The keys of a job's notes.
pub(super) async fn keys_of(store: &dyn Store, job: RecordId) -> Result<Vec<Vec<u8>>> {
    let range = ScanRange::prefix(&keys::parts(&keys::open_job(job)));
    let page = store.scan(range, NOTES_MAX).await?;
    Ok(page.rows.into_iter().map(|row| row.key.to_vec()).collect())
}
