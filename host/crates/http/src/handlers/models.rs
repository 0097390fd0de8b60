//! What plugins learned.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{LearnedBy, ModelChoice, ModelInfo, Report, RunRequest, ShownModel};

use super::plugins::{as_of, as_of_text};
use crate::extract::{JsonBody, NoParameters, OnPlugin, Parameters};
use crate::handlers::jobs::JobView;
use crate::problem::{ApiResult, Code, Problem};
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

/// Returns what a plugin shows of one model.
pub(crate) async fn get_model_report(
    State(app): State<App>,
    on: OnPlugin,
    parameters: Parameters,
) -> ApiResult<Response> {
    let learned_by = learned_by(parameters)?;
    let shown = app.engine.model_report(&on.id, on.model()?).await?;
    json(StatusCode::OK, &shown_json(&shown, learned_by)?)
}

/// Returns what a plugin shows of the model of its current results.
pub(crate) async fn get_plugin_report(
    State(app): State<App>,
    on: OnPlugin,
    parameters: Parameters,
) -> ApiResult<Response> {
    let learned_by = learned_by(parameters)?;
    let shown = app.engine.model_report_in_use(&on.id).await?;
    json(StatusCode::OK, &shown_json(&shown, learned_by)?)
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

/// Which part of a model is asked for, of a plugin that learns with both interfaces.
fn learned_by(mut parameters: Parameters) -> ApiResult<Option<LearnedBy>> {
    let name = parameters.take("learned_by")?;
    parameters.finish()?;
    let unknown = |name: &str| {
        let name = name.chars().take(60).collect::<String>();
        Problem::new(Code::BadQuery).detail_in_both(
            format!("`learned_by`: `{name}` is neither `segmentation` nor `scoring`"),
            format!("`learned_by`：`{name}` 既不是 `segmentation` 也不是 `scoring`"),
        )
    };
    name.map(|name| LearnedBy::named(&name).ok_or_else(|| unknown(&name))).transpose()
}

/// The part that is asked for, else the first.
fn shown_json(shown: &ShownModel, learned_by: Option<LearnedBy>) -> ApiResult<Json> {
    let mut reports = shown.reports.iter();
    let found = reports.find(|(by, _)| learned_by.is_none_or(|wanted| wanted == *by));
    let (by, report) = found.ok_or_else(|| {
        Problem::not_found("model learned by", learned_by.map_or("any interface", LearnedBy::name))
    })?;
    let facts = json!({
        "plugin": shown.plugin.as_str(),
        "version": shown.version,
        "digest": shown.digest,
        "model": shown.model,
        "learned_by": by.name(),
        "interfaces": shown.reports.iter().map(|(by, _)| by.name()).collect::<Vec<_>>(),
    });
    Ok(report_with(facts, report))
}

/// A report with what it is about.
pub(super) fn report_with(mut facts: Json, report: &Report) -> Json {
    if let (Some(facts), Json::Object(report)) = (facts.as_object_mut(), report.to_json()) {
        facts.extend(report);
    }
    facts
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
