//! What the engine offers of models.

use semver::Version;
use trellis_model::PluginId;
use trellis_records::Caller;

use super::{
    ModelInfo, ModelPage, ModelSource, choose, keep,
    stored::{self, Standing},
};
use crate::{
    Engine, Error, Job, Result, RunRequest, as_of,
    core::Core,
    jobs::{Jobs, Request},
    plugins::checked_config,
    run::{self, serving, spec},
};

/// Models of a page.
const PAGE_MODELS_MAX: usize = 200;

impl Engine {
    /// Runs a plugin over all customers, as a job. Its result says what the run was made of and what came out.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::NotEnabled`], [`Error::Broken`], [`Error::InvalidSettings`], [`Error::UnknownModel`],
    /// [`Error::ModelExpired`], [`Error::ModelPinned`] where another model is wanted than the one that is pinned, [`Error::Busy`] while another
    /// run or fit of it has not ended, [`Error::QueueFull`].
    pub async fn plugin_run(&self, caller: &Caller, id: &PluginId, request: RunRequest) -> Result<Job> {
        start(&self.core, &self.jobs, caller, id, request).await
    }

    /// Has a plugin learn a model from the data as it is, as a job, without using it. Only `config` and `as_of` of the request count.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::NotEnabled`], [`Error::Broken`], [`Error::InvalidSettings`], [`Error::Busy`] while a run or another
    /// fit of it has not ended, [`Error::QueueFull`].
    pub async fn plugin_fit(&self, caller: &Caller, id: &PluginId, request: RunRequest) -> Result<Job> {
        let active = self.core.registry.active(id).await?;
        if active.plugin.segmentation().is_none() && active.plugin.scoring().is_none() {
            return Err(Error::evaluates_nobody(id));
        }
        let config = match request.config {
            Some(config) => {
                let config = checked_config(id, &active.plugin, config)?;
                run::check_chosen(&self.core, &active.plugin, &config)?;
                config
            }
            None => active.config,
        };
        let (config, as_of) = (config.to_string(), request.as_of.unwrap_or(active.as_of));
        spec::check_as_of(&active.plugin, &config, as_of)?;
        run::check_learnable(&self.core, &active.plugin, &config)?;
        let request = Request::PluginFit {
            plugin: id.to_string(),
            version: active.plugin.plugin_version().version.to_string(),
            config,
            as_of: as_of::to_days(as_of),
        };
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// Up to `models_max` (at most 200) models that a plugin learned, the newest first: those after `after`.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::Damaged`] where a model cannot be read.
    pub async fn plugin_models(
        &self,
        id: &PluginId,
        after: Option<u32>,
        models_max: usize,
    ) -> Result<ModelPage> {
        self.known(id).await?;
        let records = &self.core.records;
        let standing = self.standing(id).await?;
        let models_max = models_max.clamp(1, PAGE_MODELS_MAX);
        let (found, more) = stored::newest(records, id, after, models_max).await?;
        let mut models = Vec::with_capacity(found.len());
        for (number, model) in found {
            models.push(model.info(records, id, number, standing).await?);
        }
        let next = models.last().filter(|_| more).map(|model| model.number);
        Ok(ModelPage { models, next })
    }

    /// One model that a plugin learned.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownModel`].
    pub async fn plugin_model(&self, id: &PluginId, number: u32) -> Result<ModelInfo> {
        self.known(id).await?;
        let unknown = || Error::UnknownModel { plugin: id.clone(), model: number };
        let model = stored::get(&self.core.records, id, number).await?.ok_or_else(unknown)?;
        model.info(&self.core.records, id, number, self.standing(id).await?).await
    }

    /// Has the runs of a plugin use a model until it is unpinned. Where the current results are another model's, and the plugin is enabled,
    /// a run with this one is started and returned.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownModel`], [`Error::ModelExpired`], [`Error::Busy`] where that run cannot be started now.
    pub async fn model_pin(
        &self,
        caller: &Caller,
        id: &PluginId,
        number: u32,
    ) -> Result<(ModelInfo, Option<Job>)> {
        self.known(id).await?;
        choose::usable(&self.core.records, id, number).await?;
        let in_use = self.standing(id).await?.in_use == Some(number);
        let enabled = self.core.registry.active(id).await.is_ok();
        let job = match in_use || !enabled {
            true => None,
            // First, so that nothing is pinned where it cannot be used now.
            false => Some(self.run_with_model(caller, id, number).await?),
        };
        stored::pin(&self.core.records, caller, id, Some(number)).await?;
        Ok((self.plugin_model(id, number).await?, job))
    }

    /// Has the runs of a plugin use what they learn again. A model that is not pinned stays so.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownModel`].
    pub async fn model_unpin(&self, caller: &Caller, id: &PluginId, number: u32) -> Result<ModelInfo> {
        let model = self.plugin_model(id, number).await?;
        if !model.pinned {
            return Ok(model);
        }
        stored::pin(&self.core.records, caller, id, None).await?;
        keep::prune(&self.core.records, id, self.core.config.models_kept_per_plugin).await?;
        self.plugin_model(id, number).await
    }

    /// Whether a version of a plugin reads the model that its current results were made with, by having it evaluate no rows with it; the
    /// model's number, `None` where there is no such model. An upgrade asks this before it changes anything.
    ///
    /// # Errors
    /// [`Error::ModelIncompatible`] where it does not read it, [`Error::UnknownPlugin`], [`Error::UnknownVersion`], [`Error::Plugin`] where
    /// it fails in another way.
    pub async fn model_check(&self, id: &PluginId, version: &Version) -> Result<Option<u32>> {
        let plugin = self.core.registry.version(id, version).await?;
        choose::check_readable(&self.core, &plugin).await
    }

    async fn run_with_model(&self, caller: &Caller, id: &PluginId, number: u32) -> Result<Job> {
        let (request, source) = (RunRequest::default(), ModelSource::Number(number));
        start_with(&self.core, &self.jobs, caller, id, (request, source)).await
    }

    async fn known(&self, id: &PluginId) -> Result<()> {
        match run::is_known(&self.core, id).await? {
            true => Ok(()),
            false => Err(Error::UnknownPlugin { id: id.to_string() }),
        }
    }

    async fn standing(&self, id: &PluginId) -> Result<Standing> {
        let records = &self.core.records;
        let last = serving::serving(records, id).await?;
        Ok(Standing {
            pinned: stored::pinned(records, id).await?,
            in_use: last.and_then(|(_, run)| run.model),
        })
    }
}

/// Starts a run of a plugin.
pub(crate) async fn start(
    core: &Core,
    jobs: &Jobs,
    caller: &Caller,
    id: &PluginId,
    request: RunRequest,
) -> Result<Job> {
    // First, since it is worth more than what is said of its models.
    core.registry.active(id).await?;
    let source = choose::model_for(&core.records, id, request.model).await?;
    start_with(core, jobs, caller, id, (request, source)).await
}

/// Starts a run whose model is decided. One with an older model is under the configuration of that model.
async fn start_with(
    core: &Core,
    jobs: &Jobs,
    caller: &Caller,
    id: &PluginId,
    (request, source): (RunRequest, ModelSource),
) -> Result<Job> {
    let active = core.registry.active(id).await?;
    let given = request.config.map(|config| checked_config(id, &active.plugin, config)).transpose()?;
    if let Some(given) = &given {
        run::check_chosen(core, &active.plugin, given)?;
    }
    let (config, model) = match source {
        ModelSource::Number(number) => {
            let (learned, _) = choose::usable(&core.records, id, number).await?;
            if given.map(|given| given.to_string()).is_some_and(|given| given != learned.config) {
                return Err(Error::InvalidRequest {
                    reason: format!(
                        "`config`: model {number} was learned under another configuration, which a run with it keeps"
                    ),
                });
            }
            (learned.config, Some(number))
        }
        ModelSource::New | ModelSource::Last => (given.unwrap_or(active.config).to_string(), None),
    };
    let as_of = request.as_of.unwrap_or(active.as_of);
    spec::check_as_of(&active.plugin, &config, as_of)?;
    if source == ModelSource::New {
        run::check_learnable(core, &active.plugin, &config)?;
    }
    let request = Request::PluginRun {
        plugin: id.to_string(),
        version: active.plugin.plugin_version().version.to_string(),
        config,
        as_of: as_of::to_days(as_of),
        announce: request.announce,
        last_model: source == ModelSource::Last,
        model,
    };
    let job = core.records.ids().record_id(core.records.clock().now_ms());
    jobs.create(job, caller, request).await
}

/// Whether a plugin has current results.
pub(crate) async fn has_run(core: &Core, id: &PluginId) -> Result<bool> {
    Ok(serving::serving(&core.records, id).await?.is_some())
}
