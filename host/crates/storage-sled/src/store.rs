use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use futures_util::future::{self, BoxFuture};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};
use trellis_storage::{
    Committed, Epoch, Error, Page, Position, Result, Row, ScanRange, Store, Versioned, WriteSet,
};

use crate::files::{Files, bytes_of, io_error};
use crate::overlay::Entry;
use crate::report::{Opened, SnapshotInfo, StartReport, Stats, VerifyReport};
use crate::shared::Shared;
use crate::start::Folder;
use crate::state::StoredRow;
use crate::walk::walk;
use crate::writer::{Request, Work, Writer};
use crate::{Config, applier, ballast, snapshot, start, verify};

/// A durable store in a folder of its own, which one process at a time can have open.
///
/// Reads run on the caller's thread and do not wait for writers. Commits wait for one append and sync of the journal, which
/// those that wait at the same time share.
pub struct SledStore {
    shared: Arc<Shared>,
    /// `None` once the store is closed.
    requests: RwLock<Option<mpsc::Sender<Work>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held until everything else is gone.
    _lock: File,
}

impl fmt::Debug for SledStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SledStore")
            .field("dir", &self.shared.dir)
            .field("head", &self.head())
            .finish()
    }
}

impl SledStore {
    /// Opens the store in `dir`, or makes a new one there. Blocks: seconds where much is to be replayed, longer where sled
    /// must be built again.
    ///
    /// # Errors
    /// [`Error::Damaged`] names file and place of what cannot be healed; [`Error::Io`] says what the surroundings refuse,
    /// such as a folder that another process has open. Nothing is lost by trying again.
    pub fn open(dir: &Path, config: Config) -> Result<Opened> {
        Self::open_with(dir, config, Files::default(), None)
    }

    pub(crate) fn open_with(
        dir: &Path,
        config: Config,
        files: Files,
        rebuild: Option<String>,
    ) -> Result<Opened> {
        let started = start::open(Folder { dir, config: &config, files: &files }, rebuild)?;
        ballast::ensure(dir, config.ballast_bytes, config.free_bytes_min)?;
        let shared = Arc::new(Shared::new(dir.to_owned(), config, files, started.state, started.applied));
        let journal_bytes = bytes_of(&start::journal_dir(dir));
        let snapshot_bytes = snapshot_bytes(dir);
        shared.snapshots.found(journal_bytes, snapshot_bytes, started.snapshot_wanted);

        let (sender, requests) = mpsc::channel(shared.config.commit_queue_max.max(1));
        let writer = Writer::new(Arc::clone(&shared), started.journal);
        let applier = Arc::clone(&shared);
        let threads = vec![
            spawn(&shared, "store-writer", move || writer.run(requests))?,
            spawn(&shared, "store-applier", move || applier::run(&applier))?,
        ];
        let store = Self {
            shared,
            requests: RwLock::new(Some(sender)),
            threads: Mutex::new(threads),
            _lock: started.lock,
        };
        Ok(Opened { store: Arc::new(store), report: started.report })
    }

    /// Builds sled in `dir` again from snapshot and journal; the former folder is kept aside. The store must not be open.
    ///
    /// # Errors
    /// As [`SledStore::open`]. Where there is nothing to build it from, everything stays as it is.
    pub fn rebuild(dir: &Path) -> Result<StartReport> {
        let opened = Self::open_with(dir, Config::default(), Files::default(), Some("asked for".into()))?;
        opened.store.close()?;
        Ok(opened.report)
    }

    /// Checks the store in `dir`, which must not be open: every frame of the journal, the checkpoint, the snapshots, and
    /// the rows in sled against what the journal made of them.
    ///
    /// # Errors
    /// What is wrong with the store is in the report; an error means that it could not be looked at.
    pub fn verify_dir(dir: &Path) -> Result<VerifyReport> {
        verify::verify_dir(dir)
    }

    /// Compares the rows in sled with what the journal made of them, by kind, while the store goes on. Blocks: about a
    /// second a million rows. Where something differs, the next start builds sled again.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the store stops or closes meanwhile.
    pub fn verify(&self) -> Result<VerifyReport> {
        let _walking = self.shared.snapshots.walking.lock();
        let walked = walk(&self.shared, |_| Ok(()))?;
        let mut report = VerifyReport { position: Position(walked.to), ..VerifyReport::default() };
        report.compare(&walked.expected, walked.found);
        if !report.is_good() {
            start::mark_suspect(&self.shared.dir, &report.problems.join("; "), &self.shared.files);
        }
        Ok(report)
    }

    /// Takes a snapshot, reads it back, and deletes the journal segments and snapshots that it replaces: afterwards neither
    /// holds what was overwritten or deleted before the call. Blocks, and must not be called on a thread of an async
    /// runtime; commits go on meanwhile.
    ///
    /// # Errors
    /// [`Error::Damaged`] where sled is not what the journal made of it: nothing is deleted then.
    pub fn snapshot_now(&self) -> Result<SnapshotInfo> {
        let requests = self.requests.read().clone().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        requests.blocking_send(Work::Rotate(answer)).map_err(|_| closed())?;
        drop(requests);
        let segment = answered.blocking_recv().map_err(|_| closed())??;
        self.shared.wait_for_checkpoint(segment)?;
        snapshot::take(&self.shared)
    }

    /// Finishes what was sent, writes a checkpoint, and takes no more commits. Also done when the store is dropped. The
    /// folder can be opened again once the store is dropped.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the store had stopped before or stops now.
    pub fn close(&self) -> Result<()> {
        self.shared.closing.store(true, Ordering::Release);
        drop(self.requests.write().take());
        self.shared.snapshots.join();
        for thread in self.threads.lock().drain(..) {
            // A panic has stopped the store already.
            _ = thread.join();
        }
        self.shared.snapshots.join();
        self.shared.check_running()
    }

    /// Figures since the store was opened. Reads the folder's file sizes.
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        Stats {
            journal_bytes: bytes_of(&start::journal_dir(&shared.dir)),
            sled_bytes: shared.state.bytes(),
            sled_blob_files: shared.state.blob_files(),
            snapshot_bytes: snapshot_bytes(&shared.dir),
            overlay_bytes: shared.queue.waiting.lock().bytes as u64,
            groups: shared.figures.groups.load(Ordering::Relaxed),
            commits: shared.figures.commits.load(Ordering::Relaxed),
            journal_sync: shared.figures.journal_sync.get(),
            checkpoints: shared.figures.checkpoints.get(),
            head: self.head(),
            applied: Position(shared.applied.lock().position),
        }
    }

    /// The limits that commits are held to.
    pub fn limits(&self) -> trellis_storage::Limits {
        self.shared.config.limits
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    async fn commit_set(&self, set: WriteSet) -> Result<Committed> {
        set.validate(&self.shared.config.limits)?;
        self.shared.check_running()?;
        let requests = self.requests.read().clone();
        let Some(requests) = requests else { return Err(closed()) };
        let (answer, answered) = oneshot::channel();
        let sent = requests.send(Work::Commit(Request { set, answer })).await;
        drop(requests);
        if sent.is_err() {
            return Err(self.shared.check_running().err().unwrap_or_else(closed));
        }
        match answered.await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.shared.stop("the writer ended without an answer")),
        }
    }

    fn scan_now(&self, range: &ScanRange, rows_max: usize) -> Result<Page> {
        let shared = &self.shared;
        shared.check_running()?;
        // In this order: what is up to `from` is in the overlay or in sled when they are read, in the overlay first.
        let from = Position(shared.head.load(Ordering::Acquire));
        let mut rows = Vec::new();
        if range.end.as_ref().is_none_or(|end| *end > range.start) {
            let wanted = rows_max.saturating_add(1);
            let captured = shared.overlay.capture(range, wanted);
            let stored = shared.state.rows(range);
            let stored = stored.map(|row| row.map_err(|fault| shared.state_failed(&fault)));
            rows = self.merge(captured, stored, range.reverse, wanted)?;
        }
        let more = rows.len() > rows_max;
        rows.truncate(rows_max);
        let to = Position(shared.assigned.load(Ordering::Acquire));
        Ok(Page { rows, more, from, to })
    }

    /// Merges overlay and sled in scan order, up to `wanted` rows. Where both have a key, the later position holds.
    fn merge(
        &self,
        captured: Vec<(Arc<[u8]>, Entry)>,
        stored: impl Iterator<Item = Result<StoredRow>>,
        reverse: bool,
        wanted: usize,
    ) -> Result<Vec<Row>> {
        let mut captured = captured.into_iter().peekable();
        let mut stored = stored.peekable();
        let mut rows = Vec::new();
        while rows.len() < wanted {
            let order = match (captured.peek(), stored.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (_, Some(Err(_))) | (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((key, _)), Some(Ok(row))) if reverse => row.key[..].cmp(key),
                (Some((key, _)), Some(Ok(row))) => key[..].cmp(&row.key),
            };
            let entry = if order.is_le() { captured.next() } else { None };
            let row = if order.is_ge() { stored.next().transpose()? } else { None };
            let row = row.map(|row| row.versioned().map(|found| (row.key, found))).transpose();
            let row = row.map_err(|fault| self.shared.state_failed(&fault))?;
            rows.extend(newer(entry, row));
        }
        Ok(rows)
    }
}

/// The later of two states of a key, if it is a row.
fn newer(entry: Option<(Arc<[u8]>, Entry)>, row: Option<(sled::IVec, Versioned)>) -> Option<Row> {
    let row = row.map(|(key, found)| Row {
        key: Arc::from(&key[..]),
        position: found.position,
        value: found.value,
    });
    match (entry, row) {
        (Some((_, entry)), Some(row)) if row.position.0 > entry.position => Some(row),
        (Some((key, entry)), _) => {
            entry.value.map(|value| Row { key, position: Position(entry.position), value })
        }
        (None, row) => row,
    }
}

fn closed() -> Error {
    Error::Stopped { reason: "the store is closed".into() }
}

/// A thread whose panic stops the store: nobody may wait for a thread that is gone.
fn spawn(shared: &Arc<Shared>, name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let guarded = move || {
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            shared.stop("a thread of the store panicked");
        }
    };
    let spawned = thread::Builder::new().name(name.into()).spawn(guarded);
    spawned.map_err(io_error(|| format!("cannot start thread {name}")))
}

fn snapshot_bytes(dir: &Path) -> u64 {
    let paths = snapshot::paths(dir).unwrap_or_default();
    paths.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum()
}

impl Store for SledStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>>> {
        Box::pin(future::ready(self.shared.read(key)))
    }

    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, Result<Page>> {
        Box::pin(future::ready(self.scan_now(&range, rows_max)))
    }

    fn commit(&self, set: WriteSet) -> BoxFuture<'_, Result<Committed>> {
        Box::pin(self.commit_set(set))
    }

    fn head(&self) -> Position {
        Position(self.shared.head.load(Ordering::Acquire))
    }

    fn epoch(&self) -> Epoch {
        self.shared.epoch
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the store was not closed cleanly; the next start replays its journal");
        }
    }
}
