//! Object definitions: read from TOML, kept in the store, looked up by name and number.

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{ObjectDefinition, ObjectId};

/// All objects, as of some moment.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    by_id: BTreeMap<ObjectId, Arc<ObjectDefinition>>,
    by_name: BTreeMap<String, ObjectId>,
    by_plural: BTreeMap<String, ObjectId>,
    by_url: BTreeMap<String, ObjectId>,
}

impl Schema {
    /// The schema of these objects.
    pub fn new(objects: impl IntoIterator<Item = ObjectDefinition>) -> Self {
        let mut schema = Self::default();
        objects.into_iter().for_each(|object| schema.insert(object));
        schema
    }

    fn insert(&mut self, object: ObjectDefinition) {
        let id = object.id;
        self.by_name.insert(object.name.to_string(), id);
        self.by_plural.insert(object.plural.to_string(), id);
        self.by_url.insert(object.url_segment(), id);
        self.by_id.insert(id, Arc::new(object));
    }

    /// The object of a name.
    pub fn object(&self, name: &str) -> Option<&Arc<ObjectDefinition>> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id))
    }

    /// The object of a number.
    pub fn object_by_id(&self, id: ObjectId) -> Option<&Arc<ObjectDefinition>> {
        self.by_id.get(&id)
    }

    /// The object of a plural.
    pub fn object_by_plural(&self, plural: &str) -> Option<&Arc<ObjectDefinition>> {
        self.by_plural.get(plural).and_then(|id| self.by_id.get(id))
    }

    /// The object of the last part of a URL.
    pub fn object_by_url(&self, segment: &str) -> Option<&Arc<ObjectDefinition>> {
        self.by_url.get(segment).and_then(|id| self.by_id.get(id))
    }

    /// All objects, in the order of their numbers.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<ObjectDefinition>> {
        self.by_id.values()
    }
}
