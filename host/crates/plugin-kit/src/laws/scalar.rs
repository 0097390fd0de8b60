//! Single values for made-up data: what is usual, and what is extreme and still possible.

use serde_json::{Value as Json, json};
use trellis_model::{ColumnData, TextColumn, Value, row_codes};

use super::random::Random;
use crate::golden::ValueType;

/// The first and the last day that a date can be: 0000-01-01 and 9999-12-31.
const DAYS: [i32; 2] = [-719_528, 2_932_896];
/// The first and the last moment, in milliseconds.
const MOMENTS: [i64; 2] = [-62_167_219_200_000, 253_402_300_799_999];
/// Characters of a long text: a batch of a hundred rows of a dozen such columns stays within what a call may get.
const LONG_CHARACTERS: usize = 4_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    /// A number.
    Number(f64),
    /// A whole number, minor units, milliseconds.
    Whole(i64),
    /// A truth value.
    Flag(bool),
    /// Days since 1970-01-01.
    Day(i32),
    /// A text, an option.
    Text(String),
    /// Another record's ordinal.
    Ordinal(u64),
    /// Several options.
    Texts(Vec<String>),
}

/// What values a column or field has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kind {
    pub(crate) value_type: ValueType,
    /// Whether it counts something, and so is never negative.
    pub(crate) counts: bool,
    /// The options, where they are known.
    pub(crate) options: Vec<String>,
    /// Values that the author's own cases have.
    pub(crate) seen: Vec<Scalar>,
}

impl Kind {
    pub(crate) fn of(value_type: ValueType) -> Self {
        Self { value_type, counts: false, options: Vec::new(), seen: Vec::new() }
    }

    /// A usual value; one that the author uses, in every third case.
    pub(crate) fn usual(&self, random: &mut Random, as_of: i32) -> Scalar {
        if let Some(seen) = random.percent(33).then(|| random.pick(&self.seen)).flatten() {
            return seen.clone();
        }
        let below = |random: &mut Random, end: usize| i64::try_from(random.below(end)).unwrap_or(0);
        let day = |random: &mut Random| as_of.saturating_sub(i32::try_from(random.below(1_000)).unwrap_or(0));
        match self.value_type {
            ValueType::Number => Scalar::Number(below(random, 100_000) as f64 / 100.0),
            ValueType::Integer => Scalar::Whole(below(random, 50)),
            ValueType::Money => Scalar::Whole(below(random, 1_000_000)),
            ValueType::Bool => Scalar::Flag(random.percent(50)),
            ValueType::Date => Scalar::Day(day(random)),
            ValueType::Time => Scalar::Whole(i64::from(day(random)) * 86_400_000 + below(random, 86_400_000)),
            ValueType::Reference => Scalar::Ordinal(random.below(1_000) as u64),
            ValueType::Text | ValueType::Json => Scalar::Text(format!("客户 {}", random.below(1_000))),
            ValueType::Choice => Scalar::Text(self.option(random)),
            ValueType::MultiChoice => {
                let mut chosen: Vec<String> = (0..random.below(4)).map(|_| self.option(random)).collect();
                chosen.sort_unstable();
                chosen.dedup();
                Scalar::Texts(chosen)
            }
        }
    }

    fn option(&self, random: &mut Random) -> String {
        let option = random.pick(&self.options).cloned();
        option.unwrap_or_else(|| format!("option_{}", random.below(3)))
    }

    /// Every extreme value.
    pub(crate) fn extremes(&self) -> Vec<Scalar> {
        let whole = |values: &[i64]| {
            values
                .iter()
                .filter(|value| !self.counts || **value >= 0)
                .map(|value| Scalar::Whole(*value))
                .collect()
        };
        match self.value_type {
            ValueType::Number => {
                [0.0, -0.0, -1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON, 5e-324]
                    .map(Scalar::Number)
                    .to_vec()
            }
            ValueType::Integer => whole(&[0, 1, -1, i64::MAX, i64::MIN, 1 << 53]),
            ValueType::Money => whole(&[0, 1, -1, i64::MAX, i64::MIN, 99_999_999_999_999_999]),
            ValueType::Bool => vec![Scalar::Flag(false), Scalar::Flag(true)],
            ValueType::Date => {
                vec![Scalar::Day(DAYS[0]), Scalar::Day(DAYS[1]), Scalar::Day(0), Scalar::Day(-1)]
            }
            ValueType::Time => vec![Scalar::Whole(MOMENTS[0]), Scalar::Whole(MOMENTS[1]), Scalar::Whole(0)],
            ValueType::Reference => vec![Scalar::Ordinal(0), Scalar::Ordinal(u64::MAX)],
            ValueType::MultiChoice => {
                let many = (0..1_000).map(|place| format!("{place:04}")).collect();
                [Vec::new(), vec!["".to_owned(), "客".to_owned()], many].map(Scalar::Texts).to_vec()
            }
            ValueType::Text | ValueType::Choice => {
                let long = "长".repeat(LONG_CHARACTERS);
                ["", " ", "no-such-option", "e\u{301}\u{1f600}\u{202e}", "'\"\\<>{}\n\t", &long]
                    .map(|text| Scalar::Text(text.to_owned()))
                    .to_vec()
            }
            ValueType::Json => {
                ["null", "{}", "[]", "\"\""].map(|text| Scalar::Text(text.to_owned())).to_vec()
            }
        }
    }

    pub(crate) fn extreme(&self, random: &mut Random) -> Scalar {
        let extremes = self.extremes();
        random.pick(&extremes).cloned().unwrap_or(Scalar::Whole(0))
    }

    /// Lays values out as a column. `None` stands for null, whose place is filled with `filler`, which nobody may look at.
    pub(crate) fn column(
        &self,
        values: &[Option<Scalar>],
        filler: &mut Random,
        currency: &str,
    ) -> ColumnData {
        let filled: Vec<Scalar> =
            values.iter().map(|value| value.clone().unwrap_or_else(|| self.extreme(filler))).collect();
        let whole =
            || filled.iter().map(|v| if let Scalar::Whole(v) = v { *v } else { 0 }).collect::<Vec<i64>>();
        match self.value_type {
            ValueType::Number => ColumnData::Float64(
                filled.iter().map(|v| if let Scalar::Number(v) = v { *v } else { 0.0 }).collect(),
            ),
            ValueType::Integer => ColumnData::Int64(whole()),
            ValueType::Time => ColumnData::Time(whole()),
            ValueType::Money => ColumnData::Money { currency: currency.to_owned(), minor_units: whole() },
            ValueType::Bool => {
                ColumnData::Boolean(filled.iter().map(|v| u8::from(*v == Scalar::Flag(true))).collect())
            }
            ValueType::Date => {
                ColumnData::Date(filled.iter().map(|v| if let Scalar::Day(v) = v { *v } else { 0 }).collect())
            }
            ValueType::Reference => ColumnData::Reference(
                filled.iter().map(|v| if let Scalar::Ordinal(v) = v { *v } else { 0 }).collect(),
            ),
            ValueType::Text => ColumnData::Text(filled.iter().map(Scalar::text).collect()),
            ValueType::Choice | ValueType::Json => dictionary(values, filler),
            ValueType::MultiChoice => lists(&filled),
        }
    }

    /// The value as a field of a record.
    pub(crate) fn value(&self, scalar: &Scalar, currency: &str) -> Option<Value> {
        let base = trellis_model::Currency::new(currency).ok()?;
        Some(match (self.value_type, scalar) {
            (ValueType::Number, Scalar::Number(value)) => Value::Number(value + 0.0),
            (ValueType::Integer, Scalar::Whole(value)) => Value::Integer(*value),
            (ValueType::Money, Scalar::Whole(value)) => {
                let amount = rust_decimal::Decimal::new(*value % 100_000_000_000_000_000, base.decimals());
                Value::Money(trellis_model::Money::new(amount, base).ok()?)
            }
            (ValueType::Bool, Scalar::Flag(flag)) => Value::Bool(*flag),
            (ValueType::Date, Scalar::Day(day)) => Value::Date(Value::date_of_days(*day)?),
            (ValueType::Time, Scalar::Whole(ms)) => Value::Time(jiff::Timestamp::from_millisecond(*ms).ok()?),
            (ValueType::Text, Scalar::Text(text)) => Value::Text(text.clone()),
            (ValueType::Choice, Scalar::Text(text)) => Value::Choice(text.clone()),
            (ValueType::MultiChoice, Scalar::Texts(texts)) => Value::MultiChoice(texts.clone()),
            (ValueType::Json, Scalar::Text(text)) => {
                Value::Json(serde_json::from_str(text).unwrap_or(json!(text)))
            }
            (ValueType::Reference, Scalar::Ordinal(ordinal)) => {
                let number = ordinal % 1_000_000_000_000;
                let id = format!("00000000-0000-7000-8000-{number:012}");
                Value::Reference(trellis_model::RecordId::parse(&id).ok()?)
            }
            _ => return None,
        })
    }
}

impl Scalar {
    fn text(&self) -> String {
        if let Self::Text(text) = self { text.clone() } else { String::new() }
    }
}

/// Each text once; the code of a null row points nowhere in every second case.
fn dictionary(values: &[Option<Scalar>], filler: &mut Random) -> ColumnData {
    let mut texts: Vec<String> = Vec::new();
    let mut codes = Vec::with_capacity(values.len());
    for value in values {
        let Some(value) = value else {
            codes.push(if filler.percent(50) { u32::MAX } else { 0 });
            continue;
        };
        let text = value.text();
        let known = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
            texts.push(text);
            texts.len() - 1
        });
        codes.push(u32::try_from(known).unwrap_or(u32::MAX));
    }
    ColumnData::Dictionary { codes, values: texts.iter().collect::<TextColumn>() }
}

/// Each text once; a null row has texts too, which nobody may look at.
fn lists(values: &[Scalar]) -> ColumnData {
    let chosen = |value: &Scalar| if let Scalar::Texts(texts) = value { texts.clone() } else { Vec::new() };
    let rows: Vec<Vec<String>> = values.iter().map(chosen).collect();
    let mut texts: Vec<&String> = rows.iter().flatten().collect();
    texts.sort_unstable();
    texts.dedup();
    let (mut offsets, mut codes) = (vec![0], Vec::new());
    for row in &rows {
        codes.extend(row.iter().map(|text| texts.partition_point(|known| *known < text) as u32));
        offsets.push(codes.len() as u32);
    }
    ColumnData::DictionaryList { offsets, codes, values: texts.into_iter().collect::<TextColumn>() }
}

/// The value of a row of a column; `None` is null.
pub(crate) fn scalar(column: &trellis_model::Column, row: usize) -> Option<Scalar> {
    if !column.valid.get(row) {
        return None;
    }
    match &column.data {
        ColumnData::Float64(values) => values.get(row).map(|value| Scalar::Number(*value)),
        ColumnData::Int64(values) | ColumnData::Time(values) => {
            values.get(row).map(|value| Scalar::Whole(*value))
        }
        ColumnData::Money { minor_units, .. } => minor_units.get(row).map(|value| Scalar::Whole(*value)),
        ColumnData::Boolean(values) => values.get(row).map(|value| Scalar::Flag(*value == 1)),
        ColumnData::Date(values) => values.get(row).map(|value| Scalar::Day(*value)),
        ColumnData::Text(texts) => texts.get(row).map(|text| Scalar::Text(text.to_owned())),
        ColumnData::Dictionary { codes, values } => codes
            .get(row)
            .and_then(|code| values.get(*code as usize))
            .map(|text| Scalar::Text(text.to_owned())),
        ColumnData::Reference(values) => values.get(row).map(|value| Scalar::Ordinal(*value)),
        ColumnData::DictionaryList { offsets, codes, values } => {
            let text = |code: &u32| values.get(*code as usize).map(str::to_owned);
            Some(Scalar::Texts(row_codes(offsets, codes, row)?.iter().filter_map(text).collect()))
        }
    }
}

/// A row as a golden case would write it.
pub(crate) fn shown(batch: &trellis_model::Batch, row: usize) -> Json {
    let mut shown = serde_json::Map::new();
    shown.insert("ordinal".to_owned(), json!(batch.ordinals.get(row)));
    for column in &batch.columns {
        let value = match (scalar(column, row), &column.data) {
            (None, _) => Json::Null,
            (Some(Scalar::Day(day)), _) => json!(Value::date_of_days(day).map(|date| date.to_string())),
            (Some(Scalar::Whole(ms)), ColumnData::Time(_)) => {
                json!(jiff::Timestamp::from_millisecond(ms).ok().map(|time| time.to_string()))
            }
            (Some(Scalar::Whole(minor)), ColumnData::Money { currency, .. }) => {
                json!({ "minor_units": minor, "currency": currency })
            }
            (Some(Scalar::Number(value)), _) => json!(value),
            (Some(Scalar::Whole(value)), _) => json!(value),
            (Some(Scalar::Flag(value)), _) => json!(value),
            (Some(Scalar::Text(value)), _) => match value.char_indices().nth(60) {
                Some((end, _)) => json!(format!(
                    "{}… ({} characters)",
                    value.get(..end).unwrap_or_default(),
                    value.chars().count()
                )),
                None => json!(value),
            },
            (Some(Scalar::Ordinal(value)), _) => json!(value),
            (Some(Scalar::Texts(texts)), _) => json!(texts),
        };
        shown.insert(column.name.clone(), value);
    }
    Json::Object(shown)
}
