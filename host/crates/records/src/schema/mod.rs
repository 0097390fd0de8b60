//! Object definitions: read from TOML, kept in the store, looked up by name and number.

mod apply;
mod builds;
mod change;
mod check;
mod definition;
mod diff;
mod document;
mod install;
mod links;
mod merge;
mod named;
mod pack;
mod stored;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::{FieldDefinition, FieldType, ObjectDefinition, ObjectId, ObjectName};
use trellis_storage::Position;

use crate::index::{IndexPart, Indexes, Kept};
use crate::{Error, Result};

pub use apply::{SchemaApplied, SchemaApply, SchemaPlan};
pub use builds::{BuildEnd, PendingBuild};
pub(crate) use change::load;
pub use check::RESERVED_PLURALS;
pub use diff::{SchemaStep, SchemaStepKind};
pub use document::SchemaDocument;
#[cfg(test)]
pub(crate) use install::install;
pub(crate) use install::install_standard;
pub use install::standard_definitions;
pub use versions::SchemaVersion;

/// All objects, as of some moment.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    version: u64,
    by_id: BTreeMap<ObjectId, Entry>,
    by_name: BTreeMap<String, ObjectId>,
    by_plural: BTreeMap<String, ObjectId>,
    by_url: BTreeMap<String, ObjectId>,
}

#[derive(Debug, Clone)]
struct Entry {
    definition: Arc<ObjectDefinition>,
    indexes: Arc<Indexes>,
    kept: Arc<Kept>,
    written: Arc<Json>,
    mark: Option<Position>,
}

/// An object as a schema is made of it.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) definition: ObjectDefinition,
    pub(crate) kept: Kept,
    /// The definition as people wrote it.
    pub(crate) written: Json,
    /// Where its mark was last written.
    pub(crate) mark: Option<Position>,
}

/// An object with what is kept beside its records.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) definition: Arc<ObjectDefinition>,
    pub(crate) indexes: Arc<Indexes>,
    /// Where the mark of its definition was last written: what a save demands, so that no entry of a new index is missed.
    pub(crate) mark: Option<Position>,
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
        let part = |definition| Part {
            kept: Kept::founding(&definition),
            definition,
            written: Json::Null,
            mark: None,
        };
        Self::of(objects.into_iter().map(part).collect(), 0)
    }

    pub(crate) fn of(parts: Vec<Part>, version: u64) -> Result<Self> {
        let numbers: BTreeMap<String, ObjectId> =
            parts.iter().map(|part| (part.definition.name.to_string(), part.definition.id)).collect();
        let definitions: Vec<&ObjectDefinition> = parts.iter().map(|part| &part.definition).collect();
        crate::computed::check(&definitions, None)?;
        let mut schema = Self { version, ..Self::default() };
        for part in parts {
            part.definition.validate()?;
            check_references(&part.definition, &numbers)?;
            let indexes = Indexes::new(&part.definition, &part.kept, |name| numbers.get(name).copied())?;
            schema.insert(part, indexes)?;
        }
        Ok(schema)
    }

    /// Grows with every change; 0 for one that was never stored.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn insert(&mut self, part: Part, indexes: Indexes) -> Result<()> {
        let Part { definition: object, kept, written, mark } = part;
        let id = object.id;
        let taken = [
            self.by_name.insert(object.name.to_string(), id),
            self.by_plural.insert(object.plural.to_string(), id),
            self.by_url.insert(object.url_segment(), id),
        ];
        if taken.iter().any(Option::is_some) {
            return Err(wrong(&object, "its name, plural or URL is that of another object"));
        }
        let (definition, indexes, kept) = (Arc::new(object), Arc::new(indexes), Arc::new(kept));
        let written = Arc::new(written);
        self.by_id.insert(id, Entry { definition, indexes, kept, written, mark });
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
        Some(Object {
            definition: Arc::clone(&entry.definition),
            indexes: Arc::clone(&entry.indexes),
            mark: entry.mark,
        })
    }

    pub(crate) fn kept(&self, id: ObjectId) -> Option<&Kept> {
        self.by_id.get(&id).map(|entry| &*entry.kept)
    }

    /// An object's definition as it is written in a [`SchemaDocument`]; null for a schema that was never stored.
    pub fn written(&self, id: ObjectId) -> Arc<Json> {
        self.by_id.get(&id).map(|entry| Arc::clone(&entry.written)).unwrap_or_default()
    }

    /// The names of an object's indexes that are being built: fields, and the composite ones as `account, ordered_on`. Until they are
    /// ready no read uses them.
    pub fn building(&self, id: ObjectId) -> Vec<String> {
        let Some(entry) = self.by_id.get(&id) else { return Vec::new() };
        let indexes =
            entry.indexes.indexes.iter().filter(|index| !index.ready).map(|index| index.name.clone());
        let unique = entry.indexes.unique_building.iter().filter_map(|field| {
            let field = entry.definition.field_by_id(*field)?;
            Some(field.name.to_string())
        });
        let matching = entry.indexes.match_building.iter().filter_map(|key| {
            let field = entry.definition.field_by_id(key.field)?;
            Some(field.name.to_string())
        });
        let mut names: Vec<String> = indexes.chain(unique).chain(matching).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What people call a part of an object's indexes.
    pub(crate) fn name_of(&self, id: ObjectId, part: IndexPart) -> String {
        let Some(entry) = self.by_id.get(&id) else { return String::new() };
        let field = |number: u32| {
            entry.definition.field_by_id(trellis_model::FieldId(number)).map(|field| field.name.to_string())
        };
        match part {
            IndexPart::Index(number) => {
                let index = entry.indexes.indexes.iter().find(|index| index.number == number);
                let places = |(_, place): &(&String, &u32)| crate::index::composite_number(**place) == number;
                let gone = || entry.kept.composites.iter().find(places).map(|(name, _)| name.clone());
                index.map(|index| index.name.clone()).or_else(|| field(number)).or_else(gone)
            }
            IndexPart::Unique(number) | IndexPart::Match(number, _) => field(number),
        }
        .unwrap_or_default()
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
