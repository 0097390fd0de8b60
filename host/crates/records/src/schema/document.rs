use serde_json::{Value as Json, json};
use trellis_model::{Text, bilingual};

use crate::{Error, Result};

const FORMAT: u64 = 1;

/// Object definitions in a file: what a company exports, compares and applies.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SchemaDocument {
    objects: Vec<Json>,
}

impl SchemaDocument {
    /// Reads `{"format": 1, "objects": [definition…]}`.
    ///
    /// # Errors
    /// [`Error::SchemaRefused`] where it is of another form.
    pub fn from_json(json: &Json) -> Result<Self> {
        let refused = |reason: Text| Err(Error::SchemaRefused { reasons: vec![reason] });
        if json.get("format").and_then(Json::as_u64) != Some(FORMAT) {
            return refused(bilingual!("`format` must be {FORMAT}", "`format` 必须为 {FORMAT}"));
        }
        let unknown = json
            .as_object()
            .and_then(|json| json.keys().find(|key| !["format", "objects"].contains(&key.as_str())));
        if let Some(key) = unknown {
            return refused(bilingual!("`{key}` is unknown", "未知的键 `{key}`"));
        }
        let Some(objects) = json.get("objects").and_then(Json::as_array) else {
            return refused(Text::new(
                "`objects` must be a list of definitions",
                "`objects` 必须是定义的列表",
            ));
        };
        Ok(Self { objects: objects.clone() })
    }

    /// Reads the same as TOML.
    ///
    /// # Errors
    /// As [`SchemaDocument::from_json`].
    pub fn from_toml(toml: &str) -> Result<Self> {
        let parsed: Result<Json, _> = toml::from_str(toml);
        match parsed {
            Ok(json) => Self::from_json(&json),
            Err(error) => {
                let reason = bilingual!("not TOML: {error}", "不是有效的 TOML：{error}");
                Err(Error::SchemaRefused { reasons: vec![reason] })
            }
        }
    }

    /// A document of these definitions.
    pub fn of(objects: Vec<Json>) -> Self {
        Self { objects }
    }

    /// As JSON.
    pub fn to_json(&self) -> Json {
        json!({ "format": FORMAT, "objects": self.objects })
    }

    /// The definitions.
    pub fn objects(&self) -> &[Json] {
        &self.objects
    }

    /// The definition of an object.
    pub fn object(&self, name: &str) -> Option<&Json> {
        self.objects.iter().find(|object| object.get("name").and_then(Json::as_str) == Some(name))
    }
}
