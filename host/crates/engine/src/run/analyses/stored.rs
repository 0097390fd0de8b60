//! How answers are stored: `host/docs/formats/engine.md`. What an answer was made of and the report itself stand apart, so that a list of
//! answers reads no reports.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::{Actor, PluginId, RecordId, Text};
use trellis_plugin_host::Report;
use trellis_records::{Caller, EntryBody, NewEntry, Records};
use trellis_storage::{ScanRange, WriteSet};

use super::{AnalysisResult, AnalysisResultPage};
use crate::{
    Error, Result, as_of,
    core::Core,
    error::AnswerLimit,
    jobs::{Notes, Running, StoredActor},
    keys,
    plugins::hex,
    stored,
};

/// Answers that are looked at at once when old ones go.
const LOOKED_AT_MAX: usize = 200;
/// Bytes of a report's JSON, unpacked. What repeats packs to a hundredth and has to be unpacked whole whenever somebody reads it.
const JSON_BYTES_MAX: usize = 16 << 20;
/// The note of a job that it has answered.
const ANSWERED: u32 = 0;

#[derive(Debug, Serialize, Deserialize)]
enum StoredAnswer {
    V1(Answer),
}

/// What an answer was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) job: [u8; 16],
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
    /// The newest log entry when all of the data had been read.
    pub(super) log_until: u64,
    pub(super) rows: u64,
    /// Whether the plugin was granted personal data of what its manifest reads.
    pub(super) personal: bool,
    pub(super) took_ms: u64,
    pub(super) answered_at_ms: i64,
    pub(super) asked_by: StoredActor,
    /// English, Chinese.
    pub(super) summary: (String, String),
}

/// What a job notes together with its answer: when it is done again, it knows that it has answered, whether the answer is still kept or not.
#[derive(Debug, Serialize, Deserialize)]
enum StoredNote {
    V1(Answered),
}

/// What a job says of its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) result: [u8; 16],
    pub(super) version: String,
    pub(super) rows: u64,
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
            job: RecordId(uuid::Uuid::from_bytes(self.job)),
            plugin: plugin.clone(),
            analysis: analysis.to_owned(),
            digest: hex(&self.plugin_digest),
            label: Text::new(self.label.0.as_str(), self.label.1.as_str()),
            config_digest: hex(&self.config_digest),
            parameters: serde_json::from_str(&self.parameters)
                .map_err(|error| damaged("parameters", error.to_string()))?,
            as_of: as_of::from_days(self.as_of),
            log_number: self.log_number,
            log_until: self.log_until,
            rows: self.rows,
            personal: self.personal,
            took_ms: self.took_ms,
            answered_at_ms: self.answered_at_ms,
            asked_by: Actor::try_from(self.asked_by.clone())
                .map_err(|error| damaged("who asked", error.to_string()))?,
            summary: self.summary(),
            version: self.version,
        })
    }
}

/// Writes an answer down with its report, in one write set. Its id is of the moment when it was there, so that answers sort by that and not by
/// when they were asked for.
///
/// # Errors
/// [`Error::AnswerTooLarge`] where the answer, packed, is larger than `analysis_result_bytes_max`, or the report has over 16 MiB unpacked.
pub(super) async fn put(
    core: &Core,
    job: &Running<'_>,
    (plugin, analysis): (&PluginId, &str),
    (answer, report): (&Answer, &Report),
) -> Result<Answered> {
    let too_large = |bytes, limit| {
        let (plugin, analysis) = (plugin.clone(), analysis.to_owned());
        Error::AnswerTooLarge { plugin, analysis, bytes, limit }
    };
    let packed = pack(report.to_json().to_string().as_bytes())
        .map_err(|bytes| too_large(bytes, AnswerLimit::Unpacked { bytes_max: JSON_BYTES_MAX }))?;
    let (about, packed) =
        (stored::encode(&StoredAnswer::V1(answer.clone())), stored::encode(&StoredReport::V1(packed)));
    let (bytes, bytes_max) = (about.len() + packed.len(), core.config.analysis_result_bytes_max);
    if bytes > bytes_max {
        return Err(too_large(bytes, AnswerLimit::Packed { bytes_max }));
    }
    let id = core.records.ids().record_id(answer.answered_at_ms);
    let answered = Answered { result: *id.as_bytes(), version: answer.version.clone(), rows: answer.rows };
    let mut set = WriteSet::new();
    stored::put(&mut set, &keys::analysis_result(plugin, analysis, id), &about, 0);
    stored::put(&mut set, &keys::analysis_report(plugin, analysis, id), &packed, 0);
    set.put(Notes(job.id()).key(ANSWERED), stored::encode(&StoredNote::V1(answered.clone())));
    let data = json!({
        "plugin": plugin.as_str(),
        "version": answer.version,
        "analysis": analysis,
        "result": id.to_string(),
        "rows": answer.rows,
        "warnings": report.warnings.iter().map(|text| json!({ "en": text.en, "zh-CN": text.zh_cn })).collect::<Vec<_>>(),
    });
    let body = EntryBody::Event { name: "analysis.answered".to_owned(), data };
    let caller = job.caller();
    let entry = NewEntry { actor: caller.actor.clone(), cause: caller.cause.clone(), body };
    core.records.commit(set, Some(entry)).await?;
    Ok(answered)
}

/// What an earlier attempt of a job answered.
pub(super) async fn answered(records: &Records, job: RecordId) -> Result<Option<Answered>> {
    let notes = Notes(job).all(records.store().as_ref()).await?;
    let Some(note) = notes.first() else { return Ok(None) };
    let StoredNote::V1(answered) = stored::decode(note, || format!("note of job {job}"))?;
    Ok(Some(answered))
}

/// The packed bytes after their length; how many there are where they are too many to be unpacked again.
fn pack(json: &[u8]) -> Result<Vec<u8>, usize> {
    if json.len() > JSON_BYTES_MAX { Err(json.len()) } else { Ok(lz4_flex::compress_prepend_size(json)) }
}

/// Whether there is an answer to any question of a plugin.
pub(super) async fn has_any(records: &Records, plugin: &PluginId) -> Result<bool> {
    let range = ScanRange::prefix(&keys::of_plugin(keys::KeyKind::AnalysisResult, plugin));
    Ok(!records.store().scan(range, 1).await?.rows.is_empty())
}

/// An answer.
pub(super) async fn get(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    id: RecordId,
) -> Result<Option<AnalysisResult>> {
    let key = keys::analysis_result(plugin, analysis, id);
    match stored::get(records.store().as_ref(), &key).await? {
        Some((bytes, _)) => decode(id, &bytes)?.result(plugin, analysis, id).map(Some),
        None => Ok(None),
    }
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

/// Deletes all but the newest `kept` answers to a question, and never `own`, which whoever prunes has just given.
pub(super) async fn prune(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    kept: usize,
    own: RecordId,
) -> Result<()> {
    let (mut after, mut left) = (None, kept.max(1));
    loop {
        let page = ids(records, plugin, analysis, after).await?;
        for id in page.iter().skip(left).filter(|id| **id != own) {
            records.commit(deletes(records, plugin, analysis, *id).await?, None).await?;
        }
        left = left.saturating_sub(page.len());
        match page.last() {
            Some(last) if page.len() == LOOKED_AT_MAX => after = Some(*last),
            _ => return Ok(()),
        }
    }
}

/// Deletes an answer, with an entry of the log; whether it was there.
pub(super) async fn delete(
    records: &Records,
    caller: &Caller,
    (plugin, analysis): (&PluginId, &str),
    id: RecordId,
) -> Result<bool> {
    let set = deletes(records, plugin, analysis, id).await?;
    if set.is_empty() {
        return Ok(false);
    }
    let data = json!({ "plugin": plugin.as_str(), "analysis": analysis, "result": id.to_string() });
    let body = EntryBody::Event { name: "analysis.deleted".to_owned(), data };
    let entry = NewEntry { actor: caller.actor.clone(), cause: caller.cause.clone(), body };
    records.commit(set, Some(entry)).await?;
    Ok(true)
}

/// Deletes every answer to a question; how many there were.
pub(super) async fn delete_all(
    records: &Records,
    caller: &Caller,
    plugin: &PluginId,
    analysis: &str,
) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let page = ids(records, plugin, analysis, None).await?;
        if page.is_empty() {
            return Ok(deleted);
        }
        for id in page {
            deleted += u64::from(delete(records, caller, (plugin, analysis), id).await?);
        }
    }
}

/// Up to [`LOOKED_AT_MAX`] answers to a question, the newest first: those after `after`.
async fn ids(
    records: &Records,
    plugin: &PluginId,
    analysis: &str,
    after: Option<RecordId>,
) -> Result<Vec<RecordId>> {
    let mut range = ScanRange::prefix(&keys::analysis_results(plugin, analysis)).reversed();
    if let Some(after) = after {
        range = range.after(&keys::analysis_result(plugin, analysis, after));
    }
    let page = records.store().scan(range, LOOKED_AT_MAX).await?;
    page.rows.iter().map(|row| keys::trailing_id(&row.key)).collect()
}

/// The writes that delete an answer with its report; none where there is none.
async fn deletes(records: &Records, plugin: &PluginId, analysis: &str, id: RecordId) -> Result<WriteSet> {
    let (store, mut set) = (records.store().as_ref(), WriteSet::new());
    stored::remove(store, &mut set, &keys::analysis_result(plugin, analysis, id)).await?;
    stored::remove(store, &mut set, &keys::analysis_report(plugin, analysis, id)).await?;
    Ok(set)
}

fn decode(id: RecordId, bytes: &[u8]) -> Result<Answer> {
    let StoredAnswer::V1(answer) = stored::decode(bytes, || format!("analysis {id}"))?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_can_be_unpacked_again() {
        // One byte over and over packs to a 255th.
        let longest = vec![b' '; JSON_BYTES_MAX];
        let packed = pack(&longest).unwrap();
        let (bytes, packed) = lz4_flex::block::uncompressed_size(&packed).unwrap();
        assert!(bytes == JSON_BYTES_MAX && packed.len() < JSON_BYTES_MAX / 200);
        assert_eq!(pack(&vec![b' '; JSON_BYTES_MAX + 1]), Err(JSON_BYTES_MAX + 1));
    }
}
