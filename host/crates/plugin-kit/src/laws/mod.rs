//! Laws that every plugin has to keep to, tried on data that is made up from its manifest and its golden cases.
//!
//! A run with the same seed tries the same data. What breaks a law is cut down to the fewest rows that still break it.

mod data;
mod functions;
mod random;
mod report;
mod reports;
mod scalar;
mod subject;
mod trial;
mod types;

use std::sync::Arc;

use trellis_model::{Lookups, Text, bilingual};
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_host::{Manifest, Plugin};

use crate::calls::Caller;
use crate::golden::{Answers, Cases, default_context};

pub use report::{Broken, Law, LawOutcome, LawReport};
pub use types::FieldTypes;

pub(crate) use data::{Data, Flavour};
pub(crate) use random::Random;

use trial::Trial;

/// How laws are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Decides the data.
    pub seed: u64,
    /// How often each law is tried on new data.
    pub rounds: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, rounds: 5 }
    }
}

/// Tries every law on every function that the plugin provides. Takes some hundred calls a function. Blocks, and needs 1 MiB of stack.
pub fn check(plugin: &Plugin, cases: &Cases, types: &FieldTypes, options: &Options) -> Vec<LawReport> {
    let manifest = plugin.manifest();
    let at = cases.usable().next().map_or_else(default_context, |case| case.at.clone());
    let lookups: Arc<dyn Lookups> = Arc::new(Answers::default());
    let mut reports = Vec::new();
    for interface in manifest.provides.iter().copied() {
        let config = match config_of(manifest, cases, interface) {
            Ok(config) => config,
            Err(why) => {
                reports.extend(trial::skipped(interface, &why));
                continue;
            }
        };
        let data = Data::new(manifest, &config, cases, types, &at);
        let datasets = data.as_ref().map(|data| data.datasets(options.seed)).unwrap_or_default();
        let caller = Caller { plugin, config: &config, at: &at, lookups: &lookups, datasets: &datasets };
        match &data {
            Ok(data) => reports.extend(Trial { caller, data, cases, options }.of(interface)),
            Err(column) => reports.extend(trial::skipped(interface, &unknown_type(column))),
        }
    }
    reports
}

/// The configuration to try an interface with: that of the author's first case of it, else what the schema has as defaults.
pub(crate) fn config_of(manifest: &Manifest, cases: &Cases, interface: Interface) -> Result<String, Text> {
    let expects_answer = |expect: &serde_json::Value| expect.get("error").is_none();
    let mut of_interface =
        cases.usable().filter(|case| case.function.interface == interface && expects_answer(&case.expect));
    if let Some(case) = of_interface.next() {
        return Ok(case.config.clone());
    }
    let config = manifest.default_config();
    manifest.validate_config(&config).map(|()| config.to_string()).map_err(|problems| {
        let problem = problems.first().map(ToString::to_string).unwrap_or_default();
        bilingual!(
            "write a golden case with a configuration, the defaults are not enough: {problem}",
            "请编写带配置的标准用例，默认配置不完整：{problem}"
        )
    })
}

pub(crate) fn unknown_type(column: &str) -> Text {
    bilingual!(
        "the type of column `{column}` is not known here: write a golden case that has it",
        "此处无法得知列 `{column}` 的类型：请编写包含该列的标准用例"
    )
}
