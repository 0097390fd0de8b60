//! The rows of a golden case: a list of objects, or an object of lists, in the columns that the manifest declares.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use trellis_model::{Batch, Currency};
use trellis_plugin_host::manifest::{Aggregate, ColumnSource, DatasetColumn, Figure};

use super::values::{self, ValueType};

/// Reads rows of a plugin's dataset.
pub(super) struct RowsReader<'a> {
    /// What the case says of types, by column.
    pub(super) types: &'a BTreeMap<String, ValueType>,
    pub(super) base: Currency,
}

/// A place in the case, and what is wrong there.
pub(super) type Problem = (String, String);

/// The key of a row's ordinal.
const ORDINAL: &str = "ordinal";

impl RowsReader<'_> {
    /// Reads rows of a dataset. `more` are columns that the function gets beside those of the dataset.
    pub(super) fn batch(
        &self,
        place: &str,
        json: &Json,
        columns: &[DatasetColumn],
        more: &[(&str, ValueType)],
    ) -> Result<Batch, Problem> {
        let rows = rows(place, json)?;
        let known = |name: &str| {
            name == ORDINAL
                || columns.iter().any(|column| column.name == name)
                || more.iter().any(|(column, _)| *column == name)
        };
        for (number, row) in rows.iter().enumerate() {
            if let Some(name) = row.keys().find(|name| !known(name)) {
                return Err((
                    format!("{place}[{number}].{name}"),
                    "plugin.toml declares no such column".into(),
                ));
            }
        }
        let mut batch = Batch {
            rows: u32::try_from(rows.len()).map_err(|_| (place.to_owned(), "too many rows".to_owned()))?,
            ordinals: ordinals(place, &rows)?,
            columns: Vec::new(),
        };
        for column in columns {
            let cells = cells(&rows, &column.name);
            let (at, place) = (place, || format!("{place}[..].{}", column.name));
            let value_type = self.type_of(at, column, &cells).map_err(|reason| (place(), reason))?;
            batch.columns.push(self.column(place, &column.name, value_type, &cells)?);
        }
        for (name, value_type) in more {
            let place = || format!("{place}[..].{name}");
            batch.columns.push(self.column(place, name, *value_type, &cells(&rows, name))?);
        }
        Ok(batch)
    }

    fn column(
        &self,
        place: impl Fn() -> String,
        name: &str,
        value_type: ValueType,
        cells: &[&Json],
    ) -> Result<trellis_model::Column, Problem> {
        values::column(name, value_type, cells, self.base).map_err(|(row, reason)| {
            (place().replace("[..]", &format!("[{row}]")), format!("{reason} (type {})", value_type.name()))
        })
    }

    /// What the case says of the column, else what the manifest says, else what the values look like.
    fn type_of(&self, place: &str, column: &DatasetColumn, cells: &[&Json]) -> Result<ValueType, String> {
        // A column of another dataset is named with it, so that columns of one name may differ.
        let qualified = place.strip_prefix("datasets.").map(|dataset| format!("{dataset}.{}", column.name));
        let qualified = qualified.and_then(|name| self.types.get(&name));
        if let Some(known) = qualified.or_else(|| self.types.get(&column.name)) {
            return Ok(*known);
        }
        let forms = || cells.iter().filter_map(|cell| ValueType::of_form(cell));
        let is_time = || forms().any(|form| form == ValueType::Time);
        let number = || {
            let numbers = cells.iter().filter(|cell| cell.is_number()).count();
            match forms().find(|form| *form == ValueType::Number) {
                Some(number) => number,
                None if numbers > 0 => ValueType::Integer,
                None => ValueType::Money,
            }
        };
        let time = || if is_time() { ValueType::Time } else { ValueType::Date };
        Ok(match &column.source {
            ColumnSource::Aggregate { aggregate, .. } => match aggregate {
                Aggregate::Count => ValueType::Integer,
                Aggregate::First | Aggregate::Last => time(),
                Aggregate::Sum(_) => number(),
            },
            ColumnSource::Related(related) => match related.figure {
                Figure::Count | Figure::CountDays => ValueType::Integer,
                Figure::First | Figure::Last => time(),
                Figure::Sum(_) => number(),
                // A mean of whole numbers is a number.
                Figure::Mean(_) => match number() {
                    ValueType::Integer => ValueType::Number,
                    found => found,
                },
                Figure::Min(_) | Figure::Max(_) => {
                    let dated = forms().find(|form| matches!(form, ValueType::Date | ValueType::Time));
                    dated.unwrap_or_else(number)
                }
                Figure::Values(_) => ValueType::MultiChoice,
            },
            ColumnSource::Field(_)
            | ColumnSource::Chosen(_)
            | ColumnSource::Published(_)
            | ColumnSource::Configured(_)
            | ColumnSource::Through { .. } => {
                let texts = cells.iter().any(|cell| cell.is_string());
                let form = forms().find(|form| *form == ValueType::Number).or_else(|| forms().next());
                form.ok_or_else(|| {
                    let why = if texts { "its texts do not say" } else { "there is no value to see" };
                    format!(
                        "{why} what type the column has: add it to the case's `types`, for example \
                         `\"types\": {{\"{}\": \"choice\"}}`",
                        column.name
                    )
                })?
            }
        })
    }
}

/// Rows, whichever way they are written.
fn rows(place: &str, json: &Json) -> Result<Vec<Map<String, Json>>, Problem> {
    let wrong = |reason: &str| (place.to_owned(), reason.to_owned());
    match json {
        Json::Array(rows) => rows
            .iter()
            .enumerate()
            .map(|(row, json)| {
                let object = json.as_object().cloned();
                object.ok_or_else(|| (format!("{place}[{row}]"), "a row is an object".to_owned()))
            })
            .collect(),
        Json::Object(columns) => {
            let mut rows: Vec<Map<String, Json>> = Vec::new();
            let length = columns.values().find_map(Json::as_array).map_or(0, Vec::len);
            rows.resize_with(length, Map::new);
            for (name, values) in columns {
                let values = values.as_array().filter(|values| values.len() == length).ok_or_else(|| {
                    (format!("{place}.{name}"), format!("columns are lists of one length, here {length}"))
                })?;
                for (row, value) in rows.iter_mut().zip(values) {
                    row.insert(name.clone(), value.clone());
                }
            }
            Ok(rows)
        }
        _ => Err(wrong("rows are a list of objects, or an object of lists")),
    }
}

/// The rows' ordinals: those that are given, else 1, 2, 3…
fn ordinals(place: &str, rows: &[Map<String, Json>]) -> Result<Vec<u64>, Problem> {
    let mut ordinals = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let previous = ordinals.last().copied();
        let at = || format!("{place}[{number}].{ORDINAL}");
        let ordinal = match row.get(ORDINAL) {
            None => previous.map_or(1, |previous: u64| previous.saturating_add(1)),
            Some(json) => json.as_u64().ok_or_else(|| (at(), format!("{json} is no ordinal")))?,
        };
        if previous.is_some_and(|previous| previous >= ordinal) {
            return Err((at(), "ordinals ascend".to_owned()));
        }
        ordinals.push(ordinal);
    }
    Ok(ordinals)
}

fn cells<'a>(rows: &'a [Map<String, Json>], name: &str) -> Vec<&'a Json> {
    rows.iter().map(|row| row.get(name).unwrap_or(&Json::Null)).collect()
}
