use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use trellis_model::{Fields, ObjectId, Op, Path, Record, RecordId, Text};

/// Fields that are not stored in records but kept as columns: scores, segments, features. `trellis-columns` implements it.
///
/// Answers come from memory and take well under a microsecond a value.
pub trait DerivedFields: Send + Sync + std::fmt::Debug + 'static {
    /// Whether there is such a field: `segment.rfm` of accounts.
    fn knows(&self, object: ObjectId, path: &Path) -> bool;

    /// The value at an ordinal; `None` is null.
    fn value(&self, object: ObjectId, path: &Path, ordinal: u64) -> Option<DerivedValue>;

    /// Up to `rows_max` ordinals over `after`, ascending, whose value compares as asked; `None` where the field or the
    /// comparison cannot be answered this way.
    fn matching(
        &self,
        object: ObjectId,
        path: &Path,
        op: Op,
        value: &Json,
        after: Option<u64>,
        rows_max: usize,
    ) -> Option<Vec<u64>>;
}

/// The value of a derived field.
#[derive(Debug, Clone, PartialEq)]
pub enum DerivedValue {
    /// A text, for example the value of a segmentation.
    Text(String),
    /// A finite number, for example a score.
    Number(f64),
}

/// Looks at records before they are saved, and may change or refuse them.
pub trait SaveHook: Send + Sync + std::fmt::Debug + 'static {
    /// Called with all rows of a write set that are still in. What it changes is validated again; rows that it refuses fail,
    /// the others go on. May be called again for the same rows when a save starts again.
    fn before_save<'a>(&'a self, proposed: &'a mut [Proposed]) -> BoxFuture<'a, Result<(), Vec<Veto>>>;
}

/// A record as it would be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// Its object.
    pub object: ObjectId,
    /// Its id, also of one that does not exist yet.
    pub id: RecordId,
    /// As it is stored now; `None` where it is created.
    pub before: Option<Record>,
    /// Its fields as they would be; a hook may change them.
    pub fields: Fields,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veto {
    /// Which rule or plugin refuses.
    pub by: String,
    /// Why.
    pub reason: Text,
    /// Which of the proposed records, counted from 0.
    pub row: usize,
}
