//! The job that loads a spooled file of records.

use std::path::Path;

use serde_json::{Value as Json, json};
use trellis_model::{Cause, ObjectName};
use trellis_records::{Caller, Schema};
use trellis_transfer::import::{
    self, Checkpoints, Control, Done, ImportReport, Input, Mapping, MappingSpec, Phase, Progress, RowError,
};

use crate::jobs::Notes;
use crate::{Error, Result, core::Core, jobs::Running};

/// Loads the file; called again for the same job where a stop of the server interrupted it.
pub(crate) fn run(
    core: &Core,
    job: &Running<'_>,
    object: &str,
    mapping: Option<&str>,
    file: &Path,
) -> Result<Json> {
    let mapping = mapping_of(core, &core.records.schema(), object, mapping, file)?;
    let report =
        load(core, job, &Input::new(file, mapping, core.config.import), &silent(job.caller()), &|_| {})?;
    Ok(result(&report))
}

/// Loads rows from where an earlier attempt stopped.
pub(crate) fn load(
    core: &Core,
    job: &Running<'_>,
    input: &Input,
    caller: &Caller,
    failures: &(dyn Fn(&[RowError]) + Send + Sync),
) -> Result<ImportReport> {
    let done = job.wait(resume(core, Notes(job.id())))?;
    let notes = JobNotes(Notes(job.id()));
    let progress = |progress: Progress| job.progress(progress.done, progress.total, unit(progress.phase));
    let control =
        Control { progress: &progress, cancel: job.cancel_flag(), failures, checkpoints: Some(&notes), done };
    let report = job.wait(import::run(&core.records, caller, input, &control))?;
    if report.cancelled { Err(Error::Cancelled) } else { Ok(report) }
}

/// What an earlier attempt of a job has done; said in one note before the job goes on.
pub(crate) async fn resume(core: &Core, notes: Notes) -> Result<Done> {
    let store = core.records.store();
    let said = notes.all(store.as_ref()).await?;
    let done = Done::of(said.iter().map(Vec::as_slice));
    if !said.is_empty() {
        let set = notes.only(store.as_ref(), Done::slot(), done.note()).await?;
        core.records.commit(set, None).await?;
    }
    Ok(done)
}

/// The notes of an import are those of its job.
struct JobNotes(Notes);

impl Checkpoints for JobNotes {
    fn put(&self, slot: u32, note: Vec<u8>) -> Vec<(Vec<u8>, Vec<u8>)> {
        vec![(self.0.key(slot), note)]
    }
}

/// What is loaded is history: nobody wants a task or a message for each of its rows. Rules that look before a save look all the same, and
/// features, segments and scores follow.
pub(crate) fn silent(caller: &Caller) -> Caller {
    Caller { cause: Cause { automations_off: true, ..caller.cause.clone() }, ..caller.clone() }
}

fn mapping_of(
    core: &Core,
    schema: &Schema,
    object: &str,
    mapping: Option<&str>,
    file: &Path,
) -> Result<Mapping> {
    let limits = &core.config.import;
    let Some(toml) = mapping else {
        let header = import::read_header_with(file, &import::ReadOptions::default(), limits)?;
        return Ok(Mapping::identity(&object_name(object)?, &header, schema)?);
    };
    let spec = MappingSpec::parse(toml, limits)?;
    let mapping = Mapping::new(&spec, schema, limits, &core.transforms)?;
    mapping.check_header(&import::read_header_with(file, mapping.read_options(), limits)?)?;
    Ok(mapping)
}

/// Checks the object, the mapping and the header of the file, so that a wrong one is refused before there is a job. Blocks.
pub(crate) fn check(
    core: &Core,
    schema: &Schema,
    object: &str,
    mapping: Option<&str>,
    file: &Path,
) -> Result<()> {
    let object = object_name(object)?;
    if schema.object(object.as_str()).is_none() {
        return Err(trellis_records::Error::UnknownObject { name: object.to_string() }.into());
    }
    let mapping = mapping_of(core, schema, object.as_str(), mapping, file)?;
    if *mapping.object() != object {
        let reason = format!("the mapping is for object `{}`, the import for `{object}`", mapping.object());
        return Err(Error::InvalidRequest { reason });
    }
    Ok(())
}

fn object_name(object: &str) -> Result<ObjectName> {
    ObjectName::new(object)
        .map_err(|_| trellis_records::Error::UnknownObject { name: object.to_owned() }.into())
}

pub(crate) fn unit(phase: Phase) -> &'static str {
    match phase {
        Phase::Reading => "rows-checked",
        Phase::References => "references",
        Phase::Rows => "rows",
    }
}

pub(crate) fn result(report: &ImportReport) -> Json {
    json!({
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "created_references": report.created_references,
        "dropped": report.dropped.iter().map(|dropped| dropped.rows).sum::<u64>(),
        "dropped_by_reason": report.dropped.iter().map(|dropped| json!({
            "rows": dropped.rows,
            "reason": { "en": dropped.reason.en, "zh-CN": dropped.reason.zh_cn },
        })).collect::<Vec<_>>(),
        "errors_found": report.errors_found,
        "errors": report.errors.iter().map(row_error).collect::<Vec<_>>(),
    })
}

/// Whoever shows the job picks the language of the message.
pub(crate) fn row_error(error: &RowError) -> Json {
    let message = json!({ "en": error.message.en, "zh-CN": error.message.zh_cn });
    json!({ "line": error.line, "row": error.row, "column": error.column, "code": error.code, "message": message })
}

/// The name of a file within the spool folder.
pub(crate) fn spooled_name(spool_dir: &Path, file: &Path) -> Result<String> {
    let name = file.file_name().and_then(|name| name.to_str()).filter(|_| file.parent() == Some(spool_dir));
    let elsewhere =
        || Error::InvalidRequest { reason: format!("file `{}` is not in the spool folder", file.display()) };
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
