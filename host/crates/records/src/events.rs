use std::ops::Range;

use trellis_model::{
    Column, ColumnData, Currency, FieldDefinition, FieldType, ObjectName, RecordId, Validity, bilingual,
};
use trellis_storage::{Position, Row, ScanRange};

use crate::codec::bytes::Reader;
use crate::index::entries;
use crate::keys::{self, unflip_sign};
use crate::{Error, Records, Result};

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
    /// Pages of more than 200 rows belong on a thread of their own; `event_rows_max` is the most.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Query`] for an object that is no events object.
    pub async fn events(
        &self,
        events_object: &ObjectName,
        range: Range<u64>,
        after: Option<EventCursor>,
        rows_max: usize,
    ) -> Result<EventPage> {
        let object = self.object(events_object)?;
        let no_events = || {
            Error::Query(bilingual!("{events_object} is no object of events", "{events_object} 不是事件对象"))
        };
        let events = object.indexes.events.as_ref().ok_or_else(no_events)?;
        let bound = |ordinal| keys::events_of(object.id, events.target_object).u64(ordinal).done();
        let mut scan = ScanRange { start: bound(range.start), end: Some(bound(range.end)), reverse: false };
        if let Some(after) = after {
            let key = keys::event(object.id, events.target_object, after.ordinal, after.time, after.id);
            let (start, past) = (scan.start.clone(), scan.after(&key));
            scan = ScanRange { start: past.start.max(start), ..past };
        }
        let page = self.store().scan(scan, rows_max.min(self.config().limits.event_rows_max)).await?;
        let mut columns = Builder::new(page.rows.len(), events.values.len());
        page.rows.iter().try_for_each(|row| columns.push(row))?;
        let next = if page.more { columns.last() } else { None };
        let fields = events.values.iter().map(|field| object.field_by_id(*field));
        let values = columns
            .values
            .into_iter()
            .zip(fields)
            .filter_map(|(value, field)| Some(value.column(field?, self.config().base_currency)));
        Ok(EventPage {
            values: values.collect(),
            ordinals: columns.ordinals,
            times: columns.times,
            positions: columns.positions,
            ids: columns.ids,
            next,
            from: page.from,
            to: page.to,
        })
    }
}

/// Columns that rows are taken apart into.
struct Builder {
    ordinals: Vec<u64>,
    times: Vec<i64>,
    positions: Vec<u64>,
    ids: Vec<RecordId>,
    values: Vec<ValueBuilder>,
}

struct ValueBuilder {
    bits: Vec<u64>,
    valid: Vec<bool>,
}

impl Builder {
    fn new(rows: usize, values: usize) -> Self {
        let value = || ValueBuilder { bits: Vec::with_capacity(rows), valid: Vec::with_capacity(rows) };
        Self {
            ordinals: Vec::with_capacity(rows),
            times: Vec::with_capacity(rows),
            positions: Vec::with_capacity(rows),
            ids: Vec::with_capacity(rows),
            values: (0..values).map(|_| value()).collect(),
        }
    }

    fn push(&mut self, row: &Row) -> Result<()> {
        // The key is kind (1), object (4), target object (4), then what a page shows.
        let mut key = Reader(&row.key);
        key.take(9)?;
        self.ordinals.push(u64::from_be_bytes(key.array()?));
        self.times.push(unflip_sign(u64::from_be_bytes(key.array()?)));
        self.ids.push(key.id()?);
        self.positions.push(row.position.0);
        let count = self.values.len();
        let mut values = self.values.iter_mut();
        entries::read_event(&row.value, count, |_, bits| {
            if let Some(value) = values.next() {
                value.bits.push(bits.unwrap_or_default());
                value.valid.push(bits.is_some());
            }
        })
    }

    fn last(&self) -> Option<EventCursor> {
        Some(EventCursor {
            ordinal: *self.ordinals.last()?,
            time: *self.times.last()?,
            id: *self.ids.last()?,
        })
    }
}

impl ValueBuilder {
    fn column(self, field: &FieldDefinition, base_currency: Currency) -> Column {
        let whole = |bits: Vec<u64>| bits.into_iter().map(u64::cast_signed).collect();
        let data = match field.field_type {
            FieldType::Number => ColumnData::Float64(self.bits.into_iter().map(f64::from_bits).collect()),
            FieldType::Money => {
                ColumnData::Money { currency: base_currency.to_string(), minor_units: whole(self.bits) }
            }
            _ => ColumnData::Int64(whole(self.bits)),
        };
        Column { name: field.name.to_string(), valid: Validity::from_flags(self.valid), data }
    }
}
