//! What a flip changed for whom: one log entry a changed block, or one for all segmentations and one for all scores of a baseline run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Position, WriteSet};

use super::column::Column;
use super::load::load_output;
use super::state::ResultState;
use super::types::{FlipRequest, GenerationId, Origin, TransitionCounts};
use crate::keys::{self, OutputId};
use crate::output::Output;
use crate::{Columns, Error, Result, stored};

/// The transitions of one flip, as far as they are written.
#[derive(Debug, Clone)]
pub(crate) struct TransitionJob {
    pub(crate) stored: StoredJob,
    /// Where it was last written; at first the flip's position.
    pub(crate) position: Position,
    /// Old and new values as of the flip; empty after a restart.
    pub(crate) columns: Arc<BTreeMap<OutputId, (Column, Column)>>,
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredJob {
    baseline: bool,
    run: [u8; 16],
    items: Vec<StoredItem>,
    /// Position of the flip; `None` until the job is written again.
    flipped_at: Option<u64>,
    /// Where to go on.
    item: usize,
    block: usize,
    counts: [u64; 3],
}

/// A segmentation or score that was flipped, with what was current before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredItem {
    pub(crate) output: OutputId,
    pub(crate) previous: Option<GenerationId>,
}

/// A customer whose value or band is another: their numbers, 0 is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) ordinal: u64,
    pub(super) before: u16,
    pub(super) after: u16,
}

impl StoredJob {
    pub(super) fn new(request: &FlipRequest, items: Vec<StoredItem>) -> Self {
        let run = *request.run.as_bytes();
        Self { baseline: request.baseline, run, items, flipped_at: None, item: 0, block: 0, counts: [0; 3] }
    }

    /// Whether the old side of a comparison is this generation.
    pub(crate) fn compares(&self, generation: GenerationId) -> bool {
        self.items.iter().any(|item| item.previous == Some(generation))
    }

    pub(crate) fn concerns(&self, output: OutputId) -> bool {
        self.items.iter().any(|item| item.output == output)
    }

    fn run(&self) -> RecordId {
        RecordId(uuid::Uuid::from_bytes(self.run))
    }

    fn count(&mut self, changes: &[Change]) {
        let [entered, left, changed] = &mut self.counts;
        for change in changes {
            match (change.before, change.after) {
                (0, _) => *entered += 1,
                (_, 0) => *left += 1,
                _ => *changed += 1,
            }
        }
    }
}

/// One job while it is being written.
struct Writing<'a> {
    columns: &'a Columns,
    generation: GenerationId,
    job: StoredJob,
    position: Position,
    origin: &'a Origin,
    compared: Arc<BTreeMap<OutputId, (Column, Column)>>,
    entries: u64,
}

impl Columns {
    /// Generations whose transitions are not all written: after a flip, or after a crash in the middle.
    pub fn pending_transitions(&self) -> Vec<GenerationId> {
        self.results.state().jobs.keys().copied().collect()
    }

    /// Writes the pending transitions of a flip and then lets go of generations that are no longer kept. After a crash it goes
    /// on where it stopped, so that every change is told exactly once. Answers the counts of the whole flip; zero where nothing is pending.
    ///
    /// # Errors
    /// Those of the store; calling again goes on.
    pub async fn transitions(&self, generation: GenerationId, origin: &Origin) -> Result<TransitionCounts> {
        let _writing = self.results.writing_transitions.lock().await;
        let state = self.results.state();
        let Some(job) = state.jobs.get(&generation) else { return Ok(TransitionCounts::default()) };
        let mut stored = job.stored.clone();
        stored.flipped_at.get_or_insert(job.position.0);
        let mut writing = Writing {
            columns: self,
            generation,
            job: stored,
            position: job.position,
            origin,
            compared: Arc::clone(&job.columns),
            entries: 0,
        };
        if job.stored.baseline {
            writing.baseline(&state, job).await?;
        } else {
            writing.changes(&state, job).await?;
        }
        let [entered, left, changed] = writing.job.counts;
        let counts = TransitionCounts { entered, left, changed, entries: writing.entries };
        let _changing = self.results.change.lock().await;
        self.results.put(|state| {
            state.jobs.remove(&generation);
        });
        self.prune().await?;
        Ok(counts)
    }

    /// Old and new values of one item as of the flip.
    async fn compared(
        &self,
        state: &ResultState,
        generation: GenerationId,
        job: &TransitionJob,
        item: StoredItem,
    ) -> Result<(Column, Column)> {
        if let Some(columns) = job.columns.get(&item.output) {
            return Ok(columns.clone());
        }
        let store = self.records.store().as_ref();
        let classes = output_of(state, item)?.classes();
        let flipped_at = Some(Position(job.stored.flipped_at.unwrap_or(job.position.0)));
        let header = &state.find_generation(generation)?.header;
        let new = load_output(store, generation, header, item.output, classes, flipped_at).await?;
        let old = match item.previous {
            Some(previous) => {
                let header = &state.find_generation(previous)?.header;
                load_output(store, previous, header, item.output, classes, None).await?.column
            }
            None => Column::empty(classes),
        };
        Ok((old, new.column))
    }
}

impl Writing<'_> {
    async fn changes(&mut self, state: &ResultState, job: &Arc<TransitionJob>) -> Result<()> {
        while let Some(item) = self.job.items.get(self.job.item).copied() {
            let output = output_of(state, item)?;
            let (old, new) = match self.columns.compared(state, self.generation, job, item).await {
                Ok(compared) => compared,
                Err(error) if is_unreadable(&error) => {
                    (self.job.item, self.job.block) = (self.job.item + 1, 0);
                    let data = self.uncompared(output, item, &error);
                    self.commit("segment.uncompared", data, false).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let blocks = old.blocks().max(new.blocks());
            while self.job.block < blocks {
                let changes = changes_of_block(output, &old, &new, self.job.block);
                self.job.block += 1;
                self.job.count(&changes);
                let run = Some(self.job.run());
                let entry = changed_entry(output, run, self.generation, item.previous, &changes);
                if let Some((name, data)) = entry {
                    self.commit(name, data, false).await?;
                }
            }
            (self.job.item, self.job.block) = (self.job.item + 1, 0);
        }
        let mut set = WriteSet::new();
        set.expect_written_at(keys::transition_job(self.generation), self.position);
        set.delete(keys::transition_job(self.generation));
        self.columns.records.commit(set, None).await?;
        Ok(())
    }

    /// One entry for the segmentations, which come first, and one for the scores.
    async fn baseline(&mut self, state: &ResultState, job: &Arc<TransitionJob>) -> Result<()> {
        while let Some(first) = self.job.items.get(self.job.item).copied() {
            let scores = output_of(state, first)?.is_score();
            let mut summaries = Vec::new();
            while let Some(item) = self.job.items.get(self.job.item).copied() {
                let output = output_of(state, item)?;
                if output.is_score() != scores {
                    break;
                }
                summaries.push(self.summary(state, job, output, item).await?);
                self.job.item += 1;
            }
            let (name, field) =
                if scores { ("score.baseline", "scores") } else { ("segment.baseline", "segmentations") };
            let (run, generation) = (self.job.run().to_string(), self.generation.0);
            let data = json!({ "run": run, "generation": generation, field: summaries });
            self.commit(name, data, self.job.item == self.job.items.len()).await?;
        }
        Ok(())
    }

    /// What a baseline run says of one segmentation or score.
    async fn summary(
        &mut self,
        state: &ResultState,
        job: &Arc<TransitionJob>,
        output: &Output,
        item: StoredItem,
    ) -> Result<Json> {
        let (old, new) = match self.columns.compared(state, self.generation, job, item).await {
            Ok(compared) => compared,
            Err(error) if is_unreadable(&error) => return Ok(self.uncompared(output, item, &error)),
            Err(error) => return Err(error),
        };
        let before = self.job.counts;
        for block in 0..old.blocks().max(new.blocks()) {
            self.job.count(&changes_of_block(output, &old, &new, block));
        }
        let [entered, left, changed] = self.job.counts;
        let [entered_before, left_before, changed_before] = before;
        let counts = new.counts(output.classes());
        let members = output.class_names().into_iter().zip(counts.iter().skip(1));
        let members: serde_json::Map<String, Json> =
            members.map(|(name, count)| (name.to_owned(), json!(count))).collect();
        let moved = if output.is_score() { "crossed" } else { "changed" };
        Ok(json!({
            "name": output.name().as_str(),
            "previous": item.previous.map(|previous| previous.0),
            "entered": entered - entered_before,
            "left": left - left_before,
            moved: changed - changed_before,
            "members": members,
        }))
    }

    /// Told instead of changes where a generation cannot be read: damage must not keep later runs from being flipped to.
    fn uncompared(&self, output: &Output, item: StoredItem, error: &Error) -> Json {
        let name = output.name().as_str();
        tracing::error!(output = name, generation = %self.generation, %error, "transitions cannot be told");
        json!({
            "name": name,
            "run": self.job.run().to_string(),
            "generation": self.generation.0,
            "previous": item.previous.map(|previous| previous.0),
            "reason": error.to_string(),
        })
    }

    /// Writes one entry together with how far the job is, so that neither is there without the other.
    async fn commit(&mut self, name: &str, data: Json, done: bool) -> Result<()> {
        let key = keys::transition_job(self.generation);
        let mut set = WriteSet::new();
        set.expect_written_at(key.clone(), self.position);
        if done {
            set.delete(key);
        } else {
            set.put(key, stored::encode(&self.job));
        }
        let body = EntryBody::Event { name: name.to_owned(), data };
        let entry = NewEntry { actor: self.origin.actor.clone(), cause: self.origin.cause.clone(), body };
        self.position = self.columns.records.commit(set, Some(entry)).await?.position;
        self.entries += 1;
        if !done {
            let job = TransitionJob {
                stored: self.job.clone(),
                position: self.position,
                columns: Arc::clone(&self.compared),
            };
            let _changing = self.columns.results.change.lock().await;
            self.columns.results.put(|state| {
                state.jobs.insert(self.generation, Arc::new(job));
            });
        }
        Ok(())
    }
}

fn output_of(state: &ResultState, item: StoredItem) -> Result<&Arc<Output>> {
    let found = state.outputs.get(&item.output);
    found.ok_or_else(|| Error::damaged(format!("a flip names output {}, which is not there", item.output.0)))
}

fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. } | Error::UnknownGeneration { .. })
}

fn changes_of_block(output: &Output, old: &Column, new: &Column, block: usize) -> Vec<Change> {
    let changes = new.changes_since(old, block, output.classes()).into_iter();
    changes.map(|(ordinal, before, after)| Change { ordinal, before, after }).collect()
}

/// Name and data of the entry that tells of changes: `changes` are `[ordinal, before, after]`, where 0 is null and n the n-th of the
/// `values` of a segmentation or `bands` of a score. `None` where there is nothing to tell.
pub(super) fn changed_entry(
    output: &Output,
    run: Option<RecordId>,
    generation: GenerationId,
    previous: Option<GenerationId>,
    changes: &[Change],
) -> Option<(&'static str, Json)> {
    let classes = output.class_names();
    if changes.is_empty() || classes.is_empty() {
        return None;
    }
    let (event, name, names) = if output.is_score() {
        ("score.crossed", "score", "bands")
    } else {
        ("segment.changed", "segmentation", "values")
    };
    let changes = changes.iter().map(|change| json!([change.ordinal, change.before, change.after]));
    let data = json!({
        name: output.name().as_str(),
        "object": output.object_name().as_str(),
        "run": run.map(|run| run.to_string()),
        "generation": generation.0,
        "previous": previous.map(|previous| previous.0),
        names: classes,
        "changes": changes.collect::<Vec<_>>(),
    });
    Some((event, data))
}
