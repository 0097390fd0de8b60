use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trellis_model::{FieldId, FieldType, ObjectDefinition, ObjectId};
use trellis_storage::Position;

use super::Part;
use super::definition::Definition;
use crate::index::{IndexPart, IndexState, Indexes, Kept, composite_name};
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
    /// Places of composite indexes by name, dropped ones too; what an earlier release wrote has none, and the place in the list counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    composites: Option<BTreeMap<String, u32>>,
    /// How many of them came with the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    founding: Option<u32>,
    /// What is being built or deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<StoredPending>,
    /// For a standard object: what the release said that was installed last, so that the next one knows what the company changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) standard: Option<Definition>,
    pub(super) definition: Definition,
    /// Under how many further keys it is stored.
    #[serde(skip)]
    pub(super) parts: u16,
    /// Where its mark was last written.
    #[serde(skip)]
    pub(super) mark: Option<Position>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct StoredPending {
    part: IndexPart,
    state: IndexState,
}

const FORMAT: u32 = 1;

impl StoredObject {
    /// A new object. It has no records, so its indexes are ready.
    pub(super) fn new(id: ObjectId, definition: Definition) -> Result<Self> {
        let mut new = Self {
            format: FORMAT,
            id: id.0,
            fields: BTreeMap::new(),
            next_field: 1,
            composites: Some(BTreeMap::new()),
            founding: None,
            pending: Vec::new(),
            standard: None,
            definition,
            parts: 0,
            mark: None,
        };
        new.give_numbers();
        let founding = Kept::founding(&new.object()?);
        (new.composites, new.founding) = (Some(founding.composites), Some(founding.founding));
        Ok(new)
    }

    /// The same object with another definition: what is new gets numbers, and indexes are to be built or deleted.
    pub(super) fn with(&self, definition: Definition) -> Result<Self> {
        let before = self.object()?;
        let mut kept = self.kept(&before);
        let mut after = Self { definition, ..self.clone() };
        after.give_numbers();
        let object = after.object()?;
        for index in &object.composite_indexes {
            let next = kept.composites.values().max().map_or(0, |last| last + 1);
            kept.composites.entry(composite_name(index)).or_insert(next);
        }
        // Which numbers the indexes have does not depend on what a reference points at.
        let any = |_: &str| Some(ObjectId(0));
        let (old, new) =
            (Indexes::new(&before, &kept_for(&before, &kept), any)?, Indexes::new(&object, &kept, any)?);
        let (old, wanted) = (old.parts(), new.parts());
        for part in old.difference(&wanted) {
            kept.pending.insert(*part, IndexState::Dropping);
        }
        for part in wanted.difference(&old) {
            // The records that are there have no value in a new field: what leaves out nulls is complete.
            if !is_empty(&before, &object, *part) || kept.pending.contains_key(part) {
                kept.pending.insert(*part, IndexState::Building);
            }
        }
        after.set_kept(kept);
        Ok(after)
    }

    /// The same, as what a release says.
    pub(super) fn of_release(self, release: Definition) -> Self {
        Self { standard: Some(release), ..self }
    }

    fn give_numbers(&mut self) {
        for field in &self.definition.fields {
            if !self.fields.contains_key(&field.name) {
                self.fields.insert(field.name.clone(), self.next_field);
                self.next_field += 1;
            }
        }
    }

    pub(super) fn id(&self) -> ObjectId {
        ObjectId(self.id)
    }

    pub(super) fn object(&self) -> Result<ObjectDefinition> {
        self.definition.object(self.id(), |name| self.fields.get(name).copied().map(FieldId))
    }

    pub(super) fn part(&self) -> Result<Part> {
        let definition = self.object()?;
        let kept = self.kept(&definition);
        Ok(Part { definition, kept, written: self.definition.to_json(), mark: self.mark })
    }

    pub(super) fn kept(&self, object: &ObjectDefinition) -> Kept {
        let founding = Kept::founding(object);
        Kept {
            founding: self.founding.unwrap_or(founding.founding),
            composites: self.composites.clone().unwrap_or(founding.composites),
            pending: self.pending.iter().map(|pending| (pending.part, pending.state)).collect(),
        }
    }

    /// Whether an index of it is to be built or deleted.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes a part as done: what was built is ready, what was deleted is gone.
    pub(super) fn finished(&self, part: IndexPart) -> Self {
        let mut after = self.clone();
        after.pending.retain(|pending| pending.part != part);
        after
    }

    /// The builds that begin anew: what they are to do is other than it was.
    pub(super) fn begun_since(&self, before: Option<&Self>) -> Vec<IndexPart> {
        let before = before.map_or(&[][..], |before| &before.pending);
        let begun = self.pending.iter().filter(|pending| !before.contains(pending));
        begun.map(|pending| pending.part).collect()
    }

    fn set_kept(&mut self, kept: Kept) {
        self.composites = Some(kept.composites);
        self.founding = Some(kept.founding);
        self.pending = kept.pending.into_iter().map(|(part, state)| StoredPending { part, state }).collect();
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

/// The numbers as they were, for a definition that lacks what is new.
fn kept_for(object: &ObjectDefinition, kept: &Kept) -> Kept {
    let founding = Kept::founding(object);
    let composites = founding.composites.into_keys().filter_map(|name| {
        let place = *kept.composites.get(&name)?;
        Some((name, place))
    });
    Kept { composites: composites.collect(), ..kept.clone() }
}

/// Whether no record that is there has an entry in it.
fn is_empty(before: &ObjectDefinition, after: &ObjectDefinition, part: IndexPart) -> bool {
    let (IndexPart::Index(number) | IndexPart::Unique(number) | IndexPart::Match(number, _)) = part;
    let Some(field) = after.field_by_id(FieldId(number)) else { return false };
    let reference = matches!(field.field_type, FieldType::Reference { .. });
    let sparse = matches!(part, IndexPart::Unique(_) | IndexPart::Match(..)) || (reference && !field.indexed);
    sparse && before.field_by_id(field.id).is_none()
}
