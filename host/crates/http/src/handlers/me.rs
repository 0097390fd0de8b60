//! Who asks.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use trellis_model::{ObjectName, Value};

use crate::extract::{Parameters, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::json;

/// Says whose token it is. The name is null to those who may not read users.
pub(crate) async fn get_me(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let principal = &requester.principal;
    let users = ObjectName::new("user").expect("a checked name");
    let record = app.records.get(&requester.caller.scope, &users, principal.user).await?;
    let schema = app.records.schema();
    let field = schema.object(users.as_str()).and_then(|object| object.field("name"));
    let value = record.as_ref().zip(field).and_then(|(record, field)| record.fields.get(&field.id));
    let name = match value {
        Some(Value::Text(name)) => Some(name.as_str()),
        _ => None,
    };
    let body = json!({
        "user": principal.user.to_string(),
        "username": &*principal.username,
        "name": name,
        "token": principal.token_id.to_string(),
        "administrator": principal.administrator,
    });
    json(StatusCode::OK, &body)
}
