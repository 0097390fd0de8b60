//! Running golden cases.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_model::{Lookups, Text, bilingual};
use trellis_plugin_host::{Error as HostError, Plugin, PluginError};

use super::compare::{differences, shown};
use super::{Case, CaseReport, Cases, Difference, Outcome, Report};
use crate::Result;
use crate::calls::Caller;

/// What running golden cases may cost. Each single call has the limits of its class besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Cases of one plugin (default 500); a plugin with more fails them.
    pub cases_max: usize,
    /// Time of all cases together, in milliseconds (default 30,000); looked at between cases. What is not run by then has failed.
    pub time_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cases_max: 500, time_ms_max: 30_000 }
    }
}

/// Runs the golden cases that a plugin carries; the report is empty where it carries none. Blocks, and needs 1 MiB of stack.
///
/// # Errors
/// That what it carries are no cases, or too many.
pub fn run_carried(plugin: &Plugin, limits: &Limits) -> Result<Report> {
    let Some(text) = &plugin.inspection().carried.tests else { return Ok(Report::default()) };
    let cases = Cases::parse(text, plugin.manifest(), limits.cases_max)?;
    Ok(run(plugin, &cases, limits))
}

/// Runs golden cases.
pub fn run(plugin: &Plugin, cases: &Cases, limits: &Limits) -> Report {
    let (began, time_max) = (Instant::now(), Duration::from_millis(limits.time_ms_max));
    let report = |(name, case): &(String, Result<Case>)| {
        let outcome = match case {
            Err(error) => Outcome::Unusable(error.text()),
            Ok(_) if began.elapsed() >= time_max => Outcome::NotRun,
            Ok(case) => case.run(plugin),
        };
        let title = case.as_ref().map_or(String::new(), |case| case.title.clone());
        CaseReport { name: name.clone(), title, outcome }
    };
    Report { cases: cases.cases.iter().map(report).collect() }
}

impl Case {
    /// Makes the call and compares its answer.
    fn run(&self, plugin: &Plugin) -> Outcome {
        let lookups: Arc<dyn Lookups> = Arc::new(self.answers.clone());
        let caller = Caller {
            plugin,
            config: &self.config,
            at: &self.at,
            lookups: &lookups,
            datasets: &self.datasets,
        };
        let answer = caller.call(self.function, &self.input);
        let expected_error = self.expect.as_object().and_then(|expect| expect.get("error"));
        let found = match (answer, expected_error) {
            (Ok(answer), None) => answer,
            (Ok(answer), Some(error)) => {
                return Outcome::Differs(vec![Difference {
                    place: String::new(),
                    expected: format!("the error {}", shown(error)),
                    found: format!("the answer {}", shown(&answer)),
                }]);
            }
            (Err(HostError::Plugin { error, .. }), Some(_)) => json!({ "error": said(&error) }),
            (Err(error), _) => return Outcome::Failed(failure(&error)),
        };
        let differences = differences(&self.expect, &found, self.tolerance);
        if differences.is_empty() { Outcome::Passed } else { Outcome::Differs(differences) }
    }
}

/// What a plugin says when it has no answer.
fn said(error: &PluginError) -> Json {
    let (kind, text) = match error {
        PluginError::InvalidConfig(text) => ("invalid-config", text),
        PluginError::InvalidParameters(text) => ("invalid-parameters", text),
        PluginError::UnsuitableData(text) => ("unsuitable-data", text),
        PluginError::UnreadableModel(text) => ("unreadable-model", text),
        PluginError::Denied(text) => ("denied", text),
        PluginError::Transient(text) => ("transient", text),
        PluginError::Other { code, text } => (code.as_str(), text),
    };
    json!({ "kind": kind, "text": text.en, "zh-CN": text.zh_cn })
}

/// Why a call has no answer, with what the plugin wrote.
pub(crate) fn failure(error: &HostError) -> Text {
    let mut message = error.to_string();
    if let HostError::Fault(fault) = error {
        for line in fault.logs.iter().rev().take(3).rev() {
            message = format!("{message}\n    log: {}", line.message);
        }
    }
    bilingual!("the call failed: {message}", "调用失败：{message}")
}
