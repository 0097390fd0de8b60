//! How a decision is stored: `host/docs/formats/engine.md`.

use serde::{Deserialize, Serialize};
use trellis_model::{Decider, ObjectName, PluginId, Reason, RecordId, Text};

use super::{
    ActionOutcome, ActionState, Decision, DecisionKind,
    mirror::{StoredText, id},
};
use crate::{Error, Result, stored};

/// Where the number of the kind stands in an encoded decision: after the number of the form.
const KIND_AT: usize = 1;

#[derive(Debug, Serialize, Deserialize)]
enum StoredDecision {
    V1(DecisionV1),
}

/// The kind comes first, so that pruning can tell refusals without reading the rest.
#[derive(Debug, Serialize, Deserialize)]
struct DecisionV1 {
    kind: StoredKind,
    time_ms: i64,
    by: StoredDecider,
    digest: [u8; 32],
    object: String,
    record: [u8; 16],
    log: Option<u64>,
    depth: u8,
    job: Option<[u8; 16]>,
    /// JSON text.
    outcome: String,
    reasons: Vec<(String, StoredText, f64)>,
    actions: Vec<StoredOutcome>,
    has_capsule: bool,
}

/// A kind; its place is its number for good.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum StoredKind {
    Triage,
    Event,
    Suggestion,
    CloseCheck,
    Veto,
    Patch,
    Rule,
    Eligibility,
    NextAction,
    Stopped,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredDecider {
    Plugin { id: String, version: String },
    Rule { id: [u8; 16], version: u64, name: StoredText },
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredState {
    Applied,
    Unchanged,
    Refused,
    Pending,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredOutcome {
    /// JSON text.
    action: String,
    kind: String,
    state: StoredState,
    code: Option<String>,
    message: Option<StoredText>,
    record: Option<(String, [u8; 16])>,
    log: Option<u64>,
}

pub(super) fn encode(decision: &Decision) -> Vec<u8> {
    stored::encode(&StoredDecision::V1(DecisionV1 {
        kind: decision.kind.into(),
        time_ms: decision.time_ms,
        by: (&decision.by).into(),
        digest: decision.digest,
        object: decision.object.to_string(),
        record: *decision.record.as_bytes(),
        log: decision.log,
        depth: decision.depth,
        job: decision.job.map(|job| *job.as_bytes()),
        outcome: decision.outcome.to_string(),
        reasons: decision
            .reasons
            .iter()
            .map(|reason| (reason.code.clone(), (&reason.text).into(), reason.weight))
            .collect(),
        actions: decision.actions.iter().map(StoredOutcome::from).collect(),
        has_capsule: decision.has_capsule,
    }))
}

pub(super) fn decode(decision: RecordId, bytes: &[u8]) -> Result<Decision> {
    let what = || format!("decision {decision}");
    let StoredDecision::V1(stored) = stored::decode(bytes, what)?;
    let damaged = |reason: String| Error::Damaged { what: format!("{}: {reason}", what()) };
    let reason = |(code, text, weight): (String, StoredText, f64)| Reason { code, text: text.into(), weight };
    let outcome = |outcome: StoredOutcome| outcome.decode().map_err(damaged);
    Ok(Decision {
        id: decision,
        kind: stored.kind.into(),
        time_ms: stored.time_ms,
        by: stored.by.try_into().map_err(|error: trellis_model::Error| damaged(error.to_string()))?,
        digest: stored.digest,
        object: ObjectName::new(&stored.object).map_err(|error| damaged(error.to_string()))?,
        record: id(stored.record),
        log: stored.log,
        depth: stored.depth,
        job: stored.job.map(id),
        outcome: serde_json::from_str(&stored.outcome).map_err(|error| damaged(error.to_string()))?,
        reasons: stored.reasons.into_iter().map(reason).collect(),
        actions: stored.actions.into_iter().map(outcome).collect::<Result<_>>()?,
        has_capsule: stored.has_capsule,
    })
}

/// Whether an encoded decision is a refusal; `None` where the bytes are none.
pub(super) fn is_refusal(bytes: &[u8]) -> Option<bool> {
    let kind: StoredKind = postcard::from_bytes(bytes.get(KIND_AT..)?.get(..1)?).ok()?;
    Some(DecisionKind::from(kind).is_refusal())
}

macro_rules! kinds {
    ($($kind:ident)*) => {
        impl From<DecisionKind> for StoredKind {
            fn from(kind: DecisionKind) -> Self {
                match kind { $(DecisionKind::$kind => Self::$kind,)* }
            }
        }

        impl From<StoredKind> for DecisionKind {
            fn from(kind: StoredKind) -> Self {
                match kind { $(StoredKind::$kind => Self::$kind,)* }
            }
        }
    };
}

kinds!(Triage Event Suggestion CloseCheck Veto Patch Rule Eligibility NextAction Stopped);

impl From<&Decider> for StoredDecider {
    fn from(decider: &Decider) -> Self {
        match decider {
            Decider::Plugin { id, version } => Self::Plugin { id: id.to_string(), version: version.clone() },
            Decider::Rule { id, version, name } => {
                Self::Rule { id: *id.as_bytes(), version: *version, name: name.into() }
            }
        }
    }
}

impl TryFrom<StoredDecider> for Decider {
    type Error = trellis_model::Error;

    fn try_from(decider: StoredDecider) -> Result<Self, Self::Error> {
        Ok(match decider {
            StoredDecider::Plugin { id, version } => Self::Plugin { id: PluginId::new(&id)?, version },
            StoredDecider::Rule { id: rule, version, name } => {
                Self::Rule { id: id(rule), version, name: Text::from(name) }
            }
        })
    }
}

impl From<&ActionOutcome> for StoredOutcome {
    fn from(outcome: &ActionOutcome) -> Self {
        Self {
            action: outcome.action.to_string(),
            kind: outcome.kind.clone(),
            state: match outcome.state {
                ActionState::Applied => StoredState::Applied,
                ActionState::Unchanged => StoredState::Unchanged,
                ActionState::Refused => StoredState::Refused,
                ActionState::Pending => StoredState::Pending,
            },
            code: outcome.code.clone(),
            message: outcome.message.as_ref().map(StoredText::from),
            record: outcome.record.as_ref().map(|(object, id)| (object.to_string(), *id.as_bytes())),
            log: outcome.log,
        }
    }
}

impl StoredOutcome {
    fn decode(self) -> Result<ActionOutcome, String> {
        let record = |(object, bytes): (String, [u8; 16])| Ok((ObjectName::new(&object)?, id(bytes)));
        Ok(ActionOutcome {
            action: serde_json::from_str(&self.action).map_err(|error| error.to_string())?,
            kind: self.kind,
            state: match self.state {
                StoredState::Applied => ActionState::Applied,
                StoredState::Unchanged => ActionState::Unchanged,
                StoredState::Refused => ActionState::Refused,
                StoredState::Pending => ActionState::Pending,
            },
            code: self.code,
            message: self.message.map(Text::from),
            record: self
                .record
                .map(record)
                .transpose()
                .map_err(|error: trellis_model::Error| error.to_string())?,
            log: self.log,
        })
    }
}
