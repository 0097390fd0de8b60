//! Taking back what a change, a job, a rule or a plugin did: what that would do, and the job that does it.

mod job;
mod request;
mod results;
mod tally;

use std::collections::BTreeMap;

use trellis_model::RecordId;
use trellis_records::{Caller, InUse, UndoCursor, UndoItem, UndoRequest, UndoState, UndoTarget};

pub(crate) use job::run;
pub(crate) use request::StoredUndo;
pub use results::{ResultUndo, ResultUndoState};

use crate::{Engine, Error, Job, Result, jobs::Request};

/// Records that are planned or taken back at once.
const BATCH_RECORDS: usize = 200;

/// What an undo takes back, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoOrder {
    /// What shall be taken back.
    pub target: UndoTarget,
    /// Whether with it what rules and plugins did in reaction to it.
    pub include_caused: bool,
    /// Whether rules and plugins react to the undo itself.
    pub run_automations: bool,
    /// Whether the job only counts what it would do.
    pub dry_run: bool,
}

/// What an undo would do.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoPreview {
    /// Log entries that it is about.
    pub entries: usize,
    /// Entries that react to these and stay unless they are asked for.
    pub caused: usize,
    /// Records by how they stand; on the first page only.
    pub counts: BTreeMap<UndoState, u64>,
    /// Whether these are all records, or only the first ones (`engine.undo_preview_records_max`).
    pub counts_exact: bool,
    /// Records that the caller does not see, among those that are counted.
    pub hidden: u64,
    /// The page, what was changed last first.
    pub items: Vec<UndoItem>,
    /// For each of them that would be deleted who refers to it and stays; empty for the others.
    pub in_use: Vec<Vec<InUse>>,
    /// Where the next page begins.
    pub next: Option<UndoCursor>,
    /// The results of a plugin run, each with what becomes of it.
    pub results: Vec<ResultUndo>,
}

impl Engine {
    /// Says what an undo would do: at most `items_max` records from `from` on. Changes nothing.
    ///
    /// # Errors
    /// [`Error::UnknownJob`], [`Error::JobNotEnded`], [`Error::Records`] where there is no such entry.
    pub async fn undo_preview(
        &self,
        caller: &Caller,
        order: &UndoOrder,
        from: Option<UndoCursor>,
        items_max: usize,
    ) -> Result<UndoPreview> {
        let request = self.undo_request(order).await?;
        let records = &self.core.records;
        let entries = records.undo_entries(&request).await?;
        let page = records.undo_page(caller, &entries, from, items_max).await?;
        let (mut counts, mut hidden) = (BTreeMap::new(), page.hidden as u64);
        let mut count = |items: &[UndoItem]| {
            items.iter().for_each(|item| *counts.entry(item.state).or_insert(0) += 1);
            items.len()
        };
        let mut counted = count(&page.items);
        let mut next = page.next;
        // A later page is not the place to count everything again.
        while let Some(place) = next.filter(|_| from.is_none()) {
            if counted >= self.core.config.undo_preview_records_max {
                break;
            }
            let further = records.undo_page(caller, &entries, Some(place), BATCH_RECORDS).await?;
            counted += count(&further.items).max(1);
            hidden += further.hidden as u64;
            next = further.next;
        }
        if from.is_some() {
            counts.clear();
        }
        let mut in_use = Vec::with_capacity(page.items.len());
        for item in &page.items {
            in_use.push(records.undo_in_use(caller, &entries, item).await?);
        }
        Ok(UndoPreview {
            entries: entries.len(),
            caused: entries.caused(),
            counts,
            counts_exact: from.is_none() && next.is_none(),
            hidden,
            items: page.items,
            in_use,
            next: page.next,
            results: results::preview(&self.core, &order.target).await?,
        })
    }

    /// Takes back what can be, as a job. Its result says what was not, and why. The job's own changes can be undone the same way.
    ///
    /// # Errors
    /// As [`Engine::undo_preview`]; [`Error::QueueFull`].
    pub async fn undo_start(&self, caller: &Caller, order: &UndoOrder) -> Result<Job> {
        let request = self.undo_request(order).await?;
        self.core.records.undo_entries(&request).await?;
        let request = Request::Undo(StoredUndo::new(order, request.until, caller));
        self.jobs.create(self.new_id(), caller, request).await
    }

    /// The request of an order as of now: what its target does from now on stays.
    async fn undo_request(&self, order: &UndoOrder) -> Result<UndoRequest> {
        if let UndoTarget::Job(id) = order.target {
            self.check_ended(id).await?;
        }
        let until = self.core.records.log_head();
        Ok(UndoRequest { target: order.target.clone(), include_caused: order.include_caused, until })
    }

    /// What a job has not ended doing cannot be taken back; one that is no longer listed ended long ago.
    async fn check_ended(&self, id: RecordId) -> Result<()> {
        match self.jobs.get(id).await? {
            Some(job) if job.state.is_final() => Ok(()),
            Some(_) => Err(Error::JobNotEnded { id }),
            None => {
                let source = trellis_records::LogSource::Job(id);
                let known = !self.core.records.log_of(&source, 0, 1).await?.is_empty();
                if known { Ok(()) } else { Err(Error::UnknownJob { id }) }
            }
        }
    }
}
