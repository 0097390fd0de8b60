//! The shapes of the API, apart from those of the domain: a field renamed here never touches the disk.

mod changes;
mod fields;
pub(crate) mod prometheus;
mod reasons;
mod record;
mod time;
mod value;

pub(crate) use changes::{actor_json, entry_json};
pub(crate) use fields::{FieldMap, parse_changes, parse_fields};
pub(crate) use reasons::reasons_json;
pub(crate) use record::{QualityView, RecordView, View};
pub(crate) use time::{parse_time, timestamp};
pub(crate) use value::ValueView;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::problem::Problem;

/// What most single records fit in, so that writing one allocates once.
const ANSWER_BYTES: usize = 1 << 10;

/// Writes a JSON answer. The shapes of this crate cannot fail to serialise; should one, it is a bug and an answer of 500.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut bytes, value).map_err(|error| Problem::internal(&error))?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
