//! Counters that tell when records of an object may have changed: for what is kept in memory of a few records that every save needs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use trellis_model::ObjectId;

use crate::Records;

/// Objects whose changes are counted.
#[derive(Debug, Default)]
pub(crate) struct Watched(RwLock<Vec<(ObjectId, Arc<AtomicU64>)>>);

impl Records {
    /// A counter that has grown when a save that changed, created, deleted or restored a record of the object is acknowledged. It may
    /// grow without a change too.
    pub fn watch_object(&self, object: ObjectId) -> Arc<AtomicU64> {
        let mut watched = self.watched.0.write();
        if let Some((_, counter)) = watched.iter().find(|(known, _)| *known == object) {
            return Arc::clone(counter);
        }
        let counter = Arc::new(AtomicU64::new(0));
        watched.push((object, Arc::clone(&counter)));
        counter
    }
}

impl Watched {
    /// Counts a commit about these objects once what is returned is dropped: also where nobody waits for its end any more.
    pub(super) fn committing(&self, objects: impl Iterator<Item = ObjectId>) -> Committing {
        let watched = self.0.read();
        if watched.is_empty() {
            return Committing(Vec::new());
        }
        let objects: BTreeSet<ObjectId> = objects.collect();
        let touched = watched.iter().filter(|(object, _)| objects.contains(object));
        Committing(touched.map(|(_, counter)| Arc::clone(counter)).collect())
    }
}

/// A commit under way.
#[derive(Debug)]
pub(super) struct Committing(Vec<Arc<AtomicU64>>);

impl Drop for Committing {
    fn drop(&mut self) {
        for counter in &self.0 {
            counter.fetch_add(1, Ordering::Release);
        }
    }
}
