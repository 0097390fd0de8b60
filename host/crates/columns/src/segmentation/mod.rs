//! Segmentations: what they are called, which values they have, who has which.

mod types;

pub use types::{
    CurrentResult, MemberPage, SegmentationDefinition, SegmentationInfo, Source, ValueCount, ValueDefinition,
};
