//! Indexes: which there are, and which entries a record has in them.

pub(crate) mod encode;
pub(crate) mod entries;

use trellis_model::{
    Covering, FieldDefinition, FieldId, FieldName, FieldType, ObjectDefinition, ObjectId, Record,
    SystemField, Value,
};

use crate::{Error, Result};

/// The number of the index over `updated_at`; fields have their own number.
const UPDATED_AT: u32 = 0xffff_ff01;
/// The number of an object's first composite index. They are only ever appended, so the place in the list counts.
const COMPOSITE: u32 = 0x8000_0000;

/// A field that a filter, sort or index can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    /// One of the object's fields.
    Field(FieldId),
    /// What every record has.
    System(SystemField),
}

/// An index of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// Its number within the object.
    pub(crate) number: u32,
    /// For plans: `account, ordered_on`.
    pub(crate) name: String,
    /// Its columns in order; after them comes the id.
    pub(crate) columns: Vec<Column>,
    /// Whether records with a null in the first column are left out.
    pub(crate) sparse: bool,
}

/// All that is kept beside the records of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Indexes {
    /// The indexes.
    pub(crate) indexes: Vec<Index>,
    /// The fields with unique values.
    pub(crate) unique: Vec<FieldId>,
    /// The events, where the object is the events of another.
    pub(crate) events: Option<Events>,
}

/// The covering index of an events object, with numbers for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Events {
    /// The reference.
    pub(crate) target: FieldId,
    /// The object it points at.
    pub(crate) target_object: ObjectId,
    /// The date or time.
    pub(crate) time: FieldId,
    /// The values.
    pub(crate) values: Vec<FieldId>,
}

impl Column {
    /// The column of a name.
    pub(crate) fn of(object: &ObjectDefinition, name: &str) -> Option<Self> {
        let system = SystemField::of(name).map(Self::System);
        system.or_else(|| object.field(name).map(|field| Self::Field(field.id)))
    }

    /// The value that a record has in it.
    pub(crate) fn value(self, record: &Record) -> Option<std::borrow::Cow<'_, Value>> {
        use std::borrow::Cow;
        match self {
            Self::Field(id) => record.fields.get(&id).map(Cow::Borrowed),
            Self::System(field) => system_value(record, field).map(Cow::Owned),
        }
    }
}

/// A system field as a value.
pub(crate) fn system_value(record: &Record, field: SystemField) -> Option<Value> {
    let time = |ms| jiff::Timestamp::from_millisecond(ms).ok().map(Value::Time);
    match field {
        SystemField::Id => Some(Value::Reference(record.id)),
        SystemField::CreatedAt => time(record.created_at_ms),
        SystemField::UpdatedAt => time(record.updated_at_ms),
        SystemField::DeletedAt => record.deleted_at_ms.and_then(time),
        SystemField::Version => i64::try_from(record.version).ok().map(Value::Integer),
    }
}

impl Indexes {
    /// What an object's definition asks for. `id_of` finds the number of another object.
    pub(crate) fn new(object: &ObjectDefinition, id_of: impl Fn(&str) -> Option<ObjectId>) -> Result<Self> {
        let mut indexes: Vec<Index> =
            object.fields.iter().filter_map(|field| single(object, field)).collect();
        for (place, composite) in object.composite_indexes.iter().enumerate() {
            let names: Vec<&FieldName> = composite.equals.iter().chain([&composite.sort]).collect();
            let columns: Option<Vec<Column>> =
                names.iter().map(|name| Column::of(object, name.as_str())).collect();
            let columns = columns.ok_or_else(|| broken(object, "a composite index names no field"))?;
            let name = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let place = u32::try_from(place).map_err(|_| broken(object, "too many composite indexes"))?;
            indexes.push(Index { number: COMPOSITE + place, name, columns, sparse: false });
        }
        if !object.append_only {
            let columns = vec![Column::System(SystemField::UpdatedAt)];
            indexes.push(Index { number: UPDATED_AT, name: "updated_at".into(), columns, sparse: false });
        }
        let unique = object.fields.iter().filter(|field| field.unique).map(|field| field.id).collect();
        let events = object.covering.as_ref().map(|covering| events(object, covering, id_of)).transpose()?;
        Ok(Self { indexes, unique, events })
    }

    /// The index whose first column is a reference: what finds the records that refer to one.
    pub(crate) fn of_reference(&self, field: FieldId) -> Option<&Index> {
        self.indexes.iter().find(|index| index.columns.first() == Some(&Column::Field(field)))
    }
}

/// The index of one field, if it needs one. A reference has one anyway (without nulls), unless a composite index begins with it.
fn single(object: &ObjectDefinition, field: &FieldDefinition) -> Option<Index> {
    let begins =
        |name: &FieldName| object.composite_indexes.iter().any(|index| index.equals.first() == Some(name));
    let reference = matches!(field.field_type, FieldType::Reference { .. }) && !begins(&field.name);
    (field.indexed || reference).then(|| Index {
        number: field.id.0,
        name: field.name.to_string(),
        columns: vec![Column::Field(field.id)],
        sparse: !field.indexed,
    })
}

fn events(
    object: &ObjectDefinition,
    covering: &Covering,
    id_of: impl Fn(&str) -> Option<ObjectId>,
) -> Result<Events> {
    let field = |name: &FieldName| {
        object.field(name.as_str()).ok_or_else(|| broken(object, "the covering index names no field"))
    };
    let target = field(&covering.target)?;
    let FieldType::Reference { object: target_object } = &target.field_type else {
        return Err(broken(object, "the covering index has no target"));
    };
    Ok(Events {
        target: target.id,
        target_object: id_of(target_object.as_str())
            .ok_or_else(|| broken(object, "the target of the covering index is no object"))?,
        time: field(&covering.time)?.id,
        values: covering
            .values
            .iter()
            .map(|name| field(name).map(|field| field.id))
            .collect::<Result<_>>()?,
    })
}

fn broken(object: &ObjectDefinition, reason: &str) -> Error {
    Error::Definition { object: object.name.to_string(), reason: reason.to_owned() }
}
