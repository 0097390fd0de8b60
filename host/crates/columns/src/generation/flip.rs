use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{SegmentationName, Value};
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Position, WriteSet};

use super::load::load_output;
use super::state::{Loaded, ResultState};
use super::transitions::{StoredItem, StoredJob, TransitionJob};
use super::types::{FlipRequest, Flipped, FlippedOutput, GenerationId};
use crate::keys::{self, OutputId};
use crate::output::{Output, Pointer, StoredResult};
use crate::{AsOf, Columns, Error, Result, stored};

/// A segmentation or score that is about to be flipped.
struct Flip {
    output: Arc<Output>,
    pointer: Pointer,
    loaded: Arc<Loaded>,
}

impl Columns {
    /// Makes a finished generation current for all segmentations and scores that it holds: one write set with one `run.flipped` entry.
    ///
    /// Transitions of an earlier flip that are still pending are written first; those of this flip are pending until
    /// [`Columns::transitions`].
    ///
    /// # Errors
    /// [`Error::UnknownGeneration`], [`Error::FlipConflict`], [`Error::Damaged`] where its blocks cannot be read back.
    pub async fn flip(&self, generation: GenerationId, request: FlipRequest) -> Result<Flipped> {
        self.flip_with(generation, request, WriteSet::new()).await
    }

    /// As [`Columns::flip`], with what the caller writes about it in the same write set: so that neither is there without the other.
    /// `also` has no preconditions.
    ///
    /// # Errors
    /// As [`Columns::flip`]; then nothing of `also` was written either.
    pub async fn flip_with(
        &self,
        generation: GenerationId,
        request: FlipRequest,
        also: WriteSet,
    ) -> Result<Flipped> {
        let all = self.results.state().find_generation(generation)?.header.outputs.clone();
        let all = all.into_iter().map(|output| output.output).collect();
        self.flip_some(generation, all, &request, also).await
    }

    /// Flips segmentations and scores back to the newest kept generation before their current one: one flip for each generation that
    /// this leads to. Doing it again goes further back; [`Columns::flip`] leads forward.
    ///
    /// # Errors
    /// [`Error::NothingEarlier`] before anything was changed, and as [`Columns::flip`].
    pub async fn roll_back(
        &self,
        outputs: &[SegmentationName],
        request: FlipRequest,
    ) -> Result<Vec<Flipped>> {
        let state = self.results.state();
        let mut targets: BTreeMap<GenerationId, BTreeSet<OutputId>> = BTreeMap::new();
        let mut as_of = BTreeMap::new();
        for name in outputs {
            let output = state.find(name.as_str())?;
            let earlier = output.pointer.earlier();
            let earlier = earlier.ok_or_else(|| Error::NothingEarlier { output: name.to_string() })?;
            targets.entry(earlier.generation).or_default().insert(output.id);
            as_of.insert(earlier.generation, earlier.as_of());
        }
        let mut flipped = Vec::with_capacity(targets.len());
        for (generation, outputs) in targets {
            let as_of = as_of.get(&generation).copied().unwrap_or(request.as_of);
            let request = FlipRequest { as_of, ..request.clone() };
            flipped.push(self.flip_some(generation, outputs, &request, WriteSet::new()).await?);
        }
        Ok(flipped)
    }

    async fn flip_some(
        &self,
        generation: GenerationId,
        outputs: BTreeSet<OutputId>,
        request: &FlipRequest,
        mut set: WriteSet,
    ) -> Result<Flipped> {
        let _changing = loop {
            let changing = self.results.change.lock().await;
            let state = self.results.state();
            let pending = state
                .jobs
                .iter()
                .find(|(of, job)| **of == generation || outputs.iter().any(|id| job.stored.concerns(*id)));
            let Some((pending, _)) = pending else { break changing };
            drop(changing);
            self.transitions(*pending, &request.origin).await?;
        };
        let state = self.results.state();
        let flips = self.prepare_flips(&state, generation, &outputs, request).await?;
        let items = flips
            .iter()
            .map(|flip| StoredItem { output: flip.output.id, previous: flip.output.pointer.current });
        let job = StoredJob::new(request, items.collect());
        for flip in &flips {
            let key = keys::pointer(flip.output.id);
            match flip.output.pointer_position {
                Some(position) => set.expect_written_at(key.clone(), position),
                None => set.expect_absent(key.clone()),
            };
            set.put(key, stored::encode(&flip.pointer));
        }
        set.put(keys::transition_job(generation), stored::encode(&job));
        let committed = self.records.commit(set, Some(entry(generation, request, &flips))).await;
        let committed = committed.map_err(|error| conflict(error, &flips))?;
        self.results.put(|state| apply(state, generation, &flips, job, committed.position));
        let outputs = flips.iter().map(|flip| FlippedOutput {
            name: flip.output.name().clone(),
            previous: flip.output.pointer.current,
        });
        let log_number = committed.log_number.unwrap_or_default();
        Ok(Flipped { generation, log_number, outputs: outputs.collect() })
    }

    async fn prepare_flips(
        &self,
        state: &ResultState,
        generation: GenerationId,
        outputs: &BTreeSet<OutputId>,
        request: &FlipRequest,
    ) -> Result<Vec<Flip>> {
        let found = state.find_generation(generation)?;
        let now_ms = self.records.clock().now_ms();
        let mut flips = Vec::with_capacity(outputs.len());
        for id in outputs {
            let output = state.outputs.get(id).ok_or(Error::UnknownGeneration { generation })?;
            let loaded = match found.loaded.get(id) {
                Some(loaded) => Arc::clone(loaded),
                None => {
                    let (store, classes) = (self.records.store().as_ref(), output.classes());
                    Arc::new(load_output(store, generation, &found.header, *id, classes, None).await?)
                }
            };
            let as_of_days = match request.as_of {
                AsOf::Now => None,
                AsOf::Date(date) => Some(Value::days_of(date)),
            };
            let result =
                StoredResult { generation, run: *request.run.as_bytes(), as_of_days, flipped_at_ms: now_ms };
            // A generation that is flipped to again is still the result of the run that made it.
            let result = match output.pointer.result(generation) {
                Some(known) => StoredResult { flipped_at_ms: now_ms, ..known.clone() },
                None => result,
            };
            let pointer = output.pointer.flipped_to(result);
            flips.push(Flip { output: Arc::clone(output), pointer, loaded });
        }
        // A baseline run tells of the segmentations first.
        flips.sort_by_key(|flip| flip.output.is_score());
        Ok(flips)
    }
}

fn apply(
    state: &mut ResultState,
    generation: GenerationId,
    flips: &[Flip],
    job: StoredJob,
    position: Position,
) {
    let mut columns = BTreeMap::new();
    for flip in flips {
        let id = flip.output.id;
        columns.insert(id, (flip.output.loaded.column.clone(), flip.loaded.column.clone()));
        let flipped = Output {
            pointer: flip.pointer.clone(),
            pointer_position: Some(position),
            loaded: Arc::clone(&flip.loaded),
            damaged: None,
            ..Output::clone(&flip.output)
        };
        state.outputs.insert(id, Arc::new(flipped));
    }
    state
        .jobs
        .insert(generation, Arc::new(TransitionJob { stored: job, position, columns: Arc::new(columns) }));
    if let Some(found) = state.generations.get_mut(&generation) {
        Arc::make_mut(found).loaded.clear();
    }
}

/// The `run.flipped` entry.
fn entry(generation: GenerationId, request: &FlipRequest, flips: &[Flip]) -> NewEntry {
    let output = |flip: &Flip| {
        json!({
            "name": flip.output.name().as_str(),
            "previous": flip.output.pointer.current.map(|previous| previous.0),
            "members": flip.loaded.counts.iter().skip(1).sum::<u64>(),
        })
    };
    let of_kind = |is_score: bool| -> Vec<Json> {
        flips.iter().filter(|flip| flip.output.is_score() == is_score).map(output).collect()
    };
    let as_of = match request.as_of {
        AsOf::Now => json!("now"),
        AsOf::Date(date) => json!(date.to_string()),
    };
    let data = json!({
        "run": request.run.to_string(),
        "generation": generation.0,
        "baseline": request.baseline,
        "as_of": as_of,
        "segmentations": of_kind(false),
        "scores": of_kind(true),
        "details": request.data,
    });
    let body = EntryBody::Event { name: "run.flipped".into(), data };
    NewEntry { actor: request.origin.actor.clone(), cause: request.origin.cause.clone(), body }
}

fn conflict(error: trellis_records::Error, flips: &[Flip]) -> Error {
    match &error {
        trellis_records::Error::Storage(trellis_storage::Error::PreconditionFailed { index, .. }) => {
            let name = flips.get(*index).map(|flip| flip.output.name().to_string());
            Error::FlipConflict { output: name.unwrap_or_default() }
        }
        _ => error.into(),
    }
}
