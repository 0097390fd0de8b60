//! Who is in the segments of a segmentation, who came and went, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value as Json, json};
use trellis_columns::{SegmentationInfo, TransitionsWanted};
use trellis_model::{ObjectDefinition, Record, RecordId, Scope, Text};
use trellis_records::Schema;

use super::segmentations::current_json;
use crate::extract::{Parameters, PathParts, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{RecordView, View, json, reasons_json};

/// Returns a page of the customers in a segment, in the order of their ordinals.
pub(crate) async fn list_members(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let (segmentation, value) = (path.get("segmentation"), path.get("value"));
    let info = find_segmentation(&app, segmentation)?;
    let schema = app.records.schema();
    let object = object_of(&schema, &info)?;
    let scope = &requester.caller.scope;
    let (limit, after) = take_page(&app, &mut parameters)?;
    let view = take_view(&requester, object, &mut parameters)?;
    parameters.finish()?;

    let page = app.columns.members(scope, segmentation, value, after, limit).await?;
    let ids = page.members.iter().map(|(_, id)| *id);
    let records = records_of(&app, scope, object, view.as_ref(), ids).await?;
    let data = page.members.iter().zip(&records).map(|((ordinal, id), record)| MemberView {
        id: id.to_string(),
        ordinal: *ordinal,
        record: shown(record.as_ref(), view.as_ref()),
    });
    let page_json = page_json(page.next, limit);
    json(
        StatusCode::OK,
        &MembersView {
            data: data.collect(),
            page: page_json,
            total: page.total,
            total_exact: page.total.map(|_| true),
        },
    )
}

/// Returns a page of the customers whose value is another than after the run before, and how many went from which value to which.
pub(crate) async fn list_transitions(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let segmentation = path.get("segmentation");
    let info = find_segmentation(&app, segmentation)?;
    let schema = app.records.schema();
    let object = object_of(&schema, &info)?;
    let scope = &requester.caller.scope;
    let (entered, left) = (parameters.take("entered")?, parameters.take("left")?);
    let (limit, after) = take_page(&app, &mut parameters)?;
    let view = take_view(&requester, object, &mut parameters)?;
    parameters.finish()?;

    // An empty text is no value.
    let value = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let wanted =
        TransitionsWanted { entered: entered.as_deref().map(value), left: left.as_deref().map(value) };
    let page = app.columns.transitions_of(scope, segmentation, wanted, after, limit).await?;
    let ids = page.transitions.iter().map(|transition| transition.id);
    let records = records_of(&app, scope, object, view.as_ref(), ids).await?;
    let data = page.transitions.iter().zip(&records).map(|(transition, record)| TransitionView {
        id: transition.id.to_string(),
        ordinal: transition.ordinal,
        before: transition.before.as_deref(),
        value: transition.value.as_deref(),
        record: shown(record.as_ref(), view.as_ref()),
    });
    let counts = page
        .counts
        .iter()
        .map(|count| json!({ "before": count.before, "value": count.value, "count": count.count }));
    let view = TransitionsView {
        previous: page.previous.as_ref().map(current_json),
        counts: counts.collect(),
        data: data.collect(),
        page: page_json(page.next, limit),
        total: page.total,
        total_exact: page.total.map(|_| true),
    };
    json(StatusCode::OK, &view)
}

/// Says why a customer has its value in a segmentation: the plugin's reasons, in the language of the caller.
pub(crate) async fn get_explanation(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    parameters: Parameters,
) -> ApiResult<Response> {
    parameters.finish()?;
    let segmentation = path.get("segmentation");
    let info = find_segmentation(&app, segmentation)?;
    let id = path.id("id", info.definition.object.as_str())?;
    let explanation = app.engine.explain(&requester.caller, segmentation, id).await?;
    let language = requester.language();
    let view = json!({
        "run": explanation.run.to_string(),
        "value": explanation.value,
        "reasons": reasons_json(&explanation.reasons, language),
    });
    json(StatusCode::OK, &view)
}

/// By name or alias.
pub(super) fn find_segmentation(app: &App, name: &str) -> ApiResult<Arc<SegmentationInfo>> {
    let info = app.columns.segmentation(name);
    info.ok_or_else(|| Problem::not_found("segmentation", name.chars().take(100).collect::<String>()))
}

fn object_of<'a>(schema: &'a Schema, info: &SegmentationInfo) -> ApiResult<&'a ObjectDefinition> {
    let object = schema.object_by_id(info.object).map(Arc::as_ref);
    object.ok_or_else(|| Problem::not_found("object", &info.definition.object))
}

/// How many rows are wanted, after which ordinal.
fn take_page(app: &App, parameters: &mut Parameters) -> ApiResult<(usize, Option<u64>)> {
    let limit = parameters.take_limit(50, app.config.members_max)?;
    let after = parameters.take("after")?.map(|text| text.parse::<u64>()).transpose();
    Ok((limit, after.map_err(|_| Problem::bad_cursor())?))
}

/// What of each customer's record comes along; `None` is nothing.
fn take_view<'a>(
    requester: &'a Requester,
    object: &'a ObjectDefinition,
    parameters: &mut Parameters,
) -> ApiResult<Option<View<'a>>> {
    let labels = parameters.take_flag("labels")?.then_some(requester.language());
    let readable = &requester.caller.scope.of(&object.name).readable;
    match (parameters.take("expand")?.as_deref(), parameters.take("fields")?) {
        (None, None) => Ok(None),
        (Some("record"), None) => Ok(Some(View::all(object, readable, labels))),
        (None | Some("record"), Some(names)) => Ok(Some(View::of(object, readable, &names, labels)?)),
        (Some(_), _) => {
            let message = Text::new("`expand` takes `record`", "`expand` 只接受 `record`");
            Err(Problem::bad_query("expand", message))
        }
    }
}

/// The record of each customer, where a view is wanted.
async fn records_of(
    app: &App,
    scope: &Scope,
    object: &ObjectDefinition,
    view: Option<&View<'_>>,
    ids: impl Iterator<Item = RecordId>,
) -> ApiResult<Vec<Option<Record>>> {
    let mut records = Vec::new();
    for id in ids {
        records.push(if view.is_some() { app.records.get(scope, &object.name, id).await? } else { None });
    }
    Ok(records)
}

fn shown<'a>(record: Option<&'a Record>, view: Option<&'a View<'a>>) -> Option<RecordView<'a>> {
    let (record, view) = record.zip(view)?;
    Some(RecordView { record, view, segments: None, quality: None })
}

fn page_json(next: Option<u64>, limit: usize) -> Json {
    json!({ "next": next.map(|next| next.to_string()), "limit": limit })
}

#[derive(Serialize)]
struct TransitionsView<'a> {
    previous: Option<Json>,
    counts: Vec<Json>,
    data: Vec<TransitionView<'a>>,
    page: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_exact: Option<bool>,
}

#[derive(Serialize)]
struct TransitionView<'a> {
    id: String,
    ordinal: u64,
    before: Option<&'a str>,
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordView<'a>>,
}

#[derive(Serialize)]
struct MembersView<'a> {
    data: Vec<MemberView<'a>>,
    page: Json,
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_exact: Option<bool>,
}

#[derive(Serialize)]
struct MemberView<'a> {
    id: String,
    ordinal: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordView<'a>>,
}
