//! How a timer is stored: `host/docs/formats/engine.md`.

use std::fmt;

use serde::{Deserialize, Serialize};
use trellis_model::{Cause, ObjectId, RecordId};
use uuid::Uuid;

use super::TimerName;
use crate::{Result, stored};

/// Whose timer it is: of a plugin in whatever version, or of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Owner {
    Plugin(String),
    Rule([u8; 16]),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(id) => f.write_str(id),
            // Ids of plugins begin with a letter.
            Self::Rule(id) => write!(f, "={}", Uuid::from_bytes(*id)),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredTimer {
    V1(TimerV1),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TimerV1 {
    pub(super) owner: Owner,
    pub(super) name: String,
    object: u32,
    record: [u8; 16],
    job: Option<[u8; 16]>,
    log: Option<u64>,
    depth: u8,
    automations_off: bool,
}

impl TimerV1 {
    pub(super) fn new(timer: &TimerName, cause: &Cause) -> Self {
        Self {
            owner: timer.owner.clone(),
            name: timer.name.clone(),
            object: timer.object.0,
            record: *timer.record.as_bytes(),
            job: cause.job.map(|job| *job.as_bytes()),
            log: cause.log,
            depth: cause.depth,
            automations_off: cause.automations_off,
        }
    }

    /// Why the timer runs: what its start was a reaction to.
    pub(super) fn cause(&self) -> Cause {
        Cause {
            job: self.job.map(|job| RecordId(Uuid::from_bytes(job))),
            log: self.log,
            depth: self.depth,
            automations_off: self.automations_off,
        }
    }

    pub(super) fn timer_name(self) -> TimerName {
        TimerName {
            owner: self.owner,
            name: self.name,
            object: ObjectId(self.object),
            record: RecordId(Uuid::from_bytes(self.record)),
        }
    }
}

impl StoredTimer {
    pub(super) fn encode(&self) -> Vec<u8> {
        stored::encode(self)
    }

    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<TimerV1> {
        let Self::V1(timer) = stored::decode(bytes, || format!("timer under key {key:02x?}"))?;
        Ok(timer)
    }
}

/// Where a timer stands: its key's time and id.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) due_ms: i64,
    id: [u8; 16],
}

impl Place {
    pub(super) fn new(due_ms: i64, id: RecordId) -> Self {
        Self { due_ms, id: *id.as_bytes() }
    }

    pub(super) fn id(&self) -> RecordId {
        RecordId(Uuid::from_bytes(self.id))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        stored::encode(self)
    }

    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self> {
        stored::decode(bytes, || format!("place of a timer under key {key:02x?}"))
    }
}
