//! A mapping as it is written. A lasting format: `host/docs/formats/import-mapping.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trellis_model::{Language, Text, bilingual};

use crate::import::table::ReadOptions;
use crate::import::{Error, Limits, Result};

/// A mapping as it is written, in TOML or JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingSpec {
    /// What each row becomes.
    pub object: String,
    /// The unique field, or `id`, that tells whether a row's record exists.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether rows create records, change them, or both.
    #[serde(default)]
    pub mode: Mode,
    /// How the file is to be read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: ReadOptions,
    /// Which column becomes which field.
    pub columns: Vec<ColumnSpec>,
    /// The same value in every row.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, toml::Value>,
    /// Rows that are left out.
    #[serde(default, rename = "drop", skip_serializing_if = "Vec::is_empty")]
    pub drops: Vec<DropSpec>,
}

/// Whether rows create records, change them, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Creates what is missing and changes what is there.
    #[default]
    Upsert,
    /// Creates; a row whose record exists is refused.
    Create,
    /// Changes; a row whose record is missing is refused.
    Update,
}

/// A column and the field that it becomes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// The name in the header. Left out, the field comes from `transform` or `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The API name of the field, or `id`.
    pub field: String,
    /// Of amounts that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// A form of days or moments beside ISO 8601, or several: `%d.%m.%Y`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<OneOrMany>,
    /// What parts whole numbers from decimals: `.` (default) or `,`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<String>,
    /// Whether numbers are hundredths.
    #[serde(default, skip_serializing_if = "is_default")]
    pub percent: bool,
    /// Other texts for some texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The text of an empty cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// An expression over `value` and `row` that makes the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// How the record that a cell means is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceSpec>,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// How the record that a cell means is found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSpec {
    /// What the field refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The field of the target that the cell holds.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether a target that is missing is created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub create: bool,
    /// What a cell means that several targets have.
    #[serde(default, skip_serializing_if = "is_default")]
    pub several: Several,
    /// Other fields of a target that is created.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, toml::Value>,
}

/// What a cell means that several targets have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Several {
    /// None of them: the row is refused.
    #[default]
    Error,
    /// The oldest one.
    First,
}

/// Rows that are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropSpec {
    /// An expression over `row` that is true for them.
    pub when: String,
    /// Why, by language.
    pub reason: BTreeMap<String, String>,
}

impl DropSpec {
    pub(super) fn reason(&self) -> Text {
        let text = |language: Language| self.reason.get(language.tag()).cloned().unwrap_or_default();
        Text::new(text(Language::En), text(Language::ZhCn))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl MappingSpec {
    /// Reads a mapping of TOML.
    ///
    /// # Errors
    /// [`Error::MappingSyntax`] names the line and the unknown key or wrong type.
    pub fn parse(toml: &str, limits: &Limits) -> Result<Self> {
        if toml.len() > limits.mapping_bytes_max {
            let (bytes, max) = (toml.len(), limits.mapping_bytes_max);
            let reason = bilingual!(
                "the mapping has {bytes} bytes, at most {max}",
                "映射有 {bytes} 字节，最多 {max} 字节"
            );
            return Err(Error::MappingSyntax { line: 1, reason });
        }
        toml::from_str(toml).map_err(|error| syntax_error(toml, &error))
    }
}

fn syntax_error(toml: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    // What the TOML reader says is English only.
    let said = error.message().lines().collect::<Vec<_>>().join(" ");
    Error::MappingSyntax { line, reason: bilingual!("{said}", "格式有误：{said}") }
}
