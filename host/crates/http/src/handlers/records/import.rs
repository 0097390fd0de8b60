use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::header::{CONTENT_LENGTH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::spool::Spooled;
use crate::extract::{ObjectPath, Parameters, Requester, check_media_type};
use crate::handlers::jobs::JobView;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::json;

const CSV: &str = "text/csv";
const MULTIPART: &str = "multipart/form-data";

/// Takes a CSV file, alone or with a mapping, and starts a job that loads it.
pub(crate) async fn import_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    request: Request,
) -> ApiResult<Response> {
    parameters.finish()?;
    requester.require_administrator("import")?;
    let media_type = check_media_type(request.headers(), &[CSV, MULTIPART])?;
    refuse_large(request.headers(), app.config.import_bytes_max)?;
    let upload = if media_type == CSV {
        receive_csv(&app, request.into_body()).await?
    } else {
        receive_parts(&app, request).await?
    };

    let (object, file) = (&path.object.name, upload.file.path().to_owned());
    // From here on the file is the engine's, which removes it where it refuses.
    upload.file.keep();
    let job =
        app.engine.import_start(&requester.caller, object, upload.mapping, file, &upload.file_name).await?;
    let mut response = json(StatusCode::ACCEPTED, &JobView::new(&job, requester.language()))?;
    let location = HeaderValue::from_str(&format!("/api/v1/jobs/{}", job.id)).expect("a path with an id");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// What an import is made of.
#[derive(Debug)]
struct Upload {
    file: Spooled,
    file_name: String,
    mapping: Option<String>,
}

/// Refuses by the announced length, before a byte is written. What lies about its length is cut while it is received.
pub(in crate::handlers) fn refuse_large(headers: &HeaderMap, bytes_max: u64) -> ApiResult<()> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    match length {
        Some(bytes) if bytes > bytes_max => {
            Err(Problem::new(Code::BodyTooLarge).member("bytes_max", bytes_max))
        }
        _ => Ok(()),
    }
}

async fn receive_csv(app: &App, body: Body) -> ApiResult<Upload> {
    let file =
        Spooled::receive(app.engine.spool_path(), body.into_data_stream(), app.config.import_bytes_max)
            .await?;
    Ok(Upload { file, file_name: "upload.csv".into(), mapping: None })
}

/// Takes the parts `file` and, optionally, `map`, in any order.
async fn receive_parts(app: &App, request: Request) -> ApiResult<Upload> {
    let bad = |en: &str, zh: &str| Problem::new(Code::BadUpload).detail_in_both(en, zh);
    let mut parts =
        Multipart::from_request(request, app).await.map_err(|rejection| bad(&rejection.body_text(), ""))?;
    let (mut file, mut mapping) = (None, None);
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name() {
            Some("file") if file.is_none() => {
                let file_name = part.file_name().unwrap_or("upload.csv").to_owned();
                let spooled =
                    Spooled::receive(app.engine.spool_path(), part, app.config.import_bytes_max).await?;
                file = Some((spooled, file_name));
            }
            Some("map") if mapping.is_none() => {
                mapping = Some(text(part, app.config.mapping_bytes_max).await?)
            }
            Some("file" | "map") => {
                return Err(bad("`file` and `map` may be there once", "`file` 和 `map` 各只能有一个"));
            }
            _ => {
                return Err(bad(
                    "the parts are `file` (CSV) and `map` (TOML)",
                    "上传的部分应为 `file`（CSV）和 `map`（TOML）",
                ));
            }
        }
    }
    let (file, file_name) = file.ok_or_else(|| bad("there is no part `file`", "缺少 `file` 部分"))?;
    Ok(Upload { file, file_name, mapping })
}

async fn text(mut part: Field<'_>, bytes_max: usize) -> ApiResult<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > bytes_max {
            return Err(Problem::new(Code::BodyTooLarge)
                .detail_in_both("the mapping is too large", "映射过大")
                .member("bytes_max", bytes_max));
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(Code::BadUpload).detail_in_both("the mapping is not UTF-8", "映射不是 UTF-8 编码")
    })
}

fn broken(error: MultipartError) -> Problem {
    Problem::new(Code::BadUpload).detail(error.body_text())
}
