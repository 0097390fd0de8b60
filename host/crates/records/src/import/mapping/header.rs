use std::sync::Arc;

use trellis_model::{FieldDefinition, FieldType, Language, ObjectDefinition, ObjectName};

use super::{Cell, EXTERNAL_ID, MappedColumn, Mapping, Reference, key_field};
use crate::Schema;
use crate::import::{Error, Result};

pub(super) fn identity(object: &ObjectName, header: &[String], schema: &Schema) -> Result<Mapping> {
    let object = schema
        .object(object.as_str())
        .ok_or_else(|| crate::Error::UnknownObject { name: object.to_string() })?;
    let columns =
        header.iter().map(|column| column_of(object, column, schema)).collect::<Result<Vec<_>>>()?;
    for (place, column) in columns.iter().enumerate() {
        if let Some(other) = columns.iter().take(place).find(|other| other.field.id == column.field.id) {
            let (other, column, field) = (&other.column, &column.column, &column.field.name);
            return Err(Error::header(format!(
                "columns `{other}` and `{column}` are both the field `{field}`"
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
        _ if wanted.is_empty() => Err(Error::header("a column has no name")),
        (Some(field), None) => Ok(field),
        (None, _) => Err(Error::header(format!(
            "column `{column}` is no field of {}; a mapping can leave it out",
            object.name
        ))),
        (Some(a), Some(b)) => Err(Error::header(format!(
            "column `{column}` can be `{}` or `{}`; use the API name",
            a.name, b.name
        ))),
    }
}

/// A reference to an object for which the mapping says nothing more.
pub(super) fn by_external_id(object: &ObjectName, schema: &Schema) -> Result<Reference> {
    let object: &Arc<_> = schema
        .object(object.as_str())
        .ok_or_else(|| crate::Error::UnknownObject { name: object.to_string() })?;
    let key = key_field(object, Some(EXTERNAL_ID)).map_err(|reason| Error::mapping("reference", reason))?;
    Ok(Reference { object: object.clone(), key, or_id: true, create: None })
}
