use crate::{FieldName, Filter, ObjectName, Path, Sort, Text};

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
