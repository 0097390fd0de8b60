/// The limits and habits of columns. Every number has its unit in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Rows of a batch at most (default 65,536).
    pub batch_rows_max: usize,
    /// Rows of a dataset of rows at most (default 20,000,000; each takes some 100 bytes while they are put in order, 16 after that).
    pub dataset_rows_max: usize,
    /// Bytes of the columns of a batch at most (default 8 MiB).
    pub batch_bytes_max: usize,
    /// Bytes that the figures of a dataset over the records of one object may take, for all customers together, while they are computed
    /// (default 1 GiB; a figure of a customer takes some 50 until it is finished, a text or day of it 4 more). Beyond them the run fails.
    pub figures_bytes_max: usize,
    /// Generations of a segmentation that are kept, the current one included (default 3).
    pub generations_kept: usize,
    /// Values of a segmentation at most (default 1,000; never over 65,534).
    pub values_max: usize,
    /// Past dates whose features are kept in memory (default 4).
    pub as_of_kept: usize,
    /// Log entries read at once (default 64; an entry may hold 200 changes).
    pub log_page_entries: usize,
    /// Log entries whose changes are looked for at once by whoever follows a dataset (default 2,000).
    pub followed_entries_max: u64,
    /// Changes folded into features before checkpoint files are written anew (default 200,000).
    pub checkpoint_changes: u64,
    /// Events read at once by a scan (default 32,768).
    pub events_page_rows: usize,
    /// Members of a page at most (default 200).
    pub members_page_max: usize,
    /// Deltas of a segmentation before they are folded into its blocks (default 10,000).
    pub deltas_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            batch_rows_max: 65_536,
            dataset_rows_max: 20_000_000,
            batch_bytes_max: 8 << 20,
            figures_bytes_max: 1 << 30,
            generations_kept: 3,
            values_max: 1_000,
            as_of_kept: 4,
            log_page_entries: 64,
            followed_entries_max: 2_000,
            checkpoint_changes: 200_000,
            events_page_rows: 32_768,
            members_page_max: 200,
            deltas_max: 10_000,
        }
    }
}
