//! Possible duplicates: of one record, and among all of an object.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_model::{FieldName, Language, RecordId, Text};
use trellis_records::{DuplicateCheck, DuplicateMatch};

use super::jobs::accepted;
use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{FieldMap, json, parse_fields};

/// The header of a caller who knows and saves all the same.
const SKIP: &str = "x-skip-duplicate-check";

/// What is compared: fields, or a stored record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckBody {
    id: Option<String>,
    fields: Option<FieldMap>,
}

/// By which rule is scanned.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanBody {
    rule: Option<String>,
}

/// Returns the records that look like one, which need not be stored.
pub(crate) async fn check_duplicates(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<CheckBody>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let (object, scope) = (&path.object, &requester.caller.scope);
    let id = body.id.map(|id| parse_id(object.name.as_str(), &id)).transpose()?;
    let found = match (body.fields, id) {
        (Some(fields), id) => {
            app.records.duplicates_of(scope, &object.name, parse_fields(object, fields)?, id).await?
        }
        (None, Some(id)) => app.records.duplicates_of_record(scope, &object.name, id).await?,
        (None, None) => {
            let text = Text::new("give `fields`, `id`, or both", "请提供 `fields`、`id` 或两者");
            return Err(Problem::new(Code::ValidationError).field("fields", "required", text));
        }
    };
    let skipped: Vec<&str> = found.skipped_blocks.iter().map(FieldName::as_str).collect();
    let answer = json!({
        "data": duplicates_json(&found.matches),
        "compared": found.compared,
        "skipped_blocks": skipped,
    });
    json(StatusCode::OK, &answer)
}

/// Starts a job that fills the queue of possible duplicates of an object.
pub(crate) async fn scan_duplicates(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<ScanBody>,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator("duplicates")?;
    let rule = body.rule.map(|rule| FieldName::new(&rule)).transpose()?;
    let job = app.engine.duplicate_scan(&requester.caller, &path.object.name, rule.as_ref()).await?;
    accepted(&job, requester.language())
}

/// Records that another looks like, as answers and problems name them.
pub(crate) fn duplicates_json(duplicates: &[DuplicateMatch]) -> Json {
    let one = |found: &DuplicateMatch| {
        let matched_on: Vec<&str> = found.matched_on.iter().map(FieldName::as_str).collect();
        json!({ "id": found.id.to_string(), "rule": found.rule.as_str(), "score": found.score, "matched_on": matched_on })
    };
    duplicates.iter().map(one).collect()
}

/// The word of a save about what the record looks like.
pub(crate) fn duplicate_warning(duplicates: &[DuplicateMatch], language: Language) -> Json {
    let text = Text::new("this looks like a record that is there already", "与已有的记录疑似重复");
    json!({ "code": "DUPLICATE", "message": text.get(language), "duplicates": duplicates_json(duplicates) })
}

/// Whether a save is to look for duplicates.
pub(crate) fn check_of(headers: &HeaderMap) -> ApiResult<DuplicateCheck> {
    match headers.get(SKIP).map(|value| value.to_str().unwrap_or_default()) {
        None | Some("false") => Ok(DuplicateCheck::attended()),
        Some("true") => Ok(DuplicateCheck::skipped()),
        Some(_) => Err(Problem::new(Code::BadHeader).detail_in_both(
            "`X-Skip-Duplicate-Check` is true or false",
            "`X-Skip-Duplicate-Check` 只接受 true 或 false",
        )),
    }
}

/// An id of a body: a malformed one is an id that no record has.
pub(super) fn parse_id(object: &str, id: &str) -> ApiResult<RecordId> {
    RecordId::parse(id).map_err(|_| Problem::not_found(object, id.chars().take(100).collect::<String>()))
}
