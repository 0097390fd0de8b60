//! What becomes of the columns of a file. A lasting format: `host/docs/formats/import-mapping.md`.

mod aliases;
mod file;
mod header;
mod preset;
mod reference;
mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{
    FieldDefinition, FieldType, ObjectDefinition, ObjectName, Phrase, Text, Value, bilingual,
};

pub(super) use preset::Preset;
pub(super) use reference::Reference;
pub use spec::{ColumnSpec, DropSpec, MappingSpec, Mode, ReferenceSpec, Several};

use super::cell::CellFormat;
use super::table::ReadOptions;
use super::{Error, Limits, Result};
use crate::transform::{NoTransforms, Transform, Transforms};
use trellis_records::Schema;

/// The field that a row is recognised by where the mapping names no other.
pub(super) const EXTERNAL_ID: &str = "external_id";
/// The key of a mapping that says how rows are recognised; the same word in both languages.
const MATCH: Phrase = Phrase::new("match", "match");

/// Which column of a file becomes which field of an object, checked against the schema.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) object: Arc<ObjectDefinition>,
    pub(super) key: Key,
    pub(super) mode: Mode,
    /// The column with record ids, where rows are recognised by them.
    pub(super) id_column: Option<String>,
    pub(super) columns: Vec<MappedColumn>,
    pub(super) constants: Vec<(FieldDefinition, Value)>,
    pub(super) drops: Vec<Drop>,
    pub(super) read: ReadOptions,
}

/// What tells whether the row's record exists already.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// A unique field.
    Field(Box<FieldDefinition>),
    /// The record id.
    Id,
    /// Nothing: every row is a new record, of an object that has no external id.
    None,
}

impl Key {
    pub(super) fn field(&self) -> Option<&FieldDefinition> {
        match self {
            Self::Field(field) => Some(field),
            Self::Id | Self::None => None,
        }
    }

    /// Whether rows that bring no key get one computed.
    pub(super) fn is_computed(&self) -> bool {
        self.field().is_some_and(|field| field.name.as_str() == EXTERNAL_ID)
    }
}

/// A column of the file and the field that it becomes.
#[derive(Debug, Clone)]
pub(super) struct MappedColumn {
    /// Its name in the header; `None` for a field that an expression makes of the row.
    pub(super) column: Option<String>,
    pub(super) field: FieldDefinition,
    pub(super) cell: Cell,
    /// Other texts for some texts.
    pub(super) values: BTreeMap<String, String>,
    /// The text of an empty cell.
    pub(super) default: Option<String>,
    pub(super) transform: Option<Arc<dyn Transform>>,
}

impl MappedColumn {
    /// What people know it by.
    pub(super) fn label(&self) -> String {
        self.column.clone().unwrap_or_else(|| self.field.name.to_string())
    }
}

/// How a cell is read.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// As a value of its field's type; an amount without a currency is one of the base currency where the format has none.
    Value(CellFormat),
    /// As the key of another record.
    Reference(Box<Reference>),
}

/// Rows that are left out on purpose.
#[derive(Debug, Clone)]
pub(super) struct Drop {
    pub(super) when: Arc<dyn Transform>,
    pub(super) reason: Text,
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
        Self::new(&MappingSpec::parse(toml, limits)?, schema, limits, &NoTransforms)
    }

    /// Checks a mapping against the schema. `transforms` compiles its expressions.
    ///
    /// # Errors
    /// [`Error::Mapping`] says what does not fit the object.
    pub fn new(
        spec: &MappingSpec,
        schema: &Schema,
        limits: &Limits,
        transforms: &dyn Transforms,
    ) -> Result<Self> {
        file::checked(spec, schema, limits, transforms)
    }

    /// The mapping of a file whose columns are named as fields are: by API name, or by label in either language, upper or
    /// lower case. A reference is the external id of its target, or its record id. Where there is a column `id`,
    /// rows are recognised by record ids. What the host itself writes (`created_at`, `version`, computed fields) is left out.
    ///
    /// # Errors
    /// [`Error::Header`] names a column that is no field, and one that is there twice.
    pub fn identity(object: &ObjectName, header: &[String], schema: &Schema) -> Result<Self> {
        header::identity(object, header, schema)
    }

    /// As [`Mapping::identity`], as a mapping that people can change: columns that are no field are left out.
    ///
    /// # Errors
    /// Where there is no such object.
    pub fn suggested(object: &ObjectName, header: &[String], schema: &Schema) -> Result<MappingSpec> {
        header::suggested(object, header, schema)
    }

    /// How the file is to be read.
    pub fn read_options(&self) -> &ReadOptions {
        &self.read
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

    /// Where in a header each mapped column stands; `None` for those that no column becomes.
    pub(super) fn places(&self, header: &[String]) -> Result<Vec<Option<usize>>> {
        for column in self.columns.iter().filter_map(|column| match &column.cell {
            Cell::Reference(reference) => Some(&reference.columns),
            Cell::Value(_) => None,
        }) {
            column.iter().try_for_each(|name| place(header, name).map(drop))?;
        }
        let place =
            |column: &MappedColumn| column.column.as_ref().map(|name| place(header, name)).transpose();
        self.columns.iter().map(place).collect()
    }

    /// Where in a header the column with record ids stands.
    pub(super) fn id_place(&self, header: &[String]) -> Result<Option<usize>> {
        self.id_column.as_ref().map(|name| place(header, name)).transpose()
    }

    /// Puts the parts together, once each is checked by itself.
    fn assemble(mut self, key: Option<&str>) -> Result<Self> {
        let object = &self.object;
        self.key = match key {
            Some(ID) => Key::Id,
            None if self.mode == Mode::Create && object.field(EXTERNAL_ID).is_none() => Key::None,
            _ => {
                Key::Field(Box::new(key_field(object, key).map_err(|reason| Error::mapping(MATCH, reason))?))
            }
        };
        self.check_doubles()?;
        if matches!(self.key, Key::Id) != self.id_column.is_some() {
            let reason = match self.id_column {
                None => Text::new("no column becomes `id`", "没有映射到 `id` 的列"),
                Some(_) => Text::new(
                    "a column becomes `id`: add `match = \"id\"`",
                    "有一列映射到 `id`，需要 `match = \"id\"`",
                ),
            };
            return Err(Error::mapping(MATCH, reason));
        }
        let Key::Field(key) = &self.key else { return Ok(self) };
        if self.constants.iter().any(|(field, _)| field.id == key.id) {
            let name = &key.name;
            return Err(Error::mapping(
                bilingual!("constant `{name}`", "常量 `{name}`"),
                Text::new("every row would be the same record", "所有行都会成为同一条记录"),
            ));
        }
        let mapped = self.columns.iter().any(|column| column.field.id == key.id);
        if !mapped && (!self.key.is_computed() || self.mode == Mode::Update) {
            let name = &key.name;
            let reason = bilingual!("no column becomes `{name}`", "没有映射到 `{name}` 的列");
            return Err(Error::mapping(MATCH, reason));
        }
        Ok(self)
    }

    fn check_doubles(&self) -> Result<()> {
        let columns = self.columns.iter().map(|column| &column.field.name);
        let mut names: Vec<_> = columns.chain(self.constants.iter().map(|(field, _)| &field.name)).collect();
        names.sort();
        match names.iter().zip(names.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
            Some(name) => {
                let place = bilingual!("field `{name}`", "字段 `{name}`");
                Err(Error::mapping(place, Text::new("is mapped twice", "被映射了两次")))
            }
            None => Ok(()),
        }
    }
}

/// The record id in place of a field.
pub(super) const ID: &str = "id";

fn place(header: &[String], column: &str) -> Result<usize> {
    header.iter().position(|name| *name == column).ok_or_else(|| {
        let columns = header.join(", ");
        Error::header(bilingual!(
            "there is no column `{column}`; the file has {columns}",
            "没有列 `{column}`，文件中有 {columns}"
        ))
    })
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
