//! Decisions in JSON: for the API, and as the canonical form in which a replay is compared. Keys come sorted.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_model::{Action, FieldName, NewMessage, NewTask, Reason, RecordId, Text, Value};

pub(crate) fn text_json(text: &Text) -> Json {
    json!({ "en": text.en, "zh-CN": text.zh_cn })
}

fn id_json(id: &Option<RecordId>) -> Json {
    id.as_ref().map_or(Json::Null, |id| json!(id.to_string()))
}

/// Fields by name, null where a field becomes null.
pub(crate) fn fields_json(fields: &BTreeMap<FieldName, Option<Value>>) -> Json {
    let field = |(name, value): (&FieldName, &Option<Value>)| {
        (name.to_string(), value.as_ref().map_or(Json::Null, Value::to_json))
    };
    Json::Object(fields.iter().map(field).collect())
}

pub(crate) fn reasons_json(reasons: &[Reason]) -> Json {
    let reason = |reason: &Reason| json!({ "code": reason.code, "text": text_json(&reason.text), "weight": reason.weight });
    Json::Array(reasons.iter().map(reason).collect())
}

pub(crate) fn actions_json(actions: &[Action]) -> Json {
    Json::Array(actions.iter().map(action_json).collect())
}

/// An action: its kind, and what it says, with fields as the API writes them.
pub(crate) fn action_json(action: &Action) -> Json {
    let kind = action.kind();
    match action {
        Action::SetFields { object, id, fields } => {
            json!({ "kind": kind, "object": object.as_str(), "id": id.to_string(), "fields": fields_json(fields) })
        }
        Action::CreateRecord { object, fields } => {
            let fields: serde_json::Map<_, _> =
                fields.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
            json!({ "kind": kind, "object": object.as_str(), "fields": fields })
        }
        Action::CreateTask(task) => task_json(kind, task),
        Action::SendMessage(message) => message_json(kind, message),
        Action::StartTimer { name, object, id, due_ms } => {
            json!({ "kind": kind, "name": name, "object": object.as_str(), "id": id.to_string(), "due_ms": due_ms })
        }
        Action::CancelTimer { name, object, id } => {
            json!({ "kind": kind, "name": name, "object": object.as_str(), "id": id.to_string() })
        }
        Action::Other { payload, .. } => json!({ "kind": kind, "payload": payload }),
        _ => json!({ "kind": kind }),
    }
}

fn task_json(kind: &str, task: &NewTask) -> Json {
    json!({
        "kind": kind,
        "subject": text_json(&task.subject),
        "description": text_json(&task.description),
        "owner": id_json(&task.owner),
        "account": id_json(&task.account),
        "case": id_json(&task.case),
        "due_in_days": task.due_in_days,
        "priority": task.priority,
    })
}

fn message_json(kind: &str, message: &NewMessage) -> Json {
    json!({
        "kind": kind,
        "channel": message.channel,
        "account": id_json(&message.account),
        "contact": id_json(&message.contact),
        "campaign": id_json(&message.campaign),
        "subject": text_json(&message.subject),
        "body": text_json(&message.body),
    })
}
