//! Reading the fields of a record, and writing some.

use crate::bindings::shared::trellis::plugin::values::Money as Amount;
use crate::log;

pub use crate::bindings::shared::trellis::plugin::values::{FieldValue, ObjectRecord, Value};

/// Fields and what becomes of them, for patches of a record hook and new records.
///
/// ```
/// use trellis_sdk::Fields;
///
/// let fields = Fields::default().choice("severity", "high").null("due_at");
/// assert_eq!(fields.as_slice().len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    fields: Vec<FieldValue>,
}

impl Fields {
    /// The fields in the order in which they were set.
    pub fn as_slice(&self) -> &[FieldValue] {
        &self.fields
    }
}

impl From<Fields> for Vec<FieldValue> {
    fn from(fields: Fields) -> Self {
        fields.fields
    }
}

/// Gives a type with a list called `fields` one method for each type of value. Setting a field again replaces what it was.
macro_rules! field_setters {
    ($type:ty) => {
        impl $type {
            /// Sets a field to a value of any type, or to null.
            #[must_use]
            pub fn set(mut self, name: &str, value: Option<$crate::Value>) -> Self {
                self.fields.retain(|field| field.name != name);
                self.fields.push($crate::FieldValue { name: name.to_owned(), value });
                self
            }

            /// Sets a text.
            #[must_use]
            pub fn text(self, name: &str, value: impl Into<String>) -> Self {
                self.set(name, Some($crate::Value::Text(value.into())))
            }

            /// Sets one of a field's options, by its API value.
            #[must_use]
            pub fn choice(self, name: &str, option: impl Into<String>) -> Self {
                self.set(name, Some($crate::Value::Choice(option.into())))
            }

            /// Sets several of a field's options.
            #[must_use]
            pub fn choices<S: Into<String>>(self, name: &str, options: impl IntoIterator<Item = S>) -> Self {
                self.set(name, Some($crate::Value::Choices(options.into_iter().map(Into::into).collect())))
            }

            /// Sets a finite number.
            #[must_use]
            pub fn number(self, name: &str, value: f64) -> Self {
                self.set(name, Some($crate::Value::Number(value)))
            }

            /// Sets a whole number.
            #[must_use]
            pub fn integer(self, name: &str, value: i64) -> Self {
                self.set(name, Some($crate::Value::Integer(value)))
            }

            /// Sets an amount in minor units of `currency` (ISO 4217).
            #[must_use]
            pub fn money(self, name: &str, currency: &str, minor_units: i64) -> Self {
                let money = $crate::bindings::shared::trellis::plugin::values::Money {
                    currency: currency.to_owned(),
                    minor_units,
                };
                self.set(name, Some($crate::Value::Money(money)))
            }

            /// Sets yes or no.
            #[must_use]
            pub fn boolean(self, name: &str, value: bool) -> Self {
                self.set(name, Some($crate::Value::Boolean(value)))
            }

            /// Sets a day, in days since 1970-01-01.
            #[must_use]
            pub fn date(self, name: &str, days: i32) -> Self {
                self.set(name, Some($crate::Value::Date(days)))
            }

            /// Sets a moment, in milliseconds since 1970-01-01T00:00:00Z.
            #[must_use]
            pub fn time(self, name: &str, ms: i64) -> Self {
                self.set(name, Some($crate::Value::Time(ms)))
            }

            /// Sets a reference to the record with this id.
            #[must_use]
            pub fn reference(self, name: &str, id: impl Into<String>) -> Self {
                self.set(name, Some($crate::Value::Reference(id.into())))
            }

            /// Makes a field null.
            #[must_use]
            pub fn null(self, name: &str) -> Self {
                self.set(name, None)
            }
        }
    };
}
pub(crate) use field_setters;

field_setters!(Fields);

/// Reading by type. A null field and one that the manifest does not declare are `None`; so is a field of another type, with a warning in
/// the log that names it.
impl ObjectRecord {
    /// The value of a field, whatever its type.
    pub fn value(&self, name: &str) -> Option<&Value> {
        value_of(&self.fields, name)
    }

    /// Whether a field is null, or a text of white space only.
    pub fn is_blank(&self, name: &str) -> bool {
        match self.value(name) {
            None => true,
            Some(Value::Text(text)) => text.trim().is_empty(),
            Some(_) => false,
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            other => self.wrong_type(name, other, "text"),
        }
    }

    /// The API value of an option.
    pub fn choice(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Choice(option) => Some(option),
            other => self.wrong_type(name, other, "choice"),
        }
    }

    /// Several options; none at all for null.
    pub fn choices(&self, name: &str) -> &[String] {
        match self.value(name) {
            None => &[],
            Some(Value::Choices(options)) => options,
            Some(other) => self.wrong_type(name, other, "choices").unwrap_or_default(),
        }
    }

    /// A number; a whole number as well.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            Value::Integer(number) => Some(*number as f64),
            other => self.wrong_type(name, other, "number"),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Integer(number) => Some(*number),
            other => self.wrong_type(name, other, "integer"),
        }
    }

    /// An amount: its currency and its minor units.
    pub fn money(&self, name: &str) -> Option<&Amount> {
        match self.value(name)? {
            Value::Money(money) => Some(money),
            other => self.wrong_type(name, other, "money"),
        }
    }

    /// Yes or no.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Boolean(value) => Some(*value),
            other => self.wrong_type(name, other, "boolean"),
        }
    }

    /// A day, in days since 1970-01-01.
    pub fn date(&self, name: &str) -> Option<i32> {
        match self.value(name)? {
            Value::Date(days) => Some(*days),
            other => self.wrong_type(name, other, "date"),
        }
    }

    /// A moment, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn time(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Time(ms) => Some(*ms),
            other => self.wrong_type(name, other, "time"),
        }
    }

    /// The id of another record.
    pub fn reference(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Reference(id) => Some(id),
            other => self.wrong_type(name, other, "reference"),
        }
    }

    /// A value that has no type of its own, as JSON.
    pub fn json(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Json(json) => Some(json),
            other => self.wrong_type(name, other, "json"),
        }
    }

    #[cold]
    fn wrong_type<T>(&self, name: &str, found: &Value, wanted: &str) -> Option<T> {
        log::warn(format!("field `{name}` of `{}` is of type {}, not {wanted}", self.object, type_of(found)));
        None
    }
}

/// The value of the field `name` among `fields`.
pub(crate) fn value_of<'a>(fields: &'a [FieldValue], name: &str) -> Option<&'a Value> {
    fields.iter().find(|field| field.name == name)?.value.as_ref()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "text",
        Value::Number(_) => "number",
        Value::Integer(_) => "integer",
        Value::Money(_) => "money",
        Value::Boolean(_) => "boolean",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Choice(_) => "choice",
        Value::Choices(_) => "choices",
        Value::Reference(_) => "reference",
        Value::Json(_) => "json",
    }
}
