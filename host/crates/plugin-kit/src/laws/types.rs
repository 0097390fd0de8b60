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
struct RawSchema {
    #[serde(default)]
    objects: Vec<RawObject>,
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
    /// None where a pack adds options to somebody else's field.
    r#type: Option<String>,
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
        self.add(toml::from_str(definition).map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Adds the objects and fields that a plugin brings, as its section `trellis:schema` has them.
    ///
    /// # Errors
    /// The parser's words.
    pub fn add_schema(&mut self, section: &str) -> Result<(), String> {
        let schema: RawSchema = serde_json::from_str(section).map_err(|error| error.to_string())?;
        schema.objects.into_iter().for_each(|object| self.add(object));
        Ok(())
    }

    fn add(&mut self, object: RawObject) {
        for field in object.fields {
            let options = field.options.into_iter().map(|option| option.value);
            let key = (object.name.clone(), field.name);
            if let Some(name) = field.r#type {
                if let Ok(value_type) = ValueType::of_name(&name) {
                    self.fields.insert(key, (value_type, options.collect()));
                }
            } else if let Some((_, known)) = self.fields.get_mut(&key) {
                known.extend(options);
            }
        }
        for name in ["created_at", "updated_at"] {
            self.fields.insert((object.name.clone(), name.to_owned()), (ValueType::Time, Vec::new()));
        }
    }

    /// The type of a field and, of a choice, its options.
    pub(crate) fn of(&self, object: &ObjectName, field: &FieldName) -> Option<&(ValueType, Vec<String>)> {
        self.fields.get(&(object.to_string(), field.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use trellis_model::ColumnData;
    use trellis_plugin_host::Manifest;

    use super::super::data::{Data, Flavour};
    use super::super::random::Random;
    use super::*;
    use crate::golden::{Cases, default_context};

    #[test]
    fn fields_of_a_pack_are_known_beside_those_of_the_standard_objects() {
        let mut types = FieldTypes::default();
        types.add_toml("name = \"account\"\n[[fields]]\nname = \"rating\"\ntype = \"integer\"\n").unwrap();
        let kind = "[[fields]]\nname = \"kind\"\ntype = \"choice\"\noptions = [{ value = \"person\" }]\n";
        types.add_toml(&format!("name = \"contact\"\n{kind}")).unwrap();
        let pack = r#"{"format": 1, "objects": [
            {"name": "contact", "fields": [{"name": "kind", "options": [{"value": "spa__guest"}]}]},
            {"name": "account", "fields": [
                {"name": "spa__tier", "type": "choice", "options": [{"value": "gold"}, {"value": "iron"}]},
                {"name": "spa__visits", "type": "roll_up"}
            ]},
            {"name": "spa__visit", "fields": [{"name": "minutes", "type": "number"}]}
        ]}"#;
        types.add_schema(pack).unwrap();
        let of = |object: &str, field: &str| {
            types
                .of(&ObjectName::new(object).unwrap(), &FieldName::new(field).unwrap())
                .map(|known| (known.0, known.1.len()))
        };
        assert_eq!(of("account", "rating"), Some((ValueType::Integer, 0)));
        assert_eq!(of("contact", "kind"), Some((ValueType::Choice, 2)), "with the option that the pack adds");
        assert_eq!(of("account", "spa__tier"), Some((ValueType::Choice, 2)));
        assert_eq!(of("account", "spa__visits"), None, "plugins do not get such fields");
        assert_eq!(of("spa__visit", "minutes"), Some((ValueType::Number, 0)));
        assert_eq!(of("spa__visit", "created_at"), Some((ValueType::Time, 0)));
        assert!(types.add_schema("{").is_err());
    }

    #[test]
    fn rows_are_made_up_of_fields_that_the_plugin_brings_itself() {
        let manifest = Manifest::parse(
            r#"
            id = "spa"
            version = "1.0.0"
            wit = "1.0.0"
            provides = ["scoring"]
            name = { en = "Spa" }
            [[datasets]]
            name = "customers"
            kind = "per-customer"
            object = "account"
            [[datasets.columns]]
            name = "tier"
            field = "spa__tier"
            [[datasets.columns]]
            name = "minutes"
            from = "spa__visit"
            aggregate = "sum"
            field = "minutes"
            time = "at"
            "#,
        );
        let (manifest, at) = (manifest.unwrap(), default_context());
        let mut types = FieldTypes::default();
        let data = |types: &FieldTypes| {
            let data = Data::new(&manifest, "{}", &Cases::default(), types, &at)?;
            Ok::<_, String>(data.batch(20, Flavour::Usual, "score", &mut Random::new(1, "test")))
        };
        assert_eq!(data(&types).unwrap_err(), "tier");
        let account = r#"{"name": "account", "fields": [{"name": "spa__tier", "type": "choice", "options": [{"value": "gold"}]}]}"#;
        let visit = r#"{"name": "spa__visit", "fields": [{"name": "minutes", "type": "number"}, {"name": "at", "type": "date"}]}"#;
        types.add_schema(&format!(r#"{{"format": 1, "objects": [{account}]}}"#)).unwrap();
        assert_eq!(data(&types).unwrap_err(), "minutes");
        types.add_schema(&format!(r#"{{"format": 1, "objects": [{visit}]}}"#)).unwrap();
        let batch = data(&types).unwrap();
        let tiers = &batch.column("tier").unwrap().data;
        assert!(
            matches!(tiers, ColumnData::Dictionary { values, .. } if values.len() == 1 && values.get(0) == Some("gold")),
            "{tiers:?}"
        );
        assert!(matches!(batch.column("minutes").unwrap().data, ColumnData::Float64(_)));
    }
}
