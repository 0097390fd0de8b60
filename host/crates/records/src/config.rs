use jiff::tz::TimeZone;
use trellis_model::{Currency, FilterLimits};

use crate::Country;

/// What the organisation decides about its records.
#[derive(Debug, Clone)]
pub struct Config {
    /// The currency of sums, sorts and features (default USD). Fixed once an amount is stored.
    pub base_currency: Currency,
    /// The time zone of "today" and of a day that is compared with a moment (default UTC).
    pub time_zone: TimeZone,
    /// The country whose telephone numbers need no prefix, where a record names none (default CN).
    pub country: Country,
    /// The limits.
    pub limits: Limits,
}

/// Limits on reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records of a page (default 200).
    pub page_rows_max: usize,
    /// Records of a page where the caller does not say (default 50).
    pub page_rows_default: usize,
    /// Index rows or records that one list may look at (default 100,000). A page that stops there says so in its plan.
    pub scan_rows_max: usize,
    /// Index rows that one list gathers to sort them before it prefers to walk an index in sort order (default 5,000).
    pub gather_rows_max: usize,
    /// Records that one count may look at (default 2,000,000).
    pub count_rows_max: usize,
    /// Fields of a sort (default 4).
    pub sorts_max: usize,
    /// The limits on filters.
    pub filter: FilterLimits,
    /// Rows of a batch of writes (default 200).
    pub batch_rows_max: usize,
    /// Bytes of a record's fields (default 256 KiB).
    pub record_bytes_max: usize,
    /// Fields of a record that are not null (default 1,000).
    pub fields_per_record_max: usize,
    /// How often a save starts again because somebody else changed what it had read (default 8).
    pub save_attempts_max: usize,
    /// Ordinals that are reserved at once (default 1,000).
    pub ordinal_block: u64,
    /// Rows of a page of events (default 65,536).
    pub event_rows_max: usize,
    /// Entries of a page of the log (default 1,000).
    pub log_entries_max: usize,
    /// Objects of the schema (default 500).
    pub objects_max: usize,
    /// Fields of an object, retired ones too (default 500).
    pub fields_per_object_max: usize,
    /// Options of a choice, retired ones too (default 1,000).
    pub options_max: usize,
    /// Bytes of an object's definition (default 1 MiB).
    pub definition_bytes_max: usize,
    /// Indexes of an object, those of references and unique fields too (default 64).
    pub indexes_per_object_max: usize,
    /// Bytes of a formula (default 4 KiB).
    pub formula_bytes_max: usize,
    /// Index rows or records that one aggregate may look at (default 2,000,000).
    pub aggregate_rows_max: usize,
    /// Memory that the groups of one aggregate may take, in bytes (default 64 MiB).
    pub aggregate_bytes_max: usize,
    /// Groups of an aggregate (default 10,000).
    pub groups_max: usize,
    /// Fields that an aggregate groups by (default 3).
    pub group_fields_max: usize,
    /// What one aggregate reckons for each group (default 20).
    pub measures_max: usize,
    /// Contacts, and deals, of an account whose comments and attachments its timeline shows too: the youngest ones of each (default 20, at
    /// most `page_rows_max`).
    pub timeline_related_max: usize,
    /// Records that agree in what duplicates are found by, and are still compared (default 500): a name that more of them have says little.
    pub block_rows_max: usize,
    /// Duplicates of one record that are named (default 20).
    pub duplicates_max: usize,
    /// Pairs that one scan for duplicates writes (default 100,000).
    pub pairs_max: usize,
    /// Records that are merged into another at once (default 10).
    pub merge_records_max: usize,
    /// Log entries that one undo may be about (default 1,000,000, which takes 8 MB while it runs).
    pub undo_entries_max: usize,
    /// Days for which the log tells what was before and after a change (default 400; 0 for ever). Undo, history and looking back end there.
    pub payload_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_rows_max: 200,
            page_rows_default: 50,
            scan_rows_max: 100_000,
            gather_rows_max: 5_000,
            count_rows_max: 2_000_000,
            sorts_max: 4,
            filter: FilterLimits::default(),
            batch_rows_max: 200,
            record_bytes_max: 256 << 10,
            fields_per_record_max: 1_000,
            save_attempts_max: 8,
            ordinal_block: 1_000,
            event_rows_max: 65_536,
            log_entries_max: 1_000,
            objects_max: 500,
            fields_per_object_max: 500,
            options_max: 1_000,
            definition_bytes_max: 1 << 20,
            indexes_per_object_max: 64,
            formula_bytes_max: 4 << 10,
            aggregate_rows_max: 2_000_000,
            aggregate_bytes_max: 64 << 20,
            groups_max: 10_000,
            group_fields_max: 3,
            measures_max: 20,
            timeline_related_max: 20,
            block_rows_max: 500,
            duplicates_max: 20,
            pairs_max: 100_000,
            merge_records_max: 10,
            undo_entries_max: 1_000_000,
            payload_days: 400,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_currency: Currency::new("USD").expect("three capital letters"),
            time_zone: TimeZone::UTC,
            country: Country::new("CN").expect("a country of ISO 3166"),
            limits: Limits::default(),
        }
    }
}
