//! Single records, and what a caller sees of them.

use std::collections::BTreeSet;

use trellis_model::{
    FieldAccess, FieldName, Filter, ObjectName, Record, RecordId, RowAccess, Scope, Value, bilingual,
};

use crate::index::encode;
use crate::ordinals::id_of;
use crate::schema::Object;
use crate::{Error, Records, Result, keys};

impl Records {
    /// Returns a record that is not deleted, if the scope has it, with the fields that the scope can read.
    ///
    /// # Errors
    /// [`Error::UnknownObject`].
    pub async fn get(&self, scope: &Scope, object: &ObjectName, id: RecordId) -> Result<Option<Record>> {
        let found = self.get_deleted_too(scope, object, id).await?;
        Ok(found.filter(|record| !record.is_deleted()))
    }

    /// As [`Records::get`], deleted records too.
    ///
    /// # Errors
    /// [`Error::UnknownObject`].
    pub async fn get_deleted_too(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
    ) -> Result<Option<Record>> {
        let object = self.object(object)?;
        match self.load(object.id, id).await? {
            Some(found) if self.is_visible(scope, &object, &found.record).await? => {
                Ok(Some(self.readable(scope, &object, found.record)))
            }
            _ => Ok(None),
        }
    }

    /// As [`Records::get`], but a record must be there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find(&self, scope: &Scope, object: &ObjectName, id: RecordId) -> Result<Record> {
        let found = self.get(scope, object, id).await?;
        found.ok_or_else(|| Error::NotFound { object: object.clone(), id })
    }

    /// Returns the record that has a value in a unique field.
    ///
    /// # Errors
    /// [`Error::UnknownField`], [`Error::Query`] for a field that is not unique.
    pub async fn find_by(
        &self,
        scope: &Scope,
        object: &ObjectName,
        field: &FieldName,
        value: &Value,
    ) -> Result<Option<Record>> {
        let full = self.object(object)?;
        let definition = full.field(field.as_str()).filter(|_| scope.of(object).readable.contains(field));
        let definition = definition
            .ok_or_else(|| Error::UnknownField { object: object.clone(), field: field.to_string() })?;
        if !definition.unique {
            return Err(Error::Query(bilingual!(
                "field `{field}` of {object} is not unique",
                "{object} 的字段 `{field}` 不是唯一的"
            )));
        }
        if !full.indexes.finds_by(definition.id) {
            return Err(being_built(object, field));
        }
        let key = keys::unique(full.id, definition.id, &encode::exact(value));
        match self.store().get(&key).await? {
            Some(holder) => self.get(scope, object, id_of(&holder.value)?).await,
            None => Ok(None),
        }
    }

    /// Whether a scope has a record, stored or not, that is not deleted, and a filter matches it. What it is related to is as it is stored.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub async fn would_match(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
        record: &Record,
    ) -> Result<bool> {
        let (object, schema) = (self.object(object)?, self.schema());
        let compiler = self.compiler(&schema, Some(scope));
        match compiler.with_scope(&object, filter)? {
            Some(node) if !record.is_deleted() => self.matches(&node, record).await,
            _ => Ok(false),
        }
    }

    /// Whether a record exists for a scope.
    pub(crate) async fn is_visible(&self, scope: &Scope, object: &Object, record: &Record) -> Result<bool> {
        match &scope.of(&object.name).rows {
            RowAccess::All => Ok(true),
            RowAccess::Nothing => Ok(false),
            RowAccess::Where(filter) => self.matches_unscoped(object, filter, record).await,
        }
    }

    /// The record with the fields that a scope can read, computed ones too.
    pub(crate) fn readable(&self, scope: &Scope, object: &Object, record: Record) -> Record {
        self.readable_with(scope, object, record, None)
    }

    /// As [`Records::readable`], of computed fields only those that are wanted, where that is said.
    pub(super) fn readable_with(
        &self,
        scope: &Scope,
        object: &Object,
        mut record: Record,
        wanted: Option<&BTreeSet<FieldName>>,
    ) -> Record {
        let readable = &scope.of(&object.name).readable;
        if let Some(computed) = self.computed_of(&object.definition) {
            let wanted = |name: &FieldName| {
                readable.contains(name) && wanted.is_none_or(|wanted| wanted.contains(name))
            };
            computed.fill(&mut record, self.derived().as_deref(), wanted);
        }
        if !matches!(readable, FieldAccess::All) {
            record
                .fields
                .retain(|id, _| object.field_by_id(*id).is_some_and(|field| readable.contains(&field.name)));
        }
        record
    }
}

/// What a look-up by a unique field answers while its keys are being built.
pub(crate) fn being_built(object: &ObjectName, field: &FieldName) -> Error {
    Error::Query(bilingual!(
        "the unique index of field `{field}` of {object} is still being built",
        "{object} 的字段 `{field}` 的唯一索引仍在构建中"
    ))
}
