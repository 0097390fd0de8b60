use std::fmt;
use std::sync::Arc;

use trellis_storage::Limits;

/// How a store behaves. The defaults suit one company on one small server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Memory that sled's page cache may take, in bytes (default 256 MiB).
    pub cache_capacity_bytes: u64,
    /// Committed bytes that may wait to be applied to sled; above it commits wait (default 64 MiB).
    pub overlay_bytes_max: usize,
    /// Memory of a filter that answers most look-ups of keys that do not exist, in bytes (default 32 MiB, good for some 30
    /// million rows; 0 for none). It is made once it pays.
    pub filter_bytes: usize,
    /// Look-ups of the writer that find nothing before the filter is made, which reads the whole store in the background
    /// (default 50,000).
    pub filter_after_misses: u64,
    /// A journal segment is closed once it holds this many bytes (default 64 MiB).
    pub journal_segment_bytes_max: u64,
    /// A snapshot is taken in the background once the journal written since the last one is larger than this and larger than
    /// the last snapshot itself, in bytes (default 1 GiB). Older segments go afterwards.
    pub snapshot_after_journal_bytes: u64,
    /// Write sets that may share one append and sync (default 256).
    pub group_write_sets_max: usize,
    /// A group takes no further write set once it holds this many bytes (default 8 MiB).
    pub group_bytes_max: usize,
    /// Commits that may wait for the writer; further callers wait in front of the queue (default 1,024).
    pub commit_queue_max: usize,
    /// Time between checkpoints while there is something to save, in milliseconds (default 5,000). What was committed after
    /// the last one is replayed at start-up.
    pub checkpoint_interval_ms: u64,
    /// Time that sled may take to open before it counts as damaged, in milliseconds (default 60,000).
    pub open_timeout_ms: u64,
    /// Free bytes on the file system below which commits are refused (default 512 MiB).
    pub free_bytes_min: u64,
    /// Size of a file that only takes up space (default 64 MiB). sled cannot even open on a full disk: the start then deletes
    /// this file, and the store serves reads until there is more space.
    pub ballast_bytes: u64,
    /// Limits of a write set.
    pub limits: Limits,
    /// Called once, from a thread of the store, when it stops after a failure; the server exits then, and the next start
    /// heals. `None` leaves the store refusing everything (default).
    pub on_stopped: Option<OnStopped>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cache_capacity_bytes: 256 << 20,
            overlay_bytes_max: 64 << 20,
            filter_bytes: 32 << 20,
            filter_after_misses: 50_000,
            journal_segment_bytes_max: 64 << 20,
            snapshot_after_journal_bytes: 1 << 30,
            group_write_sets_max: 256,
            group_bytes_max: 8 << 20,
            commit_queue_max: 1_024,
            checkpoint_interval_ms: 5_000,
            open_timeout_ms: 60_000,
            free_bytes_min: 512 << 20,
            ballast_bytes: 64 << 20,
            limits: Limits::default(),
            on_stopped: None,
        }
    }
}

/// What to do when the store stops: gets the reason.
#[derive(Clone)]
pub struct OnStopped(Arc<dyn Fn(&str) + Send + Sync>);

impl OnStopped {
    /// Wraps `hook`.
    pub fn new(hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(crate) fn call(&self, reason: &str) {
        (self.0)(reason);
    }
}

impl fmt::Debug for OnStopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnStopped")
    }
}
