//! What a manifest declares, as columns can give it.

use trellis_columns::{Aggregate, ColumnSource, DatasetColumn, DatasetSpec};
use trellis_plugin_host::{
    Manifest,
    manifest::{self, DatasetKind},
};

use crate::{
    Error, Result,
    core::Core,
    plugins::{Enabled, Grants, Hidden},
};

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

/// The rows that a plugin reads as it is used now: what was withheld of them is null.
pub(crate) fn granted(core: &Core, manifest: &Manifest) -> Result<DatasetSpec> {
    let (hidden, grants) = core.registry.withheld(&manifest.id, manifest);
    withheld(manifest, &hidden, &grants)
}

/// The rows that a plugin would read if it were used so: what would be withheld of them is null.
pub(crate) fn granted_to(enabled: &Enabled) -> Result<DatasetSpec> {
    withheld(enabled.manifest(), &enabled.hidden, &enabled.grants)
}

fn withheld(manifest: &Manifest, hidden: &Hidden, grants: &Grants) -> Result<DatasetSpec> {
    let mut spec = dataset(manifest)?;
    let declared = manifest.datasets.iter().find(|dataset| dataset.kind == DatasetKind::PerCustomer);
    let Some(declared) = declared else { return Ok(spec) };
    for (column, declared_column) in spec.columns.iter_mut().zip(&declared.columns) {
        let (object, fields) = declared_column.source.reads(&declared.object);
        let is_hidden = fields.iter().any(|field| hidden.hides(object, field))
            || declared_column.source.reads_beyond().iter().any(|field| hidden.hides_somewhere(field));
        if is_hidden || !grants.allow(&declared.grant_of(object)) {
            column.source = ColumnSource::Withheld(Box::new(column.source.clone()));
        }
    }
    Ok(spec)
}

/// What the dataset of `candidate` has that a run of `recorded` did not read, or read from elsewhere.
pub(crate) fn not_recorded(recorded: &Manifest, candidate: &Manifest) -> Result<Vec<String>> {
    let (recorded, candidate) = (dataset(recorded)?, dataset(candidate)?);
    if recorded.object != candidate.object {
        return Ok(vec![format!("rows of `{}`", candidate.object)]);
    }
    let is_there = |column: &DatasetColumn| recorded.columns.contains(column);
    let missing = candidate.columns.iter().filter(|column| !is_there(column));
    Ok(missing.map(|column| format!("`{}`", column.name)).collect())
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
