use std::collections::BTreeMap;

use crate::{FieldName, ObjectName, RecordId, Value};

/// A record as plugins and rules see it: fields by name, only those that the reader was granted.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRecord {
    /// Its object.
    pub object: ObjectName,
    /// Its id.
    pub id: RecordId,
    /// Its version; 0 for one that is not stored yet.
    pub version: u64,
    /// Its fields; one that is absent is null. `created_at` and `updated_at` stand among them.
    pub fields: BTreeMap<FieldName, Value>,
}

/// What plugins and rules may ask while they decide. Bounded by whoever implements it; answers are recorded where the decision is
/// to be replayed. Calls block, so they come from worker threads.
pub trait Lookups: Send + Sync {
    /// A record that is not deleted.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError>;

    /// Up to `records_max` records that a filter tree (JSON, the grammar of the API) matches, in the order of their ids.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn find(
        &self,
        object: &ObjectName,
        filter: &serde_json::Value,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError>;

    /// How many records a filter tree matches.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn count(&self, object: &ObjectName, filter: &serde_json::Value) -> Result<u64, LookupError>;
}

/// Why a look-up has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The object or a field of the filter was not granted; says which.
    #[error("not granted: {0}")]
    Denied(String),
    /// The filter cannot be used; says why.
    #[error("{0}")]
    Invalid(String),
    /// There were too many look-ups.
    #[error("more than {0} look-ups")]
    TooMany(u32),
    /// The host could not answer; says why.
    #[error("{0}")]
    Failed(String),
}

/// Answers nothing: for calls that have no look-ups.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLookups;

impl Lookups for NoLookups {
    fn get(&self, object: &ObjectName, _: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        Err(LookupError::Denied(object.to_string()))
    }

    fn find(
        &self,
        object: &ObjectName,
        _: &serde_json::Value,
        _: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        Err(LookupError::Denied(object.to_string()))
    }

    fn count(&self, object: &ObjectName, _: &serde_json::Value) -> Result<u64, LookupError> {
        Err(LookupError::Denied(object.to_string()))
    }
}
