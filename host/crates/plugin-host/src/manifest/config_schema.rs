//! What an admin can set, as a small part of JSON Schema.
//!
//! Known keywords: `type` (one of object, array, string, integer, number, boolean), `properties`, `required`,
//! `additionalProperties` (true or false), `items`, `minItems`, `maxItems`, `enum`, `minimum`, `maximum`, `exclusiveMinimum`,
//! `exclusiveMaximum`, `minLength`, `maxLength`, `default`, and `title` and `description`, which may be tables of languages; and what only
//! forms need: `oneOf` (choices with titles), `format`, `x-unit`, `x-order`, and `x-field-of`, `x-published` and `x-option-of`, see
//! [`super::config_forms`]. Any
//! other keyword is an error when the manifest is read: a rule that nobody checks would be worse than none. There is no `$ref` and no
//! `pattern`, so that a check costs what the configuration is long.

use serde_json::{Map, Value};
use trellis_model::{Text, bilingual};

use super::config_forms::{self, NamedByConfig};

/// Levels of a schema.
const DEPTH_MAX: usize = 8;

/// What an admin can set.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigSchema(Value);

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting `{setting}`: {}", reason.en)]
pub struct ConfigProblem {
    /// Its path, for example `weights.recency` or `bounds[2]`.
    pub setting: String,
    /// What is wrong.
    pub reason: Text,
}

/// A path below the schema, and what is wrong there.
type SchemaProblem = (String, String);

impl ConfigSchema {
    /// Checks that a schema uses known keywords only, and that its defaults satisfy it. No schema means no settings.
    pub(crate) fn new(schema: Option<Value>) -> Result<Self, SchemaProblem> {
        let nothing = || serde_json::json!({ "type": "object", "additionalProperties": false });
        let schema = schema.unwrap_or_else(nothing);
        check_schema("", &schema, 0)?;
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err((".type".to_owned(), "a configuration is of type `object`".to_owned()));
        }
        Ok(Self(schema))
    }

    /// The schema as JSON, for forms.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Fills in the defaults of settings that a configuration leaves out.
    pub fn with_defaults(&self, config: Value) -> Value {
        fill(&self.0, config)
    }

    /// The fields and options of the server's objects that a configuration names.
    pub fn names(&self, config: &Value) -> Vec<NamedByConfig> {
        config_forms::names(&self.0, config)
    }

    /// Everything that is wrong with a configuration.
    pub fn problems(&self, config: &Value) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        validate("", &self.0, config, &mut problems);
        problems
    }
}

fn check_schema(path: &str, schema: &Value, depth: usize) -> Result<(), SchemaProblem> {
    let at = |key: &str, reason: &str| (format!("{path}.{key}"), reason.to_owned());
    let table = schema.as_object().ok_or_else(|| (path.to_owned(), "is no table".to_owned()))?;
    if depth > DEPTH_MAX {
        return Err((path.to_owned(), format!("is deeper than {DEPTH_MAX} levels")));
    }
    for (key, value) in table {
        let wrong = match key.as_str() {
            "type" => match value.as_str() {
                Some("object" | "array" | "string" | "integer" | "number" | "boolean") => None,
                _ => Some("is none of object, array, string, integer, number, boolean"),
            },
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                (!value.is_number()).then_some("is no number")
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" => (!value.is_u64()).then_some("is no count"),
            "additionalProperties" => (!value.is_boolean()).then_some("is neither true nor false"),
            "enum" => (!value.is_array()).then_some("is no list"),
            "required" => (!is_texts(value)).then_some("is no list of names"),
            "title" | "description" => {
                (!is_label(value)).then_some("is neither a text nor a table of languages")
            }
            "default" => None,
            "oneOf" => config_forms::wrong_choices(value, is_label),
            "format" => config_forms::wrong_format(value),
            "x-unit" => (!is_label(value)).then_some("is neither a text nor a table of languages"),
            "x-order" => config_forms::wrong_order(value, table),
            "x-field-of" | "x-option-of" => config_forms::wrong_names(key, value, table),
            "x-published" => config_forms::wrong_published(value, table),
            "properties" => {
                for (name, schema) in value.as_object().ok_or_else(|| at(key, "is no table"))? {
                    check_schema(&format!("{path}.properties.{name}"), schema, depth + 1)?;
                }
                None
            }
            "items" => {
                check_schema(&format!("{path}.items"), value, depth + 1)?;
                None
            }
            _ => Some("is not a keyword that this host checks"),
        };
        if let Some(reason) = wrong {
            return Err(at(key, reason));
        }
    }
    check_default(path, schema)
}

fn check_default(path: &str, schema: &Value) -> Result<(), SchemaProblem> {
    let Some(default) = schema.get("default") else { return Ok(()) };
    let mut problems = Vec::new();
    validate("", schema, default, &mut problems);
    match problems.first() {
        Some(problem) => Err((format!("{path}.default"), problem.reason.en.clone())),
        None => Ok(()),
    }
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

fn is_label(value: &Value) -> bool {
    let languages = |table: &Map<String, Value>| {
        table.contains_key("en")
            && table.iter().all(|(key, text)| matches!(key.as_str(), "en" | "zh-CN") && text.is_string())
    };
    value.is_string() || value.as_object().is_some_and(languages)
}

fn fill(schema: &Value, value: Value) -> Value {
    let (Some(properties), Value::Object(mut object)) =
        (schema.get("properties").and_then(Value::as_object), value.clone())
    else {
        return value;
    };
    for (name, schema) in properties {
        let given = object.remove(name).or_else(|| schema.get("default").cloned());
        // A table without a default of its own still has the defaults of its settings.
        let nested = || schema.get("properties").map(|_| Value::Object(Map::new()));
        let is_given = given.is_some();
        let Some(filled) = given.or_else(nested).map(|given| fill(schema, given)) else { continue };
        // One that needs settings and has none is left out as a whole, not there without what it needs.
        if is_given || !(is_empty(&filled) && needs_settings(schema)) {
            object.insert(name.clone(), filled);
        }
    }
    Value::Object(object)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

fn needs_settings(schema: &Value) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty())
}

fn validate(path: &str, schema: &Value, value: &Value, problems: &mut Vec<ConfigProblem>) {
    let mut wrong = |reason: Text| problems.push(ConfigProblem { setting: path.to_owned(), reason });
    if let Some(expected) = schema.get("type").and_then(Value::as_str)
        && !is_of_type(expected, value)
    {
        return wrong(bilingual!("{value} is not of type {expected}", "{value} 的类型应为 {expected}"));
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed = Value::Array(allowed.clone());
        wrong(bilingual!("{value} is not one of {allowed}", "{value} 不在可选值 {allowed} 之中"));
    }
    config_forms::check(schema, value, &mut wrong);
    for (keyword, amount) in [
        ("minimum", value.as_f64()),
        ("maximum", value.as_f64()),
        ("exclusiveMinimum", value.as_f64()),
        ("exclusiveMaximum", value.as_f64()),
        ("minLength", value.as_str().map(|text| text.chars().count() as f64)),
        ("maxLength", value.as_str().map(|text| text.chars().count() as f64)),
        ("minItems", value.as_array().map(|items| items.len() as f64)),
        ("maxItems", value.as_array().map(|items| items.len() as f64)),
    ] {
        if let (Some(bound), Some(amount)) = (schema.get(keyword).and_then(Value::as_f64), amount)
            && !within(keyword, amount, bound)
        {
            wrong(bilingual!("{value} breaks {keyword} {bound}", "{value} 不符合 {keyword} {bound} 的限制"));
        }
    }
    if let Value::Object(object) = value {
        validate_object(path, schema, object, problems);
    }
    if let (Value::Array(items), Some(schema)) = (value, schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            validate(&format!("{path}[{index}]"), schema, item, problems);
        }
    }
}

fn validate_object(
    path: &str,
    schema: &Value,
    object: &Map<String, Value>,
    problems: &mut Vec<ConfigProblem>,
) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let mut wrong = |name: &str, reason: Text| {
        problems.push(ConfigProblem { setting: below(name), reason });
    };
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str).filter(|name| !object.contains_key(*name)) {
        wrong(name, Text::new("is missing", "未填写"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in object {
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => validate(&below(name), schema, value, problems),
            None if closed => {
                let reason = Text::new("is unknown", "不存在");
                problems.push(ConfigProblem { setting: below(name), reason });
            }
            None => {}
        }
    }
}

fn is_of_type(expected: &str, value: &Value) -> bool {
    match expected {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => false,
    }
}

fn within(keyword: &str, amount: f64, bound: f64) -> bool {
    match keyword {
        "minimum" | "minLength" | "minItems" => amount >= bound,
        "maximum" | "maxLength" | "maxItems" => amount <= bound,
        "exclusiveMinimum" => amount > bound,
        _ => amount < bound,
    }
}
