//! Single records and values. What a guest sends is checked while it is converted: names, ids, figures, currencies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use trellis_model::{Currency, FieldName, Money, NamedRecord, RecordId, Value, minor_units};

use crate::interfaces::bindings::trellis::plugin::values as wit;

/// A record with those of its fields that are `shown`.
pub(crate) fn record_to_guest(record: &NamedRecord, shown: &BTreeSet<FieldName>) -> wit::ObjectRecord {
    let fields = record.fields.iter().filter(|(name, _)| shown.contains(*name));
    wit::ObjectRecord {
        object: record.object.to_string(),
        id: record.id.to_string(),
        fields: fields.map(|(name, value)| field_to_guest(name, Some(value))).collect(),
    }
}

/// Those of the fields that are `shown`, null ones included.
pub(crate) fn fields_to_guest<'a>(
    fields: impl IntoIterator<Item = (&'a FieldName, Option<&'a Value>)>,
    shown: &BTreeSet<FieldName>,
) -> Vec<wit::FieldValue> {
    let fields = fields.into_iter().filter(|(name, _)| shown.contains(*name));
    fields.map(|(name, value)| field_to_guest(name, value)).collect()
}

fn field_to_guest(name: &FieldName, value: Option<&Value>) -> wit::FieldValue {
    wit::FieldValue { name: name.to_string(), value: value.map(value_to_guest) }
}

fn value_to_guest(value: &Value) -> wit::Value {
    match value {
        Value::Text(text) => wit::Value::Text(text.clone()),
        Value::Number(number) => wit::Value::Number(*number),
        Value::Integer(number) => wit::Value::Integer(*number),
        Value::Money(money) => match minor_units(money) {
            Some(minor_units) => {
                wit::Value::Money(wit::Money { currency: money.currency.to_string(), minor_units })
            }
            // No stored amount is that large.
            None => wit::Value::Json(value.to_json().to_string()),
        },
        Value::Bool(flag) => wit::Value::Boolean(*flag),
        Value::Date(date) => wit::Value::Date(Value::days_of(*date)),
        Value::Time(time) => wit::Value::Time(time.as_millisecond()),
        Value::Choice(option) => wit::Value::Choice(option.clone()),
        Value::MultiChoice(options) => wit::Value::Choices(options.clone()),
        Value::Reference(id) => wit::Value::Reference(id.to_string()),
        Value::List(_) | Value::Json(_) => wit::Value::Json(value.to_json().to_string()),
    }
}

/// Takes what a guest says of fields. None of them may be there twice.
pub(crate) fn fields_from_guest(
    fields: Vec<wit::FieldValue>,
) -> Result<BTreeMap<FieldName, Option<Value>>, String> {
    let mut taken = BTreeMap::new();
    for field in fields {
        let name = FieldName::new(&field.name).map_err(|error| error.to_string())?;
        let value = field.value.map(value_from_guest).transpose();
        let value = value.map_err(|reason| format!("field `{name}`: {reason}"))?;
        if taken.insert(name, value).is_some() {
            return Err(format!("field `{}` is there twice", field.name));
        }
    }
    Ok(taken)
}

fn value_from_guest(value: wit::Value) -> Result<Value, String> {
    Ok(match value {
        wit::Value::Text(text) => Value::Text(text),
        // Adding zero makes one zero of two.
        wit::Value::Number(number) if number.is_finite() => Value::Number(number + 0.0),
        wit::Value::Number(number) => return Err(format!("the number is {number}")),
        wit::Value::Integer(number) => Value::Integer(number),
        wit::Value::Money(money) => Value::Money(money_from_guest(&money)?),
        wit::Value::Boolean(flag) => Value::Bool(flag),
        wit::Value::Date(days) => {
            Value::Date(Value::date_of_days(days).ok_or_else(|| format!("no calendar has day {days}"))?)
        }
        wit::Value::Time(ms) => Value::Time(
            Timestamp::from_millisecond(ms).map_err(|_| format!("no calendar has millisecond {ms}"))?,
        ),
        wit::Value::Choice(option) => Value::Choice(option),
        wit::Value::Choices(mut options) => {
            options.sort();
            options.dedup();
            Value::MultiChoice(options)
        }
        wit::Value::Reference(id) => Value::Reference(record_id(&id)?),
        wit::Value::Json(json) => {
            Value::Json(serde_json::from_str(&json).map_err(|error| format!("it is no JSON: {error}"))?)
        }
    })
}

fn money_from_guest(money: &wit::Money) -> Result<Money, String> {
    let currency = Currency::new(&money.currency).map_err(|error| error.to_string())?;
    let amount = Decimal::new(money.minor_units, currency.decimals());
    Money::new(amount, currency).map_err(|error| error.to_string())
}

/// Takes the id of a record.
pub(super) fn record_id(id: &str) -> Result<RecordId, String> {
    RecordId::parse(id).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: Option<wit::Value>) -> wit::FieldValue {
        wit::FieldValue { name: name.to_owned(), value }
    }

    #[test]
    fn values_come_back_as_they_went() {
        let id = RecordId::parse("01926b5e-0000-7000-8000-000000000001").unwrap();
        let money = |amount: &str, currency| {
            Money::new(amount.parse().unwrap(), Currency::new(currency).unwrap()).unwrap()
        };
        for value in [
            Value::Text("客户".to_owned()),
            Value::Number(-0.25),
            Value::Integer(i64::MIN),
            Value::Money(money("-12.30", "CNY")),
            Value::Money(money("1200", "JPY")),
            Value::Money(money("0.125", "KWD")),
            Value::Bool(true),
            Value::Date("1969-12-31".parse().unwrap()),
            Value::Time(Timestamp::from_millisecond(-1).unwrap()),
            Value::Choice("open".to_owned()),
            Value::MultiChoice(vec!["a".to_owned(), "b".to_owned()]),
            Value::Reference(id),
            Value::Json(serde_json::json!({"a": [1, null]})),
        ] {
            assert_eq!(value_from_guest(value_to_guest(&value)), Ok(value));
        }
    }

    #[test]
    fn a_guest_sees_the_fields_that_are_shown() {
        let name = |name| FieldName::new(name).unwrap();
        let record = NamedRecord {
            object: trellis_model::ObjectName::new("account").unwrap(),
            id: RecordId::parse("01926b5e-0000-7000-8000-000000000001").unwrap(),
            version: 7,
            fields: [
                (name("name"), Value::Text("A".to_owned())),
                (name("phone"), Value::Text("1".to_owned())),
            ]
            .into(),
        };
        let shown = record_to_guest(&record, &[name("name"), name("owner")].into());
        assert_eq!(shown.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["name"]);
        let before =
            fields_to_guest([(&name("owner"), None), (&name("phone"), None)], &[name("owner")].into());
        assert_eq!(before.len(), 1);
    }

    #[test]
    fn what_is_no_value_is_named() {
        let check = |value: wit::Value, expected: &str| {
            let reason = fields_from_guest(vec![field("amount", Some(value))]).unwrap_err();
            assert!(reason.starts_with("field `amount`: ") && reason.contains(expected), "{reason}");
        };
        check(wit::Value::Number(f64::NAN), "the number is NaN");
        check(wit::Value::Money(wit::Money { currency: "Yuan".to_owned(), minor_units: 1 }), "Yuan");
        check(
            wit::Value::Money(wit::Money { currency: "USD".to_owned(), minor_units: i64::MAX }),
            "92233720368547758",
        );
        check(wit::Value::Date(i32::MAX), "no calendar has day 2147483647");
        check(wit::Value::Time(i64::MAX), "no calendar has millisecond");
        check(wit::Value::Reference("me".to_owned()), "me");
        check(wit::Value::Json("{".to_owned()), "it is no JSON");
        let twice = vec![field("name", None), field("name", None)];
        assert_eq!(fields_from_guest(twice).unwrap_err(), "field `name` is there twice");
        assert!(fields_from_guest(vec![field("Not a name", None)]).is_err());
    }
}
