/// Limits on one import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a mapping (default 64 KiB). A longer one is refused.
    pub mapping_bytes_max: usize,
    /// Columns of a header, and fields of a mapping (default 1,000). More refuse the import.
    pub columns_max: usize,
    /// Bytes of a row of the file, line feeds included (default 1 MiB). A longer row is a bad row and never in memory whole.
    pub line_bytes_max: usize,
    /// Bytes of a file (default 1 GiB). A larger one is refused.
    pub file_bytes_max: u64,
    /// Bytes that an XLSX workbook may unpack to (default 512 MiB), all its sheets and texts together. More refuse it before anything is
    /// kept.
    pub xlsx_bytes_max: u64,
    /// Rows of a file (default 2,000,000). More refuse the import before anything is written.
    pub rows_max: usize,
    /// Rows in one write set (default 200; never more than `batch_rows_max` of the records).
    pub batch_rows_max: usize,
    /// Batches that wait for their commit at the same time (default 8), so that a group commit takes several. Objects with
    /// ordinals are written one batch after the other, so that ordinals follow the rows.
    pub batches_in_flight_max: usize,
    /// Distinct keys of all references, which are kept in memory (default 1,000,000, about 150 bytes each). More refuse the
    /// import before anything is written.
    pub keys_in_memory_max: usize,
    /// Rows without an id, of which 16 bytes and a counter are kept in memory (default 5,000,000, about 35 bytes each). More
    /// refuse the import before anything is written.
    pub rows_without_id_max: usize,
    /// Errors that the report keeps (default 1,000). Further ones are counted.
    pub errors_kept_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mapping_bytes_max: 64 << 10,
            columns_max: 1_000,
            line_bytes_max: 1 << 20,
            file_bytes_max: 1 << 30,
            xlsx_bytes_max: 512 << 20,
            rows_max: 2_000_000,
            batch_rows_max: 200,
            batches_in_flight_max: 8,
            keys_in_memory_max: 1_000_000,
            rows_without_id_max: 5_000_000,
            errors_kept_max: 1_000,
        }
    }
}
