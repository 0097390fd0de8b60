//! What plugins answer, as JSON: what golden cases are written in. Keys come sorted.

use serde_json::{Map, Value as Json, json};
use trellis_model::{Action, NewMessage, NewTask, Reason, RecordId, Text, Value};
use trellis_plugin_host::{
    AnalysisDescription, Assigned, Decided, Eligible, Evaluation, Metric, Model, NextActions, Requirement,
    RowError, ScoreDescription, Scored, SegmentationDescription, Suggestion, Variants, Verdict,
};

pub(crate) fn text(text: &Text) -> Json {
    json!({ "en": text.en, "zh-CN": text.zh_cn })
}

pub(crate) fn segmentations(described: &[SegmentationDescription]) -> Json {
    let one = |one: &SegmentationDescription| {
        let values = one.values.iter().map(|value| {
            json!({ "name": value.name, "label": text(&value.label), "description": text(&value.description) })
        });
        json!({
            "name": one.name,
            "label": text(&one.label),
            "description": text(&one.description),
            "values": values.collect::<Vec<_>>(),
        })
    };
    described.iter().map(one).collect()
}

pub(crate) fn scores(described: &[ScoreDescription]) -> Json {
    let one = |one: &ScoreDescription| {
        let bands = one.bands.iter().map(|band| {
            json!({
                "name": band.name,
                "label": text(&band.label),
                "description": text(&band.description),
                "lowest": band.lowest,
            })
        });
        json!({
            "name": one.name,
            "label": text(&one.label),
            "description": text(&one.description),
            "unit": text(&one.unit),
            "minimum": one.minimum,
            "maximum": one.maximum,
            "bands": bands.collect::<Vec<_>>(),
        })
    };
    described.iter().map(one).collect()
}

/// Of the model itself only how long it is: its bytes are the plugin's own.
pub(crate) fn model(model: &Model) -> Json {
    json!({ "bytes": model.bytes.len(), "summary": text(&model.summary), "metrics": metrics(&model.metrics) })
}

fn metrics(metrics: &[Metric]) -> Json {
    metrics.iter().map(Metric::to_json).collect()
}

pub(crate) fn analyses(described: &[AnalysisDescription]) -> Json {
    let one = |one: &AnalysisDescription| {
        json!({
            "name": one.name,
            "label": text(&one.label),
            "description": text(&one.description),
            "dataset": one.dataset,
            "parameters": one.parameters.as_json(),
        })
    };
    described.iter().map(one).collect()
}

/// One object a row: what `of` says of it, or why it failed.
fn by_row(rows: u32, failed: &[RowError], of: impl Fn(usize) -> Json) -> Json {
    let mut answers: Vec<Json> = (0..rows as usize).map(of).collect();
    for error in failed {
        if let Some(answer) = answers.get_mut(error.row as usize) {
            *answer = json!({ "failed": { "code": error.code, "message": text(&error.message) } });
        }
    }
    Json::Array(answers)
}

/// For each row an object with one value a segmentation.
pub(crate) fn assigned(assigned: &Assigned, rows: u32) -> Json {
    by_row(rows, &assigned.failed, |row| {
        let value = |column: &trellis_plugin_host::AssignedColumn| {
            let code = column.codes.get(row).filter(|_| column.valid.get(row));
            let name = code.and_then(|code| column.values.get(*code as usize));
            (column.name.clone(), json!(name))
        };
        Json::Object(assigned.columns.iter().map(value).collect())
    })
}

/// For each row an object with one number a score.
pub(crate) fn scored(scored: &Scored, rows: u32) -> Json {
    by_row(rows, &scored.failed, |row| {
        let value = |column: &trellis_plugin_host::ScoredColumn| {
            let value = column.values.get(row).filter(|_| column.valid.get(row));
            (column.name.clone(), json!(value))
        };
        Json::Object(scored.columns.iter().map(value).collect())
    })
}

pub(crate) fn row_reasons(rows: &[Vec<Reason>]) -> Json {
    rows.iter().map(|row| reasons(row)).collect()
}

fn reasons(reasons: &[Reason]) -> Json {
    let one =
        |reason: &Reason| json!({ "code": reason.code, "text": text(&reason.text), "weight": reason.weight });
    reasons.iter().map(one).collect()
}

/// For each row whether it takes part, and otherwise the cause.
pub(crate) fn eligible(eligible: &Eligible) -> Json {
    let rows = u32::try_from(eligible.eligible.len()).unwrap_or(u32::MAX);
    by_row(rows, &eligible.failed, |row| match eligible.eligible.get(row) {
        Some(true) => json!({ "eligible": true }),
        _ => json!({ "eligible": false, "cause": eligible.causes.get(row) }),
    })
}

/// For each row its variant; null is the hold-out group.
pub(crate) fn variants(variants: &Variants) -> Json {
    let rows = u32::try_from(variants.variants.len()).unwrap_or(u32::MAX);
    by_row(rows, &variants.failed, |row| json!(variants.variants.get(row)))
}

/// For each row what happens, null where nothing does.
pub(crate) fn next(next: &NextActions, rows: u32) -> Json {
    let mut answers = vec![Json::Null; rows as usize];
    for row in &next.rows {
        if let Some(answer) = answers.get_mut(row.row as usize) {
            *answer = json!({ "actions": actions(&row.actions), "reasons": reasons(&row.reasons) });
        }
    }
    Json::Array(answers)
}

pub(crate) fn evaluation(evaluation: &Evaluation) -> Json {
    evaluation.report.to_json()
}

pub(crate) fn decided(decided: &Decided) -> Json {
    json!({ "actions": actions(&decided.actions), "reasons": reasons(&decided.reasons) })
}

pub(crate) fn suggestions(suggestions: &[Suggestion]) -> Json {
    let one = |one: &Suggestion| {
        json!({
            "name": one.name,
            "label": text(&one.label),
            "reasons": reasons(&one.reasons),
            "actions": actions(&one.actions),
        })
    };
    suggestions.iter().map(one).collect()
}

pub(crate) fn requirements(requirements: &[Requirement]) -> Json {
    let one = |one: &Requirement| {
        let field = one.field.as_ref().map(ToString::to_string);
        json!({ "code": one.code, "field": field, "message": text(&one.message) })
    };
    requirements.iter().map(one).collect()
}

pub(crate) fn verdicts(verdicts: &[Verdict]) -> Json {
    let one = |verdict: &Verdict| match verdict {
        Verdict::Accept => json!({ "verdict": "accept" }),
        Verdict::Failed(why) => json!({ "verdict": "failed", "message": text(why) }),
        Verdict::Patch(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.to_string(), value.as_ref()));
            json!({ "verdict": "patch", "fields": self::fields(fields) })
        }
        Verdict::Veto(refusal) => {
            let field = refusal.field.as_ref().map(ToString::to_string);
            json!({ "verdict": "veto", "code": refusal.code, "field": field, "message": text(&refusal.message) })
        }
    };
    verdicts.iter().map(one).collect()
}

fn fields<'a>(fields: impl Iterator<Item = (String, Option<&'a Value>)>) -> Json {
    let one = |(name, value): (String, Option<&Value>)| (name, value.map_or(Json::Null, Value::to_json));
    Json::Object(fields.map(one).collect::<Map<_, _>>())
}

fn actions(actions: &[Action]) -> Json {
    actions.iter().map(action).collect()
}

/// An action: its kind and what it says. What it leaves out is left out.
fn action(action: &Action) -> Json {
    let mut said = match action {
        Action::SetFields { object, id, fields } => {
            let fields = fields.iter().map(|(name, value)| (name.to_string(), value.as_ref()));
            json!({ "object": object.as_str(), "id": id.to_string(), "fields": self::fields(fields) })
        }
        Action::CreateRecord { object, fields } => {
            let fields = fields.iter().map(|(name, value)| (name.to_string(), Some(value)));
            json!({ "object": object.as_str(), "fields": self::fields(fields) })
        }
        Action::CreateTask(task) => self::task(task),
        Action::SendMessage(message) => self::message(message),
        Action::StartTimer { name, object, id, due_ms } => {
            json!({ "name": name, "object": object.as_str(), "id": id.to_string(), "due_ms": due_ms })
        }
        Action::CancelTimer { name, object, id } => {
            json!({ "name": name, "object": object.as_str(), "id": id.to_string() })
        }
        Action::Other { payload, .. } => json!({ "payload": payload }),
        _ => json!({}),
    };
    if let Some(said) = said.as_object_mut() {
        said.retain(|_, value| !value.is_null());
        said.insert("kind".to_owned(), json!(action.kind()));
    }
    said
}

fn id(id: &Option<RecordId>) -> Json {
    id.as_ref().map_or(Json::Null, |id| json!(id.to_string()))
}

fn task(task: &NewTask) -> Json {
    json!({
        "subject": text(&task.subject),
        "description": text(&task.description),
        "owner": id(&task.owner),
        "account": id(&task.account),
        "case": id(&task.case),
        "due_in_days": task.due_in_days,
        "priority": task.priority,
    })
}

fn message(message: &NewMessage) -> Json {
    json!({
        "channel": message.channel,
        "account": id(&message.account),
        "contact": id(&message.contact),
        "campaign": id(&message.campaign),
        "subject": text(&message.subject),
        "body": text(&message.body),
    })
}
