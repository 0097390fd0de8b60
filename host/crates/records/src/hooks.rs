use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value as Json;
use trellis_model::{
    ChangeKind, Decider, FieldName, Fields, ObjectId, Op, Path, Record, RecordId, Text, Value,
};

use crate::Caller;

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

    /// Up to `rows_max` ordinals over `after`, ascending, of records that are not deleted and whose value is wanted; `None` where the
    /// field cannot be gone through this way. Fields of an object are asked so, those beside it by [`DerivedFields::matching`].
    fn select(
        &self,
        _object: ObjectId,
        _path: &Path,
        _after: Option<u64>,
        _rows_max: usize,
        _wanted: &mut dyn FnMut(Option<&Value>) -> bool,
    ) -> Option<Vec<u64>> {
        None
    }

    /// The ordinals of records that are not deleted, as a [`Ranking`] wants them. `None` where the field cannot be sorted
    /// this way, or where more than its `rows_max` would have to come.
    fn ranked(&self, _object: ObjectId, _path: &Path, _ranking: &Ranking) -> Option<Vec<u64>> {
        None
    }
}

/// Which part of an order by a derived field is wanted: the lowest (or the highest) first, null before every value. Of those
/// ordinals that have the same value either all come or none does.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Whether the highest come first, and null last.
    pub descending: bool,
    /// The value to begin with, itself included; `Some(None)` is null.
    pub from: Option<Option<Value>>,
    /// So many come, or all that there are; more where the last of them have the same value.
    pub rows_min: usize,
    /// More must not come.
    pub rows_max: usize,
}

/// The value of a derived field.
#[derive(Debug, Clone, PartialEq)]
pub enum DerivedValue {
    /// A text, for example the value of a segmentation.
    Text(String),
    /// A finite number, for example a score.
    Number(f64),
    /// The value of a computed field, of the field's type.
    Value(Value),
}

/// Looks at records before they are saved, and may change or refuse them. Hooks look in the order in which they were added,
/// at records that are created or updated, not at those that are deleted or restored.
pub trait SaveHook: Send + Sync + std::fmt::Debug + 'static {
    /// Whether it wants to see records of this object. Cheap: asked for every row of every write set.
    fn concerns(&self, object: ObjectId) -> bool;

    /// Called with all rows of a write set that concern it and are still in. What it changes is validated before the next hook
    /// looks; rows that it refuses fail, the others go on. Called again, with a context of its own, for the same rows when a
    /// save starts again: because another row was refused, or because something changed that the save had relied on.
    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>>;
}

/// One attempt to save, for the hooks that look at it. What they note here counts only if this attempt is the one that is
/// committed.
#[derive(Debug)]
pub struct SaveContext {
    caller: Caller,
    now_ms: i64,
    trial: bool,
    noted: Mutex<Noted>,
}

/// What hooks noted.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) expected: BTreeMap<(ObjectId, RecordId), Option<u64>>,
    pub(crate) puts: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl SaveContext {
    pub(crate) fn new(caller: Caller, now_ms: i64, trial: bool) -> Self {
        Self { caller, now_ms, trial, noted: Mutex::default() }
    }

    /// Whether nothing will be saved: somebody asks what would become of a save. Nothing of it is worth keeping then.
    pub fn is_trial(&self) -> bool {
        self.trial
    }

    /// Who saves.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The time of the save, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Notes that the decision relied on this version of a record, or (`None`) on its not being there or being deleted. Where
    /// that is no longer so at the commit, the save starts again. Of several versions of a record the first one counts.
    pub fn expect_version(&self, object: ObjectId, id: RecordId, version: Option<u64>) {
        self.noted.lock().expected.entry((object, id)).or_insert(version);
    }

    /// Commits a key of another crate together with the records. All keys of a write set together should stay below 1 MiB.
    pub fn put(&self, key: Vec<u8>, value: Vec<u8>) {
        self.noted.lock().puts.insert(key, value);
    }

    /// Takes what was noted; what comes later is lost.
    pub(crate) fn take(&self) -> Noted {
        std::mem::take(&mut self.noted.lock())
    }
}

/// A record as it would be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// Its object.
    pub object: ObjectId,
    /// Its id, also of one that does not exist yet.
    pub id: RecordId,
    /// Whether it is created or updated.
    pub kind: ChangeKind,
    /// As it is stored now; `None` where it is created.
    pub before: Option<Record>,
    /// Its fields as they would be; a hook may change them.
    pub fields: Fields,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veto {
    /// Which rule or plugin refuses.
    pub by: Decider,
    /// Its stable code, in kebab-case.
    pub code: String,
    /// Why.
    pub reason: Text,
    /// The field at fault, if it is one.
    pub field: Option<FieldName>,
    /// Whether it could not decide, and must not be passed over.
    pub unavailable: bool,
    /// Which of the proposed records that it was called with, counted from 0.
    pub row: usize,
}
