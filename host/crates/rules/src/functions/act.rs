//! What a rule after saving wants to happen.

use std::collections::BTreeMap;

use rhai::{Dynamic, Engine, ImmutableString, Map};
use trellis_model::{
    Action, FieldName, NewMessage, NewTask, ObjectName, Reason, RecordId, Text, Value, bilingual,
};

use super::Evaluated;
use super::options::{Options, code, message, record_id};
use super::record::{known_field, of_field};
use crate::call::{self, Call, ensure_room};
use crate::error::Fault;
use crate::values;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("set_fields", |fields: Map| {
        act("set_fields", |call| {
            let (object, id) = (call.record.object.clone(), call.record.id);
            set_fields(call, object, id, &fields)
        })
    });
    engine.register_fn("set_fields", |object: ImmutableString, id: Dynamic, fields: Map| {
        act("set_fields", |call| {
            let id = record_id(&id).map_err(|expected| wrong_id("set_fields", &id, &expected))?;
            set_fields(call, object_name(&object)?, id, &fields)
        })
    });
    engine.register_fn("create", |object: ImmutableString, fields: Map| {
        act("create", |call| {
            let object = object_name(&object)?;
            let fields = named_fields(call, &object, &fields)?;
            let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            Ok(Action::CreateRecord { object, fields })
        })
    });
    engine.register_fn("create_task", |task: Map| act("create_task", |_| new_task(task)));
    engine.register_fn("send_message", |sent: Map| act("send_message", |_| new_message(sent)));
    engine.register_fn("start_timer", |name: ImmutableString, due: Dynamic| {
        let due_ms = values::due_ms(&due)?;
        act("start_timer", |call| {
            let (object, id) = (call.record.object.clone(), call.record.id);
            Ok(Action::StartTimer { name: code(&name)?, object, id, due_ms })
        })
    });
    engine.register_fn("cancel_timer", |name: ImmutableString| {
        act("cancel_timer", |call| {
            let (object, id) = (call.record.object.clone(), call.record.id);
            Ok(Action::CancelTimer { name: code(&name)?, object, id })
        })
    });
    engine.register_fn("because", |code: ImmutableString, text: Dynamic| because(&code, &text, 1.0));
    engine.register_fn("because", |code: ImmutableString, text: Dynamic, weight: f64| {
        because(&code, &text, weight)
    });
    engine.register_fn("because", |code: ImmutableString, text: Dynamic, weight: i64| {
        because(&code, &text, weight as f64)
    });
}

fn act(function: &str, make: impl FnOnce(&Call) -> Result<Action, Fault>) -> Evaluated<()> {
    call::with(|call| {
        ensure_after_save(call, function)?;
        ensure_room(call.actions.len(), call.limits.actions_max, "actions_max")?;
        let action = make(call)?;
        call.actions.push(action);
        Ok(())
    })
}

fn ensure_after_save(call: &Call, function: &str) -> Result<(), Fault> {
    if !call.before_save {
        return Ok(());
    }
    Err(Fault::runtime(bilingual!(
        "`{function}` is for rules that run after saving",
        "`{function}` 只能用于保存后的规则"
    )))
}

fn because(name: &str, text: &Dynamic, weight: f64) -> Evaluated<()> {
    call::with(|call| {
        ensure_after_save(call, "because")?;
        ensure_room(call.reasons.len(), call.limits.actions_max, "actions_max")?;
        values::finite(weight).map_err(Fault::value)?;
        call.reasons.push(Reason { code: code(name)?, text: message("because", text)?, weight });
        Ok(())
    })
}

fn object_name(name: &str) -> Result<ObjectName, Fault> {
    ObjectName::new(name).map_err(|error| Fault::value(error.text()))
}

fn wrong_id(function: &str, found: &Dynamic, expected: &Text) -> Fault {
    let (found, en, zh_cn) = (values::describe(found), &expected.en, &expected.zh_cn);
    Fault::value(Text::new(
        format!("`{function}`: `{found}` is not {en}"),
        format!("`{function}`：`{found}` 无效，应为{zh_cn}"),
    ))
}

fn set_fields(call: &Call, object: ObjectName, id: RecordId, fields: &Map) -> Result<Action, Fault> {
    if fields.is_empty() {
        return Err(Fault::value(bilingual!("`set_fields` sets no field", "`set_fields` 没有设置任何字段")));
    }
    Ok(Action::SetFields { fields: named_fields(call, &object, fields)?, object, id })
}

/// Fields of the rule's own object are checked here, with the place in the rule; those of others when the action is carried out.
fn named_fields(
    call: &Call,
    object: &ObjectName,
    fields: &Map,
) -> Result<BTreeMap<FieldName, Option<Value>>, Fault> {
    let own = *object == call.object.name;
    let named = fields.iter().map(|(name, value)| {
        let (name, value) = if own {
            let known = known_field(call, name)?;
            let field_type = call.field(name)?.map(|field| &field.field_type);
            (known, field_type.map_or(Ok(None), |field_type| values::typed(field_type, value)))
        } else {
            (FieldName::new(name).map_err(|error| Fault::value(error.text()))?, values::untyped(value))
        };
        let value = value.map_err(|why| of_field(name.as_str(), &why))?;
        Ok((name, value))
    });
    named.collect()
}

fn new_task(task: Map) -> Result<Action, Fault> {
    let keys = "`subject`, `description`, `owner`, `account`, `case`, `due_in_days`, `priority`";
    let mut task = Options::new("create_task", keys, task);
    let new = NewTask {
        subject: task.required_text("subject")?,
        description: task.text("description")?,
        owner: task.id("owner")?,
        account: task.id("account")?,
        case: task.id("case")?,
        due_in_days: task.days("due_in_days")?,
        priority: task.string("priority")?,
    };
    task.finish()?;
    Ok(Action::CreateTask(new))
}

fn new_message(sent: Map) -> Result<Action, Fault> {
    let keys = "`channel`, `account`, `contact`, `campaign`, `subject`, `body`";
    let mut sent = Options::new("send_message", keys, sent);
    let new = NewMessage {
        channel: sent.required_string("channel")?,
        account: sent.id("account")?,
        contact: sent.id("contact")?,
        subject: sent.text("subject")?,
        body: sent.required_text("body")?,
        campaign: sent.id("campaign")?,
    };
    sent.finish()?;
    Ok(Action::SendMessage(new))
}
