use std::sync::Arc;

use trellis_model::ColumnData;
use trellis_records::EventPage;

use crate::dataset::{EventSource, EventValueKind};
use crate::{Error, Result};

/// Ordinals of a chunk. Chunks are shared with streams that read them; a change copies one chunk, not all.
pub(crate) const CHUNK_ROWS: usize = 4_096;

/// Features of [`CHUNK_ROWS`] ordinals. Where the count is 0 the rest means nothing, and is 0.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) counts: Vec<u32>,
    pub(crate) first: Vec<i64>,
    pub(crate) last: Vec<i64>,
    pub(crate) sums: Vec<Sums>,
    /// No event of the chunk is later. One that was, and is forgotten, still counts here.
    latest: i64,
}

/// Sums of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sums {
    /// Of whole numbers and minor units: no order matters and nothing overflows.
    Exact(Vec<i128>),
    /// Of numbers: in the order of time and id.
    Float(Vec<f64>),
}

/// A number that an event carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum EventNumber {
    Exact(i64),
    Float(f64),
}

/// The features of one ordinal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureRow {
    pub(crate) count: u32,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) sums: Vec<SumValue>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SumValue {
    Exact(i128),
    Float(f64),
}

/// Features of all ordinals of an events object's target.
#[derive(Debug, Clone)]
pub(crate) struct FeatureColumns {
    chunks: Vec<Arc<Chunk>>,
    empty: Arc<Chunk>,
}

impl Chunk {
    /// From its stored form: vectors of [`CHUNK_ROWS`] each.
    pub(crate) fn new(counts: Vec<u32>, first: Vec<i64>, last: Vec<i64>, sums: Vec<Sums>) -> Self {
        let events = counts.iter().zip(&last).filter(|(count, _)| **count > 0);
        let latest = events.map(|(_, last)| *last).max().unwrap_or(i64::MIN);
        Self { counts, first, last, sums, latest }
    }

    fn empty(source: &EventSource) -> Self {
        let sums = source.values.iter().map(|value| match value.kind {
            EventValueKind::Number => Sums::Float(vec![0.0; CHUNK_ROWS]),
            EventValueKind::Integer | EventValueKind::Money => Sums::Exact(vec![0; CHUNK_ROWS]),
        });
        Self {
            counts: vec![0; CHUNK_ROWS],
            first: vec![0; CHUNK_ROWS],
            last: vec![0; CHUNK_ROWS],
            sums: sums.collect(),
            latest: i64::MIN,
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder by CHUNK_ROWS is within a chunk")]
    fn add_time(&mut self, at: usize, time: i64) {
        let first_event = self.counts[at] == 0;
        self.counts[at] += 1;
        self.first[at] = if first_event { time } else { self.first[at].min(time) };
        self.last[at] = if first_event { time } else { self.last[at].max(time) };
        self.latest = self.latest.max(time);
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder by CHUNK_ROWS is within a chunk")]
    fn clear(&mut self, at: usize) {
        self.counts[at] = 0;
        self.first[at] = 0;
        self.last[at] = 0;
        for sums in &mut self.sums {
            match sums {
                Sums::Exact(sums) => sums[at] = 0,
                Sums::Float(sums) => sums[at] = 0.0,
            }
        }
    }
}

impl FeatureColumns {
    pub(crate) fn new(source: &EventSource) -> Self {
        Self { chunks: Vec::new(), empty: Arc::new(Chunk::empty(source)) }
    }

    /// From their stored form.
    pub(crate) fn from_chunks(source: &EventSource, chunks: Vec<Chunk>) -> Self {
        Self { chunks: chunks.into_iter().map(Arc::new).collect(), empty: Arc::new(Chunk::empty(source)) }
    }

    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    /// The chunk of an index; an empty one past the end.
    pub(crate) fn chunk(&self, index: usize) -> &Chunk {
        self.chunks.get(index).unwrap_or(&self.empty)
    }

    fn chunk_mut(&mut self, index: usize) -> &mut Chunk {
        Arc::make_mut(self.slot(index))
    }

    fn slot(&mut self, index: usize) -> &mut Arc<Chunk> {
        if index >= self.chunks.len() {
            self.chunks.resize(index + 1, Arc::clone(&self.empty));
        }
        self.chunks.get_mut(index).expect("just grown to hold it")
    }

    /// Adds one event.
    #[expect(clippy::indexing_slicing, reason = "a remainder by CHUNK_ROWS is within a chunk")]
    pub(crate) fn add(&mut self, ordinal: u64, time: i64, values: &[Option<EventNumber>]) {
        let (index, at) = place(ordinal);
        let chunk = self.chunk_mut(index);
        chunk.add_time(at, time);
        for (sums, value) in chunk.sums.iter_mut().zip(values) {
            match (sums, value) {
                (Sums::Exact(sums), Some(EventNumber::Exact(value))) => sums[at] += i128::from(*value),
                (Sums::Float(sums), Some(EventNumber::Float(value))) => sums[at] += value,
                _ => {}
            }
        }
    }

    /// Takes over the chunks of `other` that hold events; the same chunk must not hold events in both.
    pub(crate) fn merge(&mut self, other: Self) {
        for (index, chunk) in other.chunks.into_iter().enumerate() {
            if !Arc::ptr_eq(&chunk, &other.empty) {
                *self.slot(index) = chunk;
            }
        }
    }

    /// The ordinals (ascending) that have an event later than `until`.
    pub(crate) fn ordinals_with_events_after(&self, until: i64) -> Vec<u64> {
        // Mostly no chunk has one: asking each row of each would make a look at one customer a look at all.
        let chunks = self.chunks.iter().enumerate().filter(|(_, chunk)| chunk.latest > until);
        let later = chunks.flat_map(|(index, chunk)| {
            let rows = chunk.counts.iter().zip(&chunk.last).enumerate();
            let later = rows.filter(move |(_, (count, last))| **count > 0 && **last > until);
            later.map(move |(at, _)| (index * CHUNK_ROWS + at) as u64)
        });
        later.collect()
    }

    /// Forgets the events of an ordinal.
    pub(crate) fn clear(&mut self, ordinal: u64) {
        let (index, at) = place(ordinal);
        if index < self.chunks.len() {
            self.chunk_mut(index).clear(at);
        }
    }

    /// Adds a page of events up to `until` (inclusive).
    pub(crate) fn add_page(&mut self, page: &EventPage, until: Option<i64>) -> Result<()> {
        let until = until.unwrap_or(i64::MAX);
        let mut start = 0;
        for ordinals in page.ordinals.chunk_by(|a, b| a / CHUNK_ROWS as u64 == b / CHUNK_ROWS as u64) {
            let rows = start..start + ordinals.len();
            start = rows.end;
            let Some(first) = ordinals.first() else { continue };
            let times = page.times.get(rows.clone()).ok_or_else(short_page)?;
            let chunk = self.chunk_mut(place(*first).0);
            for (ordinal, time) in ordinals.iter().zip(times).filter(|(_, time)| **time <= until) {
                chunk.add_time(place(*ordinal).1, *time);
            }
            if page.values.len() != chunk.sums.len() {
                return Err(short_page());
            }
            for (sums, column) in chunk.sums.iter_mut().zip(&page.values) {
                let valid = |row: &usize| column.valid.get(*row);
                let kept =
                    rows.clone().zip(ordinals.iter().zip(times)).filter(|(_, (_, time))| **time <= until);
                let kept =
                    kept.filter(|(row, _)| valid(row)).map(|(row, (ordinal, _))| (row, place(*ordinal).1));
                add_values(sums, &column.data, kept)?;
            }
        }
        Ok(())
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder by CHUNK_ROWS is within a chunk")]
    pub(crate) fn row(&self, ordinal: u64) -> FeatureRow {
        let (index, at) = place(ordinal);
        let chunk = self.chunk(index);
        let sums = chunk.sums.iter().map(|sums| match sums {
            Sums::Exact(sums) => SumValue::Exact(sums[at]),
            Sums::Float(sums) => SumValue::Float(sums[at]),
        });
        FeatureRow {
            count: chunk.counts[at],
            first: chunk.first[at],
            last: chunk.last[at],
            sums: sums.collect(),
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "a remainder by CHUNK_ROWS is within a chunk")]
fn add_values(sums: &mut Sums, data: &ColumnData, rows: impl Iterator<Item = (usize, usize)>) -> Result<()> {
    match (sums, data) {
        (Sums::Exact(sums), ColumnData::Int64(values) | ColumnData::Money { minor_units: values, .. }) => {
            for (row, at) in rows {
                sums[at] += i128::from(*values.get(row).ok_or_else(short_page)?);
            }
        }
        (Sums::Float(sums), ColumnData::Float64(values)) => {
            for (row, at) in rows {
                sums[at] += *values.get(row).ok_or_else(short_page)?;
            }
        }
        _ => return Err(short_page()),
    }
    Ok(())
}

/// The chunk and the place in it of an ordinal.
pub(crate) fn place(ordinal: u64) -> (usize, usize) {
    let rows = CHUNK_ROWS as u64;
    ((ordinal / rows) as usize, (ordinal % rows) as usize)
}

fn short_page() -> Error {
    Error::damaged("a page of events does not have the columns that its covering index declares")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank() -> Chunk {
        let zeros = || vec![0; CHUNK_ROWS];
        Chunk::new(vec![0; CHUNK_ROWS], zeros(), zeros(), Vec::new())
    }

    #[test]
    fn later_events_are_found_in_every_chunk_however_it_came_to_be() {
        let mut columns = FeatureColumns { chunks: Vec::new(), empty: Arc::new(blank()) };
        let far = CHUNK_ROWS as u64 * 3 + 5;
        for (ordinal, time) in [(0, 10), (1, -5), (1, 20), (far, 30), (far, 7)] {
            columns.add(ordinal, time, &[]);
        }
        let check = |columns: &FeatureColumns, expected: [&[u64]; 4]| {
            let until = [-10, 10, 20, 30];
            assert_eq!(until.map(|until| columns.ordinals_with_events_after(until)), expected);
        };
        check(&columns, [&[0, 1, far], &[1, far], &[far], &[]]);
        let stored = columns.chunks.iter().map(|chunk| Chunk::clone(chunk));
        let stored = stored.map(|chunk| Chunk::new(chunk.counts, chunk.first, chunk.last, chunk.sums));
        let chunks = stored.map(Arc::new).collect();
        let mut read = FeatureColumns { chunks, empty: Arc::new(blank()) };
        check(&read, [&[0, 1, far], &[1, far], &[far], &[]]);
        read.clear(far);
        read.clear(1);
        read.add(1, -7, &[]);
        check(&read, [&[0, 1], &[], &[], &[]]);
    }
}
