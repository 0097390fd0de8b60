use trellis_model::Text;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows of the file that were looked at: all of them, unless it was cancelled.
    pub rows: u64,
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
    /// Counts a refused row.
    pub(super) fn add_failure(&mut self, errors: Vec<RowError>, errors_kept_max: usize) {
        self.rows += 1;
        self.failed += 1;
        self.errors_found += errors.len() as u64;
        let room = errors_kept_max.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }
}
