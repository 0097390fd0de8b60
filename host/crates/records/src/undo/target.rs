//! Which log entries an undo is about.

use std::collections::BTreeSet;

use trellis_model::{ObjectId, Phrase, RecordId};

use super::{UndoRequest, UndoTarget};
use crate::{Error, LogSource, Records, Result};

/// Entries that are looked up at once.
const PAGE_ENTRIES: usize = 1_000;

/// The log entries that an undo is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoEntries {
    /// Ascending.
    numbers: Vec<u64>,
    /// The only record that counts, where one change is meant.
    pub(super) only: Option<(ObjectId, RecordId)>,
    /// Entries that react to these and are not taken back with them.
    caused: usize,
}

impl UndoEntries {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How many entries react to these, directly or not, and are not among them.
    pub fn caused(&self) -> usize {
        self.caused
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// The first one; 0 for none.
    pub(super) fn first(&self) -> u64 {
        self.numbers.first().copied().unwrap_or_default()
    }

    /// The last one up to `number`.
    pub(super) fn last_to(&self, number: u64) -> Option<u64> {
        let end = self.numbers.partition_point(|known| *known <= number);
        end.checked_sub(1).and_then(|place| self.numbers.get(place)).copied()
    }
}

impl Records {
    /// Finds the log entries that an undo is about. At most `undo_entries_max` of them, eight bytes each.
    ///
    /// # Errors
    /// [`Error::UnknownEntry`], [`Error::UnknownObject`], [`Error::TooMany`].
    pub async fn undo_entries(&self, request: &UndoRequest) -> Result<UndoEntries> {
        let mut only = None;
        let named = match &request.target {
            UndoTarget::Entry(number) => self.logged(*number).await?,
            UndoTarget::Change { number, object, id } => {
                let object = self.object(object)?;
                let entry = self.log_entry(*number).await?;
                if entry.is_none_or(|entry| entry.change_of(object.id, *id).is_none()) {
                    return Err(Error::UnknownEntry { number: *number });
                }
                only = Some((object.id, *id));
                vec![*number]
            }
            UndoTarget::Job(id) => self.all_of(&LogSource::Job(*id), request.until).await?,
            UndoTarget::Rule { id, since_ms } => {
                let numbers = self.all_of(&LogSource::Rule(*id), request.until).await?;
                self.since(numbers, *since_ms).await?
            }
            UndoTarget::Plugin { id, since_ms } => {
                let numbers = self.all_of(&LogSource::Plugin(id.clone()), request.until).await?;
                self.since(numbers, *since_ms).await?
            }
        };
        let caused = self.caused_by(&named, request.until).await?;
        if !request.include_caused {
            return Ok(UndoEntries { numbers: named, only, caused: caused.len() });
        }
        let numbers: BTreeSet<u64> = named.into_iter().chain(caused).collect();
        // What is caused by one change may be about other records.
        Ok(UndoEntries { numbers: numbers.into_iter().collect(), only: None, caused: 0 })
    }

    async fn logged(&self, number: u64) -> Result<Vec<u64>> {
        let entry = self.log_entry(number).await?;
        entry.map(|entry| vec![entry.number]).ok_or(Error::UnknownEntry { number })
    }

    async fn all_of(&self, source: &LogSource, until: u64) -> Result<Vec<u64>> {
        let mut numbers: Vec<u64> = Vec::new();
        loop {
            let after = numbers.last().copied().unwrap_or_default();
            let page = self.log_of(source, after, PAGE_ENTRIES).await?;
            let ended = page.len() < PAGE_ENTRIES || page.last().is_some_and(|last| *last > until);
            numbers.extend(page.into_iter().filter(|number| *number <= until));
            self.check_entries(numbers.len())?;
            if ended {
                return Ok(numbers);
            }
        }
    }

    /// Those from a time on: the log's times ascend but for a clock that was set back, so the first one is searched by halves.
    async fn since(&self, numbers: Vec<u64>, since_ms: Option<i64>) -> Result<Vec<u64>> {
        let Some(since_ms) = since_ms else { return Ok(numbers) };
        let (mut start, mut end) = (0, numbers.len());
        while start < end {
            let middle = start + (end - start) / 2;
            let number = numbers.get(middle).copied().unwrap_or_default();
            match self.log_entry(number).await? {
                Some(entry) if entry.time_ms < since_ms => start = middle + 1,
                _ => end = middle,
            }
        }
        Ok(numbers.into_iter().skip(start).collect())
    }

    /// The entries that react to these, and those that react to them, and so on, without these.
    async fn caused_by(&self, named: &[u64], until: u64) -> Result<BTreeSet<u64>> {
        let mut caused = BTreeSet::new();
        let mut open: Vec<u64> = named.to_vec();
        while let Some(number) = open.pop() {
            for reaction in self.all_of(&LogSource::Entry(number), until).await? {
                if named.binary_search(&reaction).is_err() && caused.insert(reaction) {
                    open.push(reaction);
                }
            }
            self.check_entries(named.len() + caused.len())?;
        }
        Ok(caused)
    }

    fn check_entries(&self, count: usize) -> Result<()> {
        let count_max = self.config().limits.undo_entries_max;
        if count <= count_max {
            return Ok(());
        }
        Err(Error::TooMany {
            what: Phrase::new("log entries to undo", "要撤销的日志条目数"),
            count,
            count_max,
        })
    }
}
