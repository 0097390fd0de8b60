//! The writes of a merge: a record that goes, and one that refers to another than it did and is otherwise as it was.

use trellis_model::{ChangeKind, ObjectName, Record, RecordId, Value};

use super::Written;
use super::prepare::Save;
use super::segment::Prepared;
use crate::merge::{PARENT, replace_reference, target_of};
use crate::schema::Object;
use crate::{Error, Result};

impl Save<'_> {
    /// Deletes a record whose id leads to another from now on.
    pub(super) async fn merge_into(
        &mut self,
        number: usize,
        object: Object,
        id: RecordId,
        into: RecordId,
        expected_version: Option<u64>,
    ) -> Result<Prepared> {
        let Some(before) = self.existing(&object, id, false, expected_version).await? else {
            return Ok(Prepared::Next);
        };
        let after = Record { deleted_at_ms: Some(self.now_ms), ..before.record.clone() };
        let mut row = self.row_as_is(number, object, ChangeKind::Deleted, Some(before), after).await?;
        row.merged_into = Some(into);
        Ok(Prepared::Row(Box::new(row)))
    }

    /// Has a record that refers to a merged one refer to what that was merged into, or to nothing.
    pub(super) async fn repoint(
        &mut self,
        number: usize,
        object: Object,
        id: RecordId,
        (target, from): (&ObjectName, RecordId),
        clear: bool,
    ) -> Result<Prepared> {
        if self.segment.touched.contains_key(&(object.id, id)) {
            return Ok(Prepared::Next);
        }
        let found = self.records.load(object.id, id).await?.filter(|found| !found.record.is_deleted());
        let before = found.ok_or_else(|| Error::NotFound { object: object.name.clone(), id })?;
        let into = self.records.alias_of(self.records.object(target)?.id, from).await?;
        let mut after = before.record.clone();
        // One that was restored meanwhile has no alias: the reference is right.
        if let Some(into) = into {
            refer_to(&object, &mut after, target, from, (!clear).then_some(into));
        }
        if after.fields == before.record.fields {
            return Ok(Prepared::Done(Written::Unchanged(before.record)));
        }
        let mut row = self.row_as_is(number, object, ChangeKind::Updated, Some(before), after).await?;
        row.as_is = true;
        Ok(Prepared::Row(Box::new(row)))
    }
}

fn refer_to(object: &Object, record: &mut Record, target: &ObjectName, from: RecordId, to: Option<RecordId>) {
    for field in object.definition.fields.iter().filter(|field| target_of(&field.field_type) == Some(target))
    {
        if let Some(value) = record.fields.get_mut(&field.id)
            && !replace_reference(value, from, to)
        {
            record.fields.remove(&field.id);
        }
    }
    let text = |text: String| Value::Text(text);
    if let (Some(of), Some(id)) = (object.field(PARENT.0), object.field(PARENT.1))
        && record.fields.get(&of.id) == Some(&text(target.to_string()))
        && record.fields.get(&id.id) == Some(&text(from.to_string()))
    {
        match to {
            Some(to) => drop(record.fields.insert(id.id, text(to.to_string()))),
            None => drop(record.fields.remove(&id.id)),
        }
    }
}
