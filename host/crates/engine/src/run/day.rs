//! What time alone changes: with each new day of the organisation's time zone a plugin is told another day, and events that were dated ahead
//! begin to count. So at a change of day the customers of a run as of now are evaluated again, a part at a time, each part after what has
//! changed meanwhile. How far that is, is stored: a server that was down over midnight, or stopped on the way, goes on where it was.

use serde::{Deserialize, Serialize};
use trellis_columns::{AsOf, ColumnSource, DatasetSpec};
use trellis_model::{
    Computed, FieldDefinition, FieldName, FieldType, Filter, ObjectDefinition, PluginId, RecordId,
};
use trellis_storage::WriteSet;

use super::ledger::RunRecord;
use crate::{Result, as_of, core::Core, keys, stored};

/// Of which day the results of a run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    /// Days since 1970-01-01. Every result is of this day or a later one.
    done: i32,
    /// A part of the results is of this day already.
    begun: Option<Begun>,
}

/// A day that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    day: i32,
    /// The ordinal from which on results are still of an earlier day.
    next: u64,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredDay {
    V1 { run: [u8; 16], done: i32, begun: Option<Begun> },
}

impl Day {
    /// Reads how far a run is; one of which nothing is known is of the day that its calls were told.
    pub(super) async fn load(core: &Core, id: &PluginId, run: RecordId, record: &RunRecord) -> Result<Self> {
        let fresh = Self { done: record.as_of_day, begun: None };
        let Some(found) = core.records.store().get(&keys::result_day(id)).await? else { return Ok(fresh) };
        let StoredDay::V1 { run: of, done, begun } =
            stored::decode(&found.value, || format!("day of the results of plugin `{id}`"))?;
        Ok(if of == *run.as_bytes() { Self { done, begun } } else { fresh })
    }

    /// Whether another day has begun since.
    pub(super) fn is_over(&self, core: &Core) -> bool {
        // A clock that is set back does not bring a day back.
        today(core) > self.done
    }

    /// The ordinal from which on customers are to be evaluated again.
    pub(super) fn next(&self) -> u64 {
        self.begun.map_or(0, |begun| begun.next)
    }

    /// Whether a new day can make results others: not where a plugin reads neither dates nor what has one.
    pub(super) fn affects(&self, core: &Core, spec: &DatasetSpec) -> bool {
        moves_with_time(core, spec)
    }

    /// Notes that all customers up to `last` were evaluated, or (`None`) that no more are left, on `day` or later; returns whether there are.
    pub(super) async fn advance(
        &mut self,
        core: &Core,
        id: &PluginId,
        run: RecordId,
        (day, last): (i32, Option<u64>),
    ) -> Result<bool> {
        let day = self.begun.map_or(day, |begun| begun.day);
        let next = match last {
            Some(last) => Self { done: self.done, begun: Some(Begun { day, next: last + 1 }) },
            None => Self { done: day, begun: None },
        };
        let (run, done, begun) = (*run.as_bytes(), next.done, next.begun);
        let mut set = WriteSet::new();
        set.put(keys::result_day(id), stored::encode(&StoredDay::V1 { run, done, begun }));
        core.records.commit(set, None).await?;
        *self = next;
        // Where a further day began on the way, what was evaluated first is evaluated once more.
        Ok(last.is_some() || today(core) > done)
    }
}

/// Today in the organisation's time zone.
pub(crate) fn today(core: &Core) -> i32 {
    as_of::day(AsOf::Now, core.records.clock().now_ms(), &core.records.config().time_zone)
}

/// Whether the passing of time can change rows of a dataset, or what a plugin makes of them.
pub(super) fn moves_with_time(core: &Core, spec: &DatasetSpec) -> bool {
    let schema = core.records.schema();
    let object = schema.object(spec.object.as_str());
    let is_time = |name: &FieldName| {
        let field = object.and_then(|object| object.field(name.as_str()));
        // A formula that is not kept as a column may ask which day it is.
        let asks = |field: &FieldDefinition| matches!(&field.computed, Some(Computed::Formula(formula)) if !formula.stored);
        field
            .is_some_and(|field| matches!(field.field_type, FieldType::Date | FieldType::Time) || asks(field))
    };
    spec.columns.iter().any(|column| match &column.source {
        ColumnSource::Field(name) | ColumnSource::CodedField(name) => is_time(name),
        // An event that was dated ahead counts from its day on.
        ColumnSource::Aggregate { .. } => true,
        // So does any other record with a time; a window moves; and a comparison with a day may be with one that is relative to today.
        ColumnSource::Related(related) => {
            let of = schema.object(related.object.as_str());
            related.time.is_some() || of.is_some_and(|of| compares_time(of, &related.filter))
        }
        // Who follows those follows their changes.
        ColumnSource::Published(_) | ColumnSource::Withheld(_) => false,
    })
}

fn compares_time(object: &ObjectDefinition, filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| compares_time(object, part)),
        Filter::Not(part) => compares_time(object, part),
        Filter::Compare { path, .. } => path.0.iter().any(|name| {
            let field = object.field(name.as_str());
            field.is_some_and(|field| matches!(field.field_type, FieldType::Date | FieldType::Time))
        }),
        Filter::Related(_) => true,
    }
}
