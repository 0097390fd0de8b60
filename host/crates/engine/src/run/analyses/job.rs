//! The job that answers a question.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use serde_json::{Value as Json, json};
use trellis_model::{Batch, RecordId};
use trellis_plugin_host::{AnalysisDescription, CallContext, Plugin, Report};

use super::stored::{self, Answer};
use crate::{
    Error, Result, as_of,
    capsule::Header,
    core::Core,
    jobs::{Running, StoredActor},
    run::{
        FitInput, context,
        datasets::{self, Datasets},
        evaluator, gather,
        report::text,
        source::{Rows, Source},
    },
};

/// What is asked, all of it decided.
#[derive(Debug, Clone)]
pub(crate) struct AnalysisInput {
    pub(crate) of: FitInput,
    pub(crate) analysis: String,
    /// JSON, defaults filled in.
    pub(crate) parameters: String,
}

/// The rows of a question with the other datasets, and of which moment they are.
struct Opened {
    source: Box<dyn Source>,
    datasets: Datasets,
    log_number: u64,
    /// Rows that were read, over all passes of all datasets.
    read: Arc<AtomicU64>,
    /// Holds what the rows are read from.
    _capsule: gather::Making,
}

/// Batches whose rows are counted.
struct Tallied {
    source: Box<dyn Source>,
    read: Arc<AtomicU64>,
}

/// Batches that tell how far the job is, and that end where it is cancelled.
struct Watched<'a> {
    source: &'a mut dyn Source,
    job: &'a Running<'a>,
    /// Of this pass.
    read: u64,
}

impl Source for Tallied {
    fn next(&mut self) -> Result<Option<Batch>> {
        let batch = self.source.next()?;
        self.read.fetch_add(batch.as_ref().map_or(0, |batch| u64::from(batch.rows)), Relaxed);
        Ok(batch)
    }

    fn rewind(&mut self) -> Result<()> {
        self.source.rewind()
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }

    fn again(&self) -> Result<Box<dyn Source>> {
        Ok(Box::new(Self { source: self.source.again()?, read: Arc::clone(&self.read) }))
    }
}

impl Source for Watched<'_> {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.job.check()?;
        let batch = self.source.next()?;
        self.read += batch.as_ref().map_or(0, |batch| u64::from(batch.rows));
        self.job.progress(self.read, Some(self.source.rows()), "rows");
        Ok(batch)
    }

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

/// Asks a plugin for its questions.
pub(super) fn describe(plugin: &Plugin, config: &str) -> Result<Vec<AnalysisDescription>> {
    let analysis = plugin.analysis().ok_or_else(|| Error::CannotRun {
        plugin: plugin.id().clone(),
        reason: "it does not offer the interface `analysis`".to_owned(),
    })?;
    Ok(analysis.describe(config)?)
}

/// Answers a question; called again with the same job where a stop of the server interrupted it.
pub(crate) fn analyse(core: &Core, job: &Running<'_>, input: &AnalysisInput) -> Result<Json> {
    let (records, id, name) = (&core.records, &input.of.plugin, input.analysis.as_str());
    let (answer, metrics) = match job.wait(stored::stored(records, id, name, job.id()))? {
        Some(answer) => {
            let report = job.wait(stored::report(records, id, name, job.id()))?;
            (answer, report.get("metrics").cloned().unwrap_or_default())
        }
        None => ask(core, job, input)?,
    };
    job.wait(stored::prune(records, id, name, core.config.analysis_results_max))?;
    Ok(json!({
        "plugin": id.as_str(),
        "version": answer.version,
        "analysis": name,
        "result": job.id().to_string(),
        "rows": answer.rows,
        "summary": text(&answer.summary()),
        "metrics": metrics,
    }))
}

fn ask(core: &Core, job: &Running<'_>, input: &AnalysisInput) -> Result<(Answer, Json)> {
    let began = Instant::now();
    let FitInput { plugin: id, version, config, as_of } = &input.of;
    let (plugin, config) = (job.wait(core.registry.version(id, version))?, config.to_string());
    let question = describe(&plugin, &config)?.into_iter().find(|question| question.name == input.analysis);
    let question = question
        .ok_or_else(|| Error::UnknownAnalysis { plugin: id.clone(), analysis: input.analysis.clone() })?;
    let at = context::of(core, job.id(), *as_of);
    let mut opened = open(core, job, &plugin, question.dataset.as_deref(), (input, &config, &at))?;
    let mut watched = Watched { source: opened.source.as_mut(), job, read: 0 };
    let analysis = plugin.analysis().expect("it described its questions");
    let analysed = analysis.analyse(
        &question.name,
        &mut Rows::new(&mut watched, &opened.datasets),
        &input.parameters,
        &config,
        &at,
        job.cancel_plugin(),
    )?;
    job.check()?;
    evaluator::log(&plugin, &analysed.logs);
    let Report { summary, .. } = &analysed.report;
    let answer = Answer {
        version: version.to_string(),
        plugin_digest: *plugin.digest().as_bytes(),
        label: (question.label.en, question.label.zh_cn),
        config_digest: *blake3::hash(config.as_bytes()).as_bytes(),
        parameters: input.parameters.clone(),
        as_of: as_of::to_days(*as_of),
        log_number: opened.log_number,
        rows: opened.read.load(Relaxed),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        answered_at_ms: core.records.clock().now_ms(),
        asked_by: StoredActor::from(&job.caller().actor),
        summary: (summary.en.clone(), summary.zh_cn.clone()),
    };
    let report = analysed.report.to_json();
    job.wait(stored::put(core, job, (id, &input.analysis), (&answer, &report)))?;
    let metrics = report.get("metrics").cloned().unwrap_or_default();
    Ok((answer, metrics))
}

/// Opens the rows of a question as the plugin is granted them. They go into a file first, so that every pass gives the same.
fn open(
    core: &Core,
    job: &Running<'_>,
    plugin: &Plugin,
    dataset: Option<&str>,
    (input, config, at): (&AnalysisInput, &str, &CallContext),
) -> Result<Opened> {
    let log_number = core.records.log_head();
    let live = datasets::open_for_question(core, plugin.manifest(), config, dataset, input.of.as_of);
    let live = job.wait(live)?.ok_or_else(|| Error::CannotRun {
        plugin: plugin.id().clone(),
        reason: format!("its manifest declares no dataset `{}`", dataset.unwrap_or_default()),
    })?;
    let words = crate::run::words_of(&core.records.schema(), plugin.manifest(), config)?;
    let header = header(core, job.id(), plugin, (config, at, log_number));
    let place = gather::Place { capsules: &core.capsules, bytes_max: core.config.capsule_bytes_max };
    let gathered = gather::gather(place, &header, live, || job.check())?;
    let read = Arc::<AtomicU64>::default();
    let tallied = |source| -> Box<dyn Source> { Box::new(Tallied { source, read: Arc::clone(&read) }) };
    let others = gathered.datasets.into_iter().map(|(name, source)| (name, tallied(source))).collect();
    Ok(Opened {
        source: tallied(gathered.source),
        datasets: Datasets::beside(dataset.map(str::to_owned), others).called(words),
        log_number,
        read,
        _capsule: gathered.capsule,
    })
}

fn header(
    core: &Core,
    run: RecordId,
    plugin: &Plugin,
    (config, at, log_number): (&str, &CallContext, u64),
) -> Header {
    Header {
        epoch: core.records.store().epoch().0,
        run: *run.as_bytes(),
        plugin: plugin.id().to_string(),
        version: plugin.version().to_string(),
        plugin_digest: *plugin.digest().as_bytes(),
        config: config.to_owned(),
        at: at.into(),
        log_number,
        position: core.records.store().head().0,
        campaign: Vec::new(),
    }
}
