//! From full groups to the result: having, order, limit.

use std::cmp::Ordering;

use trellis_model::{FieldId, FieldType, Fields, Filter, Path, Record, RecordId, Value, bilingual};

use super::groups::{Filling, Groups};
use super::plan::Prepared;
use super::{Aggregated, Aggregation, Group};
use crate::index::Column;
use crate::query::compile::{Compiler, Node, Source};
use crate::query::evaluate::{compare, local};
use crate::{Error, Result};

/// The number of records of a group has this name in `having` and `sort`, whatever else is reckoned.
const COUNT: &str = "count";

impl Prepared {
    pub(super) fn finish(
        self,
        compiler: &Compiler<'_>,
        groups: Groups,
        aggregation: &Aggregation,
        rows_read: usize,
    ) -> Result<Aggregated> {
        let having = aggregation.having.as_ref().map(|filter| self.having(compiler, filter)).transpose()?;
        let order = aggregation
            .sort
            .iter()
            .map(|sort| Ok((self.place(&sort.path)?.0, sort.descending)))
            .collect::<Result<Vec<_>>>()?;
        let mut finished = Vec::new();
        for group in groups.into_groups() {
            let group = self.group(compiler, group)?;
            let kept = having.as_ref().is_none_or(|node| local(node, &as_record(&group), None) == Some(true));
            if kept {
                finished.push(group);
            }
        }
        finished.sort_by(|a, b| by_order(&order, a, b));
        let total_groups = finished.len();
        finished.truncate(aggregation.limit);
        Ok(Aggregated {
            keys: self.key_columns,
            values: self.value_columns,
            groups: finished,
            total_groups,
            rows_read,
        })
    }

    fn group(&self, compiler: &Compiler<'_>, group: Filling) -> Result<Group> {
        let base = compiler.config.base_currency;
        let mut values = Vec::with_capacity(group.measures.len());
        for ((accumulator, measure), column) in
            group.measures.into_iter().zip(&self.measures).zip(&self.value_columns)
        {
            let value = accumulator.finish(measure.function, measure.kind.as_ref(), base).map_err(|()| {
                let name = &column.name;
                Error::Query(bilingual!("`{name}` is too large a number", "`{name}` 的数值过大"))
            })?;
            values.push(value);
        }
        Ok(Group { keys: group.keys, values, count: group.count })
    }

    /// Where a result stands among keys, values and the count, and its type.
    fn place(&self, path: &Path) -> Result<(usize, Option<FieldType>)> {
        let name = path.to_string();
        let found = self.columns().position(|column| column.name == name);
        if let Some(place) = found {
            return Ok((place, self.columns().nth(place).and_then(|column| column.field_type.clone())));
        }
        let columns = self.columns().count();
        if name == COUNT {
            return Ok((columns, Some(FieldType::Integer)));
        }
        let known: Vec<&str> = self.columns().map(|column| column.name.as_str()).chain([COUNT]).collect();
        let known = known.join(", ");
        Err(Error::Query(bilingual!(
            "there is no result `{name}`; there are {known}",
            "没有结果 `{name}`；可用的有 {known}"
        )))
    }

    /// A filter over the results of a group.
    fn having(&self, compiler: &Compiler<'_>, filter: &Filter) -> Result<Node> {
        let all = |filters: &[Filter]| {
            filters.iter().map(|filter| self.having(compiler, filter)).collect::<Result<_>>()
        };
        Ok(match filter {
            Filter::And(filters) => Node::And(all(filters)?),
            Filter::Or(filters) => Node::Or(all(filters)?),
            Filter::Not(filter) => Node::Not(Box::new(self.having(compiler, filter)?)),
            Filter::Compare { path, op, value } => {
                let (place, kind) = self.place(path)?;
                let source = Source::Column(Column::Field(field(place)));
                compiler.compare(source, kind.as_ref(), path, *op, value)?
            }
            Filter::Related(related) => {
                let name = &related.related;
                return Err(Error::Query(bilingual!(
                    "`having` compares results, not related `{name}`",
                    "`having` 只比较聚合结果，不支持关联的 `{name}`"
                )));
            }
        })
    }
}

/// A place among the results as the number of a field.
fn field(place: usize) -> FieldId {
    FieldId(u32::try_from(place).unwrap_or(u32::MAX))
}

/// A group in the form in which filters are asked.
fn as_record(group: &Group) -> Record {
    let count = i64::try_from(group.count).ok().map(Value::Integer);
    let values = group.keys.iter().chain(&group.values).cloned().chain([count]);
    let fields: Fields =
        values.enumerate().filter_map(|(place, value)| Some((field(place), value?))).collect();
    Record {
        id: RecordId(uuid::Uuid::nil()),
        object: trellis_model::ObjectId(0),
        version: 0,
        ordinal: None,
        created_at_ms: 0,
        updated_at_ms: 0,
        deleted_at_ms: None,
        last_log: 0,
        fields,
    }
}

fn by_order(order: &[(usize, bool)], a: &Group, b: &Group) -> Ordering {
    for (place, descending) in order {
        let ordering = match (at(a, *place), at(b, *place)) {
            (Err(a), Err(b)) => a.cmp(&b),
            (Ok(a), Ok(b)) => null_first(a, b),
            _ => Ordering::Equal,
        };
        let ordering = if *descending { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    let keys = a.keys.iter().zip(&b.keys);
    keys.map(|(a, b)| null_first(a.as_ref(), b.as_ref()))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The result at a place; the count as an error, since it is no value.
fn at(group: &Group, place: usize) -> Result<Option<&Value>, u64> {
    group.keys.iter().chain(&group.values).nth(place).map(Option::as_ref).ok_or(group.count)
}

fn null_first(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}
