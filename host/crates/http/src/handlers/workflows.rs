//! What plugins suggest to do with a record, and doing it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_model::PluginId;

use super::decisions::decision_json;
use super::plugins::text_json;
use crate::extract::{JsonBody, Parameters, RecordPath, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{json, reasons_json};

/// Returns what plugins suggest to do with a record, the best first. Changes nothing.
pub(crate) async fn list_record_suggestions(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let suggestions = app.engine.suggestions(&requester.caller, &path.object.name, path.id).await?;
    let data = suggestions.iter().map(|suggestion| {
        json!({
            "plugin": suggestion.plugin.as_str(),
            "version": suggestion.version,
            "name": suggestion.name,
            "label": text_json(&suggestion.label),
            "reasons": reasons_json(&suggestion.reasons, requester.language()),
            "actions": suggestion.actions,
        })
    });
    json(StatusCode::OK, &json!({ "data": data.collect::<Vec<Json>>() }))
}

/// Does what a plugin suggests: it is asked again, and what it suggests now under that name is done.
pub(crate) async fn apply_record_suggestion(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<Apply>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let unknown = |_| Problem::not_found("plugin", body.plugin.chars().take(60).collect::<String>());
    let plugin = PluginId::new(&body.plugin).map_err(unknown)?;
    let applied = app
        .engine
        .suggestion_apply(&requester.caller, &path.object.name, path.id, &plugin, &body.name)
        .await?;
    let names = app.engine.decider_names(std::slice::from_ref(&applied)).await?;
    json(StatusCode::OK, &decision_json(&applied, &names, requester.language()))
}

/// Which suggestion is chosen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Apply {
    plugin: String,
    name: String,
}
