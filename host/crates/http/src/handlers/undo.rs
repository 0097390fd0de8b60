//! Taking back what was done.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use trellis_engine::{ResultUndo, UndoOrder, UndoPreview};
use trellis_model::{Cause, ObjectName, PluginId, RecordId, Text, bilingual};
use trellis_records::{Caller, InUse, UndoCursor, UndoItem, UndoRequest, UndoState, UndoTarget};

use super::history::Names;
use super::jobs;
use crate::extract::{JsonBody, Parameters, RecordPath, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{ValueView, json, parse_time, timestamp};

/// What the right to take back what rules and plugins did is called.
const PERMISSION: &str = "undo";
/// Records of a page of a preview.
const ITEMS_MAX: usize = 200;
/// Records of a page where the caller does not say.
const ITEMS_DEFAULT: usize = 50;

/// What shall be taken back: one of `job`, `log` (all of it, or what it changed of one record), `rule` and `plugin`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    job: Option<String>,
    log: Option<u64>,
    object: Option<String>,
    id: Option<String>,
    rule: Option<String>,
    plugin: Option<String>,
    since: Option<String>,
}

/// What to preview.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preview {
    target: Target,
    #[serde(default)]
    include_caused: bool,
    limit: Option<usize>,
    after: Option<String>,
}

/// What to undo, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    target: Target,
    #[serde(default)]
    include_caused: bool,
    #[serde(default)]
    run_automations: bool,
    #[serde(default)]
    dry_run: bool,
}

/// Which change of a record to undo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    log: u64,
    #[serde(default)]
    run_automations: bool,
}

/// Says what an undo would do; changes nothing.
pub(crate) async fn preview_undo(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
    JsonBody(body): JsonBody<Preview>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let limit = body.limit.unwrap_or(ITEMS_DEFAULT);
    if !(1..=ITEMS_MAX).contains(&limit) {
        return Err(Problem::bad_limit(ITEMS_MAX));
    }
    let after =
        body.after.map(|text| UndoCursor::parse(&text).ok_or_else(Problem::bad_cursor)).transpose()?;
    let target = target(&app, &requester, body.target).await?;
    let include_caused = body.include_caused;
    let order = UndoOrder { target, include_caused, run_automations: false, dry_run: true };
    let preview = app.engine.undo_preview(&requester.caller, &order, after, limit).await?;
    let mut names = Names::new(&app, &requester);
    let mut data = Vec::with_capacity(preview.items.len());
    for (item, in_use) in preview.items.iter().zip(&preview.in_use) {
        let mut item = item_json(&app, item, &requester, &mut names).await?;
        if let Some(item) = item.as_object_mut() {
            item.insert("in_use".into(), in_use.iter().map(in_use_json).collect());
        }
        data.push(item);
    }
    json(StatusCode::OK, &preview_json(&preview, data, limit))
}

/// Takes back what can be, as a job.
pub(crate) async fn start_undo(
    State(app): State<App>,
    requester: Requester,
    parameters: Parameters,
    JsonBody(body): JsonBody<Order>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let target = target(&app, &requester, body.target).await?;
    let Order { include_caused, run_automations, dry_run, .. } = body;
    let order = UndoOrder { target, include_caused, run_automations, dry_run };
    let job = app.engine.undo_start(&requester.caller, &order).await?;
    jobs::accepted(&job, requester.language())
}

/// Takes back one change of one record at once.
pub(crate) async fn undo_record_change(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<Change>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let (object, records) = (&path.object.name, &app.records);
    let scope = &requester.caller.scope;
    let known = records.get_deleted_too(scope, object, path.id).await?;
    known.ok_or_else(|| Problem::not_found(object.as_str(), path.id))?;
    let target = UndoTarget::Change { number: body.log, object: object.clone(), id: path.id };
    let request = UndoRequest { target, include_caused: false, until: records.log_head() };
    let entries = records.undo_entries(&request).await?;
    let cause = Cause { automations_off: !body.run_automations, ..requester.caller.cause.clone() };
    let caller = Caller { cause, ..requester.caller.clone() };
    let item = records.undo_item(&caller, &entries, object, path.id).await?;
    let outcome = match item {
        Some(item) => records.undo_apply(&caller, &entries, vec![item]).await?.pop(),
        None => None,
    };
    let Some(outcome) = outcome else {
        return Err(Problem::new(Code::Conflict)
            .detail_in_both("the change left the record as it was", "该更改未改变记录"));
    };
    let mut names = Names::new(&app, &requester);
    let item = item_json(&app, &outcome.item, &requester, &mut names).await?;
    if !outcome.undone && outcome.item.state != UndoState::Done {
        return Err(Problem::new(Code::Conflict).detail_text(why_not(&outcome.item)).member("item", item));
    }
    json(StatusCode::OK, &json!({ "undone": outcome.undone, "item": item }))
}

/// Reads what shall be taken back, and whether the requester may.
async fn target(app: &App, requester: &Requester, target: Target) -> ApiResult<UndoTarget> {
    let Target { job, log, object, id, rule, plugin, since } = target;
    let since_ms = since
        .map(|text| {
            parse_time(&text).ok_or_else(|| {
                let zh = "`since` 需为 RFC 3339 时间，例如 2026-11-21T12:00:00Z";
                invalid("since", Text::new("`since` is a time such as 2026-11-21T12:00:00Z", zh))
            })
        })
        .transpose()?;
    let parsed = match (job, log, rule, plugin) {
        (Some(job), None, None, None) => UndoTarget::Job(record_id("job", &job)?),
        (None, Some(number), None, None) => match (&object, &id) {
            (None, None) => UndoTarget::Entry(number),
            (Some(object), Some(id)) => {
                let object = ObjectName::new(object).map_err(|error| invalid("object", error.text()))?;
                UndoTarget::Change { number, object, id: record_id("id", id)? }
            }
            _ => return Err(one_target()),
        },
        (None, None, Some(rule), None) => UndoTarget::Rule { id: record_id("rule", &rule)?, since_ms },
        (None, None, None, Some(plugin)) => {
            let id = PluginId::new(&plugin).map_err(|error| invalid("plugin", error.text()))?;
            UndoTarget::Plugin { id, since_ms }
        }
        _ => return Err(one_target()),
    };
    let of_rule = matches!(parsed, UndoTarget::Rule { .. } | UndoTarget::Plugin { .. });
    let of_log = matches!(parsed, UndoTarget::Entry(_) | UndoTarget::Change { .. });
    if (since_ms.is_some() && !of_rule) || ((object.is_some() || id.is_some()) && !of_log) {
        return Err(one_target());
    }
    match &parsed {
        UndoTarget::Job(id) => jobs::may_see(app, requester, *id).await?,
        UndoTarget::Rule { .. } | UndoTarget::Plugin { .. } => requester.require_administrator(PERMISSION)?,
        UndoTarget::Entry(_) | UndoTarget::Change { .. } => {}
    }
    Ok(parsed)
}

fn record_id(field: &'static str, text: &str) -> ApiResult<RecordId> {
    RecordId::parse(text).map_err(|error| invalid(field, error.text()))
}

fn invalid(field: &str, message: Text) -> Problem {
    Problem::new(Code::ValidationError).field(format!("target.{field}"), "invalid", message)
}

fn one_target() -> Problem {
    let message = Text::new(
        "give one of `job`, `log`, `log` with `object` and `id`, `rule`, `plugin`; `since` goes with the last two",
        "请给出以下之一：`job`、`log`、`log` 加 `object` 和 `id`、`rule`、`plugin`；`since` 只用于后两者",
    );
    Problem::new(Code::ValidationError).field("target", "invalid", message)
}

fn preview_json(preview: &UndoPreview, data: Vec<Json>, limit: usize) -> Json {
    let count = |state: &UndoState| {
        (state.as_str().to_owned(), json!(preview.counts.get(state).copied().unwrap_or_default()))
    };
    let counts = preview.next.is_some() || !preview.counts.is_empty() || preview.counts_exact;
    let counts = counts.then(|| UndoState::ALL.iter().map(count).collect::<Map<_, _>>());
    let result =
        |result: &ResultUndo| json!({ "name": result.name.as_str(), "state": result.state.as_str() });
    json!({
        "data": data,
        "page": { "next": preview.next.map(|next| next.to_string()), "limit": limit },
        "entries": preview.entries,
        "caused": preview.caused,
        "counts": counts,
        "counts_exact": preview.counts_exact,
        "hidden": preview.hidden,
        "results": preview.results.iter().map(result).collect::<Vec<_>>(),
    })
}

async fn item_json(
    app: &App,
    item: &UndoItem,
    requester: &Requester,
    names: &mut Names<'_>,
) -> ApiResult<Json> {
    let schema = app.records.schema();
    let object = schema.object(item.object.as_str());
    let mut fields = Map::new();
    for field in &item.fields {
        let Some(definition) = object.and_then(|object| object.field(field.field.as_str())) else { continue };
        let field_type = &definition.field_type;
        let view = |value: &Option<trellis_model::Value>| {
            json!(value.as_ref().map(|value| ValueView { value, field_type, labels: None }))
        };
        let sides = json!({
            "now": view(&field.now), "back_to": view(&field.back_to), "state": field.state.as_str(),
        });
        fields.insert(field.field.to_string(), sides);
    }
    let mut since = Vec::with_capacity(item.since.len());
    for later in &item.since {
        let fields: Vec<&str> = later.fields.iter().map(trellis_model::FieldName::as_str).collect();
        since.push(json!({
            "log": later.number,
            "timestamp": timestamp(later.time_ms).map(|time| time.to_string()),
            "actor": names.actor(&later.actor).await?,
            "fields": fields,
        }));
    }
    let language = requester.language();
    let reason = item.reason.as_ref();
    Ok(json!({
        "object": item.object.as_str(),
        "id": item.id.to_string(),
        "title": item.title,
        "action": item.action.as_str(),
        "state": item.state.as_str(),
        "fields": fields,
        "since": since,
        "code": reason.map(|reason| reason.code.to_ascii_uppercase()),
        "message": reason.map(|reason| reason.text.get(language)),
    }))
}

/// A record that refers to one that would be deleted.
fn in_use_json(used: &InUse) -> Json {
    json!({ "object": used.object.as_str(), "id": used.id.to_string(), "field": used.field.as_str() })
}

fn why_not(item: &UndoItem) -> Text {
    if let Some(reason) = &item.reason {
        return reason.text.clone();
    }
    let (object, id) = (&item.object, item.id);
    match item.state {
        UndoState::Expired => {
            bilingual!("what {object} `{id}` was like before has expired", "{object} `{id}` 之前的内容已过期")
        }
        UndoState::Missing => bilingual!("{object} `{id}` is not there any more", "{object} `{id}` 已不存在"),
        _ => bilingual!("{object} `{id}` changed again since", "{object} `{id}` 之后又被修改"),
    }
}
