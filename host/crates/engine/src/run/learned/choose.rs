//! Which model a run evaluates with.

use std::sync::Arc;

use trellis_model::PluginId;
use trellis_plugin_host::{Plugin, PluginError};
use trellis_records::Records;

use super::stored::{self, Learned};
use crate::{
    Error, ModelChoice, Result,
    blocking::blocking,
    core::Core,
    run::{
        context,
        evaluator::{self, Evaluator, PerInterface},
        models, serving, spec,
    },
};

/// Where the model of a run comes from, all of it decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum ModelSource {
    /// It is learned from the data as it is.
    New,
    /// It is that of the run before.
    Last,
    /// It is the one of this number.
    Number(u32),
}

/// Decides where the model of a run comes from. A pinned model goes before everything but a word to the contrary, which is refused.
pub(in crate::run) async fn model_for(
    records: &Records,
    plugin: &PluginId,
    choice: ModelChoice,
) -> Result<ModelSource> {
    let pinned = stored::pinned(records, plugin).await?;
    match (choice, pinned) {
        (ModelChoice::Usual, None) | (ModelChoice::Fit, None) => Ok(ModelSource::New),
        (ModelChoice::Last, None) => Ok(ModelSource::Last),
        (ModelChoice::Usual | ModelChoice::Last, Some(number)) => Ok(ModelSource::Number(number)),
        (ModelChoice::Number(wanted), None) => Ok(ModelSource::Number(wanted)),
        (ModelChoice::Number(wanted), Some(number)) if wanted == number => Ok(ModelSource::Number(number)),
        (ModelChoice::Number(_) | ModelChoice::Fit, Some(number)) => {
            Err(Error::ModelPinned { plugin: plugin.clone(), model: number })
        }
    }
}

/// A model with its bytes.
///
/// # Errors
/// [`Error::UnknownModel`], [`Error::ModelExpired`] where its bytes are no longer kept.
pub(in crate::run) async fn usable(
    records: &Records,
    plugin: &PluginId,
    number: u32,
) -> Result<(Learned, PerInterface<Vec<u8>>)> {
    let unknown = || Error::UnknownModel { plugin: plugin.clone(), model: number };
    let learned = stored::get(records, plugin, number).await?.ok_or_else(unknown)?;
    let bytes = models::get_all(records, plugin, &learned.digests).await?;
    match bytes {
        Some(bytes) => Ok((learned, bytes)),
        None => Err(Error::ModelExpired { plugin: plugin.clone(), model: number }),
    }
}

/// What an error of a plugin means where it was asked to evaluate with a model: the model may be one that it does not read.
pub(in crate::run) fn explained(error: Error, plugin: &Plugin, model: Option<u32>) -> Error {
    match error {
        Error::Plugin(trellis_plugin_host::Error::Plugin {
            error: PluginError::UnreadableModel(reason),
            ..
        }) => Error::ModelIncompatible {
            plugin: plugin.manifest().id.clone(),
            version: plugin.version().to_string(),
            model,
            reason: reason.en,
        },
        error => error,
    }
}

/// Whether a version of a plugin reads the model that its current results were made with, by evaluating nothing with it. `None` where there
/// is no such model; an upgrade then has nothing to keep.
///
/// # Errors
/// [`Error::ModelIncompatible`] where it does not read it, [`Error::Plugin`] where it fails in another way.
pub(super) async fn check_readable(core: &Core, plugin: &Arc<Plugin>) -> Result<Option<u32>> {
    let id = &plugin.manifest().id;
    let Some((run, record)) = serving::serving(&core.records, id).await? else { return Ok(None) };
    let Some(bytes) = models::get_all(&core.records, id, &record.models).await? else { return Ok(None) };
    let as_of = crate::as_of::from_days(record.as_of);
    let at = context::of(core, run, as_of);
    let spec = spec::granted(core, plugin.manifest(), &record.config)?;
    let nothing = core.columns.dataset_row(&spec, as_of, None).await?;
    let (plugin, config, model) = (Arc::clone(plugin), record.config.clone(), record.model);
    blocking("asking the plugin about a model", move || {
        let described = evaluator::describe(&plugin, &config)?;
        let evaluator = Evaluator { plugin: &plugin, described: &described, models: &bytes, at: &at };
        evaluator.evaluate(nothing).map(drop).map_err(|error| explained(error, &plugin, model))
    })
    .await??;
    Ok(record.model)
}
