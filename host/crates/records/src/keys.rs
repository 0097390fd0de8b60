//! The keys of this crate. Kinds 0x01 to 0x3f are its own; `host/docs/formats/records.md` describes them.

use trellis_model::{FieldId, ObjectId, RecordId};

/// The first byte of a key. A number is never given to another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum KeyKind {
    /// object, id → the record, or its first part.
    Record = 0x01,
    /// object, id, part → a further part of a long record.
    RecordChunk = 0x02,
    /// log number, part → who, when, why and which records.
    LogHeader = 0x03,
    /// log number, part → what changed.
    LogPayload = 0x04,
    /// → the last log number.
    LogCounter = 0x05,
    /// object, part → its definition.
    Object = 0x06,
    /// → the last object number.
    ObjectCounter = 0x07,
    /// object, index, values, id → nothing.
    Index = 0x08,
    /// object, ordinal → id.
    OrdinalToId = 0x09,
    /// object → exclusive bound of the ordinals that are reserved.
    OrdinalCounter = 0x0a,
    /// object, field, value → id of the record that has it.
    Unique = 0x0b,
    /// events object, target object, target ordinal, time, id → values.
    Event = 0x0c,
    /// → the base currency, from the first stored amount on.
    BaseCurrency = 0x0d,
    /// object → the schema version that last changed it.
    SchemaMark = 0x0e,
    /// → the schema version.
    SchemaCounter = 0x0f,
    /// schema version, part → what changed.
    SchemaVersion = 0x10,
    /// object, schema version, part → its definition from then on.
    SchemaObject = 0x11,
    /// object, kind of part, number → how far its build is.
    BuildCursor = 0x12,
    /// source, log number → nothing: which entries a job, rule, plugin or other entry led to.
    LogBy = 0x14,
    /// → the log number up to which payloads have expired.
    ExpiredPayloads = 0x15,
    /// object, field, method, digest of what is compared, id → nothing.
    MatchKey = 0x18,
    /// object, id of a record that was merged away → id of the one that it became part of.
    Alias = 0x19,
    /// object, id of a record that looked like another when it was saved → nothing.
    Suspect = 0x1a,
}

/// A key that is filled from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn new(kind: KeyKind) -> Self {
        let mut bytes = Vec::with_capacity(48);
        bytes.push(kind as u8);
        Self(bytes)
    }

    pub(crate) fn u16(self, number: u16) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(crate) fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(crate) fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A signed number such that bytes sort as numbers do.
    pub(crate) fn i64(self, number: i64) -> Self {
        self.u64(flip_sign(number))
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Maps signed numbers to unsigned ones in the same order.
pub(crate) fn flip_sign(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// Undoes [`flip_sign`].
pub(crate) fn unflip_sign(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

/// Where a log number is stamped into the keys of [`log_header`] and [`log_payload`].
pub(crate) const LOG_NUMBER_AT: usize = 1;

pub(crate) fn record(object: ObjectId, id: RecordId) -> Vec<u8> {
    records_of(object).bytes(id.as_bytes()).done()
}

pub(crate) fn records_of(object: ObjectId) -> Key {
    Key::new(KeyKind::Record).u32(object.0)
}

pub(crate) fn record_chunk(object: ObjectId, id: RecordId, part: u16) -> Vec<u8> {
    Key::new(KeyKind::RecordChunk).u32(object.0).bytes(id.as_bytes()).u16(part).done()
}

pub(crate) fn log_header(number: u64, part: u16) -> Vec<u8> {
    Key::new(KeyKind::LogHeader).u64(number).u16(part).done()
}

pub(crate) fn log_payload(number: u64, part: u16) -> Vec<u8> {
    Key::new(KeyKind::LogPayload).u64(number).u16(part).done()
}

pub(crate) fn log_counter() -> Vec<u8> {
    Key::new(KeyKind::LogCounter).done()
}

pub(crate) fn object(object: ObjectId, part: u16) -> Vec<u8> {
    Key::new(KeyKind::Object).u32(object.0).u16(part).done()
}

pub(crate) fn object_counter() -> Vec<u8> {
    Key::new(KeyKind::ObjectCounter).done()
}

pub(crate) fn schema_mark(object: ObjectId) -> Vec<u8> {
    Key::new(KeyKind::SchemaMark).u32(object.0).done()
}

pub(crate) fn schema_counter() -> Vec<u8> {
    Key::new(KeyKind::SchemaCounter).done()
}

pub(crate) fn schema_version(version: u64, part: u16) -> Vec<u8> {
    Key::new(KeyKind::SchemaVersion).u64(version).u16(part).done()
}

pub(crate) fn schema_objects_of(object: ObjectId) -> Key {
    Key::new(KeyKind::SchemaObject).u32(object.0)
}

pub(crate) fn schema_object(object: ObjectId, version: u64, part: u16) -> Vec<u8> {
    schema_objects_of(object).u64(version).u16(part).done()
}

pub(crate) fn build_cursor(object: ObjectId, part: crate::index::IndexPart) -> Vec<u8> {
    let key = Key::new(KeyKind::BuildCursor).u32(object.0);
    match part {
        crate::index::IndexPart::Index(number) => key.bytes(&[1]).u32(number),
        crate::index::IndexPart::Unique(field) => key.bytes(&[2]).u32(field),
        crate::index::IndexPart::Match(field, method) => key.bytes(&[3]).u32(field).bytes(&[method]),
    }
    .done()
}

pub(crate) fn base_currency() -> Vec<u8> {
    Key::new(KeyKind::BaseCurrency).done()
}

pub(crate) fn expired_payloads() -> Vec<u8> {
    Key::new(KeyKind::ExpiredPayloads).done()
}

pub(crate) fn index(object: ObjectId, index: u32) -> Key {
    Key::new(KeyKind::Index).u32(object.0).u32(index)
}

pub(crate) fn ordinal(object: ObjectId, ordinal: u64) -> Vec<u8> {
    ordinals_of(object).u64(ordinal).done()
}

pub(crate) fn ordinals_of(object: ObjectId) -> Key {
    Key::new(KeyKind::OrdinalToId).u32(object.0)
}

pub(crate) fn ordinal_counter(object: ObjectId) -> Vec<u8> {
    Key::new(KeyKind::OrdinalCounter).u32(object.0).done()
}

pub(crate) fn unique(object: ObjectId, field: FieldId, value: &[u8]) -> Vec<u8> {
    Key::new(KeyKind::Unique).u32(object.0).u32(field.0).bytes(value).done()
}

pub(crate) fn events_of(object: ObjectId, target: ObjectId) -> Key {
    Key::new(KeyKind::Event).u32(object.0).u32(target.0)
}

pub(crate) fn event(object: ObjectId, target: ObjectId, ordinal: u64, time: i64, id: RecordId) -> Vec<u8> {
    events_of(object, target).u64(ordinal).i64(time).bytes(id.as_bytes()).done()
}

/// The records that one field and method may take for the same, by the digest of what is compared.
pub(crate) fn match_keys_of(object: ObjectId, field: FieldId, method: u8) -> Key {
    Key::new(KeyKind::MatchKey).u32(object.0).u32(field.0).bytes(&[method])
}

pub(crate) fn alias(object: ObjectId, id: RecordId) -> Vec<u8> {
    Key::new(KeyKind::Alias).u32(object.0).bytes(id.as_bytes()).done()
}

pub(crate) fn suspect(object: ObjectId, id: RecordId) -> Vec<u8> {
    Key::new(KeyKind::Suspect).u32(object.0).bytes(id.as_bytes()).done()
}

/// The record id that a key ends with.
pub(crate) fn id_at_end(key: &[u8]) -> Option<RecordId> {
    key.last_chunk::<16>().map(|id| RecordId(uuid::Uuid::from_bytes(*id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_numbers() {
        use KeyKind::*;
        let kinds = [
            (Record, 0x01),
            (RecordChunk, 0x02),
            (LogHeader, 0x03),
            (LogPayload, 0x04),
            (LogCounter, 0x05),
            (Object, 0x06),
            (ObjectCounter, 0x07),
            (Index, 0x08),
            (OrdinalToId, 0x09),
            (OrdinalCounter, 0x0a),
            (Unique, 0x0b),
            (Event, 0x0c),
            (BaseCurrency, 0x0d),
            (SchemaMark, 0x0e),
            (SchemaCounter, 0x0f),
            (SchemaVersion, 0x10),
            (SchemaObject, 0x11),
            (BuildCursor, 0x12),
            (LogBy, 0x14),
            (ExpiredPayloads, 0x15),
            (MatchKey, 0x18),
            (Alias, 0x19),
            (Suspect, 0x1a),
        ];
        for (kind, number) in kinds {
            assert_eq!(kind as u8, number, "{kind:?}");
        }
    }

    #[test]
    fn keys_sort_as_their_parts_do() {
        let id = |n| RecordId(uuid::Uuid::from_u128(n));
        let at = |ordinal, time, n| event(ObjectId(5), ObjectId(2), ordinal, time, id(n));
        let ascending = [at(0, -5, 9), at(0, 3, 1), at(0, 3, 2), at(1, i64::MIN, 0), at(256, 0, 0)];
        assert!(ascending.is_sorted());
        assert_eq!(id_at_end(&at(0, 3, 2)), Some(id(2)));
        assert_eq!(unflip_sign(flip_sign(-5)), -5);
    }
}
