//! Imports that people prepare: upload, mapping, check, mending rows, load.

use std::collections::BTreeMap;

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_engine::{ImportChange, ImportSession, PreparedRow};
use trellis_model::{Language, ObjectName, RecordId};
use trellis_transfer::import::{MappingSpec, ReadOptions};

use super::files::send_file;
use super::jobs;
use super::records::{Spooled, refuse_large};
use crate::extract::{JsonBody, Parameters, PathParts, Requester, check_media_type};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{json, timestamp};

/// Rows of a page.
const ROWS_MAX: usize = 200;
/// Bytes of the name of an object.
const NAME_BYTES_MAX: usize = 100;

/// Takes a file and says what it seems to be.
pub(crate) async fn create_import(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
    request: Request,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator("import")?;
    check_media_type(request.headers(), &["multipart/form-data"])?;
    refuse_large(request.headers(), app.config.import_bytes_max)?;
    let (file, file_name, object) = receive(&app, request).await?;
    let object = object.map(|name| ObjectName::new(&name).map_err(|_| Problem::not_found("object", name)));
    let (object, path) = (object.transpose()?, file.path().to_owned());
    // From here on the file is the engine's, which removes it where it refuses.
    file.keep();
    let user = requester.principal.user;
    let session =
        app.engine.import_create(&requester.caller, user, path, &file_name, object.as_ref()).await?;
    let mut response = json(StatusCode::CREATED, &view(&session, requester.language()))?;
    let location =
        HeaderValue::from_str(&format!("/api/v1/imports/{}", session.id)).expect("a path with an id");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Takes the parts `file` and, optionally, `object`, in any order.
async fn receive(app: &App, request: Request) -> ApiResult<(Spooled, String, Option<String>)> {
    let bad = |en: &str, zh: &str| Problem::new(Code::BadUpload).detail_in_both(en, zh);
    let broken = |error: MultipartError| Problem::new(Code::BadUpload).detail(error.body_text());
    let mut parts =
        Multipart::from_request(request, app).await.map_err(|rejection| bad(&rejection.body_text(), ""))?;
    let (mut file, mut object) = (None, None);
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        match part.name() {
            Some("file") if file.is_none() => {
                let name = part.file_name().unwrap_or("upload.csv").to_owned();
                let path = app.engine.spool_path();
                file = Some((Spooled::receive(path, part, app.config.import_bytes_max).await?, name));
            }
            Some("object") if object.is_none() => {
                let mut bytes = Vec::new();
                while let Some(chunk) = part.chunk().await.map_err(broken)? {
                    bytes.extend_from_slice(&chunk);
                    if bytes.len() > NAME_BYTES_MAX {
                        return Err(bad("`object` is too long", "`object` 过长"));
                    }
                }
                object = Some(String::from_utf8_lossy(&bytes).trim().to_owned());
            }
            _ => {
                return Err(bad(
                    "the parts are `file` (CSV or XLSX) and `object` (an API name), each once",
                    "上传的部分应为 `file`（CSV 或 XLSX）和 `object`（API 名称），各一个",
                ));
            }
        }
    }
    let (file, name) = file.ok_or_else(|| bad("there is no part `file`", "缺少 `file` 部分"))?;
    Ok((file, name, object.filter(|object| !object.is_empty())))
}

/// Returns the imports that the caller prepares, the newest first.
pub(crate) async fn list_imports(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let sessions = app.engine.import_list(requester.principal.user).await?;
    let data: Vec<Json> = sessions.iter().map(|session| view(session, requester.language())).collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// Returns one prepared import.
pub(crate) async fn get_import(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    json(StatusCode::OK, &view(&session, requester.language()))
}

/// What may be changed about a prepared import.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportPatch {
    object: Option<String>,
    mapping: Option<MappingSpec>,
    options: Option<ReadOptions>,
    automations: Option<bool>,
}

/// Changes how a file is read and mapped.
pub(crate) async fn update_import(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<ImportPatch>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    let ImportPatch { object, mapping, options, automations } = body;
    let change = ImportChange { object, mapping, options, automations };
    let session = app.engine.import_change(&requester.caller, session.id.into(), change).await?;
    json(StatusCode::OK, &view(&session, requester.language()))
}

/// Removes a prepared import; what it has loaded stays.
pub(crate) async fn delete_import(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<StatusCode> {
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    app.engine.import_remove(session.id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts a job that says what loading would do.
pub(crate) async fn validate_import(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    let job = app.engine.import_check(&requester.caller, session.id.into()).await?;
    jobs::accepted(&job, requester.language())
}

/// Starts the job that loads the file.
pub(crate) async fn start_import(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    let job = app.engine.import_load(&requester.caller, session.id.into()).await?;
    jobs::accepted(&job, requester.language())
}

/// Returns a page of rows with what is wrong with them.
pub(crate) async fn list_import_rows(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(50, ROWS_MAX)?;
    let wrong_only = parameters.take_flag("errors")?;
    let after = match parameters.take("after")? {
        Some(text) => text.parse().map_err(|_| Problem::bad_cursor())?,
        None => 0,
    };
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    let mut rows = app.engine.import_rows(session.id.into(), after, limit + 1, wrong_only).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.number.to_string());
    let header = session.profile.header();
    let data: Vec<Json> = rows.iter().map(|row| row_view(row, &header, requester.language())).collect();
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// The cells of a row that shall be otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowPatch {
    cells: BTreeMap<String, String>,
}

/// Puts other texts into cells of a row.
pub(crate) async fn update_import_row(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    JsonBody(body): JsonBody<RowPatch>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let (session, row) = (find(&app, &requester, &path).await?, row_number(&path)?);
    let session = app.engine.import_row_change(session.id.into(), row, body.cells).await?;
    json(StatusCode::OK, &view(&session, requester.language()))
}

/// Leaves a row out.
pub(crate) async fn delete_import_row(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<StatusCode> {
    parameters.finish()?;
    let (session, row) = (find(&app, &requester, &path).await?, row_number(&path)?);
    app.engine.import_row_drop(session.id.into(), row).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends the rows that are wrong as a file that can be mended and imported.
pub(crate) async fn get_failed_rows(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let session = find(&app, &requester, &path).await?;
    let file = app.engine.import_failed_rows(session.id.into(), requester.language()).await?;
    send_file(&file, "failed-rows.csv", "text/csv; charset=utf-8").await
}

async fn find(app: &App, requester: &Requester, path: &PathParts) -> ApiResult<ImportSession> {
    requester.require_administrator("import")?;
    let id = path.id("id", "import")?;
    let session = app.engine.import_get(id).await?;
    // Another user's import is no more there than one that never was.
    if RecordId::from(session.user) == requester.principal.user {
        Ok(session)
    } else {
        Err(Problem::not_found("import", id))
    }
}

fn row_number(path: &PathParts) -> ApiResult<u64> {
    let text = path.get("row");
    text.parse().map_err(|_| Problem::not_found("row", text.chars().take(30).collect::<String>()))
}

fn view(session: &ImportSession, language: Language) -> Json {
    let profile = &session.profile;
    let mapped = |name: &str| {
        let columns = &session.mapping.as_ref()?.columns;
        columns
            .iter()
            .find(|column| column.column.as_deref() == Some(name))
            .map(|column| column.field.clone())
    };
    let columns = profile.columns.iter().map(
        |column| json!({ "name": column.name, "samples": column.samples, "field": mapped(&column.name) }),
    );
    let time = |ms| timestamp(ms).map(|time| time.to_string());
    json!({
        "id": session.id.to_string(),
        "file_name": session.file_name,
        "state": session.state.as_str(),
        "created_at": time(session.created_at_ms),
        "changed_at": time(session.changed_at_ms),
        "options": profile.options,
        "sheets": profile.sheets,
        "columns": columns.collect::<Vec<_>>(),
        "rows": profile.rows,
        "header_signature": session.signature(),
        "object": session.mapping.as_ref().map(|mapping| &mapping.object),
        "mapping": session.mapping,
        "mapping_is_saved_one": session.mapping_is_saved_one,
        "automations": session.automations,
        "edited_rows": session.edits.cells.keys().collect::<Vec<_>>(),
        "dropped_rows": session.edits.dropped,
        "checked": jobs::in_language(&session.checked, language),
        "job": session.job.map(|job| job.to_string()),
    })
}

fn row_view(row: &PreparedRow, header: &[String], language: Language) -> Json {
    let cells: serde_json::Map<String, Json> =
        header.iter().zip(&row.cells).map(|(name, text)| (name.clone(), json!(text))).collect();
    let errors = jobs::in_language(&json!({ "errors": row.errors }), language);
    json!({
        "row": row.number,
        "line": row.line,
        "cells": cells,
        "errors": errors.get("errors"),
        "changed": row.changed,
    })
}
