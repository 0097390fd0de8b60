use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::expected_version;
use crate::extract::{Parameters, RecordPath, Requester};
use crate::problem::ApiResult;
use crate::state::App;

/// Deletes a record, so that it can be restored.
pub(crate) async fn delete_record(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    parameters.finish()?;
    let expected_version = expected_version(&headers)?;
    app.records.delete(&requester.caller, &path.object.name, path.id, expected_version).await?;
    Ok(StatusCode::NO_CONTENT)
}
