//! All writes of a batch or none.

use trellis_model::bilingual;

use super::segment::{Memory, Segment};
use super::{AlsoCommit, Batch, DuplicateCheck, Taken, Write, Written};
use crate::{Caller, Error, Records, Result};

impl Records {
    /// Makes all changes in one write set, or none of them. Where one is refused, it has its own error and each other one
    /// [`Error::NotDone`].
    ///
    /// A change of a record that an earlier one of the batch touches needs a write set of its own, and so is refused here.
    ///
    /// # Errors
    /// As [`Records::write_batch`].
    pub async fn write_whole_batch(
        &self,
        caller: &Caller,
        writes: Vec<Write>,
        also: &AlsoCommit<'_>,
        check: &DuplicateCheck,
    ) -> Result<Vec<Result<Written>>> {
        self.check_batch_size(writes.len())?;
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let also = |taken: Taken<'_>| also(taken.end);
        let batch = Batch { caller, writes: &writes, also: &also, whole: true, check };
        self.write_segment(batch, 0, &mut Memory::default()).await
    }
}

/// What becomes of the writes where not all of them can be committed at once; `None` where they can.
pub(super) fn refused(
    segment: &mut Segment,
    memory: &mut Memory,
    count: usize,
) -> Option<Vec<Result<Written>>> {
    if memory.refused.is_empty() && segment.done.values().all(Result::is_ok) && segment.end == count {
        return None;
    }
    let mut errors = std::mem::take(&mut memory.refused);
    let failed = std::mem::take(&mut segment.done).into_iter();
    errors.extend(failed.filter_map(|(number, result)| Some((number, result.err()?))));
    let because_of = errors.keys().next().copied().unwrap_or(segment.end);
    errors.entry(because_of).or_insert_with(|| {
        Error::Query(bilingual!(
            "operation {because_of} is about what an earlier one changes, or does not fit into one step with the others",
            "第 {because_of} 项操作涉及前面操作已更改的内容，或无法与其他操作一步完成"
        ))
    });
    let result = |number| Err(errors.remove(&number).unwrap_or(Error::NotDone { because_of }));
    Some((0..count).map(result).collect())
}
