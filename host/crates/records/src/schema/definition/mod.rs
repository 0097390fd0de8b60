//! The TOML of an object definition: standard objects, an admin's and a plugin's are all written this way.

mod field;
mod parts;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_model::{
    CompositeIndex, Covering, FieldId, FieldName, ObjectDefinition, ObjectId, ObjectName, Origin, PluginId,
    Text,
};

pub(crate) use self::field::{CHARACTERS_MAX_DEFAULT, Field};
use self::parts::{DuplicateEntry, LayoutEntry, MatchingEntry, PipelineEntry, QualityEntry};
use crate::{Error, Result};

/// A definition as it is written, before it has numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layouts: Vec<LayoutEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pipelines: Vec<PipelineEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    matching_rules: Vec<MatchingEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    duplicate_rules: Vec<DuplicateEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quality: Option<QualityEntry>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retired: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<OriginEntry>,
}

/// Whose idea something is; where it says nothing, the company's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OriginEntry {
    Standard,
    Pack {
        id: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        removed: bool,
    },
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
            layouts: self.parts("layout", &self.layouts, LayoutEntry::layout)?,
            pipelines: self.parts("pipeline", &self.pipelines, PipelineEntry::pipeline)?,
            matching_rules: self.parts("matching rule", &self.matching_rules, MatchingEntry::rule)?,
            duplicate_rules: self.parts("duplicate rule", &self.duplicate_rules, DuplicateEntry::rule)?,
            quality: self
                .quality
                .as_ref()
                .map(QualityEntry::quality)
                .transpose()
                .map_err(|reason| self.wrong(reason))?,
            retired: self.retired,
            origin: origin(self.origin.as_ref()).map_err(|reason| self.wrong(reason))?,
        };
        definition.validate()?;
        Ok(definition)
    }

    /// The definition as a standard one.
    pub(crate) fn standard(mut self) -> Self {
        self.origin = Some(OriginEntry::Standard);
        for field in &mut self.fields {
            field.origin = Some(OriginEntry::Standard);
        }
        self
    }

    /// As JSON, with what it does not say left out.
    pub(crate) fn to_json(&self) -> Json {
        serde_json::to_value(self).expect("a definition has only text keys")
    }

    /// What a release may not change of the one before. Fields and indexes may be added: they are built in the background.
    pub(crate) fn check_grows_from(&self, before: &Self) -> Result<()> {
        for field in &before.fields {
            let now = self.fields.iter().find(|now| now.name == field.name);
            let now = now.ok_or_else(|| self.wrong(format!("field `{}` is gone", field.name)))?;
            if !now.is_stored_like(field) {
                return Err(self.wrong(format!("field `{}` has another type", field.name)));
            }
        }
        let same = self.plural == before.plural
            && self.ordinals == before.ordinals
            && self.append_only == before.append_only;
        if !same || self.covering != before.covering {
            return Err(self.wrong(
                "its plural, ordinals, append-only or covering index differ from what is installed".into(),
            ));
        }
        if let Some(gone) = before.indexes.iter().find(|index| !self.indexes.contains(index)) {
            return Err(self.wrong(format!("the composite index over {} is gone", gone.name())));
        }
        Ok(())
    }

    fn parts<E, T>(
        &self,
        what: &str,
        entries: &[E],
        part: impl Fn(&E) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        let part = |(place, entry): (usize, &E)| {
            part(entry).map_err(|reason| self.wrong(format!("{what} {}: {reason}", place + 1)))
        };
        entries.iter().enumerate().map(part).collect()
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Definition { object: self.name.clone(), reason }
    }
}

impl Composite {
    /// Its name: its fields.
    pub(crate) fn name(&self) -> String {
        let names = self.equals.iter().chain([&self.sort]);
        names.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Label {
    fn text(&self) -> Text {
        Text::new(&self.en, &self.zh_cn)
    }
}

fn origin(entry: Option<&OriginEntry>) -> Result<Origin, String> {
    Ok(match entry {
        None => Origin::Company,
        Some(OriginEntry::Standard) => Origin::Standard,
        Some(OriginEntry::Pack { id, removed }) => {
            let id = PluginId::new(id).map_err(|error| error.to_string())?;
            Origin::Pack { id, removed: *removed }
        }
    })
}
