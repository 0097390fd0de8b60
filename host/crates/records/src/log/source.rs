//! Where entries come from: which of them a job, a rule or a plugin wrote, and which react to another entry.
//!
//! A key for each of these, written with the entry and named by its number, so that an undo need not read the whole log. What users
//! change by themselves has none.

use trellis_model::{Actor, PluginId, RecordId};
use trellis_storage::{AddIndex, ScanRange, StampPlace, StampSource, WriteSet};

use super::NewEntry;
use crate::keys::{Key, KeyKind};
use crate::{Error, Records, Result};

/// Rows of a page of these keys.
const PAGE_ROWS: usize = 200;

/// Where an entry comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// A job: an import, a run, a merge, an undo.
    Job(RecordId),
    /// A rule, in whatever version.
    Rule(RecordId),
    /// A plugin, in whatever version.
    Plugin(PluginId),
    /// The entry of this number, to which it reacts.
    Entry(u64),
}

impl LogSource {
    /// The beginning of its keys; the number of an entry follows.
    fn prefix(&self) -> Key {
        let key = Key::new(KeyKind::LogBy);
        match self {
            Self::Job(id) => key.bytes(&[1]).bytes(id.as_bytes()),
            Self::Rule(id) => key.bytes(&[2]).bytes(id.as_bytes()),
            Self::Plugin(id) => key.bytes(&[3]).bytes(id.as_str().as_bytes()).bytes(&[0]),
            Self::Entry(number) => key.bytes(&[4]).u64(*number),
        }
    }
}

/// All that an entry comes from.
fn sources(entry: &NewEntry) -> impl Iterator<Item = LogSource> {
    let actor = match &entry.actor {
        Actor::Rule { id, .. } => Some(LogSource::Rule(*id)),
        Actor::Plugin { id, .. } => Some(LogSource::Plugin(id.clone())),
        Actor::User { .. } | Actor::System { .. } => None,
    };
    let job = entry.cause.job.map(LogSource::Job);
    let reaction = entry.cause.log.map(LogSource::Entry);
    [job, actor, reaction].into_iter().flatten()
}

/// Puts the keys of an entry that gets its number by `number`.
pub(super) fn put(set: &mut WriteSet, entry: &NewEntry, number: AddIndex) {
    for source in sources(entry) {
        let key = source.prefix().u64(0).done();
        let number_at = key.len() - size_of::<u64>();
        let put = set.put(key, Vec::new());
        set.stamp(StampPlace::Key(put, number_at), StampSource::Counter(number));
    }
}

impl Records {
    /// The numbers of entries that come from a source, ascending: at most `entries_max` of those over `after`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn log_of(&self, source: &LogSource, after: u64, entries_max: usize) -> Result<Vec<u64>> {
        let prefix = source.prefix();
        let mut range = ScanRange::prefix(&prefix.clone().done()).after(&prefix.u64(after).done());
        let mut numbers = Vec::new();
        while numbers.len() < entries_max {
            let page = self.store().scan(range.clone(), PAGE_ROWS.min(entries_max - numbers.len())).await?;
            for row in &page.rows {
                let number = row.key.last_chunk::<8>();
                let number = number.ok_or_else(|| Error::damaged("a key of the log is too short"))?;
                numbers.push(u64::from_be_bytes(*number));
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
        }
        Ok(numbers)
    }
}
