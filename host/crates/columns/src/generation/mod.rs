//! Results in generations: blocks that a run writes, one pointer that is flipped, deltas, transitions, the way back.

mod block;
mod codes;
mod column;
mod delta;
mod flip;
mod fold;
mod load;
mod numbers;
mod retire;
mod state;
mod transitions;
mod types;
mod writer;

pub(crate) use block::Block;
pub(crate) use column::{Cell, Column};
pub(crate) use load::{check_generation, load_output};
pub(crate) use numbers::{Number, NumberBlock};
pub(crate) use state::{Loaded, Results};
pub use types::{
    CodesColumn, Delta, DeltaOutcome, FlipRequest, Flipped, FlippedOutput, GenerationId, NumbersColumn,
    Origin, ResultColumn, RunId, ScoreDelta, TransitionCounts,
};
pub use writer::GenerationWriter;

/// The codes of a segmentation.
pub(crate) type CodeColumn = column::BlockColumn<codes::CodeBlock>;
/// The numbers of a score.
pub(crate) type NumberColumn = column::BlockColumn<numbers::NumberBlock>;
