use std::time::Duration;

/// The limits of the HTTP server. The name of each is its key in the configuration, under `[http]`.
///
/// Besides these, a request line and its headers together take at most 32 KiB and 100 headers, or the connection answers 431.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Requests in work at a time; more are answered 503 at once (default 512).
    pub requests_max: usize,
    /// Uploads of plugins and import files in work at a time; more are answered 429 (default 4).
    pub uploads_max: usize,
    /// Connections at a time; more wait to be accepted (default 4,096).
    pub connections_max: usize,
    /// How long a request may take, in milliseconds (default 30,000); then 503.
    pub request_timeout_ms: u64,
    /// How long an upload may take, in milliseconds (default 600,000); then 503.
    pub upload_timeout_ms: u64,
    /// How long the head of a request may take to arrive, in milliseconds (default 10,000); then the connection is closed.
    pub header_timeout_ms: u64,
    /// How long running requests may take to end when the server stops, in milliseconds (default 25,000).
    pub drain_timeout_ms: u64,
    /// Bytes of the path and query of a request (default 8 KiB); more is 414.
    pub uri_bytes_max: usize,
    /// Bytes of a JSON body (default 1 MiB); more is 413.
    pub json_bytes_max: usize,
    /// Bytes of a plugin (default 32 MiB); more is 413.
    pub plugin_bytes_max: usize,
    /// Bytes of a file to import (default 1 GiB); more is 413. The file is streamed to disk and never held in memory.
    pub import_bytes_max: u64,
    /// Bytes of the mapping of an import (default 256 KiB); more is 413.
    pub mapping_bytes_max: usize,
    /// Bytes of an attachment (default 25 MiB); more is 413. The file is streamed to disk and never held in memory.
    pub attachment_bytes_max: u64,
    /// Entries of the change feed in one answer (default 1,000).
    pub changes_max: usize,
    /// Members of a segment in one answer (default 200).
    pub members_max: usize,
    /// Fields in a `sort` (default 3).
    pub sort_fields_max: usize,
    /// Names in an `include`, and paths such as `account.name` in a `fields` (default 5).
    pub include_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            requests_max: 512,
            uploads_max: 4,
            connections_max: 4_096,
            request_timeout_ms: 30_000,
            upload_timeout_ms: 600_000,
            header_timeout_ms: 10_000,
            drain_timeout_ms: 25_000,
            uri_bytes_max: 8 << 10,
            json_bytes_max: 1 << 20,
            plugin_bytes_max: 32 << 20,
            import_bytes_max: 1 << 30,
            mapping_bytes_max: 256 << 10,
            attachment_bytes_max: 25 << 20,
            changes_max: 1_000,
            members_max: 200,
            sort_fields_max: 3,
            include_max: 5,
        }
    }
}

impl Config {
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(crate) fn upload_timeout(&self) -> Duration {
        Duration::from_millis(self.upload_timeout_ms)
    }
}
