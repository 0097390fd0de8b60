use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{Error, Expected, FieldId, ObjectId, Result, Value};

/// The id of a record: a UUID of version 7, so that ids sort by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub Uuid);

impl RecordId {
    /// Parses the usual form with hyphens.
    ///
    /// # Errors
    /// [`Error::WrongType`].
    pub fn parse(text: &str) -> Result<Self> {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == 36 => Ok(Self(id)),
            _ => Err(Error::WrongType { input: crate::error::shorten(text), expected: Expected::RecordId }),
        }
    }

    /// The sixteen bytes, which sort as the ids do.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Field values by field id. A field that is absent is null.
pub type Fields = BTreeMap<FieldId, Value>;

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// The object it is of.
    pub object: ObjectId,
    /// The position of its last change: its version.
    pub version: u64,
    /// Its place in the object's columns, where the object has them.
    pub ordinal: Option<u64>,
    /// When it was created, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// When it was deleted, if it is.
    pub deleted_at_ms: Option<i64>,
    /// Number of the last log entry about it.
    pub last_log: u64,
    /// Its field values.
    pub fields: Fields,
}

impl Record {
    /// Whether it is deleted (and can be restored).
    pub fn is_deleted(&self) -> bool {
        self.deleted_at_ms.is_some()
    }
}
