use std::collections::BTreeMap;

use trellis_model::{Currency, FieldId, Record, Value};

use super::{Index, Indexes, encode};
use crate::codec::bytes::{Reader, Writer};
use crate::keys;
use crate::log::EventRef;
use crate::{Error, Result};

/// The keys that stand beside a record, with their values. A deleted record has none.
pub(crate) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The index entries of a record, its event among them, with amounts in the base currency.
pub(crate) fn of_record(
    indexes: &Indexes,
    record: &Record,
    event: Option<EventRef>,
    base: Currency,
) -> Entries {
    let mut entries = Entries::new();
    if record.is_deleted() {
        return entries;
    }
    for index in &indexes.indexes {
        if let Some(key) = key(index, record) {
            entries.insert(key, Vec::new());
        }
    }
    if let (Some(events), Some(event)) = (&indexes.events, event) {
        let key =
            keys::event(record.object, event.target_object, event.target_ordinal, event.time, record.id);
        entries.insert(key, event_value(record, &events.values, base));
    }
    for key in &indexes.match_keys {
        if let Some(key) = key.entry(record) {
            entries.insert(key, Vec::new());
        }
    }
    entries
}

/// The unique values of a record that is not deleted, each as its key with its field.
pub(crate) fn unique(indexes: &Indexes, record: &Record) -> BTreeMap<Vec<u8>, FieldId> {
    if record.is_deleted() {
        return BTreeMap::new();
    }
    let key = |field: &FieldId| {
        Some((keys::unique(record.object, *field, &encode::exact(record.fields.get(field)?)), *field))
    };
    indexes.unique.iter().filter_map(key).collect()
}

/// The entry of a record in an index; `None` where the index leaves it out.
pub(crate) fn key(index: &Index, record: &Record) -> Option<Vec<u8>> {
    let mut key = keys::index(record.object, index.number).done();
    for (place, column) in index.columns.iter().enumerate() {
        let value = column.value(record);
        if place == 0 && index.sparse && value.is_none() {
            return None;
        }
        encode::append(&mut key, value.as_deref());
    }
    key.extend(record.id.as_bytes());
    Some(key)
}

/// The time of an event as its key holds it: days of a date, milliseconds of a time.
pub(crate) fn event_time(value: &Value) -> Option<i64> {
    match value {
        Value::Date(date) => Some(i64::from(Value::days_of(*date))),
        Value::Time(time) => Some(time.as_millisecond()),
        _ => None,
    }
}

/// A bit for each value that is there, eight in a byte, then eight bytes for each value.
fn event_value(record: &Record, values: &[FieldId], base: Currency) -> Vec<u8> {
    let mut flags = vec![0_u8; values.len().div_ceil(8)];
    let mut writer = Writer::default();
    for (place, field) in values.iter().enumerate() {
        let bits = record.fields.get(field).and_then(|value| event_bits(value, base));
        if let (Some(_), Some(flag)) = (bits, flags.get_mut(place / 8)) {
            *flag |= 1 << (place % 8);
        }
        writer.raw(&bits.unwrap_or_default().to_be_bytes());
    }
    flags.extend(writer.0);
    flags
}

/// Money in minor units of the base currency, whole numbers and numbers as they are.
fn event_bits(value: &Value, base: Currency) -> Option<u64> {
    match value {
        Value::Integer(number) => Some(number.cast_unsigned()),
        Value::Number(number) => Some(number.to_bits()),
        Value::Money(money) => money.minor_units_in(base).map(i64::cast_unsigned),
        _ => None,
    }
}

/// Takes an event's value apart: calls `each` with place and bits, `None` for null.
#[inline]
pub(crate) fn read_event(value: &[u8], count: usize, mut each: impl FnMut(usize, Option<u64>)) -> Result<()> {
    let mut reader = Reader(value);
    let flags = reader.take(count.div_ceil(8))?;
    for place in 0..count {
        let bits = u64::from_be_bytes(reader.array()?);
        let there = flags.get(place / 8).is_some_and(|flag| flag >> (place % 8) & 1 == 1);
        each(place, there.then_some(bits));
    }
    if reader.is_empty() {
        Ok(())
    } else {
        Err(Error::damaged("an event has more values than its object declares"))
    }
}
