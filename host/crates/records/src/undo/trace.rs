//! What the log says of one record since an undo's target first touched it, folded into what that target left and what was there before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trellis_model::{Actor, ChangeKind, FieldChange, FieldId, Record, RecordId, Value};

use super::UndoEntries;
use crate::history::lost;
use crate::{LogEntry, Records, Result};

/// Entries that are kept in memory while the records of one of them are looked at.
const ENTRIES_KEPT_MAX: usize = 16;

/// Log entries that were read lately: an entry may be about 200 records.
#[derive(Debug, Default)]
pub(super) struct Entries(HashMap<u64, Arc<LogEntry>>);

impl Entries {
    pub(super) async fn get(&mut self, records: &Records, number: u64) -> Result<Option<Arc<LogEntry>>> {
        if let Some(entry) = self.0.get(&number) {
            return Ok(Some(Arc::clone(entry)));
        }
        let Some(entry) = records.log_entry(number).await?.map(Arc::new) else { return Ok(None) };
        if self.0.len() >= ENTRIES_KEPT_MAX {
            self.0.clear();
        }
        self.0.insert(number, Arc::clone(&entry));
        Ok(Some(entry))
    }
}

/// A later change by somebody else.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Later {
    pub(super) number: u64,
    pub(super) time_ms: i64,
    pub(super) actor: Actor,
}

/// Something that the target changed: a field, or whether the record is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Traced<T> {
    /// What the target left.
    pub(super) left: T,
    /// What was there before the unbroken run of its changes that ends there.
    pub(super) back_to: T,
    /// Whether the run may go on further back.
    open: bool,
    /// Who changed it after the target did, the last one.
    pub(super) later: Option<Later>,
}

impl<T: Clone + PartialEq> Traced<T> {
    /// Whether the target changed anything, all in all.
    pub(super) fn has_effect(&self) -> bool {
        self.left != self.back_to
    }
}

/// One record in the light of a target.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The newest entry of the target about the record.
    pub(super) newest: u64,
    /// Whether the record is there, where the target changed that.
    pub(super) alive: Option<Traced<bool>>,
    /// The fields that the target changed.
    pub(super) fields: BTreeMap<FieldId, Traced<Option<Value>>>,
    /// The fields that others changed last since the target made or restored the record (or further back, where it did neither): what they
    /// found, and who changed them last.
    pub(super) since: BTreeMap<FieldId, (Option<Value>, Later)>,
    /// Who, other than the target, made, deleted or restored the record last.
    pub(super) moved: Option<Later>,
    /// Whether a payload of the target's own changes is gone.
    pub(super) expired: bool,
    /// Whether a payload of changes by others is gone: what `since` is about may not be all.
    pub(super) since_expired: bool,
    /// The job of the record's last change.
    pub(super) last_job: Option<RecordId>,
    /// Who, other than the target, changed a field last.
    later_fields: BTreeMap<FieldId, Later>,
}

impl Trace {
    /// Reads a record's entries from the last one back to the target's first. `None` where the target has no entry about it, or (so that
    /// each record comes up once) where its newest is not `expected`.
    pub(super) async fn read(
        records: &Records,
        entries: &mut Entries,
        target: &UndoEntries,
        record: &Record,
        expected: Option<u64>,
    ) -> Result<Option<Self>> {
        let mut trace = Self::default();
        let mut number = record.last_log;
        while number > 0 && number >= target.first() {
            let entry = entries.get(records, number).await?.ok_or_else(|| lost(number, record.id))?;
            let change = entry.change_of(record.object, record.id).ok_or_else(|| lost(number, record.id))?;
            if number == record.last_log {
                trace.last_job = entry.cause.job;
            }
            if target.contains(number) {
                if trace.newest == 0 && expected.is_some_and(|expected| expected != number) {
                    return Ok(None);
                }
                trace.newest = trace.newest.max(number);
                trace.own(change.kind, change.fields.as_ref());
            } else {
                trace.foreign(&entry, change.kind, change.fields.as_ref());
            }
            number = change.previous;
        }
        Ok((trace.newest > 0).then_some(trace))
    }

    /// A change of the target, older than all that was looked at.
    fn own(&mut self, kind: ChangeKind, fields: Option<&BTreeMap<FieldId, FieldChange>>) {
        let (was, is) = match kind {
            ChangeKind::Created | ChangeKind::Restored => (false, true),
            ChangeKind::Deleted => (true, false),
            ChangeKind::Updated => return self.own_fields(fields),
        };
        let later = self.moved.clone();
        let alive = self.alive.get_or_insert(Traced { left: is, back_to: is, open: true, later });
        if alive.open {
            alive.back_to = was;
        }
    }

    fn own_fields(&mut self, fields: Option<&BTreeMap<FieldId, FieldChange>>) {
        let Some(fields) = fields else {
            self.expired = true;
            return;
        };
        for (field, change) in fields {
            let later = &self.later_fields;
            let traced = self.fields.entry(*field).or_insert_with(|| Traced {
                left: change.after.clone(),
                back_to: change.after.clone(),
                open: true,
                later: later.get(field).cloned(),
            });
            if traced.open {
                traced.back_to.clone_from(&change.before);
            }
        }
    }

    /// A change by somebody else: it ends the runs of what it changed.
    fn foreign(
        &mut self,
        entry: &LogEntry,
        kind: ChangeKind,
        fields: Option<&BTreeMap<FieldId, FieldChange>>,
    ) {
        let later = || Later { number: entry.number, time_ms: entry.time_ms, actor: entry.actor.clone() };
        if kind != ChangeKind::Updated {
            if let Some(alive) = &mut self.alive {
                alive.open = false;
            }
            self.moved.get_or_insert_with(later);
            return;
        }
        let Some(fields) = fields else {
            self.since_expired |= self.alive.is_none();
            return;
        };
        for (field, change) in fields {
            if let Some(traced) = self.fields.get_mut(field) {
                traced.open = false;
            }
            self.later_fields.entry(*field).or_insert_with(later);
            if self.alive.is_none() && !self.fields.contains_key(field) {
                let since = self.since.entry(*field).or_insert_with(|| (None, later()));
                since.0.clone_from(&change.before);
            }
        }
    }
}
