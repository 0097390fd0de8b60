//! The job that writes records into a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::{ObjectName, RecordId, Scope};
use trellis_records::Caller;
use trellis_transfer::export::{self, ExportSpec};

use crate::core::Core;
use crate::jobs::{Request, Running};
use crate::{Engine, Error, Job, JobKind, JobState, Result};

/// What somebody wants to have exported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// Of which object.
    pub object: String,
    /// Which records, and how they are written.
    pub spec: ExportSpec,
}

/// Makes the folder of exports.
pub(crate) fn folder(dir: PathBuf) -> Result<PathBuf> {
    match std::fs::create_dir_all(&dir) {
        Ok(()) => Ok(dir),
        Err(source) => Err(Error::File { doing: "creating the folder", path: dir, source }),
    }
}

/// Removes files of exports that were written before a time.
pub(crate) fn remove_old(core: &Core, before_ms: i64) {
    let Ok(entries) = std::fs::read_dir(&core.exports) else { return };
    for entry in entries.flatten() {
        let written = entry.metadata().and_then(|data| data.modified()).ok();
        let written = written.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let is_old = written.is_some_and(|time| i128::from(before_ms) > time.as_millis() as i128);
        if is_old && let Err(error) = std::fs::remove_file(entry.path()) {
            tracing::warn!("an old export cannot be removed: {error}");
        }
    }
}

fn path(core: &Core, job: RecordId, spec: &ExportSpec) -> PathBuf {
    core.exports.join(format!("{job}.{}", spec.format.extension()))
}

/// Writes the file.
pub(crate) fn run(core: &Core, job: &Running<'_>, what: &str) -> Result<Json> {
    let damaged = |reason: String| Error::Damaged { what: format!("request of job {}: {reason}", job.id()) };
    let request: ExportRequest = serde_json::from_str(what).map_err(|error| damaged(error.to_string()))?;
    let object = ObjectName::new(&request.object).map_err(|error| damaged(error.to_string()))?;
    let (spec, file) = (&request.spec, path(core, job.id(), &request.spec));
    let progress = |rows| job.progress(rows, None, "rows");
    let exporting =
        export::run(&core.records, job.caller(), &object, spec, &file, &progress, job.cancel_flag());
    let report = match job.wait(exporting) {
        Err(export::Error::Cancelled) => return Err(Error::Cancelled),
        other => other?,
    };
    let bytes = std::fs::metadata(&file).map_or(0, |data| data.len());
    Ok(json!({
        "rows": report.rows,
        "columns": report.columns,
        "bytes": bytes,
        "file_name": format!("{}.{}", request.object, spec.format.extension()),
        "media_type": spec.format.media_type(),
    }))
}

impl Engine {
    /// Writes records into a file, as a job: those that the caller may see, with the fields that it may read.
    ///
    /// # Errors
    /// [`Error::Export`] for a column or filter that cannot be, [`Error::QueueFull`].
    pub async fn export_start(&self, caller: &Caller, request: ExportRequest) -> Result<Job> {
        let unknown = || trellis_records::Error::UnknownObject { name: request.object.clone() };
        let object = ObjectName::new(&request.object).map_err(|_| unknown())?;
        export::check(&self.core.records, caller, &object, &request.spec).await?;
        let what = serde_json::to_string(&request).map_err(|error| Error::Internal {
            doing: "writing a request down",
            reason: error.to_string(),
        })?;
        let unlimited = caller.scope == Scope::everything();
        let request = Request::Export { object: request.object, what, unlimited };
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// The file that a job has made, with its name and media type. Whoever may see the job may have it.
    ///
    /// # Errors
    /// [`Error::UnknownJob`] where the job has made none, or it is kept no longer.
    pub async fn job_file(&self, job: &Job) -> Result<(PathBuf, String, String)> {
        let unknown = || Error::UnknownJob { id: job.id };
        if (job.kind, job.state) != (JobKind::Export, JobState::Succeeded) {
            return Err(unknown());
        }
        let text = |name: &str| job.result.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let file_name = text("file_name");
        let extension = Path::new(&file_name).extension().and_then(|end| end.to_str()).unwrap_or_default();
        let file = Arc::clone(&self.core).exports.join(format!("{}.{extension}", job.id));
        if file.is_file() { Ok((file, file_name, text("media_type"))) } else { Err(unknown()) }
    }
}
