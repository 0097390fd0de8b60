//! From a row to a write: what the mode and the key of the mapping make of it.

use trellis_model::{FieldName, Value, bilingual};
use trellis_records::{Error, FieldChanges, FieldError, Write};

use super::Result;
use super::mapping::{Key, Mode};
use super::parse::Draft;
use super::run::Import;

impl Import<'_> {
    /// What a row asks the store for, or why it can ask nothing.
    pub(super) async fn write_of(&self, draft: Draft) -> Result<Result<Write, Error>> {
        let (mapping, scope) = (&self.mapping, &self.caller.scope);
        let object = mapping.object.name.clone();
        let Draft { id: given, fields, .. } = draft;
        let existing = match (&mapping.key, mapping.mode) {
            (Key::Field(key), Mode::Upsert) => {
                return Ok(Ok(Write::Upsert { object, key_field: key.id, fields }));
            }
            (Key::None, _) | (Key::Field(_), Mode::Create) => None,
            (Key::Field(key), Mode::Update) => {
                let value = fields.get(&key.id).cloned().unwrap_or_else(|| Value::Text(String::new()));
                let found = self.records.find_by(scope, &object, &key.name, &value).await?;
                if found.is_none() {
                    return Ok(Err(missing(&key.name, &value.canonical())));
                }
                found.map(|record| record.id)
            }
            (Key::Id, mode) => match given {
                Some(id) => {
                    let found = self.records.get(scope, &object, id).await?.map(|record| record.id);
                    if found.is_none() && mode == Mode::Update {
                        let name = FieldName::new(super::mapping::ID).expect("two letters");
                        return Ok(Err(missing(&name, &id.to_string())));
                    }
                    found.filter(|_| mode != Mode::Create)
                }
                None => None,
            },
        };
        Ok(Ok(match existing {
            Some(id) => {
                let changes: FieldChanges =
                    fields.into_iter().map(|(field, value)| (field, Some(value))).collect();
                Write::Update { object, id, changes, expected_version: None }
            }
            None => Write::Create { object, fields, id: given },
        }))
    }
}

fn missing(field: &FieldName, value: &str) -> Error {
    let message = bilingual!(
        "there is no record with {field} `{value}` to change",
        "没有 {field} 为 `{value}` 的记录可更新"
    );
    Error::Invalid(vec![FieldError { field: field.clone(), code: "record_missing", message }])
}
