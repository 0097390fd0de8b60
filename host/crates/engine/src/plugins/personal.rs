//! Fields that a plugin asks to read and may not: those of data that was withheld, and personal data without a grant of its own.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{FieldName, FieldType, ObjectName, Published, bilingual};
use trellis_plugin_host::{
    Manifest,
    manifest::{ColumnSource, Request},
};
use trellis_records::Schema;

use super::grants::Grants;
use crate::lookups::hidden_fields;

/// How the grant of personal data begins: `personal:contact(email,phone)`.
pub(super) const PERSONAL: &str = "personal:";

/// The interfaces by which a plugin makes reports, which may quote what it reads.
const REPORTING: [&str; 3] = ["analysis", "model-report", "campaign-rules"];

/// Fields that a plugin does not see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    /// By object.
    fields: BTreeMap<ObjectName, BTreeSet<FieldName>>,
    /// What leads to such a field over references, or over one: a dataset's object and the path from it.
    paths: BTreeSet<(ObjectName, Vec<FieldName>)>,
    /// Results of other plugins that are made of personal data.
    published: BTreeSet<Published>,
}

impl Hidden {
    /// The personal data that a manifest reads and that was not granted.
    pub(crate) fn of(manifest: &Manifest, schema: &Schema, grants: &Grants) -> Self {
        let hidden = personal(manifest, schema).into_iter().filter_map(|(object, mut fields)| {
            let granted = grants.personal(&object);
            fields.retain(|field| !granted.contains(field.as_str()));
            (!fields.is_empty()).then_some((object, fields))
        });
        let mut hidden = Self { fields: hidden.collect(), ..Self::default() };
        for dataset in &manifest.datasets {
            for path in dataset.reads_through() {
                if steps(schema, &dataset.object, &path).iter().any(|(of, field)| hidden.hides(of, field)) {
                    hidden.paths.insert((dataset.object.clone(), path));
                }
            }
        }
        hidden
    }

    /// The same, without some results besides.
    pub(super) fn hiding(self, published: BTreeSet<Published>) -> Self {
        Self { published, ..self }
    }

    /// Whether a score, band or segmentation is not shown.
    pub(crate) fn hides_result(&self, published: &Published) -> bool {
        self.published.contains(published)
    }

    /// Whether a field is not shown.
    pub(crate) fn hides(&self, object: &ObjectName, field: &FieldName) -> bool {
        self.fields.get(object).is_some_and(|fields| fields.contains(field))
    }

    /// Whether what a dataset over `object` reaches by a path is not shown.
    pub(crate) fn hides_path(&self, object: &ObjectName, path: Vec<FieldName>) -> bool {
        self.paths.contains(&(object.clone(), path))
    }

    /// Whether what a column of a dataset over `object` reads of other records is not shown.
    pub(crate) fn hides_beyond(&self, object: &ObjectName, source: &ColumnSource) -> bool {
        match source {
            ColumnSource::Through { references, field } => {
                self.hides_path(object, references.iter().chain([field]).cloned().collect())
            }
            // Of a filter over related records only the names are known: better one too many.
            source => source
                .reads_beyond()
                .into_iter()
                .any(|field| self.fields.values().any(|fields| fields.contains(field))),
        }
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
            for (object, field) in steps(schema, &dataset.object, &path) {
                reads.entry(object).or_default().insert(field);
            }
        }
    }
    reads
}

/// The fields of a path over references, each with its object, as far as the schema knows them.
pub(crate) fn steps(
    schema: &Schema,
    object: &ObjectName,
    path: &[FieldName],
) -> Vec<(ObjectName, FieldName)> {
    let (mut of, mut steps) = (Some(object), Vec::new());
    for step in path {
        let Some(definition) = of.and_then(|object| schema.object(object.as_str())) else { break };
        of = match definition.field(step.as_str()).map(|field| &field.field_type) {
            Some(FieldType::Reference { object }) => Some(object),
            _ => None,
        };
        steps.push((definition.name.clone(), step.clone()));
    }
    steps
}

/// What a plugin asks for of personal data, in words for the admin.
pub(super) fn requests(manifest: &Manifest, schema: &Schema) -> Vec<Request> {
    let requests = personal(manifest, schema);
    requests.iter().map(|(object, fields)| request(manifest, object, &fields.iter().collect())).collect()
}

/// What a plugin asks for of the personal data of an object.
pub(super) fn request(manifest: &Manifest, object: &ObjectName, fields: &BTreeSet<&FieldName>) -> Request {
    let list = fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(",");
    let reports = manifest.provides.iter().any(|interface| REPORTING.contains(&interface.name()));
    let text = match reports {
        false => bilingual!("sees personal data of {object}: {list}", "可查看 {object} 的个人信息：{list}"),
        true => bilingual!(
            "sees personal data of {object}: {list}; its reports may show some, and answers keep it as of their date until they are deleted",
            "可查看 {object} 的个人信息：{list}；其报告可能显示这些信息，分析结果会保留当日的内容，直至被删除"
        ),
    };
    Request { grant: format!("{PERSONAL}{object}({list})"), text, personal: true }
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
