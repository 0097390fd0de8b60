use std::{path::PathBuf, sync::Arc};

use tokio::sync::watch;
use trellis_columns::Columns;
use trellis_model::{PluginId, RecordId, Text};
use trellis_plugin_host::PluginHost;
use trellis_records::{Caller, Records};

use crate::{
    Config, Error, Job, JobPage, PluginInfo, Result,
    attachments::{self, Files},
    background::Background,
    capsule::{self, Capsules},
    compare::{self, Shadows},
    core::Core,
    decisions::Pruner,
    duplicates, expiry, export, hooks, import,
    imports::Imports,
    jobs::{self, Jobs, Request, Work},
    lifecycle,
    plugins::Registry,
    react, reader,
    rules::RuleBook,
    run::{self, Explanation, RunPage, ScoreExplanation},
    schedules, segments,
    supervision::{self, Supervisor},
    timers,
    transforms::CellTransforms,
};

/// Plugins and jobs of a server. One a process, shared as `Arc<Engine>`.
#[derive(Debug)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
    pub(crate) jobs: Arc<Jobs>,
    reader: Background,
    timers: Background,
    reactions: Background,
    attachments: Background,
    duplicates: Background,
    expiry: Background,
    health: Background,
    schedules: Background,
    shadows: Background,
}

impl Engine {
    /// Loads the enabled plugins, takes up the jobs that an earlier server left, and starts the threads.
    ///
    /// `dir` gets the folders `plugins` (components by digest; part of a backup), `files` (attachments by digest; part of a backup), `capsules` (what the last runs read; can be lost) and
    /// `spool` (files of imports that have not ended).
    /// A plugin whose file is missing, damaged or does not load is listed as broken; it does not keep the server from starting.
    ///
    /// # Errors
    /// [`Error::File`] where `dir` cannot be used, [`Error::Damaged`] where what is stored of plugins or jobs cannot be read.
    pub async fn start(
        records: Arc<Records>,
        columns: Arc<Columns>,
        plugin_host: Arc<PluginHost>,
        dir: PathBuf,
        config: Config,
    ) -> Result<Arc<Self>> {
        let spool_dir = dir.join("spool");
        std::fs::create_dir_all(&spool_dir).map_err(|source| Error::File {
            doing: "creating the folder",
            path: spool_dir.clone(),
            source,
        })?;
        let (supervisor, heard) = Supervisor::open(&records, &plugin_host).await?;
        let registry = Registry::open(
            Arc::clone(&records),
            plugin_host,
            dir.join("plugins"),
            (config.switches_kept_per_plugin, config.schedule_interval_ms_min),
        )
        .await?;
        let mut listed = capsule::listed(&records).await?;
        listed.extend(compare::listed(&records).await?);
        let open_jobs = jobs::open_ids(&records).await?;
        let goes_on = |run: &str| open_jobs.contains(run);
        let capsules = Capsules::open(dir.join("capsules"), |name| listed.contains(name), goes_on)?;
        let core = Arc::new(Core {
            records: Arc::clone(&records),
            columns,
            registry,
            spool_dir,
            files: Files::open(dir.join("files"))?,
            capsules,
            timers: timers::Started::default(),
            reacted: watch::Sender::default(),
            rules: RuleBook::open(Arc::clone(&records), &config).await?,
            pruner: Pruner::new(config.decisions_kept_max, config.refusals_kept_max),
            shadows: Shadows::new(config.compare.shadow_queued_max, config.compare.shadow_queued_bytes_max),
            transforms: CellTransforms::new(config.rules),
            imports: Imports::open(dir.join("imports"))?,
            exports: export::folder(dir.join("exports"))?,
            schedules: schedules::Schedules::default(),
            config: config.clone(),
            supervisor,
            shown_models: run::ShownModels::new(config.model_reports_bytes_max),
            read_by_runs: run::ReadByRuns::default(),
            passed_on: run::PassedOn::default(),
            segments: segments::Keeper::default(),
            questions: run::Questions::default(),
        });
        hooks::install(&core);
        run::finish_transitions(&core).await?;
        lifecycle::purge(&core).await?;
        lifecycle::renew_all_presences(&core).await?;
        lifecycle::heal(&core).await;
        let work: Arc<dyn Work> = core.clone();
        let jobs = Arc::new(Jobs::start(records, work, config).await?);
        import::remove_orphans(&core.spool_dir, |name| jobs.uses_spooled(name))?;
        core.remove_old_files(|import| jobs.of_import(import).is_some());
        let reader = reader::start(Arc::clone(&core))?;
        let timers = timers::start(Arc::clone(&core))?;
        let reactions = react::start(Arc::clone(&core)).await?;
        let attachments = attachments::start(Arc::clone(&core))?;
        let duplicates = duplicates::start(Arc::clone(&core))?;
        let expiry = expiry::start(Arc::clone(&core))?;
        let health = supervision::start(Arc::clone(&core), Arc::clone(&jobs), heard)?;
        let schedules = schedules::start(Arc::clone(&core), Arc::clone(&jobs)).await?;
        let shadows = compare::start(Arc::clone(&core)).await?;
        let engine = Arc::new(Self {
            core,
            jobs,
            reader,
            timers,
            reactions,
            attachments,
            duplicates,
            expiry,
            health,
            schedules,
            shadows,
        });
        engine.build_pending_indexes().await;
        Ok(engine)
    }

    /// Up to `jobs_max` (at most 200) jobs, the newest first: those after `after`.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a job cannot be read.
    pub async fn jobs(&self, after: Option<RecordId>, jobs_max: usize) -> Result<JobPage> {
        self.jobs.list(after, jobs_max).await
    }

    /// A job as it stands now.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be read.
    pub async fn job_get(&self, id: RecordId) -> Result<Option<Job>> {
        self.jobs.get(id).await
    }

    /// Asks a job to end and returns it. One that waits ends at once, one that runs as soon as it looks; one that has ended stays
    /// as it is.
    ///
    /// # Errors
    /// [`Error::UnknownJob`].
    pub async fn job_cancel(&self, id: RecordId) -> Result<Job> {
        self.jobs.cancel(id).await
    }

    /// Asks a job to stop where it is until somebody resumes it. Imports can.
    ///
    /// # Errors
    /// [`Error::UnknownJob`], [`Error::InvalidRequest`] for a kind of job that cannot pause.
    pub async fn job_pause(&self, id: RecordId) -> Result<Job> {
        self.jobs.pause(id).await
    }

    /// Has a paused job go on.
    ///
    /// # Errors
    /// [`Error::UnknownJob`], [`Error::InvalidRequest`] where it is not paused.
    pub async fn job_resume(&self, id: RecordId) -> Result<Job> {
        self.jobs.resume(id).await
    }

    /// Waits until a job has ended and returns it; returns it earlier where the server stops.
    ///
    /// # Errors
    /// [`Error::UnknownJob`].
    pub async fn job_wait(&self, id: RecordId) -> Result<Job> {
        self.jobs.wait(id).await
    }

    /// Every installed plugin, by id.
    pub fn plugin_list(&self) -> Vec<PluginInfo> {
        let plugins = self.core.registry.list();
        plugins.into_iter().map(|info| self.with_schedule(info)).collect()
    }

    /// A plugin.
    pub fn plugin_get(&self, id: &PluginId) -> Option<PluginInfo> {
        self.core.registry.get(id).map(|info| self.with_schedule(info))
    }

    /// A new path in the spool folder, for the file of an import.
    pub fn spool_path(&self) -> PathBuf {
        self.core.spool_dir.join(format!("{}.csv", self.new_id()))
    }

    /// Why a customer has its value in a segmentation, as the plugin tells it with the model of the current result.
    ///
    /// # Errors
    /// [`Error::NoExplanation`] with the reason, [`Error::Records`] where the caller does not see the record, [`Error::Plugin`].
    pub async fn explain(&self, caller: &Caller, segmentation: &str, id: RecordId) -> Result<Explanation> {
        run::explain(&self.core, caller, segmentation, id).await
    }

    /// Why a customer has its value in a score, as the plugin tells it with the model of the current result.
    ///
    /// # Errors
    /// As [`Engine::explain`].
    pub async fn score_explain(
        &self,
        caller: &Caller,
        score: &str,
        id: RecordId,
    ) -> Result<ScoreExplanation> {
        run::score_explain(&self.core, caller, score, id).await
    }

    /// What the model of a score does, in words: Markdown.
    ///
    /// # Errors
    /// [`Error::NoExplanation`] with the reason, also where the caller does not see all customers and all that the model is made of;
    /// [`Error::Plugin`].
    pub async fn score_rules(&self, caller: &Caller, score: &str) -> Result<Text> {
        run::score_rules(&self.core, caller, score).await
    }

    /// Up to `runs_max` (at most 200) runs of a plugin, the newest first: those after `after`. They outlive the plugin.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`] where it is not installed and was never run, [`Error::Damaged`] where a run cannot be read.
    pub async fn plugin_runs(
        &self,
        plugin: &PluginId,
        after: Option<RecordId>,
        runs_max: usize,
    ) -> Result<RunPage> {
        if !run::is_known(&self.core, plugin).await? {
            return Err(Error::UnknownPlugin { id: plugin.to_string() });
        }
        run::list(&self.core, plugin, after, runs_max).await
    }

    /// Does a run again from what it read, as a job. Its result says whether the same came out, and the first rows where not.
    ///
    /// # Errors
    /// [`Error::UnknownRun`], [`Error::InputsExpired`] where what it read is no longer kept, [`Error::QueueFull`].
    pub async fn run_replay(&self, caller: &Caller, plugin: &PluginId, run: RecordId) -> Result<Job> {
        run::check_replay(&self.core, plugin, run).await?;
        let request = Request::RunReplay { plugin: plugin.to_string(), run: *run.as_bytes() };
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// Ends the threads. Jobs that run are taken up again by the next start. Call it once, before the store is closed.
    pub async fn shutdown(&self) {
        self.schedules.stop().await;
        self.jobs.stop().await;
        self.health.stop().await;
        self.expiry.stop().await;
        self.shadows.stop().await;
        self.reactions.stop().await;
        self.duplicates.stop().await;
        self.timers.stop().await;
        self.attachments.stop().await;
        self.reader.stop().await;
    }

    /// What is known about a plugin, with when it runs by itself.
    pub(crate) fn with_schedule(&self, info: PluginInfo) -> PluginInfo {
        PluginInfo { schedule: schedules::info(&self.core, &info.id), ..info }
    }

    pub(crate) fn new_id(&self) -> RecordId {
        self.core.records.ids().record_id(self.core.records.clock().now_ms())
    }
}
