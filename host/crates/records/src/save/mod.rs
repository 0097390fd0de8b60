//! The save pipeline: the only way in which a record changes.

use std::collections::BTreeMap;

use trellis_model::{FieldId, Fields, ObjectName, Record, RecordId, Value};

use crate::{Caller, Records, Result};

/// What becomes of which field; `None` is null.
pub type FieldChanges = BTreeMap<FieldId, Option<Value>>;

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Creates a record.
    Create {
        /// Of which object.
        object: ObjectName,
        /// Its fields.
        fields: Fields,
        /// Its id, a UUIDv7 whose time becomes `created_at`; `None` makes one.
        id: Option<RecordId>,
    },
    /// Changes fields of a record.
    Update {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// The fields that change.
        changes: FieldChanges,
        /// Only if the record has this version.
        expected_version: Option<u64>,
    },
    /// Deletes a record, so that it can be restored.
    Delete {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// Only if the record has this version.
        expected_version: Option<u64>,
    },
    /// Brings a deleted record back.
    Restore {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
    },
    /// Creates a record, or changes the one that has the same value in a unique field.
    Upsert {
        /// Its object.
        object: ObjectName,
        /// The unique field; `fields` must have it.
        key_field: FieldId,
        /// The fields that it shall have; others stay.
        fields: Fields,
    },
}

/// What became of a [`Write`].
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// A record was created.
    Created(Record),
    /// A record was changed.
    Updated(Record),
    /// It was so already; nothing was written.
    Unchanged(Record),
    /// A record was deleted.
    Deleted,
    /// A record was restored.
    Restored(Record),
}

impl Written {
    /// The record, if there still is one.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Created(record)
            | Self::Updated(record)
            | Self::Unchanged(record)
            | Self::Restored(record) => Some(record),
            Self::Deleted => None,
        }
    }
}

impl Records {
    /// Creates a record.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn create(&self, caller: &Caller, object: &ObjectName, fields: Fields) -> Result<Record> {
        let _ = (caller, object, fields);
        unimplemented!()
    }

    /// Changes fields of a record. A change that changes nothing writes nothing and returns the record as it is.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn update(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
        changes: FieldChanges,
        expected_version: Option<u64>,
    ) -> Result<Record> {
        let _ = (caller, object, id, changes, expected_version);
        unimplemented!()
    }

    /// Deletes a record; its unique values become free.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn delete(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
        expected_version: Option<u64>,
    ) -> Result<()> {
        let _ = (caller, object, id, expected_version);
        unimplemented!()
    }

    /// Brings a deleted record back with its unique values.
    ///
    /// # Errors
    /// [`Error::Duplicate`](crate::Error::Duplicate) where somebody else has taken a unique value, and as [`Records::write_batch`].
    pub async fn restore(&self, caller: &Caller, object: &ObjectName, id: RecordId) -> Result<Record> {
        let _ = (caller, object, id);
        unimplemented!()
    }

    /// Makes up to `batch_rows_max` changes, in order; later ones see earlier ones. Those that are valid are committed as
    /// one write set with one log entry (as several in order, where they are too large for one); each other one has its own error.
    ///
    /// # Errors
    /// [`Error::TooMany`](crate::Error::TooMany), [`Error::TooDeep`](crate::Error::TooDeep), [`Error::Contended`](crate::Error::Contended)
    /// and failures of the store concern the whole batch.
    pub async fn write_batch(&self, caller: &Caller, writes: Vec<Write>) -> Result<Vec<Result<Written>>> {
        let _ = (caller, writes);
        unimplemented!()
    }
}
