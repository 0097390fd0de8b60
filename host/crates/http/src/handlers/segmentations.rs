//! Segmentations: what they are, and making those whose members a filter says.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use trellis_columns::{CurrentResult, SegmentationInfo, Source};
use trellis_engine::FilterSegmentation;
use trellis_model::{Language, ObjectName, RowAccess, Text};

use super::plugins::{as_of_text, text_json};
use super::segments::find_segmentation;
use crate::extract::{JsonBody, NoParameters, PathParts, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{json, timestamp};

/// What rights on making segmentations are called.
const PERMISSION: &str = "segmentations";

/// What somebody wants a segmentation to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    name: Option<String>,
    object: String,
    label: Label,
    #[serde(default)]
    description: Label,
    filter: Json,
}

/// A text in both languages; one may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    #[serde(default)]
    en: String,
    #[serde(default, rename = "zh-CN")]
    zh_cn: String,
}

impl From<Label> for Text {
    fn from(label: Label) -> Self {
        Self::new(label.en, label.zh_cn)
    }
}

impl Wanted {
    fn parsed(self) -> ApiResult<FilterSegmentation> {
        let object = ObjectName::new(&self.object)
            .map_err(|error| Problem::new(Code::ValidationError).field("object", "invalid", error.text()))?;
        let (label, description) = (self.label.into(), self.description.into());
        Ok(FilterSegmentation { object, label, description, filter: self.filter })
    }
}

/// Returns every segmentation with the size of its segments.
pub(crate) async fn list_segmentations(
    State(app): State<App>,
    requester: Requester,
    _: NoParameters,
) -> ApiResult<Response> {
    let language = requester.language();
    let infos = app.columns.segmentations();
    let visible = infos.iter().filter(|info| sees_sizes(&requester, info));
    let data: Vec<Json> = visible.map(|info| segmentation_json(&app, info, language)).collect();
    json(StatusCode::OK, &json!({ "data": data }))
}

/// Returns one segmentation.
pub(crate) async fn get_segmentation(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    _: NoParameters,
) -> ApiResult<Response> {
    let info = find_segmentation(&app, path.get("segmentation"))?;
    if !sees_sizes(&requester, &info) {
        return Err(Problem::forbidden(&format!("read:{}", info.definition.object)));
    }
    json(StatusCode::OK, &segmentation_json(&app, &info, requester.language()))
}

/// Makes a segmentation whose members are whoever matches a filter, now and from now on.
pub(crate) async fn create_segmentation(
    State(app): State<App>,
    requester: Requester,
    _: NoParameters,
    JsonBody(body): JsonBody<Wanted>,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let name = body.name.clone().unwrap_or_default();
    let info = app.engine.segmentation_create(&requester.caller, &name, body.parsed()?).await?;
    let mut response = json(StatusCode::CREATED, &segmentation_json(&app, &info, requester.language()))?;
    let location = format!("/api/v1/segmentations/{}", info.definition.name);
    let location = HeaderValue::from_str(&location).expect("a path with a name");
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Gives a segmentation that a filter makes another filter, label or description.
pub(crate) async fn replace_segmentation(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    _: NoParameters,
    JsonBody(body): JsonBody<Wanted>,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let name = path.get("segmentation");
    if body.name.as_deref().is_some_and(|other| other != name) {
        let message = Text::new("the name of a segmentation cannot change", "分群的 API 名称不可更改");
        return Err(Problem::new(Code::ValidationError).field("name", "read_only", message));
    }
    let info = app.engine.segmentation_replace(&requester.caller, name, body.parsed()?).await?;
    json(StatusCode::OK, &segmentation_json(&app, &info, requester.language()))
}

/// Removes a segmentation that a filter makes.
pub(crate) async fn remove_segmentation(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    _: NoParameters,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    app.engine.segmentation_remove(&requester.caller, path.get("segmentation")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Says what names a segmentation: filters of others, campaigns, dashboards, rules, views.
pub(crate) async fn list_segmentation_uses(
    State(app): State<App>,
    requester: Requester,
    path: PathParts,
    _: NoParameters,
) -> ApiResult<Response> {
    requester.require_administrator(PERMISSION)?;
    let info = find_segmentation(&app, path.get("segmentation"))?;
    let uses = app.engine.segmentation_uses(&info.definition.name).await?;
    let data = uses
        .iter()
        .map(|of| json!({ "object": of.object, "id": of.id.map(|id| id.to_string()), "name": of.name }));
    json(StatusCode::OK, &json!({ "data": data.collect::<Vec<_>>() }))
}

/// Sizes tell of every customer, so they are for those who may see every customer.
fn sees_sizes(requester: &Requester, info: &Arc<SegmentationInfo>) -> bool {
    requester.caller.scope.of(&info.definition.object).rows == RowAccess::All
}

/// With why its filter cannot be asked any more, in a language.
fn segmentation_json(app: &App, info: &SegmentationInfo, language: Language) -> Json {
    let definition = &info.definition;
    let values = definition.values.iter().map(|value| {
        let count = info.counts.iter().find(|count| count.value == value.name).map(|count| count.count);
        json!({
            "value": value.name,
            "label": text_json(&value.label),
            "description": text_json(&value.description),
            "count": count.unwrap_or_default(),
        })
    });
    json!({
        "name": definition.name.as_str(),
        "aliases": definition.aliases.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "object": definition.object.as_str(),
        "label": text_json(&definition.label),
        "description": text_json(&definition.description),
        "source": source_json(&definition.source),
        "values": values.collect::<Vec<_>>(),
        "null_count": info.null_count,
        "current": info.current.as_ref().map(current_json),
        "stale": info.stale,
        "cleared": info.cleared,
        "damaged": info.damaged,
        "problem": app.engine.segmentation_problem(info).map(|problem| problem.get(language).to_owned()),
    })
}

/// Which result is shown.
pub(super) fn current_json(current: &CurrentResult) -> Json {
    json!({
        "run": current.run.to_string(),
        "as_of": as_of_text(current.as_of),
        "flipped_at": timestamp(current.flipped_at_ms).map(|time| time.to_string()),
    })
}

pub(super) fn source_json(source: &Source) -> Json {
    match source {
        Source::Plugin { plugin, output } => {
            json!({ "kind": "plugin", "plugin": plugin.as_str(), "output": output })
        }
        Source::Filter { filter } => json!({ "kind": "filter", "filter": filter }),
        Source::Manual => json!({ "kind": "manual" }),
    }
}
