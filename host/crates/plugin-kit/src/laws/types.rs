//! What is known of the types of fields, so that data can be made up for them.

use std::collections::HashMap;

use serde::Deserialize;
use trellis_model::{FieldName, ObjectName};

use crate::golden::ValueType;

/// The types of fields, by object.
#[derive(Debug, Clone, Default)]
pub struct FieldTypes {
    fields: HashMap<(String, String), (ValueType, Vec<String>)>,
}

#[derive(Deserialize)]
struct RawObject {
    name: String,
    #[serde(default)]
    fields: Vec<RawField>,
}

#[derive(Deserialize)]
struct RawField {
    name: String,
    r#type: String,
    #[serde(default)]
    options: Vec<RawOption>,
}

#[derive(Deserialize)]
struct RawOption {
    value: String,
}

impl FieldTypes {
    /// Adds the fields of an object definition in TOML. What it says beside types is not looked at, nor are fields of a type that plugins do
    /// not get.
    ///
    /// # Errors
    /// The parser's words.
    pub fn add_toml(&mut self, definition: &str) -> Result<(), String> {
        let object: RawObject = toml::from_str(definition).map_err(|error| error.to_string())?;
        for field in object.fields {
            if let Ok(value_type) = ValueType::of_name(&field.r#type) {
                let options = field.options.into_iter().map(|option| option.value).collect();
                self.fields.insert((object.name.clone(), field.name), (value_type, options));
            }
        }
        for name in ["created_at", "updated_at"] {
            self.fields.insert((object.name.clone(), name.to_owned()), (ValueType::Time, Vec::new()));
        }
        Ok(())
    }

    /// The type of a field and, of a choice, its options.
    pub(crate) fn of(&self, object: &ObjectName, field: &FieldName) -> Option<&(ValueType, Vec<String>)> {
        self.fields.get(&(object.to_string(), field.to_string()))
    }
}
