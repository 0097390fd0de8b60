//! Indexes: which there are, and which entries a record has in them.

pub(crate) mod encode;
pub(crate) mod entries;
mod kept;
pub(crate) mod match_keys;

use std::collections::BTreeSet;

use trellis_model::{
    Covering, FieldDefinition, FieldId, FieldName, FieldType, ObjectDefinition, ObjectId, Record,
    SystemField, Value,
};

pub(crate) use self::kept::{IndexPart, IndexState, Kept, name as composite_name};
use crate::{Error, Result};

/// The number of the index over `updated_at`; fields have their own number.
const UPDATED_AT: u32 = 0xffff_ff01;
/// The number of an object's first composite index; further ones follow in the order in which they were first asked for.
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
    /// Whether reads may use it: all records have their entries in it.
    pub(crate) ready: bool,
}

/// All that is kept beside the records of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Indexes {
    /// The indexes.
    pub(crate) indexes: Vec<Index>,
    /// The fields with unique values.
    pub(crate) unique: Vec<FieldId>,
    /// Those of them whose keys are being built: records may lack theirs.
    pub(crate) unique_building: BTreeSet<FieldId>,
    /// The events, where the object is the events of another.
    pub(crate) events: Option<Events>,
    /// What duplicates are found by.
    pub(crate) match_keys: Vec<match_keys::MatchKey>,
    /// Those of them that are being built: records may lack theirs.
    pub(crate) match_building: Vec<match_keys::MatchKey>,
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

/// The number of the composite index of a place.
pub(crate) fn composite_number(place: u32) -> u32 {
    COMPOSITE + place
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
    pub(crate) fn new(
        object: &ObjectDefinition,
        kept: &Kept,
        id_of: impl Fn(&str) -> Option<ObjectId>,
    ) -> Result<Self> {
        let mut indexes: Vec<Index> =
            object.fields.iter().filter_map(|field| single(object, kept, field)).collect();
        for composite in &object.composite_indexes {
            let names: Vec<&FieldName> = composite.equals.iter().chain([&composite.sort]).collect();
            let columns: Option<Vec<Column>> =
                names.iter().map(|name| Column::of(object, name.as_str())).collect();
            let columns = columns.ok_or_else(|| broken(object, "a composite index names no field"))?;
            let name = composite_name(composite);
            let place = kept.composites.get(&name);
            let place = place.ok_or_else(|| broken(object, "a composite index has no number"))?;
            indexes.push(Index {
                number: composite_number(*place),
                name,
                columns,
                sparse: false,
                ready: true,
            });
        }
        if !object.append_only {
            let columns = vec![Column::System(SystemField::UpdatedAt)];
            let name = "updated_at".into();
            indexes.push(Index { number: UPDATED_AT, name, columns, sparse: false, ready: true });
        }
        for index in &mut indexes {
            index.ready = !kept.is_building(IndexPart::Index(index.number));
        }
        let unique = object.fields.iter().filter(|field| field.unique).map(|field| field.id).collect();
        let events = object.covering.as_ref().map(|covering| events(object, covering, id_of)).transpose()?;
        let match_keys = match_keys::of(object);
        let building = |key: &match_keys::MatchKey| kept.is_building(key.part());
        let match_building = match_keys.iter().copied().filter(building).collect();
        let unique_building = kept.unique_building();
        Ok(Self { indexes, unique, unique_building, events, match_keys, match_building })
    }

    /// The indexes that reads may use.
    pub(crate) fn ready(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().filter(|index| index.ready)
    }

    /// Whether every record has its key of a unique field, so that reads may go by it.
    pub(crate) fn finds_by(&self, field: FieldId) -> bool {
        self.unique.contains(&field) && !self.unique_building.contains(&field)
    }

    /// Whether every record has its match key.
    pub(crate) fn matches_by(&self, key: match_keys::MatchKey) -> bool {
        !self.match_building.contains(&key)
    }

    /// All that is kept, by number.
    pub(crate) fn parts(&self) -> BTreeSet<IndexPart> {
        let indexes = self.indexes.iter().map(|index| IndexPart::Index(index.number));
        let unique = self.unique.iter().map(|field| IndexPart::Unique(field.0));
        indexes.chain(unique).chain(self.match_keys.iter().map(|key| key.part())).collect()
    }

    /// The index that begins with two fields.
    pub(crate) fn of_pair(&self, first: FieldId, second: FieldId) -> Option<&Index> {
        let begins = [Column::Field(first), Column::Field(second)];
        self.ready().find(|index| index.columns.starts_with(&begins))
    }

    /// The index whose first column is a reference: what finds the records that refer to one.
    pub(crate) fn of_reference(&self, field: FieldId) -> Option<&Index> {
        self.ready().find(|index| index.columns.first() == Some(&Column::Field(field)))
    }
}

/// The index of one field, if it needs one. A reference has one anyway (without nulls), unless a founding composite index begins with it.
fn single(object: &ObjectDefinition, kept: &Kept, field: &FieldDefinition) -> Option<Index> {
    let reference =
        matches!(field.field_type, FieldType::Reference { .. }) && !kept.covers(object, &field.name);
    (field.indexed || reference).then(|| Index {
        number: field.id.0,
        name: field.name.to_string(),
        columns: vec![Column::Field(field.id)],
        sparse: !field.indexed,
        ready: true,
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
