use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trellis_model::{FieldAccess, Filter, Language, ObjectDefinition, Path, Sort, Text, bilingual};
use trellis_records::{Cursor, Deleted, Query, RecordPage, Total};

use super::along::{Along, FieldList, WithPaths};
use super::include::{Includable, Included};
use super::query_string::filter_of;
use super::view;
use crate::extract::{ObjectPath, Parameters, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{RecordView, View, json};

/// Returns a page of records.
pub(crate) async fn list_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let filter = filter_of(&path.schema, &path.object, &parameters.take_all("filter["))?;
    let limits = app.records.config().limits;
    let request = PageRequest {
        filter,
        sort: parameters.take("sort")?.unwrap_or_default(),
        limit: parameters.take_limit(limits.page_rows_default, limits.page_rows_max)?,
        after: parameters.take("after")?,
        before: parameters.take("before")?,
        fields: parameters.take("fields")?,
        include: parameters.take("include")?,
        labels: parameters.take_flag("labels")?,
        count: count_of(parameters.take("count")?.as_deref())?,
        deleted: parameters.take_flag("deleted")?,
        text: parameters.take("q")?,
        view: parameters.take("view")?,
    };
    parameters.finish()?;
    page(&app, &requester, &path, request).await
}

/// What a list and a search have in common.
#[derive(Debug)]
pub(super) struct PageRequest {
    pub(super) filter: Filter,
    pub(super) sort: String,
    pub(super) limit: usize,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
    pub(super) fields: Option<String>,
    pub(super) include: Option<String>,
    pub(super) labels: bool,
    pub(super) count: Total,
    pub(super) deleted: bool,
    pub(super) text: Option<String>,
    /// The id of a saved view.
    pub(super) view: Option<String>,
}

pub(super) fn count_of(count: Option<&str>) -> ApiResult<Total> {
    match count {
        None | Some("none") => Ok(Total::None),
        Some("exact") => Ok(Total::Exact),
        Some(_) => {
            let message = Text::new("`count` is none or exact", "`count` 只接受 none 或 exact");
            Err(Problem::bad_query("count", message))
        }
    }
}

pub(super) async fn page(
    app: &App,
    requester: &Requester,
    path: &ObjectPath,
    mut request: PageRequest,
) -> ApiResult<Response> {
    let warnings = view::apply(app, requester, path, &mut request).await?;
    let (object, scope) = (&*path.object, &requester.caller.scope);
    let labels = request.labels.then_some(requester.language());
    let readable = &scope.of(&object.name).readable;
    let (view, paths) = shown(app, object, readable, request.fields.as_deref(), labels)?;
    let includable =
        Includable { schema: &path.schema, object, scope, lists: false, names_max: app.config.include_max };
    let include = request.include.map(|names| includable.parse(&names)).transpose()?.unwrap_or_default();
    let query = Query {
        object: object.name.clone(),
        filter: request.filter,
        sort: sort(&request.sort, app.config.sort_fields_max)?,
        limit: request.limit,
        after: cursor("after", request.after)?,
        before: cursor("before", request.before)?,
        deleted: if request.deleted { Deleted::Only } else { Deleted::Hide },
        total: request.count,
        computed: Some(view.computed()),
        text: request.text,
    };
    if query.after.is_some() && query.before.is_some() {
        let (en, zh) = ("`after` and `before` cannot stand together", "`after` 与 `before` 不能同时使用");
        return Err(Problem::bad_query("before", Text::new(en, zh)));
    }
    let page = app.records.list(scope, &query).await?;
    let along = Along::read(&app.records, scope, &object.name, &paths, &page.records, labels).await?;
    let included = include.referenced(&app.records, scope, &page.records, labels).await?;
    json(StatusCode::OK, &PageView { included, ..PageView::new(&page, &view, &along, query.limit, warnings) })
}

/// The fields and paths that `fields` asks for.
pub(super) fn shown<'a>(
    app: &App,
    object: &'a ObjectDefinition,
    readable: &FieldAccess,
    fields: Option<&str>,
    labels: Option<Language>,
) -> ApiResult<(View<'a>, Vec<Path>)> {
    let Some(fields) = fields else { return Ok((View::all(object, readable, labels), Vec::new())) };
    let steps_max = app.records.config().limits.filter.path_steps_max;
    let fields = FieldList::parse(fields, app.config.include_max, steps_max)?;
    Ok((View::of(object, readable, &fields.plain, labels)?, fields.paths))
}

fn sort(text: &str, fields_max: usize) -> ApiResult<Vec<Sort>> {
    let sort = Sort::parse_list(text).map_err(|error| Problem::bad_query("sort", error.text()))?;
    if sort.len() > fields_max {
        let message =
            bilingual!("`sort` takes at most {fields_max} fields", "`sort` 最多 {fields_max} 个字段");
        return Err(Problem::bad_query("sort", message));
    }
    Ok(sort)
}

fn cursor(parameter: &str, text: Option<String>) -> ApiResult<Option<Cursor>> {
    text.map(|text| Cursor::parse(&text))
        .transpose()
        .map_err(|error| Problem::bad_query(parameter, error.text()))
}

#[derive(Serialize)]
struct PageView<'a> {
    data: Vec<WithPaths<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    included: Option<Included<'a>>,
    page: Paging,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_exact: Option<bool>,
    /// What of a saved view was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Paging {
    next: Option<String>,
    prev: Option<String>,
    limit: usize,
    /// There may be more matches than this page shows although it is short: the search stopped at its budget; `next` goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    budget_spent: bool,
}

impl<'a> PageView<'a> {
    fn new(
        page: &'a RecordPage,
        view: &'a View<'a>,
        along: &'a Along,
        limit: usize,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            data: page
                .records
                .iter()
                .map(|record| RecordView { record, view, segments: None, quality: None })
                .enumerate()
                .map(|(place, record)| along.beside(record, place))
                .collect(),
            included: None,
            page: Paging {
                next: page.next.as_ref().map(ToString::to_string),
                prev: page.prev.as_ref().map(ToString::to_string),
                limit,
                budget_spent: page.plan.budget_spent,
            },
            total: page.total,
            total_exact: page.total.map(|_| !page.total_cut),
            warnings,
        }
    }
}
