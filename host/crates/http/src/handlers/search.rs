//! Text in records of all objects.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_model::{ObjectName, Text};
use trellis_records::FoundRecord;

use super::jobs::accepted;
use crate::extract::{Parameters, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::json;

/// Records of an answer at most.
const FOUND_MAX: usize = 100;

/// Returns the records of all objects, or of some, that a text finds, the best first.
pub(crate) async fn find_records(
    State(app): State<App>,
    requester: Requester,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let text = parameters.take("q")?.ok_or_else(|| {
        Problem::bad_query("q", Text::new("`q` says what to look for", "请用 `q` 说明要查找的内容"))
    })?;
    let objects = parameters.take("objects")?;
    let limit = parameters.take_limit(20, FOUND_MAX)?;
    let wait = parameters.take_flag("wait")?;
    parameters.finish()?;
    let objects = objects.map(|names| objects_of(&app, &names)).transpose()?.unwrap_or_default();
    let search = app.records.text_search()?;
    if wait {
        search.caught_up(app.records.log_head()).await?;
    }
    let found = search.find(&requester.caller.scope, &objects, &text, limit).await?;
    json(StatusCode::OK, &json!({ "data": found.iter().map(found_json).collect::<Vec<_>>() }))
}

/// Builds the index anew, as a job.
pub(crate) async fn rebuild_search(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator("search")?;
    let job = app.engine.search_rebuild(&requester.caller).await?;
    accepted(&job, requester.language())
}

/// The objects of a list of URL segments: `accounts,order-lines`.
fn objects_of(app: &App, segments: &str) -> ApiResult<Vec<ObjectName>> {
    let schema = app.records.schema();
    let object = |segment: &str| {
        let object = schema.object_by_url(segment.trim()).map(|object| object.name.clone());
        object.ok_or_else(|| Problem::not_found("object", segment.chars().take(100).collect::<String>()))
    };
    segments.split(',').map(object).collect()
}

fn found_json(found: &FoundRecord) -> Json {
    json!({ "object": found.object.as_str(), "id": found.id.to_string(), "title": found.title, "score": found.score })
}
