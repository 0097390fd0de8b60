//! The schema as a whole: exported, compared, applied, and as it was.

use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_model::PluginId;
use trellis_records::{SchemaDocument, SchemaStep};

use super::PERMISSION;
use super::change::{Wish, applied_json};
use crate::extract::{JsonBody, Parameters, PathParts, Requester};
use crate::handlers::records::etag;
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{actor_json, json, timestamp};

/// Versions of a page.
const VERSIONS_MAX: usize = 200;

/// Returns all definitions, as they are or as they were at a version.
pub(crate) async fn get_schema(
    State(app): State<App>,
    requester: Requester,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let version = number(&mut parameters, "version")?;
    parameters.finish()?;
    let (document, version) = match version {
        Some(version) => {
            let found = app.records.schema_at(version).await?;
            (found.ok_or_else(|| Problem::not_found("schema version", version))?, version)
        }
        None => (app.records.schema_export().await?, app.records.schema().version()),
    };
    let mut response = json(StatusCode::OK, &document.to_json())?;
    response.headers_mut().insert(ETAG, etag(version));
    Ok(response)
}

/// Says what applying definitions would do. Changes nothing.
pub(crate) async fn diff_schema(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    let wish = Wish::of(&requester, &headers, parameters)?;
    planned(&app, &SchemaDocument::from_json(&body)?, wish.apply.pack.as_ref()).await
}

/// Makes the objects what the definitions say, all of them or none.
pub(crate) async fn apply_schema(
    State(app): State<App>,
    requester: Requester,
    headers: HeaderMap,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    let wish = Wish::of(&requester, &headers, parameters)?;
    let document = SchemaDocument::from_json(&body)?;
    let (applied, jobs) = app.engine.schema_apply(&requester.caller, document, wish.apply).await?;
    let mut response = json(StatusCode::OK, &applied_json(&applied, &jobs))?;
    response.headers_mut().insert(ETAG, etag(applied.version));
    Ok(response)
}

/// Returns a page of the schema's versions, the newest first.
pub(crate) async fn list_schema_versions(
    State(app): State<App>,
    requester: Requester,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let limit = parameters.take_limit(50, VERSIONS_MAX)?;
    let after = number(&mut parameters, "after")?;
    parameters.finish()?;
    let versions = app.records.schema_versions(after, limit).await?;
    let next = versions.last().filter(|last| versions.len() == limit && last.version > 1);
    let next = next.map(|last| last.version.to_string());
    let data = versions.iter().map(|version| {
        json!({
            "version": version.version, "log_number": version.log_number, "timestamp": timestamp(version.time_ms),
            "actor": actor_json(&version.actor), "objects": version.objects, "steps": version.steps,
        })
    });
    let data: Vec<Json> = data.collect();
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Marks what a pack added as removed. It stays readable, and the pack takes it up again when it comes back.
pub(crate) async fn remove_pack(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let id = path.get("id");
    let pack = PluginId::new(id)
        .map_err(|_| Problem::not_found("pack", id.chars().take(100).collect::<String>()))?;
    let (applied, jobs) = app.engine.schema_remove_pack(&requester.caller, pack).await?;
    json(StatusCode::OK, &applied_json(&applied, &jobs))
}

/// What applying would do.
pub(super) async fn planned(
    app: &App,
    document: &SchemaDocument,
    pack: Option<&PluginId>,
) -> ApiResult<Response> {
    let plan = app.records.schema_plan(document, pack).await?;
    let steps: Vec<Json> = plan.steps.iter().map(SchemaStep::to_json).collect();
    let refused = plan.refused.iter().map(|text| json!({ "en": text.en, "zh-CN": text.zh_cn }));
    let refused: Vec<Json> = refused.collect();
    json(StatusCode::OK, &json!({ "version": plan.version, "steps": steps, "refused": refused }))
}

fn number(parameters: &mut Parameters, name: &str) -> ApiResult<Option<u64>> {
    let number = parameters.take(name)?.map(|text| text.parse()).transpose();
    let message = || trellis_model::bilingual!("`{name}` is a whole number", "`{name}` 为整数");
    number.map_err(|_| Problem::bad_query(name, message()))
}
