//! All records that match, for what is done to each of them.

use trellis_model::{Filter, ObjectName, Phrase, RecordId, Scope};

use super::feed::Feed;
use super::plan::{Conditions, records_walk};
use crate::codec::record::is_deleted;
use crate::{Error, Records, Result};

impl Records {
    /// The ids of all records that match, ascending: a change of them while this runs may or may not count. It goes once along an index
    /// that narrows the matches, or else over all records of the object.
    ///
    /// # Errors
    /// [`Error::TooMany`] where more than `ids_max` match, and as [`Records::list`].
    pub async fn matching_ids(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
        ids_max: usize,
    ) -> Result<Vec<RecordId>> {
        let (object, schema) = (self.object(object)?, self.schema());
        let compiler = self.compiler(&schema, Some(scope));
        let Some(node) = compiler.with_scope(&object, filter)? else { return Ok(Vec::new()) };
        let narrow = Conditions::new(&object, &node).narrow_walk(&object);
        let walk = narrow.unwrap_or_else(|| records_walk(&object));
        let mut feed = Feed::new(&walk, false, None);
        let mut ids = Vec::new();
        while let Some(rows) = feed.next(self).await? {
            for row in rows {
                if walk.index.is_none() && is_deleted(&row.value) {
                    continue;
                }
                let Some(record) = self.row_record(&object, &walk, &row).await? else { continue };
                if !record.is_deleted() && self.matches(&node, &record).await? {
                    ids.push(record.id);
                }
                if ids.len() > ids_max {
                    let what = Phrase::new("matching records", "匹配的记录数");
                    return Err(Error::TooMany { what, count: ids.len(), count_max: ids_max });
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
