/// The limits and habits of full-text search. Every number has its unit in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Memory that waits to be written to the index, in bytes (default 32 MiB, at least 15 MB). While the index is built anew, twice.
    pub writer_heap_bytes: usize,
    /// How long what changed may wait until it can be found, in milliseconds (default 500).
    pub commit_interval_ms: u64,
    /// Records that may wait for it (default 20,000).
    pub commit_documents_max: usize,
    /// Log entries read at once (default 100; an entry may hold 200 changes).
    pub log_page_entries: usize,
    /// Records that a text may find in a list (default 10,000). Beyond, the best count and the total says that it is not exact.
    pub query_hits_max: usize,
    /// Characters of a query (default 200). A longer one is refused.
    pub query_chars_max: usize,
    /// Words of a part of the index that the beginning of one may stand for (default 10,000). Beyond, the first in their order count.
    pub prefix_words_max: usize,
    /// Records that a search over several objects may read to find those that the caller may see (default 1,000).
    pub find_reads_max: usize,
    /// Time before a failed write of the index is tried again, in milliseconds (default 5,000).
    pub retry_delay_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            writer_heap_bytes: 32 << 20,
            commit_interval_ms: 500,
            commit_documents_max: 20_000,
            log_page_entries: 100,
            query_hits_max: 10_000,
            query_chars_max: 200,
            prefix_words_max: 10_000,
            find_reads_max: 1_000,
            retry_delay_ms: 5_000,
        }
    }
}
