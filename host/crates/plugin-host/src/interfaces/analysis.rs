//! `analysis`: a plugin answers questions about a whole population.

use trellis_model::Text;

use super::bindings::exports::trellis::plugin::analysis as wit;
use super::row_streams::RowStream;
use crate::answers::CallContext;
use crate::call::Call;
use crate::manifest::ConfigSchema;
use crate::report::Report;
use crate::{CallStats, CancelFlag, LimitClass, LogLine, Plugin, Result, check, convert};

/// The interface of a plugin that answers questions. Its functions block, and need 1 MiB of stack.
#[derive(Debug, Clone, Copy)]
pub struct Analysis<'a> {
    plugin: &'a Plugin,
}

/// A question that a plugin answers.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisDescription {
    /// Its name within the plugin, `[a-z][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// What it answers and how.
    pub description: Text,
    /// The dataset of the manifest that it looks at; `None` where it needs no rows.
    pub dataset: Option<String>,
    /// What has to be said with the question.
    pub parameters: ConfigSchema,
    /// Facts that later versions add.
    pub extra: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysed {
    /// What the plugin has to say.
    pub report: Report,
    /// What it wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

impl<'a> Analysis<'a> {
    pub(crate) fn of(plugin: &'a Plugin) -> Self {
        Self { plugin }
    }

    /// Names the questions under a configuration.
    ///
    /// # Errors
    /// What the plugin says against the configuration, or a fault of the plugin.
    pub fn describe(&self, config: &str) -> Result<Vec<AnalysisDescription>> {
        let call = Call::new("describe", LimitClass::Call);
        let manifest = self.plugin.manifest();
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_describe(store, config),
            |descriptions| {
                let described = descriptions.into_iter().map(description);
                let described = described.collect::<std::result::Result<Vec<_>, String>>()?;
                check::analysis::descriptions(&described, manifest)?;
                Ok(described)
            },
        )?;
        Ok(done.value)
    }

    /// Answers the question called `name`. `parameters` is JSON that satisfies its schema. Runs the plugin on a thread of its own while
    /// this one serves the rows.
    ///
    /// # Errors
    /// What the plugin says against parameters or data, a fault of the plugin, a failure of `rows`, or that `cancel` was set.
    pub fn analyse(
        &self,
        name: &str,
        rows: &mut dyn RowStream,
        parameters: &str,
        config: &str,
        at: &CallContext,
        cancel: &CancelFlag,
    ) -> Result<Analysed> {
        let call = Call::new("analyse", LimitClass::Training).at(at).rows(rows.rows()).cancel(cancel);
        let context = convert::context(at);
        let done = self.plugin.ask_with_rows::<wit::GuestIndices, _, _>(
            &call,
            rows,
            |guest, store, rows| guest.call_analyse(store, name, rows, parameters, config, &context),
            |report| Ok(check::reports::report(convert::report(report))?),
        )?;
        Ok(Analysed { report: done.value, logs: done.logs, stats: done.stats })
    }
}

fn description(description: wit::AnalysisDescription) -> std::result::Result<AnalysisDescription, String> {
    let parameters = check::analysis::parameters(&description.name, &description.parameters)?;
    Ok(AnalysisDescription {
        name: description.name,
        label: convert::text(description.label),
        description: convert::text(description.description),
        dataset: description.dataset,
        parameters,
        extra: description.extra,
    })
}
