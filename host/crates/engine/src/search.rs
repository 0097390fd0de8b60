//! Building the index of full-text search anew.

use serde_json::{Value as Json, json};

use crate::core::Core;
use crate::jobs::Running;
use crate::{Error, Result};

pub(crate) fn rebuild(core: &Core, job: &Running<'_>) -> Result<Json> {
    let search = core.records.text_search()?;
    let progress = |done| {
        job.progress(done, None, "records");
        job.check().is_ok()
    };
    match job.wait(search.rebuild(&progress))? {
        Some(records) => Ok(json!({ "records": records })),
        None => Err(Error::Cancelled),
    }
}
