//! A store that stops at a given commit, as a crash does.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use trellis_storage::{
    Committed, Epoch, Error, MemoryStore, Page, Position, Result, ScanRange, Store, Versioned, WriteSet,
};

/// Where the crash comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The commit is lost.
    Before,
    /// The commit is durable, and whoever asked for it never learns.
    After,
}

/// A store that stops at a given commit and then takes no more.
#[derive(Debug)]
pub(crate) struct StoppingStore {
    inner: Arc<MemoryStore>,
    /// Commits that are left until the crash.
    left: Mutex<Option<(u64, Crash)>>,
    stopped: std::sync::atomic::AtomicBool,
}

impl StoppingStore {
    pub(crate) fn over(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self { inner, left: Mutex::new(None), stopped: false.into() })
    }

    /// Stops at the commit that is `commits` away, 0 for the next one.
    pub(crate) fn stop_at(&self, commits: u64, crash: Crash) {
        *self.left.lock() = Some((commits, crash));
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// What is to become of the next commit: nothing special, or the crash.
    fn next(&self) -> Option<Crash> {
        let mut left = self.left.lock();
        let (commits, crash) = (*left)?;
        *left = Some((commits.saturating_sub(1), crash));
        (commits == 0).then_some(crash)
    }
}

fn stopped() -> Error {
    Error::Stopped { reason: "the test stopped it".to_owned() }
}

impl Store for StoppingStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>>> {
        self.inner.get(key)
    }

    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, Result<Page>> {
        self.inner.scan(range, rows_max)
    }

    fn commit(&self, set: WriteSet) -> BoxFuture<'_, Result<Committed>> {
        use std::sync::atomic::Ordering::SeqCst;
        Box::pin(async move {
            if self.has_stopped() {
                return Err(stopped());
            }
            match self.next() {
                None => self.inner.commit(set).await,
                Some(crash) => {
                    self.stopped.store(true, SeqCst);
                    if crash == Crash::After {
                        self.inner.commit(set).await?;
                    }
                    Err(stopped())
                }
            }
        })
    }

    fn head(&self) -> Position {
        self.inner.head()
    }

    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }
}
