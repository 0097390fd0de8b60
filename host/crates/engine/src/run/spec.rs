//! What a manifest declares, as columns can give it.

use trellis_columns::{Aggregate, ColumnSource, DatasetColumn, DatasetSpec};
use trellis_plugin_host::{
    Manifest,
    manifest::{self, DatasetKind},
};

use crate::{Error, Result};

/// The rows that a plugin reads.
pub(crate) fn dataset(manifest: &Manifest) -> Result<DatasetSpec> {
    let cannot = |reason: &str| Error::CannotRun { plugin: manifest.id.clone(), reason: reason.to_owned() };
    let per_customer: Vec<_> =
        manifest.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::PerCustomer).collect();
    match per_customer.as_slice() {
        [dataset] => Ok(spec(dataset)),
        [] => Err(cannot("its manifest declares no dataset of kind `per-customer`")),
        _ => Err(cannot("its manifest declares several datasets of kind `per-customer`")),
    }
}

fn spec(dataset: &manifest::Dataset) -> DatasetSpec {
    DatasetSpec { object: dataset.object.clone(), columns: dataset.columns.iter().map(column).collect() }
}

fn column(column: &manifest::DatasetColumn) -> DatasetColumn {
    let source = match &column.source {
        manifest::ColumnSource::Field(field) => ColumnSource::Field(field.clone()),
        manifest::ColumnSource::Aggregate { from, aggregate, time } => ColumnSource::Aggregate {
            events: from.clone(),
            time: time.clone(),
            aggregate: match aggregate {
                manifest::Aggregate::Count => Aggregate::Count,
                manifest::Aggregate::Sum(field) => Aggregate::Sum(field.clone()),
                manifest::Aggregate::First => Aggregate::First,
                manifest::Aggregate::Last => Aggregate::Last,
            },
        },
        manifest::ColumnSource::RelatedCount { object, by, filter } => {
            ColumnSource::RelatedCount { object: object.clone(), by: by.clone(), filter: filter.clone() }
        }
    };
    DatasetColumn { name: column.name.clone(), source }
}
