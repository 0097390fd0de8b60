//! A version of a plugin evaluated over customers, beside what there is already: results as they are now, or those of a recorded run.
//! Everything is read; nothing is defined, stored or flipped to.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trellis_columns::AsOf;
use trellis_model::{Batch, PluginId, RecordId, Text, bilingual};
use trellis_plugin_host::{CallContext, Plugin, Used};

use super::{
    datasets::{Datasets, not_gathered},
    evaluate::{self, Done, Tally},
    evaluator::{self, Described, Evaluator, PerInterface},
    ledger::RunRecord,
    report,
    results::{self, Layout},
    seen::{Narrowed, Withheld},
    source::{Limited, Rows, Source},
    spec,
};
use crate::{
    Error, Result,
    capsule::{Archive, CapsuleReader, End, Kind, Unusable},
    compare::{Bands, RowsDiff, Trial, Uses},
    plugins::{Enabled, checked_config},
};

/// What came of an evaluation that is compared.
pub(crate) struct Compared {
    pub(crate) diff: RowsDiff,
    pub(crate) failed: u64,
    pub(crate) shown: Json,
    pub(crate) models: PerInterface<Vec<u8>>,
    pub(crate) uses: Uses,
}

/// A recorded run, to be done again by another version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded<'a> {
    pub(crate) plugin: &'a PluginId,
    pub(crate) run: RecordId,
    pub(crate) record: &'a RunRecord,
    pub(crate) capsule: &'a [u8; 32],
    /// The version that made the run.
    pub(crate) version: &'a Plugin,
    /// Whether to evaluate that one too, so that what both used can be compared.
    pub(crate) measured: bool,
}

/// One version over one source.
struct Pass<'a> {
    trial: &'a Trial<'a>,
    plugin: &'a Plugin,
    config: &'a str,
    at: &'a CallContext,
    described: Described,
    layout: Layout,
}

/// Evaluates a plugin over the customers as they are now, with a model learned from them, beside its current results.
pub(crate) fn dry_run(trial: &Trial<'_>, candidate: &Enabled, as_of: AsOf) -> Result<Json> {
    let spec = spec::granted_to(candidate, &candidate.config, &trial.view.schema())?;
    let at = trial.view.context(trial.view.new_id(), as_of);
    let pass = Pass::new(trial, &candidate.plugin, &candidate.config, &at)?;
    let mut rows = trial.wait(trial.view.dataset(&spec, as_of, trial.batch_rows))?;
    let datasets = trial.wait(trial.view.rows_datasets(candidate, as_of, trial.batch_rows))?;
    let words = trial.view.words(candidate)?;
    let models = pass.fit(&mut rows, &Datasets::new(candidate.manifest(), datasets).called(words))?;
    Source::rewind(&mut rows)?;
    let customers = Source::rows(&rows);
    let mut limited = Limited { rows, rows_max: trial.limits.dry_run_customers_max, taken: 0 };
    let bands = Bands { before: pass.bands_now(), after: pass.bands() };
    let mut diff = RowsDiff::new(trial.diff_limits(), bands);
    let tally = pass.evaluate(&models, &mut limited, |done, _| {
        for row in done.results.chunks(pass.layout.width()) {
            let ordinal = results::ordinal(row);
            diff.add(ordinal, &pass.now(ordinal), &pass.layout.show(row));
        }
        Ok(())
    })?;
    let mut shown = trial.show(&spec.object, &diff)?;
    let more = json!({
        "as_of": crate::as_of::text(as_of),
        "customers": customers,
        "failed": tally.failed,
        "failed_rows": failed_rows(&tally),
    });
    merge(&mut shown, more);
    Ok(shown)
}

/// Does a recorded run again with another version, and compares row by row. `each` sees the results as they come.
pub(crate) fn replay_with(
    trial: &Trial<'_>,
    recorded: Recorded<'_>,
    candidate: &Plugin,
    config: Option<&Json>,
    mut each: impl FnMut(Result<Vec<u8>, Unusable>) -> Result<()>,
) -> Result<Compared> {
    let Recorded { run, record, .. } = recorded;
    if !record.is_by(recorded.version) {
        return Err(Error::CannotRun {
            plugin: recorded.plugin.clone(),
            reason: {
                let version = record.version();
                bilingual!(
                    "run {run} was made by other content of version {version}",
                    "运行 {run} 使用的是版本 {version} 的其他内容"
                )
            },
        });
    }
    let usable = |why: Unusable| Error::InputsExpired { run, reason: why.0 };
    let mut kept = trial.archive.verified(recorded.capsule).map_err(usable)?;
    let end = kept.end().map_err(usable)?;
    let at = kept.header().at.context(run);
    let config = config_for(recorded.plugin, candidate, config, &record.config)?;
    let withheld = withheld(trial, candidate, &config)?;
    let mut inputs = narrowed(trial, recorded, (candidate, &config), &withheld, &end)?;
    let described_before = evaluator::describe(recorded.version, &record.config)?;
    let layout_before =
        Layout::of(&described_before, |output| recorded.version.manifest().output_name(output));
    let before_use = recorded.measured.then(|| measure(trial, recorded, &at, &end)).transpose()?;
    let used = candidate.used();
    let pass = Pass::new(trial, candidate, &config, &at)?;
    let datasets = recorded_datasets(&mut kept, recorded, (candidate, &config), &withheld)?;
    let models = pass.fit(&mut inputs, &datasets)?;
    inputs.rewind()?;
    let before = bands(&described_before, |output| recorded.version.manifest().output_name(output));
    let mut diff = RowsDiff::new(trial.diff_limits(), Bands { before, after: pass.bands() });
    let tally = pass.evaluate(&models, &mut inputs, |done: Done, rows| {
        add_recorded(&mut diff, &mut kept, &layout_before, &pass.layout, &done.results).map_err(usable)?;
        (trial.progress)(rows, Some(end.rows));
        done.frame.map_or(Ok(()), &mut each)
    })?;
    let uses = Uses { before: before_use, after: candidate.used().since(used) };
    let mut shown = trial.show(&spec::dataset(candidate.manifest(), &config)?.object, &diff)?;
    let more = json!({
        "run": run.to_string(),
        "recorded_version": record.version,
        "version": candidate.version().to_string(),
        "digest": candidate.digest().to_string(),
        "same": diff.changed() == 0,
        "withheld": withheld.names(),
        "failed": tally.failed,
        "failed_rows": failed_rows(&tally),
        "use": uses.to_json(),
    });
    merge(&mut shown, more);
    Ok(Compared { failed: tally.failed, shown, models, uses, diff })
}

/// What a version may not see of what was recorded, with what its plugin is granted now.
fn withheld(trial: &Trial<'_>, version: &Plugin, config: &str) -> Result<Withheld> {
    Withheld::of(version.manifest(), config, &trial.view.schema(), trial.grants)
}

/// What the recorded version uses for the same.
fn measure(trial: &Trial<'_>, recorded: Recorded<'_>, at: &CallContext, end: &End) -> Result<Used> {
    let usable = |why: Unusable| Error::InputsExpired { run: recorded.run, reason: why.0 };
    let mut reader = trial.archive.reader(recorded.capsule).map_err(usable)?;
    let config = &recorded.record.config;
    let withheld = withheld(trial, recorded.version, config)?;
    let datasets = recorded_datasets(&mut reader, recorded, (recorded.version, config), &withheld)?;
    let mut inputs = withheld.mask_all_customers(Box::new(reader.into_inputs(end.rows)));
    let used = recorded.version.used();
    let pass = Pass::new(trial, recorded.version, config, at)?;
    let models = pass.fit(inputs.as_mut(), &datasets)?;
    inputs.rewind()?;
    pass.evaluate(&models, inputs.as_mut(), |_, _| Ok(()))?;
    Ok(recorded.version.used().since(used))
}

/// The inputs of a run as another version reads them.
fn narrowed(
    trial: &Trial<'_>,
    recorded: Recorded<'_>,
    (candidate, config): (&Plugin, &str),
    withheld: &Withheld,
    end: &End,
) -> Result<Narrowed> {
    let missing = spec::not_recorded(
        (recorded.version.manifest(), &recorded.record.config),
        (candidate.manifest(), config),
    )?;
    if !missing.is_empty() {
        let run = ("run", "运行", recorded.run);
        return Err(Error::not_recorded(recorded.plugin, candidate.version(), run, &missing));
    }
    let reader = trial.archive.reader(recorded.capsule);
    let rows = reader.map_err(|why| Error::InputsExpired { run: recorded.run, reason: why.0 })?;
    let columns = spec::dataset(candidate.manifest(), config)?.columns;
    let columns = columns.into_iter().map(|column| column.name).collect();
    let rows = withheld.mask_all_customers(Box::new(rows.into_inputs(end.rows)));
    Ok(Narrowed { rows, columns })
}

/// The further datasets of a recorded run as a version reads them.
fn recorded_datasets(
    kept: &mut CapsuleReader,
    recorded: Recorded<'_>,
    (candidate, config): (&Plugin, &str),
    withheld: &Withheld,
) -> Result<Datasets> {
    let run = recorded.run;
    let mut found: BTreeMap<_, _> =
        kept.datasets().map_err(|why| Error::InputsExpired { run, reason: why.0 })?.into_iter().collect();
    let mut datasets = Vec::new();
    for (name, columns) in spec::rows_columns(candidate.manifest(), config)? {
        let rows = found.remove(&name).ok_or_else(|| not_gathered(run, &name))?;
        let rows = withheld.mask_dataset(&name, Box::new(rows));
        datasets.push((name, Box::new(Narrowed { rows, columns }) as Box<dyn Source>));
    }
    Ok(Datasets::new(candidate.manifest(), datasets))
}

/// The configuration of a replay: the one that was asked for, else the recorded one as the version understands it.
fn config_for(id: &PluginId, candidate: &Plugin, asked: Option<&Json>, recorded: &str) -> Result<String> {
    let config = match asked {
        Some(config) => config.clone(),
        None => serde_json::from_str(recorded)
            .map_err(|error| Error::Damaged { what: format!("configuration of a run of `{id}`: {error}") })?,
    };
    Ok(checked_config(id, candidate, config)?.to_string())
}

fn add_recorded(
    diff: &mut RowsDiff,
    kept: &mut CapsuleReader,
    before: &Layout,
    after: &Layout,
    results: &[u8],
) -> Result<(), Unusable> {
    let frame = kept.next(Kind::Results)?.map(|frame| frame.bytes).unwrap_or_default();
    let mut recorded = frame.chunks(before.width());
    for row in results.chunks(after.width()) {
        let (ordinal, was) = (results::ordinal(row), recorded.next().unwrap_or_default());
        if !was.is_empty() && results::ordinal(was) != ordinal {
            return Err(Unusable(Text::new("its results belong to other rows", "其结果与数据行不对应")));
        }
        diff.add(ordinal, &before.show(was), &after.show(row));
    }
    Ok(())
}

impl<'a> Pass<'a> {
    fn new(trial: &'a Trial<'a>, plugin: &'a Plugin, config: &'a str, at: &'a CallContext) -> Result<Self> {
        let described = evaluator::describe(plugin, config)?;
        let layout = Layout::of(&described, |output| plugin.manifest().output_name(output));
        Ok(Self { trial, plugin, config, at, described, layout })
    }

    fn fit(&self, source: &mut dyn Source, datasets: &Datasets) -> Result<PerInterface<Vec<u8>>> {
        let mut rows = Rows::new(source, datasets);
        let models = evaluator::fit(self.plugin, &mut rows, self.config, self.at, self.trial.cancel)?;
        Ok(models.map(|model| model.bytes.clone()))
    }

    fn evaluate(
        &self,
        models: &PerInterface<Vec<u8>>,
        source: &mut dyn Source,
        mut each: impl FnMut(Done, u64) -> Result<()>,
    ) -> Result<Tally> {
        let evaluator = Evaluator { plugin: self.plugin, described: &self.described, models, at: self.at };
        let options = evaluate::Options { evaluator, layout: &self.layout, parallel_max: 1, frames: true };
        let (mut tally, total) = (Tally::default(), source.rows());
        evaluate::evaluate_all(options, source, |done| {
            (self.trial.check)()?;
            tally.add(&done, self.trial.failed_rows_max);
            (self.trial.progress)(tally.customers, Some(total));
            each(done, tally.customers)
        })?;
        Ok(tally)
    }

    fn name(&self, output: &str) -> String {
        self.plugin.manifest().output_name(output)
    }

    fn bands(&self) -> BTreeMap<String, Vec<(String, f64)>> {
        bands(&self.described, |output| self.name(output))
    }

    fn bands_now(&self) -> BTreeMap<String, Vec<(String, f64)>> {
        let scores = self.described.scores.iter().map(|score| self.name(&score.name));
        scores.map(|name| (name.clone(), self.trial.view.bands_of(&name))).collect()
    }

    /// The values that a customer has now in the outputs of the plugin.
    fn now(&self, ordinal: u64) -> Json {
        let view = self.trial.view;
        let mut values = Map::new();
        for segmentation in &self.described.segmentations {
            let name = self.name(&segmentation.name);
            let value = view.value_of(&name, ordinal);
            values.insert(name, json!(value));
        }
        for score in &self.described.scores {
            let name = self.name(&score.name);
            let value = view.score_of(&name, ordinal);
            values.insert(name, json!(value));
        }
        Json::Object(values)
    }
}

fn bands(described: &Described, name: impl Fn(&str) -> String) -> BTreeMap<String, Vec<(String, f64)>> {
    let of = |score: &trellis_plugin_host::ScoreDescription| {
        let bands = score.bands.iter().map(|band| (band.name.clone(), band.lowest));
        (name(&score.name), bands.collect())
    };
    described.scores.iter().map(of).collect()
}

fn failed_rows(tally: &Tally) -> Vec<Json> {
    let row = |(ordinal, row): &(u64, trellis_plugin_host::RowError)| json!({ "ordinal": ordinal, "code": row.code, "message": report::text(&row.message) });
    tally.failed_rows.iter().map(row).collect()
}

/// Adds members to an object.
fn merge(shown: &mut Json, more: Json) {
    if let (Some(shown), Json::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
}

/// What a capsule holds of the results of one row, as the version that made it describes them; `None` where it has none, or another version
/// made it. Blocks.
pub(crate) fn row_in(
    archive: Archive<'_>,
    capsule: &[u8; 32],
    plugin: &Plugin,
    ordinal: u64,
) -> Result<Option<Json>, Error> {
    let mut reader = match archive.reader(capsule) {
        Ok(reader) if reader.header().plugin_digest == *plugin.digest().as_bytes() => reader,
        _ => return Ok(None),
    };
    let described = evaluator::describe(plugin, &reader.header().config)?;
    let layout = Layout::of(&described, |output| plugin.manifest().output_name(output));
    let Ok(Some(frame)) = reader.of_ordinal(Kind::Results, ordinal) else { return Ok(None) };
    let mut rows = frame.bytes.chunks(layout.width());
    Ok(rows.find(|row| results::ordinal(row) == ordinal).map(|row| layout.show(row)))
}

/// What a version gives the rows of a batch with a model of its own, in the form in which it is compared. Blocks.
pub(crate) fn evaluate_rows(
    plugin: &Plugin,
    config: &str,
    models: &PerInterface<Vec<u8>>,
    batch: Batch,
    at: &CallContext,
) -> Result<Vec<(u64, Json)>> {
    let described = evaluator::describe(plugin, config)?;
    let ordinals = batch.ordinals.clone();
    let evaluated = Evaluator { plugin, described: &described, models, at }.evaluate(batch)?;
    Ok(rows_json(plugin, &described, &ordinals, &evaluated))
}

/// Results in the form in which they are compared.
pub(super) fn rows_json(
    plugin: &Plugin,
    described: &Described,
    ordinals: &[u64],
    evaluated: &evaluator::Evaluated,
) -> Vec<(u64, Json)> {
    let layout = Layout::of(described, |output| plugin.manifest().output_name(output));
    let bytes = layout.encode(ordinals, evaluated);
    bytes.chunks(layout.width()).map(|row| (results::ordinal(row), layout.show(row))).collect()
}
