use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trellis_records::DuplicateCheck;

use super::whole_record;
use crate::extract::{Parameters, RecordPath, Requester};
use crate::problem::ApiResult;
use crate::state::App;

/// Brings a deleted record back.
pub(crate) async fn restore_record(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let record = app.records.restore(&requester.caller, &path.object.name, path.id).await?;
    whole_record(StatusCode::OK, &requester, &path.object, &record, &DuplicateCheck::default())
}
