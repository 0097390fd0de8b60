//! What plugins learned.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{ModelChoice, ModelInfo, RunRequest};

use super::plugins::{as_of, as_of_text};
use crate::extract::{JsonBody, NoParameters, OnPlugin, Parameters};
use crate::handlers::jobs::JobView;
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{actor_json, json, timestamp};

/// Models of a page.
const MODELS_MAX: usize = 200;

/// Has a plugin learn a model without using it, as a job.
pub(crate) async fn fit_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Fit>,
) -> ApiResult<Response> {
    let as_of = body.as_of.as_deref().map(as_of).transpose()?;
    let request = RunRequest { config: body.config, as_of, ..RunRequest::default() };
    let job = app.engine.plugin_fit(on.caller(), &on.id, request).await?;
    on.accepted(&job)
}

/// Returns a page of what a plugin learned, the newest first.
pub(crate) async fn list_models(
    State(app): State<App>,
    on: OnPlugin,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(50, MODELS_MAX)?;
    let after = parameters.take("after")?;
    let after = after.map(|text| text.parse().map_err(|_| Problem::bad_cursor())).transpose()?;
    parameters.finish()?;
    let page = app.engine.plugin_models(&on.id, after, limit).await?;
    let data: Vec<Json> = page.models.iter().map(model_json).collect();
    let next = page.next.map(|number| number.to_string());
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Returns one model.
pub(crate) async fn get_model(State(app): State<App>, on: OnPlugin, _: NoParameters) -> ApiResult<Response> {
    let model = app.engine.plugin_model(&on.id, on.model()?).await?;
    json(StatusCode::OK, &model_json(&model))
}

/// Has runs use a model until it is unpinned.
pub(crate) async fn pin_model(State(app): State<App>, on: OnPlugin, _: NoParameters) -> ApiResult<Response> {
    let (model, job) = app.engine.model_pin(on.caller(), &on.id, on.model()?).await?;
    let job = job.as_ref().map(|job| JobView::new(job, on.requester().language()));
    json(StatusCode::OK, &json!({ "model": model_json(&model), "job": job }))
}

/// Has runs use what they learn again.
pub(crate) async fn unpin_model(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let model = app.engine.model_unpin(on.caller(), &on.id, on.model()?).await?;
    json(StatusCode::OK, &model_json(&model))
}

/// Goes back (or forth) to a model: evaluates all customers with it, as a job.
pub(crate) async fn activate_model(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Activate>,
) -> ApiResult<Response> {
    let model = ModelChoice::Number(on.model()?);
    let request = RunRequest { model, announce: body.announce, ..RunRequest::default() };
    let job = app.engine.plugin_run(on.caller(), &on.id, request).await?;
    on.accepted(&job)
}

/// What a fit differs in from the plugin's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fit {
    config: Option<Json>,
    as_of: Option<String>,
}

/// How a model is gone back to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Activate {
    /// Whether it is told what changes for each customer.
    #[serde(default)]
    announce: bool,
}

fn model_json(model: &ModelInfo) -> Json {
    json!({
        "model": model.number,
        "plugin": model.plugin.as_str(),
        "version": model.version,
        "digest": model.digest,
        "config": model.config,
        "as_of": as_of_text(model.as_of),
        "log": model.log_number,
        "customers": model.customers,
        "about": model.about,
        "bytes": model.bytes,
        "learned_at": timestamp(model.learned_at_ms).map(|time| time.to_string()),
        "learned_by": actor_json(&model.learned_by),
        "job": model.job.to_string(),
        "kept": model.kept,
        "pinned": model.pinned,
        "in_use": model.in_use,
    })
}
