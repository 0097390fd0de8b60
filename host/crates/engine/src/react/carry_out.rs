//! A reaction from the question to the answer's end.

use std::sync::Arc;

use trellis_model::{Action, Decider};
use trellis_records::Error as RecordsError;

use super::{
    Unrecorded,
    reaction::{Reaction, What},
    rule, workflow,
};
use crate::{
    Error, Result,
    actions::{self, Carried, Refusal},
    core::Core,
    decisions::{self, ActionState, Decision, NewDecision},
    plugins::Enabled,
};

/// What may be done by whoever decides.
#[derive(Debug)]
pub(super) enum Granted {
    Rule,
    Plugin(Arc<Enabled>),
    /// The plugin was disabled meanwhile.
    Nobody,
}

/// What a rule or plugin decided, if there is anything to record.
pub(super) struct Decided {
    pub(super) new: NewDecision,
    pub(super) granted: Granted,
}

/// Has a rule or plugin decide and carries out what it wants; a decision that the ledger has is carried out to its end.
///
/// # Errors
/// Only where the store fails and trying again may help. What goes wrong in a rule or plugin is recorded as its decision; a reaction that
/// cannot be done, for example because what it reads is damaged, is named in the server's log and given up.
pub(super) async fn react(core: &Arc<Core>, reaction: Reaction) -> Result<Option<Unrecorded>> {
    let (entry, object, record) = (reaction.entry.number, reaction.object, reaction.record);
    match decide_and_carry_out(core, reaction).await {
        Err(error) if !may_help_to_retry(&error) => {
            tracing::error!(entry, object = object.0, record = %record, code = error.code(), "a reaction was given up: {error}");
            Ok(None)
        }
        done => done,
    }
}

/// Whether a failure is one of the store at this moment.
pub(crate) fn may_help_to_retry(error: &Error) -> bool {
    use trellis_storage::Error as Storage;
    let (Error::Storage(error) | Error::Records(RecordsError::Storage(error))) = error else { return false };
    matches!(
        error,
        Storage::Stopped { .. }
            | Storage::DiskFull { .. }
            | Storage::Io { .. }
            | Storage::PreconditionFailed { .. }
    )
}

async fn decide_and_carry_out(core: &Arc<Core>, reaction: Reaction) -> Result<Option<Unrecorded>> {
    let id = reaction.decision_id();
    if let Some(decision) = decisions::get(&core.records, id).await? {
        return go_on(core, &reaction, decision).await;
    }
    let cause = reaction.entry.cause.clone();
    let decided = match &reaction.what {
        What::Rule { .. } => rule::decide(core, reaction).await?,
        What::Workflow { .. } => workflow::decide(core, reaction, id).await?,
        What::Absent { .. } => workflow::left_out(core, reaction).await?,
    };
    let Some(Decided { new, granted }) = decided else { return Ok(None) };
    let wanted = new.actions.clone();
    let (mut decision, mut capsule) = new.into_decision(id);
    tracing::debug!(
        decision = %id, by = %decision.by.text().en, object = %decision.object, record = %decision.record,
        log = decision.log, depth = decision.depth, actions = wanted.len(), "a rule or plugin reacts"
    );
    let caller = actions::caller(&decision.by, cause);
    let grants = |action: &Action| granted.check(action);
    match actions::carry_out(core, &mut decision, &mut capsule, &wanted, &grants, &caller).await? {
        Carried::Recorded => Ok(None),
        Carried::Unrecorded => Ok(Some((decision, capsule))),
    }
}

/// Carries out what a stop of the server left pending.
async fn go_on(core: &Arc<Core>, reaction: &Reaction, mut decision: Decision) -> Result<Option<Unrecorded>> {
    if decision.actions.iter().all(|action| action.state != ActionState::Pending) {
        return Ok(None);
    }
    tracing::info!(decision = %decision.id, "a decision that was carried out in part goes on");
    let wanted = actions::pending(&core.records.schema(), &decision)?;
    let granted = match &decision.by {
        Decider::Rule { .. } => Granted::Rule,
        Decider::Plugin { id, .. } => {
            let enabled = core.registry.enabled().iter().find(|plugin| plugin.id == *id).cloned();
            enabled.map_or(Granted::Nobody, Granted::Plugin)
        }
    };
    let caller = actions::caller(&decision.by, reaction.entry.cause.clone());
    let grants = |action: &Action| granted.check(action);
    match actions::carry_out(core, &mut decision, &mut None, &wanted, &grants, &caller).await? {
        Carried::Recorded => Ok(None),
        Carried::Unrecorded => Ok(Some((decision, None))),
    }
}

impl Granted {
    fn check(&self, action: &Action) -> Result<(), Refusal> {
        match self {
            Self::Rule => actions::for_rule(action),
            Self::Plugin(plugin) => actions::for_plugin(plugin.manifest(), &plugin.grants, action),
            Self::Nobody => Err(actions::not_enabled()),
        }
    }
}
