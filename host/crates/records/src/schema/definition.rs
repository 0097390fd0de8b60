//! The TOML of an object definition: standard objects, an admin's and a plugin's are all written this way.

use serde::{Deserialize, Serialize};
use trellis_model::{
    ChoiceOption, CompositeIndex, Covering, FieldDefinition, FieldId, FieldName, FieldType, ObjectDefinition,
    ObjectId, ObjectName, Text,
};

use crate::{Error, Result};

/// Text fields that do not say how long they may be.
const CHARACTERS_MAX_DEFAULT: u32 = 200;

/// A definition as it is written, before it has numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) plural: String,
    label: Label,
    plural_label: Label,
    title: String,
    #[serde(default)]
    ordinals: bool,
    #[serde(default)]
    append_only: bool,
    pub(crate) fields: Vec<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) covering: Option<CoveringIndex>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) indexes: Vec<Composite>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    en: String,
    #[serde(rename = "zh-CN")]
    zh_cn: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    label: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Label>,
    #[serde(rename = "type")]
    field_type: TypeName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    characters_max: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<ChoiceEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<TypeName>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    pub(crate) unique: bool,
    #[serde(default)]
    pub(crate) indexed: bool,
    #[serde(default)]
    personal_data: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TypeName {
    Text,
    Number,
    Integer,
    Money,
    Bool,
    Date,
    Time,
    Choice,
    MultiChoice,
    Reference,
    List,
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceEntry {
    value: String,
    label: Label,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoveringIndex {
    target: String,
    time: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Composite {
    equals: Vec<String>,
    sort: String,
}

impl Definition {
    /// Reads a definition; an unknown key is an error that names it.
    pub(crate) fn parse(toml: &str) -> Result<Self> {
        toml::from_str(toml)
            .map_err(|error| Error::Definition { object: "?".into(), reason: error.to_string() })
    }

    /// The definition with its numbers. `field_id` gives each field its own.
    pub(crate) fn object(
        &self,
        id: ObjectId,
        field_id: impl Fn(&str) -> Option<FieldId>,
    ) -> Result<ObjectDefinition> {
        let fields = self.fields.iter().map(|field| {
            let id = field_id(&field.name)
                .ok_or_else(|| self.wrong(format!("field `{}` has no number", field.name)))?;
            field.definition(id).map_err(|reason| self.wrong(format!("field `{}`: {reason}", field.name)))
        });
        let covering = self.covering.as_ref().map(|covering| -> Result<Covering> {
            let values =
                covering.values.iter().map(|name| Ok(FieldName::new(name)?)).collect::<Result<_>>()?;
            Ok(Covering {
                target: FieldName::new(&covering.target)?,
                time: FieldName::new(&covering.time)?,
                values,
            })
        });
        let composite_indexes = self.indexes.iter().map(|index| -> Result<CompositeIndex> {
            let equals = index.equals.iter().map(|name| Ok(FieldName::new(name)?)).collect::<Result<_>>()?;
            Ok(CompositeIndex { equals, sort: FieldName::new(&index.sort)? })
        });
        let definition = ObjectDefinition {
            id,
            name: ObjectName::new(&self.name)?,
            plural: ObjectName::new(&self.plural)?,
            label: self.label.text(),
            plural_label: self.plural_label.text(),
            title: FieldName::new(&self.title)?,
            fields: fields.collect::<Result<_>>()?,
            ordinals: self.ordinals,
            append_only: self.append_only,
            covering: covering.transpose()?,
            composite_indexes: composite_indexes.collect::<Result<_>>()?,
        };
        definition.validate()?;
        Ok(definition)
    }

    /// What may not change once records may exist. Fields may be added, save those whose index holds nulls too: the records that
    /// are there would be missing in it. References and unique fields keep nothing about a null.
    pub(crate) fn check_grows_from(&self, before: &Self) -> Result<()> {
        for field in &before.fields {
            let now = self.fields.iter().find(|now| now.name == field.name);
            let now = now.ok_or_else(|| self.wrong(format!("field `{}` is gone", field.name)))?;
            if !now.is_stored_like(field) {
                return Err(self.wrong(format!("field `{}` has another type or index", field.name)));
            }
        }
        let known = |field: &&Field| before.fields.iter().any(|old| old.name == field.name);
        let added = self.fields.iter().find(|field| !known(field) && field.indexed);
        if let Some(field) = added {
            return Err(
                self.wrong(format!("field `{}` is new and indexed, which needs a migration", field.name))
            );
        }
        let same = self.plural == before.plural
            && self.ordinals == before.ordinals
            && self.append_only == before.append_only;
        if !same || self.covering != before.covering || self.indexes != before.indexes {
            return Err(self
                .wrong("its plural, ordinals, append-only or indexes differ from what is installed".into()));
        }
        Ok(())
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Definition { object: self.name.clone(), reason }
    }
}

impl Label {
    fn text(&self) -> Text {
        Text::new(&self.en, &self.zh_cn)
    }
}

impl Field {
    fn definition(&self, id: FieldId) -> Result<FieldDefinition, String> {
        Ok(FieldDefinition {
            id,
            name: FieldName::new(&self.name).map_err(|error| error.to_string())?,
            label: self.label.text(),
            description: self.description.as_ref().map(Label::text).unwrap_or_default(),
            field_type: self.field_type(self.field_type)?,
            required: self.required,
            unique: self.unique,
            indexed: self.indexed,
            personal_data: self.personal_data,
        })
    }

    fn field_type(&self, name: TypeName) -> Result<FieldType, String> {
        let options = || {
            let option =
                |entry: &ChoiceEntry| ChoiceOption { value: entry.value.clone(), label: entry.label.text() };
            self.options.iter().map(option).collect()
        };
        Ok(match name {
            TypeName::Text => {
                FieldType::Text { characters_max: self.characters_max.unwrap_or(CHARACTERS_MAX_DEFAULT) }
            }
            TypeName::Number => FieldType::Number,
            TypeName::Integer => FieldType::Integer,
            TypeName::Money => FieldType::Money,
            TypeName::Bool => FieldType::Bool,
            TypeName::Date => FieldType::Date,
            TypeName::Time => FieldType::Time,
            TypeName::Choice => FieldType::Choice { options: options() },
            TypeName::MultiChoice => FieldType::MultiChoice { options: options() },
            TypeName::Reference => {
                let object = self.object.as_deref().ok_or("a reference needs `object`")?;
                FieldType::Reference { object: ObjectName::new(object).map_err(|error| error.to_string())? }
            }
            TypeName::List => {
                let of = self
                    .of
                    .filter(|of| *of != TypeName::List)
                    .ok_or("a list needs `of`, the type of its values")?;
                FieldType::List { of: Box::new(self.field_type(of)?) }
            }
            TypeName::Json => FieldType::Json,
        })
    }

    /// Labels, options and limits may change; what is on disk may not.
    fn is_stored_like(&self, other: &Self) -> bool {
        (self.field_type, &self.object, self.of, self.unique, self.indexed)
            == (other.field_type, &other.object, other.of, other.unique, other.indexed)
    }
}
