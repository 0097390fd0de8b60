//! Object definitions: read from TOML, kept in the store, looked up by name and number.

mod definition;
mod install;
mod named;
mod stored;

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{FieldDefinition, FieldType, ObjectDefinition, ObjectId, ObjectName};

use crate::index::Indexes;
use crate::{Error, Result};

#[cfg(test)]
pub(crate) use install::install;
pub(crate) use install::{install_standard, load};

/// All objects, as of some moment.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    by_id: BTreeMap<ObjectId, Entry>,
    by_name: BTreeMap<String, ObjectId>,
    by_plural: BTreeMap<String, ObjectId>,
    by_url: BTreeMap<String, ObjectId>,
}

#[derive(Debug, Clone)]
struct Entry {
    definition: Arc<ObjectDefinition>,
    indexes: Arc<Indexes>,
}

/// An object with what is kept beside its records.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) definition: Arc<ObjectDefinition>,
    pub(crate) indexes: Arc<Indexes>,
}

impl std::ops::Deref for Object {
    type Target = ObjectDefinition;

    fn deref(&self) -> &ObjectDefinition {
        &self.definition
    }
}

impl Schema {
    /// The schema of these objects.
    ///
    /// # Errors
    /// [`Error::Definition`] or [`Error::Model`] for an object that contradicts itself or refers to one that is not there.
    pub fn new(objects: Vec<ObjectDefinition>) -> Result<Self> {
        let numbers: BTreeMap<String, ObjectId> =
            objects.iter().map(|object| (object.name.to_string(), object.id)).collect();
        crate::computed::check(&objects, None)?;
        let mut schema = Self::default();
        for object in objects {
            object.validate()?;
            check_references(&object, &numbers)?;
            let indexes = Indexes::new(&object, |name| numbers.get(name).copied())?;
            schema.insert(object, indexes)?;
        }
        Ok(schema)
    }

    fn insert(&mut self, object: ObjectDefinition, indexes: Indexes) -> Result<()> {
        let id = object.id;
        let taken = [
            self.by_name.insert(object.name.to_string(), id),
            self.by_plural.insert(object.plural.to_string(), id),
            self.by_url.insert(object.url_segment(), id),
        ];
        if taken.iter().any(Option::is_some) {
            return Err(wrong(&object, "its name, plural or URL is that of another object"));
        }
        self.by_id.insert(id, Entry { definition: Arc::new(object), indexes: Arc::new(indexes) });
        Ok(())
    }

    /// The object of a name.
    pub fn object(&self, name: &str) -> Option<&Arc<ObjectDefinition>> {
        self.by_name.get(name).and_then(|id| self.object_by_id(*id))
    }

    /// The object of a number.
    pub fn object_by_id(&self, id: ObjectId) -> Option<&Arc<ObjectDefinition>> {
        self.by_id.get(&id).map(|entry| &entry.definition)
    }

    /// The object of a plural.
    pub fn object_by_plural(&self, plural: &str) -> Option<&Arc<ObjectDefinition>> {
        self.by_plural.get(plural).and_then(|id| self.object_by_id(*id))
    }

    /// The object of the last part of a URL.
    pub fn object_by_url(&self, segment: &str) -> Option<&Arc<ObjectDefinition>> {
        self.by_url.get(segment).and_then(|id| self.object_by_id(*id))
    }

    /// All objects, in the order of their numbers.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<ObjectDefinition>> {
        self.by_id.values().map(|entry| &entry.definition)
    }

    pub(crate) fn full(&self, id: ObjectId) -> Option<Object> {
        let entry = self.by_id.get(&id)?;
        Some(Object { definition: Arc::clone(&entry.definition), indexes: Arc::clone(&entry.indexes) })
    }

    pub(crate) fn find(&self, name: &ObjectName) -> Result<Object> {
        let found = self.by_name.get(name.as_str()).and_then(|id| self.full(*id));
        found.ok_or_else(|| Error::UnknownObject { name: name.to_string() })
    }
}

fn check_references(object: &ObjectDefinition, numbers: &BTreeMap<String, ObjectId>) -> Result<()> {
    let broken = |field: &&FieldDefinition| match &field.field_type {
        FieldType::Reference { object } => !numbers.contains_key(object.as_str()),
        FieldType::List { of } => {
            matches!(&**of, FieldType::Reference { object } if !numbers.contains_key(object.as_str()))
        }
        _ => false,
    };
    match object.fields.iter().find(broken) {
        Some(field) => {
            Err(wrong(object, &format!("field `{}` refers to an object that is not there", field.name)))
        }
        None => Ok(()),
    }
}

fn wrong(object: &ObjectDefinition, reason: &str) -> Error {
    Error::Definition { object: object.name.to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod labels;
#[cfg(test)]
mod tests;
