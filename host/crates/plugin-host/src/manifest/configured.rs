//! Columns of which the configuration says what they are: `fields-from` names a setting that is a list of fields, `field-from` one that is
//! a field. The schema of the configuration says of which object (`x-field-of`), so that a form can offer its fields.

use serde_json::Value as Json;
use trellis_model::{FieldName, Text, bilingual};

use super::parse::{Parse, problem};
use super::{ColumnSource, ConfigProblem, ConfigSchema, Dataset, DatasetColumn, Manifest};

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

/// Every setting that names columns is declared, and names fields of the object whose columns they are.
pub(super) fn check(datasets: &[Dataset], config: &ConfigSchema) -> Parse<()> {
    for (dataset, column) in
        datasets.iter().flat_map(|dataset| dataset.columns.iter().map(move |column| (dataset, column)))
    {
        let ColumnSource::Configured(configured) = &column.source else { continue };
        let Configured { setting, many } = configured;
        let key = if *many { "fields-from" } else { "field-from" };
        let place = format!("datasets.{}.columns.{}.{key}", dataset.name, column.name);
        let declared = config.as_json().pointer("/properties").and_then(|settings| settings.get(setting));
        let declared =
            declared.ok_or_else(|| problem(&place, format!("`[config]` has no setting `{setting}`")))?;
        let names = match many {
            true => declared.get("items"),
            false => Some(declared),
        };
        let of = names.and_then(|names| names.get("x-field-of")).and_then(Json::as_str);
        if of != Some(dataset.object.as_str()) {
            let what = if *many { "a list whose items have" } else { "a text with" };
            return Err(problem(
                &place,
                format!("the setting `{setting}` is not {what} `x-field-of = \"{}\"`", dataset.object),
            ));
        }
    }
    Ok(())
}

impl Manifest {
    /// The manifest as a configuration completes it: each column that the configuration names is there, and what it does not name is not;
    /// days that it says are so many.
    #[must_use]
    pub fn configured(&self, config: &Json) -> Self {
        Self {
            datasets: self.datasets.iter().map(|dataset| dataset.configured(config)).collect(),
            ..self.clone()
        }
    }

    /// What is wrong with the columns that a configuration names: a field twice, too many of them.
    pub fn column_problems(&self, config: &Json) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        for dataset in &self.datasets {
            for column in &dataset.columns {
                let ColumnSource::Configured(configured) = &column.source else { continue };
                problems.extend(configured.problem(config));
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
        let column = |field: FieldName| {
            let name = if configured.many { format!("{}.{field}", self.name) } else { self.name.clone() };
            Self { name, source: ColumnSource::Chosen(field) }
        };
        configured.fields(config).map(column).collect()
    }
}

impl Configured {
    /// The fields that a configuration names. What is no name was refused when the configuration was set.
    fn fields<'a>(&'a self, config: &'a Json) -> impl Iterator<Item = FieldName> + 'a {
        self.texts(config).filter_map(|name| FieldName::new(name).ok())
    }

    fn texts<'a>(&self, config: &'a Json) -> impl Iterator<Item = &'a str> + use<'a> {
        let named = config.get(&self.setting);
        let (one, many) = (named.and_then(Json::as_str), named.and_then(Json::as_array));
        many.into_iter().flatten().filter_map(Json::as_str).chain(one)
    }

    fn problem(&self, config: &Json) -> Option<ConfigProblem> {
        let names: Vec<&str> = self.texts(config).collect();
        let wrong = |reason: Text| Some(ConfigProblem { setting: self.setting.clone(), reason });
        if names.len() > CONFIGURED_COLUMNS_MAX {
            let count = names.len();
            return wrong(bilingual!(
                "names {count} fields, at most {CONFIGURED_COLUMNS_MAX}",
                "选了 {count} 个字段，最多 {CONFIGURED_COLUMNS_MAX} 个"
            ));
        }
        if let Some(name) = names.iter().find(|name| FieldName::new(name).is_err()) {
            return wrong(bilingual!("`{name}` is no name of a field", "`{name}` 不是字段名"));
        }
        let twice = names
            .iter()
            .enumerate()
            .find(|(place, name)| names.iter().take(*place).any(|other| other == *name));
        twice.and_then(|(_, name)| wrong(bilingual!("names `{name}` twice", "重复选择了 `{name}`")))
    }
}
