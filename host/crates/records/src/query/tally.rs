//! Records counted by what they refer to.

use std::collections::HashMap;

use trellis_model::{FieldName, FieldType, Filter, ObjectName, RecordId, Scope, Value};

use super::feed::Feed;
use super::plan::{Conditions, records_walk};
use crate::codec::record::is_deleted;
use crate::{Error, Records, Result};

impl Records {
    /// Counts the records that match, by the record that a reference of theirs points at. Without limit: it goes once along an index
    /// that narrows the matches, or else over all records of the object, and holds an entry for each record that is pointed at.
    ///
    /// # Errors
    /// [`Error::UnknownField`] too for a field that is no reference, and as [`Records::list`].
    pub async fn count_by_reference(
        &self,
        scope: &Scope,
        object: &ObjectName,
        reference: &FieldName,
        filter: &Filter,
    ) -> Result<HashMap<RecordId, u64>> {
        let (object, schema) = (self.object(object)?, self.schema());
        let field = object.field(reference.as_str()).filter(|field| {
            matches!(field.field_type, FieldType::Reference { .. })
                && scope.of(&object.name).readable.contains(reference)
        });
        let field = field.ok_or_else(|| Error::UnknownField {
            object: object.name.clone(),
            field: reference.to_string(),
        })?;
        let compiler = self.compiler(&schema, Some(scope));
        let mut counts = HashMap::new();
        let Some(node) = compiler.with_scope(&object, filter)? else { return Ok(counts) };
        let narrow = Conditions::new(&object, &node).narrow_walk(&object);
        let walk = narrow.unwrap_or_else(|| records_walk(&object));
        let mut feed = Feed::new(&walk, false, None);
        while let Some(rows) = feed.next(self).await? {
            for row in rows {
                if walk.index.is_none() && is_deleted(&row.value) {
                    continue;
                }
                let Some(record) = self.row_record(&object, &walk, &row).await? else { continue };
                if let Some(Value::Reference(id)) = record.fields.get(&field.id)
                    && !record.is_deleted()
                    && self.matches(&node, &record).await?
                {
                    *counts.entry(*id).or_default() += 1;
                }
            }
        }
        Ok(counts)
    }
}
