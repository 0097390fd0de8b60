//! The part of the filter grammar that the test double of look-ups understands.

use std::cmp::Ordering;

use serde_json::Value as Json;

use crate::{ObjectRecord, Value};

/// Whether `record` matches; `None` is unknown, as a comparison with null is.
///
/// # Errors
/// Says what it does not understand.
pub(super) fn matches(filter: &Json, record: &ObjectRecord) -> Result<Option<bool>, String> {
    if let Some(parts) = filter.get("and") {
        return all(parts, record, false);
    }
    if let Some(parts) = filter.get("or") {
        return all(parts, record, true);
    }
    if let Some(part) = filter.get("not") {
        return Ok(matches(part, record)?.map(|holds| !holds));
    }
    let name = filter.get("field").and_then(Json::as_str).ok_or_else(|| not_understood(filter))?;
    let value = filter.get("value").unwrap_or(&Json::Null);
    let op = filter.get("op").map_or(Some("eq"), Json::as_str).ok_or_else(|| not_understood(filter))?;
    let found = if name == "id" { Some(Json::from(record.id.as_str())) } else { plain(record.value(name))? };
    if op == "null" {
        return Ok(Some(found.is_none() == value.as_bool().unwrap_or(true)));
    }
    let Some(found) = found else { return Ok(None) };
    let value = &numbered(record.value(name), value);
    compare(&found, op, value).map(Some).ok_or_else(|| not_understood(filter))
}

/// The first part that is `decisive` decides; else an unknown one leaves the whole unknown.
fn all(parts: &Json, record: &ObjectRecord, decisive: bool) -> Result<Option<bool>, String> {
    let parts = parts.as_array().ok_or_else(|| not_understood(parts))?;
    let mut outcome = Some(!decisive);
    for part in parts {
        match matches(part, record)? {
            Some(holds) if holds == decisive => return Ok(Some(decisive)),
            None => outcome = None,
            Some(_) => {}
        }
    }
    Ok(outcome)
}

fn compare(found: &Json, op: &str, value: &Json) -> Option<bool> {
    let one_of = || Some(value.as_array()?.iter().any(|value| equal(found, value)));
    match op {
        "eq" => Some(equal(found, value)),
        "ne" => Some(!equal(found, value)),
        "in" => one_of(),
        "nin" => one_of().map(|holds| !holds),
        "gt" => order(found, value).map(Ordering::is_gt),
        "gte" => order(found, value).map(Ordering::is_ge),
        "lt" => order(found, value).map(Ordering::is_lt),
        "lte" => order(found, value).map(Ordering::is_le),
        "between" => {
            let [from, to] = value.as_array()?.as_slice() else { return None };
            Some(order(found, from)?.is_ge() && order(found, to)?.is_le())
        }
        _ => None,
    }
}

fn equal(one: &Json, other: &Json) -> bool {
    order(one, other).map_or(one == other, Ordering::is_eq)
}

fn order(one: &Json, other: &Json) -> Option<Ordering> {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?),
        (Json::String(one), Json::String(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// What a moment or a day is compared with, as the number that it has; anything else as it is.
fn numbered(found: Option<&Value>, value: &Json) -> Json {
    let number = |text: &str| match found {
        Some(Value::Time(_)) => Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()),
        Some(Value::Date(_)) => {
            let day: jiff::civil::Date = text.parse().ok()?;
            Some(i64::from(jiff::civil::date(1970, 1, 1).until(day).ok()?.get_days()))
        }
        _ => None,
    };
    match value {
        Json::Array(values) => values.iter().map(|value| numbered(found, value)).collect(),
        Json::String(text) => number(text).map_or_else(|| value.clone(), Json::from),
        other => other.clone(),
    }
}

/// A value as filters write it; moments and days as their number.
fn plain(value: Option<&Value>) -> Result<Option<Json>, String> {
    Ok(Some(match value {
        None => return Ok(None),
        Some(Value::Text(text) | Value::Choice(text) | Value::Reference(text)) => Json::from(text.as_str()),
        Some(Value::Number(number)) => Json::from(*number),
        Some(Value::Integer(number) | Value::Time(number)) => Json::from(*number),
        Some(Value::Date(days)) => Json::from(*days),
        Some(Value::Boolean(value)) => Json::from(*value),
        Some(other) => return Err(format!("the test double cannot compare {other:?}")),
    }))
}

fn not_understood(filter: &Json) -> String {
    format!("the test double does not understand the filter {filter}")
}
