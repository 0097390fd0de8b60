//! One reaction: which rule or plugin is to decide about which record, because of which log entry.

use std::{collections::BTreeMap, sync::Arc};

use trellis_model::{Cause, FieldName, NamedRecord, ObjectId, RecordId, Scope, Value};
use trellis_rules::Transition;
use uuid::Uuid;

use crate::{
    Result,
    core::Core,
    plugins::{Absent, Enabled},
    rules::Rule,
};

/// The highest bits of a UUIDv7's second half, and its version.
const VARIANT: u64 = 0x8000_0000_0000_0000;
const VERSION: u64 = 0x7000;

/// A reaction that is to happen.
#[derive(Debug, Clone)]
pub(super) struct Reaction {
    pub(super) entry: Entry,
    pub(super) object: ObjectId,
    pub(super) record: RecordId,
    pub(super) what: What,
}

/// The log entry that is reacted to.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) position: u64,
    pub(super) time_ms: i64,
    /// Why the reaction's changes happen: one deeper than the entry.
    pub(super) cause: Cause,
}

/// Who is to decide, and what it is told.
#[derive(Debug, Clone)]
pub(super) enum What {
    Rule {
        rule: Arc<Rule>,
        before: Before,
        event: Option<Transition>,
    },
    Workflow {
        plugin: Arc<Enabled>,
        happened: Happened,
    },
    /// A service workflow that would be told, and cannot be called at all: that it was left out is recorded.
    Absent {
        plugin: Arc<Absent>,
        happened: Happened,
    },
}

/// How the record was before.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Before {
    /// It was not there.
    Nothing,
    /// These fields were other than they are now.
    Fields(BTreeMap<FieldName, Option<Value>>),
}

/// What a service workflow is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Happened {
    Created,
    Changed(BTreeMap<FieldName, Option<Value>>),
    Timer(String),
}

impl Entry {
    pub(super) fn of(entry: &trellis_records::LogEntry) -> Self {
        let cause = Cause {
            job: entry.cause.job,
            log: Some(entry.number),
            depth: entry.cause.depth.saturating_add(1),
            automations_off: false,
        };
        Self { number: entry.number, position: entry.position, time_ms: entry.time_ms, cause }
    }
}

impl Reaction {
    /// The record that it is about. What follows a change sees the record as that change left it, so that a rule decides once about each
    /// change, however many others follow; what follows a transition or a timer sees it as it is now.
    pub(super) async fn record(&self, core: &Core) -> Result<Option<NamedRecord>> {
        let schema = core.records.schema();
        let Some(object) = schema.object_by_id(self.object) else { return Ok(None) };
        let everything = Scope::everything();
        let found = core.records.get(&everything, &object.name, self.record).await?;
        let found = match (found, self.follows_a_change()) {
            (Some(record), true) => core.records.as_of_entry(record, self.entry.number).await?,
            (found, _) => found,
        };
        Ok(found.and_then(|record| schema.named(&record)))
    }

    fn follows_a_change(&self) -> bool {
        match &self.what {
            What::Rule { event, .. } => event.is_none(),
            What::Workflow { happened, .. } | What::Absent { happened, .. } => {
                !matches!(happened, Happened::Timer(_))
            }
        }
    }

    /// The id of the decision: the same whenever the reaction is looked at again, so that it is found in the ledger.
    pub(super) fn decision_id(&self) -> RecordId {
        let (kind, decider, watched) = match &self.what {
            What::Rule { rule, event, .. } => {
                ("rule", rule.id.to_string(), event.as_ref().map_or("", |event| &event.watched))
            }
            What::Workflow { plugin, .. } => ("plugin", plugin.id.to_string(), ""),
            What::Absent { plugin, .. } => ("plugin", plugin.id.to_string(), ""),
        };
        decision_id(&self.entry, self.object, self.record, [kind, &decider, watched])
    }
}

/// An id that follows from what a decision is about. Like other ids it sorts by time.
fn decision_id(entry: &Entry, object: ObjectId, record: RecordId, decider: [&str; 3]) -> RecordId {
    let mut hash = blake3::Hasher::new_derive_key("trellis engine reaction v1");
    hash.update(&entry.number.to_be_bytes());
    hash.update(&object.0.to_be_bytes());
    hash.update(record.as_bytes());
    for part in decider {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    let random = hash.finalize().as_bytes().first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
    let time = u64::try_from(entry.time_ms).unwrap_or_default();
    // Within a millisecond by log number, as far as twelve bits say.
    let high = time << 16 | VERSION | entry.number & 0xfff;
    RecordId(Uuid::from_u64_pair(high, VARIANT | random >> 2))
}

impl Before {
    /// The record as it was, from how it is now.
    pub(super) fn record(self, now: &NamedRecord) -> Option<NamedRecord> {
        let Self::Fields(fields) = self else { return None };
        let mut before = now.clone();
        for (name, value) in fields {
            match value {
                Some(value) => before.fields.insert(name, value),
                None => before.fields.remove(&name),
            };
        }
        Some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64, decider: [&str; 3]) -> RecordId {
        let cause = Cause { log: Some(number), depth: 1, ..Cause::default() };
        let entry = Entry { number, position: number, time_ms: 1_795_262_400_000, cause };
        decision_id(&entry, ObjectId(1), RecordId(Uuid::from_u128(5)), decider)
    }

    #[test]
    fn the_id_of_a_decision_is_a_sorted_uuid_that_says_what_it_is_about() {
        let (desk, other) = (["plugin", "desk", ""], ["plugin", "other", ""]);
        assert_eq!(id(7, desk), id(7, desk), "the same again");
        assert_ne!(id(7, desk), id(7, other), "of another plugin");
        assert_ne!(id(7, ["rule", "x", "segment.a"]), id(7, ["rule", "x", "segment.b"]), "of another event");
        assert!(id(7, desk) < id(8, desk) && id(7, other) < id(8, desk), "later ones come later");
        let found = id(7, desk).0;
        assert_eq!((found.get_version_num(), found.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(found.get_timestamp().unwrap().to_unix(), (1_795_262_400, 0));
    }
}
