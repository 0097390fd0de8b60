//! Values as a golden case writes them: as the API does, with a type where the JSON alone does not say it.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use trellis_model::{
    Column, ColumnData, Currency, FieldType, Money, TextColumn, Validity, Value, minor_units,
};

/// The types that a golden case can name, as object definitions name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Text that mostly differs from row to row.
    Text,
    /// A finite number.
    Number,
    /// A whole number.
    Integer,
    /// An amount with a currency.
    Money,
    /// Yes or no.
    Bool,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// One of a field's options; in a column a dictionary.
    Choice,
    /// Several of a field's options.
    MultiChoice,
    /// Another record: its id, in a column its ordinal.
    Reference,
    /// Anything that JSON can say.
    Json,
}

const NAMES: [(&str, ValueType); 11] = [
    ("text", ValueType::Text),
    ("number", ValueType::Number),
    ("integer", ValueType::Integer),
    ("money", ValueType::Money),
    ("bool", ValueType::Bool),
    ("date", ValueType::Date),
    ("time", ValueType::Time),
    ("choice", ValueType::Choice),
    ("multi_choice", ValueType::MultiChoice),
    ("reference", ValueType::Reference),
    ("json", ValueType::Json),
];
/// Characters of a text.
const TEXT_CHARACTERS_MAX: u32 = 100_000;

impl ValueType {
    /// The type of a name.
    ///
    /// # Errors
    /// Says which names there are.
    pub fn of_name(name: &str) -> Result<Self, String> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, value_type)| *value_type).ok_or_else(|| {
            format!("`{name}` is none of the types {}", NAMES.map(|(name, _)| name).join(", "))
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// What a value is that says so by its form; `None` for null and for other texts.
    pub(super) fn of_form(json: &Json) -> Option<Self> {
        match json {
            Json::Bool(_) => Some(Self::Bool),
            Json::Number(number) if number.is_f64() => Some(Self::Number),
            Json::Number(_) => Some(Self::Integer),
            Json::Object(object) if object.contains_key("amount") => Some(Self::Money),
            Json::String(text) => [Self::Date, Self::Time, Self::Reference]
                .into_iter()
                .find(|form| form.plain().is_some_and(|plain| plain.parse_text(text).is_ok())),
            Json::Array(_) => Some(Self::MultiChoice),
            Json::Null | Json::Object(_) => None,
        }
    }

    /// The model's type, for those that need no list of options.
    fn plain(self) -> Option<FieldType> {
        Some(match self {
            Self::Text => FieldType::Text { characters_max: TEXT_CHARACTERS_MAX },
            Self::Number => FieldType::Number,
            Self::Integer => FieldType::Integer,
            Self::Money => FieldType::Money,
            Self::Bool => FieldType::Bool,
            Self::Date => FieldType::Date,
            Self::Time => FieldType::Time,
            Self::Reference => {
                FieldType::Reference { object: "account".parse().expect("it is an object's name") }
            }
            Self::Json => FieldType::Json,
            Self::Choice | Self::MultiChoice => return None,
        })
    }

    /// Reads a value; null is `None`. An amount may be a text, which is then in the base currency.
    pub(super) fn parse(self, json: &Json, base: Currency) -> Result<Option<Value>, String> {
        if json.is_null() {
            return Ok(None);
        }
        let text = |json: &Json| json.as_str().map(str::to_owned).ok_or_else(|| format!("{json} is no text"));
        if let (Self::Money, Json::String(amount)) = (self, json) {
            let amount = amount.parse().map_err(|_| format!("`{amount}` is no amount"))?;
            return Money::new(amount, base)
                .map(|money| Some(Value::Money(money)))
                .map_err(|e| e.to_string());
        }
        match self.plain() {
            Some(plain) => plain.parse_json(json).map_err(|error| error.to_string()),
            None if self == Self::Choice => Ok(Some(Value::Choice(text(json)?))),
            None => {
                let options = json.as_array().ok_or_else(|| format!("{json} is no list"))?;
                let mut options = options.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                options.sort();
                options.dedup();
                Ok(Some(Value::MultiChoice(options)))
            }
        }
    }
}

/// A column of a batch, from one JSON value a row. An error names the row.
pub(super) fn column(
    name: &str,
    value_type: ValueType,
    cells: &[&Json],
    base: Currency,
) -> Result<Column, (usize, String)> {
    let valid = Validity::from_flags(cells.iter().map(|cell| !cell.is_null()));
    if value_type == ValueType::Reference {
        let ordinals = each(cells, |cell| match cell {
            Json::Null => Ok(0),
            cell => {
                cell.as_u64().ok_or_else(|| format!("{cell} is no ordinal, as a reference in a column is"))
            }
        })?;
        return Ok(Column { name: name.to_owned(), valid, data: ColumnData::Reference(ordinals) });
    }
    let values = each(cells, |cell| value_type.parse(cell, base))?;
    Ok(Column { name: name.to_owned(), valid, data: data(value_type, &values, base)? })
}

fn each<T>(cells: &[&Json], read: impl Fn(&Json) -> Result<T, String>) -> Result<Vec<T>, (usize, String)> {
    cells.iter().enumerate().map(|(row, cell)| read(cell).map_err(|reason| (row, reason))).collect()
}

/// The values as the host lays them out; at a null row stands the type's zero.
fn data(
    value_type: ValueType,
    values: &[Option<Value>],
    base: Currency,
) -> Result<ColumnData, (usize, String)> {
    fn gather<T: Default>(values: &[Option<Value>], of: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        values.iter().map(|value| value.as_ref().and_then(&of).unwrap_or_default()).collect()
    }
    Ok(match value_type {
        ValueType::Number => ColumnData::Float64(gather(values, |value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        })),
        ValueType::Integer => ColumnData::Int64(gather(values, |value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        })),
        ValueType::Bool => ColumnData::Boolean(gather(values, |value| match value {
            Value::Bool(flag) => Some(u8::from(*flag)),
            _ => None,
        })),
        ValueType::Date => ColumnData::Date(gather(values, |value| match value {
            Value::Date(date) => Some(Value::days_of(*date)),
            _ => None,
        })),
        ValueType::Time => ColumnData::Time(gather(values, |value| match value {
            Value::Time(time) => Some(time.as_millisecond()),
            _ => None,
        })),
        ValueType::Money => return amounts(values, base),
        ValueType::Text => ColumnData::Text(
            values.iter().map(|v| v.as_ref().map(Value::canonical).unwrap_or_default()).collect(),
        ),
        ValueType::Choice | ValueType::Reference | ValueType::Json => dictionary(values),
        ValueType::MultiChoice => lists(values),
    })
}

/// Amounts of one currency: that of the first one, else the base currency.
fn amounts(values: &[Option<Value>], base: Currency) -> Result<ColumnData, (usize, String)> {
    let mut currency = None;
    let mut minor = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        let Some(Value::Money(money)) = value else {
            minor.push(0);
            continue;
        };
        if *currency.get_or_insert(money.currency) != money.currency {
            return Err((row, "a column of money has one currency".to_owned()));
        }
        minor.push(minor_units(money).ok_or_else(|| (row, format!("{} is too large", money.amount)))?);
    }
    Ok(ColumnData::Money { currency: currency.unwrap_or(base).to_string(), minor_units: minor })
}

fn dictionary(values: &[Option<Value>]) -> ColumnData {
    let mut texts: Vec<String> = Vec::new();
    let code = |value: &Option<Value>| {
        let Some(value) = value else { return 0 };
        let text = value.canonical();
        let known = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
            texts.push(text);
            texts.len() - 1
        });
        u32::try_from(known).expect("a case has fewer rows")
    };
    let codes = values.iter().map(code).collect();
    ColumnData::Dictionary { codes, values: texts.iter().collect::<TextColumn>() }
}

/// What each row names, each text once.
fn lists(values: &[Option<Value>]) -> ColumnData {
    let chosen = |value: &Option<Value>| match value {
        Some(Value::MultiChoice(texts)) => texts.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    let rows: Vec<BTreeSet<String>> = values.iter().map(chosen).collect();
    let texts: Vec<&String> = rows.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
    let (mut offsets, mut codes) = (vec![0], Vec::new());
    for row in &rows {
        codes.extend(row.iter().map(|text| texts.partition_point(|known| *known < text) as u32));
        offsets.push(u32::try_from(codes.len()).expect("a case is small"));
    }
    ColumnData::DictionaryList { offsets, codes, values: texts.into_iter().collect::<TextColumn>() }
}
