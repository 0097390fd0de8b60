//! Look-ups: what a rule may know beyond its record.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};
use trellis_model::{ObjectName, Text};

use super::options::record_id;
use super::{Evaluated, Row};
use crate::call;
use crate::error::Fault;
use crate::values;

/// Records that one `find` returns at most.
const FOUND_MAX: u32 = 200;
/// Records that a `find` without a number returns at most.
const FOUND_DEFAULT: i64 = 20;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("get", |object: ImmutableString, id: Dynamic| get(&object, &id));
    engine.register_fn("find", |object: ImmutableString, filter: Map| find(&object, filter, FOUND_DEFAULT));
    engine.register_fn("find", |object: ImmutableString, filter: Map, max: i64| find(&object, filter, max));
    engine.register_fn("count", |object: ImmutableString, filter: Map| {
        let (object, filter) = (object_name(&object)?, filter_json(filter)?);
        let count = call::look_up(|lookups| lookups.count(&object, &filter))?;
        Ok::<_, Box<rhai::EvalAltResult>>(i64::try_from(count).unwrap_or(i64::MAX))
    });
}

fn object_name(name: &str) -> Result<ObjectName, Fault> {
    ObjectName::new(name).map_err(|error| Fault::value(error.text()))
}

fn filter_json(filter: Map) -> Result<serde_json::Value, Fault> {
    values::to_json(&Dynamic::from_map(filter)).map_err(Fault::value)
}

/// The record of nothing is nothing, so that `get("account", record.account)` needs no check before it.
fn get(object: &str, id: &Dynamic) -> Evaluated<Dynamic> {
    let object = object_name(object)?;
    if id.is_unit() {
        return Ok(Dynamic::UNIT);
    }
    let id = record_id(id).map_err(|expected| {
        let found = values::describe(id);
        let (en, zh_cn) = (expected.en, expected.zh_cn);
        Fault::value(Text::new(
            format!("`get`: `{found}` is not {en}"),
            format!("`get`：`{found}` 无效，应为{zh_cn}"),
        ))
    })?;
    let record = call::look_up(|lookups| lookups.get(&object, id))?;
    Ok(record.map_or(Dynamic::UNIT, |record| Dynamic::from(Row::Found(Arc::new(record)))))
}

fn find(object: &str, filter: Map, max: i64) -> Evaluated<Array> {
    let (object, filter) = (object_name(object)?, filter_json(filter)?);
    let max = u32::try_from(max.max(0)).unwrap_or(FOUND_MAX).min(FOUND_MAX);
    let found = call::look_up(|lookups| lookups.find(&object, &filter, max))?;
    Ok(found.into_iter().map(|record| Dynamic::from(Row::Found(Arc::new(record)))).collect())
}
