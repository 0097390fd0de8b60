//! What is committed and not yet in sled: in memory, consulted before sled by every reader.
//!
//! One sorted map holds the newest change of each key. A page of a scan copies (by reference count) only the part of it
//! that can reach the page. A group goes in and out in small steps, so that no reader waits for a large one.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;
use trellis_storage::ScanRange;

/// Changes put in or taken out while the lock is held once.
const STEP: usize = 128;
/// What a change costs beside its key and value: nodes, counts, pointers.
const CHANGE_BYTES: usize = 96;

/// The newest change of a key: the position of its write set, and its value or `None` for a delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) position: u64,
    pub(crate) value: Option<Arc<[u8]>>,
}

pub(crate) type Changes = BTreeMap<Arc<[u8]>, Entry>;

#[derive(Debug, Default)]
pub(crate) struct Overlay {
    entries: RwLock<Changes>,
}

impl Overlay {
    pub(crate) fn get(&self, key: &[u8]) -> Option<Entry> {
        self.entries.read().get(key).cloned()
    }

    /// Puts a group in. Its changes become visible one after the other, which pages announce as `from` and `to`.
    pub(crate) fn insert(&self, changes: &Changes) {
        let mut changes = changes.iter().peekable();
        while changes.peek().is_some() {
            let mut entries = self.entries.write();
            for (key, entry) in changes.by_ref().take(STEP) {
                entries.insert(Arc::clone(key), entry.clone());
            }
        }
    }

    /// Takes a group out that sled holds now, except for keys that a later group changed.
    pub(crate) fn remove(&self, changes: &Changes) {
        let mut changes = changes.iter().peekable();
        while changes.peek().is_some() {
            let mut entries = self.entries.write();
            for (key, entry) in changes.by_ref().take(STEP) {
                if entries.get(key).is_some_and(|found| found.position == entry.position) {
                    entries.remove(key);
                }
            }
        }
    }

    /// The entries of `range` in its order, up to and including the `values_max`-th that is no delete: whatever sled adds,
    /// a page of that many rows cannot reach beyond.
    pub(crate) fn capture(&self, range: &ScanRange, values_max: usize) -> Vec<(Arc<[u8]>, Entry)> {
        let entries = self.entries.read();
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let found = entries.range::<[u8], _>((Bound::Included(&range.start[..]), end));
        if range.reverse { take(found.rev(), values_max) } else { take(found, values_max) }
    }
}

fn take<'a>(
    found: impl Iterator<Item = (&'a Arc<[u8]>, &'a Entry)>,
    values_max: usize,
) -> Vec<(Arc<[u8]>, Entry)> {
    let mut captured = Vec::new();
    let mut values = 0;
    for (key, entry) in found {
        captured.push((Arc::clone(key), entry.clone()));
        values += usize::from(entry.value.is_some());
        if values >= values_max {
            break;
        }
    }
    captured
}

/// What a group takes in memory, roughly.
pub(crate) fn bytes_of(changes: &Changes) -> usize {
    let size = |(key, entry): (&Arc<[u8]>, &Entry)| {
        CHANGE_BYTES + key.len() + entry.value.as_ref().map_or(0, |value| value.len())
    };
    changes.iter().map(size).sum()
}
