//! Start-up: finds out what the folder holds, heals what can be healed, and refuses, naming file and place, what cannot.

mod build;
mod source;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trellis_storage::{Epoch, Error, Result};

use crate::Config;
use crate::ballast;
use crate::checkpoint::{Checkpoint, Found, new_epoch};
use crate::files::{Files, damaged, io_error, list, sync_dir, sync_dir_of};
use crate::frame::Place;
use crate::journal::{self, HEADER_BYTES, Journal, Replayed, Segments};
use crate::report::StartReport;
use crate::shared::Applied;
use crate::snapshot;
use crate::state::{Fault, OpenFault, State};
use crate::sums::{Digester, Sums};

use build::{build, check_built, remove_dir};
use source::Source;

/// How long another handle on sled's file may take to go away after we got our own lock.
const SLED_LOCK_WAIT: Duration = Duration::from_secs(5);

/// The folder, and how to treat it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folder<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) config: &'a Config,
    pub(crate) files: &'a Files,
}

/// Everything that a running store is made of.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) lock: File,
    pub(crate) state: State,
    pub(crate) applied: Applied,
    pub(crate) journal: Journal,
    pub(crate) report: StartReport,
    /// Nothing but sled holds what is older than the journal: a snapshot should be taken soon.
    pub(crate) snapshot_wanted: bool,
}

/// sled, and what it holds.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) state: State,
    /// Every commit up to here is in it.
    pub(crate) position: u64,
    /// Where the journal goes on.
    pub(crate) place: Place,
    /// As of `sums_position`, which is later than `position` only for a snapshot.
    pub(crate) sums: Sums,
    pub(crate) sums_position: u64,
}

pub(crate) fn journal_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

pub(crate) fn checkpoint_path(dir: &Path) -> PathBuf {
    dir.join("checkpoint")
}

fn sled_dir(dir: &Path) -> PathBuf {
    dir.join("sled")
}

/// Its text says why sled must not be used any more.
pub(crate) fn suspect_path(dir: &Path) -> PathBuf {
    dir.join("sled.suspect")
}

/// Exists while sled is being built: what is in its folder then is not worth keeping.
fn rebuilding_path(dir: &Path) -> PathBuf {
    dir.join("sled.rebuilding")
}

/// Has the next start build sled again.
pub(crate) fn mark_suspect(dir: &Path, reason: &str, files: &Files) {
    tracing::error!(reason, "sled is damaged; the next start builds it again");
    if let Err(error) = files.replace(&suspect_path(dir), reason.as_bytes()) {
        tracing::error!(%error, "cannot note that sled is damaged");
    }
}

/// Opens `dir`, which is created where it does not exist. `rebuild` says why sled is to be built again in any case.
pub(crate) fn open(folder: Folder<'_>, rebuild: Option<String>) -> Result<Started> {
    let dir = folder.dir;
    fs::create_dir_all(dir).map_err(io_error(|| format!("cannot create data folder `{}`", dir.display())))?;
    sync_dir_of(dir)?;
    let lock = lock(dir)?;
    let mut report = StartReport::default();
    remove_files(list(dir, |name| name.ends_with(".tmp"))?, &mut report)?;
    let segments = journal::list_segments(&journal_dir(dir))?;
    remove_files(segments.unfinished.iter().cloned(), &mut report)?;
    let checkpoint = Checkpoint::read(&checkpoint_path(dir))?;
    if segments.segments.is_empty() {
        return create(folder, lock, report, &checkpoint);
    }
    reopen(folder, lock, report, checkpoint, &segments, rebuild)
}

pub(crate) fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(io_error(|| format!("cannot open `{}`", path.display())))?;
    file.try_lock().map_err(|error| {
        let doing = format!("cannot open data folder `{}`: another process has it open", dir.display());
        match error {
            TryLockError::WouldBlock => Error::Io { doing, source: std::io::ErrorKind::WouldBlock.into() },
            TryLockError::Error(source) => {
                Error::Io { doing: format!("cannot lock `{}`", path.display()), source }
            }
        }
    })?;
    Ok(file)
}

fn remove_files(paths: impl IntoIterator<Item = PathBuf>, report: &mut StartReport) -> Result<()> {
    for path in paths {
        fs::remove_file(&path).map_err(io_error(|| format!("cannot delete `{}`", path.display())))?;
        report.stale_files_removed.push(path);
    }
    Ok(())
}

/// Makes a new store, provided that nothing says that there was one.
fn create(folder: Folder<'_>, lock: File, mut report: StartReport, checkpoint: &Found) -> Result<Started> {
    let Folder { dir, config, files } = folder;
    let former = !matches!(checkpoint, Found::None) || !snapshot::paths(dir)?.is_empty();
    if former {
        return Err(damaged(format!(
            "the journal in `{}` is missing, but other files of the store are there",
            dir.display()
        )));
    }
    let sled = sled_dir(dir);
    if sled.exists() && !rebuilding_path(dir).exists() {
        return Err(damaged(format!(
            "the journal in `{}` is missing, but sled's folder is there",
            dir.display()
        )));
    }
    report.created = true;
    files.replace(&rebuilding_path(dir), b"a new store")?;
    remove_dir(&sled)?;
    let state = open_state(folder, &mut report).map_err(|fault| refusal(&sled, fault))?;
    let epoch = new_epoch()?;
    let journal = Journal::create(&journal_dir(dir), epoch, config.journal_segment_bytes_max, files.clone())?;
    let checkpoint = Checkpoint { epoch, position: 0, place: journal.end(), sums: Sums::default() };
    finish(dir, files, &state, &checkpoint)?;
    let applied = applied(checkpoint);
    Ok(Started { lock, state, applied, journal, report, snapshot_wanted: false })
}

fn applied(checkpoint: Checkpoint) -> Applied {
    let (position, place, sums) = (checkpoint.position, checkpoint.place, checkpoint.sums.clone());
    Applied { position, place, sums, walk: None, checkpoint }
}

/// Makes sled durable as of `checkpoint`, and says that it may be used.
fn finish(dir: &Path, files: &Files, state: &State, checkpoint: &Checkpoint) -> Result<()> {
    state.sync(checkpoint.epoch, checkpoint.position, files).map_err(|fault| state_refusal(&fault))?;
    checkpoint.write(&checkpoint_path(dir), files)?;
    for path in [rebuilding_path(dir), suspect_path(dir)] {
        if path.exists() {
            fs::remove_file(&path).map_err(io_error(|| format!("cannot delete `{}`", path.display())))?;
        }
    }
    sync_dir(dir)
}

fn reopen(
    folder: Folder<'_>,
    lock: File,
    mut report: StartReport,
    checkpoint: Found,
    segments: &Segments,
    rebuild: Option<String>,
) -> Result<Started> {
    let Folder { dir, config, files } = folder;
    let first = segments.segments.first().ok_or_else(|| damaged("the journal has no segment"))?;
    let epoch = first.header.epoch;
    let (checkpoint, unusable) = usable(checkpoint, epoch);
    let attempt = match rebuild.or(unusable) {
        Some(reason) => Err(reason),
        None => existing(folder, checkpoint.as_ref(), &mut report)?,
    };
    let base = match attempt {
        Ok(base) => base,
        Err(reason) => {
            // Where building fails, the error names the journal or the snapshot; this says why they were needed.
            tracing::warn!(reason, "sled cannot be used and is built again");
            report.rebuilt = Some(reason);
            let source = Source::find(dir, segments, checkpoint.as_ref(), &mut report)?;
            build(folder, source, &mut report)?
        }
    };
    let (replayed, sums) = replay_into(&base, segments, checkpoint.as_ref())?;
    report.replayed_groups = replayed.groups;
    report.torn_bytes_cut = replayed.torn_bytes;
    if report.rebuilt.is_some() {
        check_built(&base.state, &sums)?;
    }
    let journal_dir = journal_dir(dir);
    let journal =
        Journal::open(&journal_dir, epoch, replayed.end, config.journal_segment_bytes_max, files.clone())?;
    let position = replayed.next_position - 1;
    let reached = Checkpoint { epoch, position, place: replayed.end, sums };
    if report.rebuilt.is_some() || checkpoint.as_ref() != Some(&reached) {
        finish(dir, files, &base.state, &reached)?;
    }
    let snapshot_wanted = first.header.first_position > 1 && snapshot::paths(dir)?.is_empty();
    if snapshot_wanted {
        let position = first.header.first_position;
        report.notes.push(format!(
            "the journal begins with position {position} and there is no snapshot; one is taken soon"
        ));
    }
    Ok(Started { lock, applied: applied(reached), state: base.state, journal, report, snapshot_wanted })
}

/// The checkpoint, or why there is none to go by.
fn usable(checkpoint: Found, epoch: Epoch) -> (Option<Checkpoint>, Option<String>) {
    match checkpoint {
        Found::Valid(checkpoint) if checkpoint.epoch == epoch => (Some(checkpoint), None),
        Found::Valid(_) => (None, Some("the checkpoint is of another epoch than the journal".into())),
        Found::Damaged(reason) => (None, Some(reason)),
        Found::None => (None, Some("there is no checkpoint".into())),
    }
}

/// The sled folder that is there, or why it cannot be used.
pub(crate) fn existing(
    folder: Folder<'_>,
    checkpoint: Option<&Checkpoint>,
    report: &mut StartReport,
) -> Result<Result<Base, String>> {
    let dir = folder.dir;
    let Some(checkpoint) = checkpoint else { return Ok(Err("there is no checkpoint".into())) };
    if let Ok(reason) = fs::read_to_string(suspect_path(dir)) {
        return Ok(Err(reason));
    }
    if rebuilding_path(dir).exists() {
        return Ok(Err("building it was interrupted".into()));
    }
    if !sled_dir(dir).join("db").exists() {
        return Ok(Err("sled's folder or its file is missing".into()));
    }
    let state = match open_state(folder, report) {
        Ok(state) => state,
        Err(OpenFault::Damaged(reason)) => return Ok(Err(reason)),
        Err(OpenFault::Refused(error)) => return Err(error),
    };
    let mark = match state.mark() {
        Ok(mark) => mark,
        Err(fault) => return Ok(Err(fault.reason().to_owned())),
    };
    match mark {
        Some((epoch, position)) if epoch == checkpoint.epoch && position.0 >= checkpoint.position => {
            Ok(Ok(Base {
                state,
                position: checkpoint.position,
                place: checkpoint.place,
                sums: checkpoint.sums.clone(),
                sums_position: checkpoint.position,
            }))
        }
        mark => Ok(Err(format!(
            "sled is behind the checkpoint: position {} instead of {}",
            mark.map_or(0, |(_, position)| position.0),
            checkpoint.position
        ))),
    }
}

fn open_state(folder: Folder<'_>, report: &mut StartReport) -> Result<State, OpenFault> {
    let Folder { dir, config, .. } = folder;
    let timeout = Duration::from_millis(config.open_timeout_ms);
    let started = Instant::now();
    loop {
        let sled_dir = sled_dir(dir);
        match State::open(&sled_dir, config.cache_capacity_bytes, timeout, &mut report.stale_files_removed) {
            // Our own lock is ours already, so whoever holds sled's is a closed store of this process on its way out. Building sled
            // again would delete the files under it.
            Err(OpenFault::Refused(Error::Io { source, .. }))
                if source.kind() == std::io::ErrorKind::WouldBlock && started.elapsed() < SLED_LOCK_WAIT =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(OpenFault::Refused(Error::Io { source, .. }))
                if source.kind() == std::io::ErrorKind::StorageFull && ballast::drop_off(dir) =>
            {
                report.notes.push("the disk is full; the ballast file was deleted to open sled".into());
            }
            outcome => return outcome,
        }
    }
}

fn refusal(sled: &Path, fault: OpenFault) -> Error {
    match fault {
        OpenFault::Refused(error) => error,
        OpenFault::Damaged(reason) => damaged(format!("new folder `{}`: {reason}", sled.display())),
    }
}

fn state_refusal(fault: &Fault) -> Error {
    match fault {
        Fault::Io(reason) => Error::Io { doing: reason.clone(), source: std::io::ErrorKind::Other.into() },
        Fault::Damaged(reason) => damaged(reason.clone()),
    }
}

/// Brings `base` forward to the end of the journal; returns the sums as of there.
///
/// # Errors
/// Names what is missing or damaged, also where the journal ends before what is known to have been durable.
pub(crate) fn replay_into(
    base: &Base,
    segments: &Segments,
    checkpoint: Option<&Checkpoint>,
) -> Result<(Replayed, Sums)> {
    let mut sums = base.sums.clone();
    let replayed = journal::replay(&segments.segments, base.place, base.position + 1, &mut |group, _| {
        for (position, set) in (group.first_position..).zip(&group.sets) {
            for (key, value) in set {
                base.state.apply(key, position, *value).map_err(|fault| state_refusal(&fault))?;
            }
        }
        if group.first_position > base.sums_position {
            sums.add_all(&group.sums);
        }
        Ok(())
    })?;
    check_end(&replayed, checkpoint)?;
    let mark = base.state.mark().map_err(|fault| state_refusal(&fault))?;
    let (last, marked) = (replayed.next_position - 1, mark.map_or(0, |(_, position)| position.0));
    if marked > last {
        return Err(damaged(format!(
            "the journal ends with position {last}, but sled holds commits up to {marked}"
        )));
    }
    Ok((replayed, sums))
}

pub(crate) fn check_end(replayed: &Replayed, checkpoint: Option<&Checkpoint>) -> Result<()> {
    let Some(checkpoint) = checkpoint else { return Ok(()) };
    if replayed.end >= checkpoint.place {
        return Ok(());
    }
    let (segment, end, durable) = (replayed.end.segment, replayed.end.offset, checkpoint.place);
    Err(damaged(format!(
        "journal segment {segment} is damaged at byte {end}: it was durable up to segment {} byte {}",
        durable.segment, durable.offset
    )))
}

/// The sums of every row of `state`, one pass over it.
pub(crate) fn count(state: &State) -> Result<Sums> {
    let (mut sums, mut digester) = (Sums::default(), Digester::default());
    for row in state.rows(&trellis_storage::ScanRange::prefix(b"")) {
        let row = row.map_err(|fault| state_refusal(&fault))?;
        sums.add_row(&row.key, digester.stored(&row.key, &row.stored));
    }
    Ok(sums)
}

/// The place of the first frame of a segment.
pub(crate) fn start_of(segment: u64) -> Place {
    Place { segment, offset: HEADER_BYTES as u64 }
}
