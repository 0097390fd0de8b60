//! Figures over the records that refer to each customer: read from the records as they are now, or from the index of events.
//!
//! What the kept features give (count, sum, first, last of all events) is not here. All figures of a dataset that are about the same
//! records are computed in one pass over them.

mod changes;
mod exact_sum;
mod finished;
mod pass;
mod plan;
mod read;
mod roll_up;
mod spec;
mod state;
mod texts;
mod window;

pub(crate) use changes::RelatedChanges;
pub(crate) use finished::FigureColumn;
pub(crate) use plan::{RelatedSource, check_title, texts_of};
pub(crate) use read::{Reading, RelatedFigures};
pub(crate) use roll_up::{Followed, rolled_up};
pub use spec::{Figure, Related, Window};
pub(crate) use texts::names;
