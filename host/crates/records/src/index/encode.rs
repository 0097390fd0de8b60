//! Values as bytes that sort as the values do.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use trellis_model::{Currency, FieldType, Money, Value};

use crate::keys::{flip_sign, unflip_sign};

/// How many bytes of a text count for its place: texts that begin alike for longer are sorted by id.
pub(crate) const TEXT_BYTES_MAX: usize = 120;
const NULL: u8 = 0;
const PRESENT: u8 = 1;
/// Decimals of an amount as an index keeps it; no currency has more.
const MONEY_DECIMALS: u32 = 3;

/// Appends a value such that bytes sort as values do: null first, then numbers by size, texts by their bytes, days and times by date.
///
/// No encoding is the beginning of another of the same type, so several of them in a row sort as tuples do.
pub(crate) fn append(out: &mut Vec<u8>, value: Option<&Value>) {
    let Some(value) = value else { return out.push(NULL) };
    out.push(PRESENT);
    match value {
        Value::Text(text) | Value::Choice(text) => {
            out.extend(beginning(text).as_bytes());
            // No text has a NUL in it, so a shorter one comes first.
            out.push(0);
        }
        _ => append_exact(out, value),
    }
}

/// The number that [`append`] wrote, `Some(None)` for null; `None` for what it wrote of no number.
fn number(bytes: &[u8]) -> Option<Option<f64>> {
    match bytes {
        [NULL] => Some(None),
        [PRESENT, bits @ ..] => {
            let bits = u64::from_be_bytes(bits.try_into().ok()?);
            let bits = if bits >> 63 == 0 { !bits } else { bits & !(1 << 63) };
            Some(Some(f64::from_bits(bits)))
        }
        _ => None,
    }
}

/// The value that [`append`] wrote of a type that is not text, `Some(None)` for null; without a type, of a number. `None` for what it
/// wrote of anything else.
pub(crate) fn decoded(bytes: &[u8], field_type: Option<&FieldType>, base: Currency) -> Option<Option<Value>> {
    let bits = match bytes {
        [NULL] => return Some(None),
        [PRESENT, bits @ ..] => bits,
        _ => return None,
    };
    let whole = || bits.try_into().ok().map(|bits| unflip_sign(u64::from_be_bytes(bits)));
    Some(Some(match field_type {
        None | Some(FieldType::Number) => Value::Number(number(bytes)??),
        Some(FieldType::Integer) => Value::Integer(whole()?),
        Some(FieldType::Money) => {
            let amount = Decimal::new(whole()?, MONEY_DECIMALS);
            Value::Money(Money { amount, currency: base, base_amount: Some(amount) })
        }
        Some(FieldType::Date) => Value::Date(Value::date_of_days(i32::try_from(whole()?).ok()?)?),
        Some(FieldType::Time) => Value::Time(Timestamp::from_millisecond(whole()?).ok()?),
        Some(FieldType::Bool) => Value::Bool(bits == [1]),
        Some(_) => return None,
    }))
}

/// The key part of a unique value: all of it.
pub(crate) fn exact(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    append_exact(&mut out, value);
    out
}

/// Whether [`append`] keeps a value whole, so that equal bytes mean equal values.
pub(crate) fn is_whole(value: &Value) -> bool {
    match value {
        Value::Text(text) | Value::Choice(text) => text.len() <= TEXT_BYTES_MAX,
        _ => true,
    }
}

fn append_exact(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) | Value::Choice(text) => out.extend(text.as_bytes()),
        Value::Number(number) => out.extend(number_bits(*number).to_be_bytes()),
        Value::Integer(number) => out.extend(flip_sign(*number).to_be_bytes()),
        Value::Money(money) => out.extend(flip_sign(thousandths(money.comparable())).to_be_bytes()),
        Value::Bool(flag) => out.push(u8::from(*flag)),
        Value::Date(date) => out.extend(flip_sign(i64::from(Value::days_of(*date))).to_be_bytes()),
        Value::Time(time) => out.extend(flip_sign(time.as_millisecond()).to_be_bytes()),
        Value::Reference(id) => out.extend(id.as_bytes()),
        // The schema lets none of these be indexed.
        Value::MultiChoice(_) | Value::List(_) | Value::Json(_) => {}
    }
}

fn beginning(text: &str) -> &str {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.get(..end).unwrap_or(text)
}

/// Positive numbers get the sign bit set, negative ones all bits flipped: unsigned order is numeric order.
fn number_bits(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn thousandths(amount: Decimal) -> i64 {
    let scaled = amount.checked_mul(Decimal::from(10_i64.pow(MONEY_DECIMALS)));
    let scaled = scaled.map(|scaled| scaled.trunc()).and_then(|scaled| scaled.to_i64());
    scaled.unwrap_or(if amount.is_sign_negative() { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trellis_model::{Currency, Money};

    use super::*;

    fn encoded(value: Option<Value>) -> Vec<u8> {
        let mut out = Vec::new();
        append(&mut out, value.as_ref());
        out
    }

    #[test]
    fn bytes_sort_as_values_do() {
        let check = |values: Vec<Option<Value>>| {
            let bytes: Vec<_> = values.iter().cloned().map(encoded).collect();
            assert!(bytes.is_sorted_by(|a, b| a < b), "{values:?}");
        };
        let texts = ["", "a", "a b", "aa", "b", "\u{7f}", "中"];
        check([None].into_iter().chain(texts.map(|text| Some(Value::Text(text.into())))).collect());
        let numbers = [f64::MIN, -1.5, -1e-300, 0.0, 1e-300, 2.0, f64::MAX];
        check(numbers.map(|number| Some(Value::Number(number))).into());
        for of in numbers {
            assert_eq!(number(&encoded(Some(Value::Number(of)))), Some(Some(of)));
        }
        assert_eq!((number(&encoded(None)), number(b"\x01text\0"), number(&[])), (Some(None), None, None));
        check(vec![
            None,
            Some(Value::Integer(i64::MIN)),
            Some(Value::Integer(-1)),
            Some(Value::Integer(0)),
            Some(Value::Integer(7)),
        ]);
        let usd = Currency::new("USD").unwrap();
        let money = |amount: &str| Some(Value::Money(Money::new(amount.parse().unwrap(), usd).unwrap()));
        check(vec![
            None,
            money("-999999999999999.99"),
            money("-0.01"),
            money("0"),
            money("9.99"),
            money("10"),
            money("999999999999999.99"),
        ]);
        let date = |text: &str| Some(Value::Date(text.parse().unwrap()));
        check(vec![date("0000-01-01"), date("1969-12-31"), date("1970-01-01"), date("9999-12-31")]);
        check(vec![Some(Value::Bool(false)), Some(Value::Bool(true))]);
    }

    #[test]
    fn a_negative_zero_is_zero() {
        assert_eq!(encoded(Some(Value::Number(-0.0))), encoded(Some(Value::Number(0.0))));
    }

    proptest! {
        #[test]
        fn pairs_sort_as_tuples(a in "[a-c]{0,3}", b in "[a-c]{0,3}", x: i64, y: i64) {
            let pair = |text: &str, number| [encoded(Some(Value::Text(text.into()))), encoded(Some(Value::Integer(number)))].concat();
            prop_assert_eq!(pair(&a, x).cmp(&pair(&b, y)), (&a, x).cmp(&(&b, y)));
        }

        #[test]
        fn numbers_sort_as_numbers(a in proptest::num::f64::NORMAL, b in proptest::num::f64::NORMAL) {
            prop_assert_eq!(encoded(Some(Value::Number(a))).cmp(&encoded(Some(Value::Number(b)))), a.partial_cmp(&b).unwrap());
        }
    }
}
