//! A record as it was: what later entries changed is taken back, one after the other.

use trellis_model::{ChangeKind, ObjectName, Record, RecordId, Scope};

use super::lost;
use crate::{Error, LogEntry, Records, Result};

/// A point in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A time, in milliseconds since 1970-01-01T00:00:00Z: after everything that happened up to it.
    Time(i64),
    /// Just after the entry of this number.
    Entry(u64),
}

impl Moment {
    fn is_before(self, entry: &LogEntry) -> bool {
        match self {
            Self::Time(time_ms) => entry.time_ms > time_ms,
            Self::Entry(number) => entry.number > number,
        }
    }
}

/// What taking back one entry came to.
enum Step {
    Earlier,
    /// The record was not there before.
    Created,
    /// Nobody knows any more what the entry changed.
    Expired,
}

/// Takes back what an entry did to a record.
fn take_back(record: &mut Record, entry: &LogEntry) -> Result<Step> {
    let change = entry.change_of(record.object, record.id);
    let change = change.ok_or_else(|| lost(entry.number, record.id))?;
    match (change.kind, &change.fields) {
        (ChangeKind::Created, _) => return Ok(Step::Created),
        (ChangeKind::Deleted, _) => record.deleted_at_ms = None,
        (ChangeKind::Restored, _) => record.deleted_at_ms = Some(entry.time_ms),
        (ChangeKind::Updated, None) => return Ok(Step::Expired),
        (ChangeKind::Updated, Some(fields)) => {
            for (field, change) in fields {
                match &change.before {
                    Some(before) => drop(record.fields.insert(*field, before.clone())),
                    None => drop(record.fields.remove(field)),
                }
            }
        }
    }
    record.last_log = change.previous;
    Ok(Step::Earlier)
}

impl Records {
    /// Returns a record as it was at a point in the past, with the fields that the scope can read. Who sees the record now, deleted or not,
    /// sees it as it was. Costs a read for each entry about the record since then.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it was not there yet or was deleted then, [`Error::HistoryExpired`] where the log no longer tells.
    pub async fn as_of(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
        moment: Moment,
    ) -> Result<Record> {
        let object = self.object(object)?;
        let missing = || Error::NotFound { object: object.name.clone(), id };
        let mut record = self.visible(scope, &object, id).await?;
        loop {
            let number = record.last_log;
            let entry = self.log_entry(number).await?.ok_or_else(|| lost(number, id))?;
            if !moment.is_before(&entry) {
                record.version = entry.position;
                record.updated_at_ms = entry.time_ms.max(record.created_at_ms);
                break;
            }
            match take_back(&mut record, &entry)? {
                Step::Earlier => {}
                Step::Created => return Err(missing()),
                Step::Expired => {
                    return Err(Error::HistoryExpired { object: object.name.clone(), id, number });
                }
            }
        }
        if record.is_deleted() { Err(missing()) } else { Ok(self.readable(scope, &object, record)) }
    }

    /// The record as it was when entry `number` was written: what later entries changed is taken back, one after the other, which costs
    /// a read each. `None` where it was not there then or was deleted, or where the payload of a later entry has expired.
    ///
    /// # Errors
    /// [`Error::Damaged`] where an entry cannot be read.
    pub async fn as_of_entry(&self, mut record: Record, number: u64) -> Result<Option<Record>> {
        while record.last_log > number {
            let Some(entry) = self.log_entry(record.last_log).await? else { return Ok(None) };
            if !matches!(take_back(&mut record, &entry)?, Step::Earlier) {
                return Ok(None);
            }
        }
        Ok((!record.is_deleted()).then_some(record))
    }
}
