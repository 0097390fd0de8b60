//! Scores: what they are, how they are spread, the rules behind them, and why a customer has its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_columns::ScoreInfo;
use trellis_model::RowAccess;

use super::plugins::{as_of_text, text_json};
use super::segmentations::{current_json, source_json};
use crate::extract::{Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{json, reasons_json};

/// Returns every score with how its values are spread.
pub(crate) async fn list_scores(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let data: Vec<Json> = app
        .columns
        .scores()
        .iter()
        .filter(|info| shows_everybody(&requester, info))
        .map(|info| score_json(info))
        .collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// Returns one score.
pub(crate) async fn get_score(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let info = find(&app, path.get("score"))?;
    if !shows_everybody(&requester, &info) {
        return Err(Problem::forbidden(&format!("read:{}", info.definition.object)));
    }
    json(StatusCode::OK, &score_json(&info))
}

/// Says in words what the model behind a score does, in the language of the caller.
pub(crate) async fn get_score_rules(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let info = find(&app, path.get("score"))?;
    if !shows_everybody(&requester, &info) {
        return Err(Problem::forbidden(&format!("read:{}", info.definition.object)));
    }
    let name = info.definition.name.as_str();
    let rules = app.engine.score_rules(&requester.caller, name).await?;
    json(StatusCode::OK, &json!({ "score": name, "markdown": rules.get(requester.language()) }))
}

/// Says why a customer has its score, in the language of the caller.
pub(crate) async fn get_score_explanation(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let info = find(&app, path.get("score"))?;
    let id = path.id("id", info.definition.object.as_str())?;
    let explanation = app.engine.score_explain(&requester.caller, info.definition.name.as_str(), id).await?;
    json(
        StatusCode::OK,
        &json!({
            "score": explanation.score,
            "run": explanation.run.to_string(),
            "plugin": explanation.plugin.as_str(),
            "version": explanation.version,
            "as_of": as_of_text(explanation.as_of),
            "value": explanation.value,
            "band": explanation.band,
            "reasons": reasons_json(&explanation.reasons, requester.language()),
        }),
    )
}

/// By name or alias.
fn find(app: &App, name: &str) -> ApiResult<Arc<ScoreInfo>> {
    let info = app.columns.score(name);
    info.ok_or_else(|| Problem::not_found("score", name.chars().take(100).collect::<String>()))
}

/// Sizes and ranges tell of every customer, so they are for those who may see every customer.
fn shows_everybody(requester: &Requester, info: &ScoreInfo) -> bool {
    requester.caller.scope.of(&info.definition.object).rows == RowAccess::All
}

fn score_json(info: &ScoreInfo) -> Json {
    let definition = &info.definition;
    let bands = definition.bands.iter().map(|band| {
        let count = info.bands.iter().find(|count| count.value == band.name).map(|count| count.count);
        json!({
            "value": band.name,
            "label": text_json(&band.label),
            "description": text_json(&band.description),
            "lowest": band.lowest,
            "count": count.unwrap_or_default(),
        })
    });
    json!({
        "name": definition.name.as_str(),
        "aliases": definition.aliases.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "object": definition.object.as_str(),
        "label": text_json(&definition.label),
        "description": text_json(&definition.description),
        "unit": text_json(&definition.unit),
        "range": { "minimum": definition.minimum, "maximum": definition.maximum },
        "source": source_json(&definition.source),
        "bands": bands.collect::<Vec<_>>(),
        "count": info.count,
        "null_count": info.null_count,
        "minimum": info.minimum,
        "maximum": info.maximum,
        "mean": info.mean,
        "current": info.current.as_ref().map(current_json),
        "stale": info.stale,
        "cleared": info.cleared,
        "damaged": info.damaged,
    })
}
