//! What happened to a record.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use trellis_model::{Actor, FieldChange, FieldId, Language, ObjectDefinition, ObjectName, RecordId, Value};
use trellis_records::HistoryEntry;

use crate::extract::{Parameters, RecordPath, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{ValueView, actor_json, json, timestamp};

/// Entries of a page.
const ENTRIES_MAX: usize = 200;

/// Returns a page of what happened to a record, deleted or not, the newest first.
pub(crate) async fn list_record_history(
    State(app): State<App>,
    requester: Requester,
    path: RecordPath,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(50, ENTRIES_MAX)?;
    let labels = parameters.take_flag("labels")?.then_some(requester.language());
    let from = parameters.take("after")?;
    parameters.finish()?;
    let from = from.map(|text| text.parse().map_err(|_| Problem::bad_cursor())).transpose()?;
    let scope = &requester.caller.scope;
    let page = app.records.history(scope, &path.object.name, path.id, from, limit).await?;
    let mut names = Names::new(&app, &requester);
    let mut data = Vec::with_capacity(page.entries.len());
    for entry in &page.entries {
        data.push(entry_json(entry, &path.object, labels, &mut names).await?);
    }
    let next = page.next.map(|number| number.to_string());
    json(StatusCode::OK, &json!({ "data": data, "page": { "next": next, "limit": limit } }))
}

async fn entry_json(
    entry: &HistoryEntry,
    object: &ObjectDefinition,
    labels: Option<Language>,
    names: &mut Names<'_>,
) -> ApiResult<Json> {
    let cause = &entry.cause;
    let job = match cause.job {
        Some(id) => names.job(id).await?,
        None => Json::Null,
    };
    let fields = entry.change.fields.as_ref().map(|fields| {
        let fields = fields.iter().filter_map(|(id, change)| field_json(*id, change, object, labels));
        fields.collect::<Map<_, _>>()
    });
    Ok(json!({
        "log": entry.number,
        "timestamp": timestamp(entry.time_ms).map(|time| time.to_string()),
        "type": format!("{}.{}", object.name, entry.change.kind.as_str()),
        "kind": entry.change.kind.as_str(),
        "actor": names.actor(&entry.actor).await?,
        "cause": {
            "job": job, "log": cause.log, "depth": cause.depth, "automations_off": cause.automations_off,
        },
        "expired": fields.is_none(),
        "fields": fields,
    }))
}

fn field_json(
    id: FieldId,
    change: &FieldChange,
    object: &ObjectDefinition,
    labels: Option<Language>,
) -> Option<(String, Json)> {
    let field = object.field_by_id(id)?;
    let view = |value: &Option<Value>| {
        let view = value.as_ref().map(|value| ValueView { value, field_type: &field.field_type, labels });
        json!(view)
    };
    let mut sides = json!({ "before": view(&change.before), "after": view(&change.after) });
    if let (Some(language), Some(sides)) = (labels, sides.as_object_mut()) {
        sides.insert("label".into(), json!(field.label.get(language)));
    }
    Some((field.name.to_string(), sides))
}

/// What people call users, rules, plugins and jobs, as far as the requester may know; each is looked up once.
pub(super) struct Names<'a> {
    app: &'a App,
    requester: &'a Requester,
    records: BTreeMap<(&'static str, RecordId), Option<String>>,
    jobs: BTreeMap<RecordId, Json>,
}

impl<'a> Names<'a> {
    pub(super) fn new(app: &'a App, requester: &'a Requester) -> Self {
        Self { app, requester, records: BTreeMap::new(), jobs: BTreeMap::new() }
    }

    /// Who did something, with a name.
    pub(super) async fn actor(&mut self, actor: &Actor) -> ApiResult<Json> {
        let name = match actor {
            Actor::User { id, .. } => self.title("user", *id).await?,
            Actor::Rule { id, .. } => self.title("rule", *id).await?,
            Actor::Plugin { id, .. } => {
                let plugin = self.app.engine.plugin_get(id);
                plugin.map(|plugin| plugin.name.get(self.requester.language()).to_owned())
            }
            Actor::System { .. } => None,
        };
        let mut json = actor_json(actor);
        if let Some(json) = json.as_object_mut() {
            json.insert("name".into(), json!(name));
        }
        Ok(json)
    }

    async fn title(&mut self, object: &'static str, id: RecordId) -> ApiResult<Option<String>> {
        if let Some(known) = self.records.get(&(object, id)) {
            return Ok(known.clone());
        }
        let name = ObjectName::new(object).expect("a standard object");
        let schema = self.app.records.schema();
        let scope = &self.requester.caller.scope;
        let record = self.app.records.get_deleted_too(scope, &name, id).await?;
        let field = schema.object(object).and_then(|object| object.field(object.title.as_str()));
        let title = record.zip(field).and_then(|(record, field)| record.fields.get(&field.id).cloned());
        let title = title.map(|title| title.canonical());
        self.records.insert((object, id), title.clone());
        Ok(title)
    }

    /// The job behind a change: its kind says whether it was an import, a merge, an undo.
    async fn job(&mut self, id: RecordId) -> ApiResult<Json> {
        if let Some(known) = self.jobs.get(&id) {
            return Ok(known.clone());
        }
        let job = self.app.engine.job_get(id).await?;
        let kind = job.map(|job| job.kind.as_str());
        let json = json!({ "id": id.to_string(), "kind": kind });
        self.jobs.insert(id, json.clone());
        Ok(json)
    }
}
