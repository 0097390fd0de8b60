//! The job that runs a plugin.

use std::{sync::Arc, time::Instant};

use semver::Version;
use serde_json::{Value as Json, json};
use trellis_columns::{AsOf, DatasetSpec, DatasetStream, FlipRequest, GenerationId, Origin};
use trellis_model::{Batch, PluginId, RecordId, SegmentationName};
use trellis_plugin_host::{CallContext, Model, Plugin, RowStream, Segmentation, SegmentationDescription};

use super::{
    assign::{self, Assigner, Tally},
    follow::Follower,
    ledger::{self, RunRecord},
    models, outputs, spec,
};
use crate::{Error, Result, as_of, core::Core, jobs::Running, plugins::hex};

/// What a run is asked for, all of it decided.
#[derive(Debug, Clone)]
pub(crate) struct RunInput {
    pub(crate) plugin: PluginId,
    pub(crate) version: Version,
    pub(crate) config: Json,
    pub(crate) as_of: AsOf,
    pub(crate) announce: bool,
    pub(crate) last_model: bool,
}

/// A run under way.
struct Run<'a> {
    core: &'a Core,
    job: &'a Running<'a>,
    input: &'a RunInput,
    plugin: &'a Arc<Plugin>,
    spec: DatasetSpec,
    config: String,
    at: CallContext,
    described: Vec<SegmentationDescription>,
    outputs: Vec<SegmentationName>,
    previous: Option<(RecordId, RunRecord)>,
    parts: Timings,
}

/// How long the parts took, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Timings {
    features: f64,
    fit: f64,
    assign: f64,
    store: f64,
    flip: f64,
}

/// A model with what is told about it.
struct Fitted {
    bytes: Vec<u8>,
    digest: [u8; 32],
    about: Json,
}

/// Runs a plugin; called again with the same job where a stop of the server interrupted it.
pub(crate) fn run(core: &Core, job: &Running<'_>, input: &RunInput) -> Result<Json> {
    let records = &core.records;
    let plugin = job.wait(core.registry.version(&input.plugin, &input.version))?;
    if let Some(done) = job.wait(ledger::get(records, &input.plugin, job.id()))? {
        job.wait(finish(core, job, &input.plugin, &done))?;
        return done.result();
    }
    let segmentation = segmentation(&plugin)?;
    let config = input.config.to_string();
    let described = segmentation.describe(&config)?;
    let spec = spec::dataset(plugin.manifest())?;
    let outputs = job.wait(outputs::define(&core.columns, plugin.manifest(), &spec.object, &described))?;
    let previous = job.wait(ledger::last(records, &input.plugin))?;
    let at = context(core, job.id(), input.as_of);
    let parts = Timings::default();
    let run =
        Run { core, job, input, plugin: &plugin, spec, config, at, described, outputs, previous, parts };
    run.execute(segmentation)
}

pub(super) fn segmentation(plugin: &Plugin) -> Result<Segmentation<'_>> {
    plugin.segmentation().ok_or_else(|| Error::CannotRun {
        plugin: plugin.manifest().id.clone(),
        reason: "it does not offer the interface `segmentation`".to_owned(),
    })
}

/// What every call of a run is told.
pub(super) fn context(core: &Core, run: RecordId, as_of: AsOf) -> CallContext {
    let config = core.records.config();
    let now_ms = core.records.clock().now_ms();
    CallContext {
        run_id: run.to_string(),
        as_of_days: as_of::day(as_of, now_ms, &config.time_zone),
        now_ms,
        time_zone: config.time_zone.iana_name().unwrap_or("UTC").to_owned(),
        base_currency: config.base_currency.to_string(),
        seed: seed(run),
    }
}

/// The seed of a run: the same whenever it is done again.
fn seed(run: RecordId) -> u64 {
    let digest = blake3::derive_key("trellis engine run seed v1", run.as_bytes());
    u64::from_le_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
}

fn timed<T>(into: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let done = work()?;
    *into += started.elapsed().as_secs_f64() * 1_000.0;
    Ok(done)
}

impl Run<'_> {
    fn execute(mut self, segmentation: Segmentation<'_>) -> Result<Json> {
        let (core, job) = (self.core, self.job);
        let mut parts = self.parts;
        let mut stream = timed(&mut parts.features, || self.open())?;
        let position = core.records.store().head().0;
        job.progress(0, Some(stream.rows()), "customers");
        job.check()?;
        let fitted = timed(&mut parts.fit, || self.fit(segmentation, &mut stream))?;
        job.check()?;
        stream.rewind();
        let mut writer = core.columns.begin(job.id(), &self.outputs)?;
        let tally = timed(&mut parts.assign, || {
            let (described, model) = (self.described.as_slice(), fitted.bytes.as_slice());
            let assigner = Assigner { segmentation, described, model, at: &self.at };
            let options = assign::Options {
                parallel_max: core.config.assign_parallel_max,
                failed_rows_kept_max: core.config.failed_rows_kept_max,
            };
            assign::assign_all(job, assigner, &mut stream, &mut writer, options)
        })?;
        let generation = timed(&mut parts.store, || Ok(job.wait(writer.finish())?))?;
        self.parts = parts;
        if let Err(error) = job.check() {
            job.wait(core.columns.discard(generation))?;
            return Err(error);
        }
        let mut record = self.record(&stream, &fitted, generation, position);
        self.flip(&mut record, &fitted, &tally)?;
        job.wait(finish(core, job, &self.input.plugin, &record))?;
        record.result()
    }

    fn open(&self) -> Result<DatasetStream> {
        self.job.wait(async {
            self.core.columns.catch_up().await?;
            let rows = self.core.config.batch_rows_max as usize;
            Ok(self.core.columns.dataset(&self.spec, self.input.as_of, rows).await?)
        })
    }

    fn fit(&self, segmentation: Segmentation<'_>, stream: &mut DatasetStream) -> Result<Fitted> {
        let plugin = &self.input.plugin;
        if self.input.last_model {
            return self.last_model();
        }
        let mut rows = Rows(stream);
        let fitted = segmentation.fit(&mut rows, &self.config, &self.at, self.job.cancel_plugin())?;
        for line in &fitted.logs {
            tracing::info!(plugin = %self.plugin.plugin_version(), level = ?line.level, "{}", line.message);
        }
        let about = about(&fitted.model);
        let digest = self.job.wait(models::put(&self.core.records, plugin, &fitted.model.bytes))?;
        Ok(Fitted { bytes: fitted.model.bytes, digest, about })
    }

    /// The model of the last run, if that fits what is asked now.
    fn last_model(&self) -> Result<Fitted> {
        let plugin = &self.input.plugin;
        let cannot = |reason: &str| Error::CannotRun { plugin: plugin.clone(), reason: reason.to_owned() };
        let (_, last) = self.previous.as_ref().ok_or_else(|| cannot("it has no model yet: fit one first"))?;
        if !self.same_model_as(last) {
            return Err(cannot("its last model is of another version or configuration: fit a new one"));
        }
        let bytes = self.job.wait(models::get(&self.core.records, plugin, &last.model))?;
        let bytes = bytes.ok_or_else(|| cannot("its last model is no longer kept: fit a new one"))?;
        let about = last.result()?.get("model").cloned().unwrap_or_default();
        Ok(Fitted { bytes, digest: last.model, about })
    }

    fn same_model_as(&self, last: &RunRecord) -> bool {
        last.plugin_digest == *self.plugin.digest().as_bytes() && last.config == self.config
    }

    /// A first run has nothing to compare with; a new model moves customers who did nothing, which is news only if asked for.
    fn is_baseline(&self) -> bool {
        match &self.previous {
            None => true,
            Some(_) => !self.input.last_model && !self.input.announce,
        }
    }

    fn record(
        &self,
        stream: &DatasetStream,
        fitted: &Fitted,
        generation: GenerationId,
        position: u64,
    ) -> RunRecord {
        RunRecord {
            version: self.input.version.to_string(),
            plugin_digest: *self.plugin.digest().as_bytes(),
            config: self.config.clone(),
            as_of: as_of::to_days(self.input.as_of),
            as_of_day: self.at.as_of_days,
            now_ms: self.at.now_ms,
            seed: self.at.seed,
            model: fitted.digest,
            log_number: stream.log_number(),
            position,
            generation: generation.0,
            baseline: self.is_baseline(),
            outputs: self.outputs.iter().map(ToString::to_string).collect(),
            result: String::new(),
        }
    }

    fn flip(&mut self, record: &mut RunRecord, fitted: &Fitted, tally: &Tally) -> Result<()> {
        let (core, job) = (self.core, self.job);
        let request = FlipRequest {
            run: job.id(),
            baseline: record.baseline,
            as_of: self.input.as_of,
            data: self.flip_data(record),
            origin: origin(job),
        };
        let generation = GenerationId(record.generation);
        let mut parts = self.parts;
        timed(&mut parts.flip, || Ok(job.wait(core.columns.flip(generation, request))?))?;
        self.parts = parts;
        record.result = self.result(record, fitted, tally).to_string();
        job.wait(ledger::put(&core.records, &self.input.plugin, job.id(), record))
    }

    fn flip_data(&self, record: &RunRecord) -> Json {
        json!({
            "plugin": self.input.plugin.as_str(),
            "version": record.version,
            "digest": hex(&record.plugin_digest),
            "model": hex(&record.model),
            "log": record.log_number,
            "position": record.position,
            "seed": record.seed.to_string(),
        })
    }

    fn result(&self, record: &RunRecord, fitted: &Fitted, tally: &Tally) -> Json {
        let segmentation = |name: &SegmentationName| {
            let info = self.core.columns.segmentation(name.as_str());
            let counts = info
                .iter()
                .flat_map(|info| &info.counts)
                .map(|count| (count.value.clone(), count.count.into()));
            let counts: serde_json::Map<String, Json> = counts.collect();
            let without = info.as_ref().map(|info| info.null_count);
            (name.to_string(), json!({ "values": counts, "null": without }))
        };
        let failed = tally.failed_rows.iter().map(|(ordinal, row)| {
            json!({ "ordinal": ordinal, "code": row.code, "message": { "en": row.message.en, "zh-CN": row.message.zh_cn } })
        });
        json!({
            "run": self.job.id().to_string(),
            "plugin": self.input.plugin.as_str(),
            "version": record.version,
            "digest": hex(&record.plugin_digest),
            "config": self.input.config,
            "as_of": as_of::text(self.input.as_of),
            "model": fitted.about,
            "model_digest": hex(&record.model),
            "log": record.log_number,
            "position": record.position,
            "seed": record.seed.to_string(),
            "generation": record.generation,
            "baseline": record.baseline,
            "customers": tally.customers,
            "failed": tally.failed,
            "failed_rows": failed.collect::<Vec<_>>(),
            "segmentations": self.outputs.iter().map(segmentation).collect::<serde_json::Map<_, _>>(),
            "timings_ms": {
                "features": self.parts.features,
                "fit": self.parts.fit,
                "assign": self.parts.assign,
                "store": self.parts.store,
                "flip": self.parts.flip,
            },
        })
    }
}

/// What comes after the flip, and again after a crash there: transitions, what changed while the run ran, old models.
async fn finish(core: &Core, job: &Running<'_>, plugin: &PluginId, record: &RunRecord) -> Result<()> {
    let generation = GenerationId(record.generation);
    if core.columns.pending_transitions().contains(&generation) {
        core.columns.transitions(generation, &origin(job)).await?;
    }
    let still_runs = core.registry.active(plugin).await.is_ok();
    core.columns.set_stale(plugin, !still_runs).await?;
    if let Some(mut follower) = Follower::open(core, plugin, job.id(), record).await? {
        for _ in 0..core.config.catch_up_rounds_max {
            if follower.catch_up(core).await? == 0 {
                break;
            }
        }
    }
    ledger::prune_models(&core.records, plugin, core.config.models_kept_per_plugin).await
}

/// Writes the transitions that a crash kept from being written: a flip is refused while those of the last one are pending.
pub(crate) async fn finish_transitions(core: &Core) -> Result<()> {
    for generation in core.columns.pending_transitions() {
        core.columns.transitions(generation, &Origin::system("start-up")).await?;
    }
    Ok(())
}

fn origin(job: &Running<'_>) -> Origin {
    Origin { actor: job.caller().actor.clone(), cause: job.caller().cause.clone() }
}

fn about(model: &Model) -> Json {
    let metric = |metric: &trellis_plugin_host::Metric| {
        let label = json!({ "en": metric.label.en, "zh-CN": metric.label.zh_cn });
        json!({ "name": metric.name, "label": label, "value": metric.value })
    };
    json!({
        "summary": { "en": model.summary.en, "zh-CN": model.summary.zh_cn },
        "metrics": model.metrics.iter().map(metric).collect::<Vec<_>>(),
        "bytes": model.bytes.len(),
    })
}

/// A dataset as plugins read it.
struct Rows<'a>(&'a mut DatasetStream);

impl RowStream for Rows<'_> {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.0.next().map_err(|error| error.to_string())
    }

    fn rewind(&mut self) {
        self.0.rewind();
    }

    fn rows(&self) -> u64 {
        self.0.rows()
    }
}
