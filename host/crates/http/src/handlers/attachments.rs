//! Files that belong to records.

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json as object_of;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use trellis_engine::{AttachmentContent, Upload};
use trellis_model::{Filter, ObjectName, Sort};
use trellis_records::{Cursor, Query};

use super::records::Spooled;
use crate::extract::{Parameters, PathParts, RecordPath, Requester, check_media_type};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{RecordView, View, json};

const MULTIPART: &str = "multipart/form-data";
/// Bytes of the parts beside the file.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// Bytes that are read of a file at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Adds a file to a record: the part `file`, and optionally `name` and `description`.
pub(crate) async fn add_record_attachment(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
    request: Request,
) -> ApiResult<Response> {
    parameters.finish()?;
    check_media_type(request.headers(), &[MULTIPART])?;
    let (file, upload) = receive(&app, request).await?;
    // From here on the file is the engine's.
    file.keep();
    let added = app.engine.attachment_add(&requester.caller, &path.object.name, path.id, upload).await?;
    let schema = app.records.schema();
    let definition =
        schema.object_by_id(added.object).ok_or_else(|| Problem::not_found("object", "attachment"))?;
    let readable = &requester.caller.scope.of(&definition.name).readable;
    let view = View::all(definition, readable, None);
    let mut response = json(
        StatusCode::CREATED,
        &RecordView { record: &added, view: &view, segments: None, quality: None },
    )?;
    let location =
        HeaderValue::from_str(&format!("/api/v1/attachments/{}", added.id)).expect("a path with an id");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Returns a page of a record's attachments, the newest first.
pub(crate) async fn list_record_attachments(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limits = app.records.config().limits;
    let limit = parameters.take_limit(limits.page_rows_default, limits.page_rows_max)?;
    let after = parameters.take("after")?.map(|text| Cursor::parse(&text)).transpose();
    let after = after.map_err(|error| Problem::bad_query("after", error.text()))?;
    parameters.finish()?;

    let scope = &requester.caller.scope;
    if app.records.get(scope, &path.object.name, path.id).await?.is_none() {
        return Err(Problem::not_found(path.object.name.as_str(), path.id));
    }
    let schema = app.records.schema();
    let name = ObjectName::new("attachment")?;
    let definition = schema.object(name.as_str()).ok_or_else(|| Problem::not_found("object", &name))?;
    let filter = object_of!({ "and": [
        { "field": "parent_object", "op": "eq", "value": path.object.name.as_str() },
        { "field": "parent_id", "op": "eq", "value": path.id.to_string() },
    ]});
    let query = Query {
        filter: Filter::parse(&filter)?,
        sort: Sort::parse_list("-created_at")?,
        limit,
        after,
        ..Query::new(name.clone())
    };
    let page = app.records.list(scope, &query).await?;
    let view = View::all(definition, &scope.of(&name).readable, None);
    let data: Vec<_> = page
        .records
        .iter()
        .map(|record| RecordView { record, view: &view, segments: None, quality: None })
        .collect();
    let next = page.next.map(|next| next.to_string());
    json(StatusCode::OK, &object_of!({ "data": data, "page": { "next": next, "limit": limit } }))
}

/// Returns the content of an attachment, always as a file to be saved: nothing that somebody uploaded is shown in this server's name.
pub(crate) async fn get_attachment_content(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
    headers: HeaderMap,
) -> ApiResult<Response> {
    parameters.finish()?;
    let id = path.id("id", "attachment")?;
    let content = app.engine.attachment_content(&requester.caller.scope, id).await?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", content.digest)).expect("hex in quotes");
    if headers.get(IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let file = File::open(&content.path).await.map_err(|error| Problem::internal(&error))?;
    let mut response = Response::new(Body::from_stream(chunks(file)));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_str(&content.media_type);
    headers.insert(CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(content.bytes));
    headers.insert(CONTENT_DISPOSITION, disposition(&content));
    headers.insert(ETAG, etag);
    Ok(response)
}

fn chunks(file: File) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let count = file.read(&mut chunk).await?;
        chunk.truncate(count);
        Ok((count > 0).then(|| (Bytes::from(chunk), file)))
    })
}

/// The name in ASCII for old clients, and whole, percent-encoded, for all others.
fn disposition(content: &AttachmentContent) -> HeaderValue {
    let plain = |character: char| match character {
        '"' | '\\' => '_',
        ' '..='~' => character,
        _ => '_',
    };
    let ascii: String = content.name.chars().map(plain).collect();
    let encoded: String = content
        .name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Takes the parts in any order.
async fn receive(app: &App, request: Request) -> ApiResult<(Spooled, Upload)> {
    let mut parts =
        Multipart::from_request(request, app).await.map_err(|rejection| bad(&rejection.body_text(), ""))?;
    let (mut file, mut name, mut description) = (None, None, None);
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name() {
            Some("file") if file.is_none() => {
                let said = part.file_name().unwrap_or_default().to_owned();
                let media_type = part.content_type().map(str::to_owned);
                let received =
                    Spooled::receive(app.engine.upload_path(), part, app.config.attachment_bytes_max).await?;
                file = Some((received, said, media_type));
            }
            Some("name") if name.is_none() => name = Some(text(part).await?),
            Some("description") if description.is_none() => description = Some(text(part).await?),
            _ => {
                return Err(bad(
                    "the parts are `file`, and optionally `name` and `description`, each once",
                    "上传的部分为 `file`，以及可选的 `name` 和 `description`，各一个",
                ));
            }
        }
    }
    let (file, said, media_type) = file.ok_or_else(|| bad("there is no part `file`", "缺少 `file` 部分"))?;
    let upload = Upload {
        file: file.path().to_owned(),
        name: name.filter(|name| !name.trim().is_empty()).unwrap_or(said),
        media_type,
        description: description.filter(|description| !description.is_empty()),
    };
    Ok((file, upload))
}

async fn text(mut part: Field<'_>) -> ApiResult<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(Problem::new(Code::BodyTooLarge).member("bytes_max", TEXT_BYTES_MAX));
        }
    }
    String::from_utf8(bytes).map_err(|_| bad("a part is not UTF-8", "有部分不是 UTF-8 编码"))
}

fn bad(en: &str, zh: &str) -> Problem {
    Problem::new(Code::BadUpload).detail_in_both(en, zh)
}

fn broken(error: MultipartError) -> Problem {
    Problem::new(Code::BadUpload).detail(error.body_text())
}
