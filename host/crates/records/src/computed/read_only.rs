use trellis_model::{FieldId, ObjectDefinition, Text};

use crate::{Error, FieldError, Result};

/// Refuses to write fields that are computed.
///
/// # Errors
/// [`Error::Invalid`] names each of them.
pub(crate) fn check_writes<'f>(
    object: &ObjectDefinition,
    fields: impl Iterator<Item = &'f FieldId>,
) -> Result<()> {
    let computed = fields.filter_map(|id| object.field_by_id(*id)).filter(|field| field.computed.is_some());
    let errors: Vec<FieldError> = computed
        .map(|field| FieldError {
            field: field.name.clone(),
            code: "read_only",
            message: Text::new("the value is computed and cannot be written", "该值由系统计算，不能写入"),
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}
