use trellis_model::Text;

use super::checkpoint::Counts;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows of the file that were looked at: all that are not left out, unless it was cancelled.
    pub rows: u64,
    /// Rows that were left out on purpose, by the reason that the mapping gives.
    pub dropped: Vec<Dropped>,
    /// Records that rows created.
    pub created: u64,
    /// Records that rows changed.
    pub updated: u64,
    /// Rows whose record was so already.
    pub unchanged: u64,
    /// Rows that were refused.
    pub failed: u64,
    /// Records that references created.
    pub created_references: u64,
    /// What is wrong with the refused rows, in the order of the file; a row can have several. The first `errors_kept_max`.
    pub errors: Vec<RowError>,
    /// How many errors there were, those that are not kept included.
    pub errors_found: u64,
    /// Whether it was cancelled before the end. What it wrote stays.
    pub cancelled: bool,
}

/// Rows that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Why.
    pub reason: Text,
    /// How many.
    pub rows: u64,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The line of the file at which the row begins, from 1.
    pub line: u64,
    /// The number of the row, from 1; neither the header nor empty lines count.
    pub row: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// Stable: listed in `host/docs/formats/import-mapping.md`.
    pub code: &'static str,
    /// For people; names the input.
    pub message: Text,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it does.
    pub phase: Phase,
    /// Rows or keys that are done.
    pub done: u64,
    /// How many there are; `None` while that is being found out.
    pub total: Option<u64>,
}

/// What an import does, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reads the file once, checks it, gathers the keys of references. Counts rows.
    Reading,
    /// Finds or creates the records that rows refer to. Counts keys.
    References,
    /// Writes the rows. Counts rows.
    Rows,
}

impl ImportReport {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            rows: self.rows,
            created: self.created,
            updated: self.updated,
            unchanged: self.unchanged,
            failed: self.failed,
            errors_found: self.errors_found,
            created_references: self.created_references,
        }
    }

    /// Goes on from what an earlier attempt counted.
    pub(super) fn after(counts: &Counts) -> Self {
        Self {
            rows: counts.rows,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            failed: counts.failed,
            errors_found: counts.errors_found,
            created_references: counts.created_references,
            ..Self::default()
        }
    }

    /// Counts a refused row.
    pub(super) fn add_failure(&mut self, errors: Vec<RowError>, errors_kept_max: usize) {
        self.rows += 1;
        self.failed += 1;
        self.errors_found += errors.len() as u64;
        let room = errors_kept_max.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }
}
