use trellis_model::{FieldDefinition, Text, Value, bilingual};

use super::super::cell;

/// A field of a record that a reference creates.
#[derive(Debug, Clone)]
pub(in super::super) struct Preset {
    pub(in super::super) field: FieldDefinition,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Constant(Value),
    /// Texts between which the key goes.
    Template(Vec<String>),
}

impl Preset {
    /// The same value for every record.
    pub(super) fn constant(field: FieldDefinition, value: Value) -> Self {
        Self { field, source: Source::Constant(value) }
    }

    /// A text in which `{}` stands for the key.
    pub(super) fn template(field: FieldDefinition, template: &str) -> Result<Self, Text> {
        let parts: Vec<String> = template.split("{}").map(str::to_owned).collect();
        if parts.iter().any(|part| part.contains(['{', '}'])) {
            return Err(bilingual!(
                "`{template}` has a brace that is not `{{}}`, which stands for the key",
                "`{template}` 中的花括号只能写作代表键的 `{{}}`"
            ));
        }
        Ok(Self { field, source: Source::Template(parts) })
    }

    /// The value in the record with this key.
    pub(in super::super) fn value(&self, key: &str) -> Result<Value, trellis_model::Error> {
        match &self.source {
            Source::Constant(value) => Ok(value.clone()),
            Source::Template(parts) => cell::parse(&self.field.field_type, None, parts.join(key).trim()),
        }
    }
}
