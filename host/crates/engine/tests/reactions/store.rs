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

#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Commits that are left until then.
    left: u64,
    crash: Crash,
    /// Whether commits that only note a place in the log are counted too.
    places_count: bool,
}

/// First bytes of the keys of the places up to which followers and reactions have read the log: see `host/docs/formats/engine.md`.
const PLACES: [u8; 2] = [0x58, 0x5c];

/// A store that stops at a given commit and then takes no more.
#[derive(Debug)]
pub(crate) struct StoppingStore {
    inner: Arc<MemoryStore>,
    /// When the crash comes, if one is to come.
    plan: Mutex<Option<Plan>>,
    stopped: std::sync::atomic::AtomicBool,
}

impl StoppingStore {
    pub(crate) fn over(inner: Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::new(None), stopped: false.into() })
    }

    /// Stops at the commit that is `commits` away, 0 for the next one.
    pub(crate) fn stop_at(&self, commits: u64, crash: Crash) {
        *self.plan.lock() = Some(Plan { left: commits, crash, places_count: true });
    }

    /// As [`Self::stop_at`], without counting what comes in between by the clock: places in the log that are noted.
    pub(crate) fn stop_at_beside_places(&self, commits: u64, crash: Crash) {
        *self.plan.lock() = Some(Plan { left: commits, crash, places_count: false });
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// What is to become of a commit: nothing special, or the crash.
    fn next(&self, set: &WriteSet) -> Option<Crash> {
        let mut plan = self.plan.lock();
        let plan = plan.as_mut()?;
        if !plan.places_count && notes_a_place(set) {
            return None;
        }
        let crashes = plan.left == 0;
        plan.left = plan.left.saturating_sub(1);
        crashes.then_some(plan.crash)
    }
}

fn notes_a_place(set: &WriteSet) -> bool {
    let is_place = |key: &[u8]| key.first().is_some_and(|first| PLACES.contains(first));
    !set.puts().is_empty()
        && set.keys() == set.puts().len()
        && set.puts().iter().all(|put| is_place(&put.key))
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
            match self.next(&set) {
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
