//! Segmentations that a filter makes: their one value is `member`, and whoever matches the filter has it.
//!
//! Their members are a column like a plugin's results, so that everything that knows segments knows them: filters, rules on transitions,
//! campaigns, explanations. They are kept up to date behind the log ([`keep_all`]) and made anew with each day.

mod change;
mod engine;
mod explain;
mod keep;
mod place;
mod reads;
mod uses;
mod words;

pub use change::FilterSegmentation;
use change::{create, remove, replace};
pub(crate) use explain::reasons;
pub(crate) use keep::{Keeper, keep_all};
pub use uses::SegmentationUse;
use uses::uses;

use trellis_columns::{SegmentationInfo, Source};
use trellis_model::{Filter, FilterLimits, Op, SegmentationName, Text};

use crate::{Result, core::Core};

/// The value that everybody has whom the filter of a segmentation, or a list, holds.
pub(crate) const MEMBER: &str = "member";

/// The filter that makes a segmentation, in its JSON form; `None` for another one.
pub(crate) fn filter_of(info: &SegmentationInfo) -> Option<&serde_json::Value> {
    match &info.definition.source {
        Source::Filter { filter } => Some(filter),
        _ => None,
    }
}

/// Why the filter that makes a segmentation cannot be asked any more.
pub(crate) fn problem(core: &Core, info: &SegmentationInfo) -> Option<Text> {
    keep::problem(core, &info.definition.object, filter_of(info)?)
}

/// Whoever has a value.
pub(crate) fn having(segmentation: &SegmentationName, value: &str) -> Result<Filter> {
    let filter = Filter::compare(&format!("segment.{segmentation}"), Op::Eq, value);
    Ok(filter.map_err(trellis_records::Error::from)?)
}

/// A stored filter, which was within its limits when it was stored.
fn parse(filter: &serde_json::Value) -> trellis_model::Result<Filter> {
    let limits = FilterLimits {
        depth_max: usize::MAX,
        nodes_max: usize::MAX,
        values_max: usize::MAX,
        path_steps_max: usize::MAX,
    };
    Filter::parse_within(filter, &limits)
}
