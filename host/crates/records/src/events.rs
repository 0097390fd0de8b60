use std::ops::Range;

use trellis_model::{Column, ObjectName, RecordId};
use trellis_storage::Position;

use crate::{Records, Result};

/// A place in the events of an object: after the row of this target, time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCursor {
    /// The ordinal of the target.
    pub ordinal: u64,
    /// The event's time, as in [`EventPage::times`].
    pub time: i64,
    /// The event's record.
    pub id: RecordId,
}

/// Events as columns, in the order of target ordinal, time, record id.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The target's ordinal of each row.
    pub ordinals: Vec<u64>,
    /// Days since 1970-01-01 where the time field is a date, milliseconds where it is a time.
    pub times: Vec<i64>,
    /// The position at which each row was written.
    pub positions: Vec<u64>,
    /// The event records.
    pub ids: Vec<RecordId>,
    /// The values that the covering index carries, in its order: whole numbers, numbers, or money in minor units of the base currency.
    pub values: Vec<Column>,
    /// Where to go on; `None` at the end.
    pub next: Option<EventCursor>,
    /// Every commit up to this position is in the page.
    pub from: Position,
    /// No commit after this position is in the page.
    pub to: Position,
}

impl Records {
    /// Returns a page of the events of the targets in `range`, without touching the records themselves.
    ///
    /// Pages of more than 200 rows belong on a thread of their own.
    ///
    /// # Errors
    /// [`Error::UnknownObject`](crate::Error::UnknownObject), [`Error::Query`](crate::Error::Query) for an object that is no events object.
    pub async fn events(
        &self,
        events_object: &ObjectName,
        range: Range<u64>,
        after: Option<EventCursor>,
        rows_max: usize,
    ) -> Result<EventPage> {
        let _ = (events_object, range, after, rows_max);
        unimplemented!()
    }
}
