//! Segmentations: what they are called, which values they have, who has which.

mod define;
mod members;
mod remove;
mod state;
mod stored;
mod transitions;
mod types;

pub(crate) use members::is_readable;
pub(crate) use state::{CurrentSegmentation, Segmentation};
pub(crate) use stored::{decode_definition, encode_definition};
pub use types::{
    MemberPage, SegmentationDefinition, SegmentationInfo, Transition, TransitionCount, TransitionPage,
    TransitionsWanted, ValueDefinition,
};
