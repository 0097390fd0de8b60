//! Segmentations: what they are called, which values they have, who has which.

mod define;
mod members;
mod state;
mod stored;
mod types;

pub(crate) use state::Segmentation;
pub(crate) use stored::{Pointer, StoredResult, decode_definition};
pub use types::{
    CurrentResult, MemberPage, SegmentationDefinition, SegmentationInfo, Source, ValueCount, ValueDefinition,
};
