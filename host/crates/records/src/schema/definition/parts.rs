//! What an object has beside its fields, as it is written: layouts, pipelines, matching.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_model::{
    DuplicateAction, DuplicateRule, FieldName, Filter, Layout, MatchField, MatchMethod, MatchingRule,
    ObjectName, Outcome, Path, Pipeline, Quality, RelatedList, Section, Sort, Stage, StageTask,
};

use super::Label;

/// What is wrong with a part; the object is named by who reports it.
type Result<T> = std::result::Result<T, String>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayoutEntry {
    name: String,
    label: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sort: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sections: Vec<SectionEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    related: Vec<RelatedEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionEntry {
    name: String,
    label: Label,
    fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelatedEntry {
    object: String,
    reference: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sort: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineEntry {
    name: String,
    label: Label,
    stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entered_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tasks_done: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    stages: Vec<StageEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageEntry {
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goal: Option<Label>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tasks: Vec<TaskEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    required: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days_max: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskEntry {
    name: String,
    label: Label,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MatchingEntry {
    name: String,
    label: Label,
    compare: Vec<CompareEntry>,
    block_on: Vec<String>,
    threshold: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareEntry {
    field: String,
    method: String,
    #[serde(default = "one")]
    weight: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DuplicateEntry {
    matching_rule: String,
    #[serde(default = "allow")]
    on_create: String,
    #[serde(default = "allow")]
    on_update: String,
    #[serde(default = "allow")]
    on_import: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QualityEntry {
    fields: Vec<String>,
    #[serde(default = "half_a_year")]
    fresh_days: u32,
}

fn one() -> f64 {
    1.0
}

fn allow() -> String {
    DuplicateAction::Allow.name().into()
}

fn half_a_year() -> u32 {
    180
}

impl LayoutEntry {
    pub(super) fn layout(&self) -> Result<Layout> {
        let section = |entry: &SectionEntry| -> Result<Section> {
            Ok(Section {
                name: field(&entry.name)?,
                label: entry.label.text(),
                fields: fields(&entry.fields)?,
            })
        };
        let related = |entry: &RelatedEntry| -> Result<RelatedList> {
            Ok(RelatedList {
                object: ObjectName::new(&entry.object).map_err(text)?,
                reference: field(&entry.reference)?,
                columns: paths(&entry.columns)?,
                sort: Sort::parse_list(&entry.sort).map_err(text)?,
            })
        };
        Ok(Layout {
            name: field(&self.name)?,
            label: self.label.text(),
            when: filter(self.when.as_ref())?,
            columns: paths(&self.columns)?,
            sort: Sort::parse_list(&self.sort).map_err(text)?,
            sections: self.sections.iter().map(section).collect::<Result<_>>()?,
            related: self.related.iter().map(related).collect::<Result<_>>()?,
        })
    }
}

impl PipelineEntry {
    pub(super) fn pipeline(&self) -> Result<Pipeline> {
        let optional = |name: &Option<String>| name.as_deref().map(field).transpose();
        Ok(Pipeline {
            name: field(&self.name)?,
            label: self.label.text(),
            stage: field(&self.stage)?,
            when: filter(self.when.as_ref())?,
            entered_at: optional(&self.entered_at)?,
            probability: optional(&self.probability)?,
            tasks_done: optional(&self.tasks_done)?,
            closed_at: optional(&self.closed_at)?,
            stages: self.stages.iter().map(StageEntry::stage).collect::<Result<_>>()?,
        })
    }
}

impl StageEntry {
    fn stage(&self) -> Result<Stage> {
        let task = |entry: &TaskEntry| -> Result<StageTask> {
            Ok(StageTask { name: field(&entry.name)?, label: entry.label.text(), required: entry.required })
        };
        let outcome = match &self.outcome {
            Some(name) => named(name, &Outcome::ALL, Outcome::name)?,
            None => Outcome::Open,
        };
        Ok(Stage {
            value: self.value.clone(),
            goal: self.goal.as_ref().map(Label::text).unwrap_or_default(),
            tasks: self.tasks.iter().map(task).collect::<Result<_>>()?,
            required: fields(&self.required)?,
            probability: self.probability,
            days_max: self.days_max,
            outcome,
        })
    }
}

impl MatchingEntry {
    pub(super) fn rule(&self) -> Result<MatchingRule> {
        let compare = |entry: &CompareEntry| -> Result<MatchField> {
            let method = named(&entry.method, &MatchMethod::ALL, MatchMethod::name)?;
            Ok(MatchField { field: field(&entry.field)?, method, weight: entry.weight })
        };
        Ok(MatchingRule {
            name: field(&self.name)?,
            label: self.label.text(),
            compare: self.compare.iter().map(compare).collect::<Result<_>>()?,
            block_on: fields(&self.block_on)?,
            threshold: self.threshold,
        })
    }
}

impl DuplicateEntry {
    pub(super) fn rule(&self) -> Result<DuplicateRule> {
        let action = |name: &str| named(name, &DuplicateAction::ALL, DuplicateAction::name);
        Ok(DuplicateRule {
            matching_rule: field(&self.matching_rule)?,
            on_create: action(&self.on_create)?,
            on_update: action(&self.on_update)?,
            on_import: action(&self.on_import)?,
        })
    }
}

impl QualityEntry {
    pub(super) fn quality(&self) -> Result<Quality> {
        Ok(Quality { fields: fields(&self.fields)?, fresh_days: self.fresh_days })
    }
}

/// The value of a name, or an error that lists the names there are.
pub(super) fn named<T: Copy>(name: &str, all: &[T], name_of: impl Fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().copied().find(|one| name_of(*one) == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name_of(*one)).collect();
        format!("`{name}` is none of {}", names.join(", "))
    })
}

pub(super) fn filter(json: Option<&Json>) -> Result<Option<Filter>> {
    json.map(Filter::parse).transpose().map_err(text)
}

pub(super) fn field(name: &str) -> Result<FieldName> {
    FieldName::new(name).map_err(text)
}

fn fields(names: &[String]) -> Result<Vec<FieldName>> {
    names.iter().map(|name| field(name)).collect()
}

fn paths(names: &[String]) -> Result<Vec<Path>> {
    names.iter().map(|name| Path::parse(name).map_err(text)).collect()
}

fn text(error: trellis_model::Error) -> String {
    error.to_string()
}
