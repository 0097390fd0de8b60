//! Between the host's values and a script's.

mod calendar;
mod compare;
mod decimal;
mod json;
mod money;

use rhai::{Array, Dynamic, Engine, ImmutableString};
use rust_decimal::prelude::ToPrimitive;
use trellis_model::{FieldType, Text, Value, bilingual};

pub(crate) use calendar::{DateValue, TimeValue, due_ms};
pub(crate) use decimal::DecimalValue;
pub(crate) use json::to_json;
pub(crate) use money::MoneyValue;

/// Adds the types that rhai does not have.
pub(crate) fn register(engine: &mut Engine) {
    calendar::register(engine);
    decimal::register(engine);
    money::register(engine);
}

/// A value as scripts see it.
pub(crate) fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Text(text) | Value::Choice(text) => text_to_dynamic(text),
        Value::Number(number) => Dynamic::from_float(*number),
        Value::Integer(number) => Dynamic::from_int(*number),
        Value::Money(money) => Dynamic::from(MoneyValue(*money)),
        Value::Bool(flag) => Dynamic::from_bool(*flag),
        Value::Date(date) => Dynamic::from(DateValue(*date)),
        Value::Time(time) => Dynamic::from(TimeValue(*time)),
        Value::MultiChoice(options) => {
            Dynamic::from_array(options.iter().map(|option| text_to_dynamic(option)).collect())
        }
        Value::Reference(id) => text_to_dynamic(&id.to_string()),
        Value::List(values) => Dynamic::from_array(values.iter().map(to_dynamic).collect::<Array>()),
        Value::Json(json) => json::to_dynamic(json),
    }
}

fn text_to_dynamic(text: &str) -> Dynamic {
    Dynamic::from(ImmutableString::from(text))
}

/// Reads a script's value for a field of a known type. `()` is null.
///
/// # Errors
/// Says what was expected.
pub(crate) fn typed(field_type: &FieldType, value: &Dynamic) -> Result<Option<Value>, Text> {
    let wrong = |error: trellis_model::Error| error.text();
    if let Some(money) = value.read_lock::<MoneyValue>().filter(|_| *field_type == FieldType::Money) {
        let money = trellis_model::Money::new(money.0.amount, money.0.currency).map_err(wrong)?;
        return Ok(Some(Value::Money(money)));
    }
    if let Some(decimal) = value.read_lock::<DecimalValue>() {
        match field_type {
            FieldType::Number => return finite(decimal.0.to_f64().unwrap_or(f64::NAN)).map(Some),
            FieldType::Integer if decimal.0.fract().is_zero() => {
                return Ok(decimal.0.to_i64().map(Value::Integer));
            }
            _ => {}
        }
    }
    match (field_type, value.read_lock::<DateValue>(), value.read_lock::<TimeValue>()) {
        (FieldType::Date, Some(date), _) => return date.checked().map(|date| Some(Value::Date(date))),
        (FieldType::Time, _, Some(time)) => return Ok(Some(Value::Time(time.0))),
        _ => {}
    }
    field_type.parse_json(&to_json(value)?).map_err(wrong)
}

/// Reads a script's value where the type of the field is not known here; whoever applies it fits it to the field.
///
/// # Errors
/// For what no field can hold.
pub(crate) fn untyped(value: &Dynamic) -> Result<Option<Value>, Text> {
    if value.is_unit() {
        return Ok(None);
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Some(Value::Text(text.to_string())));
    }
    if let Ok(number) = value.as_float() {
        return finite(number).map(Some);
    }
    if let Some(money) = value.read_lock::<MoneyValue>() {
        let money = trellis_model::Money::new(money.0.amount, money.0.currency);
        return money.map(|money| Some(Value::Money(money))).map_err(|error| error.text());
    }
    if let Some(date) = value.read_lock::<DateValue>() {
        return date.checked().map(|date| Some(Value::Date(date)));
    }
    if let Some(decimal) = value.read_lock::<DecimalValue>() {
        return finite(decimal.0.to_f64().unwrap_or(f64::NAN)).map(Some);
    }
    let known = value.as_int().map(Value::Integer).or_else(|_| value.as_bool().map(Value::Bool)).ok();
    match known.or_else(|| value.read_lock::<TimeValue>().map(|time| Value::Time(time.0))) {
        Some(value) => Ok(Some(value)),
        None => untyped_many(value).map(Some),
    }
}

/// An array of plain values is a list; anything else that is nested is JSON.
fn untyped_many(value: &Dynamic) -> Result<Value, Text> {
    let json = to_json(value)?;
    if let Ok(array) = value.as_array_ref()
        && !array.iter().any(|item| item.is_unit() || item.is_array() || item.is_map())
    {
        let items = array.iter().filter_map(|item| untyped(item).transpose());
        return Ok(Value::List(items.collect::<Result<_, _>>()?));
    }
    Ok(Value::Json(json))
}

/// A number that a field can hold.
pub(crate) fn finite(number: f64) -> Result<Value, Text> {
    match number.is_finite() {
        // Minus zero becomes zero.
        true => Ok(Value::Number(number + 0.0)),
        false => Err(bilingual!("`{number}` is not a finite number", "`{number}` 无效，应为有限的数字")),
    }
}

/// What a script's value is, for messages.
pub(crate) fn describe(value: &Dynamic) -> String {
    let mut shown = match value.as_immutable_string_ref() {
        Ok(text) => format!("\"{}\"", text.as_str()),
        Err(_) if value.is_unit() => "()".to_owned(),
        Err(_) => to_json(value).map_or_else(|_| value.type_name().to_owned(), |json| json.to_string()),
    };
    if let Some((end, _)) = shown.char_indices().nth(60) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}
