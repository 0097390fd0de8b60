//! The data that a plugin reads: datasets and their columns.

use serde::Deserialize;
use trellis_model::{FieldName, Filter, ObjectName};

use super::configured::{self, Configured};
use super::parse::{Parse, check_name, field_name, object_name, problem, unique};
use super::rows;

/// Data that a plugin reads; it gets that and no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name within the plugin.
    pub name: String,
    /// What a row is.
    pub kind: DatasetKind,
    /// Whose records the rows are.
    pub object: ObjectName,
    /// Which records, of a dataset of rows.
    pub filter: Filter,
    /// The fields that the rows of a dataset of rows come in the order of, before the id.
    pub order_by: Vec<FieldName>,
    /// The field that is the time of a row of a dataset of rows; what lies after "as of" is no row.
    pub time: Option<FieldName>,
    /// What is read of each, in the order in which the columns stand in a batch.
    pub columns: Vec<DatasetColumn>,
}

/// What a row of a dataset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetKind {
    /// One customer, with what happened to it as aggregates.
    PerCustomer,
    /// One record.
    Rows,
}

/// One column of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetColumn {
    /// Its name in the batch.
    pub name: String,
    /// Where it comes from.
    pub source: ColumnSource,
}

/// Where a column comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnSource {
    /// A field of the dataset's object.
    Field(FieldName),
    /// A field of the record that a reference of the dataset's object points at.
    Through {
        /// The reference.
        reference: FieldName,
        /// The field of the record that it points at.
        field: FieldName,
    },
    /// Fields of the dataset's object that the configuration names: what they are is known with it, see [`super::Manifest::configured`].
    Configured(Configured),
    /// A field of the dataset's object that the configuration named.
    Chosen(FieldName),
    /// A figure over the child records that refer to the row's record.
    Aggregate {
        /// The child object.
        from: ObjectName,
        /// Which figure.
        aggregate: Aggregate,
        /// The field that is the child's time; what lies after "as of" does not count.
        time: FieldName,
    },
    /// How many records, as they are now, refer to the row's record and match a filter.
    RelatedCount {
        /// Whose records are counted.
        object: ObjectName,
        /// Their reference to the row's record.
        by: FieldName,
        /// Which of them count.
        filter: Filter,
    },
}

/// A figure over child records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// The sum of a field.
    Sum(FieldName),
    /// The date of the first.
    First,
    /// The date of the last.
    Last,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDataset {
    name: String,
    kind: RawKind,
    object: String,
    columns: Vec<RawColumn>,
    r#where: Option<serde_json::Value>,
    #[serde(rename = "order-by")]
    order_by: Option<Vec<String>>,
    time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    PerCustomer,
    Rows,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    name: String,
    from: Option<String>,
    aggregate: Option<RawAggregate>,
    field: Option<String>,
    time: Option<String>,
    by: Option<String>,
    r#where: Option<serde_json::Value>,
    #[serde(rename = "fields-from")]
    fields_from: Option<String>,
    #[serde(rename = "field-from")]
    field_from: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawAggregate {
    Count,
    Sum,
    First,
    Last,
}

pub(super) fn dataset((index, raw): (usize, RawDataset)) -> Parse<Dataset> {
    let key = format!("datasets[{index}]");
    check_name(&format!("{key}.name"), &raw.name)?;
    let kind = match raw.kind {
        RawKind::PerCustomer => DatasetKind::PerCustomer,
        RawKind::Rows => DatasetKind::Rows,
    };
    let object = object_name(&format!("{key}.object"), &raw.object)?;
    if raw.columns.is_empty() {
        return Err(problem(&format!("{key}.columns"), "there are none"));
    }
    let column = |(index, raw)| column(&format!("{key}.columns[{index}]"), raw);
    let columns = raw.columns.into_iter().enumerate().map(column).collect::<Parse<Vec<_>>>()?;
    unique(&format!("{key}.columns"), columns.iter().map(|column| column.name.as_str()))?;
    let dataset = Dataset {
        name: raw.name,
        kind,
        object,
        filter: filter(&format!("{key}.where"), raw.r#where.as_ref())?,
        order_by: rows::order_by(&key, raw.order_by.unwrap_or_default())?,
        time: raw.time.map(|time| field_name(&format!("{key}.time"), &time)).transpose()?,
        columns,
    };
    rows::check(&key, &dataset)?;
    Ok(dataset)
}

fn column(key: &str, raw: RawColumn) -> Parse<DatasetColumn> {
    check_name(&format!("{key}.name"), &raw.name)?;
    if let Some(source) =
        configured::source(key, raw.fields_from.as_deref(), raw.field_from.as_deref(), raw.names_a_source())?
    {
        return Ok(DatasetColumn { name: raw.name, source });
    }
    let source = match &raw {
        RawColumn {
            from: None,
            aggregate: None,
            field: Some(field),
            time: None,
            by: None,
            r#where: None,
            ..
        } => rows::field(&format!("{key}.field"), field)?,
        RawColumn {
            from: Some(from),
            aggregate: Some(figure),
            time: Some(time),
            by: None,
            r#where: None,
            ..
        } => ColumnSource::Aggregate {
            from: object_name(&format!("{key}.from"), from)?,
            aggregate: aggregate(key, *figure, raw.field.as_deref())?,
            time: field_name(&format!("{key}.time"), time)?,
        },
        RawColumn {
            from: Some(from),
            aggregate: Some(RawAggregate::Count),
            field: None,
            time: None,
            by: Some(by),
            ..
        } => ColumnSource::RelatedCount {
            object: object_name(&format!("{key}.from"), from)?,
            by: field_name(&format!("{key}.by"), by)?,
            filter: filter(&format!("{key}.where"), raw.r#where.as_ref())?,
        },
        _ => {
            return Err(problem(
                key,
                "is neither a field of the object (`field`; `fields-from` or `field-from` where the config names it), nor an aggregate (`from`, `aggregate`, `time`), nor a count \
                 of related records (`from`, `aggregate = \"count\"`, `by`, `where`)",
            ));
        }
    };
    Ok(DatasetColumn { name: raw.name, source })
}

impl RawColumn {
    /// Whether it says by itself where it comes from.
    fn names_a_source(&self) -> bool {
        let texts = [&self.from, &self.field, &self.time, &self.by];
        texts.iter().any(|text| text.is_some()) || self.aggregate.is_some() || self.r#where.is_some()
    }
}

fn aggregate(key: &str, figure: RawAggregate, field: Option<&str>) -> Parse<Aggregate> {
    Ok(match (figure, field) {
        (RawAggregate::Count, None) => Aggregate::Count,
        (RawAggregate::First, None) => Aggregate::First,
        (RawAggregate::Last, None) => Aggregate::Last,
        (RawAggregate::Sum, Some(field)) => Aggregate::Sum(field_name(&format!("{key}.field"), field)?),
        (RawAggregate::Sum, None) => return Err(problem(key, "`aggregate = \"sum\"` needs `field`")),
        _ => return Err(problem(key, "`field` belongs to `aggregate = \"sum\"` only")),
    })
}

fn filter(key: &str, json: Option<&serde_json::Value>) -> Parse<Filter> {
    match json {
        None => Ok(Filter::everything()),
        Some(json) => Filter::parse(json).map_err(|error| problem(key, error)),
    }
}
