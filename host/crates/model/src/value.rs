use jiff::{Timestamp, civil::Date};

use crate::{Money, RecordId};

/// The value of a field. Null is the absence of a value, so there is no variant for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A finite number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// An amount of money.
    Money(Money),
    /// Yes or no.
    Bool(bool),
    /// A day without a time zone, 0000-01-01 to 9999-12-31.
    Date(Date),
    /// A moment, to the millisecond.
    Time(Timestamp),
    /// One of a field's options, by its API value.
    Choice(String),
    /// Several of a field's options, sorted, each once.
    MultiChoice(Vec<String>),
    /// Another record.
    Reference(RecordId),
    /// Several values of one type.
    List(Vec<Value>),
    /// Anything that JSON can say.
    Json(serde_json::Value),
}

/// The kinds of value, without their parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as the variants of `Value`")]
pub enum ValueKind {
    Text,
    Number,
    Integer,
    Money,
    Bool,
    Date,
    Time,
    Choice,
    MultiChoice,
    Reference,
    List,
    Json,
}

impl Value {
    /// Its kind.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Text(_) => ValueKind::Text,
            Self::Number(_) => ValueKind::Number,
            Self::Integer(_) => ValueKind::Integer,
            Self::Money(_) => ValueKind::Money,
            Self::Bool(_) => ValueKind::Bool,
            Self::Date(_) => ValueKind::Date,
            Self::Time(_) => ValueKind::Time,
            Self::Choice(_) => ValueKind::Choice,
            Self::MultiChoice(_) => ValueKind::MultiChoice,
            Self::Reference(_) => ValueKind::Reference,
            Self::List(_) => ValueKind::List,
            Self::Json(_) => ValueKind::Json,
        }
    }

    /// One text for equal values, another for others of the same type: what row ids and digests are computed over.
    ///
    /// Part of a lasting format (`host/docs/formats/import-mapping.md`): never changes.
    pub fn canonical(&self) -> String {
        match self {
            Self::Text(text) | Self::Choice(text) => text.clone(),
            Self::Number(number) => format!("{number:?}"),
            Self::Integer(number) => number.to_string(),
            Self::Money(money) => format!("{} {}", money.amount.normalize(), money.currency),
            Self::Bool(flag) => flag.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Time(time) => time.to_string(),
            Self::MultiChoice(options) => options.join("\u{1f}"),
            Self::Reference(id) => id.to_string(),
            Self::List(values) => values.iter().map(Self::canonical).collect::<Vec<_>>().join("\u{1f}"),
            Self::Json(json) => json.to_string(),
        }
    }

    /// About how many bytes the value takes in memory and on disk, for limits.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Choice(text) => text.len(),
            Self::Number(_) | Self::Integer(_) | Self::Time(_) => 8,
            Self::Money(_) => 36,
            Self::Bool(_) => 1,
            Self::Date(_) => 4,
            Self::MultiChoice(options) => options.iter().map(|option| option.len() + 2).sum(),
            Self::Reference(_) => 16,
            Self::List(values) => values.iter().map(|value| value.bytes() + 2).sum(),
            Self::Json(json) => json.to_string().len(),
        }
    }
}

impl Value {
    /// Days from 1970-01-01 to `date`; negative before it.
    pub fn days_of(date: Date) -> i32 {
        date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days())
    }

    /// The day that is `days` after 1970-01-01, if the calendar has it.
    pub fn date_of_days(days: i32) -> Option<Date> {
        let span = jiff::Span::new().try_days(i64::from(days)).ok()?;
        Date::constant(1970, 1, 1).checked_add(span).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_convert_both_ways() {
        for (date, days) in
            [("1970-01-01", 0), ("1997-09-30", 10134), ("1969-12-31", -1), ("2000-02-29", 11016)]
        {
            let date: Date = date.parse().unwrap();
            assert_eq!(Value::days_of(date), days);
            assert_eq!(Value::date_of_days(days), Some(date));
        }
        assert_eq!(Value::date_of_days(i32::MAX), None);
    }
}
