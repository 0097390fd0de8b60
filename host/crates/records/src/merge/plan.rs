//! What a merge would do.

use std::collections::BTreeMap;

use trellis_model::{
    FieldDefinition, FieldId, FieldName, ObjectName, Record, RecordId, Scope, Text, Value, bilingual,
};

use super::{MergeRequest, value_of};
use crate::schema::Object;
use crate::{Error, FieldChanges, Records, Result};

/// What a merge would do.
#[derive(Debug, Clone, PartialEq)]
pub struct MergePlan {
    /// The winner's fields that would change.
    pub values: Vec<MergeValue>,
    /// The records that would refer to the winner instead of a loser.
    pub references: Vec<ReferenceCount>,
    /// What the caller should know before.
    pub warnings: Vec<Text>,
}

/// A field of the winner that would change.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeValue {
    /// The field.
    pub field: FieldName,
    /// What it would be; `None` is null.
    pub value: Option<Value>,
    /// Whose value that is.
    pub from: RecordId,
}

/// Records that refer to losers by one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceCount {
    /// Their object.
    pub object: ObjectName,
    /// The field.
    pub field: FieldName,
    /// How many there are.
    pub count: u64,
    /// Whether more were not counted.
    pub at_least: bool,
}

/// The records of a merge, with what the winner takes over.
#[derive(Debug)]
pub(super) struct Merging {
    pub(super) object: Object,
    pub(super) winner: Record,
    pub(super) losers: Vec<Record>,
    values: BTreeMap<FieldId, (Option<Value>, RecordId)>,
    warnings: Vec<Text>,
}

impl Merging {
    pub(super) fn changes(&self) -> FieldChanges {
        self.values.iter().map(|(field, (value, _))| (*field, value.clone())).collect()
    }
}

impl Records {
    /// What a merge would do, without doing it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the scope lacks one of the records, [`Error::FieldDenied`] where it must not write what a choice asks for,
    /// [`Error::UnknownField`], [`Error::TooMany`] over `merge_records_max`, [`Error::Merge`] for a request that contradicts itself.
    pub async fn merge_plan(&self, scope: &Scope, request: &MergeRequest) -> Result<MergePlan> {
        let merging = self.merging(scope, request).await?;
        let name = |field: &FieldId| merging.object.field_by_id(*field).map(|field| field.name.clone());
        let values = merging.values.iter().filter_map(|(field, (value, from))| {
            Some(MergeValue { field: name(field)?, value: value.clone(), from: *from })
        });
        Ok(MergePlan {
            values: values.collect(),
            references: self.count_references(&request.object, &request.losers).await?,
            warnings: merging.warnings,
        })
    }

    /// Reads the records of a merge and settles the values.
    pub(super) async fn merging(&self, scope: &Scope, request: &MergeRequest) -> Result<Merging> {
        request.check(self.config().limits.merge_records_max)?;
        let object = self.object(&request.object)?;
        if object.append_only {
            return Err(Error::AppendOnly { object: object.name.clone() });
        }
        let winner = self.merged_one(scope, &object, request.winner, None).await?;
        let mut losers = Vec::with_capacity(request.losers.len());
        for id in &request.losers {
            losers.push(self.merged_one(scope, &object, *id, Some(request.winner)).await?);
        }
        for name in request.choices.keys() {
            let field =
                object.field(name.as_str()).filter(|_| scope.of(&object.name).readable.contains(name));
            let unknown = || Error::UnknownField { object: object.name.clone(), field: name.to_string() };
            let field = field.ok_or_else(unknown)?;
            if !scope.of(&object.name).writable.contains(name) {
                return Err(Error::FieldDenied { object: object.name.clone(), field: name.clone() });
            }
            if field.computed.is_some() {
                return Err(Error::Merge(bilingual!(
                    "`{name}` is computed, not chosen",
                    "`{name}` 由系统计算，不能选择"
                )));
            }
        }
        let mut merging = Merging { object, winner, losers, values: BTreeMap::new(), warnings: Vec::new() };
        merging.settle(scope, request);
        Ok(merging)
    }

    /// A record of a merge. A loser may have been merged into the winner already: then this merge goes on.
    async fn merged_one(
        &self,
        scope: &Scope,
        object: &Object,
        id: RecordId,
        winner: Option<RecordId>,
    ) -> Result<Record> {
        let found = self.load(object.id, id).await?.map(|found| found.record);
        if let Some(record) = found {
            let merged =
                record.is_deleted() && winner.is_some() && self.alias_of(object.id, id).await? == winner;
            if (merged || !record.is_deleted()) && self.is_visible(scope, object, &record).await? {
                return Ok(record);
            }
        }
        Err(self.missing(scope, object, id).await?)
    }
}

impl Merging {
    fn settle(&mut self, scope: &Scope, request: &MergeRequest) {
        let access = scope.of(&self.object.name);
        let fields =
            self.object.definition.fields.iter().filter(|field| field.computed.is_none() && !field.retired);
        for field in fields {
            let (value, from) = self.value(field, request);
            if value == value_of(&self.winner, field.id) {
                continue;
            }
            if !access.readable.contains(&field.name) || !access.writable.contains(&field.name) {
                let name = &field.name;
                self.warnings.push(bilingual!(
                    "`{name}` of the winner stays empty: these rights do not allow to take it over",
                    "保留记录的 `{name}` 仍为空：当前权限不允许带入该值"
                ));
                continue;
            }
            self.values.insert(field.id, (value.cloned(), from));
        }
    }

    /// The value that a field of the winner gets, and whose it is.
    fn value(&self, field: &FieldDefinition, request: &MergeRequest) -> (Option<&Value>, RecordId) {
        let all = || std::iter::once(&self.winner).chain(&self.losers);
        let chosen = request.choices.get(&field.name).and_then(|id| all().find(|record| record.id == *id));
        if let Some(chosen) = chosen {
            return (value_of(chosen, field.id), chosen.id);
        }
        let first = all().find(|record| record.fields.contains_key(&field.id));
        first.map_or((None, self.winner.id), |record| (value_of(record, field.id), record.id))
    }
}
