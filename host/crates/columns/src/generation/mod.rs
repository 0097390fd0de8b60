//! Results in generations: blocks of codes that a run writes, one pointer that is flipped, deltas, transitions, the way back.

mod types;

pub use types::{
    CodesColumn, Delta, DeltaOutcome, FlipRequest, Flipped, FlippedSegmentation, GenerationId, Origin, RunId,
    TransitionCounts,
};
