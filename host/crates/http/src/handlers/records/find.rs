use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use trellis_model::{ObjectDefinition, Record, Scope, Text};
use trellis_records::Moment;

use super::etag;
use crate::extract::{Parameters, RecordPath, Requester};
use crate::handlers::merge::moved;
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{QualityView, RecordView, View, json, parse_time};

/// Returns one record.
pub(crate) async fn get_record(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (object, scope) = (&*path.object, &requester.caller.scope);
    let labels = parameters.take_flag("labels")?.then_some(requester.language());
    let derived = parameters.take_flag("derived")?;
    let readable = &scope.of(&object.name).readable;
    let view = match parameters.take("fields")? {
        Some(names) => View::of(object, readable, &names, labels)?,
        None => View::all(object, readable, labels),
    };
    let as_of = parameters.take("as_of")?;
    parameters.finish()?;
    if let Some(moment) = as_of {
        let record = app.records.as_of(scope, &object.name, path.id, past(&moment, derived)?).await?;
        return json(
            StatusCode::OK,
            &RecordView { record: &record, view: &view, segments: None, quality: None },
        );
    }

    let record = app.records.get(scope, &object.name, path.id).await?;
    let Some(record) = record else {
        let into = app.records.merged_into(scope, &object.name, path.id).await?;
        let into = into.ok_or_else(|| Problem::not_found(object.name.as_str(), path.id))?;
        return moved(object, path.id, into);
    };
    let etag = etag(record.version);
    // Segments and computed fields change without the record, so its version says nothing about them.
    if !derived && view.computed().is_empty() && headers.get(IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let segments = derived.then(|| segments(&app, scope, object, &record));
    let quality = if derived { app.records.quality(object, &record) } else { None };
    let quality = quality.map(|quality| QualityView::new(quality, readable));
    let mut response = json(StatusCode::OK, &RecordView { record: &record, view: &view, segments, quality })?;
    response.headers_mut().insert(ETAG, etag);
    Ok(response)
}

/// A time or the number of a log entry.
fn past(text: &str, derived: bool) -> ApiResult<Moment> {
    let wrong = |en: &str, zh: &str| Problem::bad_query("as_of", Text::new(en, zh));
    if derived {
        return Err(wrong("the segments of the past are not known", "无法得知过去的分群取值"));
    }
    let moment = text.parse().map(Moment::Entry).ok().or_else(|| parse_time(text).map(Moment::Time));
    moment.ok_or_else(|| {
        wrong(
            "`as_of` is a time such as 2026-11-21T12:00:00Z, or the number of a log entry",
            "`as_of` 需为时间（例如 2026-11-21T12:00:00Z）或日志条目编号",
        )
    })
}

/// The record's value in each segmentation of its object.
fn segments(
    app: &App,
    scope: &Scope,
    object: &ObjectDefinition,
    record: &Record,
) -> BTreeMap<String, Option<String>> {
    let Some(ordinal) = record.ordinal else { return BTreeMap::new() };
    let of_object = app
        .columns
        .segmentations()
        .into_iter()
        .filter(|segmentation| segmentation.definition.object == object.name);
    of_object
        .map(|segmentation| {
            let name = segmentation.definition.name.to_string();
            let value = app.columns.value_of(scope, &name, ordinal);
            (name, value)
        })
        .collect()
}
