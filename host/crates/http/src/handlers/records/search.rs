use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value as Json;
use trellis_model::Filter;

use super::list::{PageRequest, count_of, page};
use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;

/// Returns a page of the records that a filter tree matches.
pub(crate) async fn search_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<Search>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let limits = app.records.config().limits;
    let filter = body.filter.map(|json| Filter::parse_within(&json, &limits.filter)).transpose();
    let filter = filter.map_err(|error| Problem::bad_query("filter", error.text()))?;
    let limit = body.limit.unwrap_or(limits.page_rows_default);
    if !(1..=limits.page_rows_max).contains(&limit) {
        return Err(Problem::bad_limit(limits.page_rows_max));
    }
    let request = PageRequest {
        filter: filter.unwrap_or_else(Filter::everything),
        sort: body.sort.map(SortBody::text).unwrap_or_default(),
        limit,
        after: body.after,
        before: body.before,
        fields: body.fields.map(|fields| fields.join(",")),
        include: body.include.map(|names| names.join(",")),
        labels: body.labels,
        count: count_of(body.count.as_deref())?,
        deleted: body.deleted,
        text: body.q,
        view: body.view,
    };
    page(&app, &requester, &path, request).await
}

/// The body of a search.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    filter: Option<Json>,
    sort: Option<SortBody>,
    limit: Option<usize>,
    after: Option<String>,
    before: Option<String>,
    fields: Option<Vec<String>>,
    include: Option<Vec<String>>,
    #[serde(default)]
    labels: bool,
    count: Option<String>,
    #[serde(default)]
    deleted: bool,
    q: Option<String>,
    view: Option<String>,
}

/// `"-created_at,name"` or `["-created_at", "name"]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum SortBody {
    Text(String),
    List(Vec<String>),
}

impl SortBody {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::List(fields) => fields.join(","),
        }
    }
}
