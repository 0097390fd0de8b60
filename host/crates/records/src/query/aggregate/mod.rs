//! Records counted and summed by what they have in common.

mod finish;
mod groups;
mod measure;
mod plan;
mod read;

use trellis_model::{Bucket, FieldType, Filter, ObjectName, Path, Scope, Sort, Value};

use crate::{Records, Result};
use groups::Groups;
use plan::Prepared;

/// What shall be reckoned over the records that match.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// Of which object.
    pub object: ObjectName,
    /// Over which of its records.
    pub filter: Filter,
    /// What the records of a group have in common; without any, all are one group. A null is a value of its own. A record with several
    /// values in a multi-choice or list is in the group of each of them, and in that of null if it has none.
    pub group_by: Vec<GroupBy>,
    /// What is reckoned for each group.
    pub measures: Vec<Measure>,
    /// Which groups are kept, by the names of the results.
    pub having: Option<Filter>,
    /// The order of the groups, by the names of the results; ties, and everything where this is empty, by the keys, null first.
    pub sort: Vec<Sort>,
    /// How many groups are returned at most.
    pub limit: usize,
}

/// What the records of a group have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupBy {
    /// What it is called in the result; without one, as its path.
    pub name: Option<String>,
    /// Which field.
    pub path: Path,
    /// For dates and times: which stretch of the calendar counts as the same. The key is its first day.
    pub bucket: Option<Bucket>,
}

/// Something reckoned for each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What it is called in the result; without one, as its function and path: `sum_amount`.
    pub name: Option<String>,
    /// How.
    pub function: Function,
    /// Of what; `None` only for counts of records.
    pub path: Option<Path>,
    /// Which records of the group count; `None` counts all.
    pub filter: Option<Filter>,
}

/// How values become one. Nulls are left out of all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// How many records, or values where there is a field.
    Count,
    /// How many different values.
    CountDistinct,
    /// Their sum: exact for amounts (in base currency) and whole numbers. The sum of none is 0.
    Sum,
    /// Their mean.
    Avg,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
    /// The one in the middle.
    Median,
    /// The value below which this share of them lies, from 0 to 1, interpolated between neighbours (Hyndman and Fan's type 7).
    Percentile(f64),
}

/// What came of an [`Aggregation`].
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregated {
    /// What the keys of a group are.
    pub keys: Vec<ResultColumn>,
    /// What its values are.
    pub values: Vec<ResultColumn>,
    /// In the order that was asked for.
    pub groups: Vec<Group>,
    /// How many groups there are, also beyond the limit.
    pub total_groups: usize,
    /// Index rows and records that were looked at.
    pub rows_read: usize,
}

/// A part of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its type; `None` for derived fields, which may be text or number.
    pub field_type: Option<FieldType>,
}

/// Records that have the keys in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// In the order of [`Aggregated::keys`].
    pub keys: Vec<Option<Value>>,
    /// In the order of [`Aggregated::values`]; the mean, median and percentiles of amounts may have more decimals than their currency.
    pub values: Vec<Option<Value>>,
    /// How many records.
    pub count: u64,
}

impl Function {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountDistinct => "count_distinct",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::Percentile(_) => "percentile",
        }
    }

    /// The function of a name; `share` is the one of a percentile.
    pub fn of(name: &str, share: f64) -> Option<Self> {
        let all = [
            Self::Count,
            Self::CountDistinct,
            Self::Sum,
            Self::Avg,
            Self::Min,
            Self::Max,
            Self::Median,
            Self::Percentile(share),
        ];
        all.into_iter().find(|function| function.name() == name)
    }
}

impl Records {
    /// Groups the records that match and reckons over each group. Goes once along the index that narrows the matches best, or else over all
    /// records of the object, and decodes only the fields that it needs.
    ///
    /// # Errors
    /// As [`Records::list`]; [`crate::Error::TooMany`] beyond one of the limits on aggregates.
    pub async fn aggregate(&self, scope: &Scope, aggregation: &Aggregation) -> Result<Aggregated> {
        let (object, schema) = (self.object(&aggregation.object)?, self.schema());
        let compiler = self.compiler(&schema, Some(scope));
        let mut prepared = Prepared::new(&compiler, &object, aggregation, &self.config().limits)?;
        let mut groups = Groups::new(&prepared, &self.config().limits);
        let rows_read = match compiler.with_scope(&object, &aggregation.filter)? {
            Some(node) => self.read_groups(&object, &node, &mut prepared, &mut groups).await?,
            None => 0,
        };
        prepared.finish(&compiler, groups, aggregation, rows_read)
    }
}
