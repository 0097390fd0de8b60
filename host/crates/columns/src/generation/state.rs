use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use trellis_storage::Position;

use super::GenerationId;
use super::block::CodeColumn;
use super::transitions::TransitionJob;
use crate::keys::SegmentationId;
use crate::segmentation::Segmentation;
use crate::{Error, Result};

/// All results. Readers take the state as it is; whoever changes it holds `change`, commits, and puts a new state.
#[derive(Debug, Default)]
pub(crate) struct Results {
    state: ArcSwap<ResultState>,
    pub(crate) change: tokio::sync::Mutex<()>,
    /// Held while transitions are written, which takes long and changes nothing that readers see.
    pub(crate) writing_transitions: tokio::sync::Mutex<()>,
}

/// What is known about segmentations and generations. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResultState {
    pub(crate) segmentations: BTreeMap<SegmentationId, Arc<Segmentation>>,
    /// Names and aliases.
    pub(crate) names: BTreeMap<String, SegmentationId>,
    pub(crate) generations: BTreeMap<GenerationId, Arc<Generation>>,
    /// Flips whose transitions are not all written.
    pub(crate) jobs: BTreeMap<GenerationId, Arc<TransitionJob>>,
}

/// A finished generation.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub(crate) header: StoredGeneration,
    /// Where the header was last written.
    pub(crate) position: Position,
    /// Its columns while this process made it and nobody has flipped to it.
    pub(crate) loaded: BTreeMap<SegmentationId, Arc<Loaded>>,
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

/// What a generation holds of one segmentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredOutput {
    pub(crate) segmentation: SegmentationId,
    /// Blocks that are stored; one without members is not.
    pub(crate) blocks: u32,
    /// Customers with a value, deltas aside.
    pub(crate) members: u64,
    /// Sum of the checksums of all blocks.
    pub(crate) digest: u64,
}

/// A segmentation's codes in one generation, deltas included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Loaded {
    pub(crate) column: CodeColumn,
    /// How many ordinals have each code; that of null means nothing.
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
    /// The segmentation of a name or alias.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Segmentation>> {
        self.names.get(name).and_then(|id| self.segmentations.get(id))
    }

    pub(crate) fn find(&self, name: &str) -> Result<&Arc<Segmentation>> {
        self.get(name).ok_or_else(|| Error::UnknownSegmentation { name: name.to_owned() })
    }

    pub(crate) fn find_generation(&self, generation: GenerationId) -> Result<&Arc<Generation>> {
        let found = self.generations.get(&generation).filter(|found| found.header.finished);
        found.ok_or(Error::UnknownGeneration { generation })
    }

    /// Whether a segmentation's pointer or a job still needs the generation.
    pub(crate) fn needs(&self, generation: GenerationId) -> bool {
        let kept = |segmentation: &Arc<Segmentation>| segmentation.pointer.result(generation).is_some();
        let compared = |job: &Arc<TransitionJob>| job.stored.compares(generation);
        self.segmentations.values().any(kept) || self.jobs.values().any(compared)
    }
}

impl StoredGeneration {
    pub(crate) fn output(&self, segmentation: SegmentationId) -> Option<&StoredOutput> {
        self.outputs.iter().find(|output| output.segmentation == segmentation)
    }
}

impl Loaded {
    /// A column with its counts, for a segmentation of so many values.
    pub(crate) fn of(column: CodeColumn, values: usize) -> Self {
        let counts = column.counts(values + 1);
        Self { column, counts, deltas: 0 }
    }

    /// Puts a code and returns the one before.
    pub(crate) fn set(&mut self, ordinal: u64, code: u16) -> u16 {
        let before = self.column.set(ordinal, code);
        let needed = usize::from(before.max(code)) + 1;
        if self.counts.len() < needed {
            self.counts.resize(needed, 0);
        }
        if let Some(count) = self.counts.get_mut(usize::from(before)) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.counts.get_mut(usize::from(code)) {
            *count += 1;
        }
        before
    }
}
