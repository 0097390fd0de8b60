//! What an object's definition demands of a change beyond types: defaults, what is required when, and what is out of use.

use trellis_model::{FieldDefinition, FieldType, Fields, ObjectDefinition, Record, Text, Value, bilingual};

use super::prepare::Save;
use super::validate::wrong;
use crate::schema::Object;
use crate::{Error, FieldError, Result};

/// Refuses a change of a record of an object that is out of use.
pub(super) fn in_use(object: &ObjectDefinition) -> Result<()> {
    if object.is_out_of_use() { Err(Error::Retired { object: object.name.clone() }) } else { Ok(()) }
}

/// Gives a new record what it does not say.
pub(super) fn defaults(object: &ObjectDefinition, fields: &mut Fields) {
    for field in &object.fields {
        if let Some(default) = &field.default
            && !field.is_out_of_use()
            && !fields.contains_key(&field.id)
        {
            fields.insert(field.id, default.clone());
        }
    }
}

impl Save<'_> {
    /// Checks what changes against what is out of use, and the whole against what is required when.
    pub(super) async fn check_shape(
        &self,
        object: &Object,
        before: Option<&Record>,
        after: &Record,
    ) -> Result<()> {
        let mut errors = Vec::new();
        for field in &object.definition.fields {
            let (old, new) =
                (before.and_then(|before| before.fields.get(&field.id)), after.fields.get(&field.id));
            if old != new {
                errors.extend(out_of_use(field, old, new));
            }
            if let Some(when) = &field.required_if
                && new.is_none()
                && !field.is_out_of_use()
                && self.records.matches_unscoped(object, when, after).await?
            {
                errors.push(wrong(
                    field,
                    "required",
                    Text::new("a value is required here", "在此情况下必须填写"),
                ));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }
}

/// What is wrong with a new value of a field that is out of use, or with an option that is.
fn out_of_use(field: &FieldDefinition, old: Option<&Value>, new: Option<&Value>) -> Option<FieldError> {
    if field.is_out_of_use() {
        let message = Text::new("the field is out of use and cannot be changed", "该字段已停用，不能更改");
        return Some(wrong(field, "retired", message));
    }
    let (FieldType::Choice { options } | FieldType::MultiChoice { options }) = &field.field_type else {
        return None;
    };
    let had = |value: &String| chosen(old).contains(value);
    let is_retired = |value: &&String| options.iter().any(|option| option.retired && option.value == **value);
    let retired = chosen(new).iter().find(|value| is_retired(value) && !had(value))?;
    let message = bilingual!("`{retired}` can no longer be chosen", "`{retired}` 已停用，不能再选择");
    Some(wrong(field, "retired_option", message))
}

fn chosen(value: Option<&Value>) -> &[String] {
    match value {
        Some(Value::Choice(value)) => std::slice::from_ref(value),
        Some(Value::MultiChoice(values)) => values,
        _ => &[],
    }
}
