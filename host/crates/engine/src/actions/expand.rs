//! From an action to what it changes.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use trellis_model::{
    Action, FieldName, Fields, NewMessage, NewTask, ObjectName, RecordId, Scope, Text, Value, bilingual,
};
use trellis_records::Write;

use super::Refusal;
use crate::{
    Result,
    core::Core,
    timers::{Owner, TimerName},
};

/// What an action changes.
#[derive(Debug)]
pub(super) enum Step {
    /// A record of an object.
    Write { object: ObjectName, record: RecordId, write: Write },
    /// A timer that starts.
    Start { timer: TimerName, due_ms: i64 },
    /// A timer that ends.
    Cancel { timer: TimerName },
}

/// Says what an action changes, with everything filled in that it leaves to the host.
///
/// # Errors
/// Of the outer kind only where the store fails.
pub(super) async fn expand(core: &Core, owner: Owner, action: &Action) -> Result<Result<Step, Refusal>> {
    let step = match action {
        Action::SetFields { object, id, fields } => update(core, object, *id, fields.clone()),
        Action::CreateRecord { object, fields } => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
            create(core, object, fields.collect())
        }
        Action::CreateTask(task) => {
            let owner = match (task.owner, task.account) {
                (None, Some(account)) => owner_of(core, account).await?,
                (owner, _) => owner,
            };
            create(core, &object("task"), task_fields(core, task, owner))
        }
        Action::SendMessage(message) => create(core, &object("message"), message_fields(core, message)),
        Action::StartTimer { name, object, id, due_ms } => {
            timer(core, owner, name, object, *id).map(|timer| Step::Start { timer, due_ms: *due_ms })
        }
        Action::CancelTimer { name, object, id } => {
            timer(core, owner, name, object, *id).map(|timer| Step::Cancel { timer })
        }
        other => {
            let kind = other.kind();
            Err(Refusal::new(
                "unknown_action",
                bilingual!(
                    "this version of the host knows no action `{kind}`",
                    "此版本的主机不认识动作 `{kind}`"
                ),
            ))
        }
    };
    Ok(step)
}

type Named = BTreeMap<FieldName, Option<Value>>;

fn update(core: &Core, object: &ObjectName, id: RecordId, fields: Named) -> Result<Step, Refusal> {
    let changes = core.records.schema().fields(object, fields).map_err(refused)?;
    let write = Write::Update { object: object.clone(), id, changes, expected_version: None };
    Ok(Step::Write { object: object.clone(), record: id, write })
}

fn create(core: &Core, object: &ObjectName, fields: Named) -> Result<Step, Refusal> {
    let changes = core.records.schema().fields(object, fields).map_err(refused)?;
    let fields: Fields = changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
    // The decision names the record in the write set that creates it, so the id comes first.
    let record = core.records.ids().record_id(core.records.clock().now_ms());
    let write = Write::Create { object: object.clone(), fields, id: Some(record) };
    Ok(Step::Write { object: object.clone(), record, write })
}

pub(super) fn refused(error: trellis_records::Error) -> Refusal {
    Refusal { code: error.code(), message: error.text() }
}

fn timer(
    core: &Core,
    owner: Owner,
    name: &str,
    object: &ObjectName,
    record: RecordId,
) -> Result<TimerName, Refusal> {
    let schema = core.records.schema();
    let Some(definition) = schema.object(object.as_str()) else {
        return Err(refused(trellis_records::Error::UnknownObject { name: object.to_string() }));
    };
    if !TimerName::is_valid(name) {
        return Err(Refusal::phrase(
            "invalid_timer",
            "the name of a timer is 1 to 60 lower-case letters, digits and hyphens and begins with a letter",
            "定时器名称须为 1 至 60 个小写字母、数字或连字符，并以字母开头",
        ));
    }
    Ok(TimerName { owner, name: name.to_owned(), object: definition.id, record })
}

/// The user who owns an account, if it has one.
async fn owner_of(core: &Core, account: RecordId) -> Result<Option<RecordId>> {
    let object = object("account");
    let found = core.records.get(&Scope::everything(), &object, account).await?;
    let schema = core.records.schema();
    let field = schema.object("account").and_then(|account| account.field("owner")).map(|field| field.id);
    Ok(found.zip(field).and_then(|(account, field)| match account.fields.get(&field) {
        Some(Value::Reference(owner)) => Some(*owner),
        _ => None,
    }))
}

fn task_fields(core: &Core, task: &NewTask, owner: Option<RecordId>) -> Named {
    let due_on = task.due_in_days.and_then(|days| {
        let now = Timestamp::from_millisecond(core.records.clock().now_ms()).ok()?;
        let today = now.to_zoned(core.records.config().time_zone.clone()).date();
        today.checked_add(i64::from(days).days()).ok()
    });
    named([
        ("subject", text(core, &task.subject)),
        ("description", text(core, &task.description)),
        ("status", Some(Value::Choice("open".to_owned()))),
        ("priority", task.priority.clone().map(Value::Choice)),
        ("due_on", due_on.map(Value::Date)),
        ("owner", owner.map(Value::Reference)),
        ("account", task.account.map(Value::Reference)),
        ("case", task.case.map(Value::Reference)),
    ])
}

fn message_fields(core: &Core, message: &NewMessage) -> Named {
    named([
        ("channel", Some(Value::Choice(message.channel.clone()))),
        ("status", Some(Value::Choice("queued".to_owned()))),
        ("account", message.account.map(Value::Reference)),
        ("contact", message.contact.map(Value::Reference)),
        ("campaign", message.campaign.map(Value::Reference)),
        ("subject", text(core, &message.subject)),
        ("body", text(core, &message.body)),
    ])
}

/// The form of a text in the organisation's language; nothing where it is empty.
fn text(core: &Core, text: &Text) -> Option<Value> {
    let text = text.get(core.config.language);
    (!text.is_empty()).then(|| Value::Text(text.to_owned()))
}

/// Fields that have a value.
fn named<const N: usize>(fields: [(&str, Option<Value>); N]) -> Named {
    let name = |name| FieldName::new(name).expect("names of standard fields are names");
    fields
        .into_iter()
        .filter(|(_, value)| value.is_some())
        .map(|(field, value)| (name(field), value))
        .collect()
}

fn object(name: &str) -> ObjectName {
    ObjectName::new(name).expect("names of standard objects are names")
}
