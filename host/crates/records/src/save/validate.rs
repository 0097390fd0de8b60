//! Types, limits and money: what is true of a record by itself.

use trellis_model::{
    ChoiceOption, Currency, FieldDefinition, FieldType, Fields, Money, ObjectDefinition, Phrase, Text, Value,
    bilingual,
};

use crate::{Error, FieldError, Limits, Result};

/// Checks all fields of a record against its object, and brings values into the one form in which they are stored:
/// an empty text is null, amounts carry their base amount.
///
/// # Errors
/// [`Error::Invalid`] names every field that is wrong.
pub(super) fn fields(
    object: &ObjectDefinition,
    mut fields: Fields,
    limits: &Limits,
    base: Currency,
) -> Result<Fields> {
    let mut errors = Vec::new();
    for definition in &object.fields {
        if let Some(value) = fields.remove(&definition.id) {
            match self::value(definition, value, base) {
                Ok(Some(value)) => drop(fields.insert(definition.id, value)),
                Ok(None) => {}
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            }
        }
        if definition.required && !definition.is_out_of_use() && !fields.contains_key(&definition.id) {
            let message = Text::new("a value is required", "此项为必填项");
            errors.push(wrong(definition, "required", message));
        }
    }
    if let Some(id) = fields.keys().find(|id| object.field_by_id(**id).is_none()) {
        return Err(Error::UnknownField { object: object.name.clone(), field: format!("number {}", id.0) });
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    within(&fields, limits)?;
    Ok(fields)
}

fn within(fields: &Fields, limits: &Limits) -> Result<()> {
    let bytes = fields.values().map(Value::bytes).sum::<usize>();
    let too_many = |what, count, count_max| Err(Error::TooMany { what, count, count_max });
    if fields.len() > limits.fields_per_record_max {
        return too_many(
            Phrase::new("fields in a record", "单条记录的字段数"),
            fields.len(),
            limits.fields_per_record_max,
        );
    }
    if bytes > limits.record_bytes_max {
        return too_many(
            Phrase::new("bytes in a record", "单条记录的字节数"),
            bytes,
            limits.record_bytes_max,
        );
    }
    Ok(())
}

fn value(definition: &FieldDefinition, value: Value, base: Currency) -> Result<Option<Value>, FieldError> {
    let value = match (&definition.field_type, value) {
        (_, Value::Text(text)) if text.is_empty() => return Ok(None),
        (FieldType::Money, Value::Money(money)) => Value::Money(in_base(definition, money, base)?),
        (FieldType::Number, Value::Integer(number)) => Value::Number(number as f64),
        (FieldType::Number, Value::Number(number)) if number.is_finite() => Value::Number(number + 0.0),
        (field_type, value) => {
            fits(field_type, &value).map_err(|message| wrong(definition, "invalid_type", message))?;
            value
        }
    };
    Ok(Some(value))
}

/// The base amount is fixed when an amount is stored. There are no rates yet, so only the base currency has one.
fn in_base(definition: &FieldDefinition, money: Money, base: Currency) -> Result<Money, FieldError> {
    if money.currency == base {
        return Ok(Money { base_amount: Some(money.amount), ..money });
    }
    let currency = money.currency;
    let message =
        bilingual!("there is no rate from {currency} to {base}", "没有从 {currency} 到 {base} 的汇率");
    Err(wrong(definition, "missing_rate", message))
}

fn fits(field_type: &FieldType, value: &Value) -> Result<(), Text> {
    let known =
        |options: &[ChoiceOption], value: &String| options.iter().any(|option| option.value == *value);
    let fits = match (field_type, value) {
        (FieldType::Text { characters_max }, Value::Text(text)) => {
            let characters = text.chars().count();
            if characters > *characters_max as usize {
                let characters_max = *characters_max as usize;
                return Err(trellis_model::Error::TextTooLong { characters, characters_max }.text());
            }
            !text.contains('\0')
        }
        (FieldType::Choice { options }, Value::Choice(value)) if !known(options, value) => {
            return Err(bilingual!("`{value}` is not one of the options", "`{value}` 不在可选值之中"));
        }
        (FieldType::MultiChoice { options }, Value::MultiChoice(values)) => {
            values.iter().all(|value| known(options, value))
        }
        (FieldType::List { of }, Value::List(values)) => {
            return values.iter().try_for_each(|value| fits(of, value));
        }
        (FieldType::Integer, Value::Integer(_))
        | (FieldType::Bool, Value::Bool(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::Time, Value::Time(_))
        | (FieldType::Choice { .. }, Value::Choice(_))
        | (FieldType::Reference { .. }, Value::Reference(_))
        | (FieldType::Json, Value::Json(_)) => true,
        (FieldType::Number, Value::Number(number)) => number.is_finite(),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let name = field_type.name();
    Err(bilingual!("the value is not a valid {name}", "该值不是有效的 {name}"))
}

pub(super) fn wrong(definition: &FieldDefinition, code: &'static str, message: Text) -> FieldError {
    FieldError { field: definition.name.clone(), code, message }
}
