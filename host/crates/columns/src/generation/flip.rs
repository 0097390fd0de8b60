use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{SegmentationName, Value};
use trellis_records::{EntryBody, NewEntry};
use trellis_storage::{Position, WriteSet};

use super::load::load_output;
use super::state::{Loaded, ResultState};
use super::transitions::{StoredItem, StoredJob, TransitionJob};
use super::types::{FlipRequest, Flipped, FlippedSegmentation, GenerationId};
use crate::keys::{self, SegmentationId};
use crate::segmentation::{Pointer, Segmentation, StoredResult};
use crate::{AsOf, Columns, Error, Result, stored};

/// A segmentation that is about to be flipped.
struct Flip {
    segmentation: Arc<Segmentation>,
    pointer: Pointer,
    loaded: Arc<Loaded>,
}

impl Columns {
    /// Makes a finished generation current for all segmentations that it holds: one write set with one `run.flipped` entry.
    ///
    /// Transitions of an earlier flip that are still pending are written first; those of this flip are pending until
    /// [`Columns::transitions`].
    ///
    /// # Errors
    /// [`Error::UnknownGeneration`], [`Error::FlipConflict`], [`Error::Damaged`] where its blocks cannot be read back.
    pub async fn flip(&self, generation: GenerationId, request: FlipRequest) -> Result<Flipped> {
        let all = self.results.state().find_generation(generation)?.header.outputs.clone();
        let all = all.into_iter().map(|output| output.segmentation).collect();
        self.flip_some(generation, all, &request).await
    }

    /// Flips segmentations back to the newest kept generation before their current one: one flip for each generation that
    /// this leads to. Doing it again goes further back; [`Columns::flip`] leads forward.
    ///
    /// # Errors
    /// [`Error::NothingEarlier`] before anything was changed, and as [`Columns::flip`].
    pub async fn roll_back(
        &self,
        segmentations: &[SegmentationName],
        request: FlipRequest,
    ) -> Result<Vec<Flipped>> {
        let state = self.results.state();
        let mut targets: BTreeMap<GenerationId, BTreeSet<SegmentationId>> = BTreeMap::new();
        let mut as_of = BTreeMap::new();
        for name in segmentations {
            let segmentation = state.find(name.as_str())?;
            let earlier = segmentation.pointer.earlier();
            let earlier = earlier.ok_or_else(|| Error::NothingEarlier { segmentation: name.to_string() })?;
            targets.entry(earlier.generation).or_default().insert(segmentation.id);
            as_of.insert(earlier.generation, earlier.as_of());
        }
        let mut flipped = Vec::with_capacity(targets.len());
        for (generation, segmentations) in targets {
            let as_of = as_of.get(&generation).copied().unwrap_or(request.as_of);
            let request = FlipRequest { as_of, ..request.clone() };
            flipped.push(self.flip_some(generation, segmentations, &request).await?);
        }
        Ok(flipped)
    }

    async fn flip_some(
        &self,
        generation: GenerationId,
        segmentations: BTreeSet<SegmentationId>,
        request: &FlipRequest,
    ) -> Result<Flipped> {
        let _changing = loop {
            let changing = self.results.change.lock().await;
            let state = self.results.state();
            let pending = state.jobs.iter().find(|(of, job)| {
                **of == generation || segmentations.iter().any(|id| job.stored.concerns(*id))
            });
            let Some((pending, _)) = pending else { break changing };
            drop(changing);
            self.transitions(*pending, &request.origin).await?;
        };
        let state = self.results.state();
        let flips = self.prepare_flips(&state, generation, &segmentations, request).await?;
        let items = flips.iter().map(|flip| StoredItem {
            segmentation: flip.segmentation.id,
            previous: flip.segmentation.pointer.current,
        });
        let job = StoredJob::new(request, items.collect());
        let mut set = WriteSet::new();
        for flip in &flips {
            let key = keys::pointer(flip.segmentation.id);
            match flip.segmentation.pointer_position {
                Some(position) => set.expect_written_at(key.clone(), position),
                None => set.expect_absent(key.clone()),
            };
            set.put(key, stored::encode(&flip.pointer));
        }
        set.put(keys::transition_job(generation), stored::encode(&job));
        let committed = self.records.commit(set, Some(entry(generation, request, &flips))).await;
        let committed = committed.map_err(|error| conflict(error, &flips))?;
        self.results.put(|state| apply(state, generation, &flips, job, committed.position));
        let segmentations = flips.iter().map(|flip| FlippedSegmentation {
            name: flip.segmentation.definition.name.clone(),
            previous: flip.segmentation.pointer.current,
        });
        let log_number = committed.log_number.unwrap_or_default();
        Ok(Flipped { generation, log_number, segmentations: segmentations.collect() })
    }

    async fn prepare_flips(
        &self,
        state: &ResultState,
        generation: GenerationId,
        segmentations: &BTreeSet<SegmentationId>,
        request: &FlipRequest,
    ) -> Result<Vec<Flip>> {
        let found = state.find_generation(generation)?;
        let now_ms = self.records.clock().now_ms();
        let mut flips = Vec::with_capacity(segmentations.len());
        for id in segmentations {
            let segmentation = state.segmentations.get(id).ok_or(Error::UnknownGeneration { generation })?;
            let values = segmentation.definition.values.len();
            let loaded = match found.loaded.get(id) {
                Some(loaded) => Arc::clone(loaded),
                None => {
                    let store = self.records.store().as_ref();
                    Arc::new(load_output(store, generation, &found.header, *id, values, None).await?)
                }
            };
            let as_of_days = match request.as_of {
                AsOf::Now => None,
                AsOf::Date(date) => Some(Value::days_of(date)),
            };
            let result =
                StoredResult { generation, run: *request.run.as_bytes(), as_of_days, flipped_at_ms: now_ms };
            // A generation that is flipped to again is still the result of the run that made it.
            let result = match segmentation.pointer.result(generation) {
                Some(known) => StoredResult { flipped_at_ms: now_ms, ..known.clone() },
                None => result,
            };
            let pointer = segmentation.pointer.flipped_to(result);
            flips.push(Flip { segmentation: Arc::clone(segmentation), pointer, loaded });
        }
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
        let id = flip.segmentation.id;
        columns.insert(id, (flip.segmentation.loaded.column.clone(), flip.loaded.column.clone()));
        let flipped = Segmentation {
            pointer: flip.pointer.clone(),
            pointer_position: Some(position),
            loaded: Arc::clone(&flip.loaded),
            damaged: None,
            ..Segmentation::clone(&flip.segmentation)
        };
        state.segmentations.insert(id, Arc::new(flipped));
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
    let segmentation = |flip: &Flip| {
        json!({
            "name": flip.segmentation.definition.name.as_str(),
            "previous": flip.segmentation.pointer.current.map(|previous| previous.0),
            "members": flip.loaded.counts.iter().skip(1).sum::<u64>(),
        })
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
        "segmentations": flips.iter().map(segmentation).collect::<Vec<Json>>(),
        "details": request.data,
    });
    let body = EntryBody::Event { name: "run.flipped".into(), data };
    NewEntry { actor: request.origin.actor.clone(), cause: request.origin.cause.clone(), body }
}

fn conflict(error: trellis_records::Error, flips: &[Flip]) -> Error {
    match &error {
        trellis_records::Error::Storage(trellis_storage::Error::PreconditionFailed { index, .. }) => {
            let name = flips.get(*index).map(|flip| flip.segmentation.definition.name.to_string());
            Error::FlipConflict { segmentation: name.unwrap_or_default() }
        }
        _ => error.into(),
    }
}
