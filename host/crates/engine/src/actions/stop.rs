//! The end of a chain of reactions that is too long.

use serde_json::{Value as Json, json};
use trellis_model::{Action, Actor, Cause, Decider, Via, bilingual};
use trellis_records::{Caller, EntryBody, LogEntry, NewEntry};
use trellis_storage::WriteSet;

use super::{Refusal, carry::ledger_writes};
use crate::{
    Result,
    core::Core,
    decisions::{ActionOutcome, ActionState, Capsule, Decision, DecisionKind},
};

/// How many reactions deep a change may be; the log refuses more.
pub(super) const DEPTH_MAX: u8 = 8;
/// The event that tells that a chain was stopped.
const STOPPED: &str = "reaction.stopped";

/// Records that the actions of a decision are not carried out, and tells the log, with the whole chain.
pub(super) async fn stop(
    core: &Core,
    decision: &mut Decision,
    capsule: &mut Option<Capsule>,
    actions: &[Action],
    caller: &Caller,
) -> Result<()> {
    let chain = match caller.cause.log {
        Some(log) => core.records.cause_chain(log, usize::from(DEPTH_MAX) + 1).await?,
        None => Vec::new(),
    };
    let depth = caller.cause.depth;
    let refusal = Refusal::new(
        "too_deep",
        bilingual!(
            "this would be the {depth}th reaction in a row, at most {DEPTH_MAX} may follow each other",
            "这将是连续第 {depth} 层反应，最多允许 {DEPTH_MAX} 层"
        ),
    );
    let schema = core.records.schema();
    let chain: Vec<_> = chain.iter().map(|entry| link(&schema, entry)).collect();
    let decided = decision.kind.as_str();
    decision.kind = DecisionKind::Stopped;
    decision.outcome = json!({ "decided": decided, "depth": depth, "depth_max": DEPTH_MAX, "chain": chain });
    decision.actions = actions.iter().map(|action| refused(action, &refusal)).collect();
    tracing::warn!(
        decision = %decision.id, by = %decision.by.text().en, object = %decision.object, record = %decision.record, depth,
        "a chain of reactions was stopped"
    );
    let (owner_kind, owner) = match &decision.by {
        Decider::Plugin { id, .. } => ("plugin", id.to_string()),
        Decider::Rule { id, .. } => ("rule", id.to_string()),
    };
    let data = json!({
        owner_kind: owner,
        "decision": decision.id.to_string(),
        "object": decision.object.as_str(),
        "record": decision.record.to_string(),
        "depth": depth,
        "chain": chain,
    });
    let cause = Cause { depth: DEPTH_MAX, automations_off: true, ..caller.cause.clone() };
    let body = EntryBody::Event { name: STOPPED.to_owned(), data };
    let mut set = WriteSet::new();
    for (key, value) in ledger_writes(core, decision, capsule.as_ref())? {
        set.put(key, value);
    }
    core.records.commit(set, Some(NewEntry { actor: caller.actor.clone(), cause, body })).await?;
    *capsule = None;
    Ok(())
}

fn refused(action: &Action, refusal: &Refusal) -> ActionOutcome {
    ActionOutcome {
        state: ActionState::Refused,
        code: Some(refusal.code.to_owned()),
        message: Some(refusal.message.clone()),
        ..ActionOutcome::pending(action)
    }
}

/// An entry of the chain: who did what to which record. Entries with many records name the first.
fn link(schema: &trellis_records::Schema, entry: &LogEntry) -> Json {
    let actor = match &entry.actor {
        Actor::User { id, via: Via::Token(_) | Via::Session(_) } => json!({ "user": id.to_string() }),
        Actor::Plugin { id, version, .. } => json!({ "plugin": id.as_str(), "version": version }),
        Actor::Rule { id, version, .. } => json!({ "rule": id.to_string(), "version": version }),
        Actor::System { component } => json!({ "system": component }),
    };
    let (object, id, event) = match &entry.body {
        EntryBody::Changes(changes) => match changes.first() {
            Some(change) => {
                let object = schema.object_by_id(change.object).map(|object| object.name.to_string());
                (object, Some(change.id.to_string()), change.kind.as_str())
            }
            None => (None, None, "changed"),
        },
        EntryBody::Event { name, data } => {
            let text = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
            (text("object"), text("record"), name.as_str())
        }
    };
    json!({ "log": entry.number, "depth": entry.cause.depth, "actor": actor, "object": object, "id": id, "event": event })
}
