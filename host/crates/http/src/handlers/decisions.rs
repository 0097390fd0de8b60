//! The decision ledger: what plugins and rules decided, why, what came of it, and the same decision made again.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_engine::{ActionOutcome, Decision, DecisionKind, DecisionQuery};
use trellis_model::{Decider, Language, ObjectName, PluginId, RecordId, Text};

use super::plugins::text_json;
use crate::extract::{JsonBody, Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{json, reasons_json, timestamp};

/// What rights on decisions are called: they quote inputs of every kind.
const PERMISSION: &str = "decisions";
/// Decisions of a page.
const DECISIONS_MAX: usize = 200;

/// Returns a page of decisions, the newest first.
pub(crate) async fn list_decisions(
    State(app): State<App>,
    requester: Requester,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let limit = parameters.take_limit(50, DECISIONS_MAX)?;
    let after = parameters.take_after_id()?;
    let query = query(&mut parameters)?;
    parameters.finish()?;
    let page = app.engine.decisions(query, after, limit).await?;
    let language = requester.language();
    let names = app.engine.decider_names(&page.decisions).await?;
    let shown = page.decisions.iter().map(|decision| decision_json(decision, &names, language));
    let data: Vec<Json> = shown.collect();
    let next = page.next.map(|id| id.to_string());
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Returns one decision.
pub(crate) async fn get_decision(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let id = path.id("id", "decision")?;
    let decision = app.engine.decision_get(id).await?.ok_or_else(|| Problem::not_found("decision", id))?;
    let names = app.engine.decider_names(std::slice::from_ref(&decision)).await?;
    json(StatusCode::OK, &decision_json(&decision, &names, requester.language()))
}

/// Makes a decision again from what was recorded of it, and says whether the same comes out. Changes nothing.
pub(crate) async fn replay_decision(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<super::plugins::Replay>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let id = path.id("id", "decision")?;
    let replay = match body.version.as_deref().map(super::plugins::version_of).transpose()? {
        None => app.engine.decision_replay(id).await?,
        Some(version) => app.engine.decision_replay_with(id, &version).await?,
    };
    json(
        StatusCode::OK,
        &json!({ "same": replay.same, "recorded": replay.recorded, "replayed": replay.replayed }),
    )
}

fn query(parameters: &mut Parameters) -> ApiResult<DecisionQuery> {
    let wrong = |name: &str, en: &str, zh: &str| Problem::bad_query(name, Text::new(en, zh));
    let object = parameters.take("object")?.map(|name| ObjectName::new(&name)).transpose();
    let record = parameters.take("record")?.map(|id| RecordId::parse(&id)).transpose();
    let plugin = parameters.take("plugin")?.map(|id| PluginId::new(&id)).transpose();
    let rule = parameters.take("rule")?.map(|id| RecordId::parse(&id)).transpose();
    let kind = parameters.take("kind")?.map(|name| DecisionKind::of(&name).ok_or(())).transpose();
    Ok(DecisionQuery {
        object: object.map_err(|error| Problem::bad_query("object", error.text()))?,
        record: record.map_err(|error| Problem::bad_query("record", error.text()))?,
        plugin: plugin.map_err(|error| Problem::bad_query("plugin", error.text()))?,
        rule: rule.map_err(|error| Problem::bad_query("rule", error.text()))?,
        kind: kind.map_err(|()| wrong("kind", "`kind` is no kind of decision", "`kind` 不是决策类型"))?,
    })
}

/// A decision with its texts in one language. `names` are those of plugins, by the digest of the component.
pub(super) fn decision_json(
    decision: &Decision,
    names: &HashMap<[u8; 32], Text>,
    language: Language,
) -> Json {
    let actions: Vec<Json> = decision.actions.iter().map(|action| outcome_json(action, language)).collect();
    json!({
        "id": decision.id.to_string(),
        "kind": decision.kind.as_str(),
        "timestamp": timestamp(decision.time_ms).map(|time| time.to_string()),
        "by": decider_json(&decision.by, names.get(&decision.digest)),
        "object": decision.object.as_str(),
        "record": decision.record.to_string(),
        "log": decision.log,
        "depth": decision.depth,
        "job": decision.job.map(|id| id.to_string()),
        "outcome": decision.outcome,
        "reasons": reasons_json(&decision.reasons, language),
        "actions": actions,
        "can_be_replayed": decision.has_capsule,
    })
}

fn outcome_json(outcome: &ActionOutcome, language: Language) -> Json {
    let record = outcome.record.as_ref();
    json!({
        "kind": outcome.kind,
        "action": outcome.action,
        "state": outcome.state.as_str(),
        "code": outcome.code,
        "message": outcome.message.as_ref().map(|message| message.get(language)),
        "record": record.map(|(object, id)| json!({ "object": object.as_str(), "id": id.to_string() })),
        "log": outcome.log,
    })
}

fn decider_json(decider: &Decider, plugin: Option<&Text>) -> Json {
    match decider {
        Decider::Plugin { id, version } => {
            json!({ "kind": "plugin", "id": id.as_str(), "version": version, "name": plugin.map(text_json) })
        }
        Decider::Rule { id, version, name } => {
            json!({ "kind": "rule", "id": id.to_string(), "version": version, "name": text_json(name) })
        }
    }
}
