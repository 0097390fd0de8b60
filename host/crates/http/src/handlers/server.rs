//! What this server is.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_engine::{WASMTIME_VERSION, WitRange, supported_wit};

use crate::extract::{Parameters, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::json;

/// Versions, so that a registry or an author can tell which plugins run here; base currency and time zone, so that a client shows amounts
/// and days as the organisation means them.
pub(crate) async fn get_server(
    State(app): State<App>,
    _requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let range = |range: WitRange| json!({ "from": range.from.to_string(), "to": range.to.to_string() });
    let wit: Vec<Json> = supported_wit().into_iter().map(range).collect();
    let organisation = app.records.config();
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"), "wit": wit, "wasmtime": WASMTIME_VERSION,
        "base_currency": organisation.base_currency.as_str(),
        "time_zone": organisation.time_zone.iana_name().unwrap_or("UTC"),
    });
    json(StatusCode::OK, &body)
}
