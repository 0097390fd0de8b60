//! Records of every object, the standard ones and those that came later.

mod aggregate;
mod along;
mod batch;
mod bulk;
mod conflict;
mod create;
mod delete;
mod find;
mod import;
mod include;
mod list;
mod query_string;
mod restore;
mod search;
mod spool;
mod update;
mod upsert;
mod view;

pub(crate) use aggregate::aggregate_records;
pub(crate) use batch::batch_records;
pub(crate) use bulk::bulk_edit_records;
pub(crate) use create::create_record;
pub(crate) use delete::delete_record;
pub(crate) use find::get_record;
pub(crate) use import::import_records;
pub(super) use import::refuse_large;
pub(crate) use list::list_records;
pub(crate) use restore::restore_record;
pub(crate) use search::search_records;
pub(super) use spool::Spooled;
pub(crate) use update::update_record;
pub(crate) use upsert::upsert_record;

use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value as Json;
use trellis_model::{Language, ObjectDefinition, Record};
use trellis_records::{DuplicateCheck, DuplicateMatch};

use crate::extract::Requester;
use crate::handlers::duplicates::duplicate_warning;
use crate::problem::{Code, Problem};
use crate::wire::{RecordView, View, json};

/// Answers with a whole record and its version as `ETag`.
fn whole_record(
    status: StatusCode,
    requester: &Requester,
    object: &ObjectDefinition,
    record: &Record,
    check: &DuplicateCheck,
) -> Result<Response, Problem> {
    let view = View::all(object, &requester.caller.scope.of(&object.name).readable, None);
    let view = RecordView { record, view: &view, segments: None, quality: None };
    let duplicates: Vec<DuplicateMatch> = check.found().into_values().flatten().collect();
    let mut response = if duplicates.is_empty() {
        json(status, &view)?
    } else {
        json(status, &with_warning(&view, &duplicates, requester.language())?)?
    };
    response.headers_mut().insert(ETAG, etag(record.version));
    Ok(response)
}

/// The record with a word about what it looks like.
fn with_warning(
    view: &RecordView<'_>,
    duplicates: &[DuplicateMatch],
    language: Language,
) -> Result<Json, Problem> {
    let mut record = serde_json::to_value(view).map_err(|error| Problem::internal(&error))?;
    if let Some(record) = record.as_object_mut() {
        let warning = duplicate_warning(duplicates, language);
        record.insert("warnings".into(), Json::Array(vec![warning]));
    }
    Ok(record)
}

pub(in crate::handlers) fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes")
}

/// The version that the caller had read, from `If-Match: "<version>"`. `*` and no header mean any.
pub(in crate::handlers) fn expected_version(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(header) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version =
        text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| {
        let (en, zh) = (
            "`If-Match` takes the `ETag` of the record, quotes included",
            "`If-Match` 需为该记录的 `ETag`（含引号）",
        );
        Problem::new(Code::BadHeader).detail_in_both(en, zh)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_comes_back_as_the_version() {
        let check = |header: &HeaderValue, expected: Option<Option<u64>>| {
            let headers = HeaderMap::from_iter([(IF_MATCH, header.clone())]);
            assert_eq!(expected_version(&headers).ok(), expected, "{header:?}");
        };
        check(&etag(42), Some(Some(42)));
        check(&HeaderValue::from_static("*"), Some(None));
        check(&HeaderValue::from_static("42"), None);
        check(&HeaderValue::from_static("W/\"42\""), None);
        assert_eq!(expected_version(&HeaderMap::new()).ok(), Some(None));
    }
}
