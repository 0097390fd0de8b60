//! Versions of plugins compared: dry runs, replays by another version, checks of upgrades, shadows and their promotion.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value as Json;
use trellis_engine::{DryRunRequest, ShadowRequest};

use super::plugins::{as_of, plugin_json, version_of as version};
use crate::extract::{JsonBody, NoParameters, OnPlugin};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::json;

/// What a dry run evaluates, where it differs from how the plugin is used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRun {
    version: Option<String>,
    config: Option<Json>,
    grants: Option<Vec<String>>,
    as_of: Option<String>,
    records_max: Option<u64>,
}

/// The version of a shadow, with how it would be used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shadow {
    version: String,
    config: Option<Json>,
    grants: Option<Vec<String>>,
}

/// Whether a version is promoted whatever the comparison says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promote {
    #[serde(default)]
    ignore_thresholds: bool,
}

/// Evaluates a version of a plugin beside what there is now, as a job. Applies nothing.
pub(crate) async fn dry_run_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<DryRun>,
) -> ApiResult<Response> {
    let request = DryRunRequest {
        version: body.version.as_deref().map(version).transpose()?,
        config: body.config,
        grants: body.grants,
        as_of: body.as_of.as_deref().map(as_of).transpose()?,
        records_max: body.records_max,
    };
    let job = app.engine.plugin_dry_run(on.caller(), &on.id, request).await?;
    on.accepted(&job)
}

/// Does the last runs and decisions of a plugin again with another version, as a job.
pub(crate) async fn check_upgrade(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    let job = app.engine.plugin_check_upgrade(on.caller(), &on.id, &on.version()?).await?;
    on.accepted(&job)
}

/// Has a version evaluated beside the one in use from now on.
pub(crate) async fn start_shadow(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Shadow>,
) -> ApiResult<Response> {
    let request =
        ShadowRequest { version: version(&body.version)?, config: body.config, grants: body.grants };
    let started = app.engine.shadow_start(on.caller(), &on.id, request).await?;
    json(StatusCode::CREATED, &started)
}

/// Says how the shadow of a plugin does.
pub(crate) async fn get_shadow(State(app): State<App>, on: OnPlugin, _: NoParameters) -> ApiResult<Response> {
    json(StatusCode::OK, &app.engine.shadow_status(&on.id).await?)
}

/// Says what the shadow of a plugin came to for one record in the last run.
pub(crate) async fn get_shadow_row(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    json(StatusCode::OK, &app.engine.shadow_row(on.caller(), &on.id, on.record()?).await?)
}

/// Ends the shadow of a plugin.
pub(crate) async fn stop_shadow(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
) -> ApiResult<Response> {
    app.engine.shadow_stop(on.caller(), &on.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Uses the version of a plugin's shadow from now on.
pub(crate) async fn promote_plugin(
    State(app): State<App>,
    on: OnPlugin,
    _: NoParameters,
    JsonBody(body): JsonBody<Promote>,
) -> ApiResult<Response> {
    let promoted = app.engine.plugin_promote(on.caller(), &on.id, body.ignore_thresholds).await?;
    json(StatusCode::OK, &plugin_json(&promoted))
}
