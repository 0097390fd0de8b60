//! The sections of the configuration file: which keys of which crate's config the file may set.

use serde::Deserialize;

/// A section whose keys override fields of a config struct.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $name {
            $($field: Option<$type>,)*
        }

        impl $name {
            #[cfg(test)]
            pub(super) const KEYS: &[&str] = &[$(stringify!($field)),*];

            /// Writes the keys that the file sets over `target`.
            pub(super) fn over(&self, mut target: target::$name) -> target::$name {
                $(if let Some(value) = &self.$field { target.$field = value.clone(); })*
                target
            }
        }
    };
}

/// The config structs that the sections write to.
mod target {
    pub(super) use trellis_access::Config as Access;
    pub(super) use trellis_columns::Config as Columns;
    pub(super) use trellis_engine::Config as Engine;
    pub(super) use trellis_http::Config as Http;
    pub(super) use trellis_plugin_host::Config as Plugins;
    pub(super) use trellis_records::Limits as Records;
    pub(super) use trellis_search::Config as Search;
    pub(super) use trellis_storage_sled::Config as Storage;
    pub(super) use trellis_transfer::import::Limits as Import;
}

section! {
    /// `[storage]`
    Storage {
        cache_capacity_bytes: u64,
        overlay_bytes_max: usize,
        filter_bytes: usize,
        filter_after_misses: u64,
        journal_segment_bytes_max: u64,
        snapshot_after_journal_bytes: u64,
        group_write_sets_max: usize,
        group_bytes_max: usize,
        commit_queue_max: usize,
        checkpoint_interval_ms: u64,
        open_timeout_ms: u64,
        free_bytes_min: u64,
    }
}

section! {
    /// `[records]`
    Records {
        page_rows_max: usize,
        page_rows_default: usize,
        scan_rows_max: usize,
        gather_rows_max: usize,
        count_rows_max: usize,
        sorts_max: usize,
        batch_rows_max: usize,
        record_bytes_max: usize,
        fields_per_record_max: usize,
        save_attempts_max: usize,
        ordinal_block: u64,
        event_rows_max: usize,
        log_entries_max: usize,
        objects_max: usize,
        fields_per_object_max: usize,
        options_max: usize,
        definition_bytes_max: usize,
        indexes_per_object_max: usize,
        formula_bytes_max: usize,
        aggregate_rows_max: usize,
        aggregate_bytes_max: usize,
        groups_max: usize,
        group_fields_max: usize,
        measures_max: usize,
        timeline_related_max: usize,
        block_rows_max: usize,
        duplicates_max: usize,
        pairs_max: usize,
        merge_records_max: usize,
        undo_entries_max: usize,
        payload_days: u32,
    }
}

section! {
    /// `[import]`
    Import {
        mapping_bytes_max: usize,
        columns_max: usize,
        line_bytes_max: usize,
        file_bytes_max: u64,
        xlsx_bytes_max: u64,
        rows_max: usize,
        batch_rows_max: usize,
        batches_in_flight_max: usize,
        keys_in_memory_max: usize,
        rows_without_id_max: usize,
        errors_kept_max: usize,
    }
}

section! {
    /// `[columns]`
    Columns {
        batch_rows_max: usize,
        batch_bytes_max: usize,
        figures_bytes_max: usize,
        generations_kept: usize,
        values_max: usize,
        dataset_rows_max: usize,
        as_of_kept: usize,
        log_page_entries: usize,
        followed_entries_max: u64,
        checkpoint_changes: u64,
        events_page_rows: usize,
        members_page_max: usize,
        deltas_max: usize,
    }
}

section! {
    /// `[plugins]`, with `[plugins.limits.batch]` and so on
    Plugins {
        limits: trellis_plugin_host::Limits,
        compile_timeout_ms: u64,
        compile_wall_factor: u32,
        compile_memory_bytes_max: u64,
        compiled_bytes_max: u64,
        component_bytes_max: usize,
        core_instances_max: usize,
        memories_max: usize,
        tables_max: usize,
        table_elements_max: usize,
        permits: usize,
        permit_wait_ms_max: u64,
        pooling: bool,
        supervision: trellis_plugin_host::Supervision,
    }
}

section! {
    /// `[engine]`
    Engine {
        jobs_parallel_max: usize,
        jobs_queued_max: usize,
        job_progress_save_ms: u64,
        job_attempts_max: u32,
        jobs_kept_max: usize,
        batch_rows_max: u32,
        assign_parallel_max: usize,
        catch_up_rounds_max: u32,
        follow_interval_ms: u64,
        models_kept_per_plugin: usize,
        capsules_kept_per_plugin: usize,
        capsule_bytes_max: u64,
        capsules_kept_days_max: u32,
        capsules_bytes_max: u64,
        campaign_evaluation_ms_max: u64,
        analysis_results_max: usize,
        analysis_result_bytes_max: usize,
        analysis_spool_bytes_max: u64,
        model_reports_bytes_max: usize,
        failed_rows_kept_max: usize,
        reaction_page_entries: usize,
        reactions_parallel_max: usize,
        timers_per_record_max: usize,
        timer_clock_check_ms: u64,
        decisions_kept_max: usize,
        refusals_kept_max: usize,
        hook_capsule_rows_max: usize,
        rules_enabled_max: usize,
        rules_parallel_max: usize,
        bulk_records_max: usize,
        attachments_per_record_max: usize,
        undo_preview_records_max: usize,
        undo_listed_max: usize,
        payload_expiry_interval_ms: u64,
        imports_kept_days_max: u32,
        imports_per_user_max: usize,
        import_edits_max: usize,
        import_errors_kept_max: usize,
        exports_kept_days_max: u32,
        switches_kept_per_plugin: usize,
        schedule_interval_ms_min: u64,
        day_change_rows_max: u32,
        rules: trellis_engine::RuleLimits,
        compare: trellis_engine::CompareLimits,
        golden: trellis_engine::GoldenLimits,
    }
}

section! {
    /// `[access]`
    Access {
        tokens_per_user_max: usize,
        label_characters_max: usize,
        last_use_resolution_ms: i64,
        answer_ttl_ms: i64,
        answer_bytes_max: usize,
    }
}

section! {
    /// `[http]`
    Http {
        requests_max: usize,
        uploads_max: usize,
        connections_max: usize,
        request_timeout_ms: u64,
        upload_timeout_ms: u64,
        header_timeout_ms: u64,
        drain_timeout_ms: u64,
        uri_bytes_max: usize,
        json_bytes_max: usize,
        plugin_bytes_max: usize,
        import_bytes_max: u64,
        mapping_bytes_max: usize,
        attachment_bytes_max: u64,
        changes_max: usize,
        members_max: usize,
        sort_fields_max: usize,
        include_max: usize,
    }
}

section! {
    /// `[search]`
    Search {
        writer_heap_bytes: usize,
        commit_interval_ms: u64,
        commit_documents_max: usize,
        log_page_entries: usize,
        query_hits_max: usize,
        query_chars_max: usize,
        prefix_words_max: usize,
        find_reads_max: usize,
        retry_delay_ms: u64,
    }
}
