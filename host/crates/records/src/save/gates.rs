//! Stage gates: whether a record may enter the stage that a save puts it into, and what is set when it does.

use jiff::Timestamp;
use trellis_model::{
    ChangeKind, FieldDefinition, FieldName, FieldType, Fields, ObjectDefinition, Outcome, Pipeline, Stage,
    Text, Value, bilingual,
};

use super::prepare::Save;
use super::segment::Row;
use super::validate;
use crate::{Config, Error, FieldError, Result};

/// The code of what a gate misses.
const CODE: &str = "stage_gate";

/// A record that comes to a stage.
struct Arrival<'a> {
    object: &'a ObjectDefinition,
    pipeline: &'a Pipeline,
    /// The stage that it comes to, with its place.
    place: usize,
    stage: &'a Stage,
    /// The stage that it leaves, if that is one of the pipeline.
    left: Option<(usize, &'a Stage)>,
    before: Option<&'a Fields>,
    after: &'a Fields,
}

impl Save<'_> {
    /// Checks the rows that enter a stage, and sets what a stage sets. Returns whether one was refused, so that preparing must start
    /// again without it.
    pub(super) async fn pass_gates(&mut self) -> Result<bool> {
        let mut refused = false;
        for place in 0..self.segment.rows.len() {
            let Some(row) = self.segment.rows.get(place).filter(|row| row.may_enter_a_stage()) else {
                continue;
            };
            match self.enter_stage(row).await {
                Ok(None) => {}
                Ok(Some(fields)) => {
                    if let Some(row) = self.segment.rows.get_mut(place) {
                        row.after.fields = fields;
                    }
                }
                Err(error @ (Error::Storage(_) | Error::Damaged { .. })) => return Err(error),
                Err(error) => {
                    self.memory.refused.insert(row.write, error);
                    refused = true;
                }
            }
        }
        Ok(refused)
    }

    /// The fields of a row that enters a stage, with what the stage sets.
    async fn enter_stage(&self, row: &Row) -> Result<Option<Fields>> {
        for pipeline in &row.object.pipelines {
            let Some(arrival) = Arrival::of(row, pipeline) else { continue };
            let follows = match &pipeline.when {
                Some(filter) => self.records.matches_unscoped(&row.object, filter, &row.after).await?,
                None => true,
            };
            if follows {
                let errors = arrival.missing();
                if !errors.is_empty() {
                    return Err(Error::Invalid(errors));
                }
                return Ok(Some(arrival.fields(self.now_ms, self.records.config())));
            }
        }
        Ok(None)
    }
}

impl Row {
    fn may_enter_a_stage(&self) -> bool {
        !self.object.pipelines.is_empty() && matches!(self.kind, ChangeKind::Created | ChangeKind::Updated)
    }
}

impl<'a> Arrival<'a> {
    /// `None` where the row stays where it is, or is in no stage of the pipeline.
    fn of(row: &'a Row, pipeline: &'a Pipeline) -> Option<Self> {
        let object: &ObjectDefinition = &row.object;
        let field = object.field(pipeline.stage.as_str())?.id;
        let before = row.before.as_ref().map(|before| &before.record.fields);
        let (left, entered) = (before.and_then(|before| before.get(&field)), row.after.fields.get(&field)?);
        if left == Some(entered) {
            return None;
        }
        let stage_of = |value: &Value| match value {
            Value::Choice(value) => pipeline.stage_of(value),
            _ => None,
        };
        let (place, stage) = stage_of(entered)?;
        let left = left.and_then(stage_of);
        Some(Self { object, pipeline, place, stage, left, before, after: &row.after.fields })
    }

    /// What it lacks. A record that is created in a stage has left none: so history can be loaded, and a deal can begin late.
    fn missing(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.before.is_none() {
            return errors;
        }
        for stage in self.stages_to_pass() {
            for name in &stage.required {
                let field = self.object.field(name.as_str());
                errors
                    .extend(field.filter(|field| self.is_empty(field)).map(|field| self.lacks(stage, field)));
            }
            let Some(done) = self.field(self.pipeline.tasks_done.as_ref()) else { continue };
            // The tasks of the stage that it comes to are done there.
            let tasks = stage.tasks.iter().filter(|task| task.required && stage.value != self.stage.value);
            for task in tasks.filter(|task| !self.is_done(done, &task.name)) {
                errors.push(self.undone(stage, done, &task.label));
            }
        }
        errors
    }

    /// The stages whose demands must be met: those before the one that it comes to, and of one that ends the record its own too.
    fn stages_to_pass(&self) -> impl Iterator<Item = &'a Stage> {
        let goes_back =
            self.left.is_some_and(|(place, stage)| stage.outcome == Outcome::Open && place > self.place);
        let before = match self.stage.outcome {
            Outcome::Lost => 0,
            Outcome::Open if goes_back => 0,
            Outcome::Open => self.place,
            Outcome::Won => self.pipeline.stages.len(),
        };
        let own = (self.stage.outcome != Outcome::Open).then_some(self.stage);
        let stages = self.pipeline.stages.iter().take(before);
        stages.filter(|stage| stage.outcome == Outcome::Open).chain(own)
    }

    fn field(&self, name: Option<&FieldName>) -> Option<&'a FieldDefinition> {
        self.object.field(name?.as_str())
    }

    fn is_empty(&self, field: &FieldDefinition) -> bool {
        match self.after.get(&field.id) {
            None => true,
            Some(Value::List(values)) => values.is_empty(),
            Some(Value::MultiChoice(values)) => values.is_empty(),
            Some(_) => false,
        }
    }

    fn is_done(&self, done: &FieldDefinition, task: &FieldName) -> bool {
        let Some(Value::List(names)) = self.after.get(&done.id) else { return false };
        names.iter().any(|name| matches!(name, Value::Text(name) if name == task.as_str()))
    }

    fn lacks(&self, stage: &Stage, field: &FieldDefinition) -> FieldError {
        let (entered, of) = (self.label(self.stage), self.label(stage));
        let message = if stage.value == self.stage.value {
            Text::new(
                format!("needed to enter the stage “{}”", entered.en),
                format!("进入“{}”阶段前必须填写", entered.zh_cn),
            )
        } else {
            Text::new(
                format!("needed in the stage “{}” before a record enters “{}”", of.en, entered.en),
                format!("进入“{}”阶段前，须先填写“{}”阶段要求的此项", entered.zh_cn, of.zh_cn),
            )
        };
        validate::wrong(field, CODE, message)
    }

    fn undone(&self, stage: &Stage, done: &FieldDefinition, task: &Text) -> FieldError {
        let (entered, of) = (self.label(self.stage), self.label(stage));
        let message = Text::new(
            format!(
                "the task “{}” of the stage “{}” must be done before a record enters “{}”",
                task.en, of.en, entered.en
            ),
            format!("进入“{}”阶段前，须先完成“{}”阶段的任务“{}”", entered.zh_cn, of.zh_cn, task.zh_cn),
        );
        validate::wrong(done, CODE, message)
    }

    /// What people call a stage: the label of its option.
    fn label(&self, stage: &Stage) -> Text {
        let field = self.field(Some(&self.pipeline.stage)).map(|field| &field.field_type);
        let label = match field {
            Some(FieldType::Choice { options }) => {
                options.iter().find(|option| option.value == stage.value).map(|option| option.label.clone())
            }
            _ => None,
        };
        let value = &stage.value;
        label.unwrap_or_else(|| bilingual!("{value}", "{value}"))
    }

    /// The fields with what the stage sets, where the same save does not set it: since when, how likely, ended when.
    fn fields(&self, now_ms: i64, config: &Config) -> Fields {
        let mut fields = self.after.clone();
        if let Some(field) = self.to_set(self.pipeline.entered_at.as_ref())
            && let Some(now) = moment(&field.field_type, now_ms, config)
        {
            fields.insert(field.id, now);
        }
        if let Some(field) = self.to_set(self.pipeline.probability.as_ref())
            && let Some(percent) = self.stage.probability
        {
            let percent = match field.field_type {
                #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
                FieldType::Integer => Value::Integer(percent.round() as i64),
                _ => Value::Number(percent),
            };
            fields.insert(field.id, percent);
        }
        let ended = self.stage.outcome != Outcome::Open;
        if let Some(field) = self.to_set(self.pipeline.closed_at.as_ref()) {
            let was_open = self.left.is_none_or(|(_, stage)| stage.outcome == Outcome::Open);
            if !ended && !was_open {
                fields.remove(&field.id);
            } else if (ended && was_open && !fields.contains_key(&field.id))
                && let Some(now) = moment(&field.field_type, now_ms, config)
            {
                fields.insert(field.id, now);
            }
        }
        fields
    }

    /// The field, unless this save says itself what it shall be.
    fn to_set(&self, name: Option<&FieldName>) -> Option<&'a FieldDefinition> {
        let field = self.field(name)?;
        let (before, after) =
            (self.before.and_then(|before| before.get(&field.id)), self.after.get(&field.id));
        (before == after).then_some(field)
    }
}

/// Now, as a time or as the day in the organisation's time zone.
fn moment(field_type: &FieldType, now_ms: i64, config: &Config) -> Option<Value> {
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    match field_type {
        FieldType::Time => Some(Value::Time(now)),
        FieldType::Date => Some(Value::Date(now.to_zoned(config.time_zone.clone()).date())),
        _ => None,
    }
}
