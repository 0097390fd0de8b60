//! A walk over every row of sled while commits go on, which ends with sums that are exact as of one position.
//!
//! It reads a chunk at a time under the lock that the applier holds for a group. Rows behind the walk's place that a group
//! changes are corrected in its sums, so that neither side waits for the other's whole work.

use parking_lot::MutexGuard;
use trellis_storage::{Error, Result, ScanRange};

use crate::frame::Place;
use crate::shared::{Applied, Shared};
use crate::state::StoredRow;
use crate::sums::{Digester, Sums};

/// Rows read under one hold of the lock: about two milliseconds.
const CHUNK_ROWS: usize = 2_048;

/// The state of a walk that is under way.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The last key that was read.
    last_key: Option<sled::IVec>,
    sums: Sums,
    digester: Digester,
}

impl Walk {
    /// Follows a change of a row that the walk has read already.
    pub(crate) fn correct(&mut self, key: &[u8], before: Option<&[u8]>, position: u64, value: Option<&[u8]>) {
        if self.last_key.as_ref().is_none_or(|last| key > &last[..]) {
            return;
        }
        if let Some(stored) = before {
            self.sums.remove_row(key, self.digester.stored(key, stored));
        }
        if let Some(value) = value {
            self.sums.add_row(key, self.digester.row(key, position, value));
        }
    }
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Every commit up to here was seen.
    pub(crate) from: u64,
    /// No commit after here was seen; the sums are as of here.
    pub(crate) to: u64,
    /// Where in the journal the first group after `from` begins.
    pub(crate) place: Place,
    pub(crate) expected: Sums,
    pub(crate) found: Sums,
}

/// Reads every row, handing chunks to `on_rows`. Only one walk can be under way: callers hold the snapshots' lock.
///
/// # Errors
/// [`Error::Stopped`] when the store stops or closes meanwhile; whatever `on_rows` fails with.
pub(crate) fn walk(shared: &Shared, mut on_rows: impl FnMut(&[StoredRow]) -> Result<()>) -> Result<Walked> {
    let (from, place) = {
        let mut applied = shared.applied.lock();
        applied.walk = Some(Walk::default());
        (applied.position, applied.place)
    };
    let walked = (|| {
        loop {
            shared.check_running()?;
            if shared.is_closing() {
                return Err(Error::Stopped { reason: "the store is being closed".into() });
            }
            let mut applied = shared.applied.lock();
            let rows = next_chunk(shared, &mut applied)?;
            if rows.is_empty() {
                let found = applied.walk.take().map(|walk| walk.sums).unwrap_or_default();
                let expected = applied.sums.clone();
                return Ok(Walked { from, to: applied.position, place, expected, found });
            }
            // The applier must get its turn.
            MutexGuard::unlock_fair(applied);
            on_rows(&rows)?;
        }
    })();
    shared.applied.lock().walk = None;
    walked
}

fn next_chunk(shared: &Shared, applied: &mut Applied) -> Result<Vec<StoredRow>> {
    let Some(walk) = &mut applied.walk else { return Ok(Vec::new()) };
    let mut range = ScanRange::prefix(b"");
    if let Some(last) = &walk.last_key {
        range = range.after(last);
    }
    let rows = shared.state.rows(&range).take(CHUNK_ROWS).collect::<Result<Vec<_>, _>>();
    let rows = rows.map_err(|fault| shared.state_failed(&fault))?;
    for row in &rows {
        walk.sums.add_row(&row.key, walk.digester.stored(&row.key, &row.stored));
    }
    if let Some(last) = rows.last() {
        walk.last_key = Some(last.key.clone());
    }
    Ok(rows)
}
