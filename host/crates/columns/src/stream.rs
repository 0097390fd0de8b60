use std::sync::Arc;

use jiff::civil::Date;
use trellis_model::{Batch, Column, ColumnData, Currency, TextColumn, Validity};

use crate::dataset::{EventSource, EventValueKind, Plan, PlannedSource};
use crate::features::{CHUNK_ROWS, Chunk, FeatureColumns, Sums, today};
use crate::fields::FieldReader;
use crate::population::Population;
use crate::related::{FigureColumn, RelatedFigures};
use crate::wait::{off_thread, wait};
use crate::{AsOf, Columns, DatasetSpec, Result};

/// The rows of a dataset as they were when it was opened, batch by batch in the order of ordinals. Blocking: for a worker thread.
///
/// Later changes are not seen: what it reads is shared with the fold, which copies what it changes. Plain fields are the
/// exception; they are read from the records when their batch is made. Figures over related records may hold some that came
/// after [`DatasetStream::log_number`].
#[derive(Debug, Clone)]
pub struct DatasetStream {
    rows: Rows,
    fields: Option<FieldReader>,
    rows_total: u64,
    log_number: u64,
    batch_rows: usize,
    next_ordinal: u64,
}

/// What a dataset's rows are read from.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) plan: Plan,
    pub(crate) sources: Vec<FeatureColumns>,
    pub(crate) population: Arc<Population>,
    /// In the order of the plan's related sources.
    pub(crate) related: Vec<RelatedFigures>,
    pub(crate) base_currency: Currency,
    /// Bytes of a batch at most.
    pub(crate) bytes_max: usize,
}

/// Rows of one chunk that go into a batch.
#[derive(Debug)]
struct Picked {
    chunk: usize,
    places: Vec<u16>,
}

impl Columns {
    /// Opens a dataset. Everything that was acknowledged before the call is in. Only ordinals with at least one event up to
    /// `as_of` have a row (every record has where no column is an aggregate); deleted records have none.
    ///
    /// A batch has at most `batch_rows` rows, and at most what [`crate::Config`] allows. The first call for an events object scans
    /// all its events, a past date does so too (the last few are kept); after that it costs what changed.
    ///
    /// # Errors
    /// [`crate::Error::UnknownObject`], [`crate::Error::InvalidDataset`], those of reading events.
    pub async fn dataset(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        batch_rows: usize,
    ) -> Result<DatasetStream> {
        let this = Arc::clone(self);
        let plan = Plan::of(&self.records.schema(), spec)?;
        off_thread(async move {
            let fields = plan.reads_fields().then(|| FieldReader::new(Arc::clone(&this.records)));
            let (mut rows, log_number) = this.rows(plan, as_of).await?;
            let (day, page_rows) = (this.day_of(as_of)?, this.config.events_page_rows);
            for source in &rows.plan.related {
                let figures = RelatedFigures::of_all(&this.records, &rows.plan, source, day, page_rows);
                rows.related.push(figures.await?);
            }
            let batch_rows = batch_rows.clamp(1, this.config.batch_rows_max);
            Ok(DatasetStream::new(rows, fields, log_number, batch_rows))
        })
        .await
    }

    /// Returns the rows of some ordinals in ascending order, without those that have none.
    ///
    /// # Errors
    /// As [`Columns::dataset`].
    pub async fn dataset_rows(
        self: &Arc<Self>,
        spec: &DatasetSpec,
        as_of: AsOf,
        ordinals: &[u64],
    ) -> Result<Batch> {
        let this = Arc::clone(self);
        let plan = Plan::of(&self.records.schema(), spec)?;
        let mut ordinals = ordinals.to_vec();
        ordinals.sort_unstable();
        ordinals.dedup();
        off_thread(async move {
            let mut fields = plan.reads_fields().then(|| FieldReader::new(Arc::clone(&this.records)));
            let (mut rows, _) = this.rows(plan, as_of).await?;
            ordinals.retain(|ordinal| rows.has(*ordinal));
            let (day, page_rows) = (this.day_of(as_of)?, this.config.events_page_rows);
            for source in &rows.plan.related {
                let (records, plan) = (&this.records, &rows.plan);
                let figures = RelatedFigures::of_rows(records, plan, source, day, &ordinals, page_rows);
                rows.related.push(figures.await?);
            }
            let mut picked: Vec<Picked> = Vec::new();
            for ordinal in ordinals {
                let chunk = (ordinal / CHUNK_ROWS as u64) as usize;
                let place = (ordinal % CHUNK_ROWS as u64) as u16;
                match picked.last_mut() {
                    Some(last) if last.chunk == chunk => last.places.push(place),
                    _ => picked.push(Picked { chunk, places: vec![place] }),
                }
            }
            rows.batch(picked, fields.as_mut())
        })
        .await
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
        let plan = Plan::of(&self.records.schema(), spec)?;
        off_thread(async move {
            let (rows, _) = this.rows(plan, AsOf::Now).await?;
            Ok(ordinals_of(&rows.pick(from, ordinals_max)))
        })
        .await
    }

    /// The last day that counts.
    fn day_of(&self, as_of: AsOf) -> Result<Date> {
        match as_of {
            AsOf::Now => today(&self.records),
            AsOf::Date(date) => Ok(date),
        }
    }

    async fn rows(&self, plan: Plan, as_of: AsOf) -> Result<(Rows, u64)> {
        let (sources, population, log_number) = self.prepare(&plan, as_of).await?;
        let base_currency = self.records.config().base_currency;
        let bytes_max = self.config.batch_bytes_max;
        let related = Vec::with_capacity(plan.related.len());
        Ok((Rows { plan, sources, population, related, base_currency, bytes_max }, log_number))
    }
}

impl DatasetStream {
    pub(crate) fn new(rows: Rows, fields: Option<FieldReader>, log_number: u64, batch_rows: usize) -> Self {
        let rows_total = rows.count();
        Self { rows, fields, rows_total, log_number, batch_rows, next_ordinal: 0 }
    }

    /// Returns the next batch, `None` at the end.
    ///
    /// # Errors
    /// Those of reading records, where a column is a plain field.
    #[expect(clippy::should_implement_trait, reason = "fallible, and rewinds")]
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let rows_max = self.batch_rows.min(self.rows.bytes_max / self.rows.row_bytes()).max(1);
        let picked = self.rows.pick(self.next_ordinal, rows_max);
        if picked.is_empty() {
            return Ok(None);
        }
        let batch = self.rows.batch(picked, self.fields.as_mut())?;
        if let Some(last) = batch.ordinals.last() {
            self.next_ordinal = last + 1;
        }
        Ok(Some(batch))
    }

    /// Starts again from the first row.
    pub fn rewind(&mut self) {
        self.next_ordinal = 0;
    }

    /// How many rows there are in all.
    pub fn rows(&self) -> u64 {
        self.rows_total
    }

    /// Number of the last log entry that is in: what changes later comes from [`Columns::changed_after`] this number.
    pub fn log_number(&self) -> u64 {
        self.log_number
    }
}

impl Rows {
    fn has(&self, ordinal: u64) -> bool {
        let (chunk, place) = crate::features::place(ordinal);
        let has_event =
            |source: &FeatureColumns| source.chunk(chunk).counts.get(place).is_some_and(|n| *n > 0);
        self.population.contains(ordinal) && (self.sources.is_empty() || self.sources.iter().any(has_event))
    }

    /// The rows among 64 ordinals as bits.
    fn word(&self, chunk: usize, word: usize) -> u64 {
        let live = self.population.word((chunk * CHUNK_ROWS / 64 + word) as u64);
        if self.sources.is_empty() || live == 0 {
            return live;
        }
        let events = self.sources.iter().fold(0, |bits, source| {
            let counts = source.chunk(chunk).counts.get(word * 64..word * 64 + 64).unwrap_or_default();
            counts.iter().rev().fold(0, |bits, count| bits << 1 | u64::from(*count > 0)) | bits
        });
        live & events
    }

    fn chunks(&self) -> usize {
        self.population.bound().div_ceil(CHUNK_ROWS as u64) as usize
    }

    fn count(&self) -> u64 {
        let words = (0..self.chunks()).flat_map(|chunk| (0..CHUNK_ROWS / 64).map(move |word| (chunk, word)));
        words.map(|(chunk, word)| u64::from(self.word(chunk, word).count_ones())).sum()
    }

    /// Up to `rows_max` rows from an ordinal on.
    fn pick(&self, from: u64, rows_max: usize) -> Vec<Picked> {
        let (mut picked, mut left) = (Vec::new(), rows_max);
        let (first_chunk, first_place) = crate::features::place(from);
        for chunk in first_chunk..self.chunks() {
            let skip = if chunk == first_chunk { first_place } else { 0 };
            let mut places = Vec::new();
            for word in skip / 64..CHUNK_ROWS / 64 {
                let mut bits = self.word(chunk, word);
                if word == skip / 64 {
                    bits &= u64::MAX << (skip % 64);
                }
                while bits != 0 && left > 0 {
                    places.push((word * 64) as u16 + bits.trailing_zeros() as u16);
                    bits &= bits - 1;
                    left -= 1;
                }
            }
            if !places.is_empty() {
                picked.push(Picked { chunk, places });
            }
            if left == 0 {
                break;
            }
        }
        picked
    }

    /// Bytes that a row takes at least.
    fn row_bytes(&self) -> usize {
        8 + 9 * self.plan.columns.len()
    }

    fn batch(&self, mut picked: Vec<Picked>, fields: Option<&mut FieldReader>) -> Result<Batch> {
        let mut ordinals = ordinals_of(&picked);
        let mut places: Vec<_> = self.related.iter().map(|figures| figures.places(&ordinals)).collect();
        let bytes_max = self.bytes_max.saturating_sub(ordinals.len() * self.row_bytes());
        let mut rows = self.rows_within(&places, bytes_max);
        ordinals.truncate(rows);
        let mut read = Vec::new();
        if let Some(fields) = fields {
            (read, rows) = wait(fields.read(&self.plan, &ordinals, bytes_max))?;
            ordinals.truncate(rows);
        }
        truncate(&mut picked, rows);
        places.iter_mut().for_each(|places| places.truncate(rows));
        let mut read = read.into_iter();
        let columns = self.plan.columns.iter().map(|column| {
            let (valid, data) = match &column.source {
                PlannedSource::Field(_) => read.next().expect("one was read for each field"),
                PlannedSource::Related { source, figure } => {
                    let column = self.figure(*source, *figure).zip(places.get(*source));
                    let (column, places) = column.expect("the plan names figures that were read");
                    column.column(places, self.base_currency)
                }
                source => self.aggregate(source, &picked),
            };
            let (valid, data) = if column.withheld { withheld(data) } else { (valid, data) };
            Column { name: column.name.clone(), valid, data }
        });
        let columns = columns.collect();
        Ok(Batch { rows: ordinals.len() as u32, ordinals, columns })
    }

    fn figure(&self, source: usize, figure: usize) -> Option<&FigureColumn> {
        self.related.get(source)?.figure(figure)
    }

    /// How many of the first rows have lists of texts that fit so many bytes; at least one.
    fn rows_within(&self, places: &[Vec<Option<usize>>], bytes_max: usize) -> usize {
        let figures = self.plan.columns.iter().filter_map(|column| match column.source {
            PlannedSource::Related { source, figure } => self.figure(source, figure).zip(places.get(source)),
            _ => None,
        });
        let rows = figures.map(|(figure, places)| figure.rows_within(places, bytes_max));
        rows.min().map_or(usize::MAX, |rows| rows.max(1))
    }

    #[expect(clippy::indexing_slicing, reason = "a plan names sources and values that it holds")]
    fn aggregate(&self, column: &PlannedSource, picked: &[Picked]) -> (Validity, ColumnData) {
        match *column {
            PlannedSource::Field(_) | PlannedSource::Related { .. } => {
                unreachable!("fields and related records are read elsewhere")
            }
            PlannedSource::Count { source } => {
                let counts = gather(&self.sources[source], picked, |chunk| &chunk.counts, i64::from);
                (Validity::all(), ColumnData::Int64(counts))
            }
            PlannedSource::Sum { source, value } => self.sums(source, value, picked),
            PlannedSource::First { source } => self.times(source, picked, |chunk| &chunk.first),
            PlannedSource::Last { source } => self.times(source, picked, |chunk| &chunk.last),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a plan names sources and values that it holds")]
    fn sums(&self, source: usize, value: usize, picked: &[Picked]) -> (Validity, ColumnData) {
        let features = &self.sources[source];
        let kind = self.plan.sources[source].values[value].kind;
        if kind == EventValueKind::Number {
            let mut values = Vec::with_capacity(picked.iter().map(|part| part.places.len()).sum());
            for part in picked {
                let Sums::Float(sums) = &features.chunk(part.chunk).sums[value] else { continue };
                values.extend(part.places.iter().map(|place| sums[usize::from(*place)]));
            }
            let valid = Validity::from_flags(values.iter().map(|value| value.is_finite()));
            return (valid, ColumnData::Float64(values));
        }
        let mut fits = true;
        let mut values = Vec::with_capacity(picked.iter().map(|picked| picked.places.len()).sum());
        for part in picked {
            let Sums::Exact(sums) = &features.chunk(part.chunk).sums[value] else { continue };
            values.extend(part.places.iter().map(|place| {
                let sum = sums[usize::from(*place)];
                fits &= i64::try_from(sum).is_ok();
                sum as i64
            }));
        }
        let valid = if fits { Validity::all() } else { self.fitting(features, value, picked) };
        let data = match kind {
            EventValueKind::Money => {
                ColumnData::Money { currency: self.base_currency.to_string(), minor_units: values }
            }
            _ => ColumnData::Int64(values),
        };
        (valid, data)
    }

    /// Which sums fit 64 bits.
    #[expect(clippy::indexing_slicing, reason = "a plan names sources and values that it holds")]
    fn fitting(&self, features: &FeatureColumns, value: usize, picked: &[Picked]) -> Validity {
        Validity::from_flags(picked.iter().flat_map(|part| {
            let sums = &features.chunk(part.chunk).sums[value];
            part.places.iter().map(move |place| match sums {
                Sums::Exact(sums) => i64::try_from(sums[usize::from(*place)]).is_ok(),
                Sums::Float(_) => false,
            })
        }))
    }

    #[expect(clippy::indexing_slicing, reason = "a plan names sources that it holds")]
    fn times(
        &self,
        source: usize,
        picked: &[Picked],
        times: impl Fn(&Chunk) -> &Vec<i64>,
    ) -> (Validity, ColumnData) {
        let features = &self.sources[source];
        let EventSource { time_is_date, .. } = self.plan.sources[source];
        // With a single source every row has an event of it.
        let valid = if self.sources.len() == 1 {
            Validity::all()
        } else {
            Validity::from_flags(gather(features, picked, |chunk| &chunk.counts, |count| count > 0))
        };
        let data = if time_is_date {
            ColumnData::Date(gather(features, picked, times, |day| day as i32))
        } else {
            ColumnData::Time(gather(features, picked, times, |time| time))
        };
        (valid, data)
    }
}

/// The values of the picked rows, one column.
#[expect(clippy::indexing_slicing, reason = "places are within a chunk")]
fn gather<T: Copy, U>(
    features: &FeatureColumns,
    picked: &[Picked],
    values: impl Fn(&Chunk) -> &Vec<T>,
    convert: impl Fn(T) -> U,
) -> Vec<U> {
    let mut gathered = Vec::with_capacity(picked.iter().map(|picked| picked.places.len()).sum());
    for part in picked {
        let values = values(features.chunk(part.chunk));
        if part.places.len() == CHUNK_ROWS {
            gathered.extend(values.iter().map(|value| convert(*value)));
        } else {
            gathered.extend(part.places.iter().map(|place| convert(values[usize::from(*place)])));
        }
    }
    gathered
}

fn ordinals_of(picked: &[Picked]) -> Vec<u64> {
    let mut ordinals = Vec::with_capacity(picked.iter().map(|part| part.places.len()).sum());
    for part in picked {
        let start = (part.chunk * CHUNK_ROWS) as u64;
        ordinals.extend(part.places.iter().map(|place| start + u64::from(*place)));
    }
    ordinals
}

fn truncate(picked: &mut [Picked], mut rows: usize) {
    for part in picked {
        part.places.truncate(rows);
        rows -= part.places.len();
    }
}

/// A column of the same type and length in which no row has a value, and nothing is left of what was there.
pub(crate) fn withheld(data: ColumnData) -> (Validity, ColumnData) {
    let rows = data.len();
    let data = match data {
        ColumnData::Float64(_) => ColumnData::Float64(vec![0.0; rows]),
        ColumnData::Int64(_) => ColumnData::Int64(vec![0; rows]),
        ColumnData::Boolean(_) => ColumnData::Boolean(vec![0; rows]),
        ColumnData::Date(_) => ColumnData::Date(vec![0; rows]),
        ColumnData::Time(_) => ColumnData::Time(vec![0; rows]),
        ColumnData::Money { currency, .. } => ColumnData::Money { currency, minor_units: vec![0; rows] },
        ColumnData::Text(_) => ColumnData::Text((0..rows).map(|_| "").collect()),
        ColumnData::Dictionary { .. } => {
            ColumnData::Dictionary { codes: vec![0; rows], values: TextColumn::default() }
        }
        ColumnData::Reference(_) => ColumnData::Reference(vec![0; rows]),
        ColumnData::DictionaryList { .. } => ColumnData::DictionaryList {
            offsets: vec![0; rows + 1],
            codes: Vec::new(),
            values: TextColumn::default(),
        },
    };
    (Validity::from_flags(std::iter::repeat_n(false, rows)), data)
}
