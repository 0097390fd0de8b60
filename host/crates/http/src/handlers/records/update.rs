use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use trellis_records::{Error, Write};

use super::conflict::Conflict;
use super::{expected_version, whole_record};
use crate::extract::{JsonBody, Parameters, RecordPath, Requester};
use crate::handlers::duplicates::check_of;
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{FieldMap, parse_changes};

/// How often a change is tried again on top of somebody else's change of other fields.
const MERGES_MAX: usize = 3;

/// Changes some fields of a record. With `If-Match`, a change that somebody else made in between to other fields is kept and merged;
/// one to the same fields is a conflict, answered with what both made of them.
pub(crate) async fn update_record(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
    headers: HeaderMap,
    JsonBody(body): JsonBody<FieldMap>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let (object, caller) = (&path.object, &requester.caller);
    let changes = parse_changes(object, body)?;
    let (read_version, check) = (expected_version(&headers)?, check_of(&headers)?);
    let mut expected_version = read_version;
    for _ in 0..MERGES_MAX {
        let write = Write::Update {
            object: object.name.clone(),
            id: path.id,
            changes: changes.clone(),
            expected_version,
        };
        let updated = app.records.write_checked(caller, write, &check).await;
        let found = match (updated, read_version) {
            (Ok(written), _) => {
                let record = written.record().expect("what was changed is there");
                return whole_record(StatusCode::OK, &requester, object, record, &check);
            }
            (Err(Error::VersionConflict { found, .. }), Some(_)) => found,
            (Err(error), _) => return Err(error.into()),
        };
        let conflict =
            Conflict::between(&app, object, &changes, read_version.unwrap_or_default(), &found).await?;
        if !conflict.is_mergeable() {
            return Err(conflict.into_problem(object, &caller.scope));
        }
        expected_version = Some(found.version);
    }
    Err(crate::problem::Problem::version_conflict(expected_version.unwrap_or_default()))
}
