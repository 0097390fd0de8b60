//! Replaced within the hour.
#![expect(clippy::unimplemented, reason = "signatures first")]

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::{Batch, ObjectId, Op, Path, PluginId, Scope, SegmentationName};
use trellis_records::{DerivedFields, DerivedValue, Records};

use crate::{
    AsOf, CheckReport, CodesColumn, Config, DatasetSpec, Delta, DeltaOutcome, FlipRequest, Flipped,
    GenerationId, MemberPage, Origin, Result, RunId, SegmentationDefinition, SegmentationInfo,
    TransitionCounts,
};

/// Features and results of every object with ordinals. One a process, shared as `Arc<Columns>`.
#[derive(Debug)]
pub struct Columns {}

impl Columns {
    /// Loads the segmentations with their current results and, where a checkpoint file allows it, the features.
    pub async fn open(records: Arc<Records>, dir: PathBuf, config: Config) -> Result<Arc<Self>> {
        let _ = (records, dir, config);
        unimplemented!()
    }
    /// Folds what the log has gained; returns the number of the last entry that is in.
    pub async fn catch_up(self: &Arc<Self>) -> Result<u64> {
        unimplemented!()
    }
    /// Writes checkpoint files.
    pub async fn checkpoint(self: &Arc<Self>) -> Result<()> {
        unimplemented!()
    }
    /// Has the features of a dataset kept warm.
    pub fn declare(&self, spec: &DatasetSpec) -> Result<()> {
        let _ = spec;
        unimplemented!()
    }
    /// Opens a dataset as it is now; `batch_rows` is cut to the limits.
    pub async fn dataset(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        batch_rows: usize,
    ) -> Result<DatasetStream> {
        let _ = (spec, as_of, batch_rows);
        unimplemented!()
    }
    /// The rows of some ordinals (ascending), without those that the dataset has no row for.
    pub async fn dataset_rows(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        ordinals: &[u64],
    ) -> Result<Batch> {
        let _ = (spec, as_of, ordinals);
        unimplemented!()
    }
    /// The ordinals (ascending) whose row of the dataset may have changed after a log number, and the log number up to which that was looked for.
    pub async fn changed_after(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        log_number: u64,
    ) -> Result<(Vec<u64>, u64)> {
        let _ = (spec, log_number);
        unimplemented!()
    }
    /// Defines a segmentation, or adds to what is defined.
    pub async fn define(&self, definition: SegmentationDefinition) -> Result<Arc<SegmentationInfo>> {
        let _ = definition;
        unimplemented!()
    }
    /// All segmentations in the order in which they were defined.
    pub fn segmentations(&self) -> Vec<Arc<SegmentationInfo>> {
        unimplemented!()
    }
    /// The segmentation of a name or alias.
    pub fn segmentation(&self, name: &str) -> Option<Arc<SegmentationInfo>> {
        let _ = name;
        unimplemented!()
    }
    /// Marks the segmentations of a plugin as stale, or as kept up to date again.
    pub async fn set_stale(&self, plugin: &PluginId, stale: bool) -> Result<()> {
        let _ = (plugin, stale);
        unimplemented!()
    }
    /// A page of the customers that have a value.
    pub async fn members(
        &self,
        scope: &Scope,
        segmentation: &str,
        value: &str,
        after: Option<u64>,
        rows_max: usize,
    ) -> Result<MemberPage> {
        let _ = (scope, segmentation, value, after, rows_max);
        unimplemented!()
    }
    /// The value of a customer that the caller may see.
    pub fn value_of(&self, scope: &Scope, segmentation: &str, ordinal: u64) -> Option<String> {
        let _ = (scope, segmentation, ordinal);
        unimplemented!()
    }
    /// Begins a generation with results for these segmentations (names or aliases).
    pub fn begin(self: &Arc<Self>, run: RunId, outputs: &[SegmentationName]) -> Result<GenerationWriter> {
        let _ = (run, outputs);
        unimplemented!()
    }
    /// Makes a finished generation current.
    pub async fn flip(&self, generation: GenerationId, request: FlipRequest) -> Result<Flipped> {
        let _ = (generation, request);
        unimplemented!()
    }
    /// Drops a finished generation that was not flipped to.
    pub async fn discard(&self, generation: GenerationId) -> Result<()> {
        let _ = generation;
        unimplemented!()
    }
    /// Writes the pending transitions of a flip; after a crash, those that are left.
    pub async fn transitions(&self, generation: GenerationId, origin: &Origin) -> Result<TransitionCounts> {
        let _ = (generation, origin);
        unimplemented!()
    }
    /// Generations whose transitions are not all written.
    pub fn pending_transitions(&self) -> Vec<GenerationId> {
        unimplemented!()
    }
    /// Writes single results computed with the model of `generation`.
    pub async fn put_delta(
        &self,
        generation: GenerationId,
        segmentation: &str,
        deltas: &[Delta],
        origin: &Origin,
    ) -> Result<DeltaOutcome> {
        let _ = (generation, segmentation, deltas, origin);
        unimplemented!()
    }
    /// Flips the segmentations back to the newest kept generation before their current one.
    pub async fn roll_back(
        &self,
        segmentations: &[SegmentationName],
        request: FlipRequest,
    ) -> Result<Vec<Flipped>> {
        let _ = (segmentations, request);
        unimplemented!()
    }
    /// Compares features with a fresh scan, and results with their counts.
    pub async fn check(self: &Arc<Self>) -> Result<CheckReport> {
        unimplemented!()
    }
}

impl DerivedFields for Columns {
    fn knows(&self, _: ObjectId, _: &Path) -> bool {
        unimplemented!()
    }
    fn value(&self, _: ObjectId, _: &Path, _: u64) -> Option<DerivedValue> {
        unimplemented!()
    }
    fn matching(&self, _: ObjectId, _: &Path, _: Op, _: &Json, _: Option<u64>, _: usize) -> Option<Vec<u64>> {
        unimplemented!()
    }
}

/// A dataset, batch by batch; blocking.
#[derive(Debug)]
pub struct DatasetStream {}

impl DatasetStream {
    /// The next batch; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        unimplemented!()
    }
    /// Starts again: the same rows.
    pub fn rewind(&mut self) {}
    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        unimplemented!()
    }
    /// The log number up to which changes are in: what a run notes as P0.
    pub fn log_number(&self) -> u64 {
        unimplemented!()
    }
}

/// Gathers the results of a run.
#[derive(Debug)]
pub struct GenerationWriter {}

impl GenerationWriter {
    /// Adds rows in ascending order of ordinals: one column per output, in the order of `begin`. In memory, does not block.
    pub fn append(&mut self, ordinals: &[u64], columns: &[CodesColumn<'_>]) -> Result<()> {
        let _ = (ordinals, columns);
        unimplemented!()
    }
    /// Stores all blocks; then the generation can be flipped to.
    pub async fn finish(self) -> Result<GenerationId> {
        unimplemented!()
    }
}
