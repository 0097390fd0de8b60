//! Comparisons as the engine offers them.

use std::sync::Arc;

use semver::Version;
use trellis_model::{PluginId, RecordId};
use trellis_records::Caller;

use super::{Again, DryRunRequest, ReplayWith, StoredComparison, again, decisions::not_kept, job};
use crate::{
    Engine, Error, Job, Replay, Result, View, blocking::blocking, compare::remove_component, jobs::Request,
};

impl Engine {
    /// What can be read, without anything that writes.
    pub fn view(&self) -> View {
        View::new(&self.core.records, &self.core.columns)
    }

    /// Evaluates a version of a plugin beside what there is now, as a job, and applies nothing. It need not be enabled.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownVersion`], [`Error::Broken`], [`Error::InvalidSettings`], [`Error::QueueFull`].
    pub async fn plugin_dry_run(
        &self,
        caller: &Caller,
        id: &PluginId,
        request: DryRunRequest,
    ) -> Result<Job> {
        let order = job::order(&self.core, id, request).await?;
        self.jobs.create(self.new_id(), caller, Request::Compare(order)).await
    }

    /// Does a run again with another version, or with a component that is not installed, as a job. Its result compares row by row.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], [`Error::InputsExpired`], [`Error::UnknownVersion`], [`Error::Plugin`] where the component is refused,
    /// [`Error::InvalidRequest`] where it is another plugin's, [`Error::QueueFull`].
    pub async fn run_replay_with(
        &self,
        caller: &Caller,
        id: &PluginId,
        run: RecordId,
        with: ReplayWith,
    ) -> Result<Job> {
        let order = job::run_of(&self.core, self.new_id(), id, run, with).await?;
        let created = self.jobs.create(self.new_id(), caller, Request::Compare(order.clone())).await;
        if created.is_err() {
            remove_component(&self.core.spool_dir, &order);
        }
        created
    }

    /// Does the last runs and decisions of a plugin again with another installed version, as a job, and says whether what differs is within
    /// the limits of a promotion.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownVersion`], [`Error::Broken`], [`Error::QueueFull`].
    pub async fn plugin_check_upgrade(
        &self,
        caller: &Caller,
        id: &PluginId,
        version: &Version,
    ) -> Result<Job> {
        self.core.registry.metered(id, version).await?;
        let order = StoredComparison::Check { plugin: id.to_string(), version: version.to_string() };
        self.jobs.create(self.new_id(), caller, Request::Compare(order)).await
    }

    /// Makes a decision again with another version, from what was known then. Changes nothing.
    ///
    /// # Errors
    /// [`Error::UnknownDecision`], [`Error::InputsExpired`], [`Error::UnknownVersion`], [`Error::InvalidRequest`] where a rule decided,
    /// [`Error::CannotRun`] where the version reads what was not recorded, [`Error::Plugin`] where it fails.
    pub async fn decision_replay_with(&self, id: RecordId, version: &Version) -> Result<Replay> {
        let view = self.view();
        let decision = view.decision(id).await?.ok_or(Error::UnknownDecision { id })?;
        let trellis_model::Decider::Plugin { id: plugin, .. } = decision.by else {
            return Err(Error::InvalidRequest { reason: format!("decision {id} is not a plugin's") });
        };
        let capsule = view.decision_capsule(id).await?.ok_or_else(|| not_kept(id))?;
        let registry = Arc::clone(&self.core.registry);
        let candidate = registry.metered(&plugin, version).await?;
        let (schema, grants) = (self.core.records.schema(), registry.granted_again(&plugin));
        let asking = move || again(id, &candidate, capsule, (&schema, &grants));
        let Again { recorded, replayed } = blocking("deciding again", asking).await??;
        Ok(Replay { same: recorded == replayed, recorded, replayed })
    }
}
