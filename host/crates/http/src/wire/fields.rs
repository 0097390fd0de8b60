use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value as Json;
use trellis_model::{Fields, ObjectDefinition, SystemField, Text, Value, bilingual};
use trellis_records::FieldChanges;

use crate::problem::{Code, FieldProblem, Problem, field_code};

/// A JSON object of fields. A key that is there twice is refused: which of the two was checked by whoever stands before us?
#[derive(Debug, Default)]
pub(crate) struct FieldMap(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for FieldMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = FieldMap;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldMap, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom(format_args!("key `{name}` is there twice")));
            }
            if fields.len() >= FIELDS_MAX {
                return Err(A::Error::custom(format_args!("more than {FIELDS_MAX} keys")));
            }
            fields.push((name, value));
        }
        Ok(FieldMap(fields))
    }
}

/// More fields than any object may have.
const FIELDS_MAX: usize = 2_000;

/// The fields of a new record. A null is the same as nothing.
///
/// # Errors
/// [`Code::ValidationError`] with everything that is wrong.
pub(crate) fn parse_fields(object: &ObjectDefinition, body: FieldMap) -> Result<Fields, Problem> {
    let changes = parse_changes(object, body)?;
    Ok(changes.into_iter().filter_map(|(field, value)| value.map(|value| (field, value))).collect())
}

/// The changes of a record. A null empties the field.
///
/// # Errors
/// [`Code::ValidationError`] with everything that is wrong.
pub(crate) fn parse_changes(object: &ObjectDefinition, body: FieldMap) -> Result<FieldChanges, Problem> {
    let mut changes = FieldChanges::new();
    let mut errors = Vec::new();
    for (name, json) in body.0 {
        match parse_field(object, &name, &json) {
            Ok((field, value)) => drop(changes.insert(field, value)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(changes) } else { Err(Problem::new(Code::ValidationError).fields(errors)) }
}

fn parse_field(
    object: &ObjectDefinition,
    name: &str,
    json: &Json,
) -> Result<(trellis_model::FieldId, Option<Value>), FieldProblem> {
    let wrong = |code, message: Text| FieldProblem { field: name.chars().take(60).collect(), code, message };
    if SystemField::of(name).is_some() {
        return Err(wrong("read_only", bilingual!("`{name}` is set by the server", "`{name}` 由服务器设置")));
    }
    let field = object.field(name);
    let of = &object.name;
    let unknown = || wrong("unknown_field", bilingual!("{of} has no such field", "{of} 没有这个字段"));
    let field = field.ok_or_else(unknown)?;
    let value = field.field_type.parse_json(json).map_err(|error| wrong(field_code(&error), error.text()))?;
    Ok((field.id, value))
}
