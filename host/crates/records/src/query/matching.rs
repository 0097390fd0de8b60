//! All records that match, for what is done to each of them.

use std::collections::HashSet;

use trellis_model::{FieldName, Filter, ObjectName, Path, Phrase, Record, RecordId, Scope, Sort};

use super::compile::Node;
use super::feed::Feed;
use super::plan::{Conditions, Walk, records_walk};
use super::sort::Order;
use crate::codec::record::is_deleted;
use crate::schema::Object;
use crate::{Error, Records, Result};

/// The records that match, page by page, in no order that is promised.
struct Matching {
    object: Object,
    node: Node,
    walk: Walk,
    feed: Feed,
}

impl Matching {
    /// `None` where the scope has no record of the object.
    fn new(records: &Records, scope: &Scope, object: Object, filter: &Filter) -> Result<Option<Self>> {
        let schema = records.schema();
        let compiler = records.compiler(&schema, Some(scope));
        let Some(node) = compiler.with_scope(&object, filter)? else { return Ok(None) };
        let narrow = Conditions::new(&object, &node).narrow_walk(&object);
        let walk = narrow.unwrap_or_else(|| records_walk(&object));
        let feed = Feed::new(&walk, false, None);
        Ok(Some(Self { object, node, walk, feed }))
    }

    async fn next(&mut self, records: &Records) -> Result<Option<Vec<Record>>> {
        let Some(rows) = self.feed.next(records).await? else { return Ok(None) };
        let mut matching = Vec::new();
        for row in rows {
            if self.walk.index.is_none() && is_deleted(&row.value) {
                continue;
            }
            let Some(record) = records.row_record(&self.object, &self.walk, &row).await? else { continue };
            if !record.is_deleted() && records.matches(&self.node, &record).await? {
                matching.push(record);
            }
        }
        Ok(Some(matching))
    }
}

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
        let object = self.object(object)?;
        let Some(mut matching) = Matching::new(self, scope, object, filter)? else { return Ok(Vec::new()) };
        let mut ids = Vec::new();
        while let Some(records) = matching.next(self).await? {
            ids.extend(records.iter().map(|record| record.id));
            check_count(ids.len(), ids_max)?;
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// As [`Records::matching_ids`], in the order of fields, nulls first, and then of ids. Holds the values that decide the order of all of
    /// them, of a text no more than its first 120 bytes.
    ///
    /// # Errors
    /// As [`Records::matching_ids`]; [`Error::Query`] for a field that has no order.
    pub async fn matching_in_order(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
        order_by: &[FieldName],
        ids_max: usize,
    ) -> Result<Vec<RecordId>> {
        if order_by.is_empty() {
            return self.matching_ids(scope, object, filter, ids_max).await;
        }
        let object = self.object(object)?;
        let sort = |field: &FieldName| Sort { path: Path(vec![field.clone()]), descending: false };
        let sorts: Vec<Sort> = order_by.iter().map(sort).collect();
        let schema = self.schema();
        let order = Order::new(&self.compiler(&schema, Some(scope)), &object, &sorts)?;
        let Some(mut matching) = Matching::new(self, scope, object, filter)? else { return Ok(Vec::new()) };
        let mut places: Vec<(Box<[u8]>, RecordId)> = Vec::new();
        while let Some(records) = matching.next(self).await? {
            for record in &records {
                // No value's bytes are the beginning of another's, so that together they sort as one after the other.
                let place = self.place(&order, record).await?;
                places.push((place.values.concat().into_boxed_slice(), record.id));
            }
            check_count(places.len(), ids_max)?;
        }
        places.sort_unstable();
        let mut ids: Vec<RecordId> = places.into_iter().map(|(_, id)| id).collect();
        if matching.walk.index.is_some() {
            // A record that moved along the index while it was read.
            let mut seen = HashSet::with_capacity(ids.len());
            ids.retain(|id| seen.insert(*id));
        }
        Ok(ids)
    }
}

fn check_count(count: usize, count_max: usize) -> Result<()> {
    if count > count_max {
        let what = Phrase::new("matching records", "匹配的记录数");
        return Err(Error::TooMany { what, count, count_max });
    }
    Ok(())
}
