//! What follows from what happened: after-save rules, rules on transitions, service workflows and campaign rules react to log entries.
//!
//! One reader with a durable cursor goes through the log page by page. What a page leads to is done in the order of the log for each
//! record, and side by side for different records. Each reaction's decision has an id that follows from the entry, the record and who
//! decides: a reaction that was done before is found in the ledger. So the cursor may lag behind, and nothing happens twice:
//! `host/docs/formats/engine.md`.

mod carry_out;
mod plan;
mod reaction;
mod rule;
mod workflow;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet};
use trellis_records::Error as RecordsError;
use trellis_storage::WriteSet;

use crate::{
    Error, Result,
    background::Background,
    campaign, comments,
    core::Core,
    decisions::{self, Capsule, Decision},
    keys, stored,
};

pub(crate) use carry_out::may_help_to_retry;
use reaction::Reaction;

/// How long the reader waits after the store failed.
const RETRY: Duration = Duration::from_secs(1);
/// How often the cursor is written down.
const SAVE_CURSOR: Duration = Duration::from_secs(1);
/// Decisions that are recorded at once.
const DECISIONS_AT_ONCE: usize = 20;

/// A decision that is carried out and that the ledger does not have as it stands now.
type Unrecorded = (Decision, Option<Capsule>);

#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum StoredCursor {
    V1 { log_number: u64 },
}

/// Starts the thread.
pub(crate) async fn start(core: Arc<Core>) -> Result<Background> {
    let reader = Reader::open(core).await?;
    Background::start("reactions", move |stopped| reader.read(stopped))
}

/// The reader that reacts.
#[derive(Debug)]
struct Reader {
    core: Arc<Core>,
    /// The log entry up to which everything is done.
    cursor: u64,
    /// The same, as the store has it.
    saved: u64,
    save_at: Instant,
}

impl Reader {
    /// Goes on where an earlier server was. In a store where nothing ever reacted, history stays history.
    async fn open(core: Arc<Core>) -> Result<Self> {
        let key = keys::KeyKind::ReactionCursor.prefix();
        let cursor = match core.records.store().get(&key).await? {
            Some(found) => {
                let StoredCursor::V1 { log_number } =
                    stored::decode(&found.value, || "cursor of reactions".to_owned())?;
                Some(log_number)
            }
            None => None,
        };
        let log_head = core.records.log_head();
        let mut reader = Self { core, cursor: cursor.unwrap_or(log_head), saved: 0, save_at: Instant::now() };
        match cursor {
            Some(cursor) => reader.saved = cursor,
            None => reader.save().await?,
        }
        reader.core.reacted.send_replace(reader.cursor);
        Ok(reader)
    }

    async fn read(mut self, mut stopped: watch::Receiver<bool>) {
        let mut log = self.core.records.log_watch();
        loop {
            log.borrow_and_update();
            let mut retry = false;
            if let Err(error) = self.catch_up(&stopped).await {
                tracing::error!(code = error.code(), after = self.cursor, "reactions cannot go on: {error}");
                retry = true;
            }
            let wake_at = if retry { Instant::now() + RETRY } else { self.save_at };
            let has_to_save = self.cursor > self.saved;
            tokio::select! {
                changed = log.changed(), if !retry => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = tokio::time::sleep_until(wake_at.into()), if retry || has_to_save => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        if let Err(error) = self.save_if_moved().await {
            tracing::warn!(
                code = error.code(),
                "the place of reactions in the log was not written down: {error}"
            );
        }
    }

    /// Reacts to everything that the log has.
    async fn catch_up(&mut self, stopped: &watch::Receiver<bool>) -> Result<()> {
        while !*stopped.borrow() {
            let entries_max = self.core.config.reaction_page_entries.max(1);
            let entries = self.core.records.log_after(self.cursor, entries_max).await?;
            let Some(last) = entries.last() else { break };
            self.core.rules.follow(&entries);
            let plan = plan::plan(&self.core, &entries).await?;
            if !plan.reactions.is_empty() {
                let unrecorded = react(&self.core, plan.reactions).await?;
                record(&self.core, &unrecorded).await?;
            }
            campaign::react(&self.core, &entries).await?;
            comments::react(&self.core, &entries).await?;
            self.cursor = last.number;
            self.core.reacted.send_replace(self.cursor);
            if Instant::now() >= self.save_at {
                self.save_if_moved().await?;
            }
        }
        if Instant::now() >= self.save_at {
            self.save_if_moved().await?;
        }
        Ok(())
    }

    async fn save_if_moved(&mut self) -> Result<()> {
        if self.cursor > self.saved { self.save().await } else { Ok(()) }
    }

    async fn save(&mut self) -> Result<()> {
        let mut set = WriteSet::new();
        let cursor = StoredCursor::V1 { log_number: self.cursor };
        set.put(keys::KeyKind::ReactionCursor.prefix(), stored::encode(&cursor));
        self.core.records.commit(set, None).await?;
        self.saved = self.cursor;
        self.save_at = Instant::now() + SAVE_CURSOR;
        Ok(())
    }
}

/// Does the reactions: those of one record one after the other, those of different records side by side.
async fn react(core: &Arc<Core>, reactions: Vec<Reaction>) -> Result<Vec<Unrecorded>> {
    let queues = Arc::new(Mutex::new(by_record(reactions)));
    let mut unrecorded = Vec::new();
    loop {
        let waiting = queues.lock().len();
        if waiting == 0 {
            return Ok(unrecorded);
        }
        let mut tasks = JoinSet::new();
        for _ in 0..core.config.reactions_parallel_max.clamp(1, waiting) {
            tasks.spawn(take_queues(Arc::clone(core), Arc::clone(&queues)));
        }
        let mut failed = None;
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok(Ok(decisions)) => unrecorded.extend(decisions),
                Ok(Err(error)) => failed = Some(error),
                // Trying again would panic again: the record's queue is given up, the others go on.
                Err(error) => tracing::error!("reactions about a record ended by a panic: {error}"),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
}

/// Does one queue after the other until there is none.
async fn take_queues(
    core: Arc<Core>,
    queues: Arc<Mutex<VecDeque<Vec<Reaction>>>>,
) -> Result<Vec<Unrecorded>> {
    let mut unrecorded = Vec::new();
    loop {
        let Some(queue) = queues.lock().pop_front() else { return Ok(unrecorded) };
        for reaction in queue {
            unrecorded.extend(carry_out::react(&core, reaction).await?);
        }
    }
}

/// A queue for each record, in the order in which they first occur.
fn by_record(reactions: Vec<Reaction>) -> VecDeque<Vec<Reaction>> {
    let mut places = HashMap::new();
    let mut queues: VecDeque<Vec<Reaction>> = VecDeque::new();
    for reaction in reactions {
        let place = *places.entry((reaction.object, reaction.record)).or_insert(queues.len());
        match queues.get_mut(place) {
            Some(queue) => queue.push(reaction),
            None => queues.push_back(vec![reaction]),
        }
    }
    queues
}

async fn record(core: &Core, unrecorded: &[Unrecorded]) -> Result<()> {
    for decisions in unrecorded.chunks(DECISIONS_AT_ONCE) {
        let too_large = |error: &Error| {
            let Error::Records(RecordsError::Storage(error)) = error else { return false };
            matches!(error, trellis_storage::Error::WriteSetTooLarge { .. })
        };
        match decisions::put_all(&core.records, decisions).await {
            Err(error) if too_large(&error) => {
                for (decision, capsule) in decisions {
                    decisions::put(&core.records, decision, capsule.as_ref()).await?;
                }
            }
            recorded => recorded?,
        }
    }
    core.pruner.note(&core.records, unrecorded.len());
    Ok(())
}
