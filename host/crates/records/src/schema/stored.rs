use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trellis_model::{FieldId, ObjectDefinition, ObjectId};

use super::definition::Definition;
use crate::{Error, Result};

/// A definition in the store, with the numbers that the host gave. JSON, so that any release can read what it knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredObject {
    format: u32,
    id: u32,
    /// Numbers of fields by name, those of retired fields too: no number is given twice.
    fields: BTreeMap<String, u32>,
    /// The number that the next field gets.
    next_field: u32,
    pub(super) definition: Definition,
}

const FORMAT: u32 = 1;

impl StoredObject {
    pub(super) fn new(id: ObjectId, definition: Definition) -> Self {
        let empty = Self {
            format: FORMAT,
            id: id.0,
            fields: BTreeMap::new(),
            next_field: 1,
            definition: definition.clone(),
        };
        empty.with(definition)
    }

    /// The same object with another definition: fields that are new get numbers.
    pub(super) fn with(mut self, definition: Definition) -> Self {
        for field in &definition.fields {
            if !self.fields.contains_key(&field.name) {
                self.fields.insert(field.name.clone(), self.next_field);
                self.next_field += 1;
            }
        }
        Self { definition, ..self }
    }

    pub(super) fn id(&self) -> ObjectId {
        ObjectId(self.id)
    }

    pub(super) fn object(&self) -> Result<ObjectDefinition> {
        self.definition.object(self.id(), |name| self.fields.get(name).copied().map(FieldId))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a definition has only text keys")
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let stored: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::damaged(format!("an object definition cannot be read: {error}")))?;
        if stored.format != FORMAT {
            return Err(Error::damaged(format!(
                "object definition `{}` has the unknown format {}",
                stored.definition.name, stored.format
            )));
        }
        Ok(stored)
    }
}
