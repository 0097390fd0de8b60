//! What happened around a record.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trellis_model::ObjectId;
use trellis_records::{TimelineCursor, TimelineItem, TimelineQuery};

use crate::extract::{Parameters, RecordPath, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{RecordView, View, json};

#[derive(Serialize)]
struct ItemView<'a> {
    kind: &'a str,
    object: &'a str,
    at: String,
    record: RecordView<'a>,
}

#[derive(Serialize)]
struct TimelineView<'a> {
    data: Vec<ItemView<'a>>,
    page: Paging,
}

#[derive(Serialize)]
struct Paging {
    next: Option<String>,
    limit: usize,
}

/// Returns what happened around a record, the newest first.
pub(crate) async fn get_record_timeline(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limits = app.records.config().limits;
    let labels = parameters.take_flag("labels")?.then_some(requester.language());
    let kinds = parameters.take("kinds")?.unwrap_or_default();
    let kinds = kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    let after = parameters.take("after")?.map(|text| TimelineCursor::parse(&text)).transpose();
    let after = after.map_err(|error| Problem::bad_query("after", error.text()))?;
    let limit = parameters.take_limit(limits.page_rows_default, limits.page_rows_max)?;
    parameters.finish()?;

    let (scope, query) = (&requester.caller.scope, TimelineQuery { kinds, after, limit });
    let page = app.records.timeline(scope, &path.object.name, path.id, &query).await?;
    let schema = app.records.schema();
    let objects = page.items.iter().map(|item| item.record.object);
    let views: BTreeMap<ObjectId, (&str, View<'_>)> = objects
        .filter_map(|id| {
            let object = schema.object_by_id(id)?;
            let readable = &scope.of(&object.name).readable;
            Some((id, (object.name.as_str(), View::all(object, readable, labels))))
        })
        .collect();
    let data = page.items.iter().filter_map(|item| {
        let TimelineItem { kind, at, record, .. } = item;
        let (object, view) = views.get(&record.object)?;
        let record = RecordView { record, view, segments: None, quality: None };
        Some(ItemView { kind, object, at: at.to_string(), record })
    });
    let data = data.collect();
    let page = Paging { next: page.next.map(|next| next.to_string()), limit };
    json(StatusCode::OK, &TimelineView { data, page })
}
