//! How answers are stored: `host/docs/formats/engine.md`. What an answer was made of and the report itself stand apart, so that a list of
//! answers reads no reports.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::{Actor, PluginId, RecordId, Text};
use trellis_records::{EntryBody, NewEntry, Records};
use trellis_storage::{ScanRange, WriteSet};

use super::{AnalysisResult, AnalysisResultPage};
use crate::{
    Error, Result, as_of,
    core::Core,
    jobs::{Running, StoredActor},
    keys,
    plugins::hex,
    stored,
};

/// Answers that are looked at when old ones go.
const LOOKED_AT_MAX: usize = 200;
/// Bytes of a report's JSON: what would be more is damaged.
const JSON_BYTES_MAX: usize = 256 << 20;

#[derive(Debug, Serialize, Deserialize)]
enum StoredAnswer {
    V1(Answer),
}

/// What an answer was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) version: String,
    pub(super) plugin_digest: [u8; 32],
    /// English, Chinese.
    pub(super) label: (String, String),
    pub(super) config_digest: [u8; 32],
    /// JSON.
    pub(super) parameters: String,
    /// Days since 1970-01-01, or now.
    pub(super) as_of: Option<i32>,
    pub(super) log_number: u64,
    pub(super) rows: u64,
    pub(super) took_ms: u64,
    pub(super) answered_at_ms: i64,
    pub(super) asked_by: StoredActor,
    /// English, Chinese.
    pub(super) summary: (String, String),
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredReport {
    /// LZ4 of JSON, after its length.
    V1(Vec<u8>),
}

impl Answer {
    pub(super) fn summary(&self) -> Text {
        Text::new(self.summary.0.as_str(), self.summary.1.as_str())
    }

    fn result(self, plugin: &PluginId, analysis: &str, id: RecordId) -> Result<AnalysisResult> {
        let damaged =
            |what: &str, error: String| Error::Damaged { what: format!("{what} of analysis {id}: {error}") };
        Ok(AnalysisResult {
            id,
            plugin: plugin.clone(),
            analysis: analysis.to_owned(),
            digest: hex(&self.plugin_digest),
            label: Text::new(self.label.0.as_str(), self.label.1.as_str()),
            config_digest: hex(&self.config_digest),
            parameters: serde_json::from_str(&self.parameters)
                .map_err(|error| damaged("parameters", error.to_string()))?,
            as_of: as_of::from_days(self.as_of),
            log_number: self.log_number,
            rows: self.rows,
            took_ms: self.took_ms,
            answered_at_ms: self.answered_at_ms,
            asked_by: Actor::try_from(self.asked_by.clone())
                .map_err(|error| damaged("who asked", error.to_string()))?,
            summary: self.summary(),
            version: self.version,
        })
    }
}

/// Writes an answer down with its report, in one write set.
///
/// # Errors
/// [`Error::AnswerTooLarge`] where the report, packed, is larger than `analysis_result_bytes_max`.
pub(super) async fn put(
    core: &Core,
    job: &Running<'_>,
    (plugin, analysis): (&PluginId, &str),
    (answer, report): (&Answer, &Json),
) -> Result<()> {
    let (id, bytes_max) = (job.id(), core.config.analysis_result_bytes_max);
    let packed = lz4_flex::compress_prepend_size(report.to_string().as_bytes());
    if packed.len() > bytes_max {
        let (plugin, analysis, bytes) = (plugin.clone(), analysis.to_owned(), packed.len());
        return Err(Error::AnswerTooLarge { plugin, analysis, bytes, bytes_max });
    }
    let mut set = WriteSet::new();
    let bytes = stored::encode(&StoredAnswer::V1(answer.clone()));
    stored::put(&mut set, &keys::analysis_result(plugin, analysis, id), &bytes, 0);
    let bytes = stored::encode(&StoredReport::V1(packed));
    stored::put(&mut set, &keys::analysis_report(plugin, analysis, id), &bytes, 0);
    let data = json!({
        "plugin": plugin.as_str(),
        "version": answer.version,
        "analysis": analysis,
        "result": id.to_string(),
        "rows": answer.rows,
    });
    let body = EntryBody::Event { name: "analysis.answered".to_owned(), data };
    let caller = job.caller();
    let entry = NewEntry { actor: caller.actor.clone(), cause: caller.cause.clone(), body };
    core.records.commit(set, Some(entry)).await?;
    Ok(())
}

/// What an answer was made of, as it is stored.
pub(super) async fn stored(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    id: RecordId,
) -> Result<Option<Answer>> {
    let key = keys::analysis_result(plugin, analysis, id);
    match stored::get(records.store().as_ref(), &key).await? {
        Some((bytes, _)) => decode(id, &bytes).map(Some),
        None => Ok(None),
    }
}

/// An answer.
pub(super) async fn get(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    id: RecordId,
) -> Result<Option<AnalysisResult>> {
    let found = stored(records, plugin, analysis, id).await?;
    found.map(|answer| answer.result(plugin, analysis, id)).transpose()
}

/// The report of an answer that is there.
pub(super) async fn report(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    id: RecordId,
) -> Result<Json> {
    let damaged = |reason: String| Error::Damaged { what: format!("report of analysis {id}: {reason}") };
    let key = keys::analysis_report(plugin, analysis, id);
    let found = stored::get(records.store().as_ref(), &key).await?;
    let (bytes, _) = found.ok_or_else(|| damaged("it is missing".to_owned()))?;
    let StoredReport::V1(packed) = stored::decode(&bytes, || format!("report of analysis {id}"))?;
    let (bytes, packed) =
        lz4_flex::block::uncompressed_size(&packed).map_err(|error| damaged(error.to_string()))?;
    if bytes > JSON_BYTES_MAX {
        return Err(damaged(format!("it says that it has {bytes} bytes")));
    }
    let json = lz4_flex::decompress(packed, bytes).map_err(|error| damaged(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))
}

/// Up to `results_max` answers to a question, the newest first: those after `after`.
pub(super) async fn newest(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    after: Option<RecordId>,
    results_max: usize,
) -> Result<AnalysisResultPage> {
    let store = records.store().as_ref();
    let mut range = ScanRange::prefix(&keys::analysis_results(plugin, analysis)).reversed();
    if let Some(after) = after {
        range = range.after(&keys::analysis_result(plugin, analysis, after));
    }
    let page = store.scan(range, results_max).await?;
    let mut results = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let id = keys::trailing_id(&row.key)?;
        let (bytes, _) = stored::join(store, &row.key, &row.value).await?;
        results.push(decode(id, &bytes)?.result(plugin, analysis, id)?);
    }
    let next = results.last().filter(|_| page.more).map(|result| result.id);
    Ok(AnalysisResultPage { results, next })
}

/// Deletes all but the newest `kept` answers to a question.
pub(super) async fn prune(records: &Records, plugin: &PluginId, analysis: &str, kept: usize) -> Result<()> {
    let store = records.store().as_ref();
    let range = ScanRange::prefix(&keys::analysis_results(plugin, analysis)).reversed();
    let page = store.scan(range, kept.max(1).saturating_add(LOOKED_AT_MAX)).await?;
    for row in page.rows.iter().skip(kept.max(1)) {
        let id = keys::trailing_id(&row.key)?;
        let mut set = WriteSet::new();
        stored::remove(store, &mut set, &row.key).await?;
        stored::remove(store, &mut set, &keys::analysis_report(plugin, analysis, id)).await?;
        records.commit(set, None).await?;
    }
    Ok(())
}

fn decode(id: RecordId, bytes: &[u8]) -> Result<Answer> {
    let StoredAnswer::V1(answer) = stored::decode(bytes, || format!("analysis {id}"))?;
    Ok(answer)
}
