use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{
    FieldDefinition, FieldType, Language, ObjectDefinition, ObjectName, Phrase, SystemField, Text, bilingual,
};

use super::spec::{ColumnSpec, MappingSpec, Mode, Several};
use super::{Cell, EXTERNAL_ID, ID, Key, MappedColumn, Mapping, Reference, aliases, key_field};
use crate::import::cell::CellFormat;
use crate::import::table::ReadOptions;
use crate::import::{Error, Result};
use trellis_records::Schema;

pub(super) fn identity(object: &ObjectName, header: &[String], schema: &Schema) -> Result<Mapping> {
    let object = object_of(object, schema)?;
    let own = header.iter().filter(|column| !is_of_host(object, column));
    let columns = own.map(|column| column_of(object, column, schema)).collect::<Result<Vec<_>>>()?;
    for (place, column) in columns.iter().enumerate() {
        if let Some(other) = columns.iter().take(place).find(|other| other.field.id == column.field.id) {
            let (other, column, field) = (other.label(), column.label(), &column.field.name);
            return Err(Error::header(bilingual!(
                "columns `{other}` and `{column}` are both the field `{field}`",
                "列 `{other}` 与 `{column}` 都对应字段 `{field}`"
            )));
        }
    }
    let id_column = header.iter().find(|column| is_id(object, column)).cloned();
    let key = id_column.as_ref().map(|_| ID);
    let mapping = Mapping {
        object: object.clone(),
        key: Key::None,
        mode: Mode::Upsert,
        id_column,
        columns,
        constants: Vec::new(),
        drops: Vec::new(),
        read: ReadOptions::default(),
    };
    mapping.assemble(key)
}

/// What people begin with: each column that is named like a field, the first of those that are named alike.
pub(super) fn suggested(object: &ObjectName, header: &[String], schema: &Schema) -> Result<MappingSpec> {
    let object = object_of(object, schema)?;
    let mut columns: Vec<ColumnSpec> = Vec::new();
    for column in header.iter().filter(|column| !is_of_host(object, column)) {
        let found = field_named(object, column).ok().map(|field| (field, None));
        let found = found.or_else(|| aliases::field_of(object, column));
        let Some((field, reference)) = found else { continue };
        if field.computed.is_some() || columns.iter().any(|other| other.field == field.name.as_str()) {
            continue;
        }
        let (column, field) = (Some(column.clone()), field.name.to_string());
        columns.push(ColumnSpec { column, field, reference, ..ColumnSpec::default() });
    }
    let id = header.iter().find(|column| is_id(object, column));
    if let Some(column) = id {
        let column = Some(column.clone());
        columns.push(ColumnSpec { column, field: ID.to_owned(), ..ColumnSpec::default() });
    }
    let creates_only = id.is_none() && object.field(EXTERNAL_ID).is_none();
    Ok(MappingSpec {
        object: object.name.to_string(),
        key: id.map(|_| ID.to_owned()),
        mode: if creates_only { Mode::Create } else { Mode::Upsert },
        source: ReadOptions::default(),
        columns,
        constants: BTreeMap::new(),
        drops: Vec::new(),
    })
}

fn object_of<'a>(object: &ObjectName, schema: &'a Schema) -> Result<&'a Arc<ObjectDefinition>> {
    let unknown = || trellis_records::Error::UnknownObject { name: object.to_string() };
    Ok(schema.object(object.as_str()).ok_or_else(unknown)?)
}

fn is_id(object: &ObjectDefinition, column: &str) -> bool {
    column.eq_ignore_ascii_case(ID) && object.field(ID).is_none()
}

/// Whether a column holds what the host itself writes, the id included.
fn is_of_host(object: &ObjectDefinition, column: &str) -> bool {
    let column = column.to_lowercase();
    match object.field(&column) {
        Some(field) => field.computed.is_some(),
        None => SystemField::of(&column).is_some(),
    }
}

fn column_of(object: &ObjectDefinition, column: &str, schema: &Schema) -> Result<MappedColumn> {
    let field = field_named(object, column)?;
    let cell = match &field.field_type {
        FieldType::Reference { object } => Cell::Reference(Box::new(by_external_id(object, schema)?)),
        _ => Cell::Value(CellFormat::default()),
    };
    Ok(MappedColumn {
        column: Some(column.to_owned()),
        field: field.clone(),
        cell,
        values: BTreeMap::new(),
        default: None,
        transform: None,
    })
}

/// The field of an API name, or else the only one with this label.
fn field_named<'a>(object: &'a ObjectDefinition, column: &str) -> Result<&'a FieldDefinition> {
    let wanted = column.to_lowercase();
    if let Some(field) = object.field(&wanted) {
        return Ok(field);
    }
    let labelled = |field: &&FieldDefinition| {
        [Language::En, Language::ZhCn]
            .into_iter()
            .any(|language| field.label.get(language).to_lowercase() == wanted)
    };
    let mut fields = object.fields.iter().filter(labelled);
    match (fields.next(), fields.next()) {
        _ if wanted.is_empty() => Err(Error::header(Text::new("a column has no name", "有一列没有名称"))),
        (Some(field), None) => Ok(field),
        (None, _) => {
            let object = &object.name;
            Err(Error::header(bilingual!(
                "column `{column}` is no field of {object}; a mapping can leave it out",
                "列 `{column}` 不是 {object} 的字段，可用映射忽略它"
            )))
        }
        (Some(a), Some(b)) => {
            let (a, b) = (&a.name, &b.name);
            Err(Error::header(bilingual!(
                "column `{column}` can be `{a}` or `{b}`; use the API name",
                "列 `{column}` 可能是 `{a}` 或 `{b}`，请使用 API 名称"
            )))
        }
    }
}

/// A reference to an object for which the mapping says nothing more.
pub(super) fn by_external_id(object: &ObjectName, schema: &Schema) -> Result<Reference> {
    let object: &Arc<_> = schema
        .object(object.as_str())
        .ok_or_else(|| trellis_records::Error::UnknownObject { name: object.to_string() })?;
    let place = Phrase::new("reference", "引用");
    let key = key_field(object, Some(EXTERNAL_ID)).map_err(|reason| Error::mapping(place, reason))?;
    let (several, columns) = (Several::Error, Vec::new());
    Ok(Reference { object: object.clone(), key, or_id: true, several, create: None, columns })
}
