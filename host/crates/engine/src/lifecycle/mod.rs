//! The life of a plugin on a server: uploaded, enabled, upgraded, rolled back, disabled, removed, without a restart.
//!
//! Each step checks and loads everything before its one commit; what is refused leaves the version in use as it was. A step that
//! was begun goes on to its end where the caller does not wait.

mod heal;
mod offline;
mod pack;
mod presence;
mod remove;
mod review;
mod rules;
mod switch;
mod tests;

use std::{collections::BTreeMap, future::Future, sync::Arc};

use semver::Version;
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::{
    Inspection,
    manifest::{AbsentPolicy, AbsentUse},
};
use trellis_records::{Caller, SchemaStep};

pub(crate) use heal::heal;
pub use offline::{PackPart, PackProblem, check_pack};
pub(crate) use pack::schema_after;
pub(crate) use presence::{renew as renew_presence, renew_all as renew_all_presences};
pub(crate) use remove::purge;
pub use review::{
    NamesDiff, Review, ReviewDiff, ReviewedHook, ReviewedName, ReviewedOutput, ReviewedRequest,
    ReviewedSchedule,
};
pub use rules::{ShippedRule, ShippedRuleState};
pub(crate) use switch::roll_back_by_itself;

use crate::{
    Engine, Error, Job, JobError, OnQuarantine, PluginInfo, Result, RunRequest, SwitchInfo, UseSettings,
    core::Core,
};

/// How a switch to another use of a plugin is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SwitchOptions {
    /// Why, for the history.
    pub reason: Option<String>,
    /// Whether steps of the schema are meant that take something out of use.
    pub confirm: bool,
    /// Whether the rules that it ships are switched on.
    pub enable_rules: bool,
    /// Whether it is used although tests of its own fail.
    pub ignore_self_tests: bool,
    /// Whether it is run at once, so that its results are those of the new use.
    pub run: bool,
}

/// An upgrade of a plugin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpgradeRequest {
    /// The version to use; the newest one that is not broken where it is `None`.
    pub version: Option<Version>,
    /// Its configuration; the one in use, checked against the new version's schema, where it is `None`.
    pub config: Option<serde_json::Value>,
    /// What it is granted; what was granted so far where it is `None`, which has to cover all that the version asks for.
    pub grants: Option<Vec<String>>,
    /// What happens while it cannot be called; what was said so far where it is `None`.
    pub absent: Option<BTreeMap<AbsentUse, AbsentPolicy>>,
    /// What happens when the version is quarantined; what was said so far where it is `None`.
    pub on_quarantine: Option<OnQuarantine>,
    /// How it is meant.
    pub options: SwitchOptions,
}

/// What came of a switch.
#[derive(Debug, Clone, PartialEq)]
pub struct Switched {
    /// How the plugin stands now.
    pub plugin: PluginInfo,
    /// The run whose results serve again, after a roll back to a version that was run.
    pub serving_run: Option<RecordId>,
    /// What was changed in the schema.
    pub schema: Vec<SchemaStep>,
    /// Jobs that build the indexes of what is new in the schema.
    pub jobs: Vec<Job>,
    /// What became of the rules that it ships.
    pub rules: Vec<ShippedRule>,
    /// The run that was asked for, or why it could not be started; what was switched stays so.
    pub run: Option<std::result::Result<Job, JobError>>,
    /// The objects of which indexes are to be built.
    pub(crate) builds: Vec<String>,
}

/// What came of removing a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Removed {
    /// How many of its rules were switched off.
    pub rules_off: usize,
    /// What went out of use in the schema; it stays readable.
    pub schema: Vec<SchemaStep>,
}

impl Engine {
    /// Installs a plugin, or another version of one. A version that is in use stays in use until another one takes over. The
    /// same file again changes nothing.
    ///
    /// # Errors
    /// [`Error::Plugin`] with the reason why the component was refused, [`Error::VersionExists`] where the version is installed with
    /// other content (a pre-release version is replaced), [`Error::InUse`] where a pre-release that would be replaced serves or is evaluated
    /// as a shadow.
    pub async fn plugin_upload(&self, caller: &Caller, wasm: impl Into<Vec<u8>>) -> Result<PluginInfo> {
        Ok(self.plugin_upload_version(caller, wasm).await?.0)
    }

    /// As [`Engine::plugin_upload`], and says which version the file is.
    ///
    /// # Errors
    /// As [`Engine::plugin_upload`].
    pub async fn plugin_upload_version(
        &self,
        caller: &Caller,
        wasm: impl Into<Vec<u8>>,
    ) -> Result<(PluginInfo, Version)> {
        let (caller, wasm) = (caller.clone(), wasm.into());
        let core = Arc::clone(&self.core);
        to_end(async move {
            let manifest = trellis_plugin_host::read_manifest(&wasm);
            let check = |inspection: &Inspection, replaces: bool| {
                if replaces {
                    remove::check_replaceable(&core, &inspection.manifest.id, &inspection.manifest.version)?;
                }
                pack::document(inspection)?;
                rules::check(inspection)
            };
            let (info, plugin) = core.registry.upload(&caller, wasm, check).await?;
            core.registry.keep_manifest(&info.id, plugin.digest().as_bytes(), &manifest?).await?;
            // A file that was lost is there again.
            presence::renew(&core, &info.id).await?;
            Ok((info, plugin.version().clone()))
        })
        .await
        .map(|(info, version)| (self.with_schedule(info), version))
    }

    /// What there is to know about a version before it is enabled: what it reads and may do, its limits, what it brings, and what is
    /// different from the version in use. Changes nothing.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownVersion`], [`Error::Broken`].
    pub async fn plugin_review(&self, id: &PluginId, version: &Version) -> Result<Review> {
        review::review(&self.core, id, version).await
    }

    /// Removes a version of a plugin. Where a run that can be replayed was made with it, its file goes when no such run is left.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownVersion`], [`Error::InUse`] for the version in use and the one before.
    pub async fn plugin_remove_version(
        &self,
        caller: &Caller,
        id: &PluginId,
        version: &Version,
    ) -> Result<()> {
        let (caller, id, version) = (caller.clone(), id.clone(), version.clone());
        self.step(|core| async move { remove::version(&core, &caller, &id, &version).await }).await
    }

    /// Removes a plugin, even an enabled one where `force` says so. What it put out and what it brought to the schema stays readable and
    /// is marked; its rules are switched off. Installing it again takes all of it up again.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::InUse`] where it is enabled.
    pub async fn plugin_remove(&self, caller: &Caller, id: &PluginId, force: bool) -> Result<Removed> {
        let (by, of) = (caller.clone(), id.clone());
        let removed = self.step(|core| async move { remove::plugin(&core, &by, &of, force).await }).await?;
        self.jobs.cancel_of(id).await?;
        if self.core.shadows.watches(id) {
            self.shadow_stop(caller, id).await?;
        }
        Ok(removed)
    }

    /// Enables a plugin with these settings, or changes the settings or the version of one that is enabled. Runs nothing.
    ///
    /// # Errors
    /// As [`Engine::plugin_enable_as`].
    pub async fn plugin_enable(
        &self,
        caller: &Caller,
        id: &PluginId,
        settings: UseSettings,
    ) -> Result<PluginInfo> {
        Ok(self.plugin_enable_as(caller, id, settings, SwitchOptions::default()).await?.plugin)
    }

    /// As [`Engine::plugin_enable`], saying how it is meant.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownVersion`], [`Error::Broken`], [`Error::InvalidSettings`] with each setting that
    /// breaks the schema, [`Error::Plugin`] where the plugin itself refuses the configuration.
    pub async fn plugin_enable_as(
        &self,
        caller: &Caller,
        id: &PluginId,
        settings: UseSettings,
        options: SwitchOptions,
    ) -> Result<Switched> {
        let (by, id, run) = (caller.clone(), id.clone(), options.run);
        let switched = self
            .step(|core| async move { switch::enable(&core, &by, &id, settings, &options).await })
            .await?;
        Ok(self.follow_up(caller, switched, run).await)
    }

    /// Has another version of a plugin take over, with the settings in use where the request says nothing else. Calls that are under
    /// way end on the version that they began with.
    ///
    /// # Errors
    /// As [`Engine::plugin_enable_as`]; [`Error::NotEnabled`], [`Error::GrantsNeeded`] where the version asks for more than was
    /// granted and the request does not say what holds.
    pub async fn plugin_upgrade(
        &self,
        caller: &Caller,
        id: &PluginId,
        request: UpgradeRequest,
    ) -> Result<Switched> {
        let (by, id, run) = (caller.clone(), id.clone(), request.options.run);
        let switched =
            self.step(|core| async move { switch::upgrade(&core, &by, &id, request).await }).await?;
        Ok(self.follow_up(caller, switched, run).await)
    }

    /// Has another version take over with the configuration and grants in use: what an upgrade without a word about them does.
    ///
    /// # Errors
    /// As [`Engine::plugin_upgrade`].
    pub async fn plugin_switch_version(
        &self,
        caller: &Caller,
        id: &PluginId,
        version: &Version,
        reason: Option<String>,
    ) -> Result<Switched> {
        let options = SwitchOptions { reason, ..SwitchOptions::default() };
        let request = UpgradeRequest { version: Some(version.clone()), options, ..UpgradeRequest::default() };
        self.plugin_upgrade(caller, id, request).await
    }

    /// Brings back how a plugin was used before the last switch, or after the switch of a number: version, configuration and grants.
    /// Where the last run of that use is kept, its results serve again and follow the data.
    ///
    /// # Errors
    /// As [`Engine::plugin_enable_as`]; [`Error::NothingEarlier`].
    pub async fn plugin_roll_back(
        &self,
        caller: &Caller,
        id: &PluginId,
        switch: Option<u64>,
        options: SwitchOptions,
    ) -> Result<Switched> {
        let (by, id) = (caller.clone(), id.clone());
        let switched = self
            .step(|core| async move { switch::roll_back(&core, &by, &id, switch, options).await })
            .await?;
        // The results of the use that came back serve: there is nothing to run.
        Ok(self.follow_up(caller, switched, false).await)
    }

    /// Disables a plugin. Its results stay, marked stale, or are nobody's until it is back, as its use says; a run that is under way goes on to its end,
    /// and its fits and its answers to questions that have not ended are cancelled.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`].
    pub async fn plugin_disable(&self, caller: &Caller, id: &PluginId) -> Result<PluginInfo> {
        let (by, of) = (caller.clone(), id.clone());
        let info = self.step(|core| async move {
            let changing = core.registry.changing().await;
            switch::disable(&core, &changing, &by, &of, None).await
        });
        let info = info.await?;
        self.jobs.cancel_of(id).await?;
        Ok(self.with_schedule(info))
    }

    /// The switches of a plugin that are kept, the newest first.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::Damaged`] where a switch cannot be read.
    pub async fn plugin_switches(&self, id: &PluginId) -> Result<Vec<SwitchInfo>> {
        self.core.registry.switches(id).await
    }

    /// Has the indexes built that the new schema asks for, what cannot be queued waits for the next start; and runs the plugin where that was
    /// asked for.
    async fn follow_up(&self, caller: &Caller, mut switched: Switched, run: bool) -> Switched {
        switched.plugin = self.with_schedule(switched.plugin);
        for object in std::mem::take(&mut switched.builds) {
            switched.jobs.extend(self.build_indexes(caller, &object).await);
        }
        if run {
            let started = self.plugin_run(caller, &switched.plugin.id, RunRequest::default()).await;
            let refused = |error: Error| JobError { code: error.code().to_owned(), message: error.text() };
            switched.run = Some(started.map_err(refused));
        }
        switched
    }

    async fn step<T, F>(&self, step: impl FnOnce(Arc<Core>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        to_end(step(Arc::clone(&self.core))).await
    }
}

/// Does a step to its end, also where whoever asked for it is gone: between a commit and what is in memory of it nothing may stop.
async fn to_end<T: Send + 'static>(step: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(step)
        .await
        .map_err(|error| Error::Internal { doing: "changing a plugin", reason: error.to_string() })?
}
