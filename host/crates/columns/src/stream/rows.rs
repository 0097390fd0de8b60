//! The rows of a dataset, picked and made into batches.

use std::sync::Arc;

use trellis_model::{Batch, Column, Currency};

use super::withheld;
use crate::Result;
use crate::dataset::{Plan, PlannedSource};
use crate::features::{CHUNK_ROWS, FeatureColumns, place};
use crate::fields::FieldReader;
use crate::population::Population;
use crate::published::PublishedValues;
use crate::related::{FigureColumn, RelatedFigures};
use crate::room::Room;
use crate::wait::wait;

/// What a dataset's rows are read from. Whoever reads it a second time shares all of it.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) plan: Arc<Plan>,
    pub(crate) sources: Vec<FeatureColumns>,
    pub(crate) population: Arc<Population>,
    /// In the order of the plan's related sources.
    pub(crate) related: Vec<Arc<RelatedFigures>>,
    /// Scores and segmentations as they were when the rows were opened.
    pub(crate) published: PublishedValues,
    pub(crate) base_currency: Currency,
    /// Bytes of a batch at most.
    pub(crate) bytes_max: usize,
}

/// Rows of one chunk that go into a batch.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) chunk: usize,
    pub(super) places: Vec<u16>,
}

impl Rows {
    pub(super) fn has(&self, ordinal: u64) -> bool {
        let (chunk, place) = place(ordinal);
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

    pub(super) fn count(&self) -> u64 {
        let words = (0..self.chunks()).flat_map(|chunk| (0..CHUNK_ROWS / 64).map(move |word| (chunk, word)));
        words.map(|(chunk, word)| u64::from(self.word(chunk, word).count_ones())).sum()
    }

    /// How many rows a batch has at most, whatever is in them.
    pub(super) fn rows_max(&self) -> usize {
        (self.bytes_max / Room::row_bytes(self.plan.columns.len())).max(1)
    }

    /// Up to `rows_max` rows from an ordinal on.
    pub(super) fn pick(&self, from: u64, rows_max: usize) -> Vec<Picked> {
        let (mut picked, mut left) = (Vec::new(), rows_max);
        let (first_chunk, first_place) = place(from);
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

    /// The first of the picked rows: all of them, or as many as a batch has room for, but at least one.
    pub(super) fn batch(&self, mut picked: Vec<Picked>, fields: Option<&mut FieldReader>) -> Result<Batch> {
        let mut ordinals = ordinals_of(&picked);
        let mut places: Vec<_> = self.related.iter().map(|figures| figures.places(&ordinals)).collect();
        let mut room = Room::new(ordinals.len(), self.plan.columns.len(), self.bytes_max);
        self.take_lists(&places, &mut room);
        for column in &self.plan.columns {
            if let PlannedSource::Published(of) = &column.source {
                self.published.take_texts(of, &ordinals, &mut room);
            }
        }
        ordinals.truncate(room.rows());
        let mut read = Vec::new();
        if let Some(fields) = fields {
            let rows;
            (read, rows) = wait(fields.read(&self.plan, &ordinals, &room))?;
            ordinals.truncate(rows);
        }
        truncate(&mut picked, ordinals.len());
        places.iter_mut().for_each(|places| places.truncate(ordinals.len()));
        let mut read = read.into_iter();
        let columns = self.plan.columns.iter().map(|column| {
            let (valid, data) = match &column.source {
                PlannedSource::Field(_) => read.next().expect("one was read for each field"),
                PlannedSource::Related { source, figure } => {
                    let column = self.figure(*source, *figure).zip(places.get(*source));
                    let (column, places) = column.expect("the plan names figures that were read");
                    column.column(places, self.base_currency)
                }
                PlannedSource::Published(of) => self.published.column(of, &ordinals),
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

    /// Takes the room that lists of texts need.
    fn take_lists(&self, places: &[Vec<Option<usize>>], room: &mut Room) {
        for column in &self.plan.columns {
            if let PlannedSource::Related { source, figure } = column.source
                && let Some((figure, places)) = self.figure(source, figure).zip(places.get(source))
            {
                figure.take_lists(places, room);
            }
        }
    }
}

/// Ordinals that have a row, ascending, as rows of chunks.
pub(super) fn picked(ordinals: &[u64]) -> Vec<Picked> {
    let mut picked: Vec<Picked> = Vec::new();
    for ordinal in ordinals {
        let (chunk, place) = place(*ordinal);
        match picked.last_mut() {
            Some(last) if last.chunk == chunk => last.places.push(place as u16),
            _ => picked.push(Picked { chunk, places: vec![place as u16] }),
        }
    }
    picked
}

pub(super) fn ordinals_of(picked: &[Picked]) -> Vec<u64> {
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
