//! Fields that a plugin asks to read and may not: those of data that was withheld, and personal data without a grant of its own.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{FieldName, FieldType, ObjectName, bilingual};
use trellis_plugin_host::{Manifest, manifest::Request};
use trellis_records::Schema;

use super::grants::Grants;
use crate::lookups::hidden_fields;

/// How the grant of personal data begins: `personal:contact(email,phone)`.
pub(super) const PERSONAL: &str = "personal:";

/// Fields that a plugin does not see, by object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hidden(BTreeMap<ObjectName, BTreeSet<FieldName>>);

impl Hidden {
    /// The personal data that a manifest reads and that was not granted.
    pub(crate) fn of(manifest: &Manifest, schema: &Schema, grants: &Grants) -> Self {
        let hidden = personal(manifest, schema).into_iter().filter_map(|(object, mut fields)| {
            let granted = grants.personal(&object);
            fields.retain(|field| !granted.contains(field.as_str()));
            (!fields.is_empty()).then_some((object, fields))
        });
        Self(hidden.collect())
    }

    /// Whether a field is not shown.
    pub(crate) fn hides(&self, object: &ObjectName, field: &FieldName) -> bool {
        self.0.get(object).is_some_and(|fields| fields.contains(field))
    }

    /// Whether a field of any object has this name and is not shown: for what is reached over references.
    pub(crate) fn hides_somewhere(&self, field: &FieldName) -> bool {
        self.0.values().any(|fields| fields.contains(field))
    }

    /// Those of an object's fields that are shown.
    pub(crate) fn shown(&self, object: &ObjectName, fields: &BTreeSet<FieldName>) -> BTreeSet<FieldName> {
        fields.iter().filter(|field| !self.hides(object, field)).cloned().collect()
    }
}

/// The personal data that a manifest reads in any way, by object.
fn personal(manifest: &Manifest, schema: &Schema) -> BTreeMap<ObjectName, BTreeSet<FieldName>> {
    let of_object = |(name, fields): (ObjectName, BTreeSet<FieldName>)| {
        let personal = hidden_fields(schema.object(name.as_str())?);
        let read: BTreeSet<_> = fields.intersection(&personal).cloned().collect();
        (!read.is_empty()).then_some((name, read))
    };
    reads(manifest, schema).into_iter().filter_map(of_object).collect()
}

/// Whether a manifest reads personal data that is not hidden.
pub(super) fn sees(manifest: &Manifest, schema: &Schema, hidden: &Hidden) -> bool {
    let mut read = personal(manifest, schema).into_iter();
    read.any(|(object, fields)| fields.iter().any(|field| !hidden.hides(&object, field)))
}

/// Every field that a manifest reads in any way, by object; of what it reads over references the schema knows the object.
fn reads(manifest: &Manifest, schema: &Schema) -> BTreeMap<ObjectName, BTreeSet<FieldName>> {
    let mut reads = manifest.reads();
    for dataset in &manifest.datasets {
        for path in dataset.reads_through() {
            let mut of = Some(&dataset.object);
            for step in path {
                let Some(definition) = of.and_then(|object| schema.object(object.as_str())) else { break };
                of = match definition.field(step.as_str()).map(|field| &field.field_type) {
                    Some(FieldType::Reference { object }) => Some(object),
                    _ => None,
                };
                reads.entry(definition.name.clone()).or_default().insert(step);
            }
        }
    }
    reads
}

/// What a plugin asks for of personal data, in words for the admin.
pub(super) fn requests(manifest: &Manifest, schema: &Schema) -> Vec<Request> {
    let requests = personal(manifest, schema);
    requests.iter().map(|(object, fields)| request(object, &fields.iter().collect())).collect()
}

/// What a plugin asks for of the personal data of an object.
pub(super) fn request(object: &ObjectName, fields: &BTreeSet<&FieldName>) -> Request {
    let list = fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(",");
    Request {
        grant: format!("{PERSONAL}{object}({list})"),
        text: bilingual!("sees personal data of {object}: {list}", "可查看 {object} 的个人信息：{list}"),
        personal: true,
    }
}

/// The object and the fields of a grant of personal data.
pub(super) fn parse(grant: &str) -> Option<(&str, Vec<&str>)> {
    let (object, fields) = grant.strip_prefix(PERSONAL)?.strip_suffix(')')?.split_once('(')?;
    Some((object, fields.split(',').collect()))
}

/// Whether a grant of personal data names nothing but what the manifest reads. Which of it is personal may change with the schema.
pub(super) fn is_asked_for(manifest: &Manifest, schema: &Schema, grant: &str) -> bool {
    let Some((object, fields)) = parse(grant) else { return false };
    let reads = reads(manifest, schema);
    let read = reads.iter().find(|(name, _)| name.as_str() == object).map(|(_, fields)| fields);
    read.is_some_and(|read| fields.iter().all(|field| read.iter().any(|name| name.as_str() == *field)))
}
