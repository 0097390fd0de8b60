use trellis_model::{FieldDefinition, FieldName, FieldType, Filter, ObjectDefinition, ObjectName};
use trellis_records::Schema;

/// A figure over the records that refer to a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// Whose records; they need no covering index.
    pub object: ObjectName,
    /// Their reference to the dataset's object. `None`: that of their covering index, or else the only one there is.
    pub by: Option<FieldName>,
    /// Which of them count. It compares nothing but fields of the record itself.
    pub filter: Filter,
    /// The field that is their time: what lies after the date asked for does not count, nor what has no time. `None`: all count, as
    /// they are now (also for a past date).
    pub time: Option<FieldName>,
    /// Which days count; it needs a time.
    pub window: Window,
    /// Whether what lies on the day of the first of them (in or before the window) does not count; it needs a time.
    pub repeat: bool,
    /// What is said about them.
    pub figure: Figure,
}

/// A part of the past, in days of the organisation's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// How many days it has, the last one included; `None`: it has no beginning.
    pub within_days: Option<u32>,
    /// How many days before the date asked for its last day lies: 0 is that date.
    pub until_days_ago: u32,
}

/// What is said about the records that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// How many there are: a whole number, 0 where there are none.
    Count,
    /// On how many different days: a whole number, 0 where there are none.
    CountDays,
    /// The time of the earliest; null where there are none.
    First,
    /// The time of the latest; null where there are none.
    Last,
    /// The sum of a number, whole number or money, 0 where there are none. It is exact, money in minor units of the base currency, and
    /// numbers are rounded once: no order matters. Null where it passes 64 bits.
    Sum(FieldName),
    /// The smallest of a number, whole number, money, date or time; null where none has a value.
    Min(FieldName),
    /// The largest, likewise.
    Max(FieldName),
    /// The mean of those that have a value; null where none has. Money in whole minor units, a half rounded to even; a whole number's
    /// mean is a number.
    Mean(FieldName),
    /// The different texts, options of a choice, or titles of records that a field names: an empty list where there are none. A record
    /// without a title is named by its id.
    Values(FieldName),
}

impl Window {
    /// Whether it has neither beginning nor an end before the date asked for.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

impl Related {
    /// The reference to the dataset's object that is meant.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn reference<'a>(
        &self,
        schema: &'a Schema,
        target: &ObjectDefinition,
    ) -> Result<(&'a ObjectDefinition, &'a FieldDefinition), String> {
        let object = &self.object;
        let definition =
            schema.object(object.as_str()).ok_or_else(|| format!("there is no object `{object}`"))?;
        Ok((definition, reference(definition, self.by.as_ref(), target)?))
    }
}

/// The reference of an object's records to another that is named, or else meant.
fn reference<'a>(
    object: &'a ObjectDefinition,
    by: Option<&FieldName>,
    target: &ObjectDefinition,
) -> Result<&'a FieldDefinition, String> {
    let points = |field: &&FieldDefinition| matches!(&field.field_type, FieldType::Reference { object } if *object == target.name);
    if let Some(by) = by {
        let field = object.field(by.as_str()).filter(points);
        return field
            .ok_or_else(|| format!("`{}` has no reference `{by}` to `{}`", object.name, target.name));
    }
    let covered = object.covering.as_ref().and_then(|covering| object.field(covering.target.as_str()));
    if let Some(covered) = covered.filter(points) {
        return Ok(covered);
    }
    let mut references = object.fields.iter().filter(points);
    match (references.next(), references.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(format!("`{}` has no reference to `{}`", object.name, target.name)),
        (Some(first), Some(second)) => Err(format!(
            "`{}` has several references to `{}` (`{}`, `{}`): `by` has to say which",
            object.name, target.name, first.name, second.name
        )),
    }
}
