use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use semver::Version;
use trellis_engine::Job;
use trellis_model::{PluginId, RecordId};
use trellis_records::Caller;

use super::{Parameters, PathParts, Requester, check_media_type};
use crate::handlers::jobs::accepted;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;

/// What rights on plugins are called.
const PERMISSION: &str = "plugins";
const WASM: &[&str] = &["application/wasm", "application/octet-stream"];
/// Characters of what a path names that are quoted.
const QUOTED_CHARS_MAX: usize = 60;

/// An administrator who asks about plugins. Everybody else is answered 403.
#[derive(Debug)]
pub(crate) struct PluginAdministrator(pub(crate) Requester);

/// `/plugins/{id}…`, asked for by an administrator. A malformed id is an id that no plugin has.
#[derive(Debug)]
pub(crate) struct OnPlugin {
    pub(crate) id: PluginId,
    requester: Requester,
    path: PathParts,
}

/// No parameters in the query string; one that is there is refused.
#[derive(Debug)]
pub(crate) struct NoParameters;

/// A body that is a component.
#[derive(Debug)]
pub(crate) struct WasmBody(pub(crate) Bytes);

impl PluginAdministrator {
    pub(crate) fn caller(&self) -> &Caller {
        &self.0.caller
    }
}

impl OnPlugin {
    pub(crate) fn caller(&self) -> &Caller {
        &self.requester.caller
    }

    pub(crate) fn requester(&self) -> &Requester {
        &self.requester
    }

    /// The version that the path names: what is none is a version that no plugin has.
    pub(crate) fn version(&self) -> ApiResult<Version> {
        self.part("version")
    }

    /// The number of the model that the path names.
    pub(crate) fn model(&self) -> ApiResult<u32> {
        self.part("model")
    }

    /// The question that the path names.
    pub(crate) fn analysis(&self) -> &str {
        self.path.get("analysis")
    }

    /// The answer that the path names.
    pub(crate) fn result(&self) -> ApiResult<RecordId> {
        self.path.id("result", "result")
    }

    /// The run that the path names.
    pub(crate) fn run(&self) -> ApiResult<RecordId> {
        self.path.id("run", "run")
    }

    /// The record that the path names.
    pub(crate) fn record(&self) -> ApiResult<RecordId> {
        self.path.id("record", "record")
    }

    /// Answers 202 with a job and where to follow it.
    pub(crate) fn accepted(&self, job: &Job) -> ApiResult<Response> {
        accepted(job, self.requester.language())
    }

    fn part<T: std::str::FromStr>(&self, name: &str) -> ApiResult<T> {
        let text = self.path.get(name);
        text.parse().map_err(|_| Problem::not_found(name, quoted(text)))
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).collect()
}

impl FromRequestParts<App> for PluginAdministrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let requester = Requester::from_request_parts(parts, app).await?;
        requester.require_administrator(PERMISSION)?;
        Ok(Self(requester))
    }
}

impl FromRequestParts<App> for OnPlugin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let PluginAdministrator(requester) = PluginAdministrator::from_request_parts(parts, app).await?;
        let path = PathParts::from_request_parts(parts, app).await?;
        let id = path.get("id");
        let id = PluginId::new(id).map_err(|_| Problem::not_found("plugin", quoted(id)))?;
        Ok(Self { id, requester, path })
    }
}

impl FromRequestParts<App> for NoParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Parameters::from_request_parts(parts, app).await?.finish()?;
        Ok(Self)
    }
}

impl WasmBody {
    /// Whether a request says that its body is a component.
    pub(crate) fn is_sent(request: &Request) -> bool {
        check_media_type(request.headers(), WASM).is_ok()
    }
}

impl FromRequest<App> for WasmBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        check_media_type(request.headers(), WASM)?;
        let body = Bytes::from_request(request, app).await;
        body.map(Self).map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(Code::BodyTooLarge).member("bytes_max", app.config.plugin_bytes_max)
            }
            _ => Problem::new(Code::BadUpload).detail_in_both("the upload broke off", "上传中断"),
        })
    }
}
