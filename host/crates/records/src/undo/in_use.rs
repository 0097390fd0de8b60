//! Who refers to a record that an undo would delete.

use trellis_model::{FieldName, FieldType, Filter, ObjectName, RecordId, bilingual};

use super::plan::Found;
use super::trace::Entries;
use super::{UndoAction, UndoEntries, UndoItem};
use crate::{Caller, Error, Query, Records, Result};

/// References that are named for each record.
const NAMED_MAX: usize = 5;
/// Records of one object that are looked at for each reference.
const ROWS_MAX: usize = 5;

/// A record that refers to one that an undo would delete, and stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// Its object.
    pub object: ObjectName,
    /// The record.
    pub id: RecordId,
    /// The field that refers.
    pub field: FieldName,
}

impl Records {
    /// Names records that refer to one that an undo would delete and that are not deleted with it: up to five that the caller sees. The
    /// deletion takes place all the same, and can be taken back. Costs an index look-up for each field that can refer to the object.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub async fn undo_in_use(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        item: &UndoItem,
    ) -> Result<Vec<InUse>> {
        let mut found = Vec::new();
        if item.action != UndoAction::Delete || !item.state.can() {
            return Ok(found);
        }
        let (schema, mut read) = (self.schema(), Entries::default());
        for object in schema.objects() {
            let refers = |field_type: &FieldType| matches!(field_type, FieldType::Reference { object: target } if *target == item.object);
            for field in object.fields.iter().filter(|field| refers(&field.field_type)) {
                if !caller.scope.of(&object.name).readable.contains(&field.name) {
                    continue;
                }
                let query = Query {
                    filter: equals(&field.name, item.id)?,
                    limit: ROWS_MAX,
                    ..Query::new(object.name.clone())
                };
                for record in self.list(&caller.scope, &query).await?.records {
                    let key = (object.id, record.id);
                    let with_it = match self.undo_of(caller, entries, &mut read, key, None).await? {
                        Found::Item(of) => of.action == UndoAction::Delete && of.state.can(),
                        Found::Hidden | Found::Nothing => false,
                    };
                    if !with_it && found.len() < NAMED_MAX {
                        found.push(InUse {
                            object: object.name.clone(),
                            id: record.id,
                            field: field.name.clone(),
                        });
                    }
                }
            }
        }
        Ok(found)
    }
}

fn equals(field: &FieldName, id: RecordId) -> Result<Filter> {
    let json = serde_json::json!({ "field": field.as_str(), "op": "eq", "value": id.to_string() });
    Filter::parse(&json)
        .map_err(|error| Error::Query(bilingual!("looking for references: {error}", "查找引用：{error}")))
}
