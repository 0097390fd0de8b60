//! The rows of one write set, while they are prepared.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{ChangeKind, ObjectId, Record, RecordId, ValueKind};
use trellis_storage::Position;

use super::building::Freed;
use crate::log::EventRef;
use crate::records::Loaded;
use crate::schema::Object;
use crate::{DuplicateMatch, Error, Result, Written};

/// A change of a record that has passed what was checked so far.
#[derive(Debug)]
pub(super) struct Row {
    /// Which of the writes it comes from.
    pub(super) write: usize,
    pub(super) object: Object,
    pub(super) kind: ChangeKind,
    pub(super) before: Option<Loaded>,
    /// As it will be; version and log number come with the commit.
    pub(super) after: Record,
    pub(super) event_before: Option<EventRef>,
    pub(super) event_after: Option<EventRef>,
    /// Where its id leads from now on.
    pub(super) merged_into: Option<RecordId>,
    /// Whether nobody is asked about it.
    pub(super) as_is: bool,
    /// What it means for the store, once that is known.
    pub(super) keys: RowKeys,
    /// Who holds the unique keys that it frees, where they are being built.
    pub(super) freed: Freed,
}

/// What the store is asked to do for one row.
#[derive(Debug, Default)]
pub(super) struct RowKeys {
    /// The record's own key and value, and its further parts.
    pub(super) record: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) puts: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) deletes: Vec<Vec<u8>>,
    pub(super) absent: Vec<Vec<u8>>,
}

impl RowKeys {
    /// Puts and deletes.
    pub(super) fn count(&self) -> usize {
        self.record.len() + self.puts.len() + self.deletes.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let put = |(key, value): &(Vec<u8>, Vec<u8>)| key.len() + value.len();
        self.record.iter().chain(&self.puts).map(put).sum::<usize>()
            + self.deletes.iter().map(Vec::len).sum::<usize>()
    }
}

/// What a write was found to mean.
#[derive(Debug)]
pub(super) enum Prepared {
    Row(Box<Row>),
    Done(Written),
    /// It is about a record that an earlier row of the same write set touches.
    Next,
}

/// What a reference points at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// `None` for a record of the same write set.
    pub(super) position: Option<Position>,
    pub(super) ordinal: Option<u64>,
    pub(super) deleted: bool,
}

/// Rows that will be one write set, and what was read to decide on them.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) rows: Vec<Row>,
    /// Writes that need no row.
    pub(super) done: BTreeMap<usize, Result<Written>>,
    /// The first write that is not in.
    pub(super) end: usize,
    /// Records that rows touch, with the ordinals of those that are created.
    pub(super) touched: BTreeMap<(ObjectId, RecordId), Option<u64>>,
    /// Unique keys that rows take or free.
    pub(super) unique: BTreeSet<Vec<u8>>,
    /// What references point at.
    pub(super) targets: BTreeMap<(ObjectId, RecordId), Option<Target>>,
    /// Records that must not change until the commit.
    pub(super) expect: BTreeMap<(ObjectId, RecordId), Position>,
    /// Records that must not come to be until the commit.
    pub(super) absent: BTreeSet<(ObjectId, RecordId)>,
    /// Keys of other crates that hooks want committed with the rows.
    pub(super) puts: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Whether hooks noted something about these rows.
    pub(super) noted: bool,
    /// What rows look like that are saved all the same, as far as the caller may see it.
    pub(super) suspected: BTreeMap<usize, Vec<DuplicateMatch>>,
}

impl Segment {
    /// Takes what the rows look like, as far as anything of it is to be told.
    pub(super) fn found(&self) -> BTreeMap<usize, Vec<DuplicateMatch>> {
        let told = self.suspected.iter().filter(|(write, found)| !found.is_empty() && **write < self.end);
        told.map(|(write, found)| (*write, found.clone())).collect()
    }

    /// Whether a row stores an amount of money.
    pub(super) fn has_amounts(&self) -> bool {
        self.rows.iter().any(|row| row.after.fields.values().any(|value| value.kind() == ValueKind::Money))
    }
}

/// What stays the same when a save starts again.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Ids and ordinals that were given to writes.
    pub(super) ids: BTreeMap<usize, RecordId>,
    pub(super) ordinals: BTreeMap<usize, u64>,
    /// Before which write the current write set has to end, where it was found to be too large for one.
    pub(super) end_max: Option<usize>,
    /// Writes of the current write set that a hook or a unique value refused.
    pub(super) refused: BTreeMap<usize, Error>,
    /// Where nothing will be committed.
    pub(super) trial: Option<super::Trial>,
}
