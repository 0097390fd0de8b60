use serde_json::Value as Json;
use trellis_model::{ObjectId, Op, Path, Value};
use trellis_records::{DerivedFields, DerivedValue, Ranking};

use crate::Columns;
use crate::computed;
use crate::generation::{Cell, Number};
use crate::population::Population;
use crate::ranking::ranked;
use crate::score::CurrentScore;
use crate::segmentation::CurrentSegmentation;

/// `segment.<name>` of every segmentation (its value or null), `score.<name>` of every score (its number or null) and
/// `band.<name>` (the band that it is in).
impl DerivedFields for Columns {
    fn knows(&self, object: ObjectId, path: &Path) -> bool {
        self.computed.column(object, path).is_some() || self.field(object, path).is_some()
    }

    fn value(&self, object: ObjectId, path: &Path, ordinal: u64) -> Option<DerivedValue> {
        if let Some(column) = self.computed.column(object, path) {
            return column.value(ordinal).map(DerivedValue::Value);
        }
        match self.field(object, path)? {
            Field::Segment(current) => {
                current.value_at(ordinal).map(|value| DerivedValue::Text(value.to_owned()))
            }
            Field::Score(current) => current.number_at(ordinal).map(DerivedValue::Number),
            Field::Band(current) => current.band_at(ordinal).map(|band| DerivedValue::Text(band.to_owned())),
        }
    }

    fn matching(
        &self,
        object: ObjectId,
        path: &Path,
        op: Op,
        value: &Json,
        after: Option<u64>,
        rows_max: usize,
    ) -> Option<Vec<u64>> {
        let population = self.features.population(object)?;
        let from = after.map_or(0, |after| after.saturating_add(1));
        // Past a column's end there are only customers without a value.
        let bound = |column: u64, null: bool| if null { population.bound() } else { column };
        match self.field(object, path)? {
            Field::Segment(current) => {
                let names = current.segmentation.definition.values.iter().map(|value| value.name.as_str());
                let (wanted, column) = (WantedClasses::of(names, op, value)?, current.column());
                let bound = bound(column.bound(), wanted.has(0));
                Some(live(&population, from, rows_max, |from, rows| {
                    column.find(from, bound, rows, |code| wanted.has(code))
                }))
            }
            Field::Score(current) => {
                let (wanted, column) = (WantedNumbers::of(op, value)?, current.column());
                let bound = bound(column.bound(), wanted.has(None));
                Some(live(&population, from, rows_max, |from, rows| {
                    column.find(from, bound, rows, |number| wanted.has(number.get()))
                }))
            }
            Field::Band(current) => {
                let names = current.score.definition.bands.iter().map(|band| band.name.as_str());
                let (wanted, column) = (WantedClasses::of(names, op, value)?, current.column());
                let class = |number: Number| match current.score.definition.bands.is_empty() {
                    true => 0,
                    false => current.score.classes.of(Cell::Number(number)),
                };
                let bound = bound(column.bound(), wanted.has(0));
                Some(live(&population, from, rows_max, |from, rows| {
                    column.find(from, bound, rows, |number| wanted.has(class(number)))
                }))
            }
        }
    }

    fn select(
        &self,
        object: ObjectId,
        path: &Path,
        after: Option<u64>,
        rows_max: usize,
        wanted: &mut dyn FnMut(Option<&Value>) -> bool,
    ) -> Option<Vec<u64>> {
        let population = self.features.population(object)?;
        let column = self.computed.column(object, path)?;
        let from = after.map_or(0, |after| after.saturating_add(1));
        Some(computed::select(&column, &population, from, rows_max, wanted))
    }

    fn ranked(&self, object: ObjectId, path: &Path, ranking: &Ranking) -> Option<Vec<u64>> {
        let population = self.features.population(object)?;
        if let Some(column) = self.computed.column(object, path) {
            return computed::ranked(&column, &population, ranking);
        }
        match self.field(object, path)? {
            Field::Score(current) => ranked(current.column(), &population, ranking),
            Field::Segment(_) | Field::Band(_) => None,
        }
    }
}

/// A derived field with what it holds now.
enum Field {
    Segment(CurrentSegmentation),
    Score(CurrentScore),
    Band(CurrentScore),
}

/// Up to `rows_max` of what `find` finds from an ordinal on, without customers that are deleted.
fn live(
    population: &Population,
    from: u64,
    rows_max: usize,
    find: impl Fn(u64, usize) -> Vec<u64>,
) -> Vec<u64> {
    let (mut found, mut start) = (Vec::new(), from);
    while found.len() < rows_max {
        let page = find(start, rows_max - found.len());
        let Some(last) = page.last() else { break };
        start = last + 1;
        found.extend(page.into_iter().filter(|ordinal| population.contains(*ordinal)));
    }
    found
}

/// Values or bands that a comparison is true for, by number; with null it never is, unless null is asked for.
struct WantedClasses(Vec<bool>);

impl WantedClasses {
    fn of<'a>(names: impl Iterator<Item = &'a str>, op: Op, value: &Json) -> Option<Self> {
        let names: Vec<&str> = names.collect();
        let nothing = || Some(Self(Vec::new()));
        let asked: Vec<&str> = match (op, value) {
            (Op::Eq | Op::Ne, Json::String(name)) => vec![name],
            (Op::In | Op::Nin, Json::Array(asked)) => asked.iter().filter_map(Json::as_str).collect(),
            (Op::Null, Json::Bool(_)) => Vec::new(),
            // A comparison with null is neither true nor false.
            (Op::Eq | Op::Ne, Json::Null) => return nothing(),
            _ => return None,
        };
        if op == Op::Nin && has_null(value) {
            return nothing();
        }
        let negated = matches!(op, Op::Ne | Op::Nin) || (op == Op::Null && value == &Json::Bool(false));
        let null = op == Op::Null && value == &Json::Bool(true);
        let named = names.iter().map(|name| asked.contains(name) != negated);
        Some(Self(std::iter::once(null).chain(named).collect()))
    }

    fn has(&self, class: u16) -> bool {
        self.0.get(usize::from(class)).copied().unwrap_or(false)
    }
}

/// Numbers that a comparison is true for.
enum WantedNumbers {
    Null(bool),
    Compare(Op, f64),
    Between(f64, f64),
    In { numbers: Vec<f64>, not: bool },
    Nothing,
}

impl WantedNumbers {
    fn of(op: Op, value: &Json) -> Option<Self> {
        Some(match (op, value) {
            (Op::Null, Json::Bool(null)) => Self::Null(*null),
            (Op::Eq | Op::Ne | Op::Gt | Op::Gte | Op::Lt | Op::Lte, Json::Null) => Self::Nothing,
            (Op::Eq | Op::Ne | Op::Gt | Op::Gte | Op::Lt | Op::Lte, Json::Number(number)) => {
                Self::Compare(op, number.as_f64()?)
            }
            (Op::Between, Json::Array(bounds)) => match bounds.as_slice() {
                [low, high] if low.is_null() || high.is_null() => Self::Nothing,
                [low, high] => Self::Between(low.as_f64()?, high.as_f64()?),
                _ => return None,
            },
            (Op::Nin, Json::Array(_)) if has_null(value) => Self::Nothing,
            (Op::In | Op::Nin, Json::Array(numbers)) => {
                let numbers = numbers.iter().filter(|number| !number.is_null()).map(Json::as_f64);
                Self::In { numbers: numbers.collect::<Option<_>>()?, not: op == Op::Nin }
            }
            _ => return None,
        })
    }

    fn has(&self, number: Option<f64>) -> bool {
        let Some(number) = number else { return matches!(self, Self::Null(true)) };
        match self {
            Self::Null(null) => !null,
            Self::Compare(Op::Eq, other) => number == *other,
            Self::Compare(Op::Ne, other) => number != *other,
            Self::Compare(Op::Gt, other) => number > *other,
            Self::Compare(Op::Gte, other) => number >= *other,
            Self::Compare(Op::Lt, other) => number < *other,
            Self::Compare(_, other) => number <= *other,
            Self::Between(low, high) => (*low..=*high).contains(&number),
            Self::In { numbers, not } => numbers.contains(&number) != *not,
            Self::Nothing => false,
        }
    }
}

fn has_null(value: &Json) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(Json::is_null))
}

impl Columns {
    fn field(&self, object: ObjectId, path: &Path) -> Option<Field> {
        let [first, name] = path.0.as_slice() else { return None };
        let state = self.results.state();
        let output = state.get(name.as_str()).filter(|output| output.object == object)?;
        match first.as_str() {
            "segment" => CurrentSegmentation::of(output).map(Field::Segment),
            "score" => CurrentScore::of(output).map(Field::Score),
            "band" => CurrentScore::of(output).map(Field::Band),
            _ => None,
        }
    }
}
