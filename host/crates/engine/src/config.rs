//! What the engine is started with.

/// Limits of the engine. Read once from the configuration file by the binary and passed down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Jobs that run at once; each has a thread of its own (default 2).
    pub jobs_parallel_max: usize,
    /// Jobs that may wait for a thread (default 1,000); one more is refused.
    pub jobs_queued_max: usize,
    /// How often a job's progress is written down, in milliseconds (default 1,000). It is always current in memory.
    pub job_progress_save_ms: u64,
    /// How often a job is started again that a crash or stop of the server interrupted (default 3); then it stays interrupted.
    pub job_attempts_max: u32,
    /// Finished jobs that are kept (default 10,000); the oldest go at start.
    pub jobs_kept_max: usize,
    /// Rows of a batch that goes to a plugin (default 65,536, which is the most that the interface allows).
    pub batch_rows_max: u32,
    /// Batches of one run that are assigned at once (default: the number of cores).
    pub assign_parallel_max: usize,
    /// Rounds in which a run, after its flip, assigns again who changed while it ran (default 3). The log reader does the rest.
    pub catch_up_rounds_max: u32,
    /// How often customers who changed are assigned again with the last model of each enabled plugin, in milliseconds (default 1,000).
    pub follow_interval_ms: u64,
    /// Runs of a plugin whose model is kept (default 4): those that can be explained and rolled back to.
    pub models_kept_per_plugin: usize,
    /// Rows that a plugin could not assign and that are named in the result of a run (default 100); the others are counted.
    pub failed_rows_kept_max: usize,
    /// The limits of imports.
    pub import: trellis_records::import::Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            jobs_parallel_max: 2,
            jobs_queued_max: 1_000,
            job_progress_save_ms: 1_000,
            job_attempts_max: 3,
            jobs_kept_max: 10_000,
            batch_rows_max: 65_536,
            assign_parallel_max: std::thread::available_parallelism().map_or(1, usize::from),
            catch_up_rounds_max: 3,
            follow_interval_ms: 1_000,
            models_kept_per_plugin: 4,
            failed_rows_kept_max: 100,
            import: trellis_records::import::Limits::default(),
        }
    }
}
