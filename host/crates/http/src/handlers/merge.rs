//! Merging records, and what is left of the address of one that was merged.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_model::{FieldName, Language, ObjectDefinition, RecordId};
use trellis_records::{MergePlan, MergeRequest, MergeValue, ReferenceCount};

use super::duplicates::parse_id;
use super::jobs::accepted;
use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::problem::ApiResult;
use crate::state::App;
use crate::wire::{ValueView, json};

/// Which records become one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeBody {
    winner: String,
    losers: Vec<String>,
    /// Field name → id of the record whose value is taken.
    #[serde(default)]
    choices: BTreeMap<String, String>,
}

/// Starts a job that merges records; with `dry_run` answers what it would do.
pub(crate) async fn merge_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    mut parameters: Parameters,
    JsonBody(body): JsonBody<MergeBody>,
) -> ApiResult<Response> {
    let dry_run = parameters.take_flag("dry_run")?;
    parameters.finish()?;
    let (object, caller) = (&path.object, &requester.caller);
    let id = |id: &String| parse_id(object.name.as_str(), id);
    let choice = |(field, of): (String, String)| Ok((FieldName::new(&field)?, id(&of)?));
    let request = MergeRequest {
        object: object.name.clone(),
        winner: id(&body.winner)?,
        losers: body.losers.iter().map(id).collect::<ApiResult<_>>()?,
        choices: body.choices.into_iter().map(choice).collect::<ApiResult<_>>()?,
    };
    if dry_run {
        let plan = app.records.merge_plan(&caller.scope, &request).await?;
        return json(StatusCode::OK, &plan_json(object, &plan, requester.language()));
    }
    let job = app.engine.merge(caller, &request).await?;
    accepted(&job, requester.language())
}

fn plan_json(object: &ObjectDefinition, plan: &MergePlan, language: Language) -> Json {
    let value = |of: &MergeValue| {
        let typed = of.value.as_ref().zip(object.field(of.field.as_str()));
        let view =
            typed.map(|(value, field)| ValueView { value, field_type: &field.field_type, labels: None });
        json!({ "field": of.field.as_str(), "value": view, "from": of.from.to_string() })
    };
    let references = |count: &ReferenceCount| {
        json!({
            "object": count.object.as_str(), "field": count.field.as_str(), "count": count.count, "at_least": count.at_least,
        })
    };
    let warnings: Vec<&str> = plan.warnings.iter().map(|text| text.get(language)).collect();
    json!({
        "object": object.name.as_str(),
        "values": plan.values.iter().map(value).collect::<Vec<_>>(),
        "references": plan.references.iter().map(references).collect::<Vec<_>>(),
        "warnings": warnings,
    })
}

/// Answers where a record is that was merged into another.
pub(crate) fn moved(object: &ObjectDefinition, id: RecordId, into: RecordId) -> ApiResult<Response> {
    let mut response = json(
        StatusCode::MOVED_PERMANENTLY,
        &json!({ "id": id.to_string(), "merged_into": into.to_string() }),
    )?;
    let location = format!("/api/v1/{}/{into}", object.url_segment());
    let location = HeaderValue::from_str(&location).expect("a path of ASCII letters, digits and hyphens");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
