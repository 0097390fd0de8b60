//! What becomes of the columns of a file. A lasting format: `host/docs/formats/import-mapping.md`.

mod file;
mod header;
mod preset;

use std::sync::Arc;

use trellis_model::{
    Currency, FieldDefinition, FieldType, ObjectDefinition, ObjectName, Phrase, Text, Value, bilingual,
};

pub(super) use preset::Preset;

use super::{Error, Limits, Result};
use trellis_records::Schema;

/// The field that a row is recognised by where the mapping names no other.
pub(super) const EXTERNAL_ID: &str = "external_id";
/// The key of a mapping that says how rows are recognised; the same word in both languages.
const MATCH: Phrase = Phrase::new("match", "match");

/// Which column of a file becomes which field of an object, checked against the schema.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) object: Arc<ObjectDefinition>,
    /// The unique field that tells whether the row's record exists already.
    pub(super) key: FieldDefinition,
    pub(super) columns: Vec<MappedColumn>,
    pub(super) constants: Vec<(FieldDefinition, Value)>,
}

/// A column of the file and the field that it becomes.
#[derive(Debug, Clone)]
pub(super) struct MappedColumn {
    pub(super) column: String,
    pub(super) field: FieldDefinition,
    pub(super) cell: Cell,
}

/// How a cell is read.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// As a value of its field's type; an amount without a currency is one of `currency`, else of the base currency.
    Value { currency: Option<Currency> },
    /// As the key of another record.
    Reference(Reference),
}

/// How the record that a cell means is found.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) object: Arc<ObjectDefinition>,
    /// The unique field of it that the cell holds.
    pub(super) key: FieldDefinition,
    /// Whether a cell that is nobody's key may also be a record id.
    pub(super) or_id: bool,
    /// The other fields of a record that is created where there is none; `None` creates none.
    pub(super) create: Option<Vec<Preset>>,
}

impl Mapping {
    /// Reads a mapping and checks it against the schema.
    ///
    /// # Errors
    /// [`Error::MappingSyntax`] names the line and the unknown key or wrong type, [`Error::Mapping`] what does not fit the object.
    pub fn parse(toml: &str, schema: &Schema) -> Result<Self> {
        Self::parse_within(&Limits::default(), toml, schema)
    }

    /// As [`Mapping::parse`], with other limits.
    ///
    /// # Errors
    /// As [`Mapping::parse`].
    pub fn parse_within(limits: &Limits, toml: &str, schema: &Schema) -> Result<Self> {
        file::parse(toml, schema, limits)
    }

    /// The mapping of a file whose columns are named as fields are: by API name, or by label in either language, upper or
    /// lower case. A reference is the external id of its target, or its record id.
    ///
    /// # Errors
    /// [`Error::Header`] names a column that is no field, and one that is there twice.
    pub fn identity(object: &ObjectName, header: &[String], schema: &Schema) -> Result<Self> {
        header::identity(object, header, schema)
    }

    /// The object that the rows become.
    pub fn object(&self) -> &ObjectName {
        &self.object.name
    }

    /// Checks that a header has all mapped columns, as the import itself will.
    ///
    /// # Errors
    /// [`Error::Header`] names the first that is missing, and the columns that there are.
    pub fn check_header(&self, header: &[String]) -> Result<()> {
        self.places(header).map(drop)
    }

    /// Where in a header each mapped column stands.
    pub(super) fn places(&self, header: &[String]) -> Result<Vec<usize>> {
        let place = |column: &MappedColumn| {
            let missing = || {
                let (name, columns) = (&column.column, header.join(", "));
                Error::header(bilingual!(
                    "there is no column `{name}`; the file has {columns}",
                    "没有列 `{name}`，文件中有 {columns}"
                ))
            };
            header.iter().position(|name| *name == column.column).ok_or_else(missing)
        };
        self.columns.iter().map(place).collect()
    }

    /// Puts the parts together, once each is checked by itself.
    fn assemble(
        object: &Arc<ObjectDefinition>,
        key: Option<&str>,
        columns: Vec<MappedColumn>,
        constants: Vec<(FieldDefinition, Value)>,
    ) -> Result<Self> {
        let key = key_field(object, key).map_err(|reason| Error::mapping(MATCH, reason))?;
        let names = columns
            .iter()
            .map(|column| &column.field.name)
            .chain(constants.iter().map(|(field, _)| &field.name));
        let mut names: Vec<_> = names.collect();
        names.sort();
        if let Some(name) = names.iter().zip(names.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
            let place = bilingual!("field `{name}`", "字段 `{name}`");
            return Err(Error::mapping(place, Text::new("is mapped twice", "被映射了两次")));
        }
        let mapped = columns.iter().any(|column| column.field.id == key.id);
        if constants.iter().any(|(field, _)| field.id == key.id) {
            let name = &key.name;
            return Err(Error::mapping(
                bilingual!("constant `{name}`", "常量 `{name}`"),
                Text::new("every row would be the same record", "所有行都会成为同一条记录"),
            ));
        }
        if !mapped && key.name.as_str() != EXTERNAL_ID {
            let name = &key.name;
            let reason = bilingual!("no column becomes `{name}`", "没有映射到 `{name}` 的列");
            return Err(Error::mapping(MATCH, reason));
        }
        Ok(Self { object: object.clone(), key, columns, constants })
    }
}

/// The unique field of a name, `external_id` where there is none.
fn key_field(object: &ObjectDefinition, name: Option<&str>) -> Result<FieldDefinition, Text> {
    let (name, of) = (name.unwrap_or(EXTERNAL_ID), &object.name);
    let field = object.field(name).ok_or_else(|| no_field(object, name))?;
    match &field.field_type {
        FieldType::Reference { .. } => Err(bilingual!(
            "`{name}` of {of} is a reference, which is no key",
            "{of} 的 `{name}` 是引用字段，不能作为键"
        )),
        _ if !field.unique => {
            Err(bilingual!("`{name}` of {of} is not unique", "{of} 的 `{name}` 不是唯一的"))
        }
        _ => Ok(field.clone()),
    }
}

fn no_field(object: &ObjectDefinition, name: &str) -> Text {
    let object = &object.name;
    bilingual!("{object} has no field `{name}`", "{object} 没有字段 `{name}`")
}

#[cfg(test)]
mod tests;
