//! The log: every change, in order, with who and why.

pub(crate) mod codec;
pub(crate) mod read;
mod source;

use std::collections::BTreeMap;

use trellis_model::{Actor, Cause, ChangeKind, FieldChange, FieldId, ObjectId, Phrase, RecordId};
use trellis_storage::{AddIndex, Position, StampPlace, StampSource, WriteSet};

pub use self::source::LogSource;
use crate::codec::chunks;
use crate::{Error, Records, Result, keys};

/// Bytes of an event's data.
const EVENT_BYTES_MAX: usize = 1 << 20;
/// How many reactions deep a change may be.
const DEPTH_MAX: u8 = 8;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Its number: 1 is the first, without gaps.
    pub number: u64,
    /// The position of its write set: the version of the records that it changed.
    pub position: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What.
    pub body: EntryBody,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryBody {
    /// Records changed, all in one write set.
    Changes(Vec<LoggedChange>),
    /// Something else happened.
    Event {
        /// Its name, for example `run.flipped`.
        name: String,
        /// Its data, at most 1 MiB.
        data: serde_json::Value,
    },
}

/// A change of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedChange {
    /// The record's object.
    pub object: ObjectId,
    /// The record.
    pub id: RecordId,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Number of the record's last entry before this one; 0 for none.
    pub previous: u64,
    /// The record's ordinal, where its object has them.
    pub ordinal: Option<u64>,
    /// Which event the record is (or was, before it was deleted), where its object is the events of another.
    pub event: Option<EventRef>,
    /// Where it stood before an update that moved it; the same place as `event` is not said twice.
    pub event_before: Option<EventRef>,
    /// The fields that changed, before and after; `None` once the payload has expired.
    pub fields: Option<BTreeMap<FieldId, FieldChange>>,
}

/// Where an event record stands in the events of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRef {
    /// The object of its target.
    pub target_object: ObjectId,
    /// The ordinal of its target.
    pub target_ordinal: u64,
    /// Days or milliseconds, as the time field is.
    pub time: i64,
}

/// An entry that is to be written. It gets its number, position and time from the commit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What.
    pub body: EntryBody,
}

/// What a commit answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The position of the write set.
    pub position: Position,
    /// The number of the log entry, where there is one.
    pub log_number: Option<u64>,
    /// For each add that the caller made, in order, the value of its counter just after it.
    pub counters: Vec<u64>,
}

impl NewEntry {
    pub(crate) fn check(&self) -> Result<()> {
        let depth = self.cause.depth;
        if depth > DEPTH_MAX {
            return Err(Error::TooDeep { depth, depth_max: DEPTH_MAX });
        }
        let bytes = match &self.body {
            EntryBody::Event { data, .. } => data.to_string().len(),
            EntryBody::Changes(_) => 0,
        };
        if bytes > EVENT_BYTES_MAX {
            return Err(Error::TooMany {
                what: Phrase::new("bytes of a log entry's data", "日志条目数据的字节数"),
                count: bytes,
                count_max: EVENT_BYTES_MAX,
            });
        }
        Ok(())
    }
}

/// Adds an entry to a write set. What is stamped with the returned add gets the entry's number.
pub(crate) fn append(set: &mut WriteSet, entry: &NewEntry, time_ms: i64, salt: [u8; 16]) -> Result<AddIndex> {
    entry.check()?;
    let payload = codec::payload(salt, &entry.body);
    let header = codec::header(entry, time_ms, blake3::hash(&payload).into());
    let number = set.add(keys::log_counter(), 1);
    put_parts(set, number, &header, keys::log_header);
    put_parts(set, number, &payload, keys::log_payload);
    source::put(set, entry, number);
    Ok(number)
}

/// Puts a body in parts under keys that get the number, and the position into the first of them.
fn put_parts(set: &mut WriteSet, number: AddIndex, body: &[u8], key: fn(u64, u16) -> Vec<u8>) {
    let (first, further) = chunks::split(&[], body);
    for (part, value) in (0_u16..).zip(std::iter::once(first).chain(further)) {
        let put = set.put(key(0, part), value);
        set.stamp(StampPlace::Key(put, keys::LOG_NUMBER_AT), StampSource::Counter(number));
        if part == 0 {
            set.stamp(StampPlace::Value(put, chunks::STAMP_AT), StampSource::Position);
        }
    }
}

impl Records {
    /// The number of the last log entry; 0 for none.
    pub fn log_head(&self) -> u64 {
        *self.log_head.borrow()
    }

    /// Tells when the log grows. The value is the number of the last entry.
    pub fn log_watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.log_head.subscribe()
    }

    /// Returns the entries after a number, at most `entries_max` (and `log_entries_max`), without gaps.
    ///
    /// # Errors
    /// [`Error::Damaged`] where an entry cannot be read.
    pub async fn log_after(&self, after: u64, entries_max: usize) -> Result<Vec<LogEntry>> {
        read::entries(&**self.store(), after, entries_max.min(self.config().limits.log_entries_max)).await
    }

    /// Returns the entry of a number, if there is one.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be read.
    pub async fn log_entry(&self, number: u64) -> Result<Option<LogEntry>> {
        read::entry(&**self.store(), number).await
    }

    /// Returns an entry, then the one that it reacts to, and so on back to what came from outside; at most `entries_max`.
    ///
    /// # Errors
    /// [`Error::Damaged`] where an entry cannot be read.
    pub async fn cause_chain(&self, entry: u64, entries_max: usize) -> Result<Vec<LogEntry>> {
        let (mut chain, mut next) = (Vec::new(), Some(entry));
        while let Some(number) = next
            && chain.len() < entries_max
        {
            let Some(entry) = self.log_entry(number).await? else { break };
            // A cause lies before what it causes, so the chain ends.
            next = entry.cause.log.filter(|cause| *cause < number);
            chain.push(entry);
        }
        Ok(chain)
    }

    /// Commits a write set of another crate's keys, with its log entry if it has one.
    ///
    /// # Errors
    /// [`Error::TooDeep`], [`Error::TooMany`], and those of [`trellis_storage::Store::commit`].
    pub async fn commit(&self, mut set: WriteSet, entry: Option<NewEntry>) -> Result<Committed> {
        let logged = entry.is_some();
        if let Some(entry) = &entry {
            append(&mut set, entry, self.clock().now_ms(), self.ids().salt())?;
        }
        self.commit_logged(set, logged).await
    }

    /// Commits a write set whose last add, where `logged`, is that of its log entry.
    pub(crate) async fn commit_logged(&self, set: WriteSet, logged: bool) -> Result<Committed> {
        let mut committed = self.store().commit(set).await?;
        let log_number = if logged { committed.counters.pop() } else { None };
        if let Some(number) = log_number {
            self.log_grew(number);
        }
        Ok(Committed { position: committed.position, log_number, counters: committed.counters })
    }

    /// Tells that an entry of this number was committed.
    pub(crate) fn log_grew(&self, number: u64) {
        // Commits may be acknowledged out of order; an earlier one never takes the head back.
        self.log_head.send_if_modified(|head| {
            let grown = number > *head;
            *head = number.max(*head);
            grown
        });
    }
}
