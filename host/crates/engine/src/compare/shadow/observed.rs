//! What the version in use was asked and answered, on its way to the shadow.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use trellis_model::{Batch, NamedRecord, PluginId, Value};
use trellis_plugin_host::{CallContext, Occurrence};

use crate::lookups::{Answer, Question};

/// A call of the version in use, with what it answered.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) plugin: PluginId,
    pub(crate) asked: Asked,
    pub(crate) at: CallContext,
    /// What its look-ups were answered.
    pub(crate) answers: BTreeMap<Question, Answer>,
}

/// What was asked, and the answer in the form of `decisions::ask`. Records are whole, since the shadow may declare other fields.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// A new record, or one that something happened to.
    Work { record: NamedRecord, occurrence: Option<Occurrence>, answer: Json },
    /// A record for which somebody wanted suggestions.
    Suggest { record: NamedRecord, answer: Json },
    /// A record that is about to be closed.
    Close { record: NamedRecord, answer: Json },
    /// A record that is about to be saved.
    Save { before: Option<NamedRecord>, after: NamedRecord, answer: Json },
    /// Members of a campaign; their rows have the columns `variant` and `status` too.
    Next { campaign: NamedRecord, config: String, batch: Batch, answer: Json },
    /// Customers who changed, with their new results as far as they have any.
    Rows { batch: Batch, results: Vec<(u64, Json)> },
}

/// About how many bytes a field of a record takes besides its text.
const FIELD_BYTES: u64 = 64;

impl Observed {
    /// About how many bytes it takes, for limits.
    pub(super) fn bytes(&self) -> u64 {
        let asked = match &self.asked {
            Asked::Work { record, answer, .. }
            | Asked::Suggest { record, answer }
            | Asked::Close { record, answer } => of_record(record) + of_json(answer),
            Asked::Save { before, after, answer } => {
                before.as_ref().map_or(0, of_record) + of_record(after) + of_json(answer)
            }
            Asked::Next { campaign, config, batch, answer } => {
                of_record(campaign) + config.len() as u64 + batch.bytes() as u64 + of_json(answer)
            }
            Asked::Rows { batch, results } => {
                let results: u64 = results.iter().map(|(_, result)| of_json(result)).sum();
                batch.bytes() as u64 + results
            }
        };
        let answers: u64 = self.answers.values().map(of_answer).sum();
        asked + answers + FIELD_BYTES
    }
}

fn of_record(record: &NamedRecord) -> u64 {
    record.fields.values().map(|value| FIELD_BYTES + of_value(value)).sum()
}

fn of_value(value: &Value) -> u64 {
    match value {
        Value::Text(text) | Value::Choice(text) => text.len() as u64,
        Value::MultiChoice(options) => options.iter().map(|option| FIELD_BYTES + option.len() as u64).sum(),
        Value::List(values) => values.iter().map(|value| FIELD_BYTES + of_value(value)).sum(),
        Value::Json(json) => of_json(json),
        _ => 0,
    }
}

fn of_answer(answer: &Answer) -> u64 {
    match answer {
        Answer::Record(record) => record.as_ref().map_or(0, of_record),
        Answer::Records(records) => records.iter().map(of_record).sum(),
        Answer::Count(_) | Answer::Error(_) => FIELD_BYTES,
    }
}

fn of_json(json: &Json) -> u64 {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => FIELD_BYTES,
        Json::String(text) => FIELD_BYTES + text.len() as u64,
        Json::Array(items) => FIELD_BYTES + items.iter().map(of_json).sum::<u64>(),
        Json::Object(members) => {
            let member = |(name, member): (&String, &Json)| name.len() as u64 + of_json(member);
            FIELD_BYTES + members.iter().map(member).sum::<u64>()
        }
    }
}
