//! `service-workflow`: a plugin guides the work on cases, or on another object that its manifest names.

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{Action, FieldName, Lookups, NamedRecord, Reason, Text, Value};

use super::bindings::exports::trellis::plugin::service_workflow as wit;
use crate::answers::CallContext;
use crate::call::Call;
use crate::manifest::ServiceWorkflowUse;
use crate::run::{Done, Rejection};
use crate::{CallStats, LimitClass, LogLine, Plugin, Result, check, convert};

/// The interface for work on cases of a plugin. Its functions block, and need 1 MiB of stack. The plugin gets of each record the fields that
/// its manifest declares.
#[derive(Debug, Clone, Copy)]
pub struct ServiceWorkflow<'a> {
    plugin: &'a Plugin,
    used: &'a ServiceWorkflowUse,
}

/// A record that is worked on, with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkItem {
    /// The record.
    pub item: NamedRecord,
    /// The customer that its field `account` points at.
    pub account: Option<NamedRecord>,
}

/// What happened with a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Occurrence {
    /// It was changed: the fields that are other than before, as they were.
    Changed(BTreeMap<FieldName, Option<Value>>),
    /// A timer that the plugin started has run out: its name.
    Timer(String),
}

/// What is to happen, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// What is to happen, in this order.
    pub actions: Vec<Action>,
    /// Why, at most five, the strongest first.
    pub reasons: Vec<Reason>,
    /// What the plugin wrote.
    pub logs: Vec<LogLine>,
    /// What it used.
    pub stats: CallStats,
}

/// Something that a person may choose to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Its name, `[a-z][a-z0-9_]*`, unique among the suggestions.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// Why it would be right; at most five, the strongest first.
    pub reasons: Vec<Reason>,
    /// What happens when it is chosen.
    pub actions: Vec<Action>,
}

/// Something that is missing before a record can be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// A stable code in kebab-case.
    pub code: String,
    /// The field that has to be filled or changed.
    pub field: Option<FieldName>,
    /// What is to be done.
    pub message: Text,
}

impl<'a> ServiceWorkflow<'a> {
    pub(crate) fn of(plugin: &'a Plugin, used: &'a ServiceWorkflowUse) -> Self {
        Self { plugin, used }
    }

    /// Judges a new record.
    ///
    /// # Errors
    /// What the plugin says against the configuration, a fault of the plugin, or that its look-ups took too long.
    pub fn triage(
        &self,
        item: &WorkItem,
        config: &str,
        at: &CallContext,
        lookups: Arc<dyn Lookups>,
    ) -> Result<Decided> {
        let call = Call::new("triage", LimitClass::Call).at(at).lookups(lookups);
        let (item, context) = (self.shown(item), convert::context(at));
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_triage(store, &item, config, &context),
            |decision| self.decision(decision),
        )?;
        Ok(decided(done))
    }

    /// Reacts to something that happened with a record.
    ///
    /// # Errors
    /// As [`Self::triage`].
    pub fn on_event(
        &self,
        item: &WorkItem,
        occurrence: &Occurrence,
        config: &str,
        at: &CallContext,
        lookups: Arc<dyn Lookups>,
    ) -> Result<Decided> {
        let call = Call::new("on-event", LimitClass::Call).at(at).lookups(lookups);
        let (item, context) = (self.shown(item), convert::context(at));
        let occurrence = match occurrence {
            Occurrence::Changed(fields) => {
                let fields = fields.iter().map(|(name, value)| (name, value.as_ref()));
                wit::Occurrence::Changed(convert::fields_to_guest(fields, &self.used.fields))
            }
            Occurrence::Timer(name) => wit::Occurrence::Timer(name.clone()),
        };
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_on_event(store, &item, &occurrence, config, &context),
            |decision| self.decision(decision),
        )?;
        Ok(decided(done))
    }

    /// Suggests what a person could do now, the best first, at most ten.
    ///
    /// # Errors
    /// As [`Self::triage`].
    pub fn suggest(
        &self,
        item: &WorkItem,
        config: &str,
        at: &CallContext,
        lookups: Arc<dyn Lookups>,
    ) -> Result<Vec<Suggestion>> {
        let call = Call::new("suggest", LimitClass::Call).at(at).lookups(lookups);
        let limits = self.plugin.limits(LimitClass::Call);
        let (item, context) = (self.shown(item), convert::context(at));
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_suggest(store, &item, config, &context),
            |suggestions| {
                let actions = suggestions.iter().map(|suggestion| suggestion.actions.len()).sum();
                check::actions_of_call(actions, limits)?;
                let suggestions =
                    suggestions.into_iter().map(suggestion).collect::<Result<Vec<_>, String>>()?;
                Ok(check::service_workflow::suggestions(suggestions)?)
            },
        )?;
        Ok(done.value)
    }

    /// Says what is missing before the record may be closed; nothing means that it may. Somebody waits, so it has the limits of a record-hook.
    ///
    /// # Errors
    /// As [`Self::triage`].
    pub fn close_check(
        &self,
        item: &WorkItem,
        config: &str,
        at: &CallContext,
        lookups: Arc<dyn Lookups>,
    ) -> Result<Vec<Requirement>> {
        let call = Call::new("close-check", LimitClass::RecordHook).at(at).lookups(lookups);
        let (item, context) = (self.shown(item), convert::context(at));
        let done = self.plugin.ask::<wit::GuestIndices, _, _>(
            &call,
            |guest, store| guest.call_close_check(store, &item, config, &context),
            |requirements| {
                check::service_workflow::requirements_count(requirements.len())?;
                Ok(requirements.into_iter().map(requirement).collect::<Result<_, String>>()?)
            },
        )?;
        Ok(done.value)
    }

    fn shown(&self, item: &WorkItem) -> wit::WorkItem {
        let fields = &self.used.account_fields;
        let account = item.account.as_ref().filter(|_| !fields.is_empty());
        wit::WorkItem {
            item: convert::record_to_guest(&item.item, &self.used.fields),
            account: account.map(|account| convert::record_to_guest(account, fields)),
        }
    }

    fn decision(&self, decision: wit::Decision) -> Result<(Vec<Action>, Vec<Reason>), Rejection> {
        check::actions_of_call(decision.actions.len(), self.plugin.limits(LimitClass::Call))?;
        let reasons = decision.reasons.into_iter().map(convert::reason).collect();
        Ok((convert::actions_from_guest(decision.actions)?, check::reasons(reasons)?))
    }
}

fn decided(done: Done<(Vec<Action>, Vec<Reason>)>) -> Decided {
    let (actions, reasons) = done.value;
    Decided { actions, reasons, logs: done.logs, stats: done.stats }
}

fn suggestion(suggestion: wit::Suggestion) -> Result<Suggestion, String> {
    let within = |reason: String| format!("suggestion `{}`: {reason}", suggestion.name);
    let reasons = suggestion.reasons.into_iter().map(convert::reason).collect();
    Ok(Suggestion {
        actions: convert::actions_from_guest(suggestion.actions).map_err(within)?,
        reasons: check::reasons(reasons).map_err(within)?,
        label: convert::text(suggestion.label),
        name: suggestion.name,
    })
}

fn requirement(requirement: wit::Requirement) -> Result<Requirement, String> {
    let (code, field, message) =
        check::refusal(requirement.code, requirement.field, convert::text(requirement.message))?;
    Ok(Requirement { code, field, message })
}
