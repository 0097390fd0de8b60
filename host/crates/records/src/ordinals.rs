use trellis_model::{ObjectId, RecordId};

use crate::{Records, Result};

impl Records {
    /// An exclusive bound of the ordinals that were handed out for an object.
    pub fn ordinal_bound(&self, object: ObjectId) -> u64 {
        let _ = object;
        unimplemented!()
    }

    /// The records of ordinals, each `None` where there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ordinal_ids(&self, object: ObjectId, ordinals: &[u64]) -> Result<Vec<Option<RecordId>>> {
        let _ = (object, ordinals);
        unimplemented!()
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
        let _ = (object, after, rows_max);
        unimplemented!()
    }
}
