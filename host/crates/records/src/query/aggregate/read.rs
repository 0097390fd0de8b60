//! The records of an aggregation, one after the other, with no more of them than is needed.

use std::collections::BTreeSet;

use trellis_model::{FieldId, Phrase, Record, RecordId};
use trellis_storage::Versioned;

use super::groups::{Groups, Row};
use super::plan::Prepared;
use crate::codec::chunks;
use crate::codec::record::{StoredRecord, is_deleted};
use crate::query::compile::Node;
use crate::query::feed::{Feed, PAGE_ROWS};
use crate::query::plan::{Conditions, Walk, records_walk};
use crate::schema::Object;
use crate::{Error, Records, Result, keys};

impl Records {
    /// Adds every record that matches to its groups; returns how many rows were looked at.
    pub(super) async fn read_groups(
        &self,
        object: &Object,
        node: &Node,
        prepared: &mut Prepared,
        groups: &mut Groups,
    ) -> Result<usize> {
        let wanted = prepared.fields(node);
        let conditions = Conditions::new(object, node);
        let rows_max = self.config().limits.scan_rows_max;
        let ids = match self.few_ids(&conditions).await? {
            Some(ids) => Some(ids),
            None => self.derived_ids(object, &conditions, rows_max).await?.map(|(ids, _)| ids),
        };
        let Some(ids) = ids else {
            let walk = conditions.narrow_walk(object).unwrap_or_else(|| records_walk(object));
            return self.read_walk(object, node, walk, &wanted, prepared, groups).await;
        };
        let ids: BTreeSet<RecordId> = ids.into_iter().collect();
        for (place, id) in ids.iter().enumerate() {
            if place % PAGE_ROWS == PAGE_ROWS - 1 {
                tokio::task::yield_now().await;
            }
            if let Some(record) = self.load_fields(object, *id, &wanted).await? {
                self.add_record(node, &record, prepared, groups).await?;
            }
        }
        Ok(ids.len())
    }

    async fn read_walk(
        &self,
        object: &Object,
        node: &Node,
        walk: Walk,
        wanted: &BTreeSet<FieldId>,
        prepared: &mut Prepared,
        groups: &mut Groups,
    ) -> Result<usize> {
        let rows_max = self.config().limits.aggregate_rows_max;
        let mut feed = Feed::new(&walk, false, None);
        let mut rows_read = 0;
        while let Some(rows) = feed.next(self).await? {
            rows_read += rows.len();
            if rows_read > rows_max {
                let what = Phrase::new("records to aggregate", "需要聚合的记录数");
                return Err(Error::TooMany { what, count: rows_read, count_max: rows_max });
            }
            for row in rows {
                let id =
                    keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("an index key is too short"))?;
                let record = if walk.index.is_some() {
                    self.load_fields(object, id, wanted).await?
                } else if is_deleted(&row.value) {
                    None
                } else {
                    let found = Versioned { position: row.position, value: row.value };
                    self.fields_of(object, id, &row.key, &found, wanted).await?
                };
                if let Some(record) = record {
                    self.add_record(node, &record, prepared, groups).await?;
                }
            }
        }
        Ok(rows_read)
    }

    async fn add_record(
        &self,
        node: &Node,
        record: &Record,
        prepared: &mut Prepared,
        groups: &mut Groups,
    ) -> Result<()> {
        if record.is_deleted() || !self.matches(node, record).await? {
            return Ok(());
        }
        prepared.follow(self, record).await?;
        let mut counts = Vec::with_capacity(prepared.measures.len());
        for measure in &prepared.measures {
            counts.push(match &measure.node {
                None => true,
                Some(node) => self.matches(node, record).await?,
            });
        }
        let derived = self.derived();
        groups.add(prepared, &Row { record, counts: &counts, derived: derived.as_deref() })
    }

    /// Reads some fields of a record, deleted or not.
    async fn load_fields(
        &self,
        object: &Object,
        id: RecordId,
        wanted: &BTreeSet<FieldId>,
    ) -> Result<Option<Record>> {
        let key = keys::record(object.id, id);
        match self.store().get(&key).await? {
            Some(found) => self.fields_of(object, id, &key, &found, wanted).await,
            None => Ok(None),
        }
    }

    /// Decodes some fields of a record whose first value is at hand.
    async fn fields_of(
        &self,
        object: &Object,
        id: RecordId,
        key: &[u8],
        found: &Versioned,
        wanted: &BTreeSet<FieldId>,
    ) -> Result<Option<Record>> {
        let (prefix, body) = chunks::prefix(&found.value)?;
        if prefix.parts > 0 {
            return Ok(self.load(object.id, id).await?.map(|loaded| loaded.record));
        }
        prefix.verify(key, body)?;
        let stored = StoredRecord::new(body)?;
        stored.record_with(object.id, id, found.position.0, prefix.stamp, wanted).map(Some)
    }
}
