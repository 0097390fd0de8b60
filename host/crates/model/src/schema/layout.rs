use super::ObjectDefinition;
use super::parts::{check_filter, is_readable, twice};
use crate::{FieldName, Filter, ObjectName, Path, Sort, Text, bilingual};

/// How records of an object are shown. A layout never decides who may see what.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Its API name.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// Which records are shown by it (R9); the first layout that matches counts. None is all.
    pub when: Option<Filter>,
    /// Columns of a list.
    pub columns: Vec<Path>,
    /// The order of a list.
    pub sort: Vec<Sort>,
    /// Sections of a record's page.
    pub sections: Vec<Section>,
    /// Lists of records that refer to it.
    pub related: Vec<RelatedList>,
}

/// A section of a record's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its API name.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// Its fields, in the order in which they are shown.
    pub fields: Vec<FieldName>,
}

/// A list of the records that refer to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedList {
    /// Of which object.
    pub object: ObjectName,
    /// Its reference to the record.
    pub reference: FieldName,
    /// Its columns.
    pub columns: Vec<Path>,
    /// Its order.
    pub sort: Vec<Sort>,
}

impl Layout {
    /// Checks that its fields are there, each in one section. Where its paths and related lists lead is checked by the schema that holds it.
    ///
    /// # Errors
    /// What is wrong, without the layout's name.
    pub(super) fn validate(&self, object: &ObjectDefinition) -> Result<(), Text> {
        if let Some(filter) = &self.when {
            check_filter(filter, object)?;
        }
        if let Some(path) = self.columns.iter().find(|path| !is_readable(path, object)) {
            return Err(bilingual!("column `{path}` is no field", "列 `{path}` 不是字段"));
        }
        if let Some(path) = self.sort.iter().map(|sort| &sort.path).find(|path| !is_readable(path, object)) {
            return Err(bilingual!("it sorts by `{path}`, which is no field", "排序的 `{path}` 不是字段"));
        }
        if let Some(name) = twice(self.sections.iter().map(|section| &section.name)) {
            return Err(bilingual!("section `{name}` is there twice", "分区 `{name}` 重复"));
        }
        let mut fields = self.sections.iter().flat_map(|section| &section.fields);
        if let Some(name) = fields.clone().find(|name| object.field(name.as_str()).is_none()) {
            return Err(bilingual!("`{name}` in a section is no field", "分区中的 `{name}` 不是字段"));
        }
        match twice(&mut fields) {
            Some(name) => Err(bilingual!("field `{name}` is there twice", "字段 `{name}` 重复")),
            None => Ok(()),
        }
    }
}
