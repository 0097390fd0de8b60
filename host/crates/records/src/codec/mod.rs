//! What stands in values: records, log entries, field values. Described in `host/docs/formats/records.md`.

pub(crate) mod bytes;
pub(crate) mod chunks;
pub(crate) mod record;
pub(crate) mod value;
