//! A service workflow judges a new record, or reacts to a change or a timer.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use trellis_model::{Action, NamedRecord, Reason, RecordId};
use trellis_plugin_host::{CallContext, Decided as Answered, Occurrence, Plugin};

use super::{
    carry_out::{Decided, Granted},
    reaction::{Happened, Reaction, What},
};
use crate::{
    Error, Result,
    blocking::blocking,
    compare::{Asked as Shown, Observed},
    core::Core,
    decisions::{Capsule, DecisionKind, NewDecision, PluginInput, decided_output},
    hooks,
    lookups::{RecordLookups, Recording},
    plugins::Enabled,
};

/// How often a plugin is asked again when the machine is too busy to ask it.
const BUSY_ATTEMPTS_MAX: u32 = 5;
/// Half of how long the first wait before that is; each further one is twice as long.
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// Has a plugin decide; `None` where there is nothing to decide about any more, or nothing came out.
pub(super) async fn decide(core: &Arc<Core>, reaction: Reaction, id: RecordId) -> Result<Option<Decided>> {
    let Some(record) = reaction.record(core).await? else { return Ok(None) };
    let What::Workflow { plugin, happened } = reaction.what else { return Ok(None) };
    let Some(used) = &plugin.manifest().service_workflow else { return Ok(None) };
    let (kind, occurrence) = match happened {
        Happened::Created => (DecisionKind::Triage, None),
        Happened::Changed(before) => (DecisionKind::Event, Some(Occurrence::Changed(before))),
        Happened::Timer(name) => (DecisionKind::Event, Some(Occurrence::Timer(name))),
    };
    let asked = ask(core, &plugin, record, occurrence, id).await?;
    if asked.is_empty() {
        return Ok(None);
    }
    let new = NewDecision {
        kind,
        time_ms: core.records.clock().now_ms(),
        by: plugin.decider(),
        digest: plugin.digest(),
        object: used.object.clone(),
        record: reaction.record,
        log: reaction.entry.cause.log,
        depth: reaction.entry.cause.depth,
        job: reaction.entry.cause.job,
        outcome: asked.outcome,
        reasons: asked.reasons,
        actions: asked.actions,
        capsule: asked.capsule,
    };
    Ok(Some(Decided { new, granted: Granted::Plugin(plugin) }))
}

/// Records that a plugin was left out which cannot be called; `None` where there is nothing to decide about any more.
pub(super) async fn left_out(core: &Core, reaction: Reaction) -> Result<Option<Decided>> {
    if reaction.record(core).await?.is_none() {
        return Ok(None);
    }
    let What::Absent { plugin, happened } = reaction.what else { return Ok(None) };
    let schema = core.records.schema();
    let Some(object) = schema.object_by_id(reaction.object) else { return Ok(None) };
    let (id, version, reason) = (plugin.id.clone(), plugin.version.clone(), plugin.reason.clone());
    let error = Error::Broken { plugin: id, version, reason };
    let new = NewDecision {
        kind: if happened == Happened::Created { DecisionKind::Triage } else { DecisionKind::Event },
        time_ms: core.records.clock().now_ms(),
        by: plugin.decider(),
        digest: plugin.digest,
        object: object.name.clone(),
        record: reaction.record,
        log: reaction.entry.cause.log,
        depth: reaction.entry.cause.depth,
        job: reaction.entry.cause.job,
        outcome: json!({ "error": { "code": error.code(), "message": error.to_string() } }),
        reasons: Vec::new(),
        actions: Vec::new(),
        capsule: None,
    };
    Ok(Some(Decided { new, granted: Granted::Nobody }))
}

/// What came of asking a plugin.
struct Asked {
    actions: Vec<Action>,
    reasons: Vec<Reason>,
    outcome: Json,
    capsule: Option<Capsule>,
}

impl Asked {
    fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.reasons.is_empty() && self.outcome.is_null()
    }
}

/// Asks a plugin. One that fails has decided nothing, and the reason is recorded.
async fn ask(
    core: &Arc<Core>,
    plugin: &Arc<Enabled>,
    record: NamedRecord,
    occurrence: Option<Occurrence>,
    id: RecordId,
) -> Result<Asked> {
    let (records, handle) = (&core.records, Handle::current());
    let accounts = Arc::new(RecordLookups::new(records, &handle, &hooks::account_lookups(plugin), None));
    let at = hooks::context(core, id, records.clock().now_ms());
    let mut attempts = 1;
    loop {
        let lookups = Recording::new(Arc::new(RecordLookups::new(records, &handle, &plugin.scope, None)));
        let (asked, when, seen) = (Arc::clone(plugin), at.clone(), Arc::clone(&lookups));
        let (item, accounts, happened) = (record.clone(), Arc::clone(&accounts), occurrence.clone());
        let (input, answered) = blocking("asking a plugin", move || {
            let item = hooks::work_item(&asked, item, &*accounts)?;
            let input = match happened {
                None => PluginInput::Triage(item),
                Some(occurrence) => PluginInput::Event(item, occurrence),
            };
            let answered = call(&asked.plugin, &input, &asked.config, &when, seen);
            Ok::<_, Error>((input, answered))
        })
        .await??;
        match answered {
            Ok(answered) => {
                let output = decided_output(&answered.actions, &answered.reasons);
                core.shadows.offer(&plugin.id, || Observed {
                    plugin: plugin.id.clone(),
                    asked: Shown::Work {
                        record: record.clone(),
                        occurrence: occurrence.clone(),
                        answer: output.clone(),
                    },
                    at: at.clone(),
                    answers: lookups.answers(),
                });
                let capsule = Capsule::plugin(input, &plugin.config, &at, lookups.answers(), &output);
                let Answered { actions, reasons, .. } = answered;
                return Ok(Asked { actions, reasons, outcome: Json::Null, capsule: Some(capsule) });
            }
            Err(trellis_plugin_host::Error::Busy { .. }) if attempts < BUSY_ATTEMPTS_MAX => {
                tokio::time::sleep(BUSY_WAIT * 2_u32.pow(attempts)).await;
                attempts += 1;
            }
            Err(error) => return Ok(failed(plugin, error)),
        }
    }
}

fn failed(plugin: &Enabled, error: trellis_plugin_host::Error) -> Asked {
    let version = plugin.plugin.version();
    let error = Error::Plugin(error);
    tracing::warn!(plugin = %plugin.id, %version, code = error.code(), "a plugin failed to react: {error}");
    let outcome = json!({ "error": { "code": error.code(), "message": error.to_string() } });
    Asked { actions: Vec::new(), reasons: Vec::new(), outcome, capsule: None }
}

fn call(
    plugin: &Plugin,
    input: &PluginInput,
    config: &str,
    at: &CallContext,
    lookups: Arc<Recording>,
) -> trellis_plugin_host::Result<Answered> {
    let workflow = plugin.service_workflow().expect("a plugin that guides provides a service workflow");
    match input {
        PluginInput::Triage(item) => workflow.triage(item, config, at, lookups),
        PluginInput::Event(item, occurrence) => workflow.on_event(item, occurrence, config, at, lookups),
        _ => unreachable!("a reaction is a triage or an event"),
    }
}
