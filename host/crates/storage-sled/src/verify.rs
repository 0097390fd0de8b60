//! Checks of a store that is not open: everything is read, nothing but sled's own housekeeping is written.

use std::fs;
use std::path::Path;

use trellis_storage::{Position, Result};

use crate::Config;
use crate::checkpoint::{Checkpoint, Found};
use crate::files::Files;
use crate::journal::{self, Segments};
use crate::report::{StartReport, VerifyReport};
use crate::start::Folder;
use crate::{snapshot, start};

/// Reads journal, checkpoint, snapshots and sled in `dir`, and names whatever is wrong with them.
pub(crate) fn verify_dir(dir: &Path) -> Result<VerifyReport> {
    let _lock = start::lock(dir)?;
    let mut report = VerifyReport::default();
    let segments = match journal::list_segments(&start::journal_dir(dir)) {
        Ok(segments) => segments,
        Err(error) => {
            report.problems.push(error.to_string());
            return Ok(report);
        }
    };
    if segments.segments.is_empty() {
        report.problems.push(format!("there is no journal in `{}`", dir.display()));
        return Ok(report);
    }
    let checkpoint = check_checkpoint(dir, &mut report)?;
    let journal_good = check_journal(&segments, checkpoint.as_ref(), &mut report);
    check_snapshots(dir, &segments, &mut report)?;
    if let Ok(reason) = fs::read_to_string(start::suspect_path(dir)) {
        report.problems.push(format!("sled is known to be damaged: {reason}"));
    }
    if journal_good {
        check_sled(dir, &segments, checkpoint.as_ref(), &mut report)?;
    } else {
        report.notes.push("sled was not checked, because the journal is damaged".into());
    }
    Ok(report)
}

fn check_checkpoint(dir: &Path, report: &mut VerifyReport) -> Result<Option<Checkpoint>> {
    match Checkpoint::read(&start::checkpoint_path(dir))? {
        Found::Valid(checkpoint) => return Ok(Some(checkpoint)),
        Found::Damaged(reason) => report.problems.push(reason),
        Found::None => report.problems.push("there is no checkpoint".into()),
    }
    Ok(None)
}

fn check_journal(segments: &Segments, checkpoint: Option<&Checkpoint>, report: &mut VerifyReport) -> bool {
    let Some(first) = segments.segments.first() else { return false };
    let begin = start::start_of(first.header.segment);
    let replayed =
        journal::replay(&segments.segments, begin, first.header.first_position, &mut |_, _| Ok(()));
    match replayed {
        Err(error) => {
            report.problems.push(error.to_string());
            return false;
        }
        Ok(replayed) => {
            report.journal_groups = replayed.groups;
            report.position = Position(replayed.next_position - 1);
            if let Err(error) = start::check_end(&replayed, checkpoint) {
                report.problems.push(error.to_string());
                return false;
            }
            if replayed.torn_bytes > 0 {
                report.notes.push(format!(
                    "the journal ends with {} bytes of an append that never finished; the next start cuts them off",
                    replayed.torn_bytes
                ));
            }
        }
    }
    true
}

fn check_snapshots(dir: &Path, segments: &Segments, report: &mut VerifyReport) -> Result<()> {
    let Some(first) = segments.segments.first().map(|segment| segment.header) else { return Ok(()) };
    let mut reaches_back = first.first_position == 1;
    for path in snapshot::paths(dir)? {
        match snapshot::read(&path, first.epoch, &mut |_, _| Ok(())) {
            Ok(trailer) => reaches_back |= trailer.place.segment >= first.segment,
            Err(error) => report.problems.push(error.to_string()),
        }
    }
    if !reaches_back {
        let position = first.first_position;
        report
            .problems
            .push(format!("the journal begins with position {position}, and no snapshot leads up to it"));
    }
    Ok(())
}

fn check_sled(
    dir: &Path,
    segments: &Segments,
    checkpoint: Option<&Checkpoint>,
    report: &mut VerifyReport,
) -> Result<()> {
    let mut ignored = StartReport::default();
    let folder = Folder { dir, config: &Config::default(), files: &Files::default() };
    let base = match start::existing(folder, checkpoint, &mut ignored)? {
        Ok(base) => base,
        Err(reason) => {
            report.problems.push(format!("sled: {reason}"));
            return Ok(());
        }
    };
    let found = start::replay_into(&base, segments, checkpoint)
        .and_then(|(_, expected)| Ok((expected, start::count(&base.state)?)));
    match found {
        Ok((expected, found)) => report.compare(&expected, found),
        Err(error) => report.problems.push(format!("sled: {error}")),
    }
    Ok(())
}
