//! What a manifest declares, as columns can give it.

use serde_json::Value as Json;
use trellis_columns::{
    Aggregate, AsOf, ColumnSource, DatasetColumn, DatasetSpec, Figure, Related, RowsColumn, RowsSource,
    RowsSpec, Window,
};
use trellis_model::{Filter, Text, bilingual};
use trellis_plugin_host::{
    Manifest, Plugin,
    manifest::{self, DatasetKind},
};
use trellis_records::Schema;

use super::datasets::Spec;
use crate::{
    Error, Result,
    core::Core,
    plugins::{Enabled, Grants, Hidden, check_grants_of_columns},
};

/// What a plugin reads under a configuration, which may name columns.
pub(crate) fn configured(manifest: &Manifest, config: &str) -> Result<Manifest> {
    let config = serde_json::from_str(config).map_err(|error| Error::Damaged {
        what: format!("configuration of plugin `{}`: {error}", manifest.id),
    })?;
    Ok(manifest.configured(&config))
}

/// The rows of customers that a plugin reads under a configuration.
pub(crate) fn dataset(manifest: &Manifest, config: &str) -> Result<DatasetSpec> {
    customers(&configured(manifest, config)?).map(spec)
}

/// The rows of customers that a plugin reads as it is used now: what was withheld of them is null.
pub(crate) fn granted(core: &Core, manifest: &Manifest, config: &str) -> Result<DatasetSpec> {
    let manifest = configured(manifest, config)?;
    let (hidden, grants) = core.registry.withheld(&manifest.id, &manifest);
    withheld(customers(&manifest)?, &hidden, &grants)
}

/// The rows of customers that a plugin would read under a configuration if it were used so: what would be withheld of them is null.
pub(crate) fn granted_to(enabled: &Enabled, config: &str, schema: &Schema) -> Result<DatasetSpec> {
    granted_by(enabled.manifest(), config, schema, &enabled.grants)
}

/// The rows of customers that a version would read with what is granted: what would be withheld of them is null.
pub(super) fn granted_by(
    manifest: &Manifest,
    config: &str,
    schema: &Schema,
    grants: &Grants,
) -> Result<DatasetSpec> {
    let manifest = configured(manifest, config)?;
    withheld(customers(&manifest)?, &Hidden::of(&manifest, schema, grants), grants)
}

/// Checks that a configuration for one occasion names no columns beyond what was granted.
///
/// # Errors
/// [`Error::GrantsNeeded`].
pub(crate) fn check_chosen(core: &Core, plugin: &Plugin, config: &Json) -> Result<()> {
    let manifest = plugin.manifest().configured(config);
    let (hidden, grants) = core.registry.withheld(&manifest.id, &manifest);
    check_grants_of_columns(&manifest, plugin.version(), &hidden, &grants)
}

/// Checks that what a manifest, completed by a configuration, reads is known up to a date: nobody knows what a score or segmentation was on a
/// past day, and a column without a value would train a model on nothing.
///
/// # Errors
/// Names the score or segmentation.
pub(crate) fn check_known_as_of(manifest: &Manifest, as_of: AsOf) -> Result<(), Text> {
    match (as_of, manifest.reads_published().first()) {
        (AsOf::Date(date), Some(published)) => Err(bilingual!(
            "it reads `{published}`, which is known as it is now and not as it was on {date}: use it as of now, or take that out of its \
             settings",
            "它读取 `{published}`，该结果只有当前值，没有 {date} 的值：请改为按当前数据使用，或在设置中去掉该项"
        )),
        _ => Ok(()),
    }
}

/// Checks that a plugin with a configuration reads nothing of which a past day is not known.
///
/// # Errors
/// [`Error::CannotRun`].
pub(super) fn check_as_of(plugin: &Plugin, config: &str, as_of: AsOf) -> Result<()> {
    let manifest = configured(plugin.manifest(), config)?;
    check_known_as_of(&manifest, as_of)
        .map_err(|reason| Error::CannotRun { plugin: plugin.id().clone(), reason })
}

/// Checks that what a configuration chose to be learned from is shown to the plugin: a model of an empty column would say that it does not
/// matter. What follows the data with a model goes on without it.
///
/// # Errors
/// [`Error::CannotRun`] with the setting and the field.
pub(crate) fn check_learnable(core: &Core, plugin: &Plugin, config: &str) -> Result<()> {
    let completed = configured(plugin.manifest(), config)?;
    let (hidden, grants) = core.registry.withheld(&completed.id, &completed);
    for (declared, dataset) in plugin.manifest().datasets.iter().zip(&completed.datasets) {
        for column in &dataset.columns {
            let Some(setting) = declared.setting_of(&column.name) else { continue };
            let (name, is_hidden) = match (column.chosen(), column.published()) {
                (Some(field), _) => {
                    (format!("{}.{field}", dataset.object), hidden.hides(&dataset.object, field))
                }
                (None, Some(published)) => (published.to_string(), hidden.hides_result(published)),
                (None, None) => continue,
            };
            if is_hidden || !grants.allow(&dataset.grant_of_column(column)) {
                let plugin = completed.id.clone();
                return Err(Error::CannotRun { plugin, reason: unlearnable(&name, setting) });
            }
        }
    }
    Ok(())
}

fn unlearnable(name: &str, setting: &str) -> Text {
    bilingual!(
        "it would learn from `{name}`, which setting `{setting}` names and which it may not see: grant it, or take it out of the setting",
        "它将从设置 `{setting}` 所选的 `{name}` 学习，但无权查看：请授予权限，或从该设置中移除"
    )
}

fn customers(manifest: &Manifest) -> Result<&manifest::Dataset> {
    manifest.customers().ok_or_else(|| Error::CannotRun {
        plugin: manifest.id.clone(),
        reason: Text::new(
            "its manifest declares no dataset of kind `per-customer`",
            "其清单未声明 `per-customer` 类型的数据集",
        ),
    })
}

fn withheld(declared: &manifest::Dataset, hidden: &Hidden, grants: &Grants) -> Result<DatasetSpec> {
    let mut spec = spec(declared);
    for (column, declared_column) in spec.columns.iter_mut().zip(&declared.columns) {
        let (object, fields) = declared_column.source.reads(&declared.object);
        let is_hidden = fields.iter().any(|field| hidden.hides(object, field))
            || hidden.hides_beyond(&declared.object, &declared_column.source)
            || declared_column.published().is_some_and(|published| hidden.hides_result(published));
        if is_hidden || !grants.allow(&declared.grant_of_column(declared_column)) {
            column.source = ColumnSource::Withheld(Box::new(column.source.clone()));
        }
    }
    Ok(spec)
}

/// What the dataset of `candidate` has that a run of `recorded` did not read, or read from elsewhere; each with its configuration.
pub(crate) fn not_recorded(recorded: (&Manifest, &str), candidate: (&Manifest, &str)) -> Result<Vec<String>> {
    let (recorded_by, read_by) = (recorded, candidate);
    let (recorded, candidate) = (dataset(recorded.0, recorded.1)?, dataset(candidate.0, candidate.1)?);
    if recorded.object != candidate.object {
        return Ok(vec![format!("rows of `{}`", candidate.object)]);
    }
    let is_there = |column: &DatasetColumn| recorded.columns.contains(column);
    let missing = candidate.columns.iter().filter(|column| !is_there(column));
    let mut missing: Vec<String> = missing.map(|column| format!("`{}`", column.name)).collect();
    missing.extend(rows_not_recorded(recorded_by, read_by)?);
    Ok(missing)
}

/// The same of further datasets: rows that are others, or columns that are.
fn rows_not_recorded(recorded: (&Manifest, &str), candidate: (&Manifest, &str)) -> Result<Vec<String>> {
    let (hidden, grants) = (Hidden::default(), Grants::default());
    let recorded = rows_of(&configured(recorded.0, recorded.1)?, &hidden, &grants);
    let mut missing = Vec::new();
    for (name, wanted) in rows_of(&configured(candidate.0, candidate.1)?, &hidden, &grants) {
        let rows = |spec: &RowsSpec| RowsSpec { columns: Vec::new(), ..spec.clone() };
        let found = recorded.iter().find(|(known, spec)| *known == name && rows(spec) == rows(&wanted));
        match found {
            None => missing.push(format!("`{name}`")),
            Some((_, spec)) => {
                let others = wanted.columns.iter().filter(|column| !spec.columns.contains(column));
                missing.extend(others.map(|column| format!("`{name}.{}`", column.name)));
            }
        }
    }
    Ok(missing)
}

/// The datasets of rows that a plugin declares, by name: what was withheld of them is null, see [`rows`].
pub(crate) fn rows_granted(
    core: &Core,
    manifest: &Manifest,
    config: &str,
) -> Result<Vec<(String, RowsSpec)>> {
    let manifest = configured(manifest, config)?;
    let (hidden, grants) = core.registry.withheld(&manifest.id, &manifest);
    Ok(rows_of(&manifest, &hidden, &grants))
}

/// As [`rows_granted`], of a plugin as it would be used.
pub(crate) fn rows_granted_to(
    enabled: &Enabled,
    config: &str,
    schema: &Schema,
) -> Result<Vec<(String, RowsSpec)>> {
    let manifest = configured(enabled.manifest(), config)?;
    let hidden = Hidden::of(&manifest, schema, &enabled.grants);
    Ok(rows_of(&manifest, &hidden, &enabled.grants))
}

/// Every dataset that a plugin declares, by name, withheld as the plugin is used now.
pub(crate) fn all_granted(core: &Core, manifest: &Manifest, config: &str) -> Result<Vec<(String, Spec)>> {
    let manifest = configured(manifest, config)?;
    let (hidden, grants) = core.registry.withheld(&manifest.id, &manifest);
    all(&manifest, &hidden, &grants)
}

/// Every dataset that a completed manifest declares, by name, without what is hidden or not granted.
pub(super) fn all(manifest: &Manifest, hidden: &Hidden, grants: &Grants) -> Result<Vec<(String, Spec)>> {
    let of = |declared: &manifest::Dataset| {
        let spec = match declared.kind {
            DatasetKind::PerCustomer => Spec::Customers(withheld(declared, hidden, grants)?),
            DatasetKind::Rows => Spec::Rows(rows(declared, hidden, grants)),
        };
        Ok((declared.name.clone(), spec))
    };
    manifest.datasets.iter().map(of).collect()
}

/// The names of the datasets of rows that a plugin declares, each with those of its columns.
pub(crate) fn rows_columns(manifest: &Manifest, config: &str) -> Result<Vec<(String, Vec<String>)>> {
    let manifest = configured(manifest, config)?;
    let declared = manifest.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Rows);
    let columns =
        |dataset: &manifest::Dataset| dataset.columns.iter().map(|column| column.name.clone()).collect();
    Ok(declared.map(|dataset| (dataset.name.clone(), columns(dataset))).collect())
}

fn rows_of(manifest: &Manifest, hidden: &Hidden, grants: &Grants) -> Vec<(String, RowsSpec)> {
    let declared = manifest.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Rows);
    declared.map(|dataset| (dataset.name.clone(), rows(dataset, hidden, grants))).collect()
}

/// A dataset of rows: a column that is withheld is null; where what decides which rows there are is withheld, there are none.
fn rows(declared: &manifest::Dataset, hidden: &Hidden, grants: &Grants) -> RowsSpec {
    let object = &declared.object;
    let column = |column: &manifest::DatasetColumn| {
        let (of, fields) = column.source.reads(object);
        let is_hidden =
            fields.iter().any(|field| hidden.hides(of, field)) || hidden.hides_beyond(object, &column.source);
        let source = match &column.source {
            manifest::ColumnSource::Through { references, field } => {
                RowsSource::Through { references: references.clone(), field: field.clone() }
            }
            source => RowsSource::Field(
                source.reads(object).1.first().map(|field| (*field).clone()).expect("rows have fields only"),
            ),
        };
        let withheld = is_hidden || !grants.allow(&declared.grant_of_column(column));
        RowsColumn { name: column.name.clone(), source, withheld }
    };
    let decided = declared.decided_by();
    let is_decided_by_hidden = decided.iter().any(|field| hidden.hides(object, field))
        || declared.filters_through().into_iter().any(|path| hidden.hides_path(object, path))
        || !decided.is_empty() && !grants.allow(&declared.grant_of(object));
    RowsSpec {
        object: object.clone(),
        filter: if is_decided_by_hidden { Filter::Or(Vec::new()) } else { declared.filter.clone() },
        order_by: declared.order_by.clone(),
        time: declared.time.clone(),
        columns: declared.columns.iter().map(column).collect(),
    }
}

fn spec(dataset: &manifest::Dataset) -> DatasetSpec {
    DatasetSpec { object: dataset.object.clone(), columns: dataset.columns.iter().map(column).collect() }
}

fn column(column: &manifest::DatasetColumn) -> DatasetColumn {
    let source = match &column.source {
        manifest::ColumnSource::Field(field) => ColumnSource::Field(field.clone()),
        manifest::ColumnSource::Chosen(field) => ColumnSource::CodedField(field.clone()),
        manifest::ColumnSource::Published(published) => ColumnSource::Published(published.clone()),
        manifest::ColumnSource::Through { .. } | manifest::ColumnSource::Configured(_) => {
            unreachable!(
                "a manifest has the one in datasets of rows only, and the other before it is configured"
            )
        }
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
        manifest::ColumnSource::Related(declared) => ColumnSource::Related(Box::new(related(declared))),
    };
    DatasetColumn { name: column.name.clone(), source }
}

fn related(declared: &manifest::Related) -> Related {
    Related {
        object: declared.object.clone(),
        by: declared.by.clone(),
        filter: declared.filter.clone(),
        time: declared.time.clone(),
        window: Window {
            within_days: declared.within_days.as_ref().and_then(days),
            until_days_ago: declared.until_days_ago.as_ref().and_then(days).unwrap_or(0),
        },
        repeat: declared.repeat,
        figure: match &declared.figure {
            manifest::Figure::Count => Figure::Count,
            manifest::Figure::CountDays => Figure::CountDays,
            manifest::Figure::First => Figure::First,
            manifest::Figure::Last => Figure::Last,
            manifest::Figure::Sum(field) => Figure::Sum(field.clone()),
            manifest::Figure::Min(field) => Figure::Min(field.clone()),
            manifest::Figure::Max(field) => Figure::Max(field.clone()),
            manifest::Figure::Mean(field) => Figure::Mean(field.clone()),
            manifest::Figure::Values(field) => Figure::Values(field.clone()),
        },
    }
}

/// The number of days as the configuration completed it.
fn days(days: &manifest::Days) -> Option<u32> {
    match days {
        manifest::Days::Of(days) => Some(*days),
        manifest::Days::Setting(_) => None,
    }
}
