//! What is known of an object's indexes beyond its definition: the numbers that were given, and what is not as it should be yet.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trellis_model::{CompositeIndex, FieldId, FieldName, ObjectDefinition, ObjectId};

use crate::keys::{self, Key, KeyKind};

/// Something that is kept beside the records of an object, and is built or deleted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IndexPart {
    /// The index of a number.
    Index(u32),
    /// The unique keys of the field of a number.
    Unique(u32),
    /// The match keys of the field of a number, by the number of their method.
    Match(u32, u8),
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IndexState {
    /// Saves maintain it, and what is there already is being added. Reads do not use it.
    Building,
    /// Nobody maintains it, and it is being deleted.
    Dropping,
}

impl IndexPart {
    /// What all its keys begin with.
    pub(crate) fn prefix(self, object: ObjectId) -> Vec<u8> {
        match self {
            Self::Index(number) => keys::index(object, number).done(),
            Self::Match(field, method) => keys::match_keys_of(object, FieldId(field), method).done(),
            Self::Unique(field) => Key::new(KeyKind::Unique).u32(object.0).u32(field).done(),
        }
    }
}

/// The numbers of an object's indexes, and what is not ready.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The places of composite indexes by name. A place is never given twice.
    pub(crate) composites: BTreeMap<String, u32>,
    /// Composite indexes with a lower place came with the object. Only they stand in for the index of the reference that they begin with.
    pub(crate) founding: u32,
    /// What is being built or deleted.
    pub(crate) pending: BTreeMap<IndexPart, IndexState>,
}

impl Kept {
    /// What an object has that was just made: its composite indexes by place, all of them ready.
    pub(crate) fn founding(object: &ObjectDefinition) -> Self {
        let places = (0_u32..).zip(&object.composite_indexes);
        let composites: BTreeMap<String, u32> = places.map(|(place, index)| (name(index), place)).collect();
        let founding = u32::try_from(composites.len()).unwrap_or(u32::MAX);
        Self { composites, founding, pending: BTreeMap::new() }
    }

    /// Whether a reference needs no index of its own, since a composite one that came with the object begins with it.
    pub(crate) fn covers(&self, object: &ObjectDefinition, field: &FieldName) -> bool {
        object.composite_indexes.iter().any(|index| {
            index.equals.first() == Some(field)
                && self.composites.get(&name(index)).is_some_and(|place| *place < self.founding)
        })
    }

    pub(crate) fn is_building(&self, part: IndexPart) -> bool {
        self.pending.get(&part) == Some(&IndexState::Building)
    }

    /// The fields whose unique keys are being built.
    pub(crate) fn unique_building(&self) -> BTreeSet<FieldId> {
        let fields = self.pending.iter().filter_map(|(part, state)| match (part, state) {
            (IndexPart::Unique(field), IndexState::Building) => Some(FieldId(*field)),
            _ => None,
        });
        fields.collect()
    }

    /// What the keys begin with that are being built or deleted.
    pub(crate) fn pending_prefixes(&self, object: ObjectId) -> Vec<Vec<u8>> {
        self.pending.keys().map(|part| part.prefix(object)).collect()
    }
}

/// The name of a composite index: its fields.
pub(crate) fn name(index: &CompositeIndex) -> String {
    let names = index.equals.iter().chain([&index.sort]);
    names.map(FieldName::as_str).collect::<Vec<_>>().join(", ")
}
