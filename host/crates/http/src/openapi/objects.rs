//! Components of one object: what is read, what creates, what updates.

use serde_json::{Map, Value as Json, json};
use trellis_model::{FieldDefinition, FieldType, ObjectDefinition};

/// `order_line` and `Create` → `OrderLineCreate`.
pub(super) fn component(object: &ObjectDefinition, part: &str) -> String {
    let words = object.name.as_str().split('_').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_uppercase() + rest
    });
    words.collect::<String>() + part
}

pub(super) fn schemas(object: &ObjectDefinition) -> Vec<(String, Json)> {
    let fields = || object.fields.iter().map(|field| (field.name.to_string(), field_schema(field)));
    let writable = || object.fields.iter().filter(|field| field.computed.is_none() && !field.is_out_of_use());
    let written = || writable().map(|field| (field.name.to_string(), field_schema(field)));
    // What has a default need not be said.
    let required = writable().filter(|field| field.required && field.default.is_none());
    let required: Vec<&str> = required.map(|field| field.name.as_str()).collect();

    let mut read = Map::from_iter([
        ("id".to_owned(), json!({ "type": "string", "format": "uuid" })),
        ("version".to_owned(), json!({ "type": "integer" })),
        ("created_at".to_owned(), json!({ "type": "string", "format": "date-time" })),
        ("updated_at".to_owned(), json!({ "type": "string", "format": "date-time" })),
    ]);
    read.extend(fields());
    let read = json!({ "type": "object", "title": object.label.en, "required": ["id"], "properties": read });
    let create = json!({
        "type": "object", "required": required, "additionalProperties": false, "properties": written().collect::<Map<_, _>>(),
    });
    let update = json!({ "type": "object", "additionalProperties": false, "properties": written().collect::<Map<_, _>>() });
    vec![
        (component(object, ""), read),
        (component(object, "Create"), create),
        (component(object, "Update"), update),
    ]
}

fn field_schema(field: &FieldDefinition) -> Json {
    let mut schema = type_schema(&field.field_type);
    let object = schema.as_object_mut().expect("made as an object");
    object.insert("title".into(), json!(field.label.en));
    if field.computed.is_some() || field.is_out_of_use() {
        object.insert("readOnly".into(), json!(true));
    }
    if field.is_out_of_use() {
        object.insert("deprecated".into(), json!(true));
    }
    if !field.description.en.is_empty() {
        object.insert("description".into(), json!(field.description.en));
    }
    // `type` is a list of types where null is one of them; a reference to a component takes null by `anyOf`.
    if let Some(kind) = object.get("type").cloned() {
        object.insert("type".into(), json!([kind, "null"]));
        if let Some(Json::Array(options)) = object.get_mut("enum") {
            options.push(Json::Null);
        }
    }
    schema
}

fn type_schema(field_type: &FieldType) -> Json {
    let options = |options: &[trellis_model::ChoiceOption]| {
        options.iter().map(|option| json!(option.value)).collect::<Vec<_>>()
    };
    match field_type {
        FieldType::Text { characters_max } => json!({ "type": "string", "maxLength": characters_max }),
        FieldType::Number => json!({ "type": "number" }),
        FieldType::Integer => json!({ "type": "integer", "format": "int64" }),
        FieldType::Money => {
            json!({ "anyOf": [{ "$ref": "#/components/schemas/Money" }, { "type": "null" }] })
        }
        FieldType::Bool => json!({ "type": "boolean" }),
        FieldType::Date => json!({ "type": "string", "format": "date" }),
        FieldType::Time => json!({ "type": "string", "format": "date-time" }),
        FieldType::Choice { options: known } => json!({ "type": "string", "enum": options(known) }),
        FieldType::MultiChoice { options: known } => {
            json!({ "type": "array", "items": { "type": "string", "enum": options(known) } })
        }
        FieldType::Reference { object } => {
            json!({ "type": "string", "format": "uuid", "x-object": object.as_str() })
        }
        FieldType::List { of } => json!({ "type": "array", "items": type_schema(of) }),
        FieldType::Json => json!({}),
    }
}
