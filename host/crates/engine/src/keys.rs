//! The engine's keys in the store: `0x50` to `0x5f` and `0x70` to `0x7f`. See `host/docs/formats/engine.md`.

use trellis_model::{ObjectId, PluginId, RecordId, SegmentationName};

use crate::{Error, Result};

/// First byte of a key. A number is never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum KeyKind {
    /// `job` → the job.
    Job = 0x50,
    /// `job` → nothing: the job has not ended, so a start has to look at it.
    OpenJob = 0x51,
    /// `plugin 00 version` → what was installed.
    PluginVersion = 0x52,
    /// `plugin` → its state and its configured use.
    PluginUse = 0x53,
    /// `plugin 00 digest` → length of a model; written last, so a model that has it is whole.
    Model = 0x54,
    /// `plugin 00 digest chunk` → up to 4 KiB of a model.
    ModelChunk = 0x55,
    /// `plugin 00 run` → what a run was made of and what came out.
    Run = 0x56,
    /// `key part` → what did not fit into the value of another of these keys.
    Part = 0x57,
    /// `plugin` → the log entry up to which its current results follow the data.
    Follow = 0x58,
    /// `decision` → what a plugin or rule decided about a record.
    Decision = 0x59,
    /// `object record decision` → nothing: finds the decisions about a record.
    DecisionOfRecord = 0x5a,
    /// `decision` → what was known when it was decided.
    DecisionCapsule = 0x5b,
    /// Nothing → the log entry up to which rules and plugins have reacted.
    ReactionCursor = 0x5c,
    /// `due_ms timer` → a timer, by when it runs out.
    Timer = 0x5d,
    /// `object record owner 00 name` → when the timer of that name runs out, and its id.
    TimerOfRecord = 0x5e,
    /// `plugin 00 run` → digest of the file that holds what the run read.
    RunCapsule = 0x5f,
    /// `plugin 00 digest` → why a version of a plugin is not called.
    PluginQuarantine = 0x76,
    /// `plugin 00 number` → a change of how the plugin is used.
    PluginSwitch = 0x70,
    /// `plugin` → the run whose results serve after a roll back, in place of a newer one.
    ServingRun = 0x71,
    /// `plugin` → the rules that it shipped, as it shipped them.
    ShippedRules = 0x72,
    /// `plugin 00 digest` → the text of the manifest of a version.
    PluginManifest = 0x77,
    /// `plugin 00 number` → what a model was learned from, and what is said about it.
    LearnedModel = 0x79,
    /// `plugin` → the model that its runs use.
    ModelPin = 0x7a,
    /// `plugin` → the day that its current results are of, and how far another day's have come.
    ResultDay = 0x7b,
    /// `plugin` → when its schedule is due next, and what became of it the last time.
    Schedule = 0x7c,
    /// `plugin 00 analysis 00 job` → what the answer to a question was made of.
    AnalysisResult = 0x7d,
    /// `plugin 00 analysis 00 job` → the answer: a report.
    AnalysisReport = 0x7e,
    /// `segmentation` → how far the members of a segmentation that a filter makes follow the log.
    SegmentPlace = 0x7f,
    /// `plugin` → the version that is evaluated beside the one in use.
    Shadow = 0x73,
    /// `plugin` → what that came to so far.
    ShadowFigures = 0x74,
    /// `plugin 00 run` → what it came to for a run, and the digest of the file with its results.
    ShadowRun = 0x75,
}

impl KeyKind {
    #[cfg(test)]
    const ALL: [Self; 31] = [
        Self::Job,
        Self::OpenJob,
        Self::PluginVersion,
        Self::PluginUse,
        Self::Model,
        Self::ModelChunk,
        Self::Run,
        Self::Part,
        Self::Follow,
        Self::Decision,
        Self::DecisionOfRecord,
        Self::DecisionCapsule,
        Self::ReactionCursor,
        Self::Timer,
        Self::TimerOfRecord,
        Self::RunCapsule,
        Self::PluginQuarantine,
        Self::PluginSwitch,
        Self::ServingRun,
        Self::ShippedRules,
        Self::PluginManifest,
        Self::LearnedModel,
        Self::ModelPin,
        Self::ResultDay,
        Self::Schedule,
        Self::AnalysisResult,
        Self::AnalysisReport,
        Self::SegmentPlace,
        Self::Shadow,
        Self::ShadowFigures,
        Self::ShadowRun,
    ];

    /// The prefix of every key of the kind.
    pub(crate) fn prefix(self) -> Vec<u8> {
        vec![self as u8]
    }
}

/// Ends a plugin's id within a key: ids hold no such byte.
const END: u8 = 0;

pub(crate) fn job(id: RecordId) -> Vec<u8> {
    with_id(KeyKind::Job.prefix(), id)
}

pub(crate) fn open_job(id: RecordId) -> Vec<u8> {
    with_id(KeyKind::OpenJob.prefix(), id)
}

pub(crate) fn plugin_version(plugin: &PluginId, version: &semver::Version) -> Vec<u8> {
    let mut key = of_plugin(KeyKind::PluginVersion, plugin);
    key.extend_from_slice(version.to_string().as_bytes());
    key
}

pub(crate) fn plugin_use(plugin: &PluginId) -> Vec<u8> {
    let mut key = KeyKind::PluginUse.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn plugin_switches(plugin: &PluginId) -> Vec<u8> {
    of_plugin(KeyKind::PluginSwitch, plugin)
}

pub(crate) fn plugin_switch(plugin: &PluginId, number: u64) -> Vec<u8> {
    let mut key = plugin_switches(plugin);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(crate) fn serving_run(plugin: &PluginId) -> Vec<u8> {
    let mut key = KeyKind::ServingRun.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn shipped_rules(plugin: &PluginId) -> Vec<u8> {
    let mut key = KeyKind::ShippedRules.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn segment_place(segmentation: &SegmentationName) -> Vec<u8> {
    let mut key = KeyKind::SegmentPlace.prefix();
    key.extend_from_slice(segmentation.as_str().as_bytes());
    key
}

pub(crate) fn follow(plugin: &PluginId) -> Vec<u8> {
    let mut key = KeyKind::Follow.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn model(plugin: &PluginId, digest: &[u8; 32]) -> Vec<u8> {
    let mut key = of_plugin(KeyKind::Model, plugin);
    key.extend_from_slice(digest);
    key
}

pub(crate) fn model_chunks(plugin: &PluginId, digest: &[u8; 32]) -> Vec<u8> {
    let mut key = of_plugin(KeyKind::ModelChunk, plugin);
    key.extend_from_slice(digest);
    key
}

pub(crate) fn model_chunk(plugin: &PluginId, digest: &[u8; 32], chunk: u32) -> Vec<u8> {
    let mut key = model_chunks(plugin, digest);
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

pub(crate) fn runs(plugin: &PluginId) -> Vec<u8> {
    of_plugin(KeyKind::Run, plugin)
}

pub(crate) fn run(plugin: &PluginId, id: RecordId) -> Vec<u8> {
    with_id(runs(plugin), id)
}

pub(crate) fn run_capsules(plugin: &PluginId) -> Vec<u8> {
    of_plugin(KeyKind::RunCapsule, plugin)
}

pub(crate) fn run_capsule(plugin: &PluginId, run: RecordId) -> Vec<u8> {
    with_id(run_capsules(plugin), run)
}

pub(crate) fn plugin_quarantine(plugin: &PluginId, digest: &[u8; 32]) -> Vec<u8> {
    let mut key = of_plugin(KeyKind::PluginQuarantine, plugin);
    key.extend_from_slice(digest);
    key
}

pub(crate) fn plugin_manifest(plugin: &PluginId, digest: &[u8; 32]) -> Vec<u8> {
    let mut key = of_plugin(KeyKind::PluginManifest, plugin);
    key.extend_from_slice(digest);
    key
}

pub(crate) fn learned_models(plugin: &PluginId) -> Vec<u8> {
    of_plugin(KeyKind::LearnedModel, plugin)
}

pub(crate) fn learned_model(plugin: &PluginId, number: u32) -> Vec<u8> {
    let mut key = learned_models(plugin);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The number at the end of the key of a model.
pub(crate) fn model_number(key: &[u8]) -> Result<u32> {
    match key.last_chunk::<4>() {
        Some(bytes) => Ok(u32::from_be_bytes(*bytes)),
        None => Err(Error::Damaged { what: format!("key {key:02x?} ends in no number") }),
    }
}

pub(crate) fn model_pin(plugin: &PluginId) -> Vec<u8> {
    alone(KeyKind::ModelPin, plugin)
}

pub(crate) fn result_day(plugin: &PluginId) -> Vec<u8> {
    alone(KeyKind::ResultDay, plugin)
}

pub(crate) fn schedule(plugin: &PluginId) -> Vec<u8> {
    alone(KeyKind::Schedule, plugin)
}

pub(crate) fn analysis_results(plugin: &PluginId, analysis: &str) -> Vec<u8> {
    of_analysis(KeyKind::AnalysisResult, plugin, analysis)
}

pub(crate) fn analysis_result(plugin: &PluginId, analysis: &str, job: RecordId) -> Vec<u8> {
    with_id(analysis_results(plugin, analysis), job)
}

pub(crate) fn analysis_report(plugin: &PluginId, analysis: &str, job: RecordId) -> Vec<u8> {
    with_id(of_analysis(KeyKind::AnalysisReport, plugin, analysis), job)
}

pub(crate) fn shadow(plugin: &PluginId) -> Vec<u8> {
    let mut key = KeyKind::Shadow.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn shadow_figures(plugin: &PluginId) -> Vec<u8> {
    let mut key = KeyKind::ShadowFigures.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn shadow_runs(plugin: &PluginId) -> Vec<u8> {
    of_plugin(KeyKind::ShadowRun, plugin)
}

pub(crate) fn shadow_run(plugin: &PluginId, run: RecordId) -> Vec<u8> {
    with_id(shadow_runs(plugin), run)
}

/// The prefix of every part of the value under a key whose length says where it ends, as that of a kind with ids does.
pub(crate) fn parts(of: &[u8]) -> Vec<u8> {
    let mut key = KeyKind::Part.prefix();
    key.extend_from_slice(of);
    key
}

pub(crate) fn part(of: &[u8], part: u32) -> Vec<u8> {
    let mut key = parts(of);
    key.extend_from_slice(&part.to_be_bytes());
    key
}

pub(crate) fn decision(id: RecordId) -> Vec<u8> {
    with_id(KeyKind::Decision.prefix(), id)
}

pub(crate) fn decisions_of_record(object: ObjectId, record: RecordId) -> Vec<u8> {
    let mut key = KeyKind::DecisionOfRecord.prefix();
    key.extend_from_slice(&object.0.to_be_bytes());
    with_id(key, record)
}

pub(crate) fn decision_of_record(object: ObjectId, record: RecordId, id: RecordId) -> Vec<u8> {
    with_id(decisions_of_record(object, record), id)
}

pub(crate) fn decision_capsule(id: RecordId) -> Vec<u8> {
    with_id(KeyKind::DecisionCapsule.prefix(), id)
}

/// Ordered by when it runs out: the sign is turned, so that times before 1970 come first.
pub(crate) fn timer(due_ms: i64, id: RecordId) -> Vec<u8> {
    let mut key = KeyKind::Timer.prefix();
    key.extend_from_slice(&(due_ms.cast_unsigned() ^ (1 << 63)).to_be_bytes());
    with_id(key, id)
}

/// When the timer of a key runs out.
pub(crate) fn timer_due_ms(key: &[u8]) -> Result<i64> {
    match key.get(1..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(bytes) => Ok((u64::from_be_bytes(*bytes) ^ (1 << 63)).cast_signed()),
        None => Err(Error::Damaged { what: format!("key {key:02x?} holds no time") }),
    }
}

pub(crate) fn timers_of_record(object: ObjectId, record: RecordId) -> Vec<u8> {
    let mut key = KeyKind::TimerOfRecord.prefix();
    key.extend_from_slice(&object.0.to_be_bytes());
    with_id(key, record)
}

/// `owner` is text without the byte 0.
pub(crate) fn timer_of_record(object: ObjectId, record: RecordId, owner: &str, name: &str) -> Vec<u8> {
    let mut key = timers_of_record(object, record);
    key.extend_from_slice(owner.as_bytes());
    key.push(END);
    key.extend_from_slice(name.as_bytes());
    key
}

/// The plugin that a key is about.
pub(crate) fn plugin_of(key: &[u8]) -> Result<PluginId> {
    let id = key.get(1..).and_then(|rest| rest.split(|&byte| byte == END).next());
    let id = id.and_then(|id| std::str::from_utf8(id).ok()).and_then(|id| PluginId::new(id).ok());
    id.ok_or_else(|| Error::Damaged { what: format!("key {key:02x?} names no plugin") })
}

/// The record id at the end of a key.
pub(crate) fn trailing_id(key: &[u8]) -> Result<RecordId> {
    match key.last_chunk::<16>() {
        Some(bytes) => Ok(RecordId(uuid::Uuid::from_bytes(*bytes))),
        None => Err(Error::Damaged { what: format!("key {key:02x?} ends in no id") }),
    }
}

/// The one key of a kind that a plugin has.
fn alone(kind: KeyKind, plugin: &PluginId) -> Vec<u8> {
    let mut key = kind.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key
}

pub(crate) fn of_plugin(kind: KeyKind, plugin: &PluginId) -> Vec<u8> {
    let mut key = kind.prefix();
    key.extend_from_slice(plugin.as_str().as_bytes());
    key.push(END);
    key
}

/// `analysis` is a name without the byte 0.
fn of_analysis(kind: KeyKind, plugin: &PluginId, analysis: &str) -> Vec<u8> {
    let mut key = of_plugin(kind, plugin);
    key.extend_from_slice(analysis.as_bytes());
    key.push(END);
    key
}

fn with_id(mut key: Vec<u8>, id: RecordId) -> Vec<u8> {
    key.extend_from_slice(id.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_key_kinds_never_change() {
        let numbers: Vec<_> = KeyKind::ALL.iter().map(|&kind| (format!("{kind:?}"), kind as u8)).collect();
        let locked = [
            ("Job", 0x50),
            ("OpenJob", 0x51),
            ("PluginVersion", 0x52),
            ("PluginUse", 0x53),
            ("Model", 0x54),
            ("ModelChunk", 0x55),
            ("Run", 0x56),
            ("Part", 0x57),
            ("Follow", 0x58),
            ("Decision", 0x59),
            ("DecisionOfRecord", 0x5a),
            ("DecisionCapsule", 0x5b),
            ("ReactionCursor", 0x5c),
            ("Timer", 0x5d),
            ("TimerOfRecord", 0x5e),
            ("RunCapsule", 0x5f),
            ("PluginQuarantine", 0x76),
            ("PluginSwitch", 0x70),
            ("ServingRun", 0x71),
            ("ShippedRules", 0x72),
            ("PluginManifest", 0x77),
            ("LearnedModel", 0x79),
            ("ModelPin", 0x7a),
            ("ResultDay", 0x7b),
            ("Schedule", 0x7c),
            ("AnalysisResult", 0x7d),
            ("AnalysisReport", 0x7e),
            ("SegmentPlace", 0x7f),
            ("Shadow", 0x73),
            ("ShadowFigures", 0x74),
            ("ShadowRun", 0x75),
        ];
        assert_eq!(numbers, locked.map(|(name, number)| (name.to_owned(), number)));
    }

    #[test]
    fn keys_of_timers_ascend_by_when_they_run_out() {
        let id = RecordId(uuid::Uuid::from_u128(7));
        let times = [i64::MIN, -1, 0, 1, 1_795_262_400_000, i64::MAX];
        let keys = times.map(|due_ms| timer(due_ms, id));
        assert!(keys.is_sorted());
        assert_eq!(keys.map(|key| timer_due_ms(&key).unwrap()), times);
        let (of_one, of_other) =
            (timer_of_record(ObjectId(1), id, "rfm", "x"), timers_of_record(ObjectId(2), id));
        assert!(of_one.starts_with(&timers_of_record(ObjectId(1), id)) && !of_one.starts_with(&of_other));
    }

    #[test]
    fn keys_of_a_plugin_are_no_prefix_of_another_plugins_keys() {
        let (short, long) = (PluginId::new("rfm").unwrap(), PluginId::new("rfm2").unwrap());
        assert!(!runs(&long).starts_with(&runs(&short)));
        let id = RecordId(uuid::Uuid::from_u128(7));
        assert!(run(&short, id).starts_with(&runs(&short)));
        assert_eq!(trailing_id(&run(&short, id)).unwrap(), id);
        assert_eq!(trailing_id(&job(id)).unwrap(), id);
        assert_eq!(plugin_of(&run(&short, id)).unwrap(), short);
        assert_eq!(plugin_of(&plugin_use(&long)).unwrap(), long);
        assert!(!analysis_results(&short, "trend2").starts_with(&analysis_results(&short, "trend")));
        assert_eq!(plugin_of(&analysis_result(&short, "trend", id)).unwrap(), short);
    }
}
