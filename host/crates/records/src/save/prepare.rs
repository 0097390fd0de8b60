//! From a write to a row: what is there, who may do it, whether it is valid.

use trellis_model::{
    ChangeKind, FieldId, Fields, ObjectId, Record, RecordId, RowAccess, Text, Value, bilingual,
};

use super::building::Freed;
use super::segment::{Memory, Prepared, Row, RowKeys, Segment};
use super::{FieldChanges, Write, Written, shape, validate};
use crate::codec::record::created_at_ms;
use crate::computed::check_writes;
use crate::index::{encode, entries};
use crate::ordinals::id_of;
use crate::records::Loaded;
use crate::schema::Object;
use crate::{Caller, Error, Records, Result, keys};

/// How far the time in a given id may lie ahead of the clock.
const ID_AHEAD_MS_MAX: i64 = 24 * 3_600_000;

/// One save, with all that its steps need.
pub(super) struct Save<'a> {
    pub(super) records: &'a Records,
    pub(super) caller: &'a Caller,
    pub(super) now_ms: i64,
    pub(super) memory: &'a mut Memory,
    pub(super) segment: Segment,
}

impl Save<'_> {
    /// Prepares writes from `start` on, until one is about a record that an earlier one touches.
    pub(super) async fn prepare(&mut self, writes: &[Write], start: usize) -> Result<()> {
        self.segment.end = start;
        let end_max = self.memory.end_max.unwrap_or(writes.len());
        for (number, write) in writes.iter().enumerate().take(end_max).skip(start) {
            if !self.memory.refused.contains_key(&number) {
                match self.write(number, write).await {
                    Ok(Prepared::Row(row)) => self.add(*row),
                    Ok(Prepared::Done(written)) => drop(self.segment.done.insert(number, Ok(written))),
                    Ok(Prepared::Next) => break,
                    // A store that fails fails the whole batch, not the row.
                    Err(error @ (Error::Storage(_) | Error::Damaged { .. })) => return Err(error),
                    Err(error) => drop(self.segment.done.insert(number, Err(error))),
                }
            }
            self.segment.end = number + 1;
        }
        Ok(())
    }

    fn add(&mut self, row: Row) {
        let indexes = &row.object.indexes;
        let before = row.before.as_ref().map(|before| entries::unique(indexes, &before.record));
        let unique =
            entries::unique(indexes, &row.after).into_keys().chain(before.unwrap_or_default().into_keys());
        self.segment.unique.extend(unique);
        let created = (row.kind == ChangeKind::Created).then_some(row.after.ordinal).flatten();
        self.segment.touched.insert((row.object.id, row.after.id), created);
        self.segment.rows.push(row);
    }

    async fn write(&mut self, number: usize, write: &Write) -> Result<Prepared> {
        match write {
            Write::Create { object, fields, id } => {
                let object = self.records.object(object)?;
                self.create(number, object, fields, *id).await
            }
            Write::Update { object, id, changes, expected_version } => {
                let object = self.records.object(object)?;
                let Some(before) = self.existing(&object, *id, false, *expected_version).await? else {
                    return Ok(Prepared::Next);
                };
                self.update(number, object, before, changes).await
            }
            Write::Delete { object, id, expected_version } => {
                let object = self.records.object(object)?;
                let Some(before) = self.existing(&object, *id, false, *expected_version).await? else {
                    return Ok(Prepared::Next);
                };
                let after = Record { deleted_at_ms: Some(self.now_ms), ..before.record.clone() };
                self.row(number, object, ChangeKind::Deleted, Some(before), after).await
            }
            Write::Restore { object, id } => {
                let object = self.records.object(object)?;
                let Some(before) = self.existing(&object, *id, true, None).await? else {
                    return Ok(Prepared::Next);
                };
                if !before.record.is_deleted() {
                    return Ok(Prepared::Done(Written::Unchanged(self.records.readable(
                        &self.caller.scope,
                        &object,
                        before.record,
                    ))));
                }
                let after = Record { deleted_at_ms: None, ..before.record.clone() };
                self.row(number, object, ChangeKind::Restored, Some(before), after).await
            }
            Write::Upsert { object, key_field, fields } => {
                let object = self.records.object(object)?;
                self.upsert(number, object, *key_field, fields).await
            }
            Write::MergeInto { object, id, into, expected_version } => {
                let object = self.records.object(object)?;
                self.merge_into(number, object, *id, *into, *expected_version).await
            }
            Write::Repoint { object, id, target, from, clear } => {
                let object = self.records.object(object)?;
                self.repoint(number, object, *id, (target, *from), *clear).await
            }
        }
    }

    async fn upsert(
        &mut self,
        number: usize,
        object: Object,
        key_field: FieldId,
        fields: &Fields,
    ) -> Result<Prepared> {
        let definition = object.field_by_id(key_field).filter(|field| field.unique);
        let definition = definition.ok_or_else(|| Error::UnknownField {
            object: object.name.clone(),
            field: format!("unique number {}", key_field.0),
        })?;
        let missing = || {
            Error::Invalid(vec![validate::wrong(
                definition,
                "required",
                Text::new("the key of an upsert is required", "按键写入时必须给出键的值"),
            )])
        };
        if !object.indexes.finds_by(key_field) {
            return Err(crate::query::read::being_built(&object.name, &definition.name));
        }
        let value = fields
            .get(&key_field)
            .filter(|value| !matches!(value, Value::Text(text) if text.is_empty()))
            .ok_or_else(missing)?;
        let key = keys::unique(object.id, key_field, &encode::exact(value));
        if self.segment.unique.contains(&key) {
            return Ok(Prepared::Next);
        }
        let Some(holder) = self.records.store().get(&key).await? else {
            return self.create(number, object, fields, None).await;
        };
        let id = id_of(&holder.value)?;
        let before = match self.existing(&object, id, false, None).await {
            Ok(Some(before)) => before,
            Ok(None) => return Ok(Prepared::Next),
            // Another caller's record has the key: it must not be changed, and must not be doubled.
            Err(Error::NotFound { .. }) => {
                return Err(Error::Duplicate {
                    object: object.name.clone(),
                    field: definition.name.clone(),
                    value: value.canonical(),
                    holder: id,
                });
            }
            Err(error) => return Err(error),
        };
        let changes: FieldChanges =
            fields.iter().map(|(field, value)| (*field, Some(value.clone()))).collect();
        self.update(number, object, before, &changes).await
    }

    /// Reads a record that is to be changed; `None` where an earlier row touches it.
    pub(super) async fn existing(
        &self,
        object: &Object,
        id: RecordId,
        deleted_too: bool,
        expected_version: Option<u64>,
    ) -> Result<Option<Loaded>> {
        if self.segment.touched.contains_key(&(object.id, id)) {
            return Ok(None);
        }
        let loaded =
            self.records.load(object.id, id).await?.filter(|found| deleted_too || !found.record.is_deleted());
        let Some(loaded) = loaded else {
            return Err(self.records.missing(&self.caller.scope, object, id).await?);
        };
        if !self.records.is_visible(&self.caller.scope, object, &loaded.record).await? {
            return Err(Error::NotFound { object: object.name.clone(), id });
        }
        match expected_version {
            Some(expected) if expected != loaded.record.version => {
                let found = self.records.readable(&self.caller.scope, object, loaded.record);
                Err(Error::VersionConflict { expected, found: Box::new(found) })
            }
            _ => Ok(Some(loaded)),
        }
    }

    async fn create(
        &mut self,
        number: usize,
        object: Object,
        fields: &Fields,
        given: Option<RecordId>,
    ) -> Result<Prepared> {
        shape::in_use(&object)?;
        check_writes(&object, fields.keys())?;
        self.check_writable(&object, fields.keys())?;
        if given.is_some_and(|id| self.segment.touched.contains_key(&(object.id, id))) {
            return Ok(Prepared::Next);
        }
        if let Some(id) = given {
            self.check_id(&object, id).await?;
        }
        let config = self.records.config();
        let mut fields = fields.clone();
        shape::defaults(&object, &mut fields);
        let mut fields = validate::fields(&object, fields, &config.limits, config.base_currency)?;
        self.fill_account(&object, &mut fields).await?;
        let now_ms = self.now_ms;
        let id = given.unwrap_or_else(|| {
            *self.memory.ids.entry(number).or_insert_with(|| self.records.ids().record_id(now_ms))
        });
        let created_at_ms = created_at_ms(id);
        let after = Record {
            id,
            object: object.id,
            version: 0,
            ordinal: None,
            created_at_ms,
            updated_at_ms: if given.is_some() { now_ms.max(created_at_ms) } else { created_at_ms },
            deleted_at_ms: None,
            last_log: 0,
            fields,
        };
        if !self.records.is_visible(&self.caller.scope, &object, &after).await? {
            return Err(Error::OutOfScope { object: object.name.clone() });
        }
        self.row(number, object, ChangeKind::Created, None, after).await
    }

    /// A given id must be a UUIDv7 whose time is not ahead, and not be taken.
    async fn check_id(&self, object: &Object, id: RecordId) -> Result<()> {
        if id.0.get_version_num() != 7 || created_at_ms(id) > self.now_ms + ID_AHEAD_MS_MAX {
            return Err(Error::Query(bilingual!(
                "`{id}` is not a UUIDv7 of the past",
                "`{id}` 不是过去时间的 UUIDv7"
            )));
        }
        match self.records.store().get(&keys::record(object.id, id)).await? {
            None => Ok(()),
            Some(_) => {
                let field = trellis_model::FieldName::new("id").expect("two letters");
                Err(Error::Duplicate {
                    object: object.name.clone(),
                    field,
                    value: id.to_string(),
                    holder: id,
                })
            }
        }
    }

    async fn update(
        &mut self,
        number: usize,
        object: Object,
        before: Loaded,
        changes: &FieldChanges,
    ) -> Result<Prepared> {
        check_writes(&object, changes.keys())?;
        let mut fields = before.record.fields.clone();
        for (field, value) in changes {
            match value {
                Some(value) => drop(fields.insert(*field, value.clone())),
                None => drop(fields.remove(field)),
            }
        }
        let config = self.records.config();
        let fields = validate::fields(&object, fields, &config.limits, config.base_currency)?;
        // Only what really changes needs the right to change it: a form sends back what it was given.
        let changed = changes.keys().filter(|field| fields.get(field) != before.record.fields.get(field));
        self.check_writable(&object, changed)?;
        if fields == before.record.fields {
            let record = self.records.readable(&self.caller.scope, &object, before.record);
            return Ok(Prepared::Done(Written::Unchanged(record)));
        }
        if object.append_only {
            return Err(Error::AppendOnly { object: object.name.clone() });
        }
        shape::in_use(&object)?;
        let after = Record { fields, ..before.record.clone() };
        self.row(number, object, ChangeKind::Updated, Some(before), after).await
    }

    fn check_writable<'f>(&self, object: &Object, fields: impl Iterator<Item = &'f FieldId>) -> Result<()> {
        let writable = &self.caller.scope.of(&object.name).writable;
        for field in fields.filter_map(|id| object.field_by_id(*id)) {
            if !writable.contains(&field.name) {
                return Err(Error::FieldDenied { object: object.name.clone(), field: field.name.clone() });
            }
        }
        if matches!(self.caller.scope.of(&object.name).rows, RowAccess::Nothing) {
            return Err(Error::OutOfScope { object: object.name.clone() });
        }
        Ok(())
    }

    async fn row(
        &mut self,
        write: usize,
        object: Object,
        kind: ChangeKind,
        before: Option<Loaded>,
        mut after: Record,
    ) -> Result<Prepared> {
        let stored = before.as_ref().map(|before| &before.record);
        if matches!(kind, ChangeKind::Created | ChangeKind::Updated) {
            self.check_shape(&object, stored, &after).await?;
        }
        // What comes back names what its references have become, be that deleted: as where it was deleted before anything was merged.
        let led = if kind == ChangeKind::Restored {
            self.records.follow_aliases(&object, &mut after).await?;
            Some(after.clone())
        } else {
            None
        };
        self.check_references(&object, stored, led.as_ref().or(stored), &mut after).await?;
        let row = self.row_as_is(write, object, kind, before, after).await?;
        Ok(Prepared::Row(Box::new(row)))
    }

    /// A row whose references need no check.
    pub(super) async fn row_as_is(
        &mut self,
        write: usize,
        object: Object,
        kind: ChangeKind,
        before: Option<Loaded>,
        mut after: Record,
    ) -> Result<Row> {
        if kind == ChangeKind::Created {
            if object.ordinals && self.memory.trial.is_none() {
                after.ordinal = Some(self.ordinal(write, object.id).await?);
            }
        } else {
            after.updated_at_ms = self.now_ms.max(after.updated_at_ms);
        }
        let event_before = match before.as_ref().filter(|before| !before.record.is_deleted()) {
            Some(before) => self.event(&object, &before.record).await?,
            None => None,
        };
        let event_after = self.event(&object, &after).await?;
        let keys = RowKeys::default();
        Ok(Row {
            write,
            object,
            kind,
            before,
            after,
            event_before,
            event_after,
            merged_into: None,
            as_is: false,
            keys,
            freed: Freed::default(),
        })
    }

    async fn ordinal(&mut self, write: usize, object: ObjectId) -> Result<u64> {
        if let Some(ordinal) = self.memory.ordinals.get(&write) {
            return Ok(*ordinal);
        }
        let ordinal = self.records.ordinals.next(&**self.records.store(), object).await?;
        self.memory.ordinals.insert(write, ordinal);
        Ok(ordinal)
    }
}
