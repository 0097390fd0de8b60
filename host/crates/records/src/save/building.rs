//! Unique keys that are still being built: a record may not hold the key of its value, and another one may.

use std::collections::BTreeMap;

use trellis_storage::{Position, WriteSet};

use super::prepare::Save;
use super::segment::Row;
use crate::Result;
use crate::index::entries;
use crate::ordinals::id_of;

/// What was found of the unique keys that a row frees.
#[derive(Debug, Default)]
pub(super) struct Freed(BTreeMap<Vec<u8>, Found>);

#[derive(Debug)]
struct Found {
    position: Option<Position>,
    is_own: bool,
}

impl Freed {
    /// Whether the key is the row's own to delete.
    pub(super) fn may_delete(&self, key: &[u8]) -> bool {
        self.0.get(key).is_none_or(|found| found.is_own)
    }

    /// Demands that what was found still holds.
    pub(super) fn expect(&self, set: &mut WriteSet) {
        for (key, found) in &self.0 {
            match found.position {
                Some(position) => set.expect_written_at(key.clone(), position),
                None => set.expect_absent(key.clone()),
            };
        }
    }
}

impl Save<'_> {
    /// Looks up who holds the keys that rows free, where they are being built.
    pub(super) async fn check_building(&mut self) -> Result<()> {
        for row in &mut self.segment.rows {
            if row.object.indexes.unique_building.is_empty() {
                continue;
            }
            let mut freed = Freed::default();
            for key in keys_being_built(row) {
                let found = self.records.store().get(&key).await?;
                let is_own = match &found {
                    Some(found) => id_of(&found.value)? == row.after.id,
                    None => false,
                };
                freed.0.insert(key, Found { position: found.map(|found| found.position), is_own });
            }
            row.freed = freed;
        }
        Ok(())
    }
}

fn keys_being_built(row: &Row) -> Vec<Vec<u8>> {
    let indexes = &row.object.indexes;
    let Some(before) = &row.before else { return Vec::new() };
    let after = entries::unique(indexes, &row.after);
    let before = entries::unique(indexes, &before.record).into_iter();
    let freed =
        before.filter(|(key, field)| indexes.unique_building.contains(field) && !after.contains_key(key));
    freed.map(|(key, _)| key).collect()
}
