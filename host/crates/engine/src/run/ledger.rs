//! What each run was made of and what came out: the start of the decision ledger. Records of runs are never deleted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_model::{PluginId, RecordId, SegmentationName};
use trellis_plugin_host::Plugin;
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use crate::{Error, Result, core::Core, keys, stored};

/// Runs that are read at once when old models go.
const PAGE_ROWS: usize = 200;

#[derive(Debug, Serialize, Deserialize)]
enum StoredRun {
    V1(RunRecord),
}

/// A run that was flipped to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunRecord {
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
    pub(super) model: [u8; 32],
    /// The log entry up to which changes were in the data.
    pub(super) log_number: u64,
    /// The store's position when the data was opened.
    pub(super) position: u64,
    pub(super) generation: u64,
    pub(super) baseline: bool,
    /// Full names of the segmentations, in the order in which the plugin describes them.
    pub(super) outputs: Vec<String>,
    /// The job's result, for people: JSON.
    pub(super) result: String,
}

impl RunRecord {
    /// The plugin that made the run, if it is still installed with the same content.
    pub(super) async fn plugin(&self, core: &Core, id: &PluginId) -> Result<Option<Arc<Plugin>>> {
        let version = self.version.parse();
        let version = version
            .map_err(|error| Error::Damaged { what: format!("version of a run of `{id}`: {error}") })?;
        let plugin = core.registry.version(id, &version).await?;
        Ok((plugin.digest().as_bytes() == &self.plugin_digest).then_some(plugin))
    }

    pub(super) fn output_names(&self) -> Result<Vec<SegmentationName>> {
        let damaged = |error| Error::Damaged { what: format!("outputs of a run: {error}") };
        self.outputs.iter().map(|name| SegmentationName::new(name).map_err(damaged)).collect()
    }

    pub(super) fn result(&self) -> Result<Json> {
        serde_json::from_str(&self.result)
            .map_err(|error| Error::Damaged { what: format!("result of a run: {error}") })
    }
}

pub(super) async fn put(
    records: &Records,
    plugin: &PluginId,
    run: RecordId,
    record: &RunRecord,
) -> Result<()> {
    let key = keys::run(plugin, run);
    let parts = stored::get(records.store().as_ref(), &key).await?.map_or(0, |(_, parts)| parts);
    let mut set = WriteSet::new();
    stored::put(&mut set, &key, &stored::encode(&StoredRun::V1(record.clone())), parts);
    records.commit(set, None).await?;
    Ok(())
}

pub(super) async fn get(records: &Records, plugin: &PluginId, run: RecordId) -> Result<Option<RunRecord>> {
    match stored::get(records.store().as_ref(), &keys::run(plugin, run)).await? {
        Some((bytes, _)) => decode(run, &bytes).map(Some),
        None => Ok(None),
    }
}

/// The newest run of a plugin.
pub(super) async fn last(records: &Records, plugin: &PluginId) -> Result<Option<(RecordId, RunRecord)>> {
    Ok(newest(records, plugin, 1).await?.pop())
}

/// Deletes the models of all but the newest `kept` runs of a plugin.
pub(super) async fn prune_models(records: &Records, plugin: &PluginId, kept: usize) -> Result<()> {
    let runs = newest(records, plugin, PAGE_ROWS).await?;
    let models: Vec<_> = runs.iter().map(|(_, run)| run.model).collect();
    let (keep, old) = models.split_at(kept.max(1).min(models.len()));
    for model in old.iter().filter(|model| !keep.contains(model)) {
        if records.store().get(&keys::model(plugin, model)).await?.is_some() {
            super::models::delete(records, plugin, model).await?;
        }
    }
    Ok(())
}

async fn newest(records: &Records, plugin: &PluginId, runs_max: usize) -> Result<Vec<(RecordId, RunRecord)>> {
    let store = records.store().as_ref();
    let page = store.scan(ScanRange::prefix(&keys::runs(plugin)).reversed(), runs_max).await?;
    let mut runs = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let id = keys::trailing_id(&row.key)?;
        let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
        runs.push((id, decode(id, &bytes)?));
    }
    Ok(runs)
}

fn decode(run: RecordId, bytes: &[u8]) -> Result<RunRecord> {
    let StoredRun::V1(record) = stored::decode(bytes, || format!("run {run}"))?;
    Ok(record)
}
