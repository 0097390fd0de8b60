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
    /// How long after customers who changed were evaluated again with the last model of each enabled plugin they are the next time,
    /// in milliseconds (default 20), but at least three times as long as that took. After a pause it happens at once.
    pub follow_interval_ms: u64,
    /// Models of a plugin that are kept, and runs whose model is (default 4): those that can be used, explained and gone back to. A pinned
    /// model is kept besides.
    pub models_kept_per_plugin: usize,
    /// Runs of a plugin whose inputs are kept (default 3): those that can be replayed, and explained with the data that they saw.
    pub capsules_kept_per_plugin: usize,
    /// Bytes of the file with the inputs and results of one run (default 256 MiB). A run that would need more has none and says so.
    pub capsule_bytes_max: u64,
    /// Days for which the inputs of a run are kept (default 0: without end, as far as the other limits go).
    pub capsules_kept_days_max: u32,
    /// Bytes of the inputs of all runs of all plugins (default 4 GiB); the oldest go first.
    pub capsules_bytes_max: u64,
    /// Milliseconds that the evaluation of a campaign may take while somebody waits for it, waiting for a permit included (default
    /// 20,000); below the server's time-out of a request.
    pub campaign_evaluation_ms_max: u64,
    /// Answers to each question (`analysis`) of a plugin that are kept (default 20); the oldest go when a new one is there.
    pub analysis_results_max: usize,
    /// Bytes of one answer, packed, that are kept (default 3 MiB, at most 3.5 MiB: the store takes 4 MiB at once). One that is larger fails.
    pub analysis_result_bytes_max: usize,
    /// Bytes of the copies of the datasets that one question or fit reads (default 4 GiB); they go when it ends. One that would need more
    /// fails.
    pub analysis_spool_bytes_max: u64,
    /// Bytes of the reports of models that are kept in memory for the next who asks (default 16 MiB).
    pub model_reports_bytes_max: usize,
    /// Rows that a plugin could not assign and that are named in the result of a run (default 100); the others are counted.
    pub failed_rows_kept_max: usize,
    /// The language in which the host writes what plugins and rules say in both: subjects of tasks, texts of messages (default English).
    pub language: trellis_model::Language,
    /// Entries of the log that rules and plugins react to at once (default 64).
    pub reaction_page_entries: usize,
    /// Reactions that are done at once, each about another record (default 16: mostly they wait for their commits, which share one append).
    pub reactions_parallel_max: usize,
    /// Timers of one record that may run at once (default 20).
    pub timers_per_record_max: usize,
    /// How often the clock is looked at while a timer runs, in milliseconds (default 1,000): a timer fires so much too late at most when the
    /// clock is set or the machine slept.
    pub timer_clock_check_ms: u64,
    /// Decisions that are kept, refusals apart (default 100,000); the oldest go.
    pub decisions_kept_max: usize,
    /// Refusals by rules and plugins that are kept (default 10,000).
    pub refusals_kept_max: usize,
    /// Records of a write set up to which rules and record hooks keep what they saw, so that the decision can be replayed (default 20).
    pub hook_capsule_rows_max: usize,
    /// Rules that may be switched on (default 500).
    pub rules_enabled_max: usize,
    /// Write sets that before-save rules look at at once (default: the number of cores).
    pub rules_parallel_max: usize,
    /// Records that one bulk change may be about (default 200,000); more are refused before anything is changed.
    pub bulk_records_max: usize,
    /// Attachments of one record (default 200); one more is refused.
    pub attachments_per_record_max: usize,
    /// Records up to which the preview of an undo counts (default 5,000); a dry run counts all.
    pub undo_preview_records_max: usize,
    /// Records that were not taken back and are listed in the result of an undo (default 1,000); the others are counted.
    pub undo_listed_max: usize,
    /// How often payloads of old log entries are let go, in milliseconds (default 3,600,000).
    pub payload_expiry_interval_ms: u64,
    /// The limits of one call of a rule.
    pub rules: trellis_rules::Limits,
    /// Days for which a prepared import is kept after it was last changed (default 14).
    pub imports_kept_days_max: u32,
    /// Prepared imports of one user (default 50); one more is refused.
    pub imports_per_user_max: usize,
    /// Rows of one prepared import that people may edit or drop (default 10,000).
    pub import_edits_max: usize,
    /// Errors of a prepared import that are kept for its failed rows (default 100,000). Further ones are counted.
    pub import_errors_kept_max: usize,
    /// Days for which the file of an export is kept (default 7).
    pub exports_kept_days_max: u32,
    /// Switches of a plugin (enabled, upgraded, rolled back) that are kept (default 50): those that can be rolled back to.
    pub switches_kept_per_plugin: usize,
    /// Milliseconds that are at least between two runs of a plugin by its schedule (default 900,000); one that comes more often is refused.
    pub schedule_interval_ms_min: u64,
    /// Customers that are evaluated again at once when a new day begins (default 4,096): between two such parts changed customers go first.
    pub day_change_rows_max: u32,
    /// Segmentations that filters make, at most (default 200): each is looked at again after a change of what it reads.
    pub filter_segmentations_max: usize,
    /// How much of versions of plugins is compared, and what may differ at most where one is promoted.
    pub compare: crate::CompareLimits,
    /// What running the golden cases of a plugin may cost before it is used.
    pub golden: crate::GoldenLimits,
    /// The limits of imports.
    pub import: trellis_transfer::import::Limits,
}

/// Bytes of an answer that fit into one write set of the store, with the entry of the log beside it.
const ANALYSIS_RESULT_BYTES_MAX: usize = 7 << 19;

impl Config {
    /// Whether the limits go together, so that what they allow does not fail later.
    ///
    /// # Errors
    /// The key that does not, with its value.
    pub fn check(&self) -> Result<(), String> {
        let bytes_max = self.analysis_result_bytes_max;
        match bytes_max > ANALYSIS_RESULT_BYTES_MAX {
            true => Err(format!(
                "engine.analysis_result_bytes_max is {bytes_max}, at most {ANALYSIS_RESULT_BYTES_MAX}: the store takes 4 MiB at once"
            )),
            false => Ok(()),
        }
    }
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
            follow_interval_ms: 20,
            filter_segmentations_max: 200,
            models_kept_per_plugin: 4,
            capsules_kept_per_plugin: 3,
            capsule_bytes_max: 256 << 20,
            capsules_kept_days_max: 0,
            capsules_bytes_max: 4 << 30,
            campaign_evaluation_ms_max: 20_000,
            analysis_results_max: 20,
            analysis_result_bytes_max: 3 << 20,
            analysis_spool_bytes_max: 4 << 30,
            model_reports_bytes_max: 16 << 20,
            failed_rows_kept_max: 100,
            language: trellis_model::Language::En,
            reaction_page_entries: 64,
            reactions_parallel_max: 16,
            timers_per_record_max: 20,
            timer_clock_check_ms: 1_000,
            decisions_kept_max: 100_000,
            refusals_kept_max: 10_000,
            hook_capsule_rows_max: 20,
            rules_enabled_max: 500,
            rules_parallel_max: std::thread::available_parallelism().map_or(1, usize::from),
            bulk_records_max: 200_000,
            attachments_per_record_max: 200,
            undo_preview_records_max: 5_000,
            undo_listed_max: 1_000,
            payload_expiry_interval_ms: 3_600_000,
            rules: trellis_rules::Limits::default(),
            imports_kept_days_max: 14,
            imports_per_user_max: 50,
            import_edits_max: 10_000,
            import_errors_kept_max: 100_000,
            exports_kept_days_max: 7,
            switches_kept_per_plugin: 50,
            schedule_interval_ms_min: 900_000,
            day_change_rows_max: 4_096,
            compare: crate::CompareLimits::default(),
            golden: crate::GoldenLimits::default(),
            import: trellis_transfer::import::Limits::default(),
        }
    }
}
