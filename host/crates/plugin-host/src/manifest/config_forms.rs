//! Keywords of a configuration's schema that forms need: what choices are called, in which order settings stand, units, and settings
//! that name a field or an option of the server's objects, so that a form can offer those.

use serde_json::{Map, Value};
use trellis_model::{FieldName, ObjectName, Published, Text, bilingual};

/// What `format` may be: a date is checked, the others say how a form shows the setting.
const FORMATS: [&str; 4] = ["date", "multi-line", "percent", "color"];

/// A field, an option or a result that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedByConfig {
    /// The path of the setting.
    pub setting: String,
    /// The object.
    pub object: String,
    /// The field whose option it is; `None` where a field itself is named.
    pub field: Option<String>,
    /// The name.
    pub name: String,
    /// The score, band or segmentation that it is where the setting takes those too.
    pub published: Option<Published>,
}

/// What is wrong with `oneOf`: each choice is a constant with a title.
pub(super) fn wrong_choices(choices: &Value, is_label: fn(&Value) -> bool) -> Option<&'static str> {
    let is_choice = |choice: &Value| {
        let Some(choice) = choice.as_object() else { return false };
        let keys = choice.keys().all(|key| matches!(key.as_str(), "const" | "title" | "description"));
        let labels = ["title", "description"].iter().all(|key| choice.get(*key).is_none_or(is_label));
        let constant = choice.get("const").is_some_and(|value| !value.is_object() && !value.is_array());
        keys && labels && constant && choice.contains_key("title")
    };
    let all = choices.as_array().is_some_and(|choices| !choices.is_empty() && choices.iter().all(is_choice));
    (!all).then_some("is no list of choices, each with `const` and `title`")
}

pub(super) fn wrong_format(format: &Value) -> Option<&'static str> {
    let known = format.as_str().is_some_and(|format| FORMATS.contains(&format));
    (!known).then_some("is none of date, multi-line, percent, color")
}

/// What is wrong with `x-order`: it names settings of the same table, each once.
pub(super) fn wrong_order(order: &Value, table: &Map<String, Value>) -> Option<&'static str> {
    let properties = table.get("properties").and_then(Value::as_object);
    let names: Option<Vec<&str>> =
        order.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
    let Some((names, properties)) = names.zip(properties) else {
        return Some("is no list of names beside `properties`");
    };
    let known = names.iter().all(|name| properties.contains_key(*name));
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    (!known || once.len() < names.len()).then_some("names what is not in `properties`, or something twice")
}

/// What is wrong with `x-published`.
pub(super) fn wrong_published(value: &Value, table: &Map<String, Value>) -> Option<&'static str> {
    if !value.is_boolean() {
        return Some("is not true or false");
    }
    (!table.contains_key("x-field-of")).then_some("is only for settings with `x-field-of`")
}

/// What is wrong with `x-field-of` and `x-option-of`.
pub(super) fn wrong_names(key: &str, value: &Value, table: &Map<String, Value>) -> Option<&'static str> {
    if table.get("type").and_then(Value::as_str) != Some("string") {
        return Some("is only for settings of type `string`");
    }
    let text = value.as_str().unwrap_or_default();
    let valid = match (key, text.split_once('.')) {
        ("x-field-of", None) => ObjectName::new(text).is_ok(),
        ("x-option-of", Some((object, field))) => {
            ObjectName::new(object).is_ok() && FieldName::new(field).is_ok()
        }
        _ => false,
    };
    match key {
        "x-field-of" => (!valid).then_some("is no name of an object"),
        _ => (!valid).then_some("is not of the form `object.field`"),
    }
}

/// Checks a value against `oneOf` and `format`.
pub(super) fn check(schema: &Value, value: &Value, wrong: &mut impl FnMut(Text)) {
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let allowed: Vec<&Value> = choices.iter().filter_map(|choice| choice.get("const")).collect();
        if !allowed.contains(&value) {
            let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            let allowed = allowed.join(",");
            wrong(bilingual!("{value} is not one of [{allowed}]", "{value} 不在可选值 [{allowed}] 之中"));
        }
    }
    if schema.get("format").and_then(Value::as_str) == Some("date")
        && value.as_str().is_some_and(|text| text.parse::<jiff::civil::Date>().is_err())
    {
        wrong(bilingual!("{value} is no date (YYYY-MM-DD)", "{value} 不是日期（YYYY-MM-DD）"));
    }
}

/// What a configuration names.
pub(super) fn names(schema: &Value, config: &Value) -> Vec<NamedByConfig> {
    let mut found = Vec::new();
    collect("", schema, config, &mut found);
    found
}

fn collect(path: &str, schema: &Value, value: &Value, found: &mut Vec<NamedByConfig>) {
    if let Some(name) = value.as_str() {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let of = match (text("x-field-of"), text("x-option-of").and_then(|of| of.split_once('.'))) {
            (Some(object), _) => Some((object, None)),
            (None, Some((object, field))) => Some((object, Some(field.to_owned()))),
            (None, None) => None,
        };
        if let Some((object, field)) = of {
            let takes_published = schema.get("x-published") == Some(&Value::Bool(true));
            let published = Published::parse(name).filter(|_| takes_published);
            let (setting, object, name) = (path.to_owned(), object.to_owned(), name.to_owned());
            found.push(NamedByConfig { setting, object, field, name, published });
        }
    }
    if let (Some(properties), Some(object)) =
        (schema.get("properties").and_then(Value::as_object), value.as_object())
    {
        for (name, schema) in properties {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            object.get(name).into_iter().for_each(|value| collect(&below, schema, value, found));
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            collect(&format!("{path}[{index}]"), schema, item, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ConfigSchema;
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "x-order": ["by", "since", "watched"],
            "additionalProperties": false,
            "properties": {
                "by": {
                    "type": "string",
                    "default": "customers",
                    "oneOf": [
                        { "const": "customers", "title": { "en": "Customers", "zh-CN": "客户数" } },
                        { "const": "revenue", "title": { "en": "Revenue", "zh-CN": "销售额" } },
                    ],
                },
                "since": { "type": "string", "format": "date", "x-unit": { "en": "day", "zh-CN": "日" } },
                "watched": { "type": "array", "items": { "type": "string", "x-field-of": "account" } },
                "industry": { "type": "string", "x-option-of": "account.industry" },
            },
        })
    }

    #[test]
    fn choices_with_titles_and_dates_are_checked() {
        let schema = ConfigSchema::new(Some(schema())).unwrap();
        assert_eq!(schema.problems(&json!({ "by": "revenue", "since": "2026-11-22" })), []);
        let problems = schema.problems(&json!({ "by": "profit", "since": "yesterday" }));
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "setting `by`: \"profit\" is not one of [\"customers\",\"revenue\"]",
                "setting `since`: \"yesterday\" is no date (YYYY-MM-DD)",
            ]
        );
        assert_eq!(schema.as_json()["x-order"], json!(["by", "since", "watched"]), "forms see it");
    }

    #[test]
    fn names_of_fields_and_options_are_found() {
        let schema = ConfigSchema::new(Some(schema())).unwrap();
        let found = schema.names(&json!({ "watched": ["city", "phone"], "industry": "retail" }));
        let found: Vec<_> = found
            .iter()
            .map(|named| {
                (named.setting.as_str(), named.object.as_str(), named.field.as_deref(), named.name.as_str())
            })
            .collect();
        let expected = [
            ("industry", "account", Some("industry"), "retail"),
            ("watched[0]", "account", None, "city"),
            ("watched[1]", "account", None, "phone"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_forms_could_not_use_is_refused() {
        let refused = |property: Value| {
            let schema = json!({ "type": "object", "properties": { "a": property } });
            ConfigSchema::new(Some(schema)).unwrap_err().0
        };
        assert_eq!(refused(json!({ "type": "string", "oneOf": [{ "const": "x" }] })), ".properties.a.oneOf");
        assert_eq!(refused(json!({ "type": "string", "oneOf": [] })), ".properties.a.oneOf");
        assert_eq!(refused(json!({ "type": "string", "format": "emoji" })), ".properties.a.format");
        assert_eq!(refused(json!({ "type": "number", "x-unit": 3 })), ".properties.a.x-unit");
        assert_eq!(
            refused(json!({ "type": "integer", "x-field-of": "account" })),
            ".properties.a.x-field-of"
        );
        assert_eq!(refused(json!({ "type": "string", "x-published": true })), ".properties.a.x-published");
        assert_eq!(
            refused(json!({ "type": "string", "x-field-of": "account", "x-published": "yes" })),
            ".properties.a.x-published"
        );
        assert_eq!(
            refused(json!({ "type": "string", "x-option-of": "account" })),
            ".properties.a.x-option-of"
        );
        let order =
            json!({ "type": "object", "x-order": ["b"], "properties": { "b": { "type": "string" } } });
        assert!(ConfigSchema::new(Some(order)).is_ok());
        let order =
            json!({ "type": "object", "x-order": ["b", "b"], "properties": { "b": { "type": "string" } } });
        assert_eq!(ConfigSchema::new(Some(order)).unwrap_err().0, ".x-order");
    }
}
