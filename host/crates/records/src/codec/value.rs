use jiff::Timestamp;
use rust_decimal::Decimal;
use trellis_model::{Currency, Money, Value};

use super::bytes::{Reader, Writer};
use crate::{Error, Result};

/// Nested lists that are read at most; the schema allows one level.
const DEPTH_MAX: usize = 4;

/// Writes a value: its kind in a byte, then what the kind needs.
pub(crate) fn write(writer: &mut Writer, value: &Value) {
    match value {
        Value::Text(text) => tagged_text(writer, 1, text),
        Value::Number(number) => {
            writer.u8(2);
            writer.raw(&number.to_be_bytes());
        }
        Value::Integer(number) => tagged_number(writer, 3, *number),
        Value::Money(money) => write_money(writer, money),
        Value::Bool(flag) => {
            writer.u8(5);
            writer.u8(u8::from(*flag));
        }
        Value::Date(date) => tagged_number(writer, 6, i64::from(Value::days_of(*date))),
        Value::Time(time) => tagged_number(writer, 7, time.as_millisecond()),
        Value::Choice(option) => tagged_text(writer, 8, option),
        Value::MultiChoice(options) => {
            writer.u8(9);
            writer.varint(options.len() as u64);
            options.iter().for_each(|option| writer.text(option));
        }
        Value::Reference(id) => {
            writer.u8(10);
            writer.raw(id.as_bytes());
        }
        Value::List(values) => {
            writer.u8(11);
            writer.varint(values.len() as u64);
            values.iter().for_each(|value| write(writer, value));
        }
        Value::Json(json) => tagged_text(writer, 12, &json.to_string()),
    }
}

fn tagged_text(writer: &mut Writer, tag: u8, text: &str) {
    writer.u8(tag);
    writer.text(text);
}

fn tagged_number(writer: &mut Writer, tag: u8, number: i64) {
    writer.u8(tag);
    writer.signed(number);
}

fn write_money(writer: &mut Writer, money: &Money) {
    writer.u8(4);
    writer.raw(money.currency.as_str().as_bytes());
    write_decimal(writer, money.amount);
    // The same amount again is the usual case: the currency is the base one.
    writer.u8(match money.base_amount {
        None => 0,
        Some(base) if base == money.amount => 1,
        Some(_) => 2,
    });
    if let Some(base) = money.base_amount.filter(|base| *base != money.amount) {
        write_decimal(writer, base);
    }
}

fn write_decimal(writer: &mut Writer, decimal: Decimal) {
    let decimal = decimal.normalize();
    writer.u8(decimal.scale() as u8);
    writer.signed_wide(decimal.mantissa());
}

/// Reads what [`write`] wrote.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Value> {
    read_nested(reader, 0)
}

fn read_nested(reader: &mut Reader<'_>, depth: usize) -> Result<Value> {
    Ok(match reader.u8()? {
        1 => Value::Text(reader.text()?.to_owned()),
        2 => Value::Number(f64::from_be_bytes(reader.array()?)),
        3 => Value::Integer(reader.signed()?),
        4 => Value::Money(read_money(reader)?),
        5 => Value::Bool(reader.u8()? != 0),
        6 => {
            let days = i32::try_from(reader.signed()?).ok().and_then(Value::date_of_days);
            Value::Date(days.ok_or_else(|| Error::damaged("a day is not in the calendar"))?)
        }
        7 => {
            let time = Timestamp::from_millisecond(reader.signed()?);
            Value::Time(time.map_err(|_| Error::damaged("a time is out of range"))?)
        }
        8 => Value::Choice(reader.text()?.to_owned()),
        9 => {
            let count = reader.varint()?;
            Value::MultiChoice((0..count).map(|_| Ok(reader.text()?.to_owned())).collect::<Result<_>>()?)
        }
        10 => Value::Reference(reader.id()?),
        11 if depth < DEPTH_MAX => {
            let count = reader.varint()?;
            Value::List((0..count).map(|_| read_nested(reader, depth + 1)).collect::<Result<_>>()?)
        }
        12 => {
            let json = serde_json::from_str(reader.text()?);
            Value::Json(json.map_err(|_| Error::damaged("a JSON value is no JSON"))?)
        }
        tag => return Err(Error::damaged(format!("a value is of the unknown kind {tag}"))),
    })
}

fn read_money(reader: &mut Reader<'_>) -> Result<Money> {
    let wrong = || Error::damaged("a money value has no currency");
    let code = reader.array::<3>()?;
    let currency =
        std::str::from_utf8(&code).ok().and_then(|code| Currency::new(code).ok()).ok_or_else(wrong)?;
    let amount = read_decimal(reader)?;
    let base_amount = match reader.u8()? {
        0 => None,
        1 => Some(amount),
        _ => Some(read_decimal(reader)?),
    };
    Ok(Money { amount, currency, base_amount })
}

fn read_decimal(reader: &mut Reader<'_>) -> Result<Decimal> {
    let scale = u32::from(reader.u8()?);
    let decimal = Decimal::try_from_i128_with_scale(reader.signed_wide()?, scale);
    decimal.map_err(|_| Error::damaged("a decimal number is out of range"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_back_as_they_went_in() {
        let check = |value: Value| {
            let mut writer = Writer::default();
            write(&mut writer, &value);
            let mut reader = Reader(&writer.0);
            assert_eq!(read(&mut reader).unwrap(), value);
            assert!(reader.is_empty());
        };
        let usd = Currency::new("USD").unwrap();
        let money = |amount: &str, base: Option<&str>| {
            let base_amount = base.map(|base| base.parse().unwrap());
            Value::Money(Money { amount: amount.parse().unwrap(), currency: usd, base_amount })
        };
        check(Value::Text("名字".into()));
        check(Value::Number(-1.5e300));
        check(Value::Integer(i64::MIN));
        check(money("-12.30", None));
        check(money("999999999999999.99", Some("999999999999999.99")));
        check(money("100", Some("0.07")));
        check(Value::Bool(true));
        check(Value::Date("0000-01-01".parse().unwrap()));
        check(Value::Time("2026-11-21T20:48:00.125Z".parse().unwrap()));
        check(Value::Choice("won".into()));
        check(Value::MultiChoice(vec!["a1".into(), "b1".into()]));
        check(Value::Reference(trellis_model::RecordId(uuid::Uuid::from_u128(7))));
        check(Value::List(vec![Value::Integer(1), Value::Integer(-1)]));
        check(Value::Json(json!({"a": [1, null]})));
    }

    #[test]
    fn damaged_values_are_named() {
        let check = |bytes: &[u8], message: &str| {
            assert_eq!(read(&mut Reader(bytes)).unwrap_err().to_string(), message);
        };
        check(&[], "stored data is damaged: a value ends too early");
        check(&[99], "stored data is damaged: a value is of the unknown kind 99");
        check(&[1, 5, b'a'], "stored data is damaged: a value ends too early");
        check(&[12, 1, b'{'], "stored data is damaged: a JSON value is no JSON");
    }
}
