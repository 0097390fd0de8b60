//! What a supervisor asks. No token needed, and nothing about the data in the answers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use crate::extract::Parameters;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::json;

/// Answers as long as the process serves requests.
pub(crate) async fn get_health(parameters: Parameters) -> ApiResult<Response> {
    parameters.finish()?;
    json(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Answers 200 when the server can do its work, 503 with what is wrong otherwise.
pub(crate) async fn get_readiness(State(app): State<App>, parameters: Parameters) -> ApiResult<Response> {
    parameters.finish()?;
    let checks = app.health.checks().await;
    let ready = checks.iter().all(|check| check.problem.is_none());
    let checks: Map<String, Json> = checks
        .into_iter()
        .map(|check| (check.name, json!(check.problem.unwrap_or_else(|| "ok".into()))))
        .collect();
    if ready {
        json(StatusCode::OK, &json!({ "status": "ready", "checks": checks }))
    } else {
        Err(Problem::new(Code::NotReady).member("checks", checks).retry_after(5))
    }
}
