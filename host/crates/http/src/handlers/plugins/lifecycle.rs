//! Upgrading a plugin, and the way back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{ShippedRule, SwitchInfo, SwitchOptions, Switched, UpgradeRequest};
use trellis_model::{Language, bilingual};
use trellis_records::SchemaStep;

use super::{absent, as_of_text, plugin_json, text_json, version_of};
use crate::extract::{JsonBody, NoParameters, OnPlugin, Parameters};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{actor_json, json, timestamp};

/// Characters of the reason of a switch.
const REASON_CHARS_MAX: usize = 500;

/// Has another version of a plugin take over.
pub(crate) async fn upgrade_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Upgrade>,
) -> ApiResult<Response> {
    let request = UpgradeRequest {
        version: body.version.map(|version| version_of(&version)).transpose()?,
        config: body.config,
        grants: body.grants,
        absent: body.absent.map(absent::settings).transpose()?,
        on_quarantine: body.on_quarantine.as_deref().map(absent::on_quarantine).transpose()?,
        options: SwitchOptions {
            reason: checked_reason(body.reason)?,
            confirm: body.confirm,
            enable_rules: body.enable_rules,
            ignore_self_tests: body.ignore_self_tests,
            run: body.run,
        },
    };
    let switched = app.engine.plugin_upgrade(on.caller(), &on.id, request).await?;
    json(StatusCode::OK, &switched_json(&switched, on.requester().language()))
}

/// Brings back how a plugin was used before.
pub(crate) async fn roll_back_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<RollBack>,
) -> ApiResult<Response> {
    let options = SwitchOptions { reason: checked_reason(body.reason)?, ..SwitchOptions::default() };
    let switched = app.engine.plugin_roll_back(on.caller(), &on.id, body.switch, options).await?;
    json(StatusCode::OK, &switched_json(&switched, on.requester().language()))
}

/// Removes a plugin. What it put out and what it brought stays readable.
pub(crate) async fn remove_plugin(
    State(app): State<App>,
    on: OnPlugin,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let force = parameters.take_flag("force")?;
    parameters.finish()?;
    let removed = app.engine.plugin_remove(on.caller(), &on.id, force).await?;
    let steps: Vec<Json> = removed.schema.iter().map(SchemaStep::to_json).collect();
    json(StatusCode::OK, &json!({ "rules_switched_off": removed.rules_off, "schema": { "steps": steps } }))
}

/// Removes one version of a plugin.
pub(crate) async fn remove_version(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<StatusCode> {
    app.engine.plugin_remove_version(on.caller(), &on.id, &on.version()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns how a plugin was used, the newest first.
pub(crate) async fn list_switches(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let switches = app.engine.plugin_switches(&on.id).await?;
    let data: Vec<Json> = switches.iter().map(switch_json).collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// What shall be different after an upgrade; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upgrade {
    version: Option<String>,
    config: Option<Json>,
    grants: Option<Vec<String>>,
    absent: Option<absent::Named>,
    on_quarantine: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    confirm: bool,
    #[serde(default)]
    enable_rules: bool,
    #[serde(default)]
    ignore_self_tests: bool,
    /// Whether it is run at once.
    #[serde(default)]
    run: bool,
}

/// Where to go back to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollBack {
    /// The number of a switch; the previous one where it is left out.
    switch: Option<u64>,
    reason: Option<String>,
}

/// The reason of a switch, if it is not too long for the history.
pub(super) fn checked_reason(reason: Option<String>) -> ApiResult<Option<String>> {
    let chars = reason.as_ref().map_or(0, |reason| reason.chars().count());
    if chars <= REASON_CHARS_MAX {
        return Ok(reason);
    }
    let message = bilingual!(
        "`reason` has {chars} characters, at most {REASON_CHARS_MAX}",
        "`reason` 有 {chars} 个字符，最多 {REASON_CHARS_MAX} 个"
    );
    Err(Problem::new(Code::ValidationError).field("reason", "too_long", message))
}

/// The plugin after a switch, with what else came of it.
pub(super) fn switched_json(switched: &Switched, language: Language) -> Json {
    let mut plugin = plugin_json(&switched.plugin);
    if let Some(plugin) = plugin.as_object_mut() {
        let steps: Vec<Json> = switched.schema.iter().map(SchemaStep::to_json).collect();
        let jobs: Vec<String> = switched.jobs.iter().map(|job| job.id.to_string()).collect();
        let rules: Vec<Json> = switched.rules.iter().map(rule_json).collect();
        plugin.insert("serving_run".into(), json!(switched.serving_run.map(|run| run.to_string())));
        plugin.insert("schema".into(), json!({ "steps": steps, "jobs": jobs }));
        plugin.insert("rules".into(), json!(rules));
        let (run, problem) = match &switched.run {
            None => (None, None),
            Some(Ok(job)) => (Some(job.id.to_string()), None),
            Some(Err(error)) => {
                let code = error.code.to_ascii_uppercase();
                (None, Some(json!({ "code": code, "message": error.message.get(language) })))
            }
        };
        plugin.insert("run".into(), json!(run));
        plugin.insert("run_problem".into(), json!(problem));
    }
    plugin
}

pub(super) fn rule_json(rule: &ShippedRule) -> Json {
    json!({ "external_id": rule.external_id, "name": text_json(&rule.name), "state": rule.state.as_str() })
}

fn switch_json(switch: &SwitchInfo) -> Json {
    json!({
        "switch": switch.number,
        "kind": switch.kind.as_str(),
        "version": switch.version.to_string(),
        "digest": switch.digest,
        "config": switch.config,
        "as_of": as_of_text(switch.as_of),
        "grants": switch.grants,
        "timestamp": timestamp(switch.at_ms).map(|time| time.to_string()),
        "actor": actor_json(&switch.by),
        "reason": switch.reason,
        "current": switch.current,
        "previous": switch.previous,
    })
}
