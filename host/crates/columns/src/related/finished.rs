//! Figures of all customers that records refer to, as columns.

use std::collections::HashSet;

use trellis_model::{ColumnData, Currency, Phrase, TextColumn, Validity, row_codes};

use super::plan::{About, InputKind};
use super::state::State;
use crate::lists::sort_by_text;
use crate::room::{ITEM_BYTES, Room, text_bytes};
use crate::{Error, Result};

/// One figure of those customers that records refer to; of all others it says what is true of nobody's records.
#[derive(Debug, Clone)]
pub(crate) struct FigureColumn {
    form: Form,
    /// Whether a customer without records has a value: 0, or no texts.
    of_none: bool,
    valid: Vec<bool>,
    values: Values,
    /// The different texts, ascending.
    texts: TextColumn,
}

/// How values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    Number,
    Money,
    Date,
    Time,
    Texts,
}

#[derive(Debug, Clone)]
enum Values {
    Whole(Vec<i64>),
    Number(Vec<f64>),
    Texts { offsets: Vec<u32>, codes: Vec<u32> },
}

impl FigureColumn {
    pub(super) fn new(about: &About) -> Self {
        let of = |kind: InputKind| match kind {
            InputKind::Number => Form::Number,
            InputKind::Integer => Form::Whole,
            InputKind::Money => Form::Money,
            InputKind::Date => Form::Date,
            InputKind::Time => Form::Time,
        };
        let form = match about {
            About::Count | About::CountDays => Form::Whole,
            About::First { is_date: true } | About::Last { is_date: true } => Form::Date,
            About::First { is_date: false } | About::Last { is_date: false } => Form::Time,
            About::Mean(input) if input.kind == InputKind::Integer => Form::Number,
            About::Sum(input) | About::Mean(input) | About::Min(input) | About::Max(input) => of(input.kind),
            About::Values { .. } => Form::Texts,
        };
        let values = match form {
            Form::Number => Values::Number(Vec::new()),
            Form::Texts => Values::Texts { offsets: vec![0], codes: Vec::new() },
            _ => Values::Whole(Vec::new()),
        };
        let of_none = matches!(about, About::Count | About::CountDays | About::Sum(_) | About::Values { .. });
        Self { form, of_none, valid: Vec::new(), values, texts: TextColumn::default() }
    }

    /// Adds the figure of the next customer.
    ///
    /// # Errors
    /// Where all customers together have more texts than 32 bits can count.
    pub(super) fn push(&mut self, about: &About, state: State) -> Result<()> {
        let valid = match &mut self.values {
            Values::Texts { offsets, codes } => {
                if let State::Texts(texts) = state {
                    codes.extend(texts);
                }
                let end = u32::try_from(codes.len()).map_err(|_| Error::Records(too_many(codes.len())))?;
                offsets.push(end);
                true
            }
            Values::Number(values) => {
                let value = number(about, &state).filter(|value| value.is_finite());
                values.push(value.unwrap_or(0.0));
                value.is_some()
            }
            Values::Whole(values) => {
                let value = whole(about, &state);
                values.push(value.unwrap_or(0));
                value.is_some()
            }
        };
        self.valid.push(valid);
        Ok(())
    }

    /// Gives codes their texts, in whatever order; equal ones become one, and codes ascend as texts do.
    pub(super) fn name_texts(&mut self, names: &[String]) {
        let Values::Texts { offsets, codes } = &mut self.values else { return };
        self.texts = sort_by_text(names.iter().map(String::as_str), offsets, codes);
    }

    /// The column of some rows: of each its place among the customers that were pushed.
    pub(crate) fn column(&self, places: &[Option<usize>], base: Currency) -> (Validity, ColumnData) {
        let is_valid = |place: Option<usize>| {
            place.map_or(self.of_none, |place| self.valid.get(place).copied().unwrap_or(false))
        };
        let valid = Validity::from_flags(places.iter().map(|place| is_valid(*place)));
        let data = match &self.values {
            Values::Number(values) => ColumnData::Float64(gathered(values, places).collect()),
            Values::Whole(values) => {
                let values = gathered(values, places);
                match self.form {
                    Form::Money => {
                        ColumnData::Money { currency: base.to_string(), minor_units: values.collect() }
                    }
                    Form::Date => {
                        ColumnData::Date(values.map(|day| i32::try_from(day).unwrap_or(0)).collect())
                    }
                    Form::Time => ColumnData::Time(values.collect()),
                    _ => ColumnData::Int64(values.collect()),
                }
            }
            Values::Texts { .. } => self.lists(places),
        };
        (valid, data)
    }

    /// Takes the room that the texts of rows need, as far as there is some.
    pub(crate) fn take_lists(&self, places: &[Option<usize>], room: &mut Room) {
        if self.form != Form::Texts {
            return;
        }
        let mut known = HashSet::new();
        room.take(places.iter().map(|place| {
            let codes = self.codes_of(*place);
            let new = codes.iter().filter(|code| known.insert(**code));
            let new = new.map(|code| self.texts.get(*code as usize).map_or(0, text_bytes));
            codes.len() * ITEM_BYTES + new.sum::<usize>()
        }));
    }

    /// Lists with no texts but those that they name.
    fn lists(&self, places: &[Option<usize>]) -> ColumnData {
        let mut named: Vec<u32> = places.iter().flat_map(|place| self.codes_of(*place)).copied().collect();
        named.sort_unstable();
        named.dedup();
        let text = |code: &u32| self.texts.get(*code as usize).unwrap_or_default();
        let values = named.iter().map(text).collect();
        let (mut offsets, mut codes) = (vec![0], Vec::new());
        for place in places {
            let new = self.codes_of(*place).iter().map(|code| named.partition_point(|known| known < code));
            codes.extend(new.map(|code| code as u32));
            offsets.push(codes.len() as u32);
        }
        ColumnData::DictionaryList { offsets, codes, values }
    }

    fn codes_of(&self, place: Option<usize>) -> &[u32] {
        match &self.values {
            Values::Texts { offsets, codes } => {
                place.and_then(|place| row_codes(offsets, codes, place)).unwrap_or_default()
            }
            Values::Whole(_) | Values::Number(_) => &[],
        }
    }
}

fn too_many(count: usize) -> trellis_records::Error {
    let what = Phrase::new("texts of all customers together", "全部客户的文本总数");
    trellis_records::Error::TooMany { what, count, count_max: u32::MAX as usize }
}

fn gathered<T: Copy + Default>(values: &[T], places: &[Option<usize>]) -> impl Iterator<Item = T> {
    places.iter().map(|place| place.and_then(|place| values.get(place)).copied().unwrap_or_default())
}

/// A figure that is a whole number; `None` where there is none, or 64 bits do not hold it.
fn whole(about: &About, state: &State) -> Option<i64> {
    match *state {
        State::Count(count) => Some(count),
        State::Days(ref days) => i64::try_from(days.len()).ok(),
        State::Least(value) | State::Greatest(value) => value,
        State::Total { sum, count } if matches!(about, About::Mean(_)) => mean(sum, count),
        State::Total { sum, .. } => i64::try_from(sum).ok(),
        _ => None,
    }
}

fn number(about: &About, state: &State) -> Option<f64> {
    let is_mean = matches!(about, About::Mean(_));
    match state {
        State::LeastNumber(value) | State::GreatestNumber(value) => *value,
        State::NumberTotal { count: 0, .. } | State::Total { count: 0, .. } if is_mean => None,
        State::NumberTotal { sum, count } if is_mean => Some(sum.value() / *count as f64),
        State::NumberTotal { sum, .. } => Some(sum.value()),
        State::Total { sum, count } => Some(*sum as f64 / *count as f64),
        _ => None,
    }
}

/// The mean in whole units, a half rounded to even.
fn mean(sum: i128, count: i64) -> Option<i64> {
    let count = i128::from(count);
    let (whole, rest) = (sum.checked_div_euclid(count)?, sum.checked_rem_euclid(count)?);
    let up = match (rest * 2).cmp(&count) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole & 1,
        std::cmp::Ordering::Greater => 1,
    };
    i64::try_from(whole + up).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_minor_units_round_a_half_to_even() {
        let check = |sum: i128, count: i64, expected: Option<i64>| assert_eq!(mean(sum, count), expected);
        check(10, 4, Some(2));
        check(14, 4, Some(4));
        check(-10, 4, Some(-2));
        check(-14, 4, Some(-4));
        check(11, 4, Some(3));
        check(-11, 4, Some(-3));
        check(0, 0, None);
        check(i128::from(i64::MAX) * 3, 3, Some(i64::MAX));
    }

    #[test]
    fn lists_carry_the_texts_that_they_name_in_order() {
        let about = About::Values { field: trellis_model::FieldId(1), of: None };
        let mut column = FigureColumn::new(&about);
        for codes in [vec![0, 2], vec![], vec![1, 3]] {
            column.push(&about, State::Texts(codes)).unwrap();
        }
        // Two records of the same title are one text.
        column.name_texts(&["pear", "plum", "apple", "plum"].map(str::to_owned));
        let base = Currency::new("USD").unwrap();
        let (valid, data) = column.column(&[Some(0), None, Some(2)], base);
        let values = ["apple", "pear", "plum"].into_iter().collect();
        assert_eq!(
            data,
            ColumnData::DictionaryList { offsets: vec![0, 2, 2, 3], codes: vec![0, 1, 2], values }
        );
        assert_eq!(valid, Validity::all());
        let (_, data) = column.column(&[Some(2)], base);
        let values = ["plum"].into_iter().collect();
        assert_eq!(data, ColumnData::DictionaryList { offsets: vec![0, 1], codes: vec![0], values });
        let rows = |bytes_max| {
            let mut room = Room::new(3, 1, bytes_max);
            column.take_lists(&[Some(0), None, Some(2)], &mut room);
            room.rows()
        };
        // 8 for the ends and 17 a row, 25 for the two texts of the first.
        assert_eq!(
            (rows(8 + 17 * 2 + 25), rows(8 + 17 * 3 + 25 + 11), rows(8 + 17 * 3 + 25 + 12)),
            (2, 2, 3)
        );
    }
}
