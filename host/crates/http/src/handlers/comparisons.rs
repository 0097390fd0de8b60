//! Versions of plugins compared: dry runs, replays by another version, checks of upgrades, shadows and their promotion.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use semver::Version;
use serde::Deserialize;
use serde_json::Value as Json;
use trellis_engine::{DryRunRequest, ReplayWith, ShadowRequest};

use super::plugins::{PERMISSION, as_of, plugin_id, plugin_json, version_of as version};
use crate::extract::{JsonBody, Parameters, PathParts, Requester, check_media_type};
use crate::handlers::jobs::accepted;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::json;

const WASM: &[&str] = &["application/wasm", "application/octet-stream"];

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
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<DryRun>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let request = DryRunRequest {
        version: body.version.as_deref().map(version).transpose()?,
        config: body.config,
        grants: body.grants,
        as_of: body.as_of.as_deref().map(as_of).transpose()?,
        records_max: body.records_max,
    };
    let job = app.engine.plugin_dry_run(&requester.caller, &plugin_id(&path)?, request).await?;
    accepted(&job, requester.language())
}

/// Does the last runs and decisions of a plugin again with another version, as a job.
pub(crate) async fn check_upgrade(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let version = version_in(&path)?;
    let job = app.engine.plugin_check_upgrade(&requester.caller, &plugin_id(&path)?, &version).await?;
    accepted(&job, requester.language())
}

/// Does a run again with a component that need not be installed, as a job: the body is the component.
pub(crate) async fn replay_run_with(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    request: Request,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    check_media_type(request.headers(), WASM)?;
    let component = Bytes::from_request(request, &app).await;
    let component = component.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Code::BodyTooLarge).member("bytes_max", app.config.plugin_bytes_max)
        }
        _ => Problem::new(Code::BadUpload).detail_in_both("the upload broke off", "上传中断"),
    })?;
    let (id, run) = (plugin_id(&path)?, path.id("run", "run")?);
    let with = ReplayWith::Component(component.to_vec());
    let job = app.engine.run_replay_with(&requester.caller, &id, run, with).await?;
    accepted(&job, requester.language())
}

/// Has a version evaluated beside the one in use from now on.
pub(crate) async fn start_shadow(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<Shadow>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let request =
        ShadowRequest { version: version(&body.version)?, config: body.config, grants: body.grants };
    let started = app.engine.shadow_start(&requester.caller, &plugin_id(&path)?, request).await?;
    json(StatusCode::CREATED, &started)
}

/// Says how the shadow of a plugin does.
pub(crate) async fn get_shadow(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    json(StatusCode::OK, &app.engine.shadow_status(&plugin_id(&path)?).await?)
}

/// Ends the shadow of a plugin.
pub(crate) async fn stop_shadow(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    app.engine.shadow_stop(&requester.caller, &plugin_id(&path)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Uses the version of a plugin's shadow from now on.
pub(crate) async fn promote_plugin(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<Promote>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator(PERMISSION)?;
    let id = plugin_id(&path)?;
    let promoted = app.engine.plugin_promote(&requester.caller, &id, body.ignore_thresholds).await?;
    json(StatusCode::OK, &plugin_json(&promoted))
}

/// A version in a path: what is none is a version that no plugin has.
fn version_in(path: &PathParts) -> ApiResult<Version> {
    let text = path.get("version");
    text.parse().map_err(|_| Problem::not_found("version", text.chars().take(60).collect::<String>()))
}
