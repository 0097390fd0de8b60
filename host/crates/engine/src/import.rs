//! The job that loads a spooled file of records.

use std::path::Path;

use serde_json::Value as Json;
use trellis_model::ObjectName;
use trellis_records::Schema;

use crate::{Error, Result, core::Core, jobs::Running};

/// Loads the file; called again for the same job where a stop of the server interrupted it.
pub(crate) fn run(core: &Core, job: &Running<'_>, object: &str, mapping: Option<&str>, file: &Path) -> Result<Json> {
    let _ = (core, job, object, mapping, file);
    Err(Error::InvalidRequest { reason: "imports are not connected yet".to_owned() })
}

/// Checks what can be checked before the job starts.
pub(crate) fn check(schema: &Schema, object: &ObjectName, mapping: Option<&str>) -> Result<()> {
    let _ = mapping;
    match schema.object(object.as_str()) {
        Some(_) => Ok(()),
        None => Err(trellis_records::Error::UnknownObject { name: object.to_string() }.into()),
    }
}

/// The name of a file within the spool folder.
pub(crate) fn spooled_name(spool_dir: &Path, file: &Path) -> Result<String> {
    let name = file.file_name().and_then(|name| name.to_str()).filter(|_| file.parent() == Some(spool_dir));
    let elsewhere = || Error::InvalidRequest { reason: format!("file `{}` is not in the spool folder", file.display()) };
    name.map(str::to_owned).ok_or_else(elsewhere)
}

/// Removes the files of the spool folder that no job needs.
pub(crate) fn remove_orphans(spool_dir: &Path, is_needed: impl Fn(&str) -> bool) -> Result<()> {
    let unreadable = |source| Error::File { doing: "reading the folder", path: spool_dir.to_owned(), source };
    for entry in std::fs::read_dir(spool_dir).map_err(unreadable)?.flatten() {
        if !entry.file_name().to_str().is_some_and(&is_needed) {
            remove_spooled(&entry.path());
        }
    }
    Ok(())
}

/// Removes a spooled file that nobody needs any more.
pub(crate) fn remove_spooled(file: &Path) {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!("spooled file `{}` cannot be removed: {error}", file.display());
        }
        _ => {}
    }
}
