//! The job that runs a plugin.

use std::{sync::Arc, time::Instant};

use semver::Version;
use serde_json::Value as Json;
use trellis_columns::{
    AsOf, CodesColumn, DatasetSpec, DatasetStream, FlipRequest, GenerationId, GenerationWriter,
    NumbersColumn, Origin, ResultColumn,
};
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::{CallContext, Plugin};

use super::{
    evaluate::{self, Done, Tally},
    evaluator::{self, Described, Evaluator, PerInterface},
    follow::Follower,
    gather::{self, Gathered, Made, Making, Place},
    ledger::{self, RunRecord},
    models,
    outputs::{self, Outputs},
    report::{self, Report, Timings},
    results::{self, Layout},
    source::{Rows, Source},
    spec,
};
use crate::{
    Error, Result, as_of,
    capsule::{self, End, Header},
    core::Core,
    jobs::Running,
};

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
    described: Described,
    outputs: Outputs,
    layout: Layout,
    previous: Option<(RecordId, RunRecord)>,
    parts: Timings,
}

/// The models of a run with what is told about them.
struct Fitted {
    bytes: PerInterface<Vec<u8>>,
    digests: PerInterface<[u8; 32]>,
    about: Json,
}

/// The results of a run, stored and not yet flipped to.
struct Evaluated {
    generation: GenerationId,
    tally: Tally,
    outputs_digest: [u8; 32],
}

/// Runs a plugin; called again with the same job where a stop of the server interrupted it.
pub(crate) fn run(core: &Core, job: &Running<'_>, input: &RunInput) -> Result<Json> {
    let records = &core.records;
    let plugin = job.wait(core.registry.version(&input.plugin, &input.version))?;
    if let Some(done) = job.wait(ledger::get(records, &input.plugin, job.id()))? {
        job.wait(finish(core, job, &input.plugin, &done))?;
        return done.result();
    }
    let config = input.config.to_string();
    let described = evaluator::describe(&plugin, &config)?;
    let spec = spec::granted(core, plugin.manifest())?;
    let outputs = job.wait(outputs::define(&core.columns, plugin.manifest(), &spec.object, &described))?;
    let layout = Layout::of(&described, |output| plugin.manifest().output_name(output));
    let previous = job.wait(super::serving::serving(records, &input.plugin))?;
    let at = context(core, job.id(), input.as_of);
    let parts = Timings::default();
    let plugin = &plugin;
    Run { core, job, input, plugin, spec, config, at, described, outputs, layout, previous, parts }.execute()
}

/// What every call of a run is told.
pub(crate) fn context(core: &Core, run: RecordId, as_of: AsOf) -> CallContext {
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
    fn execute(mut self) -> Result<Json> {
        let (core, job) = (self.core, self.job);
        let mut parts = self.parts;
        let live = timed(&mut parts.features, || self.open())?;
        let (position, log_number) = (core.records.store().head().0, live.log_number());
        job.progress(0, Some(live.rows()), "customers");
        let Gathered { mut source, mut capsule } =
            timed(&mut parts.features, || self.gather(live, position, log_number))?;
        let fitted = timed(&mut parts.fit, || self.fit(source.as_mut()))?;
        job.check()?;
        source.rewind()?;
        self.parts = parts;
        let evaluated = self.evaluate(&fitted, source.as_mut(), &mut capsule)?;
        // The capsule of a run that reads from it stays open until here.
        drop(source);
        let served = || core.registry.check_still_served(&self.input.plugin, &self.input.version);
        if let Err(error) = job.check().and_then(|()| served()) {
            job.wait(core.columns.discard(evaluated.generation))?;
            return Err(error);
        }
        let mut record = self.record(&fitted, &evaluated, position, log_number);
        self.flip(&mut record, &fitted, &evaluated.tally, capsule)?;
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

    fn gather(&self, live: DatasetStream, position: u64, log_number: u64) -> Result<Gathered> {
        let header = Header {
            epoch: self.core.records.store().epoch().0,
            run: *self.job.id().as_bytes(),
            plugin: self.input.plugin.to_string(),
            version: self.input.version.to_string(),
            plugin_digest: *self.plugin.digest().as_bytes(),
            config: self.config.clone(),
            at: (&self.at).into(),
            log_number,
            position,
            campaign: Vec::new(),
        };
        let place = Place { capsules: &self.core.capsules, bytes_max: self.core.config.capsule_bytes_max };
        gather::gather(place, &header, Box::new(live), || self.job.check())
    }

    fn fit(&self, source: &mut dyn Source) -> Result<Fitted> {
        if self.input.last_model {
            return self.last_models();
        }
        let cancel = self.job.cancel_plugin();
        let models = evaluator::fit(self.plugin, &mut Rows::new(source), &self.config, &self.at, cancel)?;
        let about = report::about(&models);
        let bytes = models.map(|model| model.bytes.clone());
        let digests = bytes
            .try_map(|bytes| self.job.wait(models::put(&self.core.records, &self.input.plugin, bytes)))?;
        Ok(Fitted { bytes, digests, about })
    }

    /// The models of the last run, if they fit what is asked now.
    fn last_models(&self) -> Result<Fitted> {
        let plugin = &self.input.plugin;
        let cannot = |reason: &str| Error::CannotRun { plugin: plugin.clone(), reason: reason.to_owned() };
        let (_, last) = self.previous.as_ref().ok_or_else(|| cannot("it has no model yet: fit one first"))?;
        if !self.same_model_as(last) {
            return Err(cannot("its last model is of another version or configuration: fit a new one"));
        }
        let bytes = last.models.try_map(|digest| {
            let bytes = self.job.wait(models::get(&self.core.records, plugin, digest))?;
            bytes.ok_or_else(|| cannot("its last model is no longer kept: fit a new one"))
        })?;
        let about = last.result()?.get("models").cloned().unwrap_or_default();
        Ok(Fitted { bytes, digests: last.models.clone(), about })
    }

    fn same_model_as(&self, last: &RunRecord) -> bool {
        last.plugin_digest == *self.plugin.digest().as_bytes() && last.config == self.config
    }

    fn evaluate(
        &mut self,
        fitted: &Fitted,
        source: &mut dyn Source,
        capsule: &mut Making,
    ) -> Result<Evaluated> {
        let (core, job, mut parts) = (self.core, self.job, self.parts);
        let mut writer = core.columns.begin(job.id(), &self.outputs.all())?;
        let evaluator = Evaluator {
            plugin: self.plugin,
            described: &self.described,
            models: &fitted.bytes,
            at: &self.at,
        };
        let options = evaluate::Options {
            evaluator,
            layout: &self.layout,
            parallel_max: core.config.assign_parallel_max,
            frames: capsule.is_writing(),
        };
        let (mut tally, mut hasher, total) = (Tally::default(), results::hasher(), source.rows());
        timed(&mut parts.assign, || {
            evaluate::evaluate_all(options, source, |done| {
                job.check()?;
                append(&mut writer, &done)?;
                hasher.update(&done.results);
                capsule.results(done.frame.as_ref());
                tally.add(&done, core.config.failed_rows_kept_max);
                job.progress(tally.customers, Some(total), "customers");
                Ok(())
            })
        })?;
        let generation = timed(&mut parts.store, || Ok(job.wait(writer.finish())?))?;
        self.parts = parts;
        Ok(Evaluated { generation, tally, outputs_digest: *hasher.finalize().as_bytes() })
    }

    /// A first run has nothing to compare with; a new model moves customers who did nothing, which is news only if asked for.
    fn is_baseline(&self) -> bool {
        match &self.previous {
            None => true,
            Some(_) => !self.input.last_model && !self.input.announce,
        }
    }

    fn record(&self, fitted: &Fitted, evaluated: &Evaluated, position: u64, log_number: u64) -> RunRecord {
        let names =
            |names: &[trellis_model::SegmentationName]| names.iter().map(ToString::to_string).collect();
        RunRecord {
            version: self.input.version.to_string(),
            plugin_digest: *self.plugin.digest().as_bytes(),
            config: self.config.clone(),
            as_of: as_of::to_days(self.input.as_of),
            as_of_day: self.at.as_of_days,
            now_ms: self.at.now_ms,
            seed: self.at.seed,
            models: fitted.digests.clone(),
            fitted: !self.input.last_model,
            log_number,
            position,
            generation: evaluated.generation.0,
            baseline: self.is_baseline(),
            segmentations: names(&self.outputs.segmentations),
            scores: names(&self.outputs.scores),
            outputs_digest: evaluated.outputs_digest,
            result: String::new(),
        }
    }

    fn flip(
        &mut self,
        record: &mut RunRecord,
        fitted: &Fitted,
        tally: &Tally,
        capsule: Making,
    ) -> Result<()> {
        let (core, job) = (self.core, self.job);
        let end = End { rows: tally.customers, outputs_digest: record.outputs_digest };
        let mut parts = self.parts;
        let capsule: Made = timed(&mut parts.store, || Ok(capsule.finish(&end)))?;
        let request = FlipRequest {
            run: job.id(),
            baseline: record.baseline,
            as_of: self.input.as_of,
            data: report::flip_data(&self.input.plugin, record),
            origin: origin(job),
        };
        let generation = GenerationId(record.generation);
        timed(&mut parts.flip, || Ok(job.wait(core.columns.flip(generation, request))?))?;
        self.parts = parts;
        let report = Report {
            run: job.id(),
            input: self.input,
            record,
            models: &fitted.about,
            tally,
            capsule: &capsule,
            timings: &self.parts,
        };
        record.result = report.result(&core.columns).to_string();
        let digest = capsule.ok().map(|(digest, _)| digest);
        job.wait(ledger::put(&core.records, &self.input.plugin, job.id(), record, digest))
    }
}

fn append(writer: &mut GenerationWriter, done: &Done) -> Result<()> {
    let codes = done.evaluated.segmentations.iter().map(|column| {
        ResultColumn::Codes(CodesColumn {
            codes: &column.codes,
            valid: &column.valid,
            values: &column.values,
        })
    });
    let numbers =
        done.evaluated.scores.iter().map(|column| {
            ResultColumn::Numbers(NumbersColumn { values: &column.values, valid: &column.valid })
        });
    Ok(writer.append(&done.ordinals, &codes.chain(numbers).collect::<Vec<_>>())?)
}

/// What comes after the flip, and again after a crash there: transitions, what changed while the run ran, old models and capsules.
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
    ledger::prune_models(&core.records, plugin, core.config.models_kept_per_plugin).await?;
    capsule::delete_old(&core.records, &core.capsules, plugin, core.config.capsules_kept_per_plugin).await
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
