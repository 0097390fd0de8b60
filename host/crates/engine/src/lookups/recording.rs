//! Look-ups whose answers are kept, and look-ups that answer from what was kept.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value as Json;
use trellis_model::{LookupError, Lookups, NamedRecord, ObjectName, RecordId};

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    Get {
        object: ObjectName,
        id: RecordId,
    },
    Find {
        object: ObjectName,
        /// JSON text with sorted keys.
        filter: String,
        records_max: u32,
    },
    Count {
        object: ObjectName,
        filter: String,
    },
}

impl Question {
    /// Whose records it is about.
    pub(crate) fn object(&self) -> &ObjectName {
        match self {
            Self::Get { object, .. } | Self::Find { object, .. } | Self::Count { object, .. } => object,
        }
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Get { object, id } => write!(f, "{object} `{id}`"),
            Self::Find { object, filter, records_max } => {
                write!(f, "up to {records_max} of {object} where {filter}")
            }
            Self::Count { object, filter } => write!(f, "the count of {object} where {filter}"),
        }
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Record(Option<NamedRecord>),
    Records(Vec<NamedRecord>),
    Count(u64),
    Error(LookupError),
}

/// Keeps every answer. The same question within one decision gets the same answer, so that what is kept is all that was seen.
pub(crate) struct Recording {
    inner: Arc<dyn Lookups>,
    answers: Mutex<BTreeMap<Question, Answer>>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("answers", &self.answers).finish_non_exhaustive()
    }
}

impl Recording {
    pub(crate) fn new(inner: Arc<dyn Lookups>) -> Arc<Self> {
        Arc::new(Self { inner, answers: Mutex::default() })
    }

    /// What was answered so far.
    pub(crate) fn answers(&self) -> BTreeMap<Question, Answer> {
        self.answers.lock().clone()
    }

    fn ask(&self, question: Question, ask: impl FnOnce(&dyn Lookups) -> Answer) -> Answer {
        if let Some(answer) = self.answers.lock().get(&question) {
            return answer.clone();
        }
        let answer = ask(&*self.inner);
        self.answers.lock().insert(question, answer.clone());
        answer
    }
}

impl Lookups for Recording {
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        let question = Question::Get { object: object.clone(), id };
        record(self.ask(question, |inner| inner.get(object, id).map_or_else(Answer::Error, Answer::Record)))
    }

    fn find(
        &self,
        object: &ObjectName,
        filter: &Json,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        let question = Question::Find { object: object.clone(), filter: filter.to_string(), records_max };
        let ask = |inner: &dyn Lookups| {
            inner.find(object, filter, records_max).map_or_else(Answer::Error, Answer::Records)
        };
        records(self.ask(question, ask))
    }

    fn count(&self, object: &ObjectName, filter: &Json) -> Result<u64, LookupError> {
        let question = Question::Count { object: object.clone(), filter: filter.to_string() };
        count(
            self.ask(question, |inner| inner.count(object, filter).map_or_else(Answer::Error, Answer::Count)),
        )
    }
}

/// Answers what was answered before; what was not asked then is an error that names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Replaying(pub(crate) BTreeMap<Question, Answer>);

impl Replaying {
    fn ask(&self, question: &Question) -> Answer {
        let unknown = || Answer::Error(LookupError::Failed(format!("{question} was not asked then")));
        self.0.get(question).cloned().unwrap_or_else(unknown)
    }
}

impl Lookups for Replaying {
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        record(self.ask(&Question::Get { object: object.clone(), id }))
    }

    fn find(
        &self,
        object: &ObjectName,
        filter: &Json,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        records(self.ask(&Question::Find { object: object.clone(), filter: filter.to_string(), records_max }))
    }

    fn count(&self, object: &ObjectName, filter: &Json) -> Result<u64, LookupError> {
        count(self.ask(&Question::Count { object: object.clone(), filter: filter.to_string() }))
    }
}

fn record(answer: Answer) -> Result<Option<NamedRecord>, LookupError> {
    match answer {
        Answer::Record(record) => Ok(record),
        other => Err(mismatch(other)),
    }
}

fn records(answer: Answer) -> Result<Vec<NamedRecord>, LookupError> {
    match answer {
        Answer::Records(records) => Ok(records),
        other => Err(mismatch(other)),
    }
}

fn count(answer: Answer) -> Result<u64, LookupError> {
    match answer {
        Answer::Count(count) => Ok(count),
        other => Err(mismatch(other)),
    }
}

/// The error of an answer; a question has no answer of another kind than its own.
fn mismatch(answer: Answer) -> LookupError {
    match answer {
        Answer::Error(error) => error,
        _ => LookupError::Failed("the recorded answer is of another kind".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    /// Counts how often it was asked.
    struct Counting(Mutex<u64>);

    impl Lookups for Counting {
        fn get(&self, _: &ObjectName, _: RecordId) -> Result<Option<NamedRecord>, LookupError> {
            Ok(None)
        }

        fn find(&self, object: &ObjectName, _: &Json, _: u32) -> Result<Vec<NamedRecord>, LookupError> {
            Err(LookupError::Denied(object.to_string()))
        }

        fn count(&self, _: &ObjectName, _: &Json) -> Result<u64, LookupError> {
            let mut asked = self.0.lock();
            *asked += 1;
            Ok(*asked)
        }
    }

    #[test]
    fn a_replay_answers_as_it_was_answered_and_names_what_was_not_asked() {
        let (object, id) = (ObjectName::new("case").unwrap(), RecordId(Uuid::from_u128(7)));
        let filter = json!({ "field": "status", "op": "eq", "value": "open" });
        let recording = Recording::new(Arc::new(Counting(Mutex::default())));
        assert_eq!(recording.count(&object, &filter), Ok(1));
        assert_eq!(recording.count(&object, &filter), Ok(1), "the same answer within one decision");
        assert_eq!(recording.get(&object, id), Ok(None));
        let denied = Err(LookupError::Denied("case".into()));
        assert_eq!(recording.find(&object, &filter, 5), denied);

        let replaying = Replaying(recording.answers());
        assert_eq!(replaying.count(&object, &filter), Ok(1));
        assert_eq!(replaying.get(&object, id), Ok(None));
        assert_eq!(replaying.find(&object, &filter, 5), denied);
        let unknown = replaying.find(&object, &filter, 6).unwrap_err();
        assert!(unknown.to_string().contains("up to 6 of case"), "{unknown}");
    }
}
