//! From rows to a write set.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{ChangeKind, Currency, FieldChange, FieldId, Record, Value};
use trellis_storage::{StampPlace, StampSource, WriteSet};

use super::prepare::Save;
use super::segment::{Row, RowKeys};
use super::{AlsoTold, Taken};
use crate::codec::{chunks, record};
use crate::index::entries;
use crate::log::{self, EntryBody, LoggedChange, NewEntry};
use crate::ordinals::id_of;
use crate::{Error, Records, Result, keys};

/// Keys of the rows of a write set; below the store's 5,000, since the log entry needs some.
const KEYS_MAX: usize = 4_500;
/// Bytes of the rows of a write set, log payload included; below the store's 4 MiB.
const BYTES_MAX: usize = 3 << 20;

impl Save<'_> {
    /// Checks that unique values are free. Returns whether preparing must start again: a row was refused, or left to the next
    /// write set after hooks had seen it.
    pub(super) async fn check_unique(&mut self) -> Result<bool> {
        self.check_building().await?;
        let mut claimed: BTreeMap<Vec<u8>, trellis_model::RecordId> = BTreeMap::new();
        let mut freed: BTreeSet<Vec<u8>> = BTreeSet::new();
        let (mut refused, mut cut) = (false, None);
        for (place, row) in self.segment.rows.iter().enumerate() {
            let (before, after) = row.unique_keys();
            for (key, field) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                if freed.contains(key) {
                    // An earlier row frees the value: this one must wait for its commit.
                    cut = cut.or(Some(place));
                }
                let holder = match claimed.get(key) {
                    Some(holder) => Some(*holder),
                    None if freed.contains(key) => None,
                    None => {
                        self.records.store().get(key).await?.map(|found| id_of(&found.value)).transpose()?
                    }
                };
                match holder {
                    Some(holder) => {
                        self.memory.refused.insert(row.write, row.duplicate(*field, holder));
                        refused = true;
                    }
                    None => drop(claimed.insert(key.clone(), row.after.id)),
                }
            }
            freed.extend(before.into_keys().filter(|key| !after.contains_key(key)));
        }
        let again = cut.filter(|_| !refused).is_some_and(|place| self.cut(place));
        Ok(refused || again)
    }

    /// Leaves the rows from `place` on, and every write after them, to the next write set. Returns whether hooks must look again:
    /// what they noted may be about rows that are left out.
    fn cut(&mut self, place: usize) -> bool {
        if let Some(row) = self.segment.rows.get(place) {
            self.segment.end = row.write;
        }
        self.segment.rows.truncate(place);
        let end = self.segment.end;
        self.segment.done.retain(|write, _| *write < end);
        if self.segment.noted {
            self.memory.end_max = Some(end);
        }
        self.segment.noted
    }

    /// Leaves rows to the next write set where all would not fit into one. Returns whether preparing must start again.
    pub(super) fn fit(&mut self) -> bool {
        let (noted, base) = (&self.segment.puts, self.records.config().base_currency);
        let (mut keys, mut bytes) =
            (noted.len(), noted.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>());
        for (fitting, row) in self.segment.rows.iter_mut().enumerate() {
            row.keys = row.store_keys(base);
            keys += row.keys.count();
            bytes += row.keys.bytes() + row.logged_bytes();
            if fitting > 0 && (keys > KEYS_MAX || bytes > BYTES_MAX) {
                return self.cut(fitting);
            }
        }
        false
    }

    /// Builds the write set of the rows.
    pub(super) fn write_set(&mut self, also: &AlsoTold<'_>) -> Result<WriteSet> {
        let mut set = WriteSet::new();
        let changes = self.segment.rows.iter().map(Row::logged).collect();
        let entry = NewEntry {
            actor: self.caller.actor.clone(),
            cause: self.caller.cause.clone(),
            body: EntryBody::Changes(changes),
        };
        let number = log::append(&mut set, &entry, self.now_ms, self.records.ids().salt())?;
        if self.segment.has_amounts() {
            self.records.fix_base_currency(&mut set);
        }
        let objects: BTreeMap<_, _> =
            self.segment.rows.iter().map(|row| (row.object.id, &row.object)).collect();
        for object in objects.values() {
            object.expect_unchanged(&mut set);
        }
        for ((object, id), position) in &self.segment.expect {
            set.expect_written_at(keys::record(*object, *id), *position);
        }
        for (object, id) in &self.segment.absent {
            set.expect_absent(keys::record(*object, *id));
        }
        let changes: Vec<_> = self.segment.rows.iter().map(|row| (row.write, row.kind)).collect();
        let also = also(Taken { end: self.segment.end, changes: &changes });
        for (key, value) in std::mem::take(&mut self.segment.puts).into_iter().chain(also) {
            set.put(key, value);
        }
        for row in &mut self.segment.rows {
            if self.segment.suspected.contains_key(&row.write) {
                set.put(keys::suspect(row.object.id, row.after.id), Vec::new());
            }
            let keys = std::mem::take(&mut row.keys);
            row.freed.expect(&mut set);
            let key = keys::record(row.object.id, row.after.id);
            match &row.before {
                Some(before) => set.expect_written_at(key, trellis_storage::Position(before.record.version)),
                None => set.expect_absent(key),
            };
            for key in keys.absent {
                set.expect_absent(key);
            }
            for key in keys.deletes {
                set.delete(key);
            }
            for (place, (key, value)) in keys.record.into_iter().enumerate() {
                let put = set.put(key, value);
                if place == 0 {
                    set.stamp(StampPlace::Value(put, chunks::STAMP_AT), StampSource::Counter(number));
                }
            }
            for (key, value) in keys.puts {
                set.put(key, value);
            }
        }
        Ok(set)
    }
}

impl Row {
    fn unique_keys(&self) -> (BTreeMap<Vec<u8>, FieldId>, BTreeMap<Vec<u8>, FieldId>) {
        let indexes = &self.object.indexes;
        let before = self.before.as_ref().map(|before| entries::unique(indexes, &before.record));
        (before.unwrap_or_default(), entries::unique(indexes, &self.after))
    }

    fn duplicate(&self, field: FieldId, holder: trellis_model::RecordId) -> Error {
        let name = self.object.field_by_id(field).expect("unique fields are fields").name.clone();
        let value = self.after.fields.get(&field).map(Value::canonical).unwrap_or_default();
        Error::Duplicate { object: self.object.name.clone(), field: name, value, holder }
    }

    fn store_keys(&self, base: Currency) -> RowKeys {
        let mut keys = RowKeys::default();
        let (object, id) = (self.object.id, self.after.id);
        let key = keys::record(object, id);
        let (first, further) = chunks::split(&key, &record::body(&self.after));
        let parts = further.len();
        keys.record.push((key, first));
        keys.record.extend(
            (1_u16..).zip(further).map(|(part, value)| (keys::record_chunk(object, id, part), value)),
        );
        let parts_before = self.before.as_ref().map_or(0, |before| usize::from(before.parts));
        keys.deletes.extend(
            (1_u16..).take(parts_before).skip(parts).map(|part| keys::record_chunk(object, id, part)),
        );

        let indexes = &self.object.indexes;
        let entries = |record, event| entries::of_record(indexes, record, event, base);
        let before = self.before.as_ref().map(|before| entries(&before.record, self.event_before));
        let (before, after) = (before.unwrap_or_default(), entries(&self.after, self.event_after));
        keys.deletes.extend(before.keys().filter(|key| !after.contains_key(*key)).cloned());
        keys.puts.extend(after.into_iter().filter(|(key, value)| before.get(key) != Some(value)));

        let (before, after) = self.unique_keys();
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        keys.deletes.extend(gone.filter(|key| self.freed.may_delete(key)).cloned());
        for key in after.into_keys().filter(|key| !before.contains_key(key)) {
            keys.absent.push(key.clone());
            keys.puts.push((key, id.as_bytes().to_vec()));
        }
        if let Some(into) = self.merged_into {
            keys.puts.push((keys::alias(object, id), into.as_bytes().to_vec()));
        }
        if self.kind == ChangeKind::Restored {
            keys.deletes.push(keys::alias(object, id));
        }
        if let (ChangeKind::Created, Some(ordinal)) = (self.kind, self.after.ordinal) {
            keys.puts.push((keys::ordinal(object, ordinal), id.as_bytes().to_vec()));
        }
        keys
    }

    /// About how many bytes the row takes in the log.
    fn logged_bytes(&self) -> usize {
        let bytes = |record: &Record| record.fields.values().map(|value| value.bytes() + 8).sum::<usize>();
        128 + bytes(&self.after) + self.before.as_ref().map_or(0, |before| bytes(&before.record))
    }

    fn logged(&self) -> LoggedChange {
        let before = self.before.as_ref().map(|before| &before.record);
        LoggedChange {
            object: self.object.id,
            id: self.after.id,
            kind: self.kind,
            previous: before.map_or(0, |before| before.last_log),
            ordinal: self.after.ordinal,
            event: self.event_after.or(self.event_before),
            event_before: self
                .event_before
                .filter(|before| self.event_after.is_some_and(|after| after != *before)),
            fields: Some(field_changes(before.filter(|_| self.kind == ChangeKind::Updated), &self.after)),
        }
    }

    /// The record as it is once the write set is committed.
    pub(super) fn committed(
        self,
        version: u64,
        log_number: u64,
    ) -> (crate::schema::Object, ChangeKind, Record) {
        (self.object, self.kind, Record { version, last_log: log_number, ..self.after })
    }
}

/// What changed in an update; all values of a record that came to be, was deleted (before) or came back (after).
fn field_changes(before: Option<&Record>, after: &Record) -> BTreeMap<FieldId, FieldChange> {
    if after.is_deleted() {
        let gone =
            |(id, value): (&FieldId, &Value)| (*id, FieldChange { before: Some(value.clone()), after: None });
        return after.fields.iter().map(gone).collect();
    }
    let nothing = BTreeMap::new();
    let before = before.map_or(&nothing, |before| &before.fields);
    let ids: BTreeSet<FieldId> = before.keys().chain(after.fields.keys()).copied().collect();
    let change = |id: FieldId| {
        let change = FieldChange { before: before.get(&id).cloned(), after: after.fields.get(&id).cloned() };
        (change.before != change.after).then_some((id, change))
    };
    ids.into_iter().filter_map(change).collect()
}

impl Records {
    /// Whether a commit failed because something that was read has changed.
    pub(super) fn must_retry(error: &Error) -> bool {
        matches!(error, Error::Storage(trellis_storage::Error::PreconditionFailed { .. }))
    }

    /// Whether it failed because the definition of an object has changed.
    pub(super) fn is_about_schema(error: &Error) -> bool {
        let Error::Storage(trellis_storage::Error::PreconditionFailed { key, .. }) = error else {
            return false;
        };
        key.first() == Some(&(keys::KeyKind::SchemaMark as u8))
    }
}
