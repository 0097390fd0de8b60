//! Questions about a whole population, and what plugins answered.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{AnalysisInfo, AnalysisRequest, AnalysisResult};

use super::plugins::{as_of, as_of_text, text_json};
use crate::extract::{JsonBody, NoParameters, OnPlugin, Parameters};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{actor_json, json, timestamp};

/// Answers of a page.
const RESULTS_MAX: usize = 200;

/// Returns the questions that a plugin answers.
pub(crate) async fn list_analyses(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let analyses = app.engine.analyses(&on.id).await?;
    json(StatusCode::OK, &json!({ "data": analyses.iter().map(info_json).collect::<Vec<_>>() }))
}

/// Has a plugin answer a question, as a job.
pub(crate) async fn run_analysis(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Question>,
) -> ApiResult<Response> {
    let as_of = body.as_of.as_deref().map(as_of).transpose()?;
    let request = AnalysisRequest { parameters: body.parameters, as_of };
    let job = app.engine.analyse(on.caller(), &on.id, on.analysis(), request).await?;
    on.accepted(&job)
}

/// Returns a page of the answers to a question, the newest first.
pub(crate) async fn list_analysis_results(
    State(app): State<App>,
    on: OnPlugin,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(50, RESULTS_MAX)?;
    let after = parameters.take_after_id()?;
    parameters.finish()?;
    let page = app.engine.analysis_results(&on.id, on.analysis(), after, limit).await?;
    let data: Vec<Json> = page.results.iter().map(result_json).collect();
    let next = page.next.map(|id| id.to_string());
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Returns an answer: the report, and what it was made of.
pub(crate) async fn get_analysis_result(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let (result, report) = app.engine.analysis_result(&on.id, on.analysis(), on.result()?).await?;
    let mut answer = result_json(&result);
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("report".to_owned(), report);
    }
    json(StatusCode::OK, &answer)
}

/// Deletes an answer.
pub(crate) async fn delete_analysis_result(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<StatusCode> {
    app.engine.analysis_result_delete(on.caller(), &on.id, on.analysis(), on.result()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes every answer to a question, and says how many there were.
pub(crate) async fn delete_analysis_results(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let deleted = app.engine.analysis_results_delete(on.caller(), &on.id, on.analysis()).await?;
    json(StatusCode::OK, &json!({ "deleted": deleted }))
}

/// What is said with a question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    #[serde(default)]
    parameters: Json,
    as_of: Option<String>,
}

fn info_json(analysis: &AnalysisInfo) -> Json {
    json!({
        "name": analysis.name,
        "label": text_json(&analysis.label),
        "description": text_json(&analysis.description),
        "dataset": analysis.dataset,
        "parameters": analysis.parameters,
    })
}

fn result_json(result: &AnalysisResult) -> Json {
    json!({
        "id": result.id.to_string(),
        "job": result.job.to_string(),
        "plugin": result.plugin.as_str(),
        "version": result.version,
        "digest": result.digest,
        "analysis": result.analysis,
        "label": text_json(&result.label),
        "config_digest": result.config_digest,
        "parameters": result.parameters,
        "as_of": as_of_text(result.as_of),
        "log": result.log_number,
        "log_until": result.log_until,
        "rows": result.rows,
        "personal": result.personal,
        "took_ms": result.took_ms,
        "answered_at": timestamp(result.answered_at_ms).map(|time| time.to_string()),
        "asked_by": actor_json(&result.asked_by),
        "summary": text_json(&result.summary),
    })
}
