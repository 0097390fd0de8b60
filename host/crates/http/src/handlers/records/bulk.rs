use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use trellis_engine::BulkChange;
use trellis_model::{Filter, Text};

use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::handlers::jobs::accepted;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{json, parse_changes};

/// One change of many records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkBody {
    /// Which records; everything must be said, as `{"and": []}`.
    filter: Json,
    /// What their fields become.
    #[serde(default)]
    set: Option<Map<String, Json>>,
    /// Whether they are deleted.
    #[serde(default)]
    delete: bool,
    /// Whether rules and plugins react.
    #[serde(default = "yes")]
    automations: bool,
}

fn yes() -> bool {
    true
}

/// Starts a job that makes one change to every record that a filter matches, or (`dry_run=true`) says how many that would be.
pub(crate) async fn bulk_edit_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    mut parameters: Parameters,
    JsonBody(body): JsonBody<BulkBody>,
) -> ApiResult<Response> {
    let dry_run = parameters.take_flag("dry_run")?;
    parameters.finish()?;
    let (object, caller) = (&path.object, &requester.caller);
    let filter = Filter::parse(&body.filter).map_err(trellis_records::Error::from)?;
    let change = match (body.set, body.delete) {
        (Some(set), false) if !set.is_empty() => {
            let fields = serde_json::from_value(Json::Object(set.clone()))
                .map_err(|error| Problem::new(Code::BadJson).detail(error.to_string()))?;
            parse_changes(object, fields)?;
            BulkChange::Set(set)
        }
        (None, true) => BulkChange::Delete,
        _ => {
            let message = Text::new(
                "give either `set` with at least one field, or `delete`: true",
                "请给出 `set`（至少一个字段）或 `delete`: true，二者选一",
            );
            return Err(Problem::new(Code::ValidationError).field("set", "invalid", message));
        }
    };
    if dry_run {
        let matched = app.records.count(&caller.scope, &object.name, &filter).await?;
        return json(StatusCode::OK, &json!({ "matched": matched }));
    }
    let job = app.engine.bulk_start(caller, &object.name, &filter, change, body.automations).await?;
    accepted(&job, requester.language())
}
