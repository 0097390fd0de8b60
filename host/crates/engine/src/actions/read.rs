//! Actions read back from the ledger, where a stop of the server left some of them pending.

use serde_json::Value as Json;
use trellis_model::{Action, FieldName, NewMessage, NewTask, ObjectName, RecordId, Text, Value};
use trellis_records::Schema;

use crate::{Error, Result, decisions::Decision};

/// The actions of a decision as they were returned.
pub(crate) fn pending(schema: &Schema, decision: &Decision) -> Result<Vec<Action>> {
    let read = |action: &Json| {
        Reading { schema, action }
            .action()
            .ok_or_else(|| Error::Damaged { what: format!("action of decision {}: {action}", decision.id) })
    };
    decision.actions.iter().map(|outcome| read(&outcome.action)).collect()
}

/// An action as the ledger has it.
struct Reading<'a> {
    schema: &'a Schema,
    action: &'a Json,
}

impl Reading<'_> {
    fn action(&self) -> Option<Action> {
        Some(match self.string("kind")?.as_str() {
            "set-fields" => Action::SetFields {
                object: self.object()?,
                id: self.id("id")?,
                fields: self.fields()?.collect::<Option<_>>()?,
            },
            "create-record" => Action::CreateRecord {
                object: self.object()?,
                fields: self
                    .fields()?
                    .map(|field| field.and_then(|(name, value)| Some((name, value?))))
                    .collect::<Option<_>>()?,
            },
            "create-task" => Action::CreateTask(NewTask {
                subject: self.text("subject")?,
                description: self.text("description")?,
                owner: self.id("owner"),
                account: self.id("account"),
                case: self.id("case"),
                due_in_days: self.action.get("due_in_days")?.as_u64().and_then(|days| days.try_into().ok()),
                priority: self.string("priority"),
            }),
            "send-message" => Action::SendMessage(NewMessage {
                channel: self.string("channel")?,
                account: self.id("account"),
                contact: self.id("contact"),
                subject: self.text("subject")?,
                body: self.text("body")?,
                campaign: self.id("campaign"),
            }),
            "start-timer" => Action::StartTimer {
                name: self.string("name")?,
                object: self.object()?,
                id: self.id("id")?,
                due_ms: self.action.get("due_ms")?.as_i64()?,
            },
            "cancel-timer" => {
                Action::CancelTimer { name: self.string("name")?, object: self.object()?, id: self.id("id")? }
            }
            other => {
                Action::Other { kind: other.to_owned(), payload: self.string("payload").unwrap_or_default() }
            }
        })
    }

    fn string(&self, key: &str) -> Option<String> {
        self.action.get(key)?.as_str().map(str::to_owned)
    }

    fn id(&self, key: &str) -> Option<RecordId> {
        RecordId::parse(self.action.get(key)?.as_str()?).ok()
    }

    fn object(&self) -> Option<ObjectName> {
        ObjectName::new(self.action.get("object")?.as_str()?).ok()
    }

    fn text(&self, key: &str) -> Option<Text> {
        let text = self.action.get(key)?;
        Some(Text::new(text.get("en")?.as_str()?, text.get("zh-CN")?.as_str()?))
    }

    /// Fields with their values; the definition says what a JSON value stands for.
    fn fields(&self) -> Option<impl Iterator<Item = Option<(FieldName, Option<Value>)>>> {
        let object = self.schema.object(self.action.get("object")?.as_str()?);
        let fields = self.action.get("fields")?.as_object()?.iter();
        Some(fields.map(move |(name, json)| {
            let definition = object.and_then(|object| object.field(name));
            let parsed = definition.and_then(|field| field.field_type.parse_json(json).ok());
            Some((FieldName::new(name).ok()?, parsed.unwrap_or_else(|| by_shape(json))))
        }))
    }
}

/// What a value looks like that does not fit its field; saving says what is wrong with it.
fn by_shape(json: &Json) -> Option<Value> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(Value::Text(text.clone())),
        other => Some(Value::Json(other.clone())),
    }
}
