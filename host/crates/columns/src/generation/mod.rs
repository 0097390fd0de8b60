//! Results in generations: blocks of codes that a run writes, one pointer that is flipped, deltas, transitions, the way back.

mod block;
mod delta;
mod flip;
mod load;
mod retire;
mod state;
mod transitions;
mod types;
mod writer;

pub(crate) use load::{check_generation, load_output};
pub(crate) use state::{Loaded, Results, StoredGeneration};
pub use types::{
    CodesColumn, Delta, DeltaOutcome, FlipRequest, Flipped, FlippedSegmentation, GenerationId, Origin, RunId,
    TransitionCounts,
};
pub use writer::GenerationWriter;
