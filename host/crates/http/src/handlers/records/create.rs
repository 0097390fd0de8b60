use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::whole_record;
use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{FieldMap, parse_fields};

/// Creates a record.
pub(crate) async fn create_record(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<FieldMap>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let object = &path.object;
    let record = app.records.create(&requester.caller, &object.name, parse_fields(object, body)?).await?;
    let mut response = whole_record(StatusCode::CREATED, &requester, object, &record)?;
    let location = format!("/api/v1/{}/{}", object.url_segment(), record.id);
    let location = HeaderValue::from_str(&location).expect("a path of ASCII letters, digits and hyphens");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
