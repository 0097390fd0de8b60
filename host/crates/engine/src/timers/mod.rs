//! Timers that plugins and rules start. They stand in the store by when they run out; the log tells that one has run out, in the same
//! write set that removes it, so each fires once.

mod alarm;
mod stored;

use tokio::sync::Notify;
use trellis_model::{Cause, Decider, ObjectId, RecordId};
use trellis_storage::{ScanRange, WriteSet};

use crate::{Result, core::Core, keys};

pub(crate) use alarm::{FIRED, start};
pub(crate) use stored::Owner;
use stored::{Place, StoredTimer, TimerV1};

/// Letters of a timer's name.
const NAME_BYTES_MAX: usize = 60;
/// A timer that runs out sooner than this after its start counts as part of the same chain of reactions; a later one begins a new
/// chain, so that a reminder a day does not end after eight days.
const SAME_CHAIN_MS: i64 = 60_000;

/// Tells the thread that waits for the next timer that there is another one.
#[derive(Debug, Default)]
pub(crate) struct Started(Notify);

/// A timer, as whoever starts or ends it names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimerName {
    pub(crate) owner: Owner,
    pub(crate) name: String,
    pub(crate) object: ObjectId,
    pub(crate) record: RecordId,
}

/// What starting or ending a timer comes to.
#[derive(Debug)]
pub(crate) enum Plan {
    /// To be committed, together with whatever belongs to it. Fails as a precondition where somebody else was faster.
    Commit(WriteSet),
    /// It is so already.
    Nothing,
    /// The record has this many timers already.
    TooMany(usize),
}

impl Started {
    /// To be called once a plan is committed.
    pub(crate) fn tell(&self) {
        self.0.notify_one();
    }
}

impl TimerName {
    /// Whether it is made of lower-case letters, digits and hyphens, begins with a letter, and is not too long.
    pub(crate) fn is_valid(name: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        name.len() <= NAME_BYTES_MAX
            && name.bytes().all(allowed)
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
    }

    fn key(&self) -> Vec<u8> {
        keys::timer_of_record(self.object, self.record, &self.owner.to_string(), &self.name)
    }
}

/// Starts a timer, in place of the one that has its name.
pub(crate) async fn plan_start(core: &Core, timer: &TimerName, due_ms: i64, cause: &Cause) -> Result<Plan> {
    let (store, place_key) = (core.records.store(), timer.key());
    let mut set = WriteSet::new();
    match store.get(&place_key).await? {
        Some(found) => {
            let place = Place::decode(&place_key, &found.value)?;
            set.expect_written_at(place_key.clone(), found.position);
            set.delete(keys::timer(place.due_ms, place.id()));
        }
        None => {
            let timers_max = core.config.timers_per_record_max;
            let of_record = ScanRange::prefix(&keys::timers_of_record(timer.object, timer.record));
            if store.scan(of_record, timers_max.max(1)).await?.rows.len() >= timers_max {
                return Ok(Plan::TooMany(timers_max));
            }
            set.expect_absent(place_key.clone());
        }
    }
    let now_ms = core.records.clock().now_ms();
    let id = core.records.ids().record_id(now_ms);
    let is_same_chain = due_ms.saturating_sub(now_ms) < SAME_CHAIN_MS;
    let cause = Cause { depth: if is_same_chain { cause.depth } else { 0 }, ..cause.clone() };
    set.put(place_key, Place::new(due_ms, id).encode());
    set.put(keys::timer(due_ms, id), StoredTimer::V1(TimerV1::new(timer, &cause)).encode());
    Ok(Plan::Commit(set))
}

/// Ends a timer.
pub(crate) async fn plan_cancel(core: &Core, timer: &TimerName) -> Result<Plan> {
    let place_key = timer.key();
    let Some(found) = core.records.store().get(&place_key).await? else { return Ok(Plan::Nothing) };
    let place = Place::decode(&place_key, &found.value)?;
    let mut set = WriteSet::new();
    set.expect_written_at(place_key.clone(), found.position);
    set.delete(keys::timer(place.due_ms, place.id()));
    set.delete(place_key);
    Ok(Plan::Commit(set))
}

impl From<&Decider> for Owner {
    fn from(decider: &Decider) -> Self {
        match decider {
            Decider::Plugin { id, .. } => Self::Plugin(id.to_string()),
            Decider::Rule { id, .. } => Self::Rule(*id.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TimerName;

    #[test]
    fn names_are_short_and_plain() {
        let check = |name: &str, valid| assert_eq!(TimerName::is_valid(name), valid, "{name}");
        check("answer-due-2", true);
        check("a", true);
        check(&"a".repeat(60), true);
        check(&"a".repeat(61), false);
        check("", false);
        check("2nd", false);
        check("Answer", false);
        check("answer_due", false);
        check("回访", false);
    }
}
