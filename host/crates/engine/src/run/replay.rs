//! Doing a run again from its capsule, to see that the same comes out.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use trellis_model::{PluginId, RecordId, Text, bilingual};
use trellis_plugin_host::{Plugin, manifest::DatasetKind};

use super::{
    datasets::{Datasets, not_gathered},
    evaluate,
    evaluator::{self, Evaluator, PerInterface},
    gather,
    ledger::{self, RunRecord},
    models,
    results::{self, Layout},
    seen::Withheld,
    source::{Rows, Source},
    spec,
};
use crate::{
    Error, Result, campaign,
    capsule::{self, CapsuleReader, Kind, Unusable},
    core::Core,
    jobs::Running,
    plugins::hex,
};

/// Differing rows that are named in the result; the others are counted.
const DIFFERENCES_MAX: usize = 20;

/// A run that is being done again.
struct Replay<'a> {
    core: &'a Core,
    job: &'a Running<'a>,
    plugin_id: &'a PluginId,
    run_id: RecordId,
    run: RunRecord,
    plugin: Arc<Plugin>,
    digest: [u8; 32],
    /// What the plugin may not see any more.
    withheld: Withheld,
}

/// How the results compare, row by row.
struct Comparison {
    recorded: CapsuleReader,
    layout: Layout,
    rows: u64,
    differing: u64,
    first: Vec<Json>,
    hasher: blake3::Hasher,
}

/// Finds a run that can be done again, so that one that cannot is refused before there is a job.
pub(crate) async fn check(core: &Core, plugin: &PluginId, run: RecordId) -> Result<()> {
    match of_campaign(core, plugin, run).await? {
        Some(_) => Ok(()),
        None => find(core, plugin, run).await.map(drop),
    }
}

/// The capsule of a run of a campaign: those are not among the runs of results.
async fn of_campaign(core: &Core, plugin: &PluginId, run: RecordId) -> Result<Option<[u8; 32]>> {
    if ledger::get(&core.records, plugin, run).await?.is_some() {
        return Ok(None);
    }
    capsule::digest_of(&core.records, plugin, run).await
}

async fn find(core: &Core, plugin: &PluginId, run: RecordId) -> Result<(RunRecord, [u8; 32])> {
    let record = ledger::get(&core.records, plugin, run).await?;
    let record = record.ok_or_else(|| Error::UnknownRun { plugin: plugin.clone(), run })?;
    match capsule::digest_of(&core.records, plugin, run).await? {
        Some(digest) => Ok((record, digest)),
        None => Err(Error::InputsExpired { run, reason: not_kept(core, &record) }),
    }
}

/// Why a run has no capsule: what its own result says, or that it is too old.
fn not_kept(core: &Core, record: &RunRecord) -> Text {
    let result = record.result().unwrap_or_default();
    let said = |language: &str| {
        result.pointer(&format!("/capsule/none/{language}")).and_then(Json::as_str).map(str::to_owned)
    };
    let kept = core.config.capsules_kept_per_plugin;
    match (said("en"), said("zh-CN")) {
        (Some(en), Some(zh_cn)) => Text { en, zh_cn },
        _ => bilingual!(
            "only those of the last {kept} runs are kept (`engine.capsules_kept_per_plugin`), within `engine.capsules_kept_days_max` and `engine.capsules_bytes_max`",
            "仅保留最近 {kept} 次运行的数据（`engine.capsules_kept_per_plugin`），且不超过 `engine.capsules_kept_days_max` 与 `engine.capsules_bytes_max`"
        ),
    }
}

/// Does a run again and compares.
pub(crate) fn replay(core: &Core, job: &Running<'_>, plugin_id: &PluginId, run_id: RecordId) -> Result<Json> {
    if let Some(digest) = job.wait(of_campaign(core, plugin_id, run_id))? {
        return campaign::replay(core, job, plugin_id, run_id, &digest);
    }
    let (run, digest) = job.wait(find(core, plugin_id, run_id))?;
    let Some(plugin) = job.wait(run.plugin(core, plugin_id))? else {
        return Err(Error::CannotRun {
            plugin: plugin_id.clone(),
            reason: {
                let (version, digest) = (&run.version, hex(&run.plugin_digest));
                bilingual!(
                    "run {run_id} was made by version {version} with digest {digest}, which was removed or replaced by other content",
                    "运行 {run_id} 使用的版本 {version}（摘要 {digest}）已被移除或替换"
                )
            },
        });
    };
    let grants = core.registry.granted_again(plugin_id);
    let manifest = spec::configured(plugin.manifest(), &run.config)?;
    let withheld = Withheld::with(&manifest, &core.registry.hidden(&manifest, &grants), &grants)?;
    Replay { core, job, plugin_id, run_id, run, plugin, digest, withheld }.execute()
}

impl Replay<'_> {
    fn execute(&self) -> Result<Json> {
        let (core, job) = (self.core, self.job);
        let mut recorded = self.usable(core.capsules.verified(&self.digest))?;
        let end = self.usable(recorded.end())?;
        let at = recorded.header().at.context(self.run_id);
        let datasets = self.datasets(&mut recorded)?;
        let inputs = self.usable(core.capsules.reader(&self.digest))?.into_inputs(end.rows);
        let mut source = self.withheld.mask_all_customers(Box::new(inputs));
        job.progress(0, Some(end.rows), "customers");
        let described = evaluator::describe(&self.plugin, &self.run.config)?;
        let models = self.models(source.as_mut(), &datasets, &at)?;
        source.rewind()?;
        let layout = Layout::of(&described, |output| self.plugin.manifest().output_name(output));
        let evaluator = Evaluator { plugin: &self.plugin, described: &described, models: &models, at: &at };
        let options = evaluate::Options {
            evaluator,
            layout: &layout,
            parallel_max: core.config.assign_parallel_max,
            frames: false,
        };
        let mut comparison = Comparison {
            recorded,
            layout: layout.clone(),
            rows: 0,
            differing: 0,
            first: Vec::new(),
            hasher: results::hasher(),
        };
        evaluate::evaluate_all(options, source.as_mut(), |done| {
            job.check()?;
            self.usable(comparison.add(&done.results))?;
            job.progress(comparison.rows, Some(end.rows), "customers");
            Ok(())
        })?;
        Ok(self.result(&models, &comparison))
    }

    fn usable<T>(&self, read: Result<T, Unusable>) -> Result<T> {
        read.map_err(|why| Error::InputsExpired { run: self.run_id, reason: why.0 })
    }

    /// The further datasets that the run learned from; those that it did not record were not there to be read.
    fn datasets(&self, recorded: &mut CapsuleReader) -> Result<Datasets> {
        let found = self.usable(recorded.datasets())?;
        let manifest = self.plugin.manifest();
        if self.run.fitted {
            let declared = manifest.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Rows);
            let missing = declared
                .map(|dataset| &dataset.name)
                .find(|name| found.iter().all(|(known, _)| known != *name));
            if let Some(name) = missing {
                return Err(not_gathered(self.run_id, name));
            }
        }
        let words =
            super::words_of(&self.core.records.schema(), &self.core.columns, manifest, &self.run.config)?;
        let datasets = self.withheld.mask_datasets(gather::boxed(found));
        Ok(Datasets::new(manifest, datasets).called(words))
    }

    /// The models, learned again where the run learned them.
    fn models(
        &self,
        source: &mut dyn Source,
        datasets: &Datasets,
        at: &trellis_plugin_host::CallContext,
    ) -> Result<PerInterface<Vec<u8>>> {
        if self.run.fitted {
            let (rows, cancel) = (&mut Rows::new(source, datasets), self.job.cancel_plugin());
            let fitted = evaluator::fit(&self.plugin, rows, &self.run.config, at, cancel)?;
            return Ok(fitted.map(|model| model.bytes.clone()));
        }
        let kept = self.job.wait(models::get_all(&self.core.records, self.plugin_id, &self.run.models))?;
        kept.ok_or_else(|| Error::InputsExpired {
            run: self.run_id,
            reason: Text::new("its model is no longer kept", "其模型已不再保留"),
        })
    }

    fn result(&self, models: &PerInterface<Vec<u8>>, comparison: &Comparison) -> Json {
        let replayed = models.map(|bytes| *blake3::hash(bytes).as_bytes());
        let outputs_digest = *comparison.hasher.finalize().as_bytes();
        let digests = |digests: &PerInterface<[u8; 32]>| -> Map<String, Json> {
            digests.iter().map(|(interface, digest)| (interface.to_owned(), hex(digest).into())).collect()
        };
        let same = replayed == self.run.models && outputs_digest == self.run.outputs_digest;
        json!({
            "run": self.run_id.to_string(),
            "plugin": self.plugin_id.as_str(),
            "version": self.run.version,
            "same": same,
            "withheld": self.withheld.names(),
            "rows": comparison.rows,
            "models": digests(&replayed),
            "recorded_models": digests(&self.run.models),
            "outputs_digest": hex(&outputs_digest),
            "recorded_digest": hex(&self.run.outputs_digest),
            "differing": comparison.differing,
            "first_differences": comparison.first,
        })
    }
}

impl Comparison {
    /// Compares the results of the next batch with those that were recorded.
    fn add(&mut self, results: &[u8]) -> Result<(), Unusable> {
        self.hasher.update(results);
        let recorded = self.recorded.next(Kind::Results)?.map(|frame| frame.bytes).unwrap_or_default();
        let width = self.layout.width();
        self.rows += (results.len() / width) as u64;
        if recorded == results {
            return Ok(());
        }
        let mut before = recorded.chunks(width);
        for now in results.chunks(width) {
            let before = before.next().unwrap_or_default();
            if before == now {
                continue;
            }
            self.differing += 1;
            if self.first.len() < DIFFERENCES_MAX {
                self.first.push(json!({
                    "ordinal": results::ordinal(now),
                    "recorded": self.layout.show(before),
                    "replayed": self.layout.show(now),
                }));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trellis_model::Validity;
    use trellis_plugin_host::ScoredColumn;

    use super::*;
    use crate::{
        capsule::{At, Capsules, End, Header},
        run::evaluator::{Described, Evaluated},
    };

    fn header() -> Header {
        let (time_zone, base_currency) = ("UTC".to_owned(), "EUR".to_owned());
        Header {
            epoch: [0; 16],
            run: [1; 16],
            plugin: "p".to_owned(),
            version: "1.0.0".to_owned(),
            plugin_digest: [2; 32],
            config: "{}".to_owned(),
            at: At { as_of_day: 1, now_ms: 2, time_zone, base_currency, seed: 3 },
            log_number: 4,
            position: 5,
            campaign: Vec::new(),
        }
    }

    fn layout() -> Layout {
        let score = trellis_plugin_host::ScoreDescription {
            name: "value".to_owned(),
            label: Text::default(),
            description: Text::default(),
            unit: Text::default(),
            minimum: None,
            maximum: None,
            bands: Vec::new(),
            extra: Vec::new(),
        };
        let described = Described { segmentations: Vec::new(), scores: vec![score] };
        Layout::of(&described, |output| format!("p__{output}"))
    }

    fn results(scores: &[f64]) -> Vec<u8> {
        let column =
            ScoredColumn { name: "value".to_owned(), valid: Validity::all(), values: scores.to_vec() };
        let evaluated = Evaluated { segmentations: Vec::new(), scores: vec![column], failed: Vec::new() };
        let ordinals: Vec<u64> = (10..).take(scores.len()).collect();
        layout().encode(&ordinals, &evaluated)
    }

    #[test]
    fn rows_that_come_out_otherwise_are_counted_and_the_first_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let capsules = Capsules::open(dir.path().join("capsules"), |_| true, |_| false).unwrap();
        let mut writer = capsules.create(&header(), u64::MAX).unwrap();
        let same: Vec<f64> = (0..40).map(f64::from).collect();
        for _ in 0..2 {
            writer.write(&capsule::encode(Kind::Results, (10, 49), &results(&same)).unwrap()).unwrap();
        }
        let (digest, _) = writer.finish(&End { rows: 80, outputs_digest: [0; 32] }).unwrap();
        let recorded = capsules.verified(&digest).unwrap();
        let hasher = results::hasher();
        let mut comparison =
            Comparison { recorded, layout: layout(), rows: 0, differing: 0, first: Vec::new(), hasher };
        comparison.add(&results(&same)).unwrap();
        assert_eq!((comparison.rows, comparison.differing), (40, 0));
        let other: Vec<f64> =
            same.iter().map(|value| if *value < 30.0 { value + 0.5 } else { *value }).collect();
        comparison.add(&results(&other)).unwrap();
        assert_eq!((comparison.rows, comparison.differing), (80, 30));
        assert_eq!(comparison.first.len(), DIFFERENCES_MAX);
        let expected =
            json!({ "ordinal": 11, "recorded": { "p__value": 1.0 }, "replayed": { "p__value": 1.5 } });
        assert_eq!(comparison.first[1], expected);
    }
}
