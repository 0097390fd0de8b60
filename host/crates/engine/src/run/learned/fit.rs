//! The job that learns a model without using it.

use semver::Version;
use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_model::PluginId;
use trellis_plugin_host::Plugin;

use super::{
    keep,
    stored::{self, Learned},
};
use crate::{
    Result, as_of,
    core::Core,
    jobs::{Running, StoredActor},
    run::{
        context,
        copied::{Call, Copied},
        datasets::Spec,
        evaluator, models,
        plugin_run::Fitted,
        report,
        source::{Opens, Rows},
        spec,
    },
};

/// What is to be learned, all of it decided.
#[derive(Debug, Clone)]
pub(crate) struct FitInput {
    pub(crate) plugin: PluginId,
    pub(crate) version: Version,
    pub(crate) config: Json,
    pub(crate) as_of: AsOf,
}

/// Learns a model; called again with the same job where a stop of the server interrupted it.
pub(crate) fn fit(core: &Core, job: &Running<'_>, input: &FitInput) -> Result<Json> {
    let (records, id) = (&core.records, &input.plugin);
    let done = job.wait(stored::last(records, id))?.filter(|(_, model)| model.job == *job.id().as_bytes());
    let (number, model) = match done {
        Some(done) => done,
        None => learn(core, job, input)?,
    };
    job.wait(keep::prune(records, id, core.config.models_kept_per_plugin))?;
    Ok(json!({
        "plugin": id.as_str(),
        "version": model.version,
        "model": number,
        "customers": model.customers,
        "bytes": model.bytes,
        "models": model.about()?,
    }))
}

fn learn(core: &Core, job: &Running<'_>, input: &FitInput) -> Result<(u32, Learned)> {
    // Since it was asked for the plugin may have been disabled or removed.
    core.registry.check_enabled(&input.plugin)?;
    let plugin = job.wait(core.registry.version(&input.plugin, &input.version))?;
    let config = input.config.to_string();
    // A configuration that the plugin refuses is refused before its rows are made.
    evaluator::describe(&plugin, &config)?;
    spec::check_learnable(core, &plugin, &config)?;
    let at = context::of(core, job.id(), input.as_of);
    let call = Call { core, job, plugin: &plugin, config: &config, as_of: input.as_of, at: &at };
    let customers = spec::granted(core, plugin.manifest(), &config)?;
    let name = plugin.manifest().customers().map(|dataset| dataset.name.clone()).unwrap_or_default();
    let rows = spec::rows_granted(core, plugin.manifest(), &config)?;
    let rows = rows.into_iter().map(|(name, spec)| (name, Spec::Rows(spec)));
    let specs = rows.chain([(name.clone(), Spec::Customers(customers))]).collect();
    let opened = Copied::begin(call, specs, Some(name.clone()))?;
    // All at once: both interfaces, and every pass of them, see the same rows, and what a model is made of is as near to one moment as can be.
    opened.copy_all()?;
    let mut source = opened.open(&name)?.expect("it is among those that were copied");
    let (log_number, customers) = (opened.log_number, source.rows());
    let mut rows = Rows::new(source.as_mut(), &opened);
    let fitted = evaluator::fit(&plugin, &mut rows, &config, &at, job.cancel_plugin())?;
    job.check()?;
    keep_model(core, job, &plugin, Subject { input, config: &config, log_number, customers }, &fitted)
        .map(|(_, number, learned)| (number, learned))
}

/// What a model is learned from.
#[derive(Debug, Clone, Copy)]
pub(in crate::run) struct Subject<'a> {
    pub(in crate::run) input: &'a FitInput,
    pub(in crate::run) config: &'a str,
    pub(in crate::run) log_number: u64,
    pub(in crate::run) customers: u64,
}

/// Stores what was learned and gives it a number.
pub(in crate::run) fn keep_model(
    core: &Core,
    job: &Running<'_>,
    plugin: &Plugin,
    subject: Subject<'_>,
    fitted: &evaluator::PerInterface<trellis_plugin_host::Model>,
) -> Result<(Fitted, u32, Learned)> {
    let (records, id) = (&core.records, &subject.input.plugin);
    let about = report::about(fitted);
    let bytes = fitted.map(|model| model.bytes.clone());
    let digests = bytes.try_map(|bytes| job.wait(models::put(records, id, bytes)))?;
    let learned = Learned {
        version: plugin.version().to_string(),
        plugin_digest: *plugin.digest().as_bytes(),
        config: subject.config.to_owned(),
        as_of: as_of::to_days(subject.input.as_of),
        log_number: subject.log_number,
        customers: subject.customers,
        digests: digests.clone(),
        bytes: bytes.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
        about: about.to_string(),
        job: *job.id().as_bytes(),
        learned_at_ms: records.clock().now_ms(),
        learned_by: StoredActor::from(&job.caller().actor),
    };
    let number = job.wait(stored::register(records, job.caller(), id, &learned))?;
    Ok((Fitted { bytes, digests, about, number: Some(number) }, number, learned))
}
