//! Somebody chose what a service workflow suggested.

use std::sync::Arc;

use serde_json::json;
use trellis_model::{Action, Actor, ObjectName, PluginId, RecordId, bilingual};
use trellis_records::Caller;

use crate::{
    Error, Result, actions,
    core::Core,
    decisions::{Capsule, Decision, DecisionKind, NewDecision, PluginInput, suggestions_output, text_json},
    plugins::Enabled,
    suggest,
};

/// Carries out a suggestion as the plugin makes it now. It may do what both the plugin was granted and the caller may do; the plugin is the
/// actor, for the user who chose.
pub(crate) async fn choose(
    core: &Arc<Core>,
    caller: &Caller,
    object: &ObjectName,
    record: RecordId,
    (plugin, name): (&PluginId, &str),
) -> Result<Decision> {
    core.records.find(&caller.scope, object, record).await?;
    let enabled = guiding(core, plugin, object).await?;
    let suggested = suggest::suggested(core, &enabled, &caller.scope, object, record).await?;
    let output = suggestions_output(&suggested.suggestions);
    let chosen = suggested.suggestions.into_iter().find(|suggestion| suggestion.name == name);
    let chosen = chosen.ok_or_else(|| Error::UnknownSuggestion {
        plugin: plugin.clone(),
        name: name.to_owned(),
        record,
    })?;
    let input = PluginInput::Suggest(suggested.item);
    let capsule = Capsule::plugin(input, &enabled.config, &suggested.at, suggested.answers, &output);
    let now_ms = core.records.clock().now_ms();
    let new = NewDecision {
        kind: DecisionKind::Suggestion,
        time_ms: now_ms,
        by: enabled.decider(),
        digest: enabled.digest(),
        object: object.clone(),
        record,
        log: caller.cause.log,
        depth: caller.cause.depth,
        job: caller.cause.job,
        outcome: json!({ "suggestion": chosen.name, "label": text_json(&chosen.label) }),
        reasons: chosen.reasons,
        actions: chosen.actions.clone(),
        capsule: Some(capsule),
    };
    let (mut decision, capsule) = new.into_decision(core.records.ids().record_id(now_ms));
    let for_user = match &caller.actor {
        Actor::User { id, .. } => Some(*id),
        Actor::Plugin { for_user, .. } | Actor::Rule { for_user, .. } => *for_user,
        Actor::System { .. } => None,
    };
    let acting = Caller { actor: actions::actor(&decision.by, for_user), ..caller.clone() };
    let grants = |action: &Action| actions::for_plugin(enabled.manifest(), &enabled.grants, action);
    actions::apply(core, &mut decision, capsule, &chosen.actions, &grants, &acting).await?;
    Ok(decision)
}

/// The plugin, if it is enabled and guides the work on an object.
async fn guiding(core: &Arc<Core>, id: &PluginId, object: &ObjectName) -> Result<Arc<Enabled>> {
    let guides = |plugin: &&Arc<Enabled>| plugin.id == *id && plugin.guides(object.as_str());
    if let Some(plugin) = core.registry.enabled().iter().find(guides) {
        return Ok(Arc::clone(plugin));
    }
    core.registry.active(id).await?;
    let reason = bilingual!(
        "it does not guide the work on {object}, or was not granted that",
        "它不负责 {object} 的处理流程，或未获授权"
    );
    Err(Error::CannotRun { plugin: id.clone(), reason })
}
