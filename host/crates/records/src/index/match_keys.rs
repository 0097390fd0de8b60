//! What duplicates are found by: an entry for each field that a matching rule blocks on.
//!
//! An entry holds a digest of the value as the method sees it, not the rule: rules that block on a field by the same method share it,
//! and a change of weights or thresholds changes no entry.

use trellis_model::{FieldId, MatchMethod, ObjectDefinition, Record};

use crate::duplicates::block;
use crate::index::IndexPart;
use crate::keys;

/// Bytes of a digest.
pub(crate) const DIGEST_BYTES: usize = 16;

/// A field whose values find records that may be alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MatchKey {
    /// The field.
    pub(crate) field: FieldId,
    /// How it is compared; `normalised` for what is compared as `fuzzy`.
    pub(crate) method: MatchMethod,
}

/// The fields that an object's matching rules block on.
pub(super) fn of(object: &ObjectDefinition) -> Vec<MatchKey> {
    let mut keys = Vec::new();
    for rule in &object.matching_rules {
        let blocked = rule.compare.iter().filter(|compared| rule.block_on.contains(&compared.field));
        for compared in blocked {
            let Some(field) = object.field(compared.field.as_str()) else { continue };
            let key = MatchKey::new(field.id, compared.method);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

impl MatchKey {
    pub(crate) fn new(field: FieldId, method: MatchMethod) -> Self {
        let method = if method == MatchMethod::Fuzzy { MatchMethod::Normalised } else { method };
        Self { field, method }
    }

    /// The number of the method on disk; never given to another.
    fn method_number(self) -> u8 {
        match self.method {
            MatchMethod::Exact => 1,
            MatchMethod::Normalised | MatchMethod::Fuzzy => 2,
            MatchMethod::Phone => 3,
            MatchMethod::Company => 4,
            MatchMethod::Person => 5,
        }
    }

    /// The entries of all records in it, as what is built by itself.
    pub(crate) fn part(self) -> IndexPart {
        IndexPart::Match(self.field.0, self.method_number())
    }

    /// The beginning of all entries of an object.
    pub(crate) fn prefix(self, object: trellis_model::ObjectId) -> Vec<u8> {
        keys::match_keys_of(object, self.field, self.method_number()).done()
    }

    /// The beginning of the entries of the records that may be alike; `None` for a record whose value says nothing.
    pub(crate) fn block(self, record: &Record) -> Option<Vec<u8>> {
        let block = block(self.method, record.fields.get(&self.field)?)?;
        let digest = blake3::hash(block.as_bytes());
        let mut key = self.prefix(record.object);
        key.extend(digest.as_bytes().iter().take(DIGEST_BYTES));
        Some(key)
    }

    /// The entry of a record.
    pub(crate) fn entry(self, record: &Record) -> Option<Vec<u8>> {
        let mut key = self.block(record)?;
        key.extend(record.id.as_bytes());
        Some(key)
    }
}
