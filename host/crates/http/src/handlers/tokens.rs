//! API tokens.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_access::{TokenId, TokenInfo, TokenOptions};
use trellis_model::{RecordId, Text};

use crate::extract::{JsonBody, Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{json, parse_time, timestamp};

const PERMISSION: &str = "tokens";

/// Makes a token. Its text is in this answer and nowhere else.
pub(crate) async fn create_token(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
    JsonBody(body): JsonBody<NewToken>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let invalid = |field: &str, en: &str, zh: &str| {
        Problem::new(Code::ValidationError).field(field, "invalid_type", Text::new(en, zh))
    };
    let user = body.user.as_deref().map_or(Ok(requester.principal.user), RecordId::parse);
    let user = user.map_err(|_| invalid("user", "`user` is the id of a user", "`user` 需为用户的 ID"))?;
    if user != requester.principal.user {
        requester.require_administrator(PERMISSION)?;
    }
    let expires_at = body.expires_at.map(|text| {
        parse_time(&text).ok_or_else(|| {
            invalid("expires_at", "`expires_at` is a time (RFC 3339)", "`expires_at` 需为时间（RFC 3339）")
        })
    });
    let options = TokenOptions { label: body.label, expires_at_ms: expires_at.transpose()? };
    let new = app.access.create_token(&requester.caller, user, options).await?;
    let mut body = token_json(&new.info);
    body.as_object_mut().expect("made as an object").insert("token".into(), json!(new.token));
    json(StatusCode::CREATED, &body)
}

/// Returns tokens without their secrets: every one to the administrator, their own to the others.
pub(crate) async fn list_tokens(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let tokens = app.access.list_tokens();
    let data: Vec<Json> = tokens.iter().filter(|token| visible(token, &requester)).map(token_json).collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// Ends a token.
pub(crate) async fn revoke_token(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<StatusCode> {
    parameters.finish()?;
    let text = path.get("id");
    let known = TokenId::parse(text).filter(|id| {
        app.access.list_tokens().iter().any(|token| token.id == *id && visible(token, &requester))
    });
    let id = known.ok_or_else(|| Problem::not_found("token", text.chars().take(60).collect::<String>()))?;
    app.access.revoke_token(&requester.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token that is asked for; without a user it is the caller's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    label: String,
    user: Option<String>,
    expires_at: Option<String>,
}

fn visible(token: &TokenInfo, requester: &Requester) -> bool {
    token.user == requester.principal.user || requester.principal.administrator
}

fn token_json(token: &TokenInfo) -> Json {
    let time = |ms| timestamp(ms).map(|time| time.to_string());
    json!({
        "id": token.id.to_string(),
        "user": token.user.to_string(),
        "label": token.label,
        "created_at": time(token.created_at_ms),
        "expires_at": token.expires_at_ms.and_then(time),
        "last_used_at": token.last_used_at_ms.and_then(time),
    })
}
