//! What is stored of shadows: which there are, what they came to, and the files with their results.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trellis_model::{PluginId, RecordId};
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::figures::FiguresV1;
use crate::{Result, jobs::StoredActor, keys, plugins::hex, stored};

/// Rows of a page of a scan.
const PAGE_ROWS: usize = 200;

#[derive(Debug, Serialize, Deserialize)]
enum StoredShadow {
    V1(ShadowV1),
}

/// A shadow as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ShadowV1 {
    pub(super) version: String,
    pub(super) digest: [u8; 32],
    /// JSON, defaults filled in.
    pub(super) config: String,
    pub(super) grants: Option<Vec<String>>,
    /// Runs after this id count.
    pub(super) since: [u8; 16],
    pub(super) started_at_ms: i64,
    pub(super) started_by: StoredActor,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredFigures {
    V1(FiguresV1),
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredResults {
    V1(ResultsV1),
}

/// The results of a shadow for a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ResultsV1 {
    pub(super) version: String,
    /// Of the file that holds them, row by row; none where it could not be written.
    pub(super) digest: Option<[u8; 32]>,
    /// The comparison, as JSON.
    pub(super) compared: String,
}

/// Every shadow with what it came to.
pub(super) async fn all(records: &Records) -> Result<Vec<(PluginId, ShadowV1, FiguresV1)>> {
    let (mut range, mut found) = (ScanRange::prefix(&keys::KeyKind::Shadow.prefix()), Vec::new());
    let store = records.store().as_ref();
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            let id = keys::plugin_of(&row.key)?;
            let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
            let StoredShadow::V1(shadow) = stored::decode(&bytes, || format!("shadow of plugin `{id}`"))?;
            let figures = match stored::get(store, &keys::shadow_figures(&id)).await? {
                Some((bytes, _)) => {
                    let what = || format!("figures of the shadow of plugin `{id}`");
                    let StoredFigures::V1(figures) = stored::decode(&bytes, what)?;
                    figures
                }
                None => FiguresV1::default(),
            };
            found.push((id, shadow, figures));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(found),
        }
    }
}

/// The writes that start a shadow with figures of zero.
pub(super) async fn start(records: &Records, plugin: &PluginId, shadow: &ShadowV1) -> Result<WriteSet> {
    let mut set = save(records, plugin, &FiguresV1::default()).await?;
    let bytes = stored::encode(&StoredShadow::V1(shadow.clone()));
    stored::replace(records.store().as_ref(), &mut set, &keys::shadow(plugin), &bytes).await?;
    Ok(set)
}

/// The writes that end a shadow. Its results of runs stay until others push them out.
pub(super) async fn end(records: &Records, plugin: &PluginId) -> Result<WriteSet> {
    let mut set = WriteSet::new();
    for key in [keys::shadow(plugin), keys::shadow_figures(plugin)] {
        stored::remove(records.store().as_ref(), &mut set, &key).await?;
    }
    Ok(set)
}

/// The writes that note what a shadow came to.
pub(super) async fn save(records: &Records, plugin: &PluginId, figures: &FiguresV1) -> Result<WriteSet> {
    let mut set = WriteSet::new();
    let bytes = stored::encode(&StoredFigures::V1(figures.clone()));
    stored::replace(records.store().as_ref(), &mut set, &keys::shadow_figures(plugin), &bytes).await?;
    Ok(set)
}

/// Notes the results of a shadow for a run, and returns the files of those that are too old now.
pub(super) async fn put_results(
    records: &Records,
    plugin: &PluginId,
    run: RecordId,
    results: &ResultsV1,
    kept: usize,
) -> Result<Vec<[u8; 32]>> {
    let (mut set, store) = (WriteSet::new(), records.store().as_ref());
    let bytes = stored::encode(&StoredResults::V1(results.clone()));
    stored::replace(store, &mut set, &keys::shadow_run(plugin, run), &bytes).await?;
    records.commit(set, None).await?;
    let range = ScanRange::prefix(&keys::shadow_runs(plugin)).reversed();
    let page = store.scan(range, PAGE_ROWS).await?;
    let mut old = Vec::new();
    for row in page.rows.iter().skip(kept) {
        let (bytes, parts) = stored::join(store, &row.key, &row.value).await?;
        let StoredResults::V1(results) = stored::decode(&bytes, || format!("shadow results of `{plugin}`"))?;
        let mut set = WriteSet::new();
        stored::delete(&mut set, &row.key, parts);
        records.commit(set, None).await?;
        old.extend(results.digest);
    }
    Ok(old)
}

/// The results that are kept of the shadows of a plugin, the newest first.
pub(super) async fn results(records: &Records, plugin: &PluginId) -> Result<Vec<(RecordId, ResultsV1)>> {
    let store = records.store().as_ref();
    let page = store.scan(ScanRange::prefix(&keys::shadow_runs(plugin)).reversed(), PAGE_ROWS).await?;
    let mut found = Vec::new();
    for row in &page.rows {
        let run = keys::trailing_id(&row.key)?;
        let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
        let StoredResults::V1(results) = stored::decode(&bytes, || format!("shadow results of run {run}"))?;
        found.push((run, results));
    }
    Ok(found)
}

/// The files of every shadow's results, in hex.
pub(crate) async fn listed(records: &Records) -> Result<BTreeSet<String>> {
    let store = records.store().as_ref();
    let (mut range, mut found) = (ScanRange::prefix(&keys::KeyKind::ShadowRun.prefix()), BTreeSet::new());
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
            let StoredResults::V1(results) = stored::decode(&bytes, || "shadow results".to_owned())?;
            found.extend(results.digest.map(|digest| hex(&digest)));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(found),
        }
    }
}
