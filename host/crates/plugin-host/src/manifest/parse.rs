//! From the text of `plugin.toml` to a checked [`Manifest`].

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use trellis_model::{FieldName, ObjectName, PluginId, Text};

use super::{
    Aggregate, ColumnSource, ConfigSchema, Dataset, DatasetColumn, DatasetKind, Interface, Manifest,
};
use crate::LimitClass;

/// Something wrong, and where.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) place: String,
    pub(super) reason: String,
}

type Parse<T> = Result<T, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawManifest {
    id: String,
    version: semver::Version,
    wit: semver::Version,
    industry: Option<String>,
    provides: Vec<String>,
    limit_class: Option<LimitClass>,
    name: RawText,
    #[serde(default)]
    description: RawText,
    #[serde(default)]
    datasets: Vec<RawDataset>,
    config: Option<serde_json::Value>,
    #[serde(default)]
    segmentation: RawSegmentation,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawText {
    en: String,
    #[serde(default, rename = "zh-CN")]
    zh_cn: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSegmentation {
    #[serde(default)]
    aliases: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDataset {
    name: String,
    kind: RawKind,
    object: String,
    columns: Vec<RawColumn>,
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
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawAggregate {
    Count,
    Sum,
    First,
    Last,
}

pub(super) fn parse(text: &str) -> Parse<Manifest> {
    let raw: RawManifest = toml::from_str(text).map_err(|error| syntax_problem(text, &error))?;
    let provides = interfaces(&raw.provides)?;
    let datasets = raw.datasets.into_iter().enumerate().map(dataset).collect::<Parse<Vec<_>>>()?;
    unique("datasets", datasets.iter().map(|dataset| dataset.name.as_str()))?;
    if provides.contains(&Interface::Segmentation) {
        check_segmentation_data(&datasets)?;
    }
    for (alias, output) in &raw.segmentation.aliases {
        check_name(&format!("segmentation.aliases.{alias}"), alias)?;
        check_name(&format!("segmentation.aliases.{alias}"), output)?;
    }
    if let Some(industry) = &raw.industry {
        check_name("industry", &industry.replace('-', "_"))?;
    }
    Ok(Manifest {
        id: PluginId::new(&raw.id).map_err(|error| problem("id", error))?,
        version: raw.version,
        wit: raw.wit,
        industry: raw.industry,
        provides,
        limit_class: batch_class(raw.limit_class)?,
        name: label("name", raw.name)?,
        description: Text::new(raw.description.en, raw.description.zh_cn),
        datasets,
        config: ConfigSchema::new(raw.config)
            .map_err(|(path, reason)| problem(&format!("config{path}"), reason))?,
        segmentation_aliases: raw.segmentation.aliases,
    })
}

/// The plugin as far as a broken manifest says it.
pub(super) fn plugin_for_messages(text: &str) -> String {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let key = |name| table.get(name).and_then(toml::Value::as_str);
    match (key("id"), key("version")) {
        (Some(id), Some(version)) => format!("plugin `{id}` {version}"),
        (Some(id), None) => format!("plugin `{id}` without a version"),
        _ => "an unnamed plugin".to_owned(),
    }
}

fn problem(key: &str, reason: impl std::fmt::Display) -> Problem {
    Problem { place: format!("`{key}`"), reason: reason.to_string() }
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|&byte| byte == b'\n').count() + 1;
    Problem { place: format!("line {line}"), reason: error.message().to_owned() }
}

fn label(key: &str, text: RawText) -> Parse<Text> {
    if text.en.is_empty() {
        return Err(problem(&format!("{key}.en"), "is empty"));
    }
    Ok(Text::new(text.en, text.zh_cn))
}

/// Whole runs are batches or, for plugins that need much memory, training.
fn batch_class(class: Option<LimitClass>) -> Parse<LimitClass> {
    match class.unwrap_or(LimitClass::Batch) {
        class @ (LimitClass::Batch | LimitClass::Training) => Ok(class),
        LimitClass::RecordHook | LimitClass::Call => {
            Err(problem("limit-class", "is neither `batch` nor `training`"))
        }
    }
}

fn interfaces(names: &[String]) -> Parse<Vec<Interface>> {
    let known = || Interface::ALL.map(Interface::name).join(", ");
    let find = |name: &String| {
        Interface::ALL.into_iter().find(|interface| interface.name() == name.as_str()).ok_or_else(|| {
            problem("provides", format!("`{name}` is no interface of this host, which knows {}", known()))
        })
    };
    if names.is_empty() {
        return Err(problem("provides", "names no interface"));
    }
    unique("provides", names.iter().map(String::as_str))?;
    names.iter().map(find).collect()
}

fn check_segmentation_data(datasets: &[Dataset]) -> Parse<()> {
    let count = datasets.iter().filter(|dataset| dataset.kind == DatasetKind::PerCustomer).count();
    if count == 1 && datasets.len() == 1 {
        return Ok(());
    }
    Err(problem(
        "datasets",
        "a plugin that provides segmentation reads exactly one dataset, of kind `per-customer`",
    ))
}

fn dataset((index, raw): (usize, RawDataset)) -> Parse<Dataset> {
    let key = format!("datasets[{index}]");
    check_name(&format!("{key}.name"), &raw.name)?;
    let kind = match raw.kind {
        RawKind::PerCustomer => DatasetKind::PerCustomer,
        RawKind::Rows => DatasetKind::Rows,
    };
    let object = ObjectName::new(&raw.object).map_err(|error| problem(&format!("{key}.object"), error))?;
    if raw.columns.is_empty() {
        return Err(problem(&format!("{key}.columns"), "there are none"));
    }
    let column = |(index, raw)| column(&format!("{key}.columns[{index}]"), raw);
    let columns = raw.columns.into_iter().enumerate().map(column).collect::<Parse<Vec<_>>>()?;
    unique(&format!("{key}.columns"), columns.iter().map(|column| column.name.as_str()))?;
    Ok(Dataset { name: raw.name, kind, object, columns })
}

fn column(key: &str, raw: RawColumn) -> Parse<DatasetColumn> {
    check_name(&format!("{key}.name"), &raw.name)?;
    let field_name = |part: &str, name: &str| {
        FieldName::new(name).map_err(|error| problem(&format!("{key}.{part}"), error))
    };
    let source = match (raw.from, raw.aggregate, raw.field, raw.time) {
        (None, None, Some(field), None) => ColumnSource::Field(field_name("field", &field)?),
        (Some(from), Some(aggregate), field, Some(time)) => ColumnSource::Aggregate {
            from: ObjectName::new(&from).map_err(|error| problem(&format!("{key}.from"), error))?,
            aggregate: match (aggregate, field) {
                (RawAggregate::Count, None) => Aggregate::Count,
                (RawAggregate::First, None) => Aggregate::First,
                (RawAggregate::Last, None) => Aggregate::Last,
                (RawAggregate::Sum, Some(field)) => Aggregate::Sum(field_name("field", &field)?),
                (RawAggregate::Sum, None) => return Err(problem(key, "`aggregate = \"sum\"` needs `field`")),
                _ => return Err(problem(key, "`field` belongs to `aggregate = \"sum\"` only")),
            },
            time: field_name("time", &time)?,
        },
        _ => {
            return Err(problem(
                key,
                "is either a field of the object (`field`) or an aggregate (`from`, `aggregate`, `time`)",
            ));
        }
    };
    Ok(DatasetColumn { name: raw.name, source })
}

fn check_name(key: &str, name: &str) -> Parse<()> {
    let mut characters = name.chars();
    let valid = name.len() <= 40
        && characters.next().is_some_and(|c| c.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if valid {
        Ok(())
    } else {
        Err(problem(key, format!("`{name}` is not of the form [a-z][a-z0-9_]*, at most 40 characters")))
    }
}

fn unique<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Parse<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(problem(key, format!("`{name}` is there twice")));
        }
    }
    Ok(())
}
