//! What every plugin of this repository owes, in whatever language: golden cases that pass, laws that hold, nothing forgotten.

use std::sync::Arc;

use trellis_plugin_host::Plugin;
use trellis_plugin_kit::golden::{Cases, Limits, Outcome, run_carried};
use trellis_plugin_kit::laws::{FieldTypes, LawOutcome, Options};
use trellis_plugin_kit::{check, laws};

use crate::laws::types;
use crate::support::{plugin, plugin_if_built};

/// Everything that `trellis plugin check` and `trellis plugin test` look at.
#[track_caller]
fn owes(plugin: &Arc<Plugin>, cases_min: usize) {
    let id = plugin.id();
    let text = plugin.inspection().carried.tests.as_deref().unwrap_or(r#"{"cases": []}"#);
    let cases = Cases::parse(text, plugin.manifest(), Limits::default().cases_max).unwrap();
    assert!(cases.len() >= cases_min, "{id} carries {} golden cases, at least {cases_min}", cases.len());
    let warnings: Vec<_> = check::warnings(plugin, &cases).into_iter().map(|warning| warning.en).collect();
    assert!(warnings.is_empty(), "{id}: {warnings:#?}");
    let report = run_carried(plugin, &Limits { time_ms_max: u64::MAX, ..Limits::default() }).unwrap();
    let failed: Vec<_> = report.cases.iter().filter(|case| case.outcome != Outcome::Passed).collect();
    assert!(failed.is_empty(), "{id}: {failed:#?}");
    keeps_the_laws(plugin, &cases, &types());
}

#[track_caller]
fn keeps_the_laws(plugin: &Plugin, cases: &Cases, types: &FieldTypes) {
    let reports = laws::check(plugin, cases, types, &Options { seed: 7, rounds: 2 });
    let broken: Vec<_> = reports.iter().filter(|report| !report.passed()).collect();
    assert!(broken.is_empty(), "{}: {broken:#?}", plugin.id());
    let skipped: Vec<_> =
        reports.iter().filter(|report| matches!(report.outcome, LawOutcome::Skipped(_))).collect();
    assert!(skipped.is_empty() && !reports.is_empty(), "{}: {skipped:#?}", plugin.id());
}

/// A plugin in a language whose tools are not everywhere; nothing is asked where they were not there to build it.
#[track_caller]
fn owes_if_built(name: &str, cases_min: usize) {
    if let Some(plugin) = plugin_if_built(name) {
        owes(&plugin, cases_min);
    }
}

#[test]
fn retail_rfm_owes_nothing() {
    owes(&plugin("retail-rfm"), 8);
}

#[test]
fn value_pyramid_owes_nothing() {
    owes(&plugin("value-pyramid"), 9);
}

#[test]
fn win_back_owes_nothing() {
    owes(&plugin("win-back"), 8);
}

#[test]
fn complaint_desk_owes_nothing() {
    owes(&plugin("complaint-desk"), 10);
}

#[test]
fn b2b_gate_owes_nothing() {
    owes(&plugin("b2b-gate"), 7);
}

#[test]
fn the_examples_in_other_languages_owe_nothing() {
    owes_if_built("js-engagement", 4);
    owes_if_built("python-engagement", 4);
}

#[test]
fn the_other_interfaces_can_be_kept_in_javascript() {
    owes_if_built("desk-js", 10);
}

#[test]
fn the_other_interfaces_can_be_kept_in_python() {
    owes_if_built("desk-python", 10);
}
