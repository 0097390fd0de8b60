//! sled, behind a wall: no panic, error or type of it gets past this file.
//!
//! One tree holds every row as key → position (8 bytes) and value, written by plain inserts only. Batches and transactions
//! would take sled's global lock and block every reader. A second tree holds the mark: up to which position everything had
//! been applied when it was last synced.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use trellis_storage::{Epoch, Error, Position, ScanRange, Versioned};

use crate::files::{Files, Op, io_error, list, sync_dir};

/// sled recurses while it opens; what it needs is not documented.
const OPEN_STACK_BYTES: usize = 64 << 20;
/// How often sled's own thread flushes. Durability does not depend on it, but sled takes back space in its file nowhere else:
/// for up to half of this time it moves pages out of segments that are mostly dead.
const HOUSEKEEPING_INTERVAL_MS: u64 = 500;
const MARK_KEY: &[u8] = b"applied";

/// What went wrong in sled.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The operating system refused: space, rights, a lock. The files are as good as before.
    Io(String),
    /// sled panicked, or says that its files are damaged. They must be built again.
    Damaged(String),
}

impl Fault {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Io(reason) | Self::Damaged(reason) => reason,
        }
    }
}

type Result<T, E = Fault> = std::result::Result<T, E>;

/// A row as sled holds it: key, position and value.
#[derive(Debug, Clone)]
pub(crate) struct StoredRow {
    pub(crate) key: sled::IVec,
    pub(crate) stored: sled::IVec,
}

impl StoredRow {
    pub(crate) fn versioned(&self) -> Result<Versioned> {
        split(&self.key, &self.stored)
    }
}

/// An open sled folder.
#[derive(Debug)]
pub(crate) struct State {
    dir: PathBuf,
    db: sled::Db,
    rows: sled::Tree,
    marks: sled::Tree,
    /// An own handle on sled's file: syncing works on the file, whoever wrote it.
    file: File,
    blobs_synced: Mutex<HashSet<OsString>>,
}

/// Why sled was not opened.
#[derive(Debug)]
pub(crate) enum OpenFault {
    /// Opening again later may work; the files must stay as they are.
    Refused(Error),
    /// The files are of no use.
    Damaged(String),
}

impl State {
    /// Opens or creates sled in `dir`, deleting what an interrupted start of sled left behind, which it would stumble over.
    pub(crate) fn open(
        dir: &Path,
        cache_capacity_bytes: u64,
        timeout: Duration,
        removed: &mut Vec<PathBuf>,
    ) -> Result<Self, OpenFault> {
        let stale = list(dir, |name| name.ends_with(".generating")).map_err(OpenFault::Refused)?;
        for path in stale {
            fs::remove_file(&path).map_err(|error| {
                OpenFault::Refused(io_error(|| format!("cannot delete `{}`", path.display()))(error))
            })?;
            removed.push(path);
        }
        check_unlocked(dir).map_err(OpenFault::Refused)?;
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(cache_capacity_bytes)
            .flush_every_ms(Some(HOUSEKEEPING_INTERVAL_MS));
        let (sender, opened) = mpsc::channel();
        let opening = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let db = config.open()?;
                let rows = db.open_tree("rows")?;
                let marks = db.open_tree("marks")?;
                Ok((db, rows, marks))
            }));
            // Nobody listens any more after the timeout.
            _ = sender.send(outcome);
        };
        let spawned =
            thread::Builder::new().name("sled-open".into()).stack_size(OPEN_STACK_BYTES).spawn(opening);
        spawned.map_err(|error| {
            OpenFault::Refused(io_error(|| "cannot start a thread to open sled".into())(error))
        })?;
        let (db, rows, marks) = match opened.recv_timeout(timeout) {
            Ok(Ok(Ok(opened))) => opened,
            Ok(Ok(Err(error))) => return Err(refused_or_damaged(dir, error)),
            Ok(Err(panic)) => {
                return Err(OpenFault::Damaged(format!("sled panicked: {}", panic_text(&*panic))));
            }
            Err(RecvTimeoutError::Timeout) => {
                return Err(OpenFault::Damaged(format!(
                    "sled did not open within {} ms",
                    timeout.as_millis()
                )));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(OpenFault::Damaged("sled's opening thread died".into()));
            }
        };
        let file = File::open(dir.join("db"))
            .and_then(|file| sync_dir(dir).map_err(io::Error::other).map(|()| file));
        let file = file.map_err(io_error(|| format!("cannot open sled's file in `{}`", dir.display())));
        let file = file.map_err(OpenFault::Refused)?;
        Ok(Self { dir: dir.to_owned(), db, rows, marks, file, blobs_synced: Mutex::default() })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Versioned>> {
        let found = guard(|| self.rows.get(key))?;
        found.map(|stored| split(key, &stored)).transpose()
    }

    /// Makes `key` what a write set made of it; returns what was there before.
    pub(crate) fn apply(
        &self,
        key: &[u8],
        position: u64,
        value: Option<&[u8]>,
    ) -> Result<Option<sled::IVec>> {
        let Some(value) = value else { return guard(|| self.rows.remove(key)) };
        let mut stored = Vec::with_capacity(8 + value.len());
        stored.extend(position.to_be_bytes());
        stored.extend_from_slice(value);
        guard(|| self.rows.insert(key, stored))
    }

    /// Puts a row as a snapshot holds it.
    pub(crate) fn load(&self, key: &[u8], stored: &[u8]) -> Result<()> {
        guard(|| self.rows.insert(key, stored)).map(drop)
    }

    /// The rows of `range` in its order. Rows that are written meanwhile may or may not be among them.
    pub(crate) fn rows(&self, range: &ScanRange) -> Rows {
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.rows.range::<&[u8], _>((Bound::Included(&range.start[..]), end));
        Rows { rows, reverse: range.reverse }
    }

    /// The epoch and the position up to which everything is applied, as of the last sync that the files hold.
    pub(crate) fn mark(&self) -> Result<Option<(Epoch, Position)>> {
        let found = guard(|| self.marks.get(MARK_KEY))?;
        let mark = found.map(|bytes| {
            let (epoch, position) = bytes.split_first_chunk::<16>()?;
            Some((Epoch(*epoch), Position(u64::from_be_bytes(position.try_into().ok()?))))
        });
        match mark {
            Some(None) => Err(Fault::Damaged("sled's mark is not readable".into())),
            Some(mark) => Ok(mark),
            None => Ok(None),
        }
    }

    /// Makes everything applied so far durable, and then says so in the mark.
    pub(crate) fn sync(&self, epoch: Epoch, position: u64, files: &Files) -> Result<()> {
        let mark = [&epoch.0[..], &position.to_be_bytes()].concat();
        guard(|| self.marks.insert(MARK_KEY, mark))?;
        // sled's flush waits for the page cache only; what reaches the disk is up to us.
        guard(|| self.db.flush())?;
        self.sync_files(files).map_err(|error| Fault::Io(format!("cannot sync sled's files: {error}")))
    }

    /// Values are kept so small that sled should need no blob files, but where it made some they count.
    fn sync_files(&self, files: &Files) -> io::Result<()> {
        files.sync(&self.file, Op::SyncState)?;
        let blobs_dir = self.dir.join("blobs");
        let blobs = list(&blobs_dir, |_| true).map_err(io::Error::other)?;
        let mut synced = self.blobs_synced.lock();
        let mut names = HashSet::new();
        let mut added = false;
        for path in &blobs {
            let name = path.file_name().map(OsString::from).unwrap_or_default();
            if !synced.contains(&name) {
                match File::open(path) {
                    Ok(file) => files.sync(&file, Op::SyncState)?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
                added = true;
            }
            names.insert(name);
        }
        *synced = names;
        if added { sync_dir(&blobs_dir).map_err(io::Error::other) } else { Ok(()) }
    }

    pub(crate) fn bytes(&self) -> u64 {
        crate::files::bytes_of(&self.dir)
    }

    pub(crate) fn blob_files(&self) -> u64 {
        list(&self.dir.join("blobs"), |_| true).map_or(0, |blobs| blobs.len() as u64)
    }
}

/// An iterator over rows that fails instead of panicking.
pub(crate) struct Rows {
    rows: sled::Iter,
    reverse: bool,
}

impl Iterator for Rows {
    type Item = Result<StoredRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = guard(|| if self.reverse { self.rows.next_back() } else { self.rows.next() }.transpose());
        next.map(|row| row.map(|(key, stored)| StoredRow { key, stored })).transpose()
    }
}

fn split(key: &[u8], stored: &[u8]) -> Result<Versioned> {
    let Some((position, value)) = stored.split_first_chunk() else {
        return Err(Fault::Damaged(format!(
            "the row of key {:?} has no position",
            key.escape_ascii().to_string()
        )));
    };
    Ok(Versioned { position: Position(u64::from_be_bytes(*position)), value: Arc::from(value) })
}

fn guard<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(sled::Error::Io(error))) => Err(Fault::Io(format!("sled: {error}"))),
        Ok(Err(error)) => Err(Fault::Damaged(format!("sled: {error}"))),
        Err(panic) => Err(Fault::Damaged(format!("sled panicked: {}", panic_text(&*panic)))),
    }
}

/// Tries the lock that sled takes on its file. Where another handle has it, sled's own error cannot be told from one about damage.
fn check_unlocked(dir: &Path) -> trellis_storage::Result<()> {
    let path = dir.join("db");
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(io_error(|| format!("cannot open `{}`", path.display())))?,
    };
    // Closing the file gives the lock back.
    file.try_lock().map_err(|error| Error::Io {
        doing: format!("cannot lock `{}`", path.display()),
        source: match error {
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryLockError::Error(source) => source,
        },
    })
}

fn refused_or_damaged(dir: &Path, error: sled::Error) -> OpenFault {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock};
    match error {
        sled::Error::Io(source)
            if matches!(
                source.kind(),
                PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull | WouldBlock
            ) =>
        {
            OpenFault::Refused(Error::Io {
                doing: format!("cannot open sled in `{}`", dir.display()),
                source,
            })
        }
        error => OpenFault::Damaged(format!("sled will not open: {error}")),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".into())
}
