//! What is derived for every customer, kept as columns over ordinals: features folded from the log, memberships and scores in generations.
//!
//! Features (count, sum, first, last of a customer's events) live in memory and can always be rebuilt. Results (which
//! value of a segmentation each customer has, and which number of a score) are truth: blocks in the store, written as a
//! new generation and switched to by flipping one pointer. This crate does not know plugins and starts no threads of its own: somebody
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
mod computed;
mod config;
mod dataset;
mod derived;
mod error;
mod features;
mod fields;
mod generation;
mod go_on;
mod keys;
mod lists;
mod output;
mod population;
mod published;
mod ranking;
mod related;
mod room;
mod rows;
mod score;
mod segmentation;
mod stored;
mod stream;
mod wait;

use std::path::PathBuf;
use std::sync::Arc;

use trellis_records::Records;

pub use check::CheckReport;
pub use config::Config;
pub use dataset::{Aggregate, AsOf, ColumnSource, DatasetColumn, DatasetSpec};
pub use error::{Error, Result};
pub use generation::{
    CodesColumn, Delta, DeltaOutcome, FlipRequest, Flipped, FlippedOutput, GenerationId, GenerationWriter,
    NumbersColumn, Origin, ResultColumn, RunId, ScoreDelta, TransitionCounts,
};
pub use go_on::GoOn;
pub use keys::KeyKind;
pub use output::{CurrentResult, Presence, Source, ValueCount};
pub use published::{PublishedState, PublishedValues};
pub use related::{Figure, Related, Window};
pub use rows::{RowsColumn, RowsSource, RowsSpec, RowsStream};
pub use score::{BandDefinition, ScoreDefinition, ScoreInfo};
pub use segmentation::{
    MemberPage, SegmentationDefinition, SegmentationInfo, Transition, TransitionCount, TransitionPage,
    TransitionsWanted, ValueDefinition,
};
pub use stream::{DatasetStream, withheld};

/// Features and results of every object with ordinals. One a process, shared as `Arc<Columns>`.
#[derive(Debug)]
pub struct Columns {
    records: Arc<Records>,
    config: Config,
    features: features::Features,
    results: generation::Results,
    computed: computed::ComputedColumns,
}

impl Columns {
    /// Loads the segmentations and scores with their current results and, where a checkpoint file allows it, the features.
    ///
    /// `dir` holds the checkpoint files and is created; what is in it can always be rebuilt. Generations that a crash
    /// left unfinished or that nobody flipped to are deleted.
    ///
    /// # Errors
    /// [`Error::Io`] when `dir` cannot be used, [`Error::Damaged`] when the registry of segmentations and scores cannot be read. A
    /// damaged result is no error: its segmentation or score says so in [`SegmentationInfo::damaged`], [`ScoreInfo::damaged`].
    pub async fn open(records: Arc<Records>, dir: PathBuf, config: Config) -> Result<Arc<Self>> {
        let columns = wait::off_thread(async move {
            let features = features::Features::open(&records, dir)?;
            let results = generation::Results::load(&records).await?;
            let columns = Arc::new(Self {
                records,
                config,
                features,
                results,
                computed: computed::ComputedColumns::default(),
            });
            columns.delete_orphaned_generations().await?;
            Ok(columns)
        })
        .await?;
        for output in columns.results.state().outputs.values() {
            columns.ensure_population(output.object).await?;
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests;
