//! What each run was made of and what came out: the decision ledger of runs. Records of runs are never deleted.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_columns::{AsOf, GenerationId};
use trellis_model::{PluginId, RecordId, SegmentationName, Text};
use trellis_plugin_host::Plugin;
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::{evaluator::PerInterface, learned, outputs::Outputs};
use crate::{Error, Result, as_of, capsule, core::Core, keys, plugins::hex, stored};

/// Runs that are read at once when old models go, and that a page of the list has at most.
const PAGE_ROWS: usize = 200;

/// A run that was flipped to, as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// The run: the id of its job.
    pub run: RecordId,
    /// The plugin that was run.
    pub plugin: PluginId,
    /// What it was called, also where it was removed since; `None` where nothing is known of it.
    pub name: Option<Text>,
    /// In which version.
    pub version: String,
    /// BLAKE3 digest of the component, in hex.
    pub digest: String,
    /// Up to when data counted.
    pub as_of: AsOf,
    /// The log entry up to which changes were in the data.
    pub log_number: u64,
    /// The seed that the plugin was given.
    pub seed: u64,
    /// The generation of results that it made.
    pub generation: u64,
    /// Whether it was a first run, a re-fit or an upgrade: nothing was told about single customers.
    pub baseline: bool,
    /// The number of the model that it evaluated with.
    pub model: Option<u32>,
    /// Whether what it read is still kept, so that it can be replayed.
    pub has_capsule: bool,
    /// What came out, as its job's result.
    pub result: Json,
}

/// A page of runs, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunInfo>,
    /// The last one's id where more follow: the next page comes after it.
    pub next: Option<RecordId>,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredRun {
    V1(RunRecord),
}

/// A run that was flipped to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    pub(super) version: String,
    pub(super) plugin_digest: [u8; 32],
    /// JSON, defaults filled in.
    pub(super) config: String,
    /// Days since 1970-01-01, or now.
    pub(super) as_of: Option<i32>,
    /// The day that the plugin was told.
    pub(super) as_of_day: i32,
    pub(super) now_ms: i64,
    pub(super) seed: u64,
    /// Digest of the model of each interface that gave results.
    pub(super) models: PerInterface<[u8; 32]>,
    /// Whether the run learned these models; otherwise they are an earlier run's.
    pub(super) fitted: bool,
    /// The log entry up to which changes were in the data.
    pub(super) log_number: u64,
    /// The store's position when the data was opened.
    pub(super) position: u64,
    pub(super) generation: u64,
    pub(super) baseline: bool,
    /// Full names of the segmentations, in the order in which the plugin describes them.
    pub(super) segmentations: Vec<String>,
    /// Full names of the scores, likewise.
    pub(super) scores: Vec<String>,
    /// Digest of the results, row by row.
    pub(super) outputs_digest: [u8; 32],
    /// The job's result, for people: JSON.
    pub(super) result: String,
    /// The number of its model.
    pub(super) model: Option<u32>,
}

impl RunRecord {
    /// The plugin that made the run; `None` where it was removed, or its version has other content by now.
    ///
    /// # Errors
    /// [`Error::Broken`] where its file is lost.
    pub(crate) async fn plugin(&self, core: &Core, id: &PluginId) -> Result<Option<Arc<Plugin>>> {
        match core.registry.version(id, &self.semver()?).await {
            Ok(plugin) => Ok(self.is_by(&plugin).then_some(plugin)),
            Err(Error::UnknownPlugin { .. } | Error::UnknownVersion { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn semver(&self) -> Result<semver::Version> {
        self.version
            .parse()
            .map_err(|error| Error::Damaged { what: format!("version `{}` of a run: {error}", self.version) })
    }

    /// Whether a component made the run.
    pub(crate) fn is_by(&self, plugin: &Plugin) -> bool {
        plugin.digest().as_bytes() == &self.plugin_digest
    }

    pub(super) fn outputs(&self) -> Result<Outputs> {
        let damaged = |error| Error::Damaged { what: format!("outputs of a run: {error}") };
        let names = |names: &[String]| {
            names.iter().map(|name| SegmentationName::new(name).map_err(damaged)).collect::<Result<_>>()
        };
        Ok(Outputs { segmentations: names(&self.segmentations)?, scores: names(&self.scores)? })
    }

    pub(super) fn result(&self) -> Result<Json> {
        serde_json::from_str(&self.result)
            .map_err(|error| Error::Damaged { what: format!("result of a run: {error}") })
    }
}

/// Writes a run down again.
pub(super) async fn put(
    records: &Records,
    plugin: &PluginId,
    run: RecordId,
    record: &RunRecord,
) -> Result<()> {
    let set = puts(records, plugin, run, record, None).await?;
    records.commit(set, None).await?;
    Ok(())
}

/// The writes that note a run, with its capsule if it has one.
pub(super) async fn puts(
    records: &Records,
    plugin: &PluginId,
    run: RecordId,
    record: &RunRecord,
    capsule: Option<[u8; 32]>,
) -> Result<WriteSet> {
    let key = keys::run(plugin, run);
    let (mut set, bytes) = (WriteSet::new(), stored::encode(&StoredRun::V1(record.clone())));
    stored::replace(records.store().as_ref(), &mut set, &key, &bytes).await?;
    if let Some(digest) = capsule {
        capsule::entry(&mut set, plugin, run, &digest);
    }
    Ok(set)
}

pub(crate) async fn get(records: &Records, plugin: &PluginId, run: RecordId) -> Result<Option<RunRecord>> {
    match stored::get(records.store().as_ref(), &keys::run(plugin, run)).await? {
        Some((bytes, _)) => decode(run, &bytes).map(Some),
        None => Ok(None),
    }
}

/// The generation that a run of a plugin made, with the names of its results.
pub(crate) async fn results_of(
    core: &Core,
    plugin: &PluginId,
    run: RecordId,
) -> Result<Option<(GenerationId, Vec<SegmentationName>)>> {
    let Some(record) = get(&core.records, plugin, run).await? else { return Ok(None) };
    let Outputs { segmentations, scores } = record.outputs()?;
    Ok(Some((GenerationId(record.generation), segmentations.into_iter().chain(scores).collect())))
}

/// The newest run of a plugin.
pub(super) async fn last(records: &Records, plugin: &PluginId) -> Result<Option<(RecordId, RunRecord)>> {
    Ok(newest(records, plugin, None, 1).await?.0.pop())
}

/// Whether anything was ever learned or put out by a plugin, installed or not.
pub(crate) async fn is_known(core: &Core, plugin: &PluginId) -> Result<bool> {
    Ok(core.registry.get(plugin).is_some()
        || last(&core.records, plugin).await?.is_some()
        || learned::last(&core.records, plugin).await?.is_some())
}

/// Up to `runs_max` (at most 200) runs of a plugin, the newest first: those after `after`.
pub(crate) async fn list(
    core: &Core,
    plugin: &PluginId,
    after: Option<RecordId>,
    runs_max: usize,
) -> Result<RunPage> {
    let records = &core.records;
    let (found, more) = newest(records, plugin, after, runs_max.clamp(1, PAGE_ROWS)).await?;
    let (mut runs, mut names) = (Vec::with_capacity(found.len()), HashMap::new());
    for (run, record) in found {
        let name = match names.get(&record.plugin_digest) {
            Some(name) => Option::clone(name),
            None => {
                let name = core.registry.name_of(plugin, &record.plugin_digest).await?;
                names.insert(record.plugin_digest, name.clone());
                name
            }
        };
        runs.push(RunInfo {
            run,
            plugin: plugin.clone(),
            name,
            digest: hex(&record.plugin_digest),
            as_of: as_of::from_days(record.as_of),
            log_number: record.log_number,
            seed: record.seed,
            generation: record.generation,
            baseline: record.baseline,
            model: record.model,
            has_capsule: capsule::digest_of(records, plugin, run).await?.is_some(),
            result: record.result()?,
            version: record.version,
        });
    }
    let next = runs.last().filter(|_| more).map(|info| info.run);
    Ok(RunPage { runs, next })
}

/// Up to `runs_max` runs of a plugin, the newest first: those after `after`; and whether more follow.
pub(super) async fn newest(
    records: &Records,
    plugin: &PluginId,
    after: Option<RecordId>,
    runs_max: usize,
) -> Result<(Vec<(RecordId, RunRecord)>, bool)> {
    let store = records.store().as_ref();
    let mut range = ScanRange::prefix(&keys::runs(plugin)).reversed();
    if let Some(after) = after {
        range = range.after(&keys::run(plugin, after));
    }
    let page = store.scan(range, runs_max).await?;
    let mut runs = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let id = keys::trailing_id(&row.key)?;
        let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
        runs.push((id, decode(id, &bytes)?));
    }
    Ok((runs, page.more))
}

fn decode(run: RecordId, bytes: &[u8]) -> Result<RunRecord> {
    let StoredRun::V1(record) = stored::decode(bytes, || format!("run {run}"))?;
    Ok(record)
}
