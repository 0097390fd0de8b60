//! An ordered key-value store with atomic commits: the floor that every record, index and log entry stands on.
//!
//! The trait is kept so small that a cluster behind the PostgreSQL wire protocol could implement it. It knows bytes only:
//! what a key means is the business of the crates above. It has no secondary indexes, no queries and no transactions
//! that read: a caller reads, decides, and commits a [`WriteSet`] whose preconditions say what it had read.
//!
//! Backends prove themselves with the macro `conformance!` (feature `conformance`). The memory backend lives here, the durable one in `trellis-storage-sled`.
//!
//! ```
//! use trellis_storage::{MemoryStore, ScanRange, Store, WriteSet};
//! # futures_util::future::FutureExt::now_or_never(async {
//! let store = MemoryStore::new();
//! let mut set = WriteSet::new();
//! set.expect_absent(b"greeting").put(b"greeting", b"hello");
//! let committed = store.commit(set).await?;
//! let found = store.get(b"greeting").await?.expect("just written");
//! assert_eq!((found.position, &found.value[..]), (committed.position, &b"hello"[..]));
//! # Ok::<_, trellis_storage::Error>(()) }).unwrap().unwrap();
//! ```
#![warn(missing_docs)]

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
mod evaluate;
mod memory;
mod write_set;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use error::{Error, Result};
pub use evaluate::{Change, Evaluated};
pub use memory::MemoryStore;
pub use write_set::{
    Add, AddIndex, Bound, Delete, Limits, Precondition, PreconditionKind, Put, PutIndex, Stamp, StampPlace,
    StampSource, WriteSet,
};

/// A place in the order of all commits. The first commit of a store has position 1; 0 means "before everything".
///
/// Positions grow but may have gaps. Compare positions only within one [`Epoch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// Which life of a store a position belongs to: new at every restore from a backup, the same after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub [u8; 16]);

/// A value with the position of the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Position of the write set that last put this key.
    pub position: Position,
    /// The bytes as they were put, stamps filled in.
    pub value: Arc<[u8]>,
}

/// A key with its value, as a scan returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Arc<[u8]>,
    /// Position of the write set that last put this key.
    pub position: Position,
    /// The value.
    pub value: Arc<[u8]>,
}

/// Which keys a scan visits, in which direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRange {
    /// The first key that may be visited (inclusive).
    pub start: Vec<u8>,
    /// The first key past the range (exclusive); `None` is the end of the store.
    pub end: Option<Vec<u8>>,
    /// Visits the greatest key first.
    pub reverse: bool,
}

impl ScanRange {
    /// Every key that starts with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: prefix_end(prefix), reverse: false }
    }

    /// The same range without what comes up to and including `key` in scan order: how the next page is asked for.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        if self.reverse {
            self.end = Some(key.to_vec());
        } else {
            self.start = [key, &[0]].concat();
        }
        self
    }

    /// The same range, greatest key first.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }
}

/// The first key that does not start with `prefix`, or `None` where every following key does.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// One page of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows in scan order, at most as many as asked for.
    pub rows: Vec<Row>,
    /// Whether rows of the range remain after the last one of this page.
    pub more: bool,
    /// Every commit up to this position is in the page, as far as its keys lie in the visited part of the range.
    pub from: Position,
    /// No commit after this position is in the page.
    pub to: Position,
}

/// What a commit answers once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The position of the write set, which is now the version of every key that it put.
    pub position: Position,
    /// For each [`WriteSet::add`], in the order they were made, the value of its counter just after it.
    pub counters: Vec<u64>,
}

/// An ordered map of byte strings with atomic, durable commits.
///
/// Reads see every acknowledged commit. A `get` or a short page is expected to finish without waiting; callers that read
/// more than [`Limits::PAGE_ROWS_INLINE_MAX`] rows in a page do so on a thread of their own.
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// Returns the value of `key`, if there is one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the stored bytes cannot be trusted, [`Error::Stopped`] after a failure of the backend.
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>>>;

    /// Returns up to `rows_max` rows of `range` in its order.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, Result<Page>>;

    /// Applies `set` as one: everything or nothing. The answer comes when the write set is durable.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] names the first precondition that does not hold, and nothing was written.
    /// [`Error::WriteSetTooLarge`], [`Error::KeyTooLong`], [`Error::ValueTooLong`], [`Error::InvalidWriteSet`]: nothing was
    /// written. [`Error::Stopped`]: the backend failed; whether the write set is durable is known after a restart.
    fn commit(&self, set: WriteSet) -> BoxFuture<'_, Result<Committed>>;

    /// The position of the last acknowledged commit.
    fn head(&self) -> Position;

    /// The current epoch.
    fn epoch(&self) -> Epoch;
}
