//! Values from and to JSON and text, checked against the type of their field.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::error::shorten;
use crate::{ChoiceOption, Currency, Error, Expected, FieldType, Money, RecordId, Result, Value};

/// The size of a JSON value.
const JSON_BYTES_MAX: usize = 64 << 10;
/// The items of a list or the chosen options of a multi-choice.
const ITEMS_MAX: usize = 1_000;

impl FieldType {
    /// Reads a value as the API writes it. JSON null is `None`.
    ///
    /// # Errors
    /// Says what was expected and quotes what was found.
    pub fn parse_json(&self, json: &Json) -> Result<Option<Value>> {
        if json.is_null() {
            return Ok(None);
        }
        let wrong = |expected| Error::WrongType { input: shorten(&json.to_string()), expected };
        let text = |expected| json.as_str().ok_or_else(|| wrong(expected));
        let value = match self {
            Self::Number => Value::Number(
                json.as_f64().filter(|n| n.is_finite()).ok_or_else(|| wrong(Expected::Number))? + 0.0,
            ),
            Self::Integer => Value::Integer(json.as_i64().ok_or_else(|| wrong(Expected::WholeNumber))?),
            Self::Bool => Value::Bool(json.as_bool().ok_or_else(|| wrong(Expected::Bool))?),
            Self::Money => parse_money(json).ok_or_else(|| wrong(Expected::Money))??,
            Self::Text { .. } => self.parse_text(text(Expected::Text)?)?,
            Self::Date => self.parse_text(text(Expected::Date)?)?,
            Self::Time => self.parse_text(text(Expected::Time)?)?,
            Self::Choice { .. } => self.parse_text(text(Expected::Option)?)?,
            Self::Reference { .. } => self.parse_text(text(Expected::RecordId)?)?,
            Self::MultiChoice { options } => {
                let chosen = json
                    .as_array()
                    .filter(|items| items.len() <= ITEMS_MAX)
                    .ok_or_else(|| wrong(Expected::Options))?;
                let chosen = chosen.iter().map(|item| item.as_str().ok_or_else(|| wrong(Expected::Options)));
                multi_choice(options, chosen.collect::<Result<Vec<_>>>()?)?
            }
            Self::List { of } => {
                let items = json.as_array().filter(|items| items.len() <= ITEMS_MAX);
                let items = items.ok_or_else(|| wrong(Expected::List))?;
                let items = items
                    .iter()
                    .map(|item| of.parse_json(item)?.ok_or_else(|| wrong(Expected::ListWithoutNulls)));
                Value::List(items.collect::<Result<_>>()?)
            }
            Self::Json if json.to_string().len() > JSON_BYTES_MAX => {
                return Err(wrong(Expected::ShortJson));
            }
            Self::Json => Value::Json(json.clone()),
        };
        Ok(Some(value))
    }

    /// Reads a value as a table writes it, for example a CSV cell. The cell is trimmed by the caller if it wants that.
    ///
    /// # Errors
    /// Says what was expected and quotes what was found.
    pub fn parse_text(&self, text: &str) -> Result<Value> {
        let wrong = |expected| Error::WrongType { input: shorten(text), expected };
        Ok(match self {
            Self::Text { characters_max } => {
                let (characters, characters_max) = (text.chars().count(), *characters_max as usize);
                if characters > characters_max {
                    return Err(Error::TextTooLong { characters, characters_max });
                }
                if text.contains('\0') {
                    return Err(wrong(Expected::TextWithoutNul));
                }
                Value::Text(text.to_owned())
            }
            Self::Number => {
                let number: f64 = text.parse().map_err(|_| wrong(Expected::Number))?;
                Value::Number(if number.is_finite() {
                    number + 0.0
                } else {
                    return Err(wrong(Expected::FiniteNumber));
                })
            }
            Self::Integer => Value::Integer(text.parse().map_err(|_| wrong(Expected::WholeNumber))?),
            Self::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" | "是" => Value::Bool(true),
                "false" | "no" | "0" | "否" => Value::Bool(false),
                _ => return Err(wrong(Expected::Bool)),
            },
            Self::Money => {
                let (amount, currency) =
                    text.rsplit_once(' ').ok_or_else(|| wrong(Expected::AmountAndCurrency))?;
                Value::Money(Money::new(
                    parse_decimal(amount).ok_or_else(|| wrong(Expected::Amount))?,
                    Currency::new(currency)?,
                )?)
            }
            Self::Date => {
                let date: Date = text.parse().map_err(|_| wrong(Expected::Date))?;
                Value::Date(if date.year() >= 0 && text.len() == 10 {
                    date
                } else {
                    return Err(wrong(Expected::Date));
                })
            }
            Self::Time => {
                let time: Timestamp = text.parse().map_err(|_| wrong(Expected::Time))?;
                Value::Time(
                    Timestamp::from_millisecond(time.as_millisecond()).map_err(|_| wrong(Expected::Time))?,
                )
            }
            Self::Choice { options } => match options.iter().any(|option| option.value == text) {
                true => Value::Choice(text.to_owned()),
                false => return Err(unknown_option(options, text)),
            },
            Self::MultiChoice { options } => {
                multi_choice(options, text.split([',', ';', '；', '，']).map(str::trim).collect())?
            }
            Self::Reference { .. } => Value::Reference(RecordId::parse(text)?),
            Self::List { .. } | Self::Json => {
                let json: Json = serde_json::from_str(text).map_err(|_| wrong(Expected::Json))?;
                self.parse_json(&json)?.ok_or_else(|| wrong(Expected::Value))?
            }
        })
    }
}

impl Value {
    /// The value as the API writes it.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Text(text) | Self::Choice(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Integer(number) => json!(number),
            Self::Money(money) => {
                json!({ "amount": money.amount_text(), "currency": money.currency.as_str() })
            }
            Self::Bool(flag) => json!(flag),
            Self::Date(date) => json!(date.to_string()),
            Self::Time(time) => json!(time.to_string()),
            Self::MultiChoice(options) => json!(options),
            Self::Reference(id) => json!(id.to_string()),
            Self::List(values) => Json::Array(values.iter().map(Self::to_json).collect()),
            Self::Json(json) => json.clone(),
        }
    }
}

impl Money {
    /// The amount with the decimals of its currency: `12.30`.
    pub fn amount_text(&self) -> String {
        let mut amount = self.amount;
        amount.rescale(self.currency.decimals());
        amount.to_string()
    }
}

fn parse_money(json: &Json) -> Option<Result<Value>> {
    let object = json.as_object().filter(|object| object.len() == 2)?;
    let amount = parse_decimal(object.get("amount")?.as_str()?)?;
    let currency = object.get("currency")?.as_str()?;
    Some(Currency::new(currency).and_then(|currency| Money::new(amount, currency)).map(Value::Money))
}

/// Reads a decimal number; neither an exponent nor grouping is allowed.
pub(crate) fn parse_decimal(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    (plain && text.len() <= 30).then(|| text.parse().ok()).flatten()
}

fn multi_choice(options: &[ChoiceOption], chosen: Vec<&str>) -> Result<Value> {
    let unknown = chosen.iter().find(|value| !options.iter().any(|option| option.value == **value));
    if let Some(value) = unknown {
        return Err(unknown_option(options, value));
    }
    let mut chosen: Vec<String> = chosen.into_iter().map(str::to_owned).collect();
    chosen.sort();
    chosen.dedup();
    Ok(Value::MultiChoice(chosen))
}

fn unknown_option(options: &[ChoiceOption], input: &str) -> Error {
    let names: Vec<&str> = options.iter().map(|option| option.value.as_str()).take(20).collect();
    Error::UnknownOption { input: shorten(input), options: names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    fn options() -> Vec<ChoiceOption> {
        ["new", "won"]
            .into_iter()
            .map(|value| ChoiceOption { value: value.into(), label: Text::new(value, ""), retired: false })
            .collect()
    }

    #[test]
    fn json_values_come_back_as_they_went_in() {
        let check = |field_type: FieldType, json: Json| {
            let value = field_type.parse_json(&json).unwrap().unwrap();
            assert_eq!(value.to_json(), json);
        };
        check(FieldType::Text { characters_max: 5 }, json!("名字 ab"));
        check(FieldType::Number, json!(1.5));
        check(FieldType::Integer, json!(-9_007_199_254_740_993_i64));
        check(FieldType::Money, json!({"amount": "29.30", "currency": "USD"}));
        check(FieldType::Money, json!({"amount": "2930", "currency": "JPY"}));
        check(FieldType::Bool, json!(true));
        check(FieldType::Date, json!("1997-09-30"));
        check(FieldType::Time, json!("2026-11-21T20:48:00.125Z"));
        check(FieldType::Choice { options: options() }, json!("won"));
        check(FieldType::MultiChoice { options: options() }, json!(["new", "won"]));
        check(
            FieldType::Reference { object: "account".parse().unwrap() },
            json!("01939d4c-7c3a-7b6e-8000-000000000001"),
        );
        check(FieldType::List { of: Box::new(FieldType::Integer) }, json!([1, 2]));
        check(FieldType::Json, json!({"a": [1, null]}));
    }

    #[test]
    fn wrong_values_are_named_in_chinese_too() {
        let check = |field_type: FieldType, json: Json, message: &str| {
            assert_eq!(field_type.parse_json(&json).unwrap_err().text().zh_cn, message);
        };
        check(FieldType::Text { characters_max: 2 }, json!(1), "`1` 无效，应为文本");
        check(FieldType::Text { characters_max: 2 }, json!("abc"), "文本有 3 个字符，最多 2 个");
        check(FieldType::Bool, json!("x"), "`\"x\"` 无效，应为 true 或 false");
        check(FieldType::Choice { options: options() }, json!("lost"), "`lost` 不在可选值之中：new, won");
        let decimals = "`29.333` 无效，应为 USD 金额（整数部分最多 15 位，小数最多 2 位）";
        check(FieldType::Money, json!({"amount": "29.333", "currency": "USD"}), decimals);
        let currency = "`usd` 不是有效的币种：三个大写字母（ISO 4217）";
        check(FieldType::Money, json!({"amount": "1", "currency": "usd"}), currency);
    }

    #[test]
    fn wrong_values_are_named() {
        let check = |field_type: FieldType, json: Json, message: &str| {
            assert_eq!(field_type.parse_json(&json).unwrap_err().to_string(), message);
        };
        check(FieldType::Integer, json!(1.5), "`1.5` is not a whole number");
        check(FieldType::Text { characters_max: 2 }, json!("abc"), "text has 3 characters, at most 2");
        check(FieldType::Date, json!("1997-02-30"), "`1997-02-30` is not a date (YYYY-MM-DD)");
        check(
            FieldType::Choice { options: options() },
            json!("lost"),
            "`lost` is not one of the options new, won",
        );
        let decimals = "`29.333` is not an amount of USD with at most 2 decimals and 15 digits";
        check(FieldType::Money, json!({"amount": "29.333", "currency": "USD"}), decimals);
        assert!(FieldType::Money.parse_json(&json!({"amount": 29.33, "currency": "USD"})).is_err());
        assert!(FieldType::Number.parse_text("NaN").is_err());
        assert!(FieldType::Number.parse_text("1e999").is_err());
    }
}
