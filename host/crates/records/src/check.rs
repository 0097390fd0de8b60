use crate::{Records, Result};

/// What a check of all records, indexes and the log found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Records that were read, deleted ones too.
    pub records: u64,
    /// Index entries, unique keys, events and ordinals that were read.
    pub index_rows: u64,
    /// Log entries that were read.
    pub log_entries: u64,
    /// What does not agree, each named; the first 1,000.
    pub differences: Vec<String>,
    /// How many differences there are.
    pub differences_total: u64,
}

impl CheckReport {
    /// Whether everything agrees.
    pub fn is_clean(&self) -> bool {
        self.differences_total == 0
    }
}

impl Records {
    /// Reads everything and compares records with indexes, unique keys, events, ordinals and the log.
    ///
    /// # Errors
    /// Those of the store; what does not agree is no error but in the report. Nothing may be written meanwhile.
    pub async fn check(&self) -> Result<CheckReport> {
        unimplemented!()
    }
}
