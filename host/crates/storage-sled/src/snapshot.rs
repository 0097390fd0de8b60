//! Snapshots: every row in a file of its own, so that old journal segments can go.

mod file;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use trellis_storage::{Error, Position, Result};

use crate::files::{damaged, free_bytes, io_error, list, sync_dir};
use crate::report::{SnapshotInfo, VerifyReport};
use crate::shared::Shared;
use crate::walk::walk;
use crate::{journal, start};

pub(crate) use file::{Trailer, read};

/// When to take the next snapshot, and the one that is being taken.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    /// Held by whoever walks over all rows.
    pub(crate) walking: Mutex<()>,
    /// Bytes of journal since the last snapshot.
    journal_bytes: AtomicU64,
    /// Bytes of the last snapshot.
    last_bytes: AtomicU64,
    wanted: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Snapshots {
    pub(crate) fn journal_grew(&self, bytes: usize) {
        self.journal_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What was found at start-up; `wanted` asks for a snapshot at the next opportunity.
    pub(crate) fn found(&self, journal_bytes: u64, last_bytes: u64, wanted: bool) {
        self.journal_bytes.store(journal_bytes, Ordering::Relaxed);
        self.last_bytes.store(last_bytes, Ordering::Relaxed);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Waits for a snapshot that is being taken. It gives up soon when the store closes.
    pub(crate) fn join(&self) {
        if let Some(thread) = self.thread.lock().take() {
            // A panic has been reported by the panic hook already, and the snapshot is not there.
            _ = thread.join();
        }
    }
}

/// Takes a snapshot in the background if the journal has outgrown the last one.
///
/// A snapshot writes as much as the store holds, so the journal must also have outgrown the last snapshot's size: then
/// snapshots at most double what is written.
pub(crate) fn start_if_due(shared: &Arc<Shared>) {
    let snapshots = &shared.snapshots;
    let due_from =
        shared.config.snapshot_after_journal_bytes.max(snapshots.last_bytes.load(Ordering::Relaxed));
    let due = snapshots.wanted.load(Ordering::Relaxed)
        || snapshots.journal_bytes.load(Ordering::Relaxed) > due_from;
    let mut thread = snapshots.thread.lock();
    if !due || thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
        return;
    }
    // Whatever comes of it, the next attempt waits for more journal.
    snapshots.wanted.store(false, Ordering::Relaxed);
    snapshots.journal_bytes.store(0, Ordering::Relaxed);
    let background = Arc::clone(shared);
    let spawned =
        thread::Builder::new().name("store-snapshot".into()).spawn(move || match take(&background) {
            Ok(info) => tracing::info!(
                rows = info.rows,
                bytes = info.bytes,
                dropped = info.segments_dropped,
                "snapshot taken"
            ),
            Err(error) if background.is_closing() => tracing::debug!(%error, "snapshot given up"),
            Err(error) => tracing::error!(%error, "no snapshot taken; the journal keeps growing"),
        });
    match spawned {
        Ok(spawned) => *thread = Some(spawned),
        Err(error) => tracing::error!(%error, "cannot start a thread for a snapshot"),
    }
}

/// Takes a snapshot now, reads it back, and deletes what it replaces.
///
/// # Errors
/// Besides those of files: [`Error::Damaged`] where sled is not what the journal made of it. Then nothing
/// is deleted, and the next start builds sled again.
pub(crate) fn take(shared: &Shared) -> Result<SnapshotInfo> {
    let _walking = shared.snapshots.walking.lock();
    let grown = shared.snapshots.journal_bytes.swap(0, Ordering::Relaxed);
    let taken = take_alone(shared);
    if taken.is_err() {
        shared.snapshots.journal_bytes.fetch_add(grown, Ordering::Relaxed);
    }
    taken
}

fn take_alone(shared: &Shared) -> Result<SnapshotInfo> {
    let (free_bytes, free_bytes_min) = (free_bytes(&shared.dir)?, shared.config.free_bytes_min);
    if free_bytes < free_bytes_min {
        return Err(Error::DiskFull { free_bytes, free_bytes_min });
    }
    let temporary = shared.dir.join("snapshot.tmp");
    let mut writer = file::Writer::create(&temporary, shared.epoch)?;
    let walked = walk(shared, |rows| writer.write(rows))?;
    let mut check = VerifyReport::default();
    check.compare(&walked.expected, walked.found);
    if !check.is_good() {
        let problems = check.problems.join("; ");
        start::mark_suspect(&shared.dir, &problems, &shared.files);
        return Err(damaged(problems));
    }
    let trailer =
        Trailer { from: walked.from, to: walked.to, place: walked.place, rows: 0, sums: check.sums };
    let rows = writer.finish(trailer)?;
    read(&temporary, shared.epoch, &mut |_, _| Ok(()))?;

    let path = shared.dir.join(format!("{:020}.snapshot", walked.from));
    fs::rename(&temporary, &path).map_err(io_error(|| format!("cannot rename to `{}`", path.display())))?;
    sync_dir(&shared.dir)?;
    for older in paths(&shared.dir)?.into_iter().filter(|found| *found != path) {
        fs::remove_file(&older).map_err(io_error(|| format!("cannot delete `{}`", older.display())))?;
    }
    let keep_from = walked.place.segment.min(shared.applied.lock().checkpoint.place.segment);
    let segments_dropped = journal::drop_segments(&start::journal_dir(&shared.dir), keep_from)?;
    let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    shared.snapshots.last_bytes.store(bytes, Ordering::Relaxed);
    let (from, to) = (Position(walked.from), Position(walked.to));
    Ok(SnapshotInfo { path, from, to, rows, bytes, segments_dropped })
}

/// The snapshots of a store, the oldest first.
pub(crate) fn paths(dir: &Path) -> Result<Vec<PathBuf>> {
    list(dir, |name| name.ends_with(".snapshot"))
}
