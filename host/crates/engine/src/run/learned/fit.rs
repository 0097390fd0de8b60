//! The job that learns a model without using it.

use semver::Version;
use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_model::{Batch, PluginId};
use trellis_plugin_host::Plugin;

use super::{
    keep,
    stored::{self, Learned},
};
use crate::{
    Error, Result, as_of,
    capsule::Header,
    core::Core,
    jobs::{Running, StoredActor},
    run::{
        context,
        datasets::{self, Datasets},
        evaluator,
        gather::{self, Live},
        models,
        plugin_run::Fitted,
        report,
        source::{Rows, Source},
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

/// Batches that tell how far a job is, and that end where it is cancelled.
struct Watched<'a> {
    source: &'a mut dyn Source,
    job: &'a Running<'a>,
    read: u64,
}

impl Source for Watched<'_> {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.job.check()?;
        let batch = self.source.next()?;
        self.read += batch.as_ref().map_or(0, |batch| u64::from(batch.rows));
        self.job.progress(self.read, Some(self.source.rows()), "rows");
        Ok(batch)
    }

    /// A plugin may read the rows several times: how far a job is, is how far it is with this time.
    fn rewind(&mut self) -> Result<()> {
        self.read = 0;
        self.source.rewind()
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        self.source.again()
    }
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
    let plugin = job.wait(core.registry.version(&input.plugin, &input.version))?;
    let config = input.config.to_string();
    // A configuration that the plugin refuses is refused before its rows are made.
    evaluator::describe(&plugin, &config)?;
    let spec = spec::granted(core, plugin.manifest(), &config)?;
    let (live, datasets) = job.wait(async {
        core.columns.catch_up().await?;
        let rows = core.config.batch_rows_max as usize;
        let go_on = job.go_on();
        let live = core.columns.dataset_while(&spec, input.as_of, rows, go_on.clone()).await?;
        let datasets = datasets::open_rows(core, plugin.manifest(), &config, input.as_of, &go_on).await?;
        Ok::<_, Error>((live, datasets))
    })?;
    let log_number = live.log_number();
    let at = context::of(core, job.id(), input.as_of);
    let header = Header {
        epoch: core.records.store().epoch().0,
        run: *job.id().as_bytes(),
        plugin: input.plugin.to_string(),
        version: input.version.to_string(),
        plugin_digest: *plugin.digest().as_bytes(),
        config: config.clone(),
        at: (&at).into(),
        log_number,
        position: core.records.store().head().0,
        campaign: Vec::new(),
    };
    let place = gather::Place { capsules: &core.capsules, bytes_max: core.config.capsule_bytes_max };
    // A capsule that is never finished: both interfaces, and every pass of them, see the same rows.
    let mut rows = gather::gather(place, &header, Live { datasets, ..Live::rows(live) }, || job.check())?;
    let customers = rows.source.rows();
    let mut watched = Watched { source: rows.source.as_mut(), job, read: 0 };
    let words = crate::run::words_of(&core.records.schema(), plugin.manifest(), &config)?;
    let datasets = Datasets::new(plugin.manifest(), rows.datasets).called(words);
    let mut rows = Rows::new(&mut watched, &datasets);
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
