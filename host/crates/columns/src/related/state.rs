//! A customer's figure while records are found, in whatever order.

use super::exact_sum::ExactSum;
use super::plan::{About, InputKind, PlannedFigure};
use super::window::Bounds;

/// What a record gives to a figure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// Nothing but itself.
    Record,
    /// Its field is empty.
    Nothing,
    /// A whole number, minor units, days or milliseconds.
    Whole(i64),
    Number(f64),
    /// Codes of texts.
    Texts(&'a [u32]),
}

/// A record as a figure sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// In the unit of the time field; 0 where there is none.
    pub(super) moment: i64,
    pub(super) day: i32,
    pub(super) given: Given<'a>,
}

/// What a figure has come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Count(i64),
    /// Ascending, each once.
    Days(Vec<i32>),
    Least(Option<i64>),
    Greatest(Option<i64>),
    LeastNumber(Option<f64>),
    GreatestNumber(Option<f64>),
    /// Of whole numbers. 128 bits hold more of them than there can be records.
    Total {
        sum: i128,
        count: i64,
    },
    NumberTotal {
        sum: ExactSum,
        count: i64,
    },
    /// Ascending, each once.
    Texts(Vec<u32>),
}

/// A figure of one customer.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    state: State,
    /// Apart, because few figures leave a first day out, and every customer has a tally of each.
    first_day: Option<Box<FirstDay>>,
}

/// What lies on the first day so far, which does not count unless an earlier day is found.
#[derive(Debug, Clone)]
struct FirstDay {
    day: i32,
    state: State,
}

impl State {
    pub(super) fn new(about: &About) -> Self {
        let is_number = |kind: InputKind| kind == InputKind::Number;
        match about {
            About::Count => Self::Count(0),
            About::CountDays => Self::Days(Vec::new()),
            About::First { .. } => Self::Least(None),
            About::Last { .. } => Self::Greatest(None),
            About::Min(input) if is_number(input.kind) => Self::LeastNumber(None),
            About::Max(input) if is_number(input.kind) => Self::GreatestNumber(None),
            About::Min(_) => Self::Least(None),
            About::Max(_) => Self::Greatest(None),
            About::Sum(input) | About::Mean(input) if is_number(input.kind) => {
                Self::NumberTotal { sum: ExactSum::default(), count: 0 }
            }
            About::Sum(_) | About::Mean(_) => Self::Total { sum: 0, count: 0 },
            About::Values { .. } => Self::Texts(Vec::new()),
        }
    }

    /// Returns by how many bytes it grew.
    fn add(&mut self, seen: &Seen<'_>) -> usize {
        match (self, seen.given) {
            (Self::Days(days), Given::Record) => return insert(days, seen.day) * size_of::<i32>(),
            (Self::Texts(known), Given::Texts(texts)) => {
                let new: usize = texts.iter().map(|text| insert(known, *text)).sum();
                return new * size_of::<u32>();
            }
            (Self::Count(count), Given::Record) => *count += 1,
            (Self::Least(least), Given::Record) => keep(least, seen.moment, i64::min),
            (Self::Greatest(greatest), Given::Record) => keep(greatest, seen.moment, i64::max),
            (Self::Least(least), Given::Whole(value)) => keep(least, value, i64::min),
            (Self::Greatest(greatest), Given::Whole(value)) => keep(greatest, value, i64::max),
            (Self::LeastNumber(least), Given::Number(value)) => keep(least, value, f64::min),
            (Self::GreatestNumber(greatest), Given::Number(value)) => keep(greatest, value, f64::max),
            (Self::Total { sum, count }, Given::Whole(value)) => {
                *sum += i128::from(value);
                *count += 1;
            }
            (Self::NumberTotal { sum, count }, Given::Number(value)) => {
                sum.add(value);
                *count += 1;
            }
            _ => {}
        }
        0
    }

    /// Adds what the same figure came to over other records.
    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count += more,
            (Self::Days(days), Self::Days(more)) => more.into_iter().for_each(|day| _ = insert(days, day)),
            (Self::Least(least), Self::Least(Some(other))) => keep(least, other, i64::min),
            (Self::Greatest(greatest), Self::Greatest(Some(other))) => keep(greatest, other, i64::max),
            (Self::LeastNumber(least), Self::LeastNumber(Some(other))) => keep(least, other, f64::min),
            (Self::GreatestNumber(greatest), Self::GreatestNumber(Some(other))) => {
                keep(greatest, other, f64::max);
            }
            (Self::Total { sum, count }, Self::Total { sum: other, count: more }) => {
                *sum += other;
                *count += more;
            }
            (Self::NumberTotal { sum, count }, Self::NumberTotal { sum: other, count: more }) => {
                sum.merge(&other);
                *count += more;
            }
            (Self::Texts(texts), Self::Texts(more)) => {
                more.into_iter().for_each(|text| _ = insert(texts, text))
            }
            _ => {}
        }
    }
}

impl Tally {
    pub(super) fn new(figure: &PlannedFigure) -> Self {
        Self { state: State::new(&figure.about), first_day: None }
    }

    /// Adds a record that the figure's filter lets through; returns by how many bytes the tally grew.
    pub(super) fn add(&mut self, figure: &PlannedFigure, bounds: Bounds, seen: &Seen<'_>) -> usize {
        if seen.moment > bounds.until {
            return 0;
        }
        let inside = seen.moment >= bounds.from;
        if !figure.repeat {
            return if inside { self.state.add(seen) } else { 0 };
        }
        let is_earlier = self.first_day.as_ref().is_none_or(|first| seen.day < first.day);
        if is_earlier {
            let first = Box::new(FirstDay { day: seen.day, state: State::new(&figure.about) });
            if let Some(before) = self.first_day.replace(first) {
                self.state.merge(before.state);
            }
        }
        let first = self.first_day.as_mut().filter(|first| first.day == seen.day);
        if inside { first.map_or(&mut self.state, |first| &mut first.state).add(seen) } else { 0 }
    }

    pub(super) fn finish(self) -> State {
        self.state
    }
}

fn keep<T: Copy>(kept: &mut Option<T>, value: T, better: fn(T, T) -> T) {
    *kept = Some(kept.map_or(value, |kept| better(kept, value)));
}

/// Adds a value to an ascending list; mostly it is the last one. Returns how many values were added.
fn insert<T: Ord + Copy>(list: &mut Vec<T>, value: T) -> usize {
    if list.last().is_none_or(|last| *last < value) {
        list.push(value);
    } else if let Err(place) = list.binary_search(&value) {
        list.insert(place, value);
    } else {
        return 0;
    }
    1
}
