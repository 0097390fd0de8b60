//! Figures over the records that refer to a customer.

use serde::Deserialize;
use serde_json::Value as Json;
use trellis_model::{FieldName, Filter, ObjectName};

use super::ConfigSchema;
use super::dataset::{Aggregate, ColumnSource, Dataset, RawColumn, filter};
use super::parse::{Parse, field_name, object_name, problem};

/// A figure over the records that refer to the row's record, which needs more than their kept count, sum, first and last.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// Whose records.
    pub object: ObjectName,
    /// Their reference to the row's record; `None`: the one that is meant by their schema.
    pub by: Option<FieldName>,
    /// Which of them count.
    pub filter: Filter,
    /// The field that is their time; what lies after "as of" does not count. `None`: they count as they are now.
    pub time: Option<FieldName>,
    /// How many days count, up to the last one; `None`: all.
    pub within_days: Option<Days>,
    /// How many days before "as of" the last day lies; `None`: it is that day.
    pub until_days_ago: Option<Days>,
    /// Whether what lies on the day of the first of them does not count.
    pub repeat: bool,
    /// What is said about them.
    pub figure: Figure,
}

/// A number of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    /// So many.
    Of(u32),
    /// As many as a setting of the configuration says; where it says nothing, there is no such bound.
    Setting(String),
}

/// What is said about records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// How many there are.
    Count,
    /// On how many different days.
    CountDays,
    /// The date or time of the first.
    First,
    /// The date or time of the last.
    Last,
    /// The sum of a field.
    Sum(FieldName),
    /// The smallest value of a field.
    Min(FieldName),
    /// The largest value of a field.
    Max(FieldName),
    /// The mean of a field.
    Mean(FieldName),
    /// The different texts of a field.
    Values(FieldName),
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawFigure {
    Count,
    CountDays,
    First,
    Last,
    Sum,
    Min,
    Max,
    Mean,
    Values,
}

impl Figure {
    /// The field that it reads.
    pub fn field(&self) -> Option<&FieldName> {
        match self {
            Self::Count | Self::CountDays | Self::First | Self::Last => None,
            Self::Sum(field)
            | Self::Min(field)
            | Self::Max(field)
            | Self::Mean(field)
            | Self::Values(field) => Some(field),
        }
    }
}

impl Days {
    /// How many they are under a configuration; `None` where the setting says nothing.
    pub fn under(&self, config: &Json) -> Option<u32> {
        match self {
            Self::Of(days) => Some(*days),
            Self::Setting(setting) => {
                let days = config.get(setting)?.as_u64()?;
                Some(u32::try_from(days).unwrap_or(u32::MAX))
            }
        }
    }
}

impl Related {
    /// The figure with the days that a configuration says.
    #[must_use]
    pub fn configured(&self, config: &Json) -> Self {
        let under = |days: &Option<Days>| days.as_ref().and_then(|days| days.under(config)).map(Days::Of);
        Self {
            within_days: under(&self.within_days),
            until_days_ago: under(&self.until_days_ago),
            ..self.clone()
        }
    }
}

/// Reads a column that names an object and a figure.
pub(super) fn source(key: &str, raw: &RawColumn, from: &str, figure: RawFigure) -> Parse<ColumnSource> {
    let object = object_name(&format!("{key}.from"), from)?;
    let name = |what: &str, name: &Option<String>| -> Parse<Option<FieldName>> {
        name.as_ref().map(|name| field_name(&format!("{key}.{what}"), name)).transpose()
    };
    let figure = self::figure(key, figure, name("field", &raw.field)?)?;
    let (by, time) = (name("by", &raw.by)?, name("time", &raw.time)?);
    let within_days = days(key, "within-days", raw.within_days, raw.within_days_from.as_ref(), 1)?;
    let until_days_ago =
        days(key, "until-days-ago", raw.until_days_ago, raw.until_days_ago_from.as_ref(), 0)?;
    let is_plain = by.is_none()
        && raw.r#where.is_none()
        && within_days.is_none()
        && until_days_ago.is_none()
        && !raw.repeat;
    if let (true, Some(time)) = (is_plain, &time)
        && let Some(aggregate) = Aggregate::of(&figure)
    {
        return Ok(ColumnSource::Aggregate { from: object, aggregate, time: time.clone() });
    }
    if time.is_none() {
        let needing = [
            (
                "first`, `last` or `count-days",
                matches!(figure, Figure::First | Figure::Last | Figure::CountDays),
            ),
            ("within-days", within_days.is_some()),
            ("until-days-ago", until_days_ago.is_some()),
            ("repeat", raw.repeat),
        ];
        if let Some((what, _)) = needing.into_iter().find(|(_, there)| *there) {
            return Err(problem(
                key,
                format!("`{what}` needs `time`, the field that is the time of `{object}`"),
            ));
        }
        if by.is_none() {
            return Err(problem(
                key,
                format!(
                    "names neither `time`, the field that is the time of `{object}`, nor `by`, its reference to the row's record"
                ),
            ));
        }
    }
    let filter = filter(&format!("{key}.where"), raw.r#where.as_ref())?;
    let related =
        Related { object, by, filter, time, within_days, until_days_ago, repeat: raw.repeat, figure };
    Ok(ColumnSource::Related(Box::new(related)))
}

fn figure(key: &str, figure: RawFigure, field: Option<FieldName>) -> Parse<Figure> {
    let plain = match figure {
        RawFigure::Count => Figure::Count,
        RawFigure::CountDays => Figure::CountDays,
        RawFigure::First => Figure::First,
        RawFigure::Last => Figure::Last,
        RawFigure::Sum => return Ok(Figure::Sum(needed(key, "sum", field)?)),
        RawFigure::Min => return Ok(Figure::Min(needed(key, "min", field)?)),
        RawFigure::Max => return Ok(Figure::Max(needed(key, "max", field)?)),
        RawFigure::Mean => return Ok(Figure::Mean(needed(key, "mean", field)?)),
        RawFigure::Values => return Ok(Figure::Values(needed(key, "values", field)?)),
    };
    match field {
        None => Ok(plain),
        Some(_) => {
            Err(problem(key, "`field` belongs to `aggregate` `sum`, `min`, `max`, `mean` and `values` only"))
        }
    }
}

fn needed(key: &str, figure: &str, field: Option<FieldName>) -> Parse<FieldName> {
    field.ok_or_else(|| problem(key, format!("`aggregate = \"{figure}\"` needs `field`")))
}

fn days(
    key: &str,
    name: &str,
    days: Option<u32>,
    setting: Option<&String>,
    days_min: u32,
) -> Parse<Option<Days>> {
    match (days, setting) {
        (Some(_), Some(_)) => Err(problem(key, format!("has both `{name}` and `{name}-from`"))),
        (Some(days), None) if days < days_min => {
            Err(problem(&format!("{key}.{name}"), format!("is at least {days_min}")))
        }
        (Some(days), None) => Ok(Some(Days::Of(days))),
        (None, setting) => Ok(setting.cloned().map(Days::Setting)),
    }
}

/// Every setting that says a number of days is declared, and can say nothing else.
pub(super) fn check(datasets: &[Dataset], config: &ConfigSchema) -> Parse<()> {
    let columns =
        datasets.iter().flat_map(|dataset| dataset.columns.iter().map(move |column| (dataset, column)));
    for (dataset, column) in columns {
        let ColumnSource::Related(related) = &column.source else { continue };
        let named =
            [("within-days", &related.within_days, 1), ("until-days-ago", &related.until_days_ago, 0)];
        for (name, days, days_min) in named {
            let Some(Days::Setting(setting)) = days else { continue };
            let place = format!("datasets.{}.columns.{}.{name}-from", dataset.name, column.name);
            let declared = config.as_json().pointer("/properties").and_then(|settings| settings.get(setting));
            let declared =
                declared.ok_or_else(|| problem(&place, format!("`[config]` has no setting `{setting}`")))?;
            let is_days = declared.get("type").and_then(Json::as_str) == Some("integer")
                && declared.get("minimum").and_then(Json::as_i64).is_some_and(|minimum| minimum >= days_min);
            if !is_days {
                let reason =
                    format!("the setting `{setting}` is no `integer` whose `minimum` is {days_min} or more");
                return Err(problem(&place, reason));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::Manifest;

    fn manifest(column: &str) -> crate::Result<Manifest> {
        Manifest::parse(&format!(
            r#"
id = "churn"
version = "1.0.0"
wit = "1.0.0"
provides = ["scoring"]
name = {{ en = "Churn" }}
[[datasets]]
name = "customers"
kind = "per-customer"
object = "account"
[[datasets.columns]]
name = "figure"
{column}
[config]
type = "object"
[config.properties.window_days]
type = "integer"
minimum = 1
[config.properties.outcome_days]
type = "integer"
minimum = 0
default = 90
[config.properties.name]
type = "string"
"#
        ))
    }

    fn source(column: &str) -> ColumnSource {
        manifest(column).unwrap().datasets.remove(0).columns.remove(0).source
    }

    fn related(column: &str) -> Related {
        match source(column) {
            ColumnSource::Related(related) => *related,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_kept_stays_kept_and_the_rest_is_read() {
        let order = "from = \"order\"\ntime = \"ordered_on\"\n";
        for kept in ["count", "first", "last"] {
            let source = source(&format!("{order}aggregate = \"{kept}\""));
            assert!(matches!(source, ColumnSource::Aggregate { .. }), "{source:?}");
        }
        let mean = related(&format!("{order}aggregate = \"mean\"\nfield = \"amount\""));
        assert_eq!(mean.figure, Figure::Mean(FieldName::new("amount").unwrap()));
        let window = related(&format!("{order}aggregate = \"count\"\nwithin-days = 30\nuntil-days-ago = 7"));
        let days = (window.within_days, window.until_days_ago, window.repeat);
        assert_eq!(days, (Some(Days::Of(30)), Some(Days::Of(7)), false));
        assert!(related(&format!("{order}aggregate = \"count-days\"\nrepeat = true")).repeat);
        let products = "from = \"order_line\"\naggregate = \"values\"\nfield = \"product\"\nby = \"account\"";
        assert_eq!(related(products).by, Some(FieldName::new("account").unwrap()));
    }

    #[test]
    fn days_may_be_settings() {
        let column = "from = \"order\"\naggregate = \"count\"\ntime = \"ordered_on\"\n\
                      within-days-from = \"window_days\"\nuntil-days-ago-from = \"outcome_days\"";
        let check = |config: Json, expected: [Option<u32>; 2]| {
            let configured = manifest(column).unwrap().configured(&config);
            let ColumnSource::Related(related) = &configured.datasets[0].columns[0].source else { panic!() };
            let days = [&related.within_days, &related.until_days_ago];
            assert_eq!(days, [&expected[0].map(Days::Of), &expected[1].map(Days::Of)]);
        };
        check(json!({ "window_days": 30, "outcome_days": 0 }), [Some(30), Some(0)]);
        check(json!({ "outcome_days": 90 }), [None, Some(90)]);
        check(json!({ "window_days": 5_000_000_000_u64 }), [Some(u32::MAX), None]);
    }

    #[test]
    fn a_figure_asks_for_all_that_it_reads() {
        let column = "from = \"case\"\naggregate = \"max\"\nfield = \"severity\"\ntime = \"opened_at\"\nby = \"account\"\n\
                      where = { field = \"status\", op = \"eq\", value = \"closed\" }";
        let requests = manifest(column).unwrap().requests();
        let grants: Vec<_> = requests.iter().map(|request| request.grant.as_str()).collect();
        assert_eq!(grants, ["data:case(account,opened_at,severity,status)"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |column: &str, message: &str| {
            let error = manifest(column).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        let order = |more: &str| format!("from = \"order\"\n{more}");
        let timed = |more: &str| order(&format!("time = \"ordered_on\"\n{more}"));
        check(&order("aggregate = \"count\""), "names neither `time`");
        check(
            &order("by = \"account\"\naggregate = \"last\""),
            "`first`, `last` or `count-days` needs `time`",
        );
        check(
            &order("by = \"account\"\naggregate = \"count\"\nwithin-days = 3"),
            "`within-days` needs `time`",
        );
        check(&order("by = \"account\"\naggregate = \"count\"\nrepeat = true"), "`repeat` needs `time`");
        check(&timed("aggregate = \"median\"\nfield = \"amount\""), "unknown variant `median`");
        check(&timed("aggregate = \"mean\""), "`aggregate = \"mean\"` needs `field`");
        check(&timed("aggregate = \"count\"\nfield = \"amount\""), "`field` belongs to");
        check(
            &timed("aggregate = \"count\"\nwithin-days = 0"),
            "`datasets[0].columns[0].within-days`: is at least 1",
        );
        check(
            &timed("aggregate = \"count\"\nwithin-days = 1\nwithin-days-from = \"window_days\""),
            "has both `within-days` and `within-days-from`",
        );
        check(
            &timed("aggregate = \"count\"\nwithin-days-from = \"nothing\""),
            "`datasets.customers.columns.figure.within-days-from`: `[config]` has no setting `nothing`",
        );
        for setting in ["name", "outcome_days"] {
            let column = timed(&format!("aggregate = \"count\"\nwithin-days-from = \"{setting}\""));
            check(&column, "is no `integer` whose `minimum` is 1 or more");
        }
        check("field = \"country\"\nwithin-days = 3", "is neither a field of the object");
    }
}
