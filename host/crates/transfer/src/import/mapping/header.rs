use std::sync::Arc;

use trellis_model::{
    FieldDefinition, FieldType, Language, ObjectDefinition, ObjectName, Phrase, Text, bilingual,
};

use super::{Cell, EXTERNAL_ID, MappedColumn, Mapping, Reference, key_field};
use crate::import::{Error, Result};
use trellis_records::Schema;

pub(super) fn identity(object: &ObjectName, header: &[String], schema: &Schema) -> Result<Mapping> {
    let object = schema
        .object(object.as_str())
        .ok_or_else(|| trellis_records::Error::UnknownObject { name: object.to_string() })?;
    let columns =
        header.iter().map(|column| column_of(object, column, schema)).collect::<Result<Vec<_>>>()?;
    for (place, column) in columns.iter().enumerate() {
        if let Some(other) = columns.iter().take(place).find(|other| other.field.id == column.field.id) {
            let (other, column, field) = (&other.column, &column.column, &column.field.name);
            return Err(Error::header(bilingual!(
                "columns `{other}` and `{column}` are both the field `{field}`",
                "列 `{other}` 与 `{column}` 都对应字段 `{field}`"
            )));
        }
    }
    Mapping::assemble(object, None, columns, Vec::new())
}

fn column_of(object: &ObjectDefinition, column: &str, schema: &Schema) -> Result<MappedColumn> {
    let field = field_named(object, column)?;
    let cell = match &field.field_type {
        FieldType::Reference { object } => Cell::Reference(by_external_id(object, schema)?),
        _ => Cell::Value { currency: None },
    };
    Ok(MappedColumn { column: column.to_owned(), field: field.clone(), cell })
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
    Ok(Reference { object: object.clone(), key, or_id: true, create: None })
}
