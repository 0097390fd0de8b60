//! The tests that a plugin carries, run on this host before it is used.

use std::sync::Arc;

use trellis_plugin_host::Plugin;
use trellis_plugin_kit::golden::{self, CaseReport, Outcome, Report};

use crate::{Error, Result, blocking::blocking, core::Core};

/// What the report calls tests that cannot be read at all.
const ALL: &str = "tests";

/// Runs what a plugin carries. Tests that cannot be read have failed.
pub(super) async fn run(core: &Core, plugin: &Arc<Plugin>) -> Result<Report> {
    let (plugin, limits) = (Arc::clone(plugin), core.config.golden);
    blocking("running the tests of the plugin", move || {
        golden::run_carried(&plugin, &limits).unwrap_or_else(|error| Report {
            cases: vec![CaseReport {
                name: ALL.to_owned(),
                title: String::new(),
                outcome: Outcome::Unusable(error.text()),
            }],
        })
    })
    .await
}

/// Refuses a plugin whose tests fail.
///
/// # Errors
/// [`Error::SelfTestsFailed`].
pub(super) async fn check(core: &Core, plugin: &Arc<Plugin>) -> Result<()> {
    let report = run(core, plugin).await?;
    let failed = report.cases.iter().filter(|case| case.outcome != Outcome::Passed);
    let failed: Vec<_> = failed.collect();
    let Some(first) = failed.first() else { return Ok(()) };
    let why = first.outcome.texts().into_iter().next().map(|text| text.en).unwrap_or_default();
    Err(Error::SelfTestsFailed {
        plugin: plugin.id().clone(),
        version: plugin.version().to_string(),
        failed: failed.len(),
        tests: report.cases.len(),
        first: format!("`{}`: {why}", first.name),
    })
}
