//! What stands around records: the titles of others, values beyond references, records that refer to them.

use std::collections::{HashMap, HashSet};

use trellis_model::{FieldType, ObjectName, Path, Phrase, Record, RecordId, Scope, Value};
use trellis_storage::ScanRange;

use super::compile::Source;
use crate::index::encode;
use crate::{Error, Records, Result, keys};

/// Values of records along a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathValues {
    /// Their type; `None` for derived fields, which may be text or number.
    pub field_type: Option<FieldType>,
    /// One for each record.
    pub values: Vec<Option<Value>>,
}

/// Index rows of a page of records that refer to one.
const PAGE_ROWS: usize = 100;

impl Records {
    /// The titles of records, as far as a scope has them and can read their title.
    ///
    /// # Errors
    /// [`Error::UnknownObject`].
    pub async fn titles(
        &self,
        scope: &Scope,
        object: &ObjectName,
        ids: impl IntoIterator<Item = RecordId>,
    ) -> Result<HashMap<RecordId, String>> {
        let full = self.object(object)?;
        let title = full.field(full.title.as_str()).map(|field| field.id);
        let ids: HashSet<RecordId> = ids.into_iter().collect();
        let mut titles = HashMap::new();
        for id in ids {
            let found = self.get(scope, object, id).await?;
            if let Some(Value::Text(text)) = found.and_then(|mut record| record.fields.remove(&title?)) {
                titles.insert(id, text);
            }
        }
        Ok(titles)
    }

    /// The values of records of one object along a path, such as `account.name`; null where the scope must not see what lies on the way.
    ///
    /// # Errors
    /// [`Error::UnknownField`].
    pub async fn values_along(
        &self,
        scope: &Scope,
        object: &ObjectName,
        path: &Path,
        records: &[Record],
    ) -> Result<PathValues> {
        let (object, schema) = (self.object(object)?, self.schema());
        let compiler = self.compiler(&schema, Some(scope));
        let source = compiler.source(&object, path, &path.0)?;
        let field_type = compiler.kind(&object, &source)?;
        let derived = self.derived();
        let mut followed: HashMap<RecordId, Option<Value>> = HashMap::new();
        let mut values = Vec::with_capacity(records.len());
        for record in records {
            let first = match &source {
                Source::Follow(follow) => match record.fields.get(&follow.field) {
                    Some(Value::Reference(id)) => Some(*id),
                    _ => None,
                },
                _ => None,
            };
            let known = first.and_then(|id| followed.get(&id)).cloned();
            let value = match known {
                Some(value) => value,
                None => self.value(&source, record, derived.as_deref()).await?,
            };
            if let Some(id) = first {
                followed.insert(id, value.clone());
            }
            values.push(value);
        }
        Ok(PathValues { field_type, values })
    }

    /// The first records, by id, that refer to one: `related` is the plural of their object, as in filters. Also whether there are more.
    ///
    /// # Errors
    /// [`Error::UnknownField`] where no object of that name refers to it; [`Error::TooMany`] where too many rows had to be looked at.
    pub async fn referring(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
        related: &str,
        limit: usize,
    ) -> Result<(Vec<Record>, bool)> {
        let schema = self.schema();
        let (from, field) = self.compiler(&schema, Some(scope)).referring(&self.object(object)?, related)?;
        let index = from.indexes.of_reference(field);
        let index =
            index.ok_or_else(|| Error::damaged(format!("{} has no index for a reference", from.name)))?;
        let mut prefix = keys::index(from.id, index.number).done();
        encode::append(&mut prefix, Some(&Value::Reference(id)));
        let mut range = ScanRange::prefix(&prefix);
        let (mut found, mut rows_read) = (Vec::new(), 0);
        loop {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            rows_read += page.rows.len();
            if rows_read > self.config().limits.scan_rows_max {
                let what = Phrase::new("related records", "关联记录数");
                let count_max = self.config().limits.scan_rows_max;
                return Err(Error::TooMany { what, count: rows_read, count_max });
            }
            for row in &page.rows {
                let id =
                    keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("an index key is too short"))?;
                let Some(record) = self.get(scope, &from.name, id).await? else { continue };
                if found.len() == limit {
                    return Ok((found, true));
                }
                found.push(record);
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok((found, false)),
            }
            tokio::task::yield_now().await;
        }
    }
}
