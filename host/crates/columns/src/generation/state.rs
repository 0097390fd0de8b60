use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use trellis_storage::Position;

use super::GenerationId;
use super::column::{Cell, Column};
use super::transitions::TransitionJob;
use crate::keys::OutputId;
use crate::output::{Classes, Output};
use crate::{Error, Result};

/// All results. Readers take the state as it is; whoever changes it holds `change`, commits, and puts a new state.
#[derive(Debug, Default)]
pub(crate) struct Results {
    state: ArcSwap<ResultState>,
    pub(crate) change: tokio::sync::Mutex<()>,
    /// Held while transitions are written, which takes long and changes nothing that readers see.
    pub(crate) writing_transitions: tokio::sync::Mutex<()>,
}

/// What is known about segmentations, scores and generations. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResultState {
    pub(crate) outputs: BTreeMap<OutputId, Arc<Output>>,
    /// Names and aliases.
    pub(crate) names: BTreeMap<String, OutputId>,
    pub(crate) generations: BTreeMap<GenerationId, Arc<Generation>>,
    /// Flips whose transitions are not all written.
    pub(crate) jobs: BTreeMap<GenerationId, Arc<TransitionJob>>,
    /// The greatest number of an output that was removed: it is not given again.
    pub(crate) last_removed: u32,
}

/// A finished generation.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub(crate) header: StoredGeneration,
    /// Where the header was last written.
    pub(crate) position: Position,
    /// Its columns while this process made it and nobody has flipped to it.
    pub(crate) loaded: BTreeMap<OutputId, Arc<Loaded>>,
}

/// A generation's header as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredGeneration {
    pub(crate) run: [u8; 16],
    /// Whether all blocks are there. Only such a generation can be flipped to.
    pub(crate) finished: bool,
    pub(crate) created_at_ms: i64,
    pub(crate) outputs: Vec<StoredOutput>,
}

/// What a generation holds of one segmentation or score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredOutput {
    pub(crate) output: OutputId,
    /// Blocks that are stored; one without members is not.
    pub(crate) blocks: u32,
    /// Customers with a value, deltas aside.
    pub(crate) members: u64,
    /// Sum of the checksums of all blocks.
    pub(crate) digest: u64,
}

/// The values of a segmentation or score in one generation, deltas included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) column: Column,
    /// How many ordinals have each class; that of null means nothing.
    pub(crate) counts: Vec<u64>,
    /// Deltas that are not folded into blocks.
    pub(crate) deltas: usize,
}

impl Results {
    pub(crate) fn new(state: ResultState) -> Self {
        Self { state: ArcSwap::from_pointee(state), ..Self::default() }
    }

    pub(crate) fn state(&self) -> Arc<ResultState> {
        self.state.load_full()
    }

    /// Puts a changed state; the caller holds `change`.
    pub(crate) fn put(&self, change: impl FnOnce(&mut ResultState)) {
        let mut state = ResultState::clone(&self.state.load());
        change(&mut state);
        self.state.store(Arc::new(state));
    }
}

impl ResultState {
    /// The segmentation or score of a name or alias.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Output>> {
        self.names.get(name).and_then(|id| self.outputs.get(id))
    }

    pub(crate) fn find(&self, name: &str) -> Result<&Arc<Output>> {
        self.get(name).ok_or_else(|| Error::UnknownOutput { name: name.to_owned() })
    }

    /// The number for the next segmentation or score that is defined.
    pub(crate) fn next_id(&self) -> OutputId {
        let last = self.outputs.keys().last().map_or(0, |last| last.0);
        OutputId(last.max(self.last_removed) + 1)
    }

    /// Takes an output out with its names.
    pub(crate) fn remove(&mut self, id: OutputId) {
        self.outputs.remove(&id);
        self.names.retain(|_, of| *of != id);
        self.last_removed = self.last_removed.max(id.0);
    }

    /// Puts an output with a new definition.
    pub(crate) fn redefine(&mut self, output: &Arc<Output>) {
        if let Some(before) = self.outputs.get(&output.id) {
            for generation in self.generations.values_mut() {
                let Some(loaded) = generation.loaded.get(&output.id) else { continue };
                let recounted = loaded.recounted(before.classes(), output.classes());
                Arc::make_mut(generation).loaded.insert(output.id, recounted);
            }
        }
        self.names.extend(output.names().map(|name| (name.to_owned(), output.id)));
        self.outputs.insert(output.id, Arc::clone(output));
    }

    pub(crate) fn find_generation(&self, generation: GenerationId) -> Result<&Arc<Generation>> {
        let found = self.generations.get(&generation).filter(|found| found.header.finished);
        found.ok_or(Error::UnknownGeneration { generation })
    }

    /// Whether a pointer or a job still needs the generation.
    pub(crate) fn needs(&self, generation: GenerationId) -> bool {
        let kept = |output: &Arc<Output>| output.pointer.result(generation).is_some();
        let compared = |job: &Arc<TransitionJob>| job.stored.compares(generation);
        self.outputs.values().any(kept) || self.jobs.values().any(compared)
    }
}

impl StoredGeneration {
    pub(crate) fn output(&self, id: OutputId) -> Option<&StoredOutput> {
        self.outputs.iter().find(|output| output.output == id)
    }
}

impl Loaded {
    /// No values at all.
    pub(crate) fn empty(classes: &Classes) -> Self {
        Self { column: Column::empty(classes), counts: Vec::new(), deltas: 0 }
    }

    /// A column with its counts.
    pub(crate) fn of(column: Column, classes: &Classes) -> Self {
        let counts = column.counts(classes);
        Self { column, counts, deltas: 0 }
    }

    /// The same values, counted as other classes.
    pub(crate) fn recounted(self: &Arc<Self>, before: &Classes, after: &Classes) -> Arc<Self> {
        if before == after {
            return Arc::clone(self);
        }
        let column = self.column.clone();
        Arc::new(Self { counts: column.counts(after), column, deltas: self.deltas })
    }

    /// Puts a value and returns the one before.
    pub(crate) fn set(&mut self, ordinal: u64, cell: Cell, classes: &Classes) -> Cell {
        let before = self.column.set(ordinal, cell);
        let (left, entered) = (usize::from(classes.of(before)), usize::from(classes.of(cell)));
        if self.counts.len() <= left.max(entered) {
            self.counts.resize(left.max(entered) + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(left) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.counts.get_mut(entered) {
            *count += 1;
        }
        before
    }
}
