use std::collections::BTreeSet;

use super::parts::{check_filter, twice};
use super::{FieldType, ObjectDefinition};
use crate::{FieldName, Filter, Text, bilingual};

/// A way that records go through the values of a choice: R110, R111.
///
/// A record may enter a stage once the `required` fields of all stages before it have values and their required tasks are done. A stage
/// that loses the record ([`Outcome::Lost`]) may be entered at any time, but for its own required fields. Moving back asks for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Its API name.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// The choice whose values are the stages.
    pub stage: FieldName,
    /// Which records follow it; the first pipeline that matches counts. None is all.
    pub when: Option<Filter>,
    /// The time that is set whenever the stage changes.
    pub entered_at: Option<FieldName>,
    /// The number (percent) that is set to the stage's probability when the stage changes and the same save does not set it.
    pub probability: Option<FieldName>,
    /// The list of texts that holds the names of the tasks that are done.
    pub tasks_done: Option<FieldName>,
    /// The day or moment that is set when the record enters a stage that ends it (won or lost) and the same save does not set it;
    /// emptied when the record is under way again.
    pub closed_at: Option<FieldName>,
    /// In the order in which records go through them.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The option of the choice.
    pub value: String,
    /// What this stage is to achieve.
    pub goal: Text,
    /// What is to be done in it.
    pub tasks: Vec<StageTask>,
    /// Fields without which a record does not leave it.
    pub required: Vec<FieldName>,
    /// How likely a record in it is to be won, in percent.
    pub probability: Option<f64>,
    /// After how many days in it a record is overdue.
    pub days_max: Option<u32>,
    /// What it means to be in it.
    pub outcome: Outcome,
}

impl Pipeline {
    /// The stage of a value of the choice, with its place.
    pub fn stage_of(&self, value: &str) -> Option<(usize, &Stage)> {
        self.stages.iter().enumerate().find(|(_, stage)| stage.value == value)
    }

    /// Checks that what it names is there and of the right type.
    ///
    /// # Errors
    /// What is wrong, without the pipeline's name.
    pub(super) fn validate(&self, object: &ObjectDefinition) -> Result<(), Text> {
        let of_type = |name: &FieldName| {
            object
                .field(name.as_str())
                .filter(|field| field.computed.is_none())
                .map(|field| &field.field_type)
        };
        let Some(FieldType::Choice { options }) = of_type(&self.stage) else {
            let stage = &self.stage;
            return Err(bilingual!("`{stage}` is not a choice", "`{stage}` 不是单选字段"));
        };
        if self.stages.is_empty() {
            return Err(Text::new("there are no stages", "没有阶段"));
        }
        type Fits = fn(&FieldType) -> bool;
        let kept: [(&Option<FieldName>, Fits, &str, &str); 4] = [
            (&self.entered_at, |kind| matches!(kind, FieldType::Time), "a time", "时间字段"),
            (
                &self.probability,
                |kind| matches!(kind, FieldType::Number | FieldType::Integer),
                "a number",
                "数字字段",
            ),
            (
                &self.tasks_done,
                |kind| matches!(kind, FieldType::List { of } if matches!(**of, FieldType::Text { .. })),
                "a list of texts",
                "文本列表字段",
            ),
            (
                &self.closed_at,
                |kind| matches!(kind, FieldType::Date | FieldType::Time),
                "a date or time",
                "日期或时间字段",
            ),
        ];
        for (name, fits, en, zh) in kept {
            let Some(name) = name else { continue };
            if !of_type(name).is_some_and(fits) {
                return Err(bilingual!("`{name}` is not {en}", "`{name}` 不是{zh}"));
            }
        }
        if let Some(filter) = &self.when {
            check_filter(filter, object)?;
        }
        if let Some(value) = twice(self.stages.iter().map(|stage| &stage.value)) {
            return Err(bilingual!("stage `{value}` is there twice", "阶段 `{value}` 重复"));
        }
        let mut tasks = BTreeSet::new();
        for stage in &self.stages {
            let value = &stage.value;
            let of_stage = |reason: Text| bilingual!("stage `{value}`: ", "阶段 `{value}`：").then(&reason);
            if !options.iter().any(|option| option.value == *value) {
                let stage = &self.stage;
                return Err(of_stage(bilingual!(
                    "it is not an option of `{stage}`",
                    "它不是 `{stage}` 的可选值"
                )));
            }
            stage.validate(object, self.tasks_done.is_some(), &mut tasks).map_err(of_stage)?;
        }
        Ok(())
    }
}

impl Stage {
    fn validate<'a>(
        &'a self,
        object: &ObjectDefinition,
        keeps_tasks: bool,
        tasks: &mut BTreeSet<&'a FieldName>,
    ) -> Result<(), Text> {
        let is_written =
            |name: &&FieldName| object.field(name.as_str()).is_some_and(|field| field.computed.is_none());
        if let Some(name) = self.required.iter().find(|name| !is_written(name)) {
            return Err(bilingual!(
                "it requires `{name}`, which is no field that anybody writes",
                "必填的 `{name}` 不是可填写的字段"
            ));
        }
        if let Some(percent) = self.probability.filter(|percent| !(0.0..=100.0).contains(percent)) {
            return Err(bilingual!(
                "probability {percent} is not within 0 to 100",
                "概率 {percent} 不在 0 到 100 之间"
            ));
        }
        if self.days_max == Some(0) {
            return Err(Text::new("days_max is 1 or more", "days_max 至少为 1"));
        }
        for StageTask { name, required, .. } in &self.tasks {
            // `tasks_done` holds bare names, so that a name must say which task is meant.
            if !tasks.insert(name) {
                return Err(bilingual!(
                    "task `{name}` is there twice in the pipeline",
                    "任务 `{name}` 在流程中重复"
                ));
            }
            if *required && !keeps_tasks {
                return Err(bilingual!(
                    "task `{name}` is required, but the pipeline has no `tasks_done`",
                    "任务 `{name}` 为必做，但流程没有 `tasks_done`"
                ));
            }
        }
        Ok(())
    }
}

/// Something to do in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTask {
    /// Its API name within the stage.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// Whether a record does not leave the stage before it is done.
    pub required: bool,
}

/// What it means to be in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Outcome {
    /// Under way.
    #[default]
    Open,
    /// Ended well.
    Won,
    /// Ended badly.
    Lost,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}
