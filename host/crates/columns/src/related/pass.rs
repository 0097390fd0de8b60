//! Passes over records and events.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use trellis_model::{Column, ColumnData, Currency, Filter, Record, RecordId, Scope, Value};
use trellis_records::{EventCursor, EventPage, Selection};

use super::finished::FigureColumn;
use super::plan::{About, Input, InputKind, RelatedSource};
use super::read::{Reading, RelatedFigures};
use super::state::{Given, Seen, Tally};
use super::texts::{Texts, names};
use super::window::{Bounds, Clock};
use crate::features::base_minor_units;
use crate::{Error, Result};

/// What a customer takes while it is counted, besides a tally of each figure: its place in a map.
const CUSTOMER_BYTES: usize = 64;
/// What a finished figure of a customer takes.
const FINISHED_BYTES: usize = 9;

/// A pass over the records of a source.
pub(super) struct Pass<'a> {
    reading: &'a Reading<'a>,
    source: &'a RelatedSource,
    /// One for each figure.
    bounds: Vec<Bounds>,
    /// The different filters, and which of them is whose.
    filters: Vec<Filter>,
    filter_of: Vec<usize>,
    clock: Clock,
    base: Currency,
    /// The different texts of each figure.
    texts: Vec<Texts>,
    /// What the figures take so far, about.
    bytes: usize,
}

/// A figure of each kind of a customer.
pub(super) type Tallies = Box<[Tally]>;

impl<'a> Pass<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, source: &'a RelatedSource) -> Self {
        let config = reading.records.config();
        let clock = match source.time {
            Some(time) if !time.is_date => Clock::Moments(config.time_zone.clone()),
            _ => Clock::Days,
        };
        let bounds = |window| match source.time {
            Some(_) => Bounds::of(window, reading.day, &clock),
            None => Bounds::EVERYTHING,
        };
        let bounds = source.figures.iter().map(|figure| bounds(figure.window)).collect();
        let (filters, filter_of) = different(source.figures.iter().map(|figure| &figure.filter));
        let texts = source.figures.iter().map(|_| Texts::default()).collect();
        let base = config.base_currency;
        Self { reading, source, bounds, filters, filter_of, clock, base, texts, bytes: 0 }
    }

    fn fresh(&self) -> Tallies {
        self.source.figures.iter().map(Tally::new).collect()
    }

    /// Whether it is wanted still and takes no more than it may.
    fn check(&self) -> Result<()> {
        self.reading.go_on.check()?;
        let bytes = self.bytes + self.texts.iter().map(|texts| texts.bytes).sum::<usize>();
        let (object, bytes_max) = (self.source.object_name.to_string(), self.reading.bytes_max);
        if bytes > bytes_max { Err(Error::FiguresTooLarge { object, bytes_max }) } else { Ok(()) }
    }

    /// Tallies by what the records refer to: everybody's, or those of one customer.
    pub(super) async fn matching(&mut self, only: Option<RecordId>) -> Result<HashMap<RecordId, Tallies>> {
        let (reading, source) = (self.reading, self.source);
        let mut matching = reading.records.matching(
            &Scope::everything(),
            &Selection {
                object: &source.object_name,
                of: only.map(|id| (&source.by, id)),
                filters: &self.filters,
                today: Some(reading.day),
            },
        )?;
        let customer_bytes = CUSTOMER_BYTES + source.figures.len() * size_of::<Tally>();
        let mut tallies: HashMap<RecordId, Tallies> = HashMap::new();
        while let Some(page) = matching.next(reading.records).await? {
            for (record, matches) in page.iter() {
                let Some(Value::Reference(id)) = record.fields.get(&source.field) else { continue };
                let Some((moment, day)) = self.time_of(record) else { continue };
                let tallies = tallies.entry(*id).or_insert_with(|| {
                    self.bytes += customer_bytes;
                    source.figures.iter().map(Tally::new).collect()
                });
                self.add(tallies, record, moment, day, matches);
            }
            self.check()?;
        }
        Ok(tallies)
    }

    /// The moment and day of a record; `None` where it has none and needs one.
    fn time_of(&self, record: &Record) -> Option<(i64, i32)> {
        let Some(time) = self.source.time else { return Some((0, 0)) };
        let moment = match record.fields.get(&time.field)? {
            Value::Date(date) => i64::from(Value::days_of(*date)),
            Value::Time(time) => time.as_millisecond(),
            _ => return None,
        };
        Some((moment, self.clock.day(moment)))
    }

    /// Adds a record; `matches` says which of the different filters let it through.
    fn add(&mut self, tallies: &mut [Tally], record: &Record, moment: i64, day: i32, matches: &[bool]) {
        let (base, figures) = (self.base, self.source.figures.iter());
        let mut codes = Vec::new();
        for (((tally, figure), texts), (bounds, filter)) in
            tallies.iter_mut().zip(figures).zip(&mut self.texts).zip(self.bounds.iter().zip(&self.filter_of))
        {
            if !matches.get(*filter).copied().unwrap_or(false) {
                continue;
            }
            let given = match &figure.about {
                About::Count | About::CountDays | About::First { .. } | About::Last { .. } => Given::Record,
                About::Sum(input) | About::Mean(input) | About::Min(input) | About::Max(input) => {
                    given(record.fields.get(&input.field), base)
                }
                About::Values { field, .. } => {
                    codes.clear();
                    texts.codes(record, *field, &mut codes);
                    Given::Texts(&codes)
                }
            };
            self.bytes += tally.add(figure, *bounds, &Seen { moment, day, given });
        }
    }

    /// Figures from the index of events, which has customers one after the other: of everybody, or of some.
    pub(super) async fn events(&mut self, only: Option<&[u64]>) -> Result<RelatedFigures> {
        let mut finished = self.empty();
        match only {
            None => self.event_range(0..u64::MAX, None, &mut finished).await?,
            Some(ordinals) => {
                for neighbours in neighbours(ordinals) {
                    if let (Some(first), Some(last)) = (neighbours.first(), neighbours.last()) {
                        self.event_range(*first..last + 1, Some(neighbours), &mut finished).await?;
                    }
                }
            }
        }
        Ok(finished)
    }

    /// The figures of those in a range, or of `only` those.
    async fn event_range(
        &mut self,
        range: Range<u64>,
        only: Option<&[u64]>,
        finished: &mut RelatedFigures,
    ) -> Result<()> {
        let (reading, object) = (self.reading, &self.source.object_name);
        let mut open: Option<(u64, Tallies)> = None;
        let mut after: Option<EventCursor> = None;
        loop {
            let page = reading.records.events(object, range.clone(), after, reading.page_rows).await?;
            for (row, ordinal) in page.ordinals.iter().enumerate() {
                if open.as_ref().is_none_or(|(known, _)| known != ordinal) {
                    if only.is_some_and(|only| only.binary_search(ordinal).is_err()) {
                        continue;
                    }
                    if let Some((ordinal, tallies)) = open.replace((*ordinal, self.fresh())) {
                        self.push(finished, ordinal, tallies)?;
                    }
                }
                if let Some((_, tallies)) = &mut open {
                    self.add_event(tallies, &page, row)?;
                }
            }
            self.check()?;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        match open {
            Some((ordinal, tallies)) => self.push(finished, ordinal, tallies),
            None => Ok(()),
        }
    }

    fn add_event(&self, tallies: &mut [Tally], page: &EventPage, row: usize) -> Result<()> {
        let short = || Error::damaged("a page of events does not have what its covering index declares");
        let moment = *page.times.get(row).ok_or_else(short)?;
        let day = self.clock.day(moment);
        for ((tally, figure), bounds) in tallies.iter_mut().zip(&self.source.figures).zip(&self.bounds) {
            let given = match &figure.about {
                About::Sum(input) | About::Mean(input) | About::Min(input) | About::Max(input) => {
                    event_value(page.values.get(input.place).ok_or_else(short)?, row, input)
                        .ok_or_else(short)?
                }
                _ => Given::Record,
            };
            tally.add(figure, *bounds, &Seen { moment, day, given });
        }
        Ok(())
    }

    /// The figures of nobody.
    pub(super) fn empty(&self) -> RelatedFigures {
        let figures = self.source.figures.iter().map(|figure| FigureColumn::new(&figure.about)).collect();
        RelatedFigures { ordinals: Vec::new(), figures }
    }

    /// Adds a customer, whose ordinal is beyond all that were added.
    fn push(&mut self, finished: &mut RelatedFigures, ordinal: u64, tallies: Tallies) -> Result<()> {
        self.bytes += size_of::<u64>() + tallies.len() * FINISHED_BYTES;
        finished.ordinals.push(ordinal);
        let figures = finished.figures.iter_mut().zip(&self.source.figures);
        for ((column, figure), tally) in figures.zip(tallies) {
            column.push(&figure.about, tally.finish())?;
        }
        Ok(())
    }

    pub(super) async fn finish(&mut self, tallies: BTreeMap<u64, Tallies>) -> Result<RelatedFigures> {
        let mut finished = self.empty();
        for (ordinal, tallies) in tallies {
            self.push(&mut finished, ordinal, tallies)?;
        }
        let texts = std::mem::take(&mut self.texts);
        for ((column, figure), texts) in finished.figures.iter_mut().zip(&self.source.figures).zip(texts) {
            if let About::Values { of, .. } = &figure.about {
                column.name_texts(&names(self.reading.records, of.as_ref(), &texts.names).await?);
            }
        }
        Ok(finished)
    }
}

/// The different ones among filters, and for each filter its place among these. Several equal ones are one that an index may narrow.
fn different<'f>(all: impl Iterator<Item = &'f Filter>) -> (Vec<Filter>, Vec<usize>) {
    let (mut filters, mut places) = (Vec::new(), Vec::new());
    for filter in all {
        let known = filters.iter().position(|known| known == filter);
        places.push(known.unwrap_or(filters.len()));
        if known.is_none() {
            filters.push(filter.clone());
        }
    }
    (filters, places)
}

/// Ordinals (ascending) in runs between which few others lie: the events of these are read and passed over, which costs less than to
/// look for the next one.
fn neighbours(ordinals: &[u64]) -> impl Iterator<Item = &[u64]> {
    const BETWEEN_MAX: u64 = 8;
    ordinals.chunk_by(|one, next| next - one <= BETWEEN_MAX)
}

/// What a field of a record gives.
fn given(value: Option<&Value>, base: Currency) -> Given<'static> {
    let whole = |value: Option<i64>| value.map_or(Given::Nothing, Given::Whole);
    match value {
        // Both zeros are one.
        Some(Value::Number(number)) => Given::Number(number + 0.0),
        Some(Value::Integer(number)) => Given::Whole(*number),
        Some(Value::Money(money)) => whole(base_minor_units(money, base)),
        Some(Value::Date(date)) => Given::Whole(i64::from(Value::days_of(*date))),
        Some(Value::Time(time)) => Given::Whole(time.as_millisecond()),
        _ => Given::Nothing,
    }
}

/// What an event carries; `None` where the page has something else.
fn event_value(column: &Column, row: usize, input: &Input) -> Option<Given<'static>> {
    if !column.valid.get(row) {
        return Some(Given::Nothing);
    }
    match (&column.data, input.kind) {
        (ColumnData::Float64(values), InputKind::Number) => {
            values.get(row).map(|value| Given::Number(value + 0.0))
        }
        (ColumnData::Int64(values), InputKind::Integer)
        | (ColumnData::Money { minor_units: values, .. }, InputKind::Money) => {
            values.get(row).map(|value| Given::Whole(*value))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_filters_are_asked_once() {
        let open = trellis_model::Filter::compare("status", trellis_model::Op::Eq, "open").unwrap();
        let found = different([&open, &Filter::everything(), &open].into_iter());
        assert_eq!(found, (vec![open.clone(), Filter::everything()], vec![0, 1, 0]));
        assert_eq!(different([&open, &open].into_iter()), (vec![open], vec![0, 0]));
    }

    #[test]
    fn neighbours_are_read_together() {
        let runs = |ordinals: &[u64]| neighbours(ordinals).map(<[u64]>::to_vec).collect::<Vec<_>>();
        assert_eq!(runs(&[0, 1, 2, 10, 19, 1_000]), [vec![0, 1, 2, 10], vec![19], vec![1_000]]);
        assert_eq!(runs(&[]), Vec::<Vec<u64>>::new());
        let all: Vec<u64> = (5..5_000).collect();
        assert_eq!(runs(&all), [all], "a part of a day is one range");
    }
}
