//! What refers to a record: reference fields, and texts that name an object and an id.

use std::collections::BTreeSet;

use trellis_model::{FieldId, FieldType, ObjectName, RecordId, Value};
use trellis_storage::ScanRange;

use super::ReferenceCount;
use super::alias::{ids, target_of};
use crate::index::encode;
use crate::schema::Object;
use crate::{Records, Result, keys};

/// The pair of text fields by which an attachment, a comment and the like name a record of any object.
pub(crate) const PARENT: (&str, &str) = ("parent_object", "parent_id");
/// References of one field that a plan counts.
const COUNT_MAX: usize = 10_000;
/// Records of a page where no index leads to the references.
const PAGE_ROWS: usize = 200;

/// A field by which records refer to an object.
#[derive(Debug, Clone)]
pub(super) struct Referrer {
    pub(super) object: Object,
    pub(super) field: FieldId,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reference,
    /// A list of references: no index knows them.
    List,
    /// The id of a [`PARENT`].
    Parent {
        object_field: FieldId,
    },
}

impl Records {
    /// All fields by which records refer to an object.
    pub(super) fn referrers(&self, target: &ObjectName) -> Vec<Referrer> {
        let schema = self.schema();
        let objects = schema.objects().filter_map(|object| schema.full(object.id));
        objects.flat_map(|object| Referrer::of(&object, target)).collect()
    }

    /// The records of a referrer that name one of these, by id; those over `after`, up to `rows_max`.
    pub(super) async fn referrers_to(
        &self,
        referrer: &Referrer,
        target: &ObjectName,
        id: RecordId,
        rows_max: usize,
    ) -> Result<Vec<RecordId>> {
        let value = match referrer.kind {
            Kind::Reference => Value::Reference(id),
            Kind::Parent { .. } => Value::Text(id.to_string()),
            Kind::List => return self.referring_by_scan(referrer, target, id, rows_max).await,
        };
        let Some(prefix) = referrer.index_prefix(target, &value) else {
            return self.referring_by_scan(referrer, target, id, rows_max).await;
        };
        let page = self.store().scan(ScanRange::prefix(&prefix), rows_max).await?;
        Ok(page.rows.iter().filter_map(|row| keys::id_at_end(&row.key)).collect())
    }

    /// Reads all records of the object.
    async fn referring_by_scan(
        &self,
        referrer: &Referrer,
        target: &ObjectName,
        id: RecordId,
        rows_max: usize,
    ) -> Result<Vec<RecordId>> {
        let mut range = ScanRange::prefix(&keys::records_of(referrer.object.id).done());
        let mut found = Vec::new();
        while found.len() < rows_max {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            for row in &page.rows {
                let Some(at) = keys::id_at_end(&row.key) else { continue };
                let record = self.load(referrer.object.id, at).await?.map(|loaded| loaded.record);
                let Some(record) = record.filter(|record| !record.is_deleted()) else { continue };
                if referrer.names(&record, target, id) {
                    found.push(record.id);
                }
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
            tokio::task::yield_now().await;
        }
        found.truncate(rows_max);
        Ok(found)
    }

    /// How many records refer to these, by field.
    pub(super) async fn count_references(
        &self,
        target: &ObjectName,
        losers: &[RecordId],
    ) -> Result<Vec<ReferenceCount>> {
        let mut counts = Vec::new();
        for referrer in self.referrers(target) {
            let (mut referring, mut at_least) = (BTreeSet::new(), false);
            for id in losers {
                let found = self.referrers_to(&referrer, target, *id, COUNT_MAX).await?;
                at_least |= found.len() == COUNT_MAX;
                referring.extend(found);
            }
            let field = referrer.object.field_by_id(referrer.field);
            if let Some(field) = field.filter(|_| !referring.is_empty()) {
                counts.push(ReferenceCount {
                    object: referrer.object.name.clone(),
                    field: field.name.clone(),
                    count: referring.len() as u64,
                    at_least,
                });
            }
        }
        Ok(counts)
    }
}

impl Referrer {
    fn of(object: &Object, target: &ObjectName) -> Vec<Self> {
        let referrer = |field, kind| Self { object: object.clone(), field, kind };
        let references =
            object.definition.fields.iter().filter(|field| target_of(&field.field_type) == Some(target));
        let mut referrers: Vec<Self> = references
            .map(|field| match field.field_type {
                FieldType::List { .. } => referrer(field.id, Kind::List),
                _ => referrer(field.id, Kind::Reference),
            })
            .collect();
        let text =
            |name| object.field(name).filter(|field| matches!(field.field_type, FieldType::Text { .. }));
        if let (Some(of), Some(id)) = (text(PARENT.0), text(PARENT.1)) {
            referrers.push(referrer(id.id, Kind::Parent { object_field: of.id }));
        }
        referrers
    }

    /// The beginning of the index entries that name a record; `None` where no index begins with the field.
    fn index_prefix(&self, target: &ObjectName, value: &Value) -> Option<Vec<u8>> {
        let indexes = &self.object.indexes;
        match self.kind {
            Kind::Reference => {
                let mut prefix = keys::index(self.object.id, indexes.of_reference(self.field)?.number).done();
                encode::append(&mut prefix, Some(value));
                Some(prefix)
            }
            Kind::Parent { object_field } => {
                let index = indexes.of_pair(object_field, self.field)?;
                let mut prefix = keys::index(self.object.id, index.number).done();
                encode::append(&mut prefix, Some(&Value::Text(target.to_string())));
                encode::append(&mut prefix, Some(value));
                Some(prefix)
            }
            Kind::List => None,
        }
    }

    /// Whether a record names another by this field.
    fn names(&self, record: &trellis_model::Record, target: &ObjectName, id: RecordId) -> bool {
        let Some(value) = record.fields.get(&self.field) else { return false };
        match self.kind {
            Kind::Reference | Kind::List => ids(value).contains(&id),
            Kind::Parent { object_field } => {
                *value == Value::Text(id.to_string())
                    && record.fields.get(&object_field) == Some(&Value::Text(target.to_string()))
            }
        }
    }
}
