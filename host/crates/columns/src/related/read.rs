//! Passes over records and events.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use jiff::civil::Date;
use serde_json::json;
use trellis_model::{
    Column, ColumnData, Currency, FieldId, Filter, ObjectName, Op, Record, RecordId, Scope, Value,
};
use trellis_records::{EventCursor, EventPage, Records};

use super::finished::FigureColumn;
use super::plan::{About, Input, InputKind, RelatedSource};
use super::state::{Given, Seen, Tally};
use super::window::{Bounds, Clock};
use crate::dataset::Plan;
use crate::features::base_minor_units;
use crate::{Error, Result};

/// From so many customers on, one pass over everything costs less than one query a customer.
const QUERIED_ROWS_MAX: usize = 4_096;
/// Ordinals that are read at once.
const PAGE_ROWS: usize = 10_000;

/// The figures of one source: of those customers whom records refer to.
#[derive(Debug, Clone)]
pub(crate) struct RelatedFigures {
    /// Ascending.
    ordinals: Vec<u64>,
    figures: Vec<FigureColumn>,
}

/// A pass over the records of a source.
struct Pass<'a> {
    records: &'a Records,
    source: &'a RelatedSource,
    /// One for each figure.
    bounds: Vec<Bounds>,
    clock: Clock,
    base: Currency,
    /// The different texts of each figure, by where they were first found.
    texts: Vec<Texts>,
}

#[derive(Debug, Default)]
struct Texts {
    names: Vec<Value>,
    codes: HashMap<String, u32>,
}

impl RelatedFigures {
    /// The figures of everybody, as of a day.
    pub(crate) async fn of_all(
        records: &Records,
        plan: &Plan,
        source: &RelatedSource,
        as_of: Date,
        page_rows: usize,
    ) -> Result<Self> {
        let mut pass = Pass::new(records, source, as_of);
        if source.from_index {
            return pass.events(None, page_rows).await;
        }
        let tallies = pass.matching(None).await?;
        let mut by_ordinal = BTreeMap::new();
        if tallies.len() > QUERIED_ROWS_MAX {
            let (mut after, mut tallies) = (None, tallies);
            loop {
                let page = records.ordinals_after(plan.object, after, PAGE_ROWS).await?;
                let found = page.iter().filter_map(|(ordinal, id)| Some((*ordinal, tallies.remove(id)?)));
                by_ordinal.extend(found);
                match page.last() {
                    Some((last, _)) if page.len() == PAGE_ROWS => after = Some(*last),
                    _ => return pass.finish(by_ordinal).await,
                }
            }
        }
        for (id, tally) in tallies {
            let ordinal = super::changes::ordinal_of(records, plan, id).await?;
            by_ordinal.extend(ordinal.map(|ordinal| (ordinal, tally)));
        }
        pass.finish(by_ordinal).await
    }

    /// The figures of some customers, ascending by ordinal.
    pub(crate) async fn of_rows(
        records: &Records,
        plan: &Plan,
        source: &RelatedSource,
        as_of: Date,
        ordinals: &[u64],
        page_rows: usize,
    ) -> Result<Self> {
        if ordinals.len() > QUERIED_ROWS_MAX {
            return Self::of_all(records, plan, source, as_of, page_rows).await;
        }
        let mut pass = Pass::new(records, source, as_of);
        if source.from_index {
            return pass.events(Some(ordinals), page_rows).await;
        }
        let mut by_ordinal = BTreeMap::new();
        let ids = records.ordinal_ids(plan.object, ordinals).await?;
        for (ordinal, id) in ordinals.iter().zip(ids).filter_map(|(ordinal, id)| Some((*ordinal, id?))) {
            let found = pass.matching(Some(id)).await?.remove(&id);
            by_ordinal.extend(found.map(|tally| (ordinal, tally)));
        }
        pass.finish(by_ordinal).await
    }

    /// A figure of rows in ascending order.
    pub(crate) fn figure(&self, figure: usize) -> Option<&FigureColumn> {
        self.figures.get(figure)
    }

    /// Where rows in ascending order stand among the customers of these figures.
    pub(crate) fn places(&self, rows: &[u64]) -> Vec<Option<usize>> {
        let first = rows.first().copied().unwrap_or(0);
        let mut place = self.ordinals.partition_point(|ordinal| *ordinal < first);
        let find = |row: &u64| {
            while self.ordinals.get(place).is_some_and(|ordinal| ordinal < row) {
                place += 1;
            }
            (self.ordinals.get(place) == Some(row)).then_some(place)
        };
        rows.iter().map(find).collect()
    }
}

impl<'a> Pass<'a> {
    fn new(records: &'a Records, source: &'a RelatedSource, as_of: Date) -> Self {
        let clock = match source.time {
            Some(time) if !time.is_date => Clock::Moments(records.config().time_zone.clone()),
            _ => Clock::Days,
        };
        let bounds = |window| match source.time {
            Some(_) => Bounds::of(window, as_of, &clock),
            None => Bounds::EVERYTHING,
        };
        let bounds = source.figures.iter().map(|figure| bounds(figure.window)).collect();
        let texts = source.figures.iter().map(|_| Texts::default()).collect();
        Self { records, source, bounds, clock, base: records.config().base_currency, texts }
    }

    fn fresh(&self) -> Vec<Tally> {
        self.source.figures.iter().map(Tally::new).collect()
    }

    /// Tallies by what the records refer to: everybody's, or those of one customer.
    async fn matching(&mut self, only: Option<RecordId>) -> Result<HashMap<RecordId, Vec<Tally>>> {
        let among = match only {
            None => Filter::everything(),
            Some(id) => Filter::compare(self.source.by.as_str(), Op::Eq, json!(id.to_string()))
                .map_err(trellis_records::Error::from)?,
        };
        let filters: Vec<Filter> = self.source.figures.iter().map(|figure| figure.filter.clone()).collect();
        let (records, source) = (self.records, self.source);
        let mut tallies = HashMap::new();
        let mut visit = |record: &Record, matches: &[bool]| {
            let Some(Value::Reference(id)) = record.fields.get(&source.field) else { return };
            let Some((moment, day)) = self.time_of(record) else { return };
            let tallies = tallies.entry(*id).or_insert_with(|| self.fresh());
            self.add(tallies, record, moment, day, matches);
        };
        let everything = Scope::everything();
        records.visit_matching(&everything, &source.object_name, &among, &filters, &mut visit).await?;
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

    fn add(&mut self, tallies: &mut [Tally], record: &Record, moment: i64, day: i32, matches: &[bool]) {
        let (base, figures) = (self.base, self.source.figures.iter());
        let mut codes = Vec::new();
        for (((tally, figure), texts), (bounds, matches)) in
            tallies.iter_mut().zip(figures).zip(&mut self.texts).zip(self.bounds.iter().zip(matches))
        {
            if !matches {
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
            tally.add(figure, *bounds, &Seen { moment, day, given });
        }
    }

    /// Figures from the index of events, which has customers one after the other: of everybody, or of some.
    async fn events(&self, only: Option<&[u64]>, page_rows: usize) -> Result<RelatedFigures> {
        let mut finished = self.empty();
        match only {
            None => self.event_range(0..u64::MAX, page_rows, &mut finished).await?,
            Some(ordinals) => {
                for ordinal in ordinals {
                    self.event_range(*ordinal..ordinal + 1, page_rows, &mut finished).await?;
                }
            }
        }
        Ok(finished)
    }

    async fn event_range(
        &self,
        range: Range<u64>,
        page_rows: usize,
        finished: &mut RelatedFigures,
    ) -> Result<()> {
        let mut open: Option<(u64, Vec<Tally>)> = None;
        let mut after: Option<EventCursor> = None;
        loop {
            let page = self.records.events(&self.source.object_name, range.clone(), after, page_rows).await?;
            for (row, ordinal) in page.ordinals.iter().enumerate() {
                if open.as_ref().is_none_or(|(known, _)| known != ordinal)
                    && let Some((ordinal, tallies)) = open.replace((*ordinal, self.fresh()))
                {
                    self.push(finished, ordinal, tallies);
                }
                if let Some((_, tallies)) = &mut open {
                    self.add_event(tallies, &page, row)?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if let Some((ordinal, tallies)) = open {
            self.push(finished, ordinal, tallies);
        }
        Ok(())
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

    fn empty(&self) -> RelatedFigures {
        let figures = self.source.figures.iter().map(|figure| FigureColumn::new(&figure.about)).collect();
        RelatedFigures { ordinals: Vec::new(), figures }
    }

    /// Adds a customer, whose ordinal is beyond all that were added.
    fn push(&self, finished: &mut RelatedFigures, ordinal: u64, tallies: Vec<Tally>) {
        finished.ordinals.push(ordinal);
        let figures = finished.figures.iter_mut().zip(&self.source.figures);
        for ((column, figure), tally) in figures.zip(tallies) {
            column.push(&figure.about, tally.finish());
        }
    }

    async fn finish(&mut self, tallies: BTreeMap<u64, Vec<Tally>>) -> Result<RelatedFigures> {
        let mut finished = self.empty();
        for (ordinal, tallies) in tallies {
            self.push(&mut finished, ordinal, tallies);
        }
        let texts = std::mem::take(&mut self.texts);
        for ((column, figure), texts) in finished.figures.iter_mut().zip(&self.source.figures).zip(texts) {
            if let About::Values { of, .. } = &figure.about {
                column.name_texts(&names(self.records, of.as_ref(), &texts.names).await?);
            }
        }
        Ok(finished)
    }
}

impl Texts {
    /// The codes of the texts that a field names.
    fn codes(&mut self, record: &Record, field: FieldId, codes: &mut Vec<u32>) {
        match record.fields.get(&field) {
            Some(Value::MultiChoice(options)) => {
                codes.extend(options.iter().map(|option| self.code(&Value::Choice(option.clone()))));
            }
            Some(Value::List(values)) => codes.extend(values.iter().map(|value| self.code(value))),
            Some(value) => codes.push(self.code(value)),
            None => {}
        }
    }

    fn code(&mut self, value: &Value) -> u32 {
        let next = self.names.len() as u32;
        *self.codes.entry(value.canonical()).or_insert_with(|| {
            self.names.push(value.clone());
            next
        })
    }
}

/// What values are called: texts by themselves, records by their title or else their id. Deleted ones keep theirs.
pub(crate) async fn names(
    records: &Records,
    of: Option<&ObjectName>,
    values: &[Value],
) -> Result<Vec<String>> {
    let Some(object) = of else { return Ok(values.iter().map(Value::canonical).collect()) };
    let schema = records.schema();
    let definition = schema.object(object.as_str());
    let title = definition.and_then(|definition| definition.field(definition.title.as_str()));
    let mut names = Vec::with_capacity(values.len());
    for value in values {
        let mut name = value.canonical();
        if let (Value::Reference(id), Some(title)) = (value, title) {
            let found = records.get_deleted_too(&Scope::everything(), object, *id).await?;
            if let Some(Value::Text(text)) = found.and_then(|mut record| record.fields.remove(&title.id)) {
                name = text;
            }
        }
        names.push(name);
    }
    Ok(names)
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
    fn rows_find_their_places() {
        let figures = RelatedFigures { ordinals: vec![2, 5, 6, 1 << 40], figures: Vec::new() };
        let check = |rows: &[u64], expected: &[Option<usize>]| assert_eq!(figures.places(rows), expected);
        check(&[], &[]);
        check(&[0, 1, 2, 3, 4, 5, 6, 7], &[None, None, Some(0), None, None, Some(1), Some(2), None]);
        check(&[5], &[Some(1)]);
        check(&[4, 1 << 40], &[None, Some(3)]);
        check(&[(1 << 40) + 1], &[None]);
    }
}
