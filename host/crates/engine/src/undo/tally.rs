//! What became of an undo, for the result of its job.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trellis_model::RecordId;
use trellis_records::{Since, UndoItem, UndoOutcome, UndoState};

use crate::run::report::text;

/// What became of the records of an undo so far.
#[derive(Debug)]
pub(super) struct Tally {
    job: RecordId,
    listed_max: usize,
    pub(super) records: u64,
    undone: u64,
    partly: u64,
    already: u64,
    pub(super) hidden: u64,
    stayed: BTreeMap<UndoState, u64>,
    listed: Vec<Json>,
}

impl Tally {
    pub(super) fn new(job: RecordId, listed_max: usize) -> Self {
        Self {
            job,
            listed_max,
            records: 0,
            undone: 0,
            partly: 0,
            already: 0,
            hidden: 0,
            stayed: BTreeMap::new(),
            listed: Vec::new(),
        }
    }

    /// Counts a record that was, or was not, taken back. What the same job did before a stop of the server counts as done by it.
    pub(super) fn note(&mut self, outcome: &UndoOutcome) {
        let item = &outcome.item;
        let undone = outcome.undone || item.last_job == Some(self.job);
        self.records += 1;
        match item.state {
            UndoState::Can | UndoState::Done if undone => self.undone += 1,
            UndoState::Done | UndoState::Can => self.already += 1,
            _ if undone => {
                self.partly += 1;
                self.list(item);
            }
            state => {
                *self.stayed.entry(state).or_default() += 1;
                self.list(item);
            }
        }
    }

    /// Counts a record as it would come out.
    pub(super) fn plan(&mut self, item: &UndoItem) {
        self.note(&UndoOutcome { item: item.clone(), undone: item.state.can() });
    }

    fn list(&mut self, item: &UndoItem) {
        if self.listed.len() < self.listed_max {
            self.listed.push(item_json(item));
        }
    }

    pub(super) fn result(self) -> Map<String, Json> {
        let states = UndoState::ALL.iter().filter(|state| !state.can() && **state != UndoState::Done);
        let stayed =
            states.map(|state| (state.as_str().to_owned(), json!(self.stayed.get(state).unwrap_or(&0))));
        Map::from_iter([
            ("undone".to_owned(), json!(self.undone)),
            ("partly_undone".to_owned(), json!(self.partly)),
            ("undone_before".to_owned(), json!(self.already)),
            ("hidden".to_owned(), json!(self.hidden)),
            ("not_undone".to_owned(), Json::Object(stayed.collect())),
            ("records".to_owned(), Json::Array(self.listed)),
        ])
    }
}

/// A record that was not, or not wholly, taken back: no values, since a job is seen by others than those who may read them.
fn item_json(item: &UndoItem) -> Json {
    let reason = item.reason.as_ref();
    let message = reason.map_or_else(|| explained(item.state), |reason| text(&reason.text));
    json!({
        "object": item.object.as_str(),
        "id": item.id.to_string(),
        "action": item.action.as_str(),
        "state": item.state.as_str(),
        "code": reason.map(|reason| reason.code),
        "message": message,
        "since": item.since.iter().map(since_json).collect::<Vec<_>>(),
    })
}

fn since_json(since: &Since) -> Json {
    let fields: Vec<&str> = since.fields.iter().map(trellis_model::FieldName::as_str).collect();
    json!({ "log": since.number, "fields": fields })
}

fn explained(state: UndoState) -> Json {
    let (en, zh) = match state {
        UndoState::Partly => ("some fields changed again since", "部分字段之后又被修改"),
        UndoState::ChangedSince => ("it changed again since", "之后又被修改"),
        UndoState::Expired => ("the log no longer tells what it was like", "日志已不再保留当时的内容"),
        UndoState::Missing => ("it is not there any more", "记录已不存在"),
        UndoState::Conflict => ("a unique value is taken", "唯一值已被占用"),
        UndoState::Can | UndoState::Done | UndoState::Refused => ("it was refused", "已被拒绝"),
    };
    json!({ "en": en, "zh-CN": zh })
}
