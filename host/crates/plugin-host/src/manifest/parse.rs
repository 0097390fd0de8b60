//! From the text of `plugin.toml` to a checked [`Manifest`].

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use trellis_model::{FieldName, ObjectName, PluginId, Text};

use super::dataset::{Dataset, DatasetKind, RawDataset, dataset};
use super::schedule::{self, RawSchedule};
use super::uses::{
    self, RawAction, RawCampaignRules, RawLookup, RawOutputs, RawRecordHook, RawServiceWorkflow,
};
use super::{ConfigSchema, Interface, Manifest};
use super::{absent, configured, related};
use crate::{LimitClass, plain};

/// Datasets of a plugin.
const DATASETS_MAX: usize = 16;

/// Something wrong, and where.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) place: String,
    pub(super) reason: String,
}

pub(super) type Parse<T> = Result<T, Problem>;

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
    segmentation: RawOutputs,
    #[serde(default)]
    scoring: RawOutputs,
    #[serde(default)]
    lookups: Vec<RawLookup>,
    #[serde(default)]
    actions: Vec<RawAction>,
    service_workflow: Option<RawServiceWorkflow>,
    campaign_rules: Option<RawCampaignRules>,
    #[serde(default)]
    record_hook: Vec<RawRecordHook>,
    schedule: Option<RawSchedule>,
    #[serde(default)]
    absent: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawText {
    en: String,
    #[serde(default, rename = "zh-CN")]
    zh_cn: String,
}

pub(super) fn parse(text: &str) -> Parse<Manifest> {
    let raw: RawManifest = toml::from_str(text).map_err(|error| syntax_problem(text, &error))?;
    let provides = interfaces(&raw.provides)?;
    let datasets = raw.datasets.into_iter().enumerate().map(dataset).collect::<Parse<Vec<_>>>()?;
    unique("datasets", datasets.iter().map(|dataset| dataset.name.as_str()))?;
    check_datasets(&provides, &datasets)?;
    let config =
        ConfigSchema::new(raw.config).map_err(|(path, reason)| problem(&format!("config{path}"), reason))?;
    configured::check(&datasets, &config)?;
    related::check(&datasets, &config)?;
    check_models(&provides)?;
    check_aliases("segmentation", &raw.segmentation)?;
    check_aliases("scoring", &raw.scoring)?;
    check_table(&provides, Interface::ServiceWorkflow, raw.service_workflow.is_some(), true)?;
    check_table(&provides, Interface::CampaignRules, raw.campaign_rules.is_some(), false)?;
    check_table(&provides, Interface::RecordHook, !raw.record_hook.is_empty(), true)?;
    let campaign_rules = provides
        .contains(&Interface::CampaignRules)
        .then(|| uses::campaign_rules(raw.campaign_rules.unwrap_or_default()));
    if let Some(industry) = &raw.industry {
        check_name("industry", &industry.replace('-', "_"))?;
    }
    let schedule = raw.schedule.map(|raw| schedule::schedule(raw, &provides)).transpose()?;
    let absent = absent::absent(raw.absent, &provides)?;
    Ok(Manifest {
        absent,
        id: PluginId::new(&raw.id).map_err(|error| problem("id", error))?,
        version: raw.version,
        wit: raw.wit,
        industry: raw.industry,
        provides,
        limit_class: batch_class(raw.limit_class)?,
        name: label("name", raw.name)?,
        description: plain_text(raw.description),
        datasets,
        config,
        segmentation_aliases: raw.segmentation.aliases,
        score_aliases: raw.scoring.aliases,
        lookups: uses::lookups(raw.lookups)?,
        actions: uses::actions(raw.actions)?,
        service_workflow: raw.service_workflow.map(uses::service_workflow).transpose()?,
        campaign_rules: campaign_rules.transpose()?,
        record_hooks: uses::record_hooks(raw.record_hook)?,
        schedule,
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

pub(super) fn problem(key: &str, reason: impl std::fmt::Display) -> Problem {
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
    Ok(plain_text(text))
}

/// Without the characters that a TOML string can name and nobody can read.
fn plain_text(text: RawText) -> Text {
    Text::new(plain::lines(text.en), plain::lines(text.zh_cn))
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

/// Interfaces that are called on batches of customers share the one dataset of customers that a plugin has; beside it there may be
/// datasets of rows.
fn check_datasets(provides: &[Interface], datasets: &[Dataset]) -> Parse<()> {
    if datasets.len() > DATASETS_MAX {
        return Err(problem("datasets", format!("there are {}, at most {DATASETS_MAX}", datasets.len())));
    }
    let Some(interface) = provides.iter().find(|interface| interface.reads_customers()) else {
        return Ok(());
    };
    let count = datasets.iter().filter(|dataset| dataset.kind == DatasetKind::PerCustomer).count();
    if count == 1 {
        return Ok(());
    }
    let name = interface.name();
    Err(problem(
        "datasets",
        format!("a plugin that provides {name} reads exactly one dataset of kind `per-customer`"),
    ))
}

/// Who shows models has some.
fn check_models(provides: &[Interface]) -> Parse<()> {
    let learns = |interface: &Interface| matches!(interface, Interface::Segmentation | Interface::Scoring);
    if provides.contains(&Interface::ModelReport) && !provides.iter().any(learns) {
        let reason =
            "names `model-report`, which shows models of `segmentation` or `scoring`, but neither of them";
        return Err(problem("provides", reason));
    }
    Ok(())
}

fn check_aliases(table: &str, outputs: &RawOutputs) -> Parse<()> {
    for (alias, output) in &outputs.aliases {
        check_name(&format!("{table}.aliases.{alias}"), alias)?;
        check_name(&format!("{table}.aliases.{alias}"), output)?;
    }
    Ok(())
}

/// A table that says how an interface is used belongs to a plugin that provides it.
fn check_table(provides: &[Interface], interface: Interface, there: bool, needed: bool) -> Parse<()> {
    let name = interface.name();
    match (provides.contains(&interface), there) {
        (true, false) if needed => Err(problem(name, "is missing: `provides` names it")),
        (false, true) => Err(problem(name, format!("is there, but `provides` does not name `{name}`"))),
        _ => Ok(()),
    }
}

pub(super) fn object_name(key: &str, name: &str) -> Parse<ObjectName> {
    ObjectName::new(name).map_err(|error| problem(key, error))
}

pub(super) fn field_name(key: &str, name: &str) -> Parse<FieldName> {
    FieldName::new(name).map_err(|error| problem(key, error))
}

pub(super) fn check_name(key: &str, name: &str) -> Parse<()> {
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

pub(super) fn unique<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Parse<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(problem(key, format!("`{name}` is there twice")));
        }
    }
    Ok(())
}
