//! Decides again from what was known then, and compares.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Action, Decider, Lookups, Reason, RecordId, Text, bilingual};
use trellis_plugin_host::{CallContext, Plugin, Requirement, Suggestion, Verdict};
use trellis_records::Schema;
use trellis_rules::{AfterSave, BeforeSave};

use super::{
    Capsule, CapsuleCall, Decision, PluginInput, Replay,
    json::{actions_json, fields_json, reasons_json, text_json},
    sight::Sight,
    store,
};
use crate::{
    Error, Result,
    blocking::blocking,
    core::Core,
    lookups::Replaying,
    plugins::{Grants, hex},
};

/// Asks the same plugin or the same script with what was known then.
///
/// # Errors
/// [`Error::UnknownDecision`], [`Error::InputsExpired`] where its inputs are no longer kept, the plugin is another one now, or may not see
/// any more what it saw.
pub(crate) async fn replay(core: &Arc<Core>, id: RecordId) -> Result<Replay> {
    let decision = store::get(&core.records, id).await?.ok_or(Error::UnknownDecision { id })?;
    let expired = |reason| Error::InputsExpired { run: id, reason };
    let capsule = store::get_capsule(&core.records, id).await?;
    let capsule =
        capsule.ok_or_else(|| expired(Text::new("its inputs were not kept", "未保留其输入数据")))?;
    let recorded = parse(id, &capsule.output)?;
    let output = capsule.output.clone();
    let replayed = match capsule.call {
        CapsuleCall::Plugin { .. } => {
            let plugin = plugin(core, &decision).await?.map_err(expired)?;
            let grants = core.registry.granted_again(plugin.id());
            let schema = core.records.schema();
            blocking("deciding again", move || ask_plugin(id, &plugin, capsule, &schema, &grants)).await??
        }
        CapsuleCall::Rule(_) => {
            let core = Arc::clone(core);
            blocking("deciding again", move || ask_rule(&core, capsule)).await??
        }
    };
    let again = replayed.to_string();
    Ok(Replay { same: again == output, recorded, replayed })
}

fn parse(id: RecordId, output: &str) -> Result<Json> {
    serde_json::from_str(output)
        .map_err(|error| Error::Damaged { what: format!("capsule of decision {id}: {error}") })
}

/// The plugin that decided; or why it cannot be asked again.
async fn plugin(core: &Core, decision: &Decision) -> Result<Result<Arc<Plugin>, Text>> {
    let Decider::Plugin { id, version } = &decision.by else {
        return Err(Error::Damaged {
            what: format!("decision {}: a plugin's inputs of a rule", decision.id),
        });
    };
    let parsed = version.parse().map_err(|error: semver::Error| Error::Damaged {
        what: format!("decision {}: {error}", decision.id),
    })?;
    let plugin = match core.registry.version(id, &parsed).await {
        Err(Error::UnknownPlugin { .. } | Error::UnknownVersion { .. }) => {
            return Ok(Err(bilingual!(
                "plugin `{id}` {version} is not installed any more",
                "插件 `{id}` {version} 已不再安装"
            )));
        }
        found => found?,
    };
    if *plugin.digest().as_bytes() == decision.digest {
        return Ok(Ok(plugin));
    }
    let (was, is) = (hex(&decision.digest), hex(plugin.digest().as_bytes()));
    Ok(Err(bilingual!(
        "plugin `{id}` {version} had the digest {was} and has {is} now",
        "插件 `{id}` {version} 当时的摘要为 {was}，现在为 {is}"
    )))
}

fn ask_plugin(
    id: RecordId,
    plugin: &Plugin,
    capsule: Capsule,
    schema: &Schema,
    grants: &Grants,
) -> Result<Json> {
    let CapsuleCall::Plugin { input, config, at } = capsule.call else { return Ok(Json::Null) };
    Sight::of(plugin.manifest(), &config, schema, grants)?.check(id, &input, &capsule.answers)?;
    ask(plugin, &input, &config, &at, Arc::new(Replaying(capsule.answers)))
}

fn ask_rule(core: &Core, capsule: Capsule) -> Result<Json> {
    let CapsuleCall::Rule(call) = capsule.call else { return Ok(Json::Null) };
    call.again(core.rules.engine(), &core.records.schema(), Arc::new(Replaying(capsule.answers)))
}

/// Asks a plugin, and returns what it answers in the form in which answers are compared.
pub(crate) fn ask(
    plugin: &Plugin,
    input: &PluginInput,
    config: &str,
    at: &CallContext,
    lookups: Arc<dyn Lookups>,
) -> Result<Json> {
    let missing = |interface: &str| Error::not_offered(plugin.id(), interface);
    let workflow = || plugin.service_workflow().ok_or_else(|| missing("service-workflow"));
    let campaign_rules = || plugin.campaign_rules().ok_or_else(|| missing("campaign-rules"));
    Ok(match input {
        PluginInput::Triage(item) => {
            let decided = workflow()?.triage(item, config, at, lookups)?;
            decided_output(&decided.actions, &decided.reasons)
        }
        PluginInput::Event(item, occurrence) => {
            let decided = workflow()?.on_event(item, occurrence, config, at, lookups)?;
            decided_output(&decided.actions, &decided.reasons)
        }
        PluginInput::Suggest(item) => suggestions_output(&workflow()?.suggest(item, config, at, lookups)?),
        PluginInput::CloseCheck(item) => {
            requirements_output(&workflow()?.close_check(item, config, at, lookups)?)
        }
        PluginInput::BeforeSave(change) => {
            let hook = plugin.record_hook().ok_or_else(|| missing("record-hook"))?;
            let verdicts = hook.before_save(std::slice::from_ref(change), config, at, lookups)?;
            verdicts.first().map_or(Json::Null, verdict_output)
        }
        PluginInput::Eligible { campaign, batch } => {
            let eligible = campaign_rules()?.eligible(campaign, batch.clone(), config, at)?;
            json!({ "eligible": eligible.eligible, "causes": eligible.causes })
        }
        PluginInput::Variant { campaign, batch } => {
            json!({ "variants": campaign_rules()?.assign_variant(campaign, batch.clone(), config, at)?.variants })
        }
        PluginInput::NextAction { campaign, batch } => {
            let next = campaign_rules()?.next_action(campaign, batch.clone(), config, at)?;
            next_output(&next.rows)
        }
    })
}

/// What next actions of the rows of a batch come to.
pub(crate) fn next_output(rows: &[trellis_plugin_host::RowActions]) -> Json {
    let row = |row: &trellis_plugin_host::RowActions| json!({ "row": row.row, "decided": decided_output(&row.actions, &row.reasons) });
    Json::Array(rows.iter().map(row).collect())
}

/// What a triage, reaction or row of next actions comes to.
pub(crate) fn decided_output(actions: &[Action], reasons: &[Reason]) -> Json {
    json!({ "actions": actions_json(actions), "reasons": reasons_json(reasons) })
}

pub(crate) fn suggestions_output(suggestions: &[Suggestion]) -> Json {
    let suggestion = |suggestion: &Suggestion| {
        json!({
            "name": suggestion.name,
            "label": text_json(&suggestion.label),
            "actions": actions_json(&suggestion.actions),
            "reasons": reasons_json(&suggestion.reasons),
        })
    };
    Json::Array(suggestions.iter().map(suggestion).collect())
}

pub(crate) fn requirements_output(requirements: &[Requirement]) -> Json {
    let requirement = |requirement: &Requirement| {
        json!({
            "code": requirement.code,
            "field": requirement.field.as_ref().map(trellis_model::FieldName::as_str),
            "message": text_json(&requirement.message),
        })
    };
    Json::Array(requirements.iter().map(requirement).collect())
}

pub(crate) fn verdict_output(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::Accept => json!({ "accept": true }),
        Verdict::Patch(fields) => json!({ "patch": fields_json(fields) }),
        Verdict::Failed(reason) => json!({ "failed": text_json(reason) }),
        Verdict::Veto(refusal) => json!({ "veto": {
            "code": refusal.code,
            "field": refusal.field.as_ref().map(trellis_model::FieldName::as_str),
            "message": text_json(&refusal.message),
        } }),
    }
}

/// What a before-save rule comes to.
pub(crate) fn before_save_output(decided: &BeforeSave) -> Json {
    let veto = |veto: &trellis_rules::RuleVeto| {
        json!({
            "code": veto.code,
            "field": veto.field.as_ref().map(trellis_model::FieldName::as_str),
            "message": text_json(&veto.message),
        })
    };
    json!({
        "changes": fields_json(&decided.changes),
        "vetoes": decided.vetoes.iter().map(veto).collect::<Vec<_>>(),
    })
}

/// What an after-save or transition rule comes to.
pub(crate) fn after_save_output(decided: &AfterSave) -> Json {
    decided_output(&decided.actions, &decided.reasons)
}
