use std::collections::BTreeMap;

use parking_lot::RwLock;
use trellis_model::{ObjectId, RecordId};
use trellis_storage::{ScanRange, Store, WriteSet};

use crate::{Error, Records, Result, Schema, keys, records::counter};

/// Hands out ordinals from blocks that it reserves in the store. What is left of a block at a stop is a gap.
#[derive(Debug)]
pub(crate) struct Ordinals {
    block: u64,
    /// Next and exclusive last ordinal of the current block; the lock is held while a block is reserved.
    blocks: tokio::sync::Mutex<BTreeMap<ObjectId, (u64, u64)>>,
    bounds: RwLock<BTreeMap<ObjectId, u64>>,
}

impl Ordinals {
    pub(crate) async fn open(store: &dyn Store, schema: &Schema, block: u64) -> Result<Self> {
        let mut bounds = BTreeMap::new();
        for object in schema.objects().filter(|object| object.ordinals) {
            if let Some(found) = store.get(&keys::ordinal_counter(object.id)).await? {
                bounds.insert(object.id, counter(&found)?);
            }
        }
        Ok(Self { block, blocks: tokio::sync::Mutex::default(), bounds: RwLock::new(bounds) })
    }

    /// The next ordinal of an object.
    pub(crate) async fn next(&self, store: &dyn Store, object: ObjectId) -> Result<u64> {
        let mut blocks = self.blocks.lock().await;
        let current = blocks.entry(object).or_default();
        if current.0 == current.1 {
            let mut set = WriteSet::new();
            set.add(keys::ordinal_counter(object), self.block.cast_signed());
            let committed = store.commit(set).await?;
            let end = committed
                .counters
                .first()
                .copied()
                .ok_or_else(|| Error::damaged("a commit answered no counter"))?;
            *current = (end - self.block, end);
        }
        let ordinal = current.0;
        current.0 += 1;
        self.bounds.write().insert(object, ordinal + 1);
        Ok(ordinal)
    }
}

impl Records {
    /// An exclusive bound of the ordinals that were handed out for an object.
    pub fn ordinal_bound(&self, object: ObjectId) -> u64 {
        self.ordinals.bounds.read().get(&object).copied().unwrap_or_default()
    }

    /// The records of ordinals, each `None` where there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ordinal_ids(&self, object: ObjectId, ordinals: &[u64]) -> Result<Vec<Option<RecordId>>> {
        let mut ids = Vec::with_capacity(ordinals.len());
        for ordinal in ordinals {
            let found = self.store().get(&keys::ordinal(object, *ordinal)).await?;
            ids.push(found.map(|found| id_of(&found.value)).transpose()?);
        }
        Ok(ids)
    }

    /// Up to `rows_max` ordinals over `after`, ascending, with their records (deleted ones too).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ordinals_after(
        &self,
        object: ObjectId,
        after: Option<u64>,
        rows_max: usize,
    ) -> Result<Vec<(u64, RecordId)>> {
        let mut range = ScanRange::prefix(&keys::ordinals_of(object).done());
        if let Some(after) = after {
            range = range.after(&keys::ordinal(object, after));
        }
        let page = self.store().scan(range, rows_max).await?;
        let row = |row: &trellis_storage::Row| {
            let ordinal =
                row.key.last_chunk::<8>().ok_or_else(|| Error::damaged("an ordinal's key is too short"))?;
            Ok((u64::from_be_bytes(*ordinal), id_of(&row.value)?))
        };
        page.rows.iter().map(row).collect()
    }
}

/// The id that a value consists of.
pub(crate) fn id_of(value: &[u8]) -> Result<RecordId> {
    let bytes = <[u8; 16]>::try_from(value).map_err(|_| Error::damaged("an id is not 16 bytes"))?;
    Ok(RecordId(uuid::Uuid::from_bytes(bytes)))
}
