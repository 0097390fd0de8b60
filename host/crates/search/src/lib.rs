//! Full-text search over all text of records: a reader of the log with an index of its own, which can be thrown away and rebuilt.
