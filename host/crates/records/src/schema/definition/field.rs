use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_model::{
    ChoiceOption, Computed, FieldDefinition, FieldId, FieldName, FieldType, Formula, ObjectName, RollUp,
    RollUpFunction, TextFormat,
};

use super::parts::{field, filter, named};
use super::{Label, OriginEntry, origin};

/// Text fields that do not say how long they may be.
pub(crate) const CHARACTERS_MAX_DEFAULT: u32 = 200;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    required_if: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    formula: Option<FormulaEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roll_up: Option<RollUpEntry>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retired: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<OriginEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormulaEntry {
    expression: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stored: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RollUpEntry {
    object: String,
    reference: String,
    function: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Json>,
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retired: bool,
}

impl Field {
    pub(super) fn definition(&self, id: FieldId) -> Result<FieldDefinition, String> {
        let field_type = self.field_type(self.field_type)?;
        let default = self.default.as_ref().map(|default| field_type.parse_json(default)).transpose();
        Ok(FieldDefinition {
            id,
            name: FieldName::new(&self.name).map_err(|error| error.to_string())?,
            label: self.label.text(),
            description: self.description.as_ref().map(Label::text).unwrap_or_default(),
            required: self.required,
            unique: self.unique,
            indexed: self.indexed,
            personal_data: self.personal_data,
            required_if: filter(self.required_if.as_ref())?,
            default: default.map_err(|error| format!("default: {error}"))?.flatten(),
            format: self
                .format
                .as_deref()
                .map(|name| named(name, &TextFormat::ALL, TextFormat::name))
                .transpose()?,
            computed: self.computed()?,
            retired: self.retired,
            origin: origin(self.origin.as_ref())?,
            field_type,
        })
    }

    fn computed(&self) -> Result<Option<Computed>, String> {
        Ok(match (&self.formula, &self.roll_up) {
            (None, None) => None,
            (Some(formula), None) => Some(Computed::Formula(Formula {
                expression: formula.expression.clone(),
                stored: formula.stored,
            })),
            (None, Some(roll_up)) => Some(Computed::RollUp(RollUp {
                object: ObjectName::new(&roll_up.object).map_err(|error| error.to_string())?,
                reference: field(&roll_up.reference)?,
                function: named(&roll_up.function, &RollUpFunction::ALL, RollUpFunction::name)?,
                field: roll_up.field.as_deref().map(field).transpose()?,
                by: roll_up.by.as_deref().map(field).transpose()?,
                filter: filter(roll_up.filter.as_ref())?,
            })),
            (Some(_), Some(_)) => return Err("it has both `formula` and `roll_up`".into()),
        })
    }

    fn field_type(&self, name: TypeName) -> Result<FieldType, String> {
        let options = || {
            let option = |entry: &ChoiceEntry| ChoiceOption {
                value: entry.value.clone(),
                label: entry.label.text(),
                retired: entry.retired,
            };
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

    /// Labels, options, limits and indexes may change; what is on disk may not. The index of a reference is always there, with nulls or
    /// without.
    pub(super) fn is_stored_like(&self, other: &Self) -> bool {
        let reference = self.field_type == TypeName::Reference;
        (self.field_type, &self.object, self.of) == (other.field_type, &other.object, other.of)
            && (!reference || self.indexed == other.indexed)
    }
}
