use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use trellis_model::{ObjectDefinition, Record, Scope, Text};
use trellis_records::Moment;

use super::along::{Along, WithPaths};
use super::etag;
use super::include::{Includable, Included, IncludedLists};
use super::list::shown;
use crate::extract::{Parameters, RecordPath, Requester};
use crate::handlers::merge::moved;
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{QualityView, RecordView, json, parse_time};

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
    let (view, paths) = shown(&app, object, readable, parameters.take("fields")?.as_deref(), labels)?;
    let schema = app.records.schema();
    let includable =
        Includable { schema: &schema, object, scope, lists: true, names_max: app.config.include_max };
    let include = parameters.take("include")?.map(|names| includable.parse(&names)).transpose()?;
    let include = include.unwrap_or_default();
    let as_of = parameters.take("as_of")?;
    parameters.finish()?;
    let alone = include.is_empty() && paths.is_empty();
    if let Some(moment) = as_of {
        if !alone {
            let (en, zh) =
                ("what lies beyond references is known only as of now", "引用之外的内容仅有当前值");
            return Err(Problem::bad_query("as_of", Text::new(en, zh)));
        }
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
    // Segments, computed fields and other records change without the record: its version says nothing about them.
    if !derived && alone && view.computed().is_empty() && headers.get(IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let segments = derived.then(|| segments(&app, scope, object, &record));
    let quality = if derived { app.records.quality(object, &record) } else { None };
    let quality = quality.map(|quality| QualityView::new(quality, readable));
    let shown = RecordView { record: &record, view: &view, segments, quality };
    let mut response = if alone {
        json(StatusCode::OK, &shown)?
    } else {
        let page = std::slice::from_ref(&record);
        let along = Along::read(&app.records, scope, &object.name, &paths, page, labels).await?;
        let included = include.referenced(&app.records, scope, page, labels).await?;
        let lists = include.lists(&app.records, scope, record.id, labels).await?;
        let beside = Beside { object, included, lists };
        json(StatusCode::OK, &Expanded { record: along.beside(shown, 0), beside })?
    };
    response.headers_mut().insert(ETAG, etag);
    Ok(response)
}

/// A record with others around it.
#[derive(Serialize)]
struct Expanded<'a> {
    #[serde(flatten)]
    record: WithPaths<'a>,
    #[serde(flatten)]
    beside: Beside<'a>,
}

/// What stands beside the fields of a single record. A member begins with `_` where a field of the object has its name.
struct Beside<'a> {
    object: &'a ObjectDefinition,
    included: Option<Included<'a>>,
    lists: Option<IncludedLists<'a>>,
}

impl Serialize for Beside<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let free = |name: &'static str, other: &'static str| {
            if self.object.field(name).is_some() { other } else { name }
        };
        let mut map = serializer.serialize_map(None)?;
        if let Some(included) = &self.included {
            map.serialize_entry(free("included", "_included"), included)?;
        }
        if let Some(lists) = &self.lists {
            map.serialize_entry(free("included_lists", "_included_lists"), lists)?;
        }
        map.end()
    }
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
