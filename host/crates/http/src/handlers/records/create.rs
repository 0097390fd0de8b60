use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use trellis_access::Claim;
use trellis_model::{Fields, ObjectDefinition, Record};
use trellis_records::{DuplicateCheck, Error, Write};

use super::whole_record;
use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::handlers::duplicates::check_of;
use crate::idempotency::Once;
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{FieldMap, parse_fields};

/// Creates a record.
pub(crate) async fn create_record(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    once: Once,
    headers: HeaderMap,
    JsonBody(body): JsonBody<FieldMap>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let object = &path.object;
    let fields = parse_fields(object, body)?;
    let check = check_of(&headers)?;
    let record = match once.0 {
        None => {
            let write = Write::Create { object: object.name.clone(), fields, id: None };
            let written = app.records.write_checked(&requester.caller, write, &check).await?;
            written.record().cloned().expect("a create leaves a record")
        }
        Some(claim) => create_once(&app, &requester, object, fields, &claim, &check).await?,
    };
    let mut response = whole_record(StatusCode::CREATED, &requester, object, &record, &check)?;
    let location = format!("/api/v1/{}/{}", object.url_segment(), record.id);
    let location = HeaderValue::from_str(&location).expect("a path of ASCII letters, digits and hyphens");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Creates a record with an id that is committed with the request's key: an attempt that was cut off after its commit is found again.
async fn create_once(
    app: &App,
    requester: &Requester,
    object: &ObjectDefinition,
    fields: Fields,
    claim: &Claim,
    check: &DuplicateCheck,
) -> ApiResult<Record> {
    let new = || app.records.ids().record_id(app.records.clock().now_ms());
    let id = claim.ids().first().copied().unwrap_or_else(new);
    let caller = &requester.caller;
    let write = Write::Create { object: object.name.clone(), fields, id: Some(id) };
    let mark = |_: usize| vec![claim.mark(&[id])];
    let mut written = app.records.write_batch_checked(caller, vec![write], &mark, check).await?;
    match written.pop().expect("one result for one write") {
        Ok(written) => Ok(written.record().cloned().expect("a create leaves a record")),
        Err(Error::Duplicate { field, holder, .. }) if field.as_str() == "id" && holder == id => {
            let record = app.records.get(&caller.scope, &object.name, id).await?;
            record.ok_or_else(|| Problem::not_found(object.name.as_str(), id))
        }
        Err(error) => Err(error.into()),
    }
}
