use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{self, BoxFuture};
use parking_lot::RwLock;

use crate::{Committed, Epoch, Limits, Page, Position, Result, Row, ScanRange, Store, Versioned, WriteSet};

/// A store in memory, for tests and trials: the same answers as a durable one, gone with the process.
#[derive(Debug)]
pub struct MemoryStore {
    limits: Limits,
    epoch: Epoch,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Arc<[u8]>, Versioned>,
    head: Position,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// An empty store with limits of its own.
    pub fn with_limits(limits: Limits) -> Self {
        // Two stores of one process must not share an epoch; more is not promised by something that cannot be reopened.
        static STORES: AtomicU64 = AtomicU64::new(1);
        let number = STORES.fetch_add(1, Ordering::Relaxed);
        let epoch = Epoch((u128::from(std::process::id()) << 64 | u128::from(number)).to_be_bytes());
        Self { limits, epoch, state: RwLock::default() }
    }

    fn commit_now(&self, set: WriteSet) -> Result<Committed> {
        set.validate(&self.limits)?;
        let mut state = self.state.write();
        let position = Position(state.head.0 + 1);
        let evaluated = set.evaluate(position, |key| Ok(state.rows.get(key).cloned()))?;
        for change in evaluated.changes {
            match change.value {
                Some(value) => state.rows.insert(change.key, Versioned { position, value }),
                None => state.rows.remove(&change.key),
            };
        }
        state.head = position;
        Ok(Committed { position, counters: evaluated.counters })
    }

    fn scan_now(&self, range: &ScanRange, rows_max: usize) -> Page {
        let state = self.state.read();
        let (from, to) = (state.head, state.head);
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Page { rows: Vec::new(), more: false, from, to };
        }
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let found = state.rows.range::<[u8], _>((Bound::Included(&range.start[..]), end));
        let found: Box<dyn Iterator<Item = _>> =
            if range.reverse { Box::new(found.rev()) } else { Box::new(found) };
        let to_row = |(key, found): (&Arc<[u8]>, &Versioned)| Row {
            key: Arc::clone(key),
            position: found.position,
            value: Arc::clone(&found.value),
        };
        let mut found = found.map(to_row);
        let rows: Vec<Row> = found.by_ref().take(rows_max).collect();
        Page { rows, more: found.next().is_some(), from, to }
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>>> {
        Box::pin(future::ready(Ok(self.state.read().rows.get(key).cloned())))
    }

    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, Result<Page>> {
        Box::pin(future::ready(Ok(self.scan_now(&range, rows_max))))
    }

    fn commit(&self, set: WriteSet) -> BoxFuture<'_, Result<Committed>> {
        // On first poll, as a durable store would: a future that is never awaited writes nothing.
        Box::pin(async move { self.commit_now(set) })
    }

    fn head(&self) -> Position {
        self.state.read().head
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{MemoryStore, Store};

    crate::conformance!(|| (Arc::new(MemoryStore::new()) as Arc<dyn Store>, ()));

    #[test]
    fn two_stores_have_different_epochs() {
        assert_ne!(MemoryStore::new().epoch(), MemoryStore::new().epoch());
    }
}
