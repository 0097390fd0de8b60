//! Work over many records that the engine does as jobs: imports, bulk changes, campaigns, merging, looking for duplicates.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value as Json;
use trellis_model::{FieldName, Filter, ObjectName, RecordId, Scope};
use trellis_records::{Caller, MergeRequest, Query};

use crate::{
    BulkChange, Engine, Error, Job, Result,
    blocking::blocking,
    campaign::{self, CampaignEvaluation, Eligibility, SegmentCampaign, TakenSegment},
    duplicates, import,
    jobs::Request,
    merge,
};

/// Bytes of a mapping.
const MAPPING_BYTES_MAX: usize = 256 << 10;
/// Characters of a file's name that are kept.
const FILE_NAME_CHARS_MAX: usize = 200;

impl Engine {
    /// Loads a file of records, as a job. `file` lies at a [`Engine::spool_path`] and belongs to the job from now on, which removes
    /// it at its end; where this call fails, it is removed at once. Without a mapping the columns are named like the fields.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where `file` lies elsewhere, [`Error::Records`] where the object is unknown, [`Error::Import`] where
    /// the mapping or the header of the file does not fit it, [`Error::QueueFull`].
    pub async fn import_start(
        &self,
        caller: &Caller,
        object: &ObjectName,
        mapping: Option<String>,
        file: PathBuf,
        file_name: &str,
    ) -> Result<Job> {
        let spooled = import::spooled_name(&self.core.spool_dir, &file)?;
        let started = self.import_checked(caller, object, mapping, (&file, spooled), file_name).await;
        if started.is_err() {
            blocking("removing a spooled file", move || import::remove_spooled(&file)).await?;
        }
        started
    }

    async fn import_checked(
        &self,
        caller: &Caller,
        object: &ObjectName,
        mapping: Option<String>,
        (file, spooled): (&Path, String),
        file_name: &str,
    ) -> Result<Job> {
        if let Some(bytes) = mapping.as_ref().map(String::len).filter(|&bytes| bytes > MAPPING_BYTES_MAX) {
            return Err(Error::InvalidRequest {
                reason: format!("mapping has {bytes} bytes, at most {MAPPING_BYTES_MAX}"),
            });
        }
        let (schema, checked_object) = (self.core.records.schema(), object.clone());
        let (checked_mapping, checked_file) = (mapping.clone(), file.to_owned());
        let core = Arc::clone(&self.core);
        blocking("checking the import", move || {
            import::check(&core, &schema, checked_object.as_str(), checked_mapping.as_deref(), &checked_file)
        })
        .await??;
        let request = Request::Import {
            object: object.to_string(),
            mapping,
            spooled,
            file_name: file_name
                .chars()
                .filter(|char| !char.is_control())
                .take(FILE_NAME_CHARS_MAX)
                .collect(),
            unlimited: caller.scope == Scope::everything(),
        };
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// Makes one change to all records that a filter matches, as a job. Its result counts what became of them; the job is the cause of
    /// every change, so that all of them can be undone together.
    ///
    /// # Errors
    /// [`Error::Records`] where the filter or a field does not fit the object, [`Error::QueueFull`].
    pub async fn bulk_start(
        &self,
        caller: &Caller,
        object: &ObjectName,
        filter: &Filter,
        change: BulkChange,
        automations: bool,
    ) -> Result<Job> {
        let records = &self.core.records;
        // A filter that cannot be asked is refused here, not by the job.
        records
            .list(&caller.scope, &Query { filter: filter.clone(), limit: 1, ..Query::new(object.clone()) })
            .await?;
        let set = match change {
            BulkChange::Set(fields) => Some(Json::Object(fields).to_string()),
            BulkChange::Delete => None,
        };
        let request = Request::BulkEdit {
            object: object.to_string(),
            filter: filter.to_json().to_string(),
            set,
            automations,
            unlimited: caller.scope == Scope::everything(),
        };
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// Runs a campaign over its audience, as a job: its plugin says who takes part, in which variant, and, where the campaign is active,
    /// what happens next with each member.
    ///
    /// # Errors
    /// [`Error::Records`] where the caller does not see the campaign, [`Error::InvalidRequest`] where it cannot be run as it is,
    /// [`Error::UnknownPlugin`], [`Error::NotEnabled`], [`Error::CannotRun`], [`Error::QueueFull`].
    pub async fn campaign_run(&self, caller: &Caller, id: RecordId) -> Result<Job> {
        campaign::check(&self.core, caller, id).await?;
        self.jobs.create(self.new_id(), caller, Request::CampaignRun { campaign: id.to_string() }).await
    }

    /// Makes a campaign whose audience are the customers of a segment, as they are now or as they come to be. Done to
    /// its end where the caller does not wait.
    ///
    /// # Errors
    /// [`Error::Columns`] where there is no such segment, [`Error::InvalidRequest`] where it is not about accounts or nobody is in it,
    /// [`Error::Records`] where the campaign or the filter is refused. Nothing was made then.
    pub async fn campaign_of_segment(
        &self,
        caller: &Caller,
        wanted: SegmentCampaign,
    ) -> Result<TakenSegment> {
        let (core, caller) = (Arc::clone(&self.core), caller.clone());
        let taking = tokio::spawn(async move { campaign::take(&core, &caller, wanted).await });
        let doing = "making a campaign of a segment";
        taking.await.map_err(|error| Error::Internal { doing, reason: error.to_string() })?
    }

    /// Whether a customer may take part in a campaign, as its plugin says now. Changes nothing.
    ///
    /// # Errors
    /// As [`Engine::campaign_run`]; [`Error::Records`] too where the caller does not see the account.
    pub async fn campaign_eligibility(
        &self,
        caller: &Caller,
        campaign: RecordId,
        account: RecordId,
    ) -> Result<Eligibility> {
        campaign::eligibility(&self.core, caller, campaign, account).await
    }

    /// What came of a campaign so far, as its plugin says.
    ///
    /// # Errors
    /// As [`Engine::campaign_run`].
    pub async fn campaign_evaluate(&self, caller: &Caller, id: RecordId) -> Result<CampaignEvaluation> {
        campaign::evaluate(&self.core, caller, id).await
    }

    /// Builds the index of full-text search anew, as a job. The old one serves until the new one is there.
    ///
    /// # Errors
    /// [`Error::Records`] where there is no search, [`Error::QueueFull`].
    pub async fn search_rebuild(&self, caller: &Caller) -> Result<Job> {
        self.core.records.text_search()?;
        self.jobs.create(self.new_id(), caller, Request::SearchRebuild).await
    }

    /// Merges records into one, as a job: see [`MergeRequest`]. Its result counts the references that lead to the winner now.
    ///
    /// # Errors
    /// [`Error::Records`] where the records cannot be merged with these rights, [`Error::QueueFull`].
    pub async fn merge(&self, caller: &Caller, request: &MergeRequest) -> Result<Job> {
        self.core.records.merge_plan(&caller.scope, request).await?;
        self.jobs.create(self.new_id(), caller, merge::to_stored(request)).await
    }

    /// Looks for duplicates among all records of an object by a matching rule (the first one where none is named), as a job. What it finds
    /// goes to the queue, the records of `duplicate_pair`.
    ///
    /// # Errors
    /// [`Error::Records`] where there is no such object or rule, [`Error::InvalidRequest`] where the object has none, [`Error::QueueFull`].
    pub async fn duplicate_scan(
        &self,
        caller: &Caller,
        object: &ObjectName,
        rule: Option<&FieldName>,
    ) -> Result<Job> {
        let rule = duplicates::check(&self.core, object, rule)?;
        let request = Request::DuplicateScan { object: object.to_string(), rule: rule.to_string() };
        self.jobs.create(self.new_id(), caller, request).await
    }
}
