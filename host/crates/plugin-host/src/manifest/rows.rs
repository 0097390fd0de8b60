//! What only datasets of rows have: an order, a filter, a time, and fields of the records that their references point at.

use trellis_model::{FieldName, Filter};

use super::parse::{Parse, field_name, problem, unique};
use super::{ColumnSource, Dataset, DatasetKind};

/// References that a column may follow, one after the other.
const REFERENCES_MAX: usize = 2;

/// A field of the dataset's object, `product.name` of what a reference points at, or `owner.manager.name` of what a reference of that does.
pub(super) fn field(key: &str, text: &str) -> Parse<ColumnSource> {
    let names = text.split('.').map(|name| field_name(key, name)).collect::<Parse<Vec<_>>>()?;
    let Some((field, references)) = names.split_last().filter(|(_, before)| before.len() <= REFERENCES_MAX)
    else {
        return Err(problem(key, format!("`{text}` follows more than {REFERENCES_MAX} references")));
    };
    let (references, field) = (references.to_vec(), field.clone());
    Ok(if references.is_empty() {
        ColumnSource::Field(field)
    } else {
        ColumnSource::Through { references, field }
    })
}

pub(super) fn order_by(key: &str, names: Vec<String>) -> Parse<Vec<FieldName>> {
    let key = format!("{key}.order-by");
    unique(&key, names.iter().map(String::as_str))?;
    names.iter().map(|name| field_name(&key, name)).collect()
}

/// Each kind of dataset has keys and columns of its own.
pub(super) fn check(key: &str, dataset: &Dataset) -> Parse<()> {
    match dataset.kind {
        DatasetKind::PerCustomer => check_customers(key, dataset),
        DatasetKind::Rows => check_rows(key, dataset),
    }
}

fn check_customers(key: &str, dataset: &Dataset) -> Parse<()> {
    let of_rows = [
        ("where", dataset.filter != Filter::everything()),
        ("order-by", !dataset.order_by.is_empty()),
        ("time", dataset.time.is_some()),
    ];
    if let Some((name, _)) = of_rows.into_iter().find(|(_, there)| *there) {
        return Err(problem(&format!("{key}.{name}"), "belongs to datasets of kind `rows`"));
    }
    let through = |source: &ColumnSource| matches!(source, ColumnSource::Through { .. });
    match dataset.columns.iter().find(|column| through(&column.source)) {
        None => Ok(()),
        Some(column) => Err(problem(
            &format!("{key}.columns"),
            format!("`{}`: fields beyond a reference belong to datasets of kind `rows`", column.name),
        )),
    }
}

fn check_rows(key: &str, dataset: &Dataset) -> Parse<()> {
    let is_field = |source: &ColumnSource| {
        matches!(source, ColumnSource::Field(_) | ColumnSource::Through { .. } | ColumnSource::Configured(_))
    };
    if let Some(column) = dataset.columns.iter().find(|column| !is_field(&column.source)) {
        return Err(problem(
            &format!("{key}.columns"),
            format!(
                "`{}`: figures over child records belong to datasets of kind `per-customer`",
                column.name
            ),
        ));
    }
    check_filter(&format!("{key}.where"), &dataset.filter)
}

/// A filter reaches no further than a column does, so that what it reads can be said and granted.
fn check_filter(key: &str, filter: &Filter) -> Parse<()> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().try_for_each(|part| check_filter(key, part)),
        Filter::Not(part) => check_filter(key, part),
        Filter::Compare { path, .. } if path.0.len() <= 2 => Ok(()),
        Filter::Compare { path, .. } => {
            Err(problem(key, format!("`{path}` is more than one reference away")))
        }
        Filter::Related(_) => Err(problem(key, "compares fields of the rows and of what they refer to only")),
    }
}
