//! Watches that the store takes commits. sled is known to have deadlocked under load; a server that hangs is worse than one that
//! starts again, and a start heals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use trellis_storage::{Store, WriteSet};

/// Time between two canary commits.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a canary may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// Canaries in a row that may miss the deadline.
const MISSES_MAX: u32 = 2;

/// A watch that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    ended: Arc<AtomicBool>,
}

impl Watchdog {
    /// Starts watching on a thread of its own: the runtime's threads may be what hangs. `on_hang` gets the reason.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        on_hang: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::start_with(store, INTERVAL, DEADLINE, on_hang)
    }

    fn start_with(
        store: Arc<dyn Store>,
        interval: Duration,
        deadline: Duration,
        on_hang: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&ended);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let watch = async move {
            let mut misses = 0;
            while !watched.load(Ordering::Relaxed) {
                tokio::time::sleep(interval).await;
                // A refusal is an answer: a full disk or a stopped store have their own ways to be seen.
                match tokio::time::timeout(deadline, store.commit(WriteSet::new())).await {
                    Ok(_) => misses = 0,
                    Err(_) => misses += 1,
                }
                if misses >= MISSES_MAX && !watched.load(Ordering::Relaxed) {
                    return on_hang(&format!(
                        "{misses} commits in a row took longer than {} ms",
                        deadline.as_millis()
                    ));
                }
            }
        };
        std::thread::Builder::new().name("watchdog".into()).spawn(move || runtime.block_on(watch))?;
        Ok(Self { ended })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::future::{BoxFuture, pending};
    use trellis_storage::{Committed, Epoch, MemoryStore, Page, Position, Result, ScanRange, Versioned};

    use super::*;

    /// Reads, and never answers a commit.
    #[derive(Debug)]
    struct Hanging(MemoryStore);

    impl Store for Hanging {
        fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>>> {
            self.0.get(key)
        }
        fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, Result<Page>> {
            self.0.scan(range, rows_max)
        }
        fn commit(&self, _: WriteSet) -> BoxFuture<'_, Result<Committed>> {
            Box::pin(pending())
        }
        fn head(&self) -> Position {
            self.0.head()
        }
        fn epoch(&self) -> Epoch {
            self.0.epoch()
        }
    }

    fn hang_of(store: Arc<dyn Store>) -> std::result::Result<String, mpsc::RecvTimeoutError> {
        let (sender, hangs) = mpsc::channel();
        let short = Duration::from_millis(5);
        let _watchdog =
            Watchdog::start_with(store, short, short, move |reason| drop(sender.send(reason.to_owned())))
                .unwrap();
        hangs.recv_timeout(Duration::from_millis(300))
    }

    #[test]
    fn a_store_that_hangs_is_reported_and_one_that_answers_is_not() {
        assert_eq!(
            hang_of(Arc::new(Hanging(MemoryStore::new()))).unwrap(),
            "2 commits in a row took longer than 5 ms"
        );
        assert_eq!(hang_of(Arc::new(MemoryStore::new())), Err(mpsc::RecvTimeoutError::Timeout));
    }
}
