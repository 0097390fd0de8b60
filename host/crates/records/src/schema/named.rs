//! Fields by name, as plugins and rules see them, to and from fields by number.

use std::collections::BTreeMap;

use jiff::Timestamp;
use trellis_model::{
    Error as ModelError, FieldDefinition, FieldName, FieldType, NamedRecord, ObjectName, Record, SystemField,
    Value,
};

use super::Schema;
use crate::index::system_value;
use crate::{Error, FieldChanges, FieldError, Result};

/// Whole numbers up to here are the same as a number.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Schema {
    /// The record with its fields by name, `created_at` and `updated_at` among them; `None` for an object that is not there.
    pub fn named(&self, record: &Record) -> Option<NamedRecord> {
        let object = self.object_by_id(record.object)?;
        let of_field = |(id, value): (_, &Value)| Some((object.field_by_id(id)?.name.clone(), value.clone()));
        let system = [SystemField::CreatedAt, SystemField::UpdatedAt]
            .into_iter()
            .filter_map(|field| Some((FieldName::new(field.name()).ok()?, system_value(record, field)?)));
        let fields = record.fields.iter().map(|(id, value)| (*id, value)).filter_map(of_field);
        Some(NamedRecord {
            object: object.name.clone(),
            id: record.id,
            version: record.version,
            fields: fields.chain(system).collect(),
        })
    }

    /// Fields by number for fields by name, each value in the type of its field: what plugins and rules write as text, they need
    /// not know as an option, id, day or moment; whole numbers and numbers stand for each other where nothing is lost.
    /// Whether a value is allowed is for the save to say.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::UnknownField`] (also for what every record has: `created_at`…), [`Error::Invalid`]
    /// with each value that cannot be of its field's type.
    pub fn fields(
        &self,
        object: &ObjectName,
        named: BTreeMap<FieldName, Option<Value>>,
    ) -> Result<FieldChanges> {
        let object =
            self.object(object.as_str()).ok_or_else(|| Error::UnknownObject { name: object.to_string() })?;
        let (mut changes, mut errors) = (FieldChanges::new(), Vec::new());
        for (name, value) in named {
            let field = object.field(name.as_str()).ok_or_else(|| Error::UnknownField {
                object: object.name.clone(),
                field: name.to_string(),
            })?;
            match value.map(|value| coerce(&field.field_type, value)).transpose() {
                Ok(value) => drop(changes.insert(field.id, value.flatten())),
                Err(error) => errors.push(field_error(field, &error)),
            }
        }
        if errors.is_empty() { Ok(changes) } else { Err(Error::Invalid(errors)) }
    }
}

fn field_error(field: &FieldDefinition, error: &ModelError) -> FieldError {
    let code = match error {
        ModelError::UnknownOption { .. } => "unknown_option",
        _ => "invalid_type",
    };
    FieldError { field: field.name.clone(), code, message: error.text() }
}

/// The value in a field's type; an empty text is null.
fn coerce(field_type: &FieldType, value: Value) -> Result<Option<Value>, ModelError> {
    let value = match (field_type, value) {
        (_, Value::Text(text)) if text.is_empty() => return Ok(None),
        (FieldType::Text { .. }, Value::Choice(text)) => Value::Text(text),
        (FieldType::Text { .. }, Value::Reference(id)) => Value::Text(id.to_string()),
        (
            FieldType::Choice { .. }
            | FieldType::MultiChoice { .. }
            | FieldType::Reference { .. }
            | FieldType::Date
            | FieldType::Time,
            Value::Text(text) | Value::Choice(text),
        ) => field_type.parse_text(&text)?,
        (FieldType::MultiChoice { .. }, Value::List(values)) => {
            field_type.parse_json(&Value::List(values).to_json())?.unwrap_or(Value::MultiChoice(Vec::new()))
        }
        (FieldType::List { of }, Value::List(values)) => {
            let values = values.into_iter().map(|value| coerce(of, value));
            Value::List(values.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        }
        (FieldType::List { of }, Value::MultiChoice(options)) => {
            let values = options.into_iter().map(|option| coerce(of, Value::Text(option)));
            Value::List(values.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        }
        (FieldType::Number, Value::Integer(number)) => Value::Number(number as f64),
        (FieldType::Integer, Value::Number(number)) if number.fract() == 0.0 && number.abs() <= EXACT_MAX => {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
            let whole = number as i64;
            Value::Integer(whole)
        }
        (FieldType::Time, Value::Time(time)) => Value::Time(to_millisecond(time)),
        (FieldType::Json, Value::Json(json)) => Value::Json(json),
        (FieldType::Json, value) => Value::Json(value.to_json()),
        (_, value) => value,
    };
    Ok(Some(value))
}

/// Moments are kept to the millisecond.
fn to_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
