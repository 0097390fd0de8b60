use serde_json::{Map, Value as Json, json};
use trellis_model::{Actor, FieldChange, FieldId, RowAccess, Scope, Value, Via};
use trellis_records::{EntryBody, LogEntry, LoggedChange, Schema};

use super::timestamp;

/// An entry of the change feed with what the scope may see of it; `None` where that is nothing.
pub(crate) fn entry_json(
    entry: &LogEntry,
    schema: &Schema,
    scope: &Scope,
    administrator: bool,
) -> Option<Json> {
    let mut json = json!({
        "number": entry.number,
        "position": entry.position,
        "timestamp": timestamp(entry.time_ms).map(|time| time.to_string()),
        "actor": actor_json(&entry.actor),
        "cause": {
            "job": entry.cause.job.map(|id| id.to_string()),
            "log": entry.cause.log,
            "depth": entry.cause.depth,
            "automations_off": entry.cause.automations_off,
        },
    });
    let (name, value) = match &entry.body {
        EntryBody::Changes(changes) => {
            let changes: Vec<Json> =
                changes.iter().filter_map(|change| change_json(change, schema, scope)).collect();
            ("changes", (!changes.is_empty()).then_some(Json::Array(changes))?)
        }
        EntryBody::Event { name, data } => {
            ("event", administrator.then(|| json!({ "type": name, "data": data }))?)
        }
    };
    json.as_object_mut().expect("made as an object").insert(name.into(), value);
    Some(json)
}

/// A record's change. Where the scope's rows are a filter, whether the record was in it at that time cannot be told, so it is left out.
fn change_json(change: &LoggedChange, schema: &Schema, scope: &Scope) -> Option<Json> {
    let object = schema.object_by_id(change.object)?;
    let object_scope = scope.of(&object.name);
    if object_scope.rows != RowAccess::All {
        return None;
    }
    let readable = |(id, change): (&FieldId, &FieldChange)| {
        let field = object.field_by_id(*id).filter(|field| object_scope.readable.contains(&field.name))?;
        Some((
            field.name.to_string(),
            json!({ "before": value_json(change.before.as_ref()), "after": value_json(change.after.as_ref()) }),
        ))
    };
    let fields =
        change.fields.as_ref().map(|fields| fields.iter().filter_map(readable).collect::<Map<_, _>>());
    Some(json!({
        "type": format!("{}.{}", object.name, change.kind.as_str()),
        "object": object.name.as_str(),
        "id": change.id.to_string(),
        "fields": fields,
    }))
}

fn value_json(value: Option<&Value>) -> Json {
    value.map_or(Json::Null, Value::to_json)
}

pub(crate) fn actor_json(actor: &Actor) -> Json {
    let id = |id: &Option<trellis_model::RecordId>| id.map(|id| id.to_string());
    match actor {
        Actor::User { id, via: Via::Token(token) } => {
            json!({ "kind": "user", "id": id.to_string(), "token": token })
        }
        Actor::User { id, via: Via::Session(session) } => {
            json!({ "kind": "user", "id": id.to_string(), "session": session })
        }
        Actor::Plugin { id: plugin, version, for_user } => {
            json!({ "kind": "plugin", "id": plugin.as_str(), "version": version, "for_user": id(for_user) })
        }
        Actor::Rule { id: rule, version, for_user } => {
            json!({ "kind": "rule", "id": rule.to_string(), "version": version, "for_user": id(for_user) })
        }
        Actor::System { component } => json!({ "kind": "system", "component": component }),
    }
}
