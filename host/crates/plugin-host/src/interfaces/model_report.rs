//! `model-report`: a plugin shows what it learned.

use super::bindings::exports::trellis::plugin::model_report as wit;
use crate::call::Call;
use crate::manifest::Interface;
use crate::report::Report;
use crate::{LimitClass, Plugin, Result, check, convert};

/// The interface of a plugin that shows models. Its functions block, and need 1 MiB of stack.
#[derive(Debug, Clone, Copy)]
pub struct ModelReport<'a> {
    plugin: &'a Plugin,
}

/// Which function learned a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LearnedBy {
    /// `segmentation.fit`.
    Segmentation,
    /// `scoring.fit`.
    Scoring,
}

impl LearnedBy {
    /// The name of its interface in WIT.
    pub fn name(self) -> &'static str {
        match self {
            Self::Segmentation => Interface::Segmentation.name(),
            Self::Scoring => Interface::Scoring.name(),
        }
    }

    /// The function of an interface that learns.
    pub fn named(interface: &str) -> Option<Self> {
        [Self::Segmentation, Self::Scoring].into_iter().find(|by| by.name() == interface)
    }
}

impl<'a> ModelReport<'a> {
    pub(crate) fn of(plugin: &'a Plugin) -> Self {
        Self { plugin }
    }

    /// Shows a model. Has the limits of learning: what could be learned can be shown, however large it is. Its faults count for this function alone.
    ///
    /// # Errors
    /// What the plugin says against the model, or a fault of the plugin, for example a report over the bounds of `wit/reports.wit`.
    pub fn describe_model(&self, learned_by: LearnedBy, model: &[u8]) -> Result<Report> {
        let call = Call::new("describe-model", LimitClass::Training);
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_describe_model(store, learned_by.name(), model),
            |report| Ok(check::reports::report(convert::report(report))?),
        )?;
        Ok(done.value)
    }
}
