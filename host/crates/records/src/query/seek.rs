//! Beginning a page at a value instead of at a cursor that an earlier page gave.

use jiff::Timestamp;
use trellis_model::{RecordId, SystemField, Value};
use uuid::Uuid;

use super::{Cursor, Query};
use crate::index::encode;

/// Which of the records at the very moment are still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// None of them.
    None,
    /// Those with a lower id.
    Below(RecordId),
    /// All of them.
    All,
}

/// The bits of a UUIDv7 beyond its time.
const AFTER_TIME: u128 = (1 << 80) - 1;

impl Query {
    /// Begins the page at a moment, for a query that sorts downwards by this one field: a date, a time or `created_at`.
    pub(crate) fn begin_at(&mut self, at: &Value, among: Among) {
        let by_creation =
            self.sort.first().is_some_and(|sort| sort.path.to_string() == SystemField::CreatedAt.name());
        let (lowest, highest) = match at {
            Value::Time(time) if by_creation => ids_at(*time),
            _ => (Uuid::nil(), Uuid::max()),
        };
        let id = match among {
            Among::None => RecordId(lowest),
            Among::Below(id) => id,
            Among::All => RecordId(highest),
        };
        let values = if by_creation {
            Vec::new()
        } else {
            let mut value = Vec::new();
            encode::append(&mut value, Some(at));
            vec![value]
        };
        self.after = Some(Cursor { query: super::list::digest(self), values, id });
    }
}

/// The bounds of the ids that were made at a moment.
fn ids_at(time: Timestamp) -> (Uuid, Uuid) {
    let ms = u128::try_from(time.as_millisecond()).unwrap_or_default();
    let lowest = ms << 80;
    (Uuid::from_u128(lowest), Uuid::from_u128(lowest | AFTER_TIME))
}
