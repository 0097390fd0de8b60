//! How a job is stored: `host/docs/formats/engine.md`.

use serde::{Deserialize, Serialize};
use trellis_model::{Actor, PluginId, RecordId, Text, Via};
use uuid::Uuid;

use super::{Job, JobError, JobKind, JobState, Progress};
use crate::{Error, Result, compare::StoredComparison, stored, undo::StoredUndo};

/// What a job has to do, kept so that it can be done again after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Loads a spooled file.
    Import {
        object: String,
        mapping: Option<String>,
        /// Name of the spooled file within the spool folder.
        spooled: String,
        /// Name that the file had at the sender.
        file_name: String,
        /// Whether the caller's scope had no limits: only then can the import go on after a restart without the caller.
        unlimited: bool,
    },
    /// Runs a plugin.
    PluginRun {
        plugin: String,
        version: String,
        /// JSON, defaults filled in.
        config: String,
        /// Days since 1970-01-01, or now.
        as_of: Option<i32>,
        /// Whether to write what changed for each customer although the model is new.
        announce: bool,
        /// Whether to use the model of the last run.
        last_model: bool,
        /// The number of the model to use; a new one is learned where there is none and `last_model` is false.
        model: Option<u32>,
    },
    /// Does a run again from its capsule.
    RunReplay { plugin: String, run: [u8; 16] },
    /// Runs a campaign over its audience.
    CampaignRun { campaign: String },
    /// Makes one change to all records that a filter matches.
    BulkEdit {
        object: String,
        /// JSON.
        filter: String,
        /// The fields as a JSON object; `None` deletes.
        set: Option<String>,
        automations: bool,
        /// Whether the caller's scope had no limits.
        unlimited: bool,
    },
    /// Builds and deletes indexes of an object.
    SchemaBuild { object: String },
    /// Builds the index of full-text search anew.
    SearchRebuild,
    /// Merges records.
    Merge { object: String, winner: [u8; 16], losers: Vec<[u8; 16]>, choices: Vec<(String, [u8; 16])> },
    /// Looks for duplicates by a matching rule.
    DuplicateScan { object: String, rule: String },
    /// Takes back what something did.
    Undo(StoredUndo),
    /// Loads the file of an import that somebody prepared, or (`rehearse`) says what loading it would do.
    ImportPrepared {
        import: [u8; 16],
        object: String,
        rehearse: bool,
        /// As of [`Request::Import`].
        unlimited: bool,
    },
    /// Writes records into a file.
    Export {
        object: String,
        /// What is exported, as JSON.
        what: String,
        /// As of [`Request::Import`].
        unlimited: bool,
    },
    /// Learns a model of a plugin without using it.
    PluginFit {
        plugin: String,
        version: String,
        /// JSON, defaults filled in.
        config: String,
        /// Days since 1970-01-01, or now.
        as_of: Option<i32>,
    },
    /// Compares versions of a plugin; changes nothing.
    Compare(StoredComparison),
    /// Has a plugin answer a question.
    PluginAnalysis {
        plugin: String,
        version: String,
        /// JSON, defaults filled in.
        config: String,
        /// Days since 1970-01-01, or now.
        as_of: Option<i32>,
        analysis: String,
        /// JSON, defaults filled in.
        parameters: String,
    },
}

impl Request {
    pub(crate) fn kind(&self) -> JobKind {
        match self {
            Self::Import { .. } => JobKind::Import,
            Self::PluginRun { .. } => JobKind::PluginRun,
            Self::RunReplay { .. } => JobKind::RunReplay,
            Self::CampaignRun { .. } => JobKind::CampaignRun,
            Self::BulkEdit { .. } => JobKind::BulkEdit,
            Self::SchemaBuild { .. } => JobKind::SchemaBuild,
            Self::SearchRebuild => JobKind::SearchRebuild,
            Self::Merge { .. } => JobKind::Merge,
            Self::DuplicateScan { .. } => JobKind::DuplicateScan,
            Self::Undo(_) => JobKind::Undo,
            Self::ImportPrepared { rehearse: false, .. } => JobKind::Import,
            Self::ImportPrepared { rehearse: true, .. } => JobKind::ImportCheck,
            Self::Export { .. } => JobKind::Export,
            Self::PluginFit { .. } => JobKind::PluginFit,
            Self::Compare(_) => JobKind::PluginRehearsal,
            Self::PluginAnalysis { .. } => JobKind::PluginAnalysis,
        }
    }

    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Import { object, .. }
            | Self::BulkEdit { object, .. }
            | Self::ImportPrepared { object, .. }
            | Self::Export { object, .. } => object,
            Self::PluginRun { plugin, .. }
            | Self::RunReplay { plugin, .. }
            | Self::PluginFit { plugin, .. }
            | Self::PluginAnalysis { plugin, .. } => plugin,
            Self::CampaignRun { campaign } => campaign,
            Self::SchemaBuild { object } => object,
            Self::SearchRebuild => "search",
            Self::Merge { object, .. } | Self::DuplicateScan { object, .. } => object,
            Self::Undo(undo) => &undo.subject,
            Self::Compare(comparison) => comparison.plugin(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredJob {
    V1(JobV1),
}

#[derive(Debug, Serialize, Deserialize)]
struct JobV1 {
    request: Request,
    state: JobState,
    done: u64,
    total: Option<u64>,
    unit: String,
    created_at_ms: i64,
    started_at_ms: Option<i64>,
    finished_at_ms: Option<i64>,
    attempts: u32,
    result: String,
    /// Code, message in English and in Chinese.
    error: Option<(String, String, String)>,
    created_by: StoredActor,
}

pub(super) fn encode(job: &Job, request: &Request) -> Vec<u8> {
    stored::encode(&StoredJob::V1(JobV1 {
        request: request.clone(),
        state: job.state,
        done: job.progress.done,
        total: job.progress.total,
        unit: job.progress.unit.clone(),
        created_at_ms: job.created_at_ms,
        started_at_ms: job.started_at_ms,
        finished_at_ms: job.finished_at_ms,
        attempts: job.attempts,
        result: job.result.to_string(),
        error: job.error.as_ref().map(|error| {
            let Text { en, zh_cn } = error.message.clone();
            (error.code.clone(), en, zh_cn)
        }),
        created_by: StoredActor::from(&job.created_by),
    }))
}

pub(super) fn decode(id: RecordId, bytes: &[u8]) -> Result<(Job, Request)> {
    let what = || format!("job {id}");
    let StoredJob::V1(job) = stored::decode(bytes, what)?;
    let damaged = |reason: String| Error::Damaged { what: format!("{}: {reason}", what()) };
    let decoded = Job {
        id,
        kind: job.request.kind(),
        subject: job.request.subject().to_owned(),
        state: job.state,
        progress: Progress { done: job.done, total: job.total, unit: job.unit },
        created_at_ms: job.created_at_ms,
        started_at_ms: job.started_at_ms,
        finished_at_ms: job.finished_at_ms,
        attempts: job.attempts,
        result: serde_json::from_str(&job.result).map_err(|error| damaged(error.to_string()))?,
        error: job.error.map(|(code, en, zh_cn)| JobError { code, message: Text { en, zh_cn } }),
        created_by: job
            .created_by
            .try_into()
            .map_err(|error: trellis_model::Error| damaged(error.to_string()))?,
    };
    Ok((decoded, job.request))
}

/// Who did something, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StoredActor {
    Token { user: [u8; 16], token: String },
    Session { user: [u8; 16], session: String },
    Plugin { id: String, version: String, for_user: Option<[u8; 16]> },
    Rule { id: [u8; 16], version: u64, for_user: Option<[u8; 16]> },
    System { component: String },
}

impl From<&Actor> for StoredActor {
    fn from(actor: &Actor) -> Self {
        let bytes = |id: &RecordId| *id.as_bytes();
        match actor {
            Actor::User { id, via: Via::Token(token) } => {
                Self::Token { user: bytes(id), token: token.clone() }
            }
            Actor::User { id, via: Via::Session(session) } => {
                Self::Session { user: bytes(id), session: session.clone() }
            }
            Actor::Plugin { id, version, for_user } => Self::Plugin {
                id: id.to_string(),
                version: version.clone(),
                for_user: for_user.as_ref().map(bytes),
            },
            Actor::Rule { id, version, for_user } => {
                Self::Rule { id: bytes(id), version: *version, for_user: for_user.as_ref().map(bytes) }
            }
            Actor::System { component } => Self::System { component: component.clone() },
        }
    }
}

impl TryFrom<StoredActor> for Actor {
    type Error = trellis_model::Error;

    fn try_from(actor: StoredActor) -> Result<Self, Self::Error> {
        let id = |bytes| RecordId(Uuid::from_bytes(bytes));
        Ok(match actor {
            StoredActor::Token { user, token } => Self::User { id: id(user), via: Via::Token(token) },
            StoredActor::Session { user, session } => Self::User { id: id(user), via: Via::Session(session) },
            StoredActor::Plugin { id: plugin, version, for_user } => {
                Self::Plugin { id: PluginId::new(&plugin)?, version, for_user: for_user.map(id) }
            }
            StoredActor::Rule { id: rule, version, for_user } => {
                Self::Rule { id: id(rule), version, for_user: for_user.map(id) }
            }
            StoredActor::System { component } => Self::System { component },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_survive_being_stored() {
        let (user, rule) = (RecordId(Uuid::from_u128(1)), RecordId(Uuid::from_u128(2)));
        let plugin = PluginId::new("retail-rfm").unwrap();
        let actors = [
            Actor::User { id: user, via: Via::Token("t1".into()) },
            Actor::User { id: user, via: Via::Session("s1".into()) },
            Actor::Plugin { id: plugin, version: "1.0.0".into(), for_user: Some(user) },
            Actor::Rule { id: rule, version: 3, for_user: None },
            Actor::System { component: "start-up".into() },
        ];
        for actor in actors {
            assert_eq!(Actor::try_from(StoredActor::from(&actor)), Ok(actor));
        }
    }

    #[test]
    fn a_job_survives_being_stored() {
        let request = Request::PluginRun {
            plugin: "retail-rfm".into(),
            version: "1.0.0".into(),
            config: "{}".into(),
            as_of: Some(10_134),
            announce: false,
            last_model: false,
            model: Some(3),
        };
        let job = Job {
            id: RecordId(Uuid::from_u128(9)),
            kind: JobKind::PluginRun,
            subject: "retail-rfm".into(),
            state: JobState::Failed,
            progress: Progress { done: 5, total: Some(10), unit: "customers".into() },
            created_at_ms: 1,
            started_at_ms: Some(2),
            finished_at_ms: Some(3),
            attempts: 1,
            result: serde_json::json!({ "a": [1, null] }),
            error: Some(JobError { code: "plugin_fault".into(), message: Text::new("why", "原因") }),
            created_by: Actor::System { component: "test".into() },
        };
        let bytes = encode(&job, &request);
        assert_eq!(decode(job.id, &bytes).unwrap(), (job.clone(), request));
        let cut = &bytes[..bytes.len() - 1];
        assert!(matches!(decode(job.id, cut), Err(Error::Damaged { .. })), "a cut value is named");
    }
}
