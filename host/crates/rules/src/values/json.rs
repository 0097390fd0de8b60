use rhai::{Array, Dynamic, Map};
use serde_json::Value as Json;
use trellis_model::{Text, bilingual};

use super::{DateValue, DecimalValue, MoneyValue, TimeValue, text_to_dynamic};

/// How deep a value may nest that becomes JSON.
const DEPTH_MAX: usize = 64;

/// A script's value as JSON, in the forms of the API: days and times as texts, money as an object, exact decimals as texts.
///
/// # Errors
/// For numbers that are not finite, values that JSON does not have, and nesting over 64 levels.
pub(crate) fn to_json(value: &Dynamic) -> Result<Json, Text> {
    within(value, 0)
}

fn within(value: &Dynamic, depth: usize) -> Result<Json, Text> {
    if depth > DEPTH_MAX {
        return Err(bilingual!(
            "the value nests deeper than {DEPTH_MAX} levels",
            "该值的嵌套超过 {DEPTH_MAX} 层"
        ));
    }
    if value.is_unit() {
        return Ok(Json::Null);
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Json::String(text.to_string()));
    }
    if let Ok(array) = value.as_array_ref() {
        return array.iter().map(|item| within(item, depth + 1)).collect();
    }
    if let Ok(map) = value.as_map_ref() {
        let entries = map.iter().map(|(key, item)| Ok((key.to_string(), within(item, depth + 1)?)));
        return entries.collect::<Result<serde_json::Map<_, _>, _>>().map(Json::Object);
    }
    scalar(value)
}

fn scalar(value: &Dynamic) -> Result<Json, Text> {
    if let Ok(flag) = value.as_bool() {
        return Ok(flag.into());
    }
    if let Ok(number) = value.as_int() {
        return Ok(number.into());
    }
    if let Ok(number) = value.as_float() {
        return super::finite(number).map(|_| number.into());
    }
    if let Ok(character) = value.as_char() {
        return Ok(character.to_string().into());
    }
    if let Some(date) = value.read_lock::<DateValue>() {
        return Ok(date.0.to_string().into());
    }
    if let Some(time) = value.read_lock::<TimeValue>() {
        return Ok(time.0.to_string().into());
    }
    if let Some(decimal) = value.read_lock::<DecimalValue>() {
        return Ok(decimal.0.normalize().to_string().into());
    }
    if let Some(money) = value.read_lock::<MoneyValue>() {
        return Ok(trellis_model::Value::Money(money.0).to_json());
    }
    let name = value.type_name();
    Err(bilingual!("a {name} is not a value that a field can hold", "{name} 不是字段可以保存的值"))
}

/// JSON as scripts see it. A whole number that is too large for one becomes a float, and what nests over 64 levels becomes `()`.
pub(super) fn to_dynamic(json: &Json) -> Dynamic {
    down_to(json, 0)
}

fn down_to(json: &Json, depth: usize) -> Dynamic {
    match json {
        _ if depth > DEPTH_MAX => Dynamic::UNIT,
        Json::Null => Dynamic::UNIT,
        Json::Bool(flag) => Dynamic::from_bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Dynamic::from_int(number),
            None => Dynamic::from_float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => text_to_dynamic(text),
        Json::Array(items) => {
            Dynamic::from_array(items.iter().map(|item| down_to(item, depth + 1)).collect::<Array>())
        }
        Json::Object(entries) => Dynamic::from_map(
            entries
                .iter()
                .map(|(key, item)| (key.as_str().into(), down_to(item, depth + 1)))
                .collect::<Map>(),
        ),
    }
}
