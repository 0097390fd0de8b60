//! Datasets of customers, opened and read.

mod aggregates;
mod rows;
mod withheld;

use std::sync::Arc;

use jiff::civil::Date;
use trellis_model::Batch;

pub(crate) use rows::Rows;
use rows::{ordinals_of, picked};
pub use withheld::withheld;

use crate::dataset::Plan;
use crate::features::today;
use crate::fields::FieldReader;
use crate::published::PublishedValues;
use crate::related::{Reading, RelatedFigures};
use crate::wait::off_thread;
use crate::{AsOf, Columns, DatasetSpec, GoOn, Result};

/// The rows of a dataset as they were when it was opened, batch by batch in the order of ordinals. Blocking: for a worker thread.
///
/// Later changes are not seen: what it reads is shared with the fold, which copies what it changes, and with its clones. Plain fields are
/// the exception; they are read from the records when their batch is made. Figures over related records may hold some that came after
/// [`DatasetStream::log_number`].
#[derive(Debug, Clone)]
pub struct DatasetStream {
    rows: Rows,
    fields: Option<FieldReader>,
    /// Those that were asked for and have a row, ascending; `None`: all rows.
    only: Option<Arc<[u64]>>,
    rows_total: u64,
    log_number: u64,
    batch_rows: usize,
    next_ordinal: u64,
}

/// What a dataset is opened with.
struct Opening {
    plan: Arc<Plan>,
    as_of: AsOf,
    /// The last day that counts, taken once: at midnight all of a row is of the same day.
    day: Date,
    go_on: GoOn,
    published: PublishedValues,
}

impl Columns {
    /// Opens a dataset. Everything that was acknowledged before the call is in. Only ordinals with at least one event up to
    /// `as_of` have a row (every record has where no column is an aggregate); deleted records have none.
    ///
    /// A batch has at most `batch_rows` rows, and at most what [`crate::Config`] allows. The first call for an events object scans
    /// all its events, a past date does so too (the last few are kept); after that it costs what changed.
    ///
    /// # Errors
    /// [`crate::Error::UnknownObject`], [`crate::Error::InvalidDataset`], [`crate::Error::FiguresTooLarge`], those of reading events.
    pub async fn dataset(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        batch_rows: usize,
    ) -> Result<DatasetStream> {
        self.dataset_while(spec, as_of, batch_rows, GoOn::default()).await
    }

    /// As [`Columns::dataset`], for as long as it is wanted.
    ///
    /// # Errors
    /// Those, and that it was cancelled.
    pub async fn dataset_while(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        batch_rows: usize,
        go_on: GoOn,
    ) -> Result<DatasetStream> {
        let (this, opening) = (Arc::clone(self), self.opening(spec, as_of, go_on).await?);
        off_thread(async move {
            let (mut rows, log_number) = this.rows(&opening).await?;
            let reading = this.reading(&opening);
            for source in &opening.plan.related {
                rows.related.push(Arc::new(RelatedFigures::of_all(&reading, source).await?));
            }
            let batch_rows = batch_rows.clamp(1, this.config.batch_rows_max);
            Ok(DatasetStream::new(rows, this.field_reader(&opening.plan), log_number, batch_rows))
        })
        .await
    }

    /// Opens a dataset of some ordinals only: of those, in whatever order and however often they are given, that have a row.
    ///
    /// # Errors
    /// As [`Columns::dataset`].
    pub async fn dataset_rows(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        ordinals: &[u64],
    ) -> Result<DatasetStream> {
        let (this, opening) = (Arc::clone(self), self.opening(spec, as_of, GoOn::default()).await?);
        let mut ordinals = ordinals.to_vec();
        off_thread(async move {
            ordinals.sort_unstable();
            ordinals.dedup();
            let (mut rows, log_number) = this.rows(&opening).await?;
            ordinals.retain(|ordinal| rows.has(*ordinal));
            let (reading, live) = (this.reading(&opening), rows.population.live());
            for source in &opening.plan.related {
                rows.related
                    .push(Arc::new(RelatedFigures::of_rows(&reading, source, &ordinals, live).await?));
            }
            let (fields, batch_rows) = (this.field_reader(&opening.plan), this.config.batch_rows_max);
            Ok(DatasetStream {
                rows_total: ordinals.len() as u64,
                only: Some(ordinals.into()),
                ..DatasetStream::new(rows, fields, log_number, batch_rows)
            })
        })
        .await
    }

    /// The row of one ordinal: a batch with all columns, and without a row where it has none or none is asked for.
    ///
    /// # Errors
    /// As [`Columns::dataset`].
    pub async fn dataset_row(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        ordinal: Option<u64>,
    ) -> Result<Batch> {
        let mut stream = self.dataset_rows(spec, as_of, ordinal.as_slice()).await?;
        off_thread(async move { stream.first() }).await
    }

    /// Returns up to `ordinals_max` ordinals that have a row now, ascending from `from` on. Reads no record.
    ///
    /// # Errors
    /// As [`Columns::dataset`].
    pub async fn ordinals_of(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        from: u64,
        ordinals_max: usize,
    ) -> Result<Vec<u64>> {
        let this = Arc::clone(self);
        let (plan, day) = (Plan::of(&self.records.schema(), spec)?, today(&self.records)?);
        let (go_on, published) = (GoOn::default(), PublishedValues::default());
        let opening = Opening { plan: Arc::new(plan), as_of: AsOf::Now, day, go_on, published };
        off_thread(async move {
            let (rows, _) = this.rows(&opening).await?;
            Ok(ordinals_of(&rows.pick(from, ordinals_max)))
        })
        .await
    }

    async fn opening(self: &Arc<Self>, spec: &DatasetSpec, as_of: AsOf, go_on: GoOn) -> Result<Opening> {
        let plan = Plan::of(&self.records.schema(), spec)?;
        let day = match as_of {
            AsOf::Now => today(&self.records)?,
            AsOf::Date(date) => date,
        };
        if plan.reads_computed() {
            // What was acknowledged is in the columns of computed fields too.
            self.follow_computed().await?;
        }
        // What was shown on a past day is not known.
        let published = match as_of {
            AsOf::Now => self.published(spec),
            AsOf::Date(_) => PublishedValues::default(),
        };
        Ok(Opening { plan: Arc::new(plan), as_of, day, go_on, published })
    }

    fn reading<'a>(&'a self, opening: &'a Opening) -> Reading<'a> {
        Reading {
            records: &self.records,
            object: (opening.plan.object, &opening.plan.object_name),
            day: opening.day,
            page_rows: self.config.events_page_rows,
            bytes_max: self.config.figures_bytes_max,
            go_on: &opening.go_on,
        }
    }

    fn field_reader(&self, plan: &Plan) -> Option<FieldReader> {
        plan.reads_fields().then(|| FieldReader::new(Arc::clone(&self.records)))
    }

    async fn rows(&self, opening: &Opening) -> Result<(Rows, u64)> {
        let plan = Arc::clone(&opening.plan);
        let (sources, population, log_number) = self.prepare(&plan, opening.as_of, opening.day).await?;
        let base_currency = self.records.config().base_currency;
        let bytes_max = self.config.batch_bytes_max;
        let related = Vec::with_capacity(plan.related.len());
        let published = opening.published.clone();
        Ok((Rows { plan, sources, population, related, published, base_currency, bytes_max }, log_number))
    }
}

impl DatasetStream {
    pub(crate) fn new(rows: Rows, fields: Option<FieldReader>, log_number: u64, batch_rows: usize) -> Self {
        let rows_total = rows.count();
        Self { rows, fields, only: None, rows_total, log_number, batch_rows, next_ordinal: 0 }
    }

    /// Returns the next batch, `None` at the end.
    ///
    /// # Errors
    /// Those of reading records, where a column is a plain field.
    #[expect(clippy::should_implement_trait, reason = "fallible, and rewinds")]
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let batch = self.first()?;
        let Some(last) = batch.ordinals.last() else { return Ok(None) };
        self.next_ordinal = last + 1;
        Ok(Some(batch))
    }

    /// The batch that comes next, without rows where none is left.
    fn first(&mut self) -> Result<Batch> {
        let rows_max = self.batch_rows.min(self.rows.rows_max());
        let picked = match &self.only {
            None => self.rows.pick(self.next_ordinal, rows_max),
            Some(only) => {
                let rest = only.get(only.partition_point(|ordinal| *ordinal < self.next_ordinal)..);
                let rest = rest.unwrap_or_default();
                picked(rest.get(..rows_max).unwrap_or(rest))
            }
        };
        self.rows.batch(picked, self.fields.as_mut())
    }

    /// Starts again from the first row.
    pub fn rewind(&mut self) {
        self.next_ordinal = 0;
    }

    /// How many rows there are in all.
    pub fn rows(&self) -> u64 {
        self.rows_total
    }

    /// The scores and segmentations that it reads, as they are in its rows.
    pub fn published(&self) -> &PublishedValues {
        &self.rows.published
    }

    /// Number of the last log entry that is in: what changes later comes from [`Columns::changed_after`] this number.
    pub fn log_number(&self) -> u64 {
        self.log_number
    }
}
