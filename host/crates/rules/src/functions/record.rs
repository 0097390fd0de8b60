//! `record`, `before` and the records that look-ups find: fields are read by name, and those of `record` changed.

use std::sync::Arc;

use rhai::{Dynamic, Engine, FuncRegistration, ImmutableString};
use trellis_model::{FieldName, NamedRecord, SystemField, Value, bilingual};

use super::Evaluated;
use crate::call::{self, Call};
use crate::error::Fault;
use crate::values;

/// A record in a script. The first two stand for what the running call holds, so they cost nothing to hand around.
#[derive(Clone)]
pub(crate) enum Row {
    /// The record that the rule is about, with the rule's changes.
    Record,
    /// The same record as it was.
    Before,
    /// A record that a look-up found.
    Found(Arc<NamedRecord>),
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Row>("Record");
    engine.register_indexer_get(|row: &mut Row, name: ImmutableString| get(row, &name));
    // Pure in rhai's sense: allowed although `record` is a constant, which keeps the script from replacing it.
    FuncRegistration::new_index_setter()
        .with_purity(true)
        .register_into_engine(engine, |row: &mut Row, name: ImmutableString, value: Dynamic| {
            set(row, &name, &value)
        });
    engine.register_fn("changed", |name: ImmutableString| call::with(|call| changed(call, &name)));
    engine.register_fn("is_new", || call::with(|call| Ok(call.before.is_none())));
    engine.register_fn("user", || {
        call::with(|call| Ok(call.user.map_or(Dynamic::UNIT, |id| Dynamic::from(id.to_string()))))
    });
    engine.register_fn("to_string", |row: &mut Row| get(row, "id"));
    engine.register_fn("to_debug", |row: &mut Row| get(row, "id"));
}

fn get(row: &Row, name: &str) -> Evaluated<Dynamic> {
    match row {
        Row::Found(record) => Ok(head(record, name).unwrap_or_else(|| shown(record.fields.get(name)))),
        Row::Record => call::with(|call| match head(&call.record, name) {
            Some(value) => Ok(value),
            None => call.field(name).map(|_| shown(call.proposed(name))),
        }),
        Row::Before => call::with(|call| {
            let before = call.before.as_ref();
            match before.and_then(|before| head(before, name)) {
                Some(value) => Ok(value),
                None => call.field(name).map(|_| shown(before.and_then(|before| before.fields.get(name)))),
            }
        }),
    }
}

fn head(record: &NamedRecord, name: &str) -> Option<Dynamic> {
    match name {
        "id" => Some(Dynamic::from(record.id.to_string())),
        "object" => Some(Dynamic::from(record.object.to_string())),
        _ => None,
    }
}

fn shown(value: Option<&Value>) -> Dynamic {
    value.map_or(Dynamic::UNIT, values::to_dynamic)
}

/// rhai also calls this after a method of a field's value was called (`record.tags.len()`), because the method may have changed it. A
/// value that is as before is therefore never an error.
fn set(row: &Row, name: &str, value: &Dynamic) -> Evaluated<()> {
    let unchanged = |now: &Dynamic| match (values::to_json(now), values::to_json(value)) {
        (Ok(now), Ok(value)) => now == value,
        _ => false,
    };
    if unchanged(&get(row, name)?) {
        return Ok(());
    }
    call::with(|call| match row {
        Row::Record if call.before_save => put(call, name, value),
        Row::Record => Err(Fault::runtime(bilingual!(
            "the record is saved already: change `{name}` with `set_fields`",
            "记录已保存：请用 `set_fields` 修改 `{name}`"
        ))),
        Row::Before | Row::Found(_) => Err(Fault::runtime(bilingual!(
            "`{name}` of this record can only be read",
            "此记录的 `{name}` 只能读取"
        ))),
    })
}

fn put(call: &mut Call, name: &str, value: &Dynamic) -> Result<(), Fault> {
    let Some(field) = call.field(name)?.filter(|_| SystemField::of(name).is_none()) else {
        return Err(Fault::runtime(bilingual!(
            "`{name}` is a system field and cannot be changed",
            "`{name}` 是系统字段，不能修改"
        )));
    };
    let value = values::typed(&field.field_type, value).map_err(|why| of_field(name, &why))?;
    let name = field.name.clone();
    match same(call.record.fields.get(&name), value.as_ref()) {
        true => call.changes.remove(&name),
        false => call.changes.insert(name, value),
    };
    Ok(())
}

/// Says which field a value was meant for.
pub(super) fn of_field(name: &str, why: &trellis_model::Text) -> Fault {
    Fault::value(bilingual!("field `{name}`: ", "字段 `{name}`：").then(why))
}

/// A field's name, if the record's object has such a field.
pub(super) fn known_field(call: &Call, name: &str) -> Result<FieldName, Fault> {
    call.field(name)?
        .map(|field| field.name.clone())
        .ok_or_else(|| Fault::runtime(bilingual!("`{name}` is a system field", "`{name}` 是系统字段")))
}

fn changed(call: &Call, name: &str) -> Result<bool, Fault> {
    call.field(name)?;
    let before = call.before.as_ref().and_then(|before| before.fields.get(name));
    Ok(!same(call.proposed(name), before))
}

/// Whether two values are one for people: what money is worth in base currency, which is fixed by the commit, is no part of it.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Money(a)), Some(Value::Money(b))) => (a.amount, a.currency) == (b.amount, b.currency),
        (a, b) => a == b,
    }
}
