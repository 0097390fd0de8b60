use std::collections::BTreeSet;

use trellis_model::{FieldId, Fields, ObjectId, Record, RecordId, Value};

use super::bytes::{Reader, Writer};
use super::{chunks, value};
use crate::Result;

const DELETED: u8 = 1;
const HAS_ORDINAL: u8 = 2;

/// Writes what stands in a record's body: flags, times, ordinal, then each field as number, length, value.
pub(crate) fn body(record: &Record) -> Vec<u8> {
    let mut writer = Writer::default();
    let deleted = u8::from(record.deleted_at_ms.is_some()) * DELETED;
    let has_ordinal = u8::from(record.ordinal.is_some()) * HAS_ORDINAL;
    writer.u8(deleted | has_ordinal);
    writer.signed(record.updated_at_ms);
    if let Some(deleted_at_ms) = record.deleted_at_ms {
        writer.signed(deleted_at_ms);
    }
    if let Some(ordinal) = record.ordinal {
        writer.varint(ordinal);
    }
    let mut scratch = Writer::default();
    for (id, field) in &record.fields {
        scratch.0.clear();
        value::write(&mut scratch, field);
        writer.varint(u64::from(id.0));
        writer.bytes(&scratch.0);
    }
    writer.0
}

/// When a record was created: the time in its id, so that ids sort by it and it needs no place of its own.
pub(crate) fn created_at_ms(id: RecordId) -> i64 {
    let (high, _) = id.0.as_u64_pair();
    i64::try_from(high >> 16).expect("48 bits")
}

/// A stored record that is read field by field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredRecord<'a> {
    pub(crate) updated_at_ms: i64,
    pub(crate) deleted_at_ms: Option<i64>,
    pub(crate) ordinal: Option<u64>,
    fields: Reader<'a>,
}

impl<'a> StoredRecord<'a> {
    /// Reads the header of a body; the fields are left as they are.
    pub(crate) fn new(body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader(body);
        let flags = reader.u8()?;
        let updated_at_ms = reader.signed()?;
        let deleted_at_ms = if flags & DELETED != 0 { Some(reader.signed()?) } else { None };
        let ordinal = if flags & HAS_ORDINAL != 0 { Some(reader.varint()?) } else { None };
        Ok(Self { updated_at_ms, deleted_at_ms, ordinal, fields: reader })
    }

    /// Reads all fields.
    pub(crate) fn fields(&self) -> Result<Fields> {
        let mut fields = Fields::new();
        let mut reader = self.fields;
        while !reader.is_empty() {
            let id = FieldId(reader.varint_u32()?);
            fields.insert(id, value::read(&mut Reader(reader.bytes()?))?);
        }
        Ok(fields)
    }

    /// Reads one field and skips the others.
    pub(crate) fn field(&self, wanted: FieldId) -> Result<Option<Value>> {
        let mut reader = self.fields;
        while !reader.is_empty() {
            let id = FieldId(reader.varint_u32()?);
            let bytes = reader.bytes()?;
            if id == wanted {
                return value::read(&mut Reader(bytes)).map(Some);
            }
        }
        Ok(None)
    }

    /// The record with some of its fields; the others are skipped.
    pub(crate) fn record_with(
        &self,
        object: ObjectId,
        id: RecordId,
        version: u64,
        last_log: u64,
        wanted: &BTreeSet<FieldId>,
    ) -> Result<Record> {
        let mut fields = Fields::new();
        let mut reader = self.fields;
        while !reader.is_empty() && fields.len() < wanted.len() {
            let field = FieldId(reader.varint_u32()?);
            let bytes = reader.bytes()?;
            if wanted.contains(&field) {
                fields.insert(field, value::read(&mut Reader(bytes))?);
            }
        }
        Ok(self.with(object, id, version, last_log, fields))
    }

    /// The whole record.
    pub(crate) fn record(
        &self,
        object: ObjectId,
        id: RecordId,
        version: u64,
        last_log: u64,
    ) -> Result<Record> {
        Ok(self.with(object, id, version, last_log, self.fields()?))
    }

    fn with(&self, object: ObjectId, id: RecordId, version: u64, last_log: u64, fields: Fields) -> Record {
        Record {
            id,
            object,
            version,
            ordinal: self.ordinal,
            created_at_ms: created_at_ms(id),
            updated_at_ms: self.updated_at_ms,
            deleted_at_ms: self.deleted_at_ms,
            last_log,
            fields,
        }
    }
}

/// Whether a record's first value says that it is deleted; nothing else is read.
pub(crate) fn is_deleted(first_value: &[u8]) -> bool {
    chunks::prefix(first_value)
        .ok()
        .and_then(|(_, body)| body.first().copied())
        .is_some_and(|flags| flags & DELETED != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_whole_and_field_by_field() {
        let id = RecordId(uuid::Uuid::from_u64_pair(1_700_000_000_000 << 16 | 0x7000, 1 << 63));
        let fields = [(1, Value::Text("名".into())), (300, Value::Integer(-3)), (301, Value::Bool(true))];
        let fields: Fields = fields.into_iter().map(|(id, value)| (FieldId(id), value)).collect();
        let record = Record {
            id,
            object: ObjectId(2),
            version: 9,
            ordinal: Some(1_000_000),
            created_at_ms: 1_700_000_000_000,
            updated_at_ms: 1_700_000_000_123,
            deleted_at_ms: Some(5),
            last_log: 4,
            fields,
        };
        let body = body(&record);
        let stored = StoredRecord::new(&body).unwrap();
        assert_eq!(stored.record(ObjectId(2), id, 9, 4).unwrap(), record);
        assert_eq!(stored.field(FieldId(300)).unwrap(), Some(Value::Integer(-3)));
        assert_eq!(stored.field(FieldId(2)).unwrap(), None);
        let (first, _) = chunks::split(b"key", &body);
        assert!(is_deleted(&first));
    }
}
