use std::fs;
use std::path::{Path, PathBuf};

use trellis_storage::Result;

use super::source::Source;
use super::{Base, Folder, count, open_state, rebuilding_path, refusal, sled_dir};
use crate::files::{damaged, io_error, list, sync_dir};
use crate::report::{StartReport, VerifyReport};
use crate::state::State;
use crate::sums::Sums;

/// Builds sled anew from `source`. What was there is kept aside.
pub(super) fn build(folder: Folder<'_>, source: Source, report: &mut StartReport) -> Result<Base> {
    let dir = folder.dir;
    let sled = sled_dir(dir);
    if rebuilding_path(dir).exists() {
        remove_dir(&sled)?;
    } else {
        report.damaged_kept = move_aside(dir, &sled)?;
        folder.files.replace(&rebuilding_path(dir), b"being built")?;
    }
    let state = open_state(folder, report).map_err(|fault| refusal(&sled, fault))?;
    report.rebuilt_from_snapshot = source.snapshot().map(Path::to_owned);
    source.load(state)
}

pub(super) fn remove_dir(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    fs::remove_dir_all(dir).map_err(io_error(|| format!("cannot delete `{}`", dir.display())))
}

/// Renames the sled folder to `sled.damaged-<n>`. Only the last one is kept: a company has one disk.
fn move_aside(dir: &Path, sled: &Path) -> Result<Option<PathBuf>> {
    if !sled.exists() {
        return Ok(None);
    }
    let mut number = 0;
    for former in list(dir, |name| name.starts_with("sled.damaged-"))? {
        let name = former.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        number = number.max(name.trim_start_matches("sled.damaged-").parse().unwrap_or(0));
        remove_dir(&former)?;
    }
    let aside = dir.join(format!("sled.damaged-{}", number + 1));
    fs::rename(sled, &aside).map_err(io_error(|| format!("cannot rename `{}`", sled.display())))?;
    sync_dir(dir)?;
    Ok(Some(aside))
}

/// Counts every row of what was built: nothing else has looked at sled's answers so far.
pub(super) fn check_built(state: &State, expected: &Sums) -> Result<()> {
    let mut check = VerifyReport::default();
    check.compare(expected, count(state)?);
    if check.is_good() {
        return Ok(());
    }
    Err(damaged(format!(
        "what was built from snapshot and journal is not what it should be: {}",
        check.problems.join("; ")
    )))
}
