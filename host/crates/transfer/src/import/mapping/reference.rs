//! How the record that a cell means is found.

use std::sync::Arc;

use trellis_model::{FieldDefinition, FieldType, ObjectDefinition, Text, bilingual};

use super::file::{constant, field_named};
use super::spec::{ReferenceSpec, Several};
use super::{EXTERNAL_ID, Preset, no_field};

/// How the record that a cell means is found.
#[derive(Debug, Clone)]
pub(in super::super) struct Reference {
    pub(in super::super) object: Arc<ObjectDefinition>,
    /// The field of it that the cell holds.
    pub(in super::super) key: FieldDefinition,
    /// Whether a cell that is nobody's key may also be a record id.
    pub(in super::super) or_id: bool,
    /// What a cell means that several records have in a field that is not unique.
    pub(in super::super) several: Several,
    /// The other fields of a record that is created where there is none; `None` creates none.
    pub(in super::super) create: Option<Vec<Preset>>,
    /// The columns that these fields name.
    pub(in super::super) columns: Vec<String>,
}

/// Reads the part of a mapping about a field that refers to `target`.
pub(super) fn checked(
    entry: &ReferenceSpec,
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
    let key = match_field(target, entry.key.as_deref())?;
    let mut columns = Vec::new();
    let set = entry.set.iter().map(|(name, toml)| {
        let preset = preset(target, &key, name, toml, &mut columns);
        preset.map_err(|reason| bilingual!("set `{name}`: ", "设置 `{name}`：").then(&reason))
    });
    let set = set.collect::<Result<Vec<_>, _>>()?;
    if !entry.create && !set.is_empty() {
        return Err(Text::new(
            "`set` is for records that are created: it needs `create = true`",
            "`set` 用于新建的记录，需要 `create = true`",
        ));
    }
    let given = |field: &FieldDefinition| {
        field.id == key.id || field.default.is_some() || set.iter().any(|preset| preset.field.id == field.id)
    };
    let missing = target.fields.iter().find(|field| field.required && !given(field));
    if let Some(field) = missing.filter(|_| entry.create) {
        let (target, name) = (&target.name, &field.name);
        return Err(bilingual!(
            "cannot create {target} without `{name}`, which is required: add it to `set`",
            "新建 {target} 时 `{name}` 为必填项，请加到 `set` 中"
        ));
    }
    Ok(Reference {
        object: target.clone(),
        key,
        or_id: entry.key.is_none() && !entry.create,
        several: entry.several,
        create: entry.create.then_some(set),
        columns,
    })
}

/// The field by which targets are found: any that a cell can hold, unique or not.
fn match_field(object: &ObjectDefinition, name: Option<&str>) -> Result<FieldDefinition, Text> {
    let name = name.unwrap_or(EXTERNAL_ID);
    let (field, of) = (object.field(name).ok_or_else(|| no_field(object, name))?, &object.name);
    match &field.field_type {
        FieldType::Reference { .. } => Err(bilingual!(
            "`{name}` of {of} is a reference, which is no key",
            "{of} 的 `{name}` 是引用字段，不能作为键"
        )),
        FieldType::List { .. } | FieldType::MultiChoice { .. } | FieldType::Json => Err(bilingual!(
            "`{name}` of {of} can hold several values, which is no key",
            "{of} 的 `{name}` 可有多个值，不能作为键"
        )),
        _ => Ok(field.clone()),
    }
}

fn preset(
    target: &ObjectDefinition,
    key: &FieldDefinition,
    name: &str,
    toml: &toml::Value,
    columns: &mut Vec<String>,
) -> Result<Preset, Text> {
    let field = field_named(target, name)?.clone();
    if field.id == key.id {
        return Err(Text::new("is the key, which comes from the cell", "是键，其值来自单元格"));
    }
    match toml {
        toml::Value::String(template) if template.contains(['{', '}']) => {
            Preset::template(field, template, columns)
        }
        _ => constant(&field, toml).map(|value| Preset::constant(field, value)),
    }
}
