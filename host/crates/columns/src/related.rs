//! How many records refer to each customer: counted from the records as they are now, since they are no events.

use std::collections::BTreeSet;

use serde_json::json;
use trellis_model::{
    FieldId, FieldName, FieldType, Filter, ObjectDefinition, ObjectId, ObjectName, Op, RecordId, Scope, Value,
};
use trellis_records::{LoggedChange, Records, Schema};

use crate::Result;
use crate::dataset::Plan;

/// From so many customers on, counting all records at once costs less than one query a customer.
const QUERIED_ROWS_MAX: usize = 4_096;
/// Ordinals that are read at once.
const PAGE_ROWS: usize = 10_000;

/// Records that are counted by what they refer to, resolved against the schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RelatedSource {
    object: ObjectId,
    object_name: ObjectName,
    field: FieldId,
    by: FieldName,
    filter: Filter,
}

/// The counts of those customers who have any, ascending by ordinal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RelatedCounts(Vec<(u64, i64)>);

/// Which customers log entries are about.
#[derive(Debug, Default)]
pub(crate) struct RelatedChanges {
    /// Whom counted records pointed at before or after a change.
    targets: BTreeSet<RecordId>,
    /// Counted records that changed, by their source's place in the plan: whom they point at is seen from the records.
    records: BTreeSet<(usize, RecordId)>,
}

impl RelatedSource {
    /// Says what cannot be counted.
    pub(crate) fn of(
        schema: &Schema,
        target: &ObjectDefinition,
        object: &ObjectName,
        by: &FieldName,
        filter: &Filter,
    ) -> Result<Self, String> {
        let definition =
            schema.object(object.as_str()).ok_or_else(|| format!("there is no object `{object}`"))?;
        let field = definition.field(by.as_str()).filter(
            |field| matches!(&field.field_type, FieldType::Reference { object } if *object == target.name),
        );
        let field =
            field.ok_or_else(|| format!("`{object}` has no reference `{by}` to `{}`", target.name))?;
        check_filter(definition, filter)?;
        let (object, object_name) = (definition.id, object.clone());
        Ok(Self { object, object_name, field: field.id, by: by.clone(), filter: filter.clone() })
    }
}

/// Only what stands in a counted record itself may decide: a change elsewhere would go unnoticed.
fn check_filter(object: &ObjectDefinition, filter: &Filter) -> Result<(), String> {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().try_for_each(|filter| check_filter(object, filter))
        }
        Filter::Not(filter) => check_filter(object, filter),
        Filter::Compare { path, .. } => match path.0.as_slice() {
            [field] if object.field(field.as_str()).is_some() => Ok(()),
            _ => Err(format!("`{path}` is no field of `{}`", object.name)),
        },
        Filter::Related(_) => Err(format!("only fields of `{}` itself can be compared", object.name)),
    }
}

impl RelatedCounts {
    /// The counts of everybody.
    pub(crate) async fn of_all(records: &Records, plan: &Plan, source: &RelatedSource) -> Result<Self> {
        let everything = Scope::everything();
        let counted =
            records.count_by_reference(&everything, &source.object_name, &source.by, &source.filter).await?;
        let mut counts = Vec::with_capacity(counted.len());
        if counted.len() > QUERIED_ROWS_MAX {
            let mut after = None;
            loop {
                let page = records.ordinals_after(plan.object, after, PAGE_ROWS).await?;
                let known =
                    page.iter().filter_map(|(ordinal, id)| Some((*ordinal, *counted.get(id)? as i64)));
                counts.extend(known);
                match page.last() {
                    Some((last, _)) if page.len() == PAGE_ROWS => after = Some(*last),
                    _ => return Ok(Self(counts)),
                }
            }
        }
        for (id, count) in counted {
            counts.extend(ordinal_of(records, plan, id).await?.map(|ordinal| (ordinal, count as i64)));
        }
        counts.sort_unstable();
        Ok(Self(counts))
    }

    /// The counts of some customers, ascending by ordinal.
    pub(crate) async fn of_rows(
        records: &Records,
        plan: &Plan,
        source: &RelatedSource,
        ordinals: &[u64],
    ) -> Result<Self> {
        if ordinals.len() > QUERIED_ROWS_MAX {
            return Self::of_all(records, plan, source).await;
        }
        let mut counts = Vec::with_capacity(ordinals.len());
        let ids = records.ordinal_ids(plan.object, ordinals).await?;
        for (ordinal, id) in ordinals.iter().zip(ids).filter_map(|(ordinal, id)| Some((*ordinal, id?))) {
            let by = Filter::compare(source.by.as_str(), Op::Eq, json!(id.to_string()))
                .map_err(trellis_records::Error::from)?;
            let filter = Filter::And(vec![by, source.filter.clone()]);
            let count = records.count(&Scope::everything(), &source.object_name, &filter).await?;
            counts.push((ordinal, count as i64));
        }
        Ok(Self(counts))
    }

    /// The counts of rows in ascending order.
    pub(crate) fn column(&self, ordinals: &[u64]) -> Vec<i64> {
        let first = ordinals.first().copied().unwrap_or(0);
        let start = self.0.partition_point(|(ordinal, _)| *ordinal < first);
        let mut counts = self.0.iter().skip(start).peekable();
        let count = |ordinal: &u64| {
            while counts.next_if(|(counted, _)| counted < ordinal).is_some() {}
            counts.next_if(|(counted, _)| counted == ordinal).map_or(0, |(_, count)| *count)
        };
        ordinals.iter().map(count).collect()
    }
}

impl RelatedChanges {
    /// Notes a change of a record, where that is one that is counted.
    pub(crate) fn add(&mut self, plan: &Plan, change: &LoggedChange) {
        for (place, source) in plan.related.iter().enumerate() {
            if source.object != change.object {
                continue;
            }
            self.records.insert((place, change.id));
            let moved = change.fields.as_ref().and_then(|fields| fields.get(&source.field));
            let sides = moved.into_iter().flat_map(|change| [&change.before, &change.after]);
            self.targets.extend(sides.flatten().filter_map(reference));
        }
    }

    /// The ordinals of the customers whose counts may be others.
    pub(crate) async fn ordinals(mut self, records: &Records, plan: &Plan) -> Result<BTreeSet<u64>> {
        for (place, id) in self.records {
            let Some(source) = plan.related.get(place) else { continue };
            let found = records.get_deleted_too(&Scope::everything(), &source.object_name, id).await?;
            let target = found.as_ref().and_then(|record| record.fields.get(&source.field));
            self.targets.extend(target.and_then(reference));
        }
        let mut ordinals = BTreeSet::new();
        for id in self.targets {
            ordinals.extend(ordinal_of(records, plan, id).await?);
        }
        Ok(ordinals)
    }
}

fn reference(value: &Value) -> Option<RecordId> {
    match value {
        Value::Reference(id) => Some(*id),
        _ => None,
    }
}

async fn ordinal_of(records: &Records, plan: &Plan, id: RecordId) -> Result<Option<u64>> {
    let found = records.get_deleted_too(&Scope::everything(), &plan.object_name, id).await?;
    Ok(found.and_then(|record| record.ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_find_their_counts() {
        let counts = RelatedCounts(vec![(2, 7), (5, 1), (6, 2), (1 << 40, 3)]);
        let check = |ordinals: &[u64], expected: &[i64]| assert_eq!(counts.column(ordinals), expected);
        check(&[], &[]);
        check(&[0, 1, 2, 3, 4, 5, 6, 7], &[0, 0, 7, 0, 0, 1, 2, 0]);
        check(&[5], &[1]);
        check(&[4, 1 << 40], &[0, 3]);
        check(&[(1 << 40) + 1], &[0]);
    }
}
