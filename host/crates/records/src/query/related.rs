//! What stands around records: the titles of others, values beyond references.

use std::collections::{HashMap, HashSet};

use trellis_model::{FieldType, ObjectName, Path, Record, RecordId, Scope, Value};

use super::compile::Source;
use crate::{Records, Result};

/// Values of records along a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathValues {
    /// Their type; `None` for derived fields, which may be text or number.
    pub field_type: Option<FieldType>,
    /// One for each record.
    pub values: Vec<Option<Value>>,
}

impl Records {
    /// The titles of records, as far as a scope has them and can read their title.
    ///
    /// # Errors
    /// [`Error::UnknownObject`](crate::Error::UnknownObject).
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
    /// [`Error::UnknownField`](crate::Error::UnknownField).
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
}
