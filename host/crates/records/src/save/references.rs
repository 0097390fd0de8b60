//! What the references of a row point at.

use trellis_model::{FieldType, ObjectId, Record, RecordId, RowAccess, Value, bilingual};

use super::prepare::Save;
use super::segment::Target;
use super::validate;
use crate::codec::chunks;
use crate::codec::record::StoredRecord;
use crate::index::entries;
use crate::log::EventRef;
use crate::merge::{ids, replace_reference};
use crate::schema::Object;
use crate::{Error, FieldError, Result, keys};

impl Save<'_> {
    /// Each reference that is not `standing` already must point at a record that is there, and stays there until the commit.
    pub(super) async fn check_references(
        &mut self,
        object: &Object,
        before: Option<&Record>,
        standing: Option<&Record>,
        after: &mut Record,
    ) -> Result<()> {
        if after.is_deleted() {
            return Ok(());
        }
        let mut errors: Vec<FieldError> = Vec::new();
        for field in &object.definition.fields {
            let of = match &field.field_type {
                FieldType::List { of } => of,
                other => other,
            };
            let FieldType::Reference { object: target } = of else { continue };
            let (old, new) =
                (standing.and_then(|stands| stands.fields.get(&field.id)), after.fields.get_mut(&field.id));
            let Some(new) = new.filter(|new| old != Some(&**new)) else { continue };
            let target = self.records.object(target)?;
            for named in ids(new) {
                let (id, found) = self.target_or_winner(&target, named).await?;
                match found {
                    Some(Target { deleted: false, position, .. }) => {
                        self.segment.expect.extend(position.map(|position| ((target.id, id), position)));
                        if id != named {
                            replace_reference(new, named, Some(id));
                        }
                    }
                    _ => {
                        let name = &target.name;
                        let message = bilingual!("there is no {name} `{id}`", "{name} `{id}` 不存在");
                        errors.push(validate::wrong(field, "unknown_reference", message));
                    }
                }
            }
        }
        self.check_parent(object, before, after, &mut errors).await?;
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }

    /// What a reference points at: the record itself, or what it was merged into.
    async fn target_or_winner(
        &mut self,
        object: &Object,
        id: RecordId,
    ) -> Result<(RecordId, Option<Target>)> {
        let found = self.target(object, id).await?;
        if found.is_some_and(|target| !target.deleted) {
            return Ok((id, found));
        }
        match self.records.alias_of(object.id, id).await? {
            Some(winner) => Ok((winner, self.target(object, winner).await?)),
            None => Ok((id, found)),
        }
    }

    /// What a reference points at: a record of this write set or a stored one that the caller may see.
    pub(super) async fn target(&mut self, object: &Object, id: RecordId) -> Result<Option<Target>> {
        if self.segment.touched.contains_key(&(object.id, id)) {
            let row = self.segment.rows.iter().find(|row| row.after.id == id && row.object.id == object.id);
            return Ok(row.map(|row| Target {
                position: None,
                ordinal: row.after.ordinal,
                deleted: row.after.is_deleted(),
            }));
        }
        if let Some(known) = self.segment.targets.get(&(object.id, id)) {
            return Ok(*known);
        }
        if self.memory.trial.as_ref().is_some_and(|trial| trial.assumed.contains(&(object.id, id))) {
            return Ok(Some(Target { position: None, ordinal: None, deleted: false }));
        }
        let target = match self.caller.scope.of(&object.name).rows {
            RowAccess::All => self.stored_target(object.id, id).await?,
            _ => match self.records.load(object.id, id).await? {
                Some(found) if self.records.is_visible(&self.caller.scope, object, &found.record).await? => {
                    self.stored_target(object.id, id).await?
                }
                _ => None,
            },
        };
        self.segment.targets.insert((object.id, id), target);
        Ok(target)
    }

    /// Reads no more than the header of a record.
    pub(super) async fn stored_target(&self, object: ObjectId, id: RecordId) -> Result<Option<Target>> {
        let Some(found) = self.records.store().get(&keys::record(object, id)).await? else { return Ok(None) };
        let stored = StoredRecord::new(chunks::prefix(&found.value)?.1)?;
        Ok(Some(Target {
            position: Some(found.position),
            ordinal: stored.ordinal,
            deleted: stored.deleted_at_ms.is_some(),
        }))
    }

    /// Where a record stands in the events of its target, deleted or not.
    pub(super) async fn event(&mut self, object: &Object, record: &Record) -> Result<Option<EventRef>> {
        let Some(events) = &object.indexes.events else { return Ok(None) };
        let Some(Value::Reference(target)) = record.fields.get(&events.target) else { return Ok(None) };
        let Some(time) = record.fields.get(&events.time).and_then(entries::event_time) else {
            return Ok(None);
        };
        let ordinal = match self.segment.touched.get(&(events.target_object, *target)) {
            Some(Some(created)) => Some(*created),
            _ => match self.segment.targets.get(&(events.target_object, *target)).copied().flatten() {
                Some(known) => known.ordinal,
                None => {
                    self.stored_target(events.target_object, *target).await?.and_then(|target| target.ordinal)
                }
            },
        };
        Ok(ordinal.map(|target_ordinal| EventRef {
            target_object: events.target_object,
            target_ordinal,
            time,
        }))
    }
}
