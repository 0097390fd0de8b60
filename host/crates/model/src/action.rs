use crate::{Fields, ObjectName, RecordId};

/// What a plugin or rule wants to happen. The host checks it against what was granted and commits it like any other change.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Changes fields of a record; a field that maps to `None` becomes null.
    SetFields {
        /// The record's object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// What becomes of which field.
        fields: std::collections::BTreeMap<crate::FieldName, Option<crate::Value>>,
    },
    /// Creates a record, for example a task for the customer's owner.
    CreateRecord {
        /// Its object.
        object: ObjectName,
        /// Its fields.
        fields: Fields,
    },
}
