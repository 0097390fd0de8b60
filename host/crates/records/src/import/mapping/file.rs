use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use trellis_model::{Currency, FieldDefinition, FieldType, ObjectDefinition, Value};

use super::{Cell, MappedColumn, Mapping, Preset, Reference, header, key_field};
use crate::Schema;
use crate::import::{Error, Limits, Result, cell};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    object: String,
    #[serde(rename = "match")]
    key: Option<String>,
    columns: Vec<ColumnEntry>,
    #[serde(default)]
    constants: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnEntry {
    column: String,
    field: String,
    currency: Option<String>,
    reference: Option<ReferenceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceEntry {
    object: Option<String>,
    #[serde(rename = "match")]
    key: Option<String>,
    #[serde(default)]
    create: bool,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
}

pub(super) fn parse(toml: &str, schema: &Schema, limits: &Limits) -> Result<Mapping> {
    if toml.len() > limits.mapping_bytes_max {
        let reason = format!("the mapping has {} bytes, at most {}", toml.len(), limits.mapping_bytes_max);
        return Err(Error::MappingSyntax { line: 1, reason });
    }
    let file: MappingFile = toml::from_str(toml).map_err(|error| syntax_error(toml, &error))?;
    let object = object_named(schema, &file.object).map_err(|reason| Error::mapping("object", reason))?;
    if file.columns.is_empty() || file.columns.len() > limits.columns_max {
        let reason = format!("{} columns, at least 1 and at most {}", file.columns.len(), limits.columns_max);
        return Err(Error::mapping("columns", reason));
    }
    let columns = file.columns.iter().map(|entry| column(entry, object, schema)).collect::<Result<_>>()?;
    let constant = |(name, toml): (&String, &toml::Value)| {
        let field = field_named(object, name)?;
        Ok((field.clone(), constant(field, toml)?))
    };
    let constants = file.constants.iter().map(|entry| {
        constant(entry).map_err(|reason: String| Error::mapping(format!("constant `{}`", entry.0), reason))
    });
    Mapping::assemble(object, file.key.as_deref(), columns, constants.collect::<Result<_>>()?)
}

fn syntax_error(toml: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    Error::MappingSyntax { line, reason: error.message().lines().collect::<Vec<_>>().join(" ") }
}

fn column(entry: &ColumnEntry, object: &ObjectDefinition, schema: &Schema) -> Result<MappedColumn> {
    let place = || format!("column `{}`", entry.column);
    let field = field_named(object, &entry.field).map_err(|reason| Error::mapping(place(), reason))?;
    let cell = match (&field.field_type, &entry.reference, &entry.currency) {
        (FieldType::Money, None, currency) => {
            let currency = currency.as_deref().map(Currency::new).transpose();
            Cell::Value { currency: currency.map_err(|error| Error::mapping(place(), error.to_string()))? }
        }
        (_, _, Some(_)) => {
            return Err(Error::mapping(place(), format!("`currency`, but `{}` is no money", field.name)));
        }
        (FieldType::Reference { object }, None, None) => {
            Cell::Reference(header::by_external_id(object, schema)?)
        }
        (FieldType::Reference { object: target }, Some(entry), None) => {
            let target = object_named(schema, target.as_str());
            let reference = target.and_then(|target| reference(entry, field, target));
            Cell::Reference(reference.map_err(|reason| Error::mapping(place(), reason))?)
        }
        (_, Some(_), None) => {
            return Err(Error::mapping(
                place(),
                format!("`reference`, but `{}` is no reference", field.name),
            ));
        }
        (_, None, None) => Cell::Value { currency: None },
    };
    Ok(MappedColumn { column: entry.column.trim().to_owned(), field: field.clone(), cell })
}

fn reference(
    entry: &ReferenceEntry,
    field: &FieldDefinition,
    target: &Arc<ObjectDefinition>,
) -> Result<Reference, String> {
    if let Some(object) = entry.object.as_ref().filter(|object| **object != target.name.as_str()) {
        return Err(format!("reference to `{object}`, but `{}` refers to {}", field.name, target.name));
    }
    let key = key_field(target, entry.key.as_deref())?;
    let set = entry.set.iter().map(|(name, toml)| {
        let preset = preset(target, &key, name, toml);
        preset.map_err(|reason| format!("set `{name}`: {reason}"))
    });
    let set = set.collect::<Result<Vec<_>, _>>()?;
    if !entry.create && !set.is_empty() {
        return Err("`set` is for records that are created: it needs `create = true`".into());
    }
    let given =
        |field: &FieldDefinition| field.id == key.id || set.iter().any(|preset| preset.field.id == field.id);
    let missing = target.fields.iter().find(|field| field.required && !given(field));
    if let Some(field) = missing.filter(|_| entry.create) {
        return Err(format!(
            "cannot create {} without `{}`, which is required: add it to `set`",
            target.name, field.name
        ));
    }
    let or_id = entry.key.is_none() && !entry.create;
    Ok(Reference { object: target.clone(), key, or_id, create: entry.create.then_some(set) })
}

fn preset(
    target: &ObjectDefinition,
    key: &FieldDefinition,
    name: &str,
    toml: &toml::Value,
) -> Result<Preset, String> {
    let field = field_named(target, name)?.clone();
    if field.id == key.id {
        return Err("is the key, which comes from the cell".into());
    }
    match toml {
        toml::Value::String(template) if template.contains(['{', '}']) => Preset::template(field, template),
        _ => constant(&field, toml).map(|value| Preset::constant(field, value)),
    }
}

fn constant(field: &FieldDefinition, toml: &toml::Value) -> Result<Value, String> {
    let text = match toml {
        toml::Value::String(text) => text.trim().to_owned(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            let json = serde_json::to_value(toml).map_err(|error| error.to_string())?;
            let value = field.field_type.parse_json(&json).map_err(|error| error.to_string())?;
            return value.ok_or_else(|| "is empty: leave it out".into());
        }
    };
    if text.is_empty() {
        return Err("is empty: leave it out".into());
    }
    cell::parse(&field.field_type, None, &text).map_err(|error| error.to_string())
}

fn object_named<'a>(schema: &'a Schema, name: &str) -> Result<&'a Arc<ObjectDefinition>, String> {
    schema.object(name).ok_or_else(|| format!("there is no object `{name}`"))
}

fn field_named<'a>(object: &'a ObjectDefinition, name: &str) -> Result<&'a FieldDefinition, String> {
    object.field(name).ok_or_else(|| format!("{} has no field `{name}`", object.name))
}
