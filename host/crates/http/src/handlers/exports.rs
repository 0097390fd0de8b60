//! Records as files: exports, and templates for imports.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value as Json;
use trellis_engine::ExportRequest;
use trellis_transfer::export::{ExportLanguage, ExportSpec, Format, template};

use super::files::{attachment, send_file};
use super::jobs;
use crate::extract::{JsonBody, ObjectPath, Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;

/// Starts a job that writes records into a file.
pub(crate) async fn export_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<Json>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let says_language = body.get("language").is_some();
    let mut spec: ExportSpec = serde_json::from_value(body)
        .map_err(|error| Problem::new(Code::BadJson).detail(error.to_string()))?;
    if !says_language {
        spec.language = ExportLanguage::from(requester.language());
    }
    let request = ExportRequest { object: path.object.name.to_string(), spec };
    let job = app.engine.export_start(&requester.caller, request).await?;
    jobs::accepted(&job, requester.language())
}

/// Sends the file that a job has made.
pub(crate) async fn get_job_file(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let job = jobs::find(&app, &requester, path.id("id", "job")?).await?;
    let (file, file_name, media_type) = app.engine.job_file(&job).await?;
    send_file(&file, &file_name, &media_type).await
}

/// Sends an empty table with the columns that an import of the object knows.
pub(crate) async fn get_import_template(
    requester: Requester,
    path: ObjectPath,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let format = match parameters.take("format")?.as_deref() {
        None | Some("csv") => Format::Csv,
        Some("xlsx") => Format::Xlsx,
        Some(_) => {
            let text = trellis_model::Text::new("`format` is csv or xlsx", "`format` 只接受 csv 或 xlsx");
            return Err(Problem::bad_query("format", text));
        }
    };
    parameters.finish()?;
    let bytes = template(&path.object, &requester.caller, format, requester.language().into())?;
    let name = format!("{}.{}", path.object.name, format.extension());
    Ok(attachment(Body::from(bytes), &name, format.media_type()))
}
