//! Columns of which the configuration says what they are: `fields-from` names a setting that is a list of fields, `field-from` one that is
//! a field. The schema of the configuration says of which object (`x-field-of`), so that a form can offer its fields; with `x-published` it
//! offers the scores and segmentations over that object as well.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use trellis_model::{FieldName, Published, Text, bilingual};

use super::parse::{Parse, problem};
use super::{ColumnSource, ConfigProblem, ConfigSchema, Dataset, DatasetColumn, DatasetKind, Manifest};

/// Columns that a dataset has once the configuration has named them.
pub const CONFIGURED_COLUMNS_MAX: usize = 500;

/// Fields that a setting names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// The setting, at the top of the configuration.
    pub setting: String,
    /// Whether it names several: their columns are called `<column>.<field>`. Else there is at most one, called as the column is.
    pub many: bool,
}

/// The source of a column of which the configuration says what it is; `None` where the manifest says it.
pub(super) fn source(
    key: &str,
    fields_from: Option<&str>,
    field_from: Option<&str>,
    names_a_source: bool,
) -> Parse<Option<ColumnSource>> {
    let (setting, many) = match (fields_from, field_from) {
        (None, None) => return Ok(None),
        (Some(setting), None) => (setting, true),
        (None, Some(setting)) => (setting, false),
        (Some(_), Some(_)) => return Err(problem(key, "has both `fields-from` and `field-from`")),
    };
    if names_a_source {
        return Err(problem(key, "has `fields-from` or `field-from`, and says besides what it comes from"));
    }
    Ok(Some(ColumnSource::Configured(Configured { setting: setting.to_owned(), many })))
}

/// The keyword of settings that may name a score, a band or a segmentation instead of a field.
const PUBLISHED: &str = "x-published";

/// Every setting that names columns is declared, and names fields of the object whose columns they are; every other names no results.
pub(super) fn check(datasets: &[Dataset], config: &ConfigSchema) -> Parse<()> {
    for (dataset, column) in
        datasets.iter().flat_map(|dataset| dataset.columns.iter().map(move |column| (dataset, column)))
    {
        let ColumnSource::Configured(configured) = &column.source else { continue };
        let Configured { setting, many } = configured;
        let key = if *many { "fields-from" } else { "field-from" };
        let place = format!("datasets.{}.columns.{}.{key}", dataset.name, column.name);
        let declared = setting_of(config, setting);
        let declared =
            declared.ok_or_else(|| problem(&place, format!("`[config]` has no setting `{setting}`")))?;
        let names = configured.names(declared);
        if dataset.kind == DatasetKind::Rows && names.is_some_and(offers_published) {
            let reason = format!("`{PUBLISHED}` of `{setting}` belongs to datasets of kind `per-customer`");
            return Err(problem(&place, reason));
        }
        let of = names.and_then(|names| names.get("x-field-of")).and_then(Json::as_str);
        if of != Some(dataset.object.as_str()) {
            let what = if *many { "a list whose items have" } else { "a text with" };
            return Err(problem(
                &place,
                format!("the setting `{setting}` is not {what} `x-field-of = \"{}\"`", dataset.object),
            ));
        }
    }
    let settings = config.as_json().get("properties").and_then(Json::as_object);
    for (name, declared) in settings.into_iter().flatten() {
        let offers = offers_published(declared) || declared.get("items").is_some_and(offers_published);
        if offers
            && !datasets.iter().flat_map(|dataset| &dataset.columns).any(|column| column.is_named_by(name))
        {
            let place = format!("config.properties.{name}.{PUBLISHED}");
            return Err(problem(
                &place,
                "is only for settings that `fields-from` or `field-from` of a column names",
            ));
        }
    }
    Ok(())
}

/// A setting at the top of a configuration.
fn setting_of<'a>(config: &'a ConfigSchema, setting: &str) -> Option<&'a Json> {
    config.as_json().get("properties")?.get(setting)
}

fn offers_published(names: &Json) -> bool {
    names.get(PUBLISHED) == Some(&Json::Bool(true))
}

impl Manifest {
    /// The scores, bands and segmentations that the manifest, completed by a configuration, reads.
    pub fn reads_published(&self) -> BTreeSet<&Published> {
        self.datasets
            .iter()
            .flat_map(|dataset| &dataset.columns)
            .filter_map(DatasetColumn::published)
            .collect()
    }

    /// The manifest as a configuration completes it: each column that the configuration names is there, and what it does not name is not;
    /// days that it says are so many.
    #[must_use]
    pub fn configured(&self, config: &Json) -> Self {
        Self {
            datasets: self.datasets.iter().map(|dataset| dataset.configured(config)).collect(),
            ..self.clone()
        }
    }

    /// What is wrong with the columns that a configuration names: a field twice in one setting, or too many
    /// of them, in one setting or in all of a dataset.
    pub fn column_problems(&self, config: &Json) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        for dataset in &self.datasets {
            for column in &dataset.columns {
                let ColumnSource::Configured(configured) = &column.source else { continue };
                let offers = setting_of(&self.config, &configured.setting)
                    .and_then(|declared| configured.names(declared))
                    .is_some_and(offers_published);
                problems.extend(configured.problem(config, offers));
            }
            if problems.is_empty() {
                problems.extend(dataset.too_many(config));
            }
        }
        problems
    }
}

impl Dataset {
    /// See [`Manifest::configured`].
    #[must_use]
    pub fn configured(&self, config: &Json) -> Self {
        let columns = self.columns.iter().flat_map(|column| column.configured(config)).collect();
        Self { columns, ..self.clone() }
    }
}

impl Dataset {
    /// What is wrong with how many fields the settings of a dataset name together. One field may be named by several: what decides a group
    /// may be evidence too.
    fn too_many(&self, config: &Json) -> Option<ConfigProblem> {
        let mut count = 0;
        for column in &self.columns {
            let ColumnSource::Configured(configured) = &column.source else { continue };
            count += configured.texts(config).count();
            if count > CONFIGURED_COLUMNS_MAX {
                let reason = bilingual!(
                    "names fields that are {count} together with those of other settings, at most {CONFIGURED_COLUMNS_MAX}",
                    "与其他设置共选了 {count} 个字段，最多 {CONFIGURED_COLUMNS_MAX} 个"
                );
                return Some(ConfigProblem { setting: configured.setting.clone(), reason });
            }
        }
        None
    }

    /// The setting that named a column of this dataset as a configuration completes it.
    pub fn setting_of(&self, column: &str) -> Option<&str> {
        self.columns.iter().find_map(|declared| {
            let ColumnSource::Configured(configured) = &declared.source else { return None };
            let rest = column.strip_prefix(declared.name.as_str())?;
            let is_its = if configured.many { rest.starts_with('.') } else { rest.is_empty() };
            is_its.then_some(configured.setting.as_str())
        })
    }
}

impl DatasetColumn {
    fn configured(&self, config: &Json) -> Vec<Self> {
        let configured = match &self.source {
            ColumnSource::Configured(configured) => configured,
            ColumnSource::Related(related) => {
                let source = ColumnSource::Related(Box::new(related.configured(config)));
                return vec![Self { source, ..self.clone() }];
            }
            _ => return vec![self.clone()],
        };
        let column = |named: &str| {
            let source = match Published::parse(named) {
                Some(published) => ColumnSource::Published(published),
                None => ColumnSource::Chosen(FieldName::new(named).ok()?),
            };
            let name = if configured.many { format!("{}.{named}", self.name) } else { self.name.clone() };
            Some(Self { name, source })
        };
        // What is no name was refused when the configuration was set.
        configured.texts(config).filter_map(column).collect()
    }

    fn is_named_by(&self, setting: &str) -> bool {
        matches!(&self.source, ColumnSource::Configured(configured) if configured.setting == setting)
    }

    /// The score, band or segmentation that it holds, if it does.
    pub fn published(&self) -> Option<&Published> {
        match &self.source {
            ColumnSource::Published(published) => Some(published),
            _ => None,
        }
    }
}

impl Configured {
    /// What the schema of its setting says about each name.
    fn names<'a>(&self, declared: &'a Json) -> Option<&'a Json> {
        match self.many {
            true => declared.get("items"),
            false => Some(declared),
        }
    }

    fn texts<'a>(&self, config: &'a Json) -> impl Iterator<Item = &'a str> + use<'a> {
        let named = config.get(&self.setting);
        let (one, many) = (named.and_then(Json::as_str), named.and_then(Json::as_array));
        many.into_iter().flatten().filter_map(Json::as_str).chain(one)
    }

    fn problem(&self, config: &Json, offers_published: bool) -> Option<ConfigProblem> {
        let names: Vec<&str> = self.texts(config).collect();
        let wrong = |reason: Text| Some(ConfigProblem { setting: self.setting.clone(), reason });
        if names.len() > CONFIGURED_COLUMNS_MAX {
            let count = names.len();
            return wrong(bilingual!(
                "names {count} fields, at most {CONFIGURED_COLUMNS_MAX}",
                "选了 {count} 个字段，最多 {CONFIGURED_COLUMNS_MAX} 个"
            ));
        }
        let is_published = |name: &str| Published::parse(name).is_some();
        if let Some(name) = names.iter().find(|name| is_published(name)).filter(|_| !offers_published) {
            return wrong(bilingual!(
                "takes fields only, and `{name}` is a score or segmentation",
                "只能选择字段，而 `{name}` 是评分或分群"
            ));
        }
        if let Some(name) = names.iter().find(|name| FieldName::new(name).is_err() && !is_published(name)) {
            return wrong(bilingual!("`{name}` is no name of a field", "`{name}` 不是字段名"));
        }
        let twice = names
            .iter()
            .enumerate()
            .find(|(place, name)| names.iter().take(*place).any(|other| other == *name));
        twice.and_then(|(_, name)| wrong(bilingual!("names `{name}` twice", "重复选择了 `{name}`")))
    }
}
