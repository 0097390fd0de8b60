//! The jobs about prepared imports.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::RecordId;
use trellis_transfer::import::{self as transfer, Control, Done, ImportReport, Input, Progress};

use super::ImportSession;
use super::files::{Errors, ErrorsWriter};
use crate::core::Core;
use crate::jobs::{Notes, Running};
use crate::{Error, Result, import};

/// Loads a prepared import, or says what loading it would do.
pub(crate) fn run(core: &Core, job: &Running<'_>, id: RecordId, rehearse: bool) -> Result<Json> {
    let session = core.imports.read(id)?;
    let mapping = session
        .mapping
        .as_ref()
        .ok_or_else(|| Error::Damaged { what: format!("import {id} was started without a mapping") })?;
    let file = core.imports.upload(id);
    let input = Input {
        file: Path::new(&file).into(),
        mapping: Arc::new(core.mapping(mapping, &session.profile)?),
        edits: Arc::new(session.edits.clone()),
        limits: core.config.import,
    };
    let report =
        if rehearse { check(core, job, &session, &input)? } else { load(core, job, &session, &input)? };
    let mut result = import::result(&report);
    if let Some(members) = result.as_object_mut() {
        members.insert("import".to_owned(), Json::String(id.to_string()));
    }
    if rehearse {
        let _changing = job.wait(core.imports.changing.lock());
        let mut session = core.imports.read(id)?;
        session.checked = result.clone();
        session.unchecked.clear();
        core.imports.write(&session)?;
    }
    Ok(result)
}

fn load(core: &Core, job: &Running<'_>, session: &ImportSession, input: &Input) -> Result<ImportReport> {
    let through = job.wait(import::resume(core, Notes(job.id())))?.through();
    let errors = core.imports.errors_writer(session.id.into(), Errors::Loaded, through)?;
    let silent = import::silent(job.caller());
    let caller = if session.automations { job.caller() } else { &silent };
    import::load(core, job, input, caller, &|found| keep(core, &errors, found))
}

fn check(core: &Core, job: &Running<'_>, session: &ImportSession, input: &Input) -> Result<ImportReport> {
    let errors = core.imports.errors_writer(session.id.into(), Errors::Checked, 0)?;
    let progress =
        |progress: Progress| job.progress(progress.done, progress.total, import::unit(progress.phase));
    let failures = |found: &[transfer::RowError]| keep(core, &errors, found);
    let control = Control {
        progress: &progress,
        cancel: job.cancel_flag(),
        failures: &failures,
        checkpoints: None,
        done: Done::default(),
    };
    let caller = import::silent(job.caller());
    let report = job.wait(transfer::rehearse(&core.records, &caller, input, &control))?;
    if report.cancelled { Err(Error::Cancelled) } else { Ok(report) }
}

fn keep(core: &Core, errors: &ErrorsWriter, found: &[transfer::RowError]) {
    errors.add(found, core.config.import_errors_kept_max);
}
