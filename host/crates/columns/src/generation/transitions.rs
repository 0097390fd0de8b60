//! What a flip changed for whom: one log entry a changed block, or one for all of a baseline run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Position, WriteSet};

use super::block::{BLOCK_ROWS, CodeColumn};
use super::load::load_output;
use super::state::ResultState;
use super::types::{FlipRequest, GenerationId, Origin, TransitionCounts};
use crate::keys::{self, SegmentationId};
use crate::segmentation::Segmentation;
use crate::{Columns, Error, Result, stored};

/// The transitions of one flip, as far as they are written.
#[derive(Debug, Clone)]
pub(crate) struct TransitionJob {
    pub(crate) stored: StoredJob,
    /// Where it was last written; at first the flip's position.
    pub(crate) position: Position,
    /// Old and new codes as of the flip; empty after a restart.
    pub(crate) columns: Arc<BTreeMap<SegmentationId, (CodeColumn, CodeColumn)>>,
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

/// A segmentation that was flipped, with what was current before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredItem {
    pub(crate) segmentation: SegmentationId,
    pub(crate) previous: Option<GenerationId>,
}

/// A customer whose code is another.
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

    pub(super) fn concerns(&self, segmentation: SegmentationId) -> bool {
        self.items.iter().any(|item| item.segmentation == segmentation)
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
    compared: Arc<BTreeMap<SegmentationId, (CodeColumn, CodeColumn)>>,
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

    /// Old and new codes of one item as of the flip.
    async fn compared(
        &self,
        state: &ResultState,
        generation: GenerationId,
        job: &TransitionJob,
        item: StoredItem,
    ) -> Result<(CodeColumn, CodeColumn)> {
        if let Some(columns) = job.columns.get(&item.segmentation) {
            return Ok(columns.clone());
        }
        let store = self.records.store().as_ref();
        let values =
            state.segmentations.get(&item.segmentation).map_or(0, |found| found.definition.values.len());
        let flipped_at = Some(Position(job.stored.flipped_at.unwrap_or(job.position.0)));
        let header = &state.find_generation(generation)?.header;
        let new = load_output(store, generation, header, item.segmentation, values, flipped_at).await?;
        let old = match item.previous {
            Some(previous) => {
                let header = &state.find_generation(previous)?.header;
                load_output(store, previous, header, item.segmentation, values, None).await?.column
            }
            None => CodeColumn::default(),
        };
        Ok((old, new.column))
    }
}

impl Writing<'_> {
    async fn changes(&mut self, state: &ResultState, job: &Arc<TransitionJob>) -> Result<()> {
        while let Some(item) = self.job.items.get(self.job.item).copied() {
            let segmentation = segmentation_of(state, item)?;
            let (old, new) = match self.columns.compared(state, self.generation, job, item).await {
                Ok(compared) => compared,
                Err(error) if is_unreadable(&error) => {
                    (self.job.item, self.job.block) = (self.job.item + 1, 0);
                    let data = self.uncompared(segmentation, item, &error);
                    self.commit("segment.uncompared", data, false).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let blocks = old.blocks().len().max(new.blocks().len());
            while self.job.block < blocks {
                let changes = changes_of_block(&old, &new, self.job.block);
                self.job.block += 1;
                if !changes.is_empty() {
                    self.job.count(&changes);
                    let run = Some(self.job.run());
                    let data = changed_entry(segmentation, run, self.generation, item.previous, &changes);
                    self.commit("segment.changed", data, false).await?;
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

    async fn baseline(&mut self, state: &ResultState, job: &Arc<TransitionJob>) -> Result<()> {
        let mut summaries = Vec::new();
        for item in self.job.items.clone() {
            let segmentation = segmentation_of(state, item)?;
            let (old, new) = match self.columns.compared(state, self.generation, job, item).await {
                Ok(compared) => compared,
                Err(error) if is_unreadable(&error) => {
                    summaries.push(self.uncompared(segmentation, item, &error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let before = self.job.counts;
            for block in 0..old.blocks().len().max(new.blocks().len()) {
                self.job.count(&changes_of_block(&old, &new, block));
            }
            let [entered, left, changed] = self.job.counts;
            let counts = new.counts(segmentation.definition.values.len() + 1);
            let values = segmentation.definition.values.iter().zip(counts.iter().skip(1));
            let values: serde_json::Map<String, Json> =
                values.map(|(value, count)| (value.name.clone(), json!(count))).collect();
            let [entered_before, left_before, changed_before] = before;
            summaries.push(json!({
                "name": segmentation.definition.name.as_str(),
                "previous": item.previous.map(|previous| previous.0),
                "entered": entered - entered_before,
                "left": left - left_before,
                "changed": changed - changed_before,
                "members": values,
            }));
        }
        let data = json!({
            "run": self.job.run().to_string(),
            "generation": self.generation.0,
            "segmentations": summaries,
        });
        self.commit("segment.baseline", data, true).await
    }

    /// Told instead of changes where a generation cannot be read: damage must not keep later runs from being flipped to.
    fn uncompared(&self, segmentation: &Segmentation, item: StoredItem, error: &Error) -> Json {
        let name = segmentation.definition.name.as_str();
        tracing::error!(segmentation = name, generation = %self.generation, %error, "transitions cannot be told");
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

fn segmentation_of(state: &ResultState, item: StoredItem) -> Result<&Arc<Segmentation>> {
    let found = state.segmentations.get(&item.segmentation);
    found.ok_or_else(|| {
        Error::damaged(format!("a flip names segmentation {}, which is not there", item.segmentation.0))
    })
}

fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. } | Error::UnknownGeneration { .. })
}

fn changes_of_block(old: &CodeColumn, new: &CodeColumn, block: usize) -> Vec<Change> {
    let (old, new) = (old.block(block), new.block(block));
    if old == new {
        return Vec::new();
    }
    let start = (block * BLOCK_ROWS) as u64;
    let rows = old.codes().zip(new.codes()).enumerate().filter(|(_, (before, after))| before != after);
    rows.map(|(row, (before, after))| Change { ordinal: start + row as u64, before, after }).collect()
}

/// The data of a `segment.changed` entry: `changes` are `[ordinal, before, after]`, where 0 is null and n the n-th of `values`.
pub(super) fn changed_entry(
    segmentation: &Segmentation,
    run: Option<RecordId>,
    generation: GenerationId,
    previous: Option<GenerationId>,
    changes: &[Change],
) -> Json {
    let changes = changes.iter().map(|change| json!([change.ordinal, change.before, change.after]));
    let values = segmentation.definition.values.iter().map(|value| value.name.as_str());
    json!({
        "segmentation": segmentation.definition.name.as_str(),
        "object": segmentation.definition.object.as_str(),
        "run": run.map(|run| run.to_string()),
        "generation": generation.0,
        "previous": previous.map(|previous| previous.0),
        "values": values.collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
    })
}
