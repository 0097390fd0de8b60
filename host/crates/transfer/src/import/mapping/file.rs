use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use trellis_model::{Currency, FieldDefinition, FieldType, ObjectDefinition, Phrase, Text, Value, bilingual};

use super::{Cell, MappedColumn, Mapping, Preset, Reference, header, key_field, no_field};
use crate::import::{Error, Limits, Result, cell};
use trellis_records::Schema;

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
        let (bytes, max) = (toml.len(), limits.mapping_bytes_max);
        let reason = bilingual!(
            "the mapping has {bytes} bytes, at most {max}",
            "映射有 {bytes} 字节，最多 {max} 字节"
        );
        return Err(Error::MappingSyntax { line: 1, reason });
    }
    let file: MappingFile = toml::from_str(toml).map_err(|error| syntax_error(toml, &error))?;
    let place = Phrase::new("object", "object");
    let object = object_named(schema, &file.object).map_err(|reason| Error::mapping(place, reason))?;
    if file.columns.is_empty() || file.columns.len() > limits.columns_max {
        let (columns, max) = (file.columns.len(), limits.columns_max);
        let reason = bilingual!(
            "{columns} columns, at least 1 and at most {max}",
            "有 {columns} 列，至少 1 列，最多 {max} 列"
        );
        return Err(Error::mapping(Phrase::new("columns", "columns"), reason));
    }
    let columns = file.columns.iter().map(|entry| column(entry, object, schema)).collect::<Result<_>>()?;
    let constant = |(name, toml): (&String, &toml::Value)| {
        let field = field_named(object, name)?;
        Ok((field.clone(), constant(field, toml)?))
    };
    let constants = file.constants.iter().map(|entry| {
        constant(entry).map_err(|reason: Text| {
            let name = entry.0;
            Error::mapping(bilingual!("constant `{name}`", "常量 `{name}`"), reason)
        })
    });
    Mapping::assemble(object, file.key.as_deref(), columns, constants.collect::<Result<_>>()?)
}

fn syntax_error(toml: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    // What the TOML reader says is English only.
    let said = error.message().lines().collect::<Vec<_>>().join(" ");
    Error::MappingSyntax { line, reason: bilingual!("{said}", "格式有误：{said}") }
}

fn column(entry: &ColumnEntry, object: &ObjectDefinition, schema: &Schema) -> Result<MappedColumn> {
    let place = || {
        let column = &entry.column;
        bilingual!("column `{column}`", "列 `{column}`")
    };
    let field = field_named(object, &entry.field).map_err(|reason| Error::mapping(place(), reason))?;
    let cell = match (&field.field_type, &entry.reference, &entry.currency) {
        (FieldType::Money, None, currency) => {
            let currency = currency.as_deref().map(Currency::new).transpose();
            Cell::Value { currency: currency.map_err(|error| Error::mapping(place(), error.text()))? }
        }
        (_, _, Some(_)) => {
            let name = &field.name;
            let reason = bilingual!(
                "`currency`, but `{name}` is no money",
                "写了 `currency`，但 `{name}` 不是金额字段"
            );
            return Err(Error::mapping(place(), reason));
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
            let name = &field.name;
            let reason = bilingual!(
                "`reference`, but `{name}` is no reference",
                "写了 `reference`，但 `{name}` 不是引用字段"
            );
            return Err(Error::mapping(place(), reason));
        }
        (_, None, None) => Cell::Value { currency: None },
    };
    Ok(MappedColumn { column: entry.column.trim().to_owned(), field: field.clone(), cell })
}

fn reference(
    entry: &ReferenceEntry,
    field: &FieldDefinition,
    target: &Arc<ObjectDefinition>,
) -> Result<Reference, Text> {
    if let Some(object) = entry.object.as_ref().filter(|object| **object != target.name.as_str()) {
        let (name, target) = (&field.name, &target.name);
        return Err(bilingual!(
            "reference to `{object}`, but `{name}` refers to {target}",
            "引用写的是 `{object}`，但 `{name}` 引用的是 {target}"
        ));
    }
    let key = key_field(target, entry.key.as_deref())?;
    let set = entry.set.iter().map(|(name, toml)| {
        let preset = preset(target, &key, name, toml);
        preset.map_err(|reason| bilingual!("set `{name}`: ", "设置 `{name}`：").then(&reason))
    });
    let set = set.collect::<Result<Vec<_>, _>>()?;
    if !entry.create && !set.is_empty() {
        return Err(Text::new(
            "`set` is for records that are created: it needs `create = true`",
            "`set` 用于新建的记录，需要 `create = true`",
        ));
    }
    let given =
        |field: &FieldDefinition| field.id == key.id || set.iter().any(|preset| preset.field.id == field.id);
    let missing = target.fields.iter().find(|field| field.required && !given(field));
    if let Some(field) = missing.filter(|_| entry.create) {
        let (target, name) = (&target.name, &field.name);
        return Err(bilingual!(
            "cannot create {target} without `{name}`, which is required: add it to `set`",
            "新建 {target} 时 `{name}` 为必填项，请加到 `set` 中"
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
) -> Result<Preset, Text> {
    let field = field_named(target, name)?.clone();
    if field.id == key.id {
        return Err(Text::new("is the key, which comes from the cell", "是键，其值来自单元格"));
    }
    match toml {
        toml::Value::String(template) if template.contains(['{', '}']) => Preset::template(field, template),
        _ => constant(&field, toml).map(|value| Preset::constant(field, value)),
    }
}

fn constant(field: &FieldDefinition, toml: &toml::Value) -> Result<Value, Text> {
    let empty = || Text::new("is empty: leave it out", "为空，请去掉");
    let text = match toml {
        toml::Value::String(text) => text.trim().to_owned(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            let json =
                serde_json::to_value(toml).map_err(|error| bilingual!("{error}", "无法转换：{error}"))?;
            let value = field.field_type.parse_json(&json).map_err(|error| error.text())?;
            return value.ok_or_else(empty);
        }
    };
    if text.is_empty() {
        return Err(empty());
    }
    cell::parse(&field.field_type, None, &text).map_err(|error| error.text())
}

fn object_named<'a>(schema: &'a Schema, name: &str) -> Result<&'a Arc<ObjectDefinition>, Text> {
    schema.object(name).ok_or_else(|| bilingual!("there is no object `{name}`", "对象 `{name}` 不存在"))
}

fn field_named<'a>(object: &'a ObjectDefinition, name: &str) -> Result<&'a FieldDefinition, Text> {
    object.field(name).ok_or_else(|| no_field(object, name))
}
