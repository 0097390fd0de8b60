//! The job that runs a plugin.

use std::{sync::Arc, time::Instant};

use serde_json::Value as Json;
use trellis_columns::{
    CodesColumn, DatasetSpec, DatasetStream, GenerationId, GenerationWriter, NumbersColumn, PublishedValues,
    ResultColumn,
};
use trellis_model::{PluginId, RecordId, Text};
use trellis_plugin_host::{CallContext, Plugin};

use super::{
    context,
    datasets::{self, Datasets},
    ending,
    evaluate::{self, Done, Tally},
    evaluator::{self, Described, Evaluator, PerInterface},
    gather::{self, Gathered, Live, Making, Place},
    learned::{self, FitInput, ModelSource, Subject},
    ledger::{self, RunRecord},
    models,
    outputs::{self, Outputs},
    report::Timings,
    results::{self, Layout},
    resume::{self, Begun, Earlier},
    seen::Withheld,
    source::{NamedSources, Rows, Source},
    spec,
};
use crate::{Error, Result, capsule::Header, core::Core, jobs::Running};

/// What a run is asked for, all of it decided.
#[derive(Debug, Clone)]
pub(crate) struct RunInput {
    /// What it is of; also what is learned where it learns.
    pub(super) of: FitInput,
    pub(super) announce: bool,
    pub(super) model: ModelSource,
}

impl RunInput {
    /// A model of a number goes before the last one, and that before a new one.
    pub(crate) fn new(of: FitInput, announce: bool, last_model: bool, model: Option<u32>) -> Self {
        let model = match model {
            Some(number) => ModelSource::Number(number),
            None if last_model => ModelSource::Last,
            None => ModelSource::New,
        };
        Self { of, announce, model }
    }

    pub(super) fn plugin(&self) -> &PluginId {
        &self.of.plugin
    }
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) core: &'a Core,
    pub(super) job: &'a Running<'a>,
    pub(super) input: &'a RunInput,
    pub(super) plugin: &'a Arc<Plugin>,
    spec: DatasetSpec,
    /// What the plugin is not shown.
    withheld: Withheld,
    pub(super) config: String,
    pub(super) at: CallContext,
    described: Described,
    pub(super) outputs: Outputs,
    layout: Layout,
    pub(super) previous: Option<(RecordId, RunRecord)>,
    pub(super) parts: Timings,
    /// What its rows hold of the results of other plugins; `None` where an earlier attempt read them.
    pub(super) read: Option<PublishedValues>,
}

/// The models of a run with what is told about them.
pub(super) struct Fitted {
    pub(super) bytes: PerInterface<Vec<u8>>,
    pub(super) digests: PerInterface<[u8; 32]>,
    pub(super) about: Json,
    /// The number of the model.
    pub(super) number: Option<u32>,
}

/// The results of a run, stored and not yet flipped to.
pub(super) struct Evaluated {
    pub(super) generation: GenerationId,
    pub(super) tally: Tally,
    pub(super) outputs_digest: [u8; 32],
}

/// Runs a plugin; called again with the same job where a stop of the server interrupted it.
pub(crate) fn run(core: &Core, job: &Running<'_>, input: &RunInput) -> Result<Json> {
    let records = &core.records;
    let id = input.plugin();
    if let Some(mut done) = job.wait(ledger::get(records, id, job.id()))? {
        ending::complete(core, job, id, &mut done)?;
        job.wait(ending::finish(core, job, id, &done))?;
        return done.result();
    }
    let plugin = job.wait(core.registry.version(id, &input.of.version))?;
    let config = input.of.config.to_string();
    let described = evaluator::describe(&plugin, &config)?;
    let spec = spec::granted(core, plugin.manifest(), &config)?;
    let manifest = spec::configured(plugin.manifest(), &config)?;
    let (hidden, grants) = core.registry.withheld(id, &manifest);
    let withheld = Withheld::with(&manifest, &hidden, &grants)?;
    let outputs = job.wait(outputs::define(&core.columns, plugin.manifest(), &spec.object, &described))?;
    let layout = Layout::of(&described, |output| plugin.manifest().output_name(output));
    let previous = job.wait(super::serving::serving(records, id))?;
    let at = context::of(core, job.id(), input.of.as_of);
    let parts = Timings::default();
    let plugin = &plugin;
    Run {
        core,
        job,
        input,
        plugin,
        spec,
        withheld,
        config,
        at,
        described,
        outputs,
        layout,
        previous,
        parts,
        read: None,
    }
    .execute()
}

pub(super) fn timed<T>(into: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let done = work()?;
    *into += started.elapsed().as_secs_f64() * 1_000.0;
    Ok(done)
}

impl Run<'_> {
    fn execute(mut self) -> Result<Json> {
        let (core, job) = (self.core, self.job);
        let mut parts = self.parts;
        let place = (&core.capsules, core.config.capsule_bytes_max);
        let of = (*self.plugin.digest().as_bytes(), self.config.as_str());
        let Begun { mut source, datasets, mut capsule, earlier, position, log_number } =
            match resume::take_up(job, &core.records, place, of, &self.withheld)? {
                Some((begun, at)) => {
                    self.at = at.context(job.id());
                    begun
                }
                None => timed(&mut parts.features, || self.begin())?,
            };
        job.progress(0, Some(source.rows()), "customers");
        let manifest = self.plugin.manifest();
        let words = super::words_of(&core.records.schema(), &core.columns, manifest, &self.config)?;
        let datasets = Datasets::new(manifest, datasets).called(words);
        let fitted = timed(&mut parts.fit, || self.fit(source.as_mut(), &datasets, log_number))?;
        drop(datasets);
        job.check()?;
        source.rewind()?;
        self.parts = parts;
        let evaluated = self.evaluate(&fitted, source.as_mut(), &mut capsule, earlier)?;
        // The capsule of a run that reads from it stays open until here.
        drop(source);
        let record = self.end(&fitted, &evaluated, capsule, (position, log_number))?;
        job.wait(ending::finish(core, job, self.input.plugin(), &record))?;
        record.result()
    }

    /// What it reads of each customer.
    pub(super) fn dataset(&self) -> &DatasetSpec {
        &self.spec
    }

    /// Reads the rows.
    fn begin(&mut self) -> Result<Begun> {
        let (live, datasets) = self.open()?;
        self.read = Some(live.published().clone());
        let (position, log_number) = (self.core.records.store().head().0, live.log_number());
        self.job.progress(0, Some(live.rows()), "customers");
        let live = Live { datasets, ..Live::rows(live) };
        let Gathered { source, datasets, mut capsule, batches } = self.gather(live, position, log_number)?;
        let read = (batches, source.rows());
        resume::note(self.job, &self.core.records, &mut capsule, read, &self.withheld)?;
        Ok(Begun { source, datasets, capsule, earlier: None, position, log_number })
    }

    /// Opens what the run reads. Only learning reads further datasets.
    fn open(&self) -> Result<(DatasetStream, NamedSources)> {
        self.job.wait(async {
            self.core.columns.catch_up().await?;
            let (rows, as_of) = (self.core.config.batch_rows_max as usize, self.input.of.as_of);
            let go_on = self.job.go_on();
            let live = self.core.columns.dataset_while(&self.spec, as_of, rows, go_on.clone()).await?;
            let datasets = match self.input.model {
                ModelSource::New => {
                    let manifest = self.plugin.manifest();
                    datasets::open_rows(self.core, manifest, &self.config, as_of, &go_on).await?
                }
                ModelSource::Last | ModelSource::Number(_) => Vec::new(),
            };
            Ok((live, datasets))
        })
    }

    fn gather(&self, live: Live, position: u64, log_number: u64) -> Result<Gathered> {
        let header = Header {
            epoch: self.core.records.store().epoch().0,
            run: *self.job.id().as_bytes(),
            plugin: self.input.plugin().to_string(),
            version: self.input.of.version.to_string(),
            plugin_digest: *self.plugin.digest().as_bytes(),
            config: self.config.clone(),
            at: (&self.at).into(),
            log_number,
            position,
            campaign: Vec::new(),
        };
        let place = Place { capsules: &self.core.capsules, bytes_max: self.core.config.capsule_bytes_max };
        gather::gather(place, &header, live, || self.job.check())
    }

    fn fit(&self, source: &mut dyn Source, datasets: &Datasets, log_number: u64) -> Result<Fitted> {
        match self.input.model {
            ModelSource::Last => self.last_models(),
            ModelSource::Number(number) => {
                let (learned, bytes) =
                    self.job.wait(learned::usable(&self.core.records, self.input.plugin(), number))?;
                let about = learned.about()?;
                Ok(Fitted { bytes, digests: learned.digests, about, number: Some(number) })
            }
            ModelSource::New => match self.fitted_before()? {
                Some(fitted) => Ok(fitted),
                None => self.fit_anew(source, datasets, log_number),
            },
        }
    }

    fn fit_anew(&self, source: &mut dyn Source, datasets: &Datasets, log_number: u64) -> Result<Fitted> {
        // A field may have become personal data since the run was asked for.
        spec::check_learnable(self.core, self.plugin, &self.config)?;
        let (cancel, customers) = (self.job.cancel_plugin(), source.rows());
        let mut rows = Rows::new(source, datasets);
        let models = evaluator::fit(self.plugin, &mut rows, &self.config, &self.at, cancel)?;
        let subject = Subject { input: &self.input.of, config: &self.config, log_number, customers };
        let (fitted, ..) = learned::keep_model(self.core, self.job, self.plugin, subject, &models)?;
        Ok(fitted)
    }

    /// What an earlier attempt of this run had learned.
    fn fitted_before(&self) -> Result<Option<Fitted>> {
        let (records, id) = (&self.core.records, self.input.plugin());
        let Some((number, last)) = self.job.wait(learned::last(records, id))? else { return Ok(None) };
        if last.job != *self.job.id().as_bytes() {
            return Ok(None);
        }
        let Some(bytes) = self.job.wait(models::get_all(records, id, &last.digests))? else {
            return Ok(None);
        };
        Ok(Some(Fitted { bytes, about: last.about()?, digests: last.digests, number: Some(number) }))
    }

    /// The models of the last run, if they fit what is asked now.
    fn last_models(&self) -> Result<Fitted> {
        let plugin = self.input.plugin();
        let cannot = |reason: Text| Error::CannotRun { plugin: plugin.clone(), reason };
        let (_, last) = self
            .previous
            .as_ref()
            .ok_or_else(|| cannot(Text::new("it has no model yet: fit one first", "尚无模型，请先训练")))?;
        if last.config != self.config {
            let reason = "its last model is of another configuration: fit a new one";
            return Err(cannot(Text::new(reason, "最近的模型对应另一套配置，请重新训练")));
        }
        let bytes = self.job.wait(models::get_all(&self.core.records, plugin, &last.models))?;
        let bytes = bytes.ok_or_else(|| {
            cannot(Text::new(
                "its last model is no longer kept: fit a new one",
                "最近的模型已不再保留，请重新训练",
            ))
        })?;
        let about = last.result()?.get("models").cloned().unwrap_or_default();
        Ok(Fitted { bytes, digests: last.models.clone(), about, number: last.model })
    }

    fn evaluate(
        &mut self,
        fitted: &Fitted,
        source: &mut dyn Source,
        capsule: &mut Making,
        earlier: Option<Earlier>,
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
        let mut add = |done: Done, capsule: Option<&mut Making>| {
            job.check()?;
            append(&mut writer, &done)?;
            hasher.update(&done.results);
            tally.add(&done, core.config.failed_rows_kept_max);
            match capsule {
                Some(capsule) => capsule.results(done.frame.as_ref()),
                // It holds them already.
                None => tally.earlier = tally.customers,
            }
            job.progress(tally.customers, Some(total), "customers");
            Ok(())
        };
        timed(&mut parts.assign, || {
            if let Some(earlier) = earlier {
                source.skip(earlier.batches)?;
                earlier.replay(&self.layout, |done| add(done, None))?;
            }
            evaluate::evaluate_all(options, source, |done| add(done, Some(&mut *capsule)))
                .map_err(|error| learned::explained(error, self.plugin, fitted.number))
        })?;
        let generation = timed(&mut parts.store, || Ok(job.wait(writer.finish())?))?;
        self.parts = parts;
        Ok(Evaluated { generation, tally, outputs_digest: *hasher.finalize().as_bytes() })
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
