//! What happened to a record, what it was like at some time, and how long the log can tell.

mod expiry;
mod rewind;

use trellis_model::{Actor, Cause, ObjectId, ObjectName, Record, RecordId, Scope, bilingual};

pub use rewind::Moment;

use crate::schema::Object;
use crate::{Error, LogEntry, LoggedChange, Records, Result};

/// An entry of a record's history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The number of the log entry.
    pub number: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What happened to the record, with the fields that the reader may see; no fields at all once the payload has expired.
    pub change: LoggedChange,
}

/// A page of a record's history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// The newest first.
    pub entries: Vec<HistoryEntry>,
    /// Where the next page begins; `None` once the record's creation is there.
    pub next: Option<u64>,
}

impl LogEntry {
    /// What the entry says of a record, if it changed it.
    pub fn change_of(&self, object: ObjectId, id: RecordId) -> Option<&LoggedChange> {
        self.changes().iter().rev().find(|change| change.object == object && change.id == id)
    }
}

impl Records {
    /// Returns what happened to a record, deleted or not, the newest first: at most `entries_max` entries from entry `from` on, or from the
    /// last one. Each costs a read. Who sees the record now sees all of its history, with the fields that the scope can read.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Query`] where `from` is no entry about the record.
    pub async fn history(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
        from: Option<u64>,
        entries_max: usize,
    ) -> Result<HistoryPage> {
        let object = self.object(object)?;
        let record = self.visible(scope, &object, id).await?;
        let mut entries = Vec::new();
        let mut next = from.unwrap_or(record.last_log);
        while next > 0 && entries.len() < entries_max {
            let entry = self.log_entry(next).await?;
            let change = entry.as_ref().and_then(|entry| entry.change_of(object.id, id)).cloned();
            let Some((entry, change)) = entry.zip(change) else {
                return Err(if from == Some(next) { no_place() } else { lost(next, id) });
            };
            next = change.previous;
            let change = self.readable_change(scope, &object, change);
            let LogEntry { number, time_ms, actor, cause, .. } = entry;
            entries.push(HistoryEntry { number, time_ms, actor, cause, change });
        }
        Ok(HistoryPage { entries, next: (next > 0).then_some(next) })
    }

    /// The record, deleted or not, if the scope has it.
    pub(crate) async fn visible(&self, scope: &Scope, object: &Object, id: RecordId) -> Result<Record> {
        match self.load(object.id, id).await? {
            Some(found) if self.is_visible(scope, object, &found.record).await? => Ok(found.record),
            _ => Err(Error::NotFound { object: object.name.clone(), id }),
        }
    }

    fn readable_change(&self, scope: &Scope, object: &Object, mut change: LoggedChange) -> LoggedChange {
        let readable = &scope.of(&object.name).readable;
        if let Some(fields) = &mut change.fields {
            fields
                .retain(|id, _| object.field_by_id(*id).is_some_and(|field| readable.contains(&field.name)));
        }
        change
    }
}

fn no_place() -> Error {
    Error::Query(bilingual!("the cursor is not of this record's history", "该游标不属于此记录的历史"))
}

/// A record names an entry that does not tell of it.
pub(crate) fn lost(number: u64, id: RecordId) -> Error {
    Error::damaged(format!("log entry {number} says nothing of record {id}, which names it"))
}
