//! The data that a plugin reads: datasets and their columns.

use serde::Deserialize;
use trellis_model::{FieldName, Filter, ObjectName, Published};

use super::configured::{self, Configured};
use super::parse::{Parse, check_name, field_name, object_name, problem, unique};
use super::related::{self, Figure, RawFigure, Related};
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
    /// A field of the record that references lead to, one after the other, from the dataset's object.
    Through {
        /// The references: one or two.
        references: Vec<FieldName>,
        /// The field of the record that the last one points at.
        field: FieldName,
    },
    /// Fields of the dataset's object that the configuration names: what they are is known with it, see [`super::Manifest::configured`].
    Configured(Configured),
    /// A field of the dataset's object that the configuration named.
    Chosen(FieldName),
    /// A score, its band or a segmentation over the dataset's object that the configuration named.
    Published(Published),
    /// A figure over the child records that refer to the row's record.
    Aggregate {
        /// The child object.
        from: ObjectName,
        /// Which figure.
        aggregate: Aggregate,
        /// The field that is the child's time; what lies after "as of" does not count.
        time: FieldName,
    },
    /// Any other figure over records that refer to the row's record.
    Related(Box<Related>),
}

/// A figure over child records that is kept for every customer.
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
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawColumn {
    name: String,
    from: Option<String>,
    aggregate: Option<RawFigure>,
    pub(super) field: Option<String>,
    pub(super) time: Option<String>,
    pub(super) by: Option<String>,
    pub(super) r#where: Option<serde_json::Value>,
    pub(super) within_days: Option<u32>,
    pub(super) within_days_from: Option<String>,
    pub(super) until_days_ago: Option<u32>,
    pub(super) until_days_ago_from: Option<String>,
    #[serde(default)]
    pub(super) repeat: bool,
    pub(super) fields_from: Option<String>,
    pub(super) field_from: Option<String>,
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
    let source = match (&raw.field, &raw.from, raw.aggregate) {
        (Some(field), None, None) if !raw.is_about_records() => rows::field(&format!("{key}.field"), field)?,
        (_, Some(from), Some(figure)) => related::source(key, &raw, from, figure)?,
        _ => {
            return Err(problem(
                key,
                "is neither a field of the object (`field`; `fields-from` or `field-from` where the config names it), nor a figure over \
                 records that refer to it (`from`, `aggregate`, and `time` or `by`)",
            ));
        }
    };
    Ok(DatasetColumn { name: raw.name, source })
}

impl RawColumn {
    /// Whether it says by itself where it comes from.
    fn names_a_source(&self) -> bool {
        self.field.is_some() || self.is_about_records()
    }

    /// Whether it says anything that is said of figures over records only.
    fn is_about_records(&self) -> bool {
        let texts = [&self.from, &self.time, &self.by, &self.within_days_from, &self.until_days_ago_from];
        texts.iter().any(|text| text.is_some())
            || self.aggregate.is_some()
            || self.r#where.is_some()
            || self.within_days.is_some()
            || self.until_days_ago.is_some()
            || self.repeat
    }
}

impl Aggregate {
    /// The figure, where it is one of these.
    pub(super) fn of(figure: &Figure) -> Option<Self> {
        Some(match figure {
            Figure::Count => Self::Count,
            Figure::Sum(field) => Self::Sum(field.clone()),
            Figure::First => Self::First,
            Figure::Last => Self::Last,
            _ => return None,
        })
    }
}

pub(super) fn filter(key: &str, json: Option<&serde_json::Value>) -> Parse<Filter> {
    match json {
        None => Ok(Filter::everything()),
        Some(json) => Filter::parse(json).map_err(|error| problem(key, error)),
    }
}
