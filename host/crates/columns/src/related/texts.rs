//! The different texts that records name.

use std::collections::HashMap;

use trellis_model::{FieldId, ObjectName, Record, Scope, Value};
use trellis_records::Records;

use crate::Result;

/// What a text takes besides its letters, about.
const TEXT_BYTES: usize = 96;

/// The different texts of a figure, by where they were first found.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) names: Vec<Value>,
    codes: HashMap<String, u32>,
    /// What they take, about.
    pub(super) bytes: usize,
}

impl Texts {
    /// The codes of the texts that a field names.
    pub(super) fn codes(&mut self, record: &Record, field: FieldId, codes: &mut Vec<u32>) {
        match record.fields.get(&field) {
            Some(Value::MultiChoice(options)) => {
                codes.extend(options.iter().map(|option| self.code(&Value::Choice(option.clone()))));
            }
            Some(Value::List(values)) => codes.extend(values.iter().map(|value| self.code(value))),
            Some(value) => codes.push(self.code(value)),
            None => {}
        }
    }

    fn code(&mut self, value: &Value) -> u32 {
        let next = self.names.len() as u32;
        *self.codes.entry(value.canonical()).or_insert_with_key(|text| {
            self.bytes += TEXT_BYTES + 2 * text.len();
            self.names.push(value.clone());
            next
        })
    }
}

/// What values are called: texts by themselves, records by their title or else their id. Deleted ones keep theirs.
pub(crate) async fn names(
    records: &Records,
    of: Option<&ObjectName>,
    values: &[Value],
) -> Result<Vec<String>> {
    let Some(object) = of else { return Ok(values.iter().map(Value::canonical).collect()) };
    let schema = records.schema();
    let definition = schema.object(object.as_str());
    let title = definition.and_then(|definition| definition.field(definition.title.as_str()));
    let mut names = Vec::with_capacity(values.len());
    for value in values {
        let mut name = value.canonical();
        if let (Value::Reference(id), Some(title)) = (value, title) {
            let found = records.get_deleted_too(&Scope::everything(), object, *id).await?;
            if let Some(Value::Text(text)) = found.and_then(|mut record| record.fields.remove(&title.id)) {
                name = text;
            }
        }
        names.push(name);
    }
    Ok(names)
}
