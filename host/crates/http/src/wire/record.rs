use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use trellis_model::{
    FieldAccess, FieldDefinition, FieldName, Language, ObjectDefinition, Record, SystemField, Value,
    bilingual,
};

use super::value::id_view;
use super::{ValueView, timestamp};
use crate::problem::{Code, Problem};
use trellis_records::RecordQuality;

/// Which part of a record is shown, and how.
#[derive(Debug)]
pub(crate) struct View<'a> {
    system: Vec<SystemField>,
    fields: Vec<&'a FieldDefinition>,
    labels: Option<Language>,
}

/// A record as the API writes it.
#[derive(Debug)]
pub(crate) struct RecordView<'a> {
    pub(crate) record: &'a Record,
    pub(crate) view: &'a View<'a>,
    /// Segmentation name → value, where that was asked for.
    pub(crate) segments: Option<BTreeMap<String, Option<String>>>,
    /// How good it is, where that was asked for.
    pub(crate) quality: Option<QualityView>,
}

/// How good a record is, as the API writes it.
#[derive(Debug, Serialize)]
pub(crate) struct QualityView {
    score: u8,
    complete: u8,
    valid: u8,
    fresh: u8,
    /// Fields whose text is not what it should be.
    invalid: Vec<String>,
}

impl QualityView {
    /// Names only fields that can be read.
    pub(crate) fn new(quality: RecordQuality, readable: &FieldAccess) -> Self {
        let RecordQuality { score, complete, valid, fresh, invalid } = quality;
        let invalid =
            invalid.iter().filter(|name| readable.contains(name)).map(ToString::to_string).collect();
        Self { score, complete, valid, fresh, invalid }
    }
}

const SYSTEM: [SystemField; 4] =
    [SystemField::Id, SystemField::Version, SystemField::CreatedAt, SystemField::UpdatedAt];

impl<'a> View<'a> {
    /// All fields that can be read.
    pub(crate) fn all(
        object: &'a ObjectDefinition,
        readable: &FieldAccess,
        labels: Option<Language>,
    ) -> Self {
        let fields = object.fields.iter().filter(|field| readable.contains(&field.name)).collect();
        Self { system: SYSTEM.to_vec(), fields, labels }
    }

    /// The fields of a list such as `name,amount`; the id always.
    ///
    /// # Errors
    /// [`Code::UnknownField`] for what is no field, or none that can be read.
    pub(crate) fn of(
        object: &'a ObjectDefinition,
        readable: &FieldAccess,
        names: &str,
        labels: Option<Language>,
    ) -> Result<Self, Problem> {
        let mut view = Self { system: vec![SystemField::Id], fields: Vec::new(), labels };
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match (SystemField::of(name), object.field(name)) {
                (Some(field), _) if !view.system.contains(&field) => view.system.push(field),
                (Some(_), _) => {}
                (None, Some(field)) if readable.contains(&field.name) => {
                    if !view.fields.iter().any(|shown| shown.id == field.id) {
                        view.fields.push(field);
                    }
                }
                _ => return Err(unknown_field("fields", object, name)),
            }
        }
        Ok(view)
    }

    /// The computed fields that it shows.
    pub(crate) fn computed(&self) -> BTreeSet<FieldName> {
        let computed = self.fields.iter().filter(|field| field.computed.is_some());
        computed.map(|field| field.name.clone()).collect()
    }
}

fn unknown_field(parameter: &str, object: &ObjectDefinition, name: &str) -> Problem {
    let name: String = name.chars().take(60).collect();
    let object = &object.name;
    let message = bilingual!("{object} has no field `{name}`", "{object} 没有字段 `{name}`");
    Problem::new(Code::UnknownField).detail_text(message.clone()).field(parameter, "unknown_field", message)
}

impl Serialize for RecordView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in &self.view.system {
            map.serialize_key(field.name())?;
            map.serialize_value(&SystemView { record: self.record, field: *field })?;
        }
        if self.record.is_deleted() && !self.view.system.contains(&SystemField::DeletedAt) {
            map.serialize_key(SystemField::DeletedAt.name())?;
            map.serialize_value(&SystemView { record: self.record, field: SystemField::DeletedAt })?;
        }
        for field in &self.view.fields {
            map.serialize_key(field.name.as_str())?;
            let value = self.record.fields.get(&field.id);
            map.serialize_value(&value.map(|value: &Value| ValueView {
                value,
                field_type: &field.field_type,
                labels: self.view.labels,
            }))?;
        }
        if let Some(segments) = &self.segments {
            map.serialize_entry("segments", segments)?;
        }
        if let Some(quality) = &self.quality {
            map.serialize_entry("quality", quality)?;
        }
        map.end()
    }
}

struct SystemView<'a> {
    record: &'a Record,
    field: SystemField,
}

impl Serialize for SystemView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = match self.field {
            SystemField::Id => return id_view(self.record.id, serializer),
            SystemField::Version => return serializer.serialize_u64(self.record.version),
            SystemField::CreatedAt => Some(self.record.created_at_ms),
            SystemField::UpdatedAt => Some(self.record.updated_at_ms),
            SystemField::DeletedAt => self.record.deleted_at_ms,
        };
        match ms.and_then(timestamp) {
            Some(time) => serializer.collect_str(&time),
            None => serializer.serialize_none(),
        }
    }
}
