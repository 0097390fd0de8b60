//! What a batch would do, without doing it.

use std::collections::BTreeSet;

use trellis_model::{ObjectId, RecordId};

use super::prepare::Save;
use super::segment::{Memory, Segment};
use super::{DuplicateCheck, Write, Written, finish};
use crate::{Caller, Committed, Records, Result};
use trellis_storage::Position;

/// What a trial takes for granted.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// Records that are taken to be there although they are not: those that an import would create first.
    pub assumed: BTreeSet<(ObjectId, RecordId)>,
}

impl Records {
    /// Sends writes through the whole save pipeline, hooks included, and commits nothing: what would become of each. Versions and
    /// ordinals are not given out. Each write set sees the store as it is, so a write does not see an earlier one of the batch that is
    /// about the same record.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn try_batch(
        &self,
        caller: &Caller,
        writes: &[Write],
        trial: &Trial,
    ) -> Result<Vec<Result<Written>>> {
        self.check_batch_size(writes.len())?;
        let mut results = Vec::with_capacity(writes.len());
        while results.len() < writes.len() {
            let mut memory = Memory { trial: Some(trial.clone()), ..Memory::default() };
            let start = results.len();
            let segment = self.try_segment(caller, writes, start, &mut memory).await?;
            let nowhere = Committed { position: Position(0), log_number: None, counters: Vec::new() };
            results.extend(finish(self, caller, segment, &mut memory, start, Some(nowhere)));
        }
        Ok(results)
    }

    async fn try_segment(
        &self,
        caller: &Caller,
        writes: &[Write],
        start: usize,
        memory: &mut Memory,
    ) -> Result<Segment> {
        loop {
            let now_ms = self.clock().now_ms();
            let mut save = Save { records: self, caller, now_ms, memory, segment: Segment::default() };
            save.prepare(writes, start).await?;
            let check = DuplicateCheck::default();
            if !(save.run_hooks().await?
                || save.check_unique().await?
                || save.check_duplicates(&check).await?)
            {
                return Ok(save.segment);
            }
        }
    }
}
