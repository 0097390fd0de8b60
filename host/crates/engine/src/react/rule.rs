//! An after-save rule, or a rule on transitions, decides.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;

use super::{
    carry_out::{Decided, Granted},
    reaction::{Reaction, What},
};
use crate::{
    Result,
    blocking::blocking,
    core::Core,
    decisions::{Capsule, CapsuleCall, DecisionKind, NewDecision, after_save_output},
    lookups::{RecordLookups, Recording},
    rules::{RuleCall, error_output},
};

/// Has a rule decide; `None` where there is nothing to decide about any more, or nothing came out.
pub(super) async fn decide(core: &Arc<Core>, reaction: Reaction) -> Result<Option<Decided>> {
    let Some(named) = reaction.record(core).await? else { return Ok(None) };
    let What::Rule { rule, before, event } = reaction.what else { return Ok(None) };
    let schema = core.records.schema();
    let Some(object) = schema.object_by_id(reaction.object).cloned() else { return Ok(None) };
    let config = core.records.config();
    let call = RuleCall {
        trigger: rule.trigger,
        source: Arc::clone(&rule.source),
        before: before.record(&named),
        record: named,
        event,
        hidden: rule.hidden.clone(),
        now_ms: core.records.clock().now_ms(),
        time_zone: config.time_zone.iana_name().unwrap_or("UTC").to_owned(),
        user: None,
    };
    let lookups = Arc::new(RecordLookups::new(&core.records, &Handle::current(), &rule.scope, None));
    let lookups = Recording::new(lookups);
    let (engine, script) = (Arc::clone(core.rules.engine()), rule.script.clone());
    let (asked, told, seen, of) =
        (call.clone(), Arc::clone(&object), Arc::clone(&lookups), object.name.clone());
    let permit = core.rules.permits.acquire().await.expect("the semaphore is never closed");
    let answered = blocking("asking a rule", move || asked.after_save(&engine, &script, told, seen)).await?;
    drop(permit);
    let (actions, reasons, outcome, output) = match answered {
        Ok(answered) => {
            let output = after_save_output(&answered);
            let printed =
                if answered.printed.is_empty() { Json::Null } else { json!({ "printed": answered.printed }) };
            (answered.actions, answered.reasons, printed, output)
        }
        Err(error) => {
            tracing::warn!(
                rule = %rule.id, version = rule.version, object = %of, line = error.line, column = error.column,
                "a rule failed to react"
            );
            (Vec::new(), Vec::new(), error_output(&error), error_output(&error))
        }
    };
    if actions.is_empty() && reasons.is_empty() && outcome.is_null() {
        return Ok(None);
    }
    let new = NewDecision {
        kind: DecisionKind::Rule,
        time_ms: call.now_ms,
        by: rule.decider(),
        digest: rule.script.digest(),
        object: of,
        record: reaction.record,
        log: reaction.entry.cause.log,
        depth: reaction.entry.cause.depth,
        job: reaction.entry.cause.job,
        outcome,
        reasons,
        actions,
        capsule: Some(Capsule {
            call: CapsuleCall::Rule(call),
            answers: lookups.answers(),
            output: output.to_string(),
        }),
    };
    Ok(Some(Decided { new, granted: Granted::Rule }))
}
