//! Where the id of a record leads that was merged into another.

use trellis_model::{FieldType, ObjectId, ObjectName, Record, RecordId, Scope, Value};

use crate::ordinals::id_of;
use crate::schema::Object;
use crate::{Error, Records, Result, keys};

/// Merges in a row that are followed.
const STEPS_MAX: usize = 100;

impl Records {
    /// The record that a record was merged into, by however many steps, if it was and a scope has that one.
    ///
    /// # Errors
    /// [`Error::UnknownObject`].
    pub async fn merged_into(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
    ) -> Result<Option<RecordId>> {
        let object = self.object(object)?;
        let Some(into) = self.alias_of(object.id, id).await? else { return Ok(None) };
        match self.load(object.id, into).await? {
            Some(found)
                if !found.record.is_deleted() && self.is_visible(scope, &object, &found.record).await? =>
            {
                Ok(Some(into))
            }
            _ => Ok(None),
        }
    }

    /// Where an id leads, if it is that of a record that was merged.
    pub(crate) async fn alias_of(&self, object: ObjectId, id: RecordId) -> Result<Option<RecordId>> {
        let mut into = None;
        for _ in 0..STEPS_MAX {
            match self.store().get(&keys::alias(object, into.unwrap_or(id))).await? {
                Some(found) => into = Some(id_of(&found.value)?),
                None => break,
            }
        }
        Ok(into)
    }

    /// Why a record is not there: it was merged, or there is none.
    pub(crate) async fn missing(&self, scope: &Scope, object: &Object, id: RecordId) -> Result<Error> {
        Ok(match self.merged_into(scope, &object.name, id).await? {
            Some(into) => Error::Merged { object: object.name.clone(), id, into },
            None => Error::NotFound { object: object.name.clone(), id },
        })
    }

    /// Has the references of a record that comes back lead to what the records they name have become.
    pub(crate) async fn follow_aliases(&self, object: &Object, record: &mut Record) -> Result<()> {
        let schema = self.schema();
        for field in &object.definition.fields {
            let Some(target) = target_of(&field.field_type) else { continue };
            let Some(target) = schema.object(target.as_str()) else { continue };
            let Some(value) = record.fields.get_mut(&field.id) else { continue };
            for id in ids(value) {
                if let Some(into) = self.alias_of(target.id, id).await? {
                    replace(value, id, Some(into));
                }
            }
        }
        Ok(())
    }
}

/// The object that values of a type refer to.
pub(crate) fn target_of(field_type: &FieldType) -> Option<&ObjectName> {
    match field_type {
        FieldType::Reference { object } => Some(object),
        FieldType::List { of } => target_of(of),
        _ => None,
    }
}

/// The ids in a reference or list of references.
pub(crate) fn ids(value: &Value) -> Vec<RecordId> {
    match value {
        Value::Reference(id) => vec![*id],
        Value::List(values) => values.iter().flat_map(ids).collect(),
        _ => Vec::new(),
    }
}

/// Has what names `from` name `to`, once in a list; returns whether something is left.
pub(crate) fn replace(value: &mut Value, from: RecordId, to: Option<RecordId>) -> bool {
    match value {
        Value::Reference(id) if *id == from => match to {
            Some(to) => *id = to,
            None => return false,
        },
        Value::List(values) => {
            let mut there = to.is_some_and(|to| values.contains(&Value::Reference(to)));
            values.retain_mut(|value| {
                let is_named = matches!(value, Value::Reference(id) if *id == from);
                let stays = !is_named || (!there && replace(value, from, to));
                there |= is_named;
                stays
            });
            return !values.is_empty();
        }
        _ => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_the_winner_once() {
        let id = |n| RecordId(uuid::Uuid::from_u128(n));
        let list = |ids: &[u128]| Value::List(ids.iter().map(|n| Value::Reference(id(*n))).collect());
        let check = |before: &[u128], to: Option<u128>, after: &[u128], is_left: bool| {
            let mut value = list(before);
            assert_eq!(replace(&mut value, id(1), to.map(id)), is_left, "{before:?}");
            assert_eq!(value, list(after));
        };
        check(&[1, 2], Some(9), &[9, 2], true);
        check(&[1, 9], Some(9), &[9], true);
        check(&[2, 1, 1], Some(9), &[2, 9], true);
        check(&[1], None, &[], false);
        check(&[2, 1], None, &[2], true);
    }
}
