//! What is derived for every customer, kept as columns over ordinals: features folded from the log, and memberships in generations.
//!
//! Features (count, sum, first, last of a customer's events) live in memory and can always be rebuilt. Results (which
//! value of a segmentation each customer has) are truth: blocks of codes in the store, written as a new generation and
//! switched to by flipping one pointer. This crate does not know plugins and starts no threads of its own: somebody
//! calls [`Columns::catch_up`] when the log grows, and computes what goes into a [`GenerationWriter`].
//!
//! ```
//! use trellis_columns::{Aggregate, ColumnSource, DatasetColumn, DatasetSpec};
//! let events = trellis_model::ObjectName::new("order")?;
//! let time = trellis_model::FieldName::new("ordered_on")?;
//! let last = ColumnSource::Aggregate { events, time, aggregate: Aggregate::Last };
//! let spec = DatasetSpec {
//!     object: trellis_model::ObjectName::new("account")?,
//!     columns: vec![DatasetColumn { name: "last_order".into(), source: last }],
//! };
//! assert_eq!(spec.columns.len(), 1);
//! # Ok::<_, trellis_model::Error>(())
//! ```

mod check;
mod config;
mod dataset;
mod error;
mod generation;
mod segmentation;
mod skeleton;

pub use check::CheckReport;
pub use config::Config;
pub use dataset::{Aggregate, AsOf, ColumnSource, DatasetColumn, DatasetSpec};
pub use error::{Error, Result};
pub use generation::{
    CodesColumn, Delta, DeltaOutcome, FlipRequest, Flipped, FlippedSegmentation, GenerationId, Origin, RunId,
    TransitionCounts,
};
pub use segmentation::{
    CurrentResult, MemberPage, SegmentationDefinition, SegmentationInfo, Source, ValueCount, ValueDefinition,
};
pub use skeleton::{Columns, DatasetStream, GenerationWriter};
