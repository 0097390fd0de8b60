//! Questions and answers of look-ups in the form in which capsules hold them.

use serde::{Deserialize, Serialize};
use trellis_model::{LookupError, NamedRecord, ObjectName};

use super::mirror::{self, Refused, StoredNamed};
use crate::lookups::{Answer, Question};

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredQuestion {
    Get { object: String, id: [u8; 16] },
    Find { object: String, filter: String, records_max: u32 },
    Count { object: String, filter: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredAnswer {
    Record(Option<StoredNamed>),
    Records(Vec<StoredNamed>),
    Count(u64),
    Denied(String),
    Invalid(String),
    TooMany(u32),
    Failed(String),
}

impl From<&Question> for StoredQuestion {
    fn from(question: &Question) -> Self {
        match question {
            Question::Get { object, id } => Self::Get { object: object.to_string(), id: *id.as_bytes() },
            Question::Find { object, filter, records_max } => {
                Self::Find { object: object.to_string(), filter: filter.clone(), records_max: *records_max }
            }
            Question::Count { object, filter } => {
                Self::Count { object: object.to_string(), filter: filter.clone() }
            }
        }
    }
}

impl TryFrom<StoredQuestion> for Question {
    type Error = Refused;

    fn try_from(question: StoredQuestion) -> Result<Self, Refused> {
        let object = |name: &str| ObjectName::new(name).map_err(|error| Refused(error.to_string()));
        Ok(match question {
            StoredQuestion::Get { object: name, id } => {
                Self::Get { object: object(&name)?, id: mirror::id(id) }
            }
            StoredQuestion::Find { object: name, filter, records_max } => {
                Self::Find { object: object(&name)?, filter, records_max }
            }
            StoredQuestion::Count { object: name, filter } => Self::Count { object: object(&name)?, filter },
        })
    }
}

impl From<&Answer> for StoredAnswer {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Record(record) => Self::Record(record.as_ref().map(StoredNamed::from)),
            Answer::Records(records) => Self::Records(records.iter().map(StoredNamed::from).collect()),
            Answer::Count(count) => Self::Count(*count),
            Answer::Error(LookupError::Denied(what)) => Self::Denied(what.clone()),
            Answer::Error(LookupError::Invalid(why)) => Self::Invalid(why.clone()),
            Answer::Error(LookupError::TooMany(max)) => Self::TooMany(*max),
            Answer::Error(LookupError::Failed(why)) => Self::Failed(why.clone()),
        }
    }
}

impl TryFrom<StoredAnswer> for Answer {
    type Error = Refused;

    fn try_from(answer: StoredAnswer) -> Result<Self, Refused> {
        Ok(match answer {
            StoredAnswer::Record(record) => Self::Record(record.map(NamedRecord::try_from).transpose()?),
            StoredAnswer::Records(records) => {
                Self::Records(records.into_iter().map(NamedRecord::try_from).collect::<Result<_, _>>()?)
            }
            StoredAnswer::Count(count) => Self::Count(count),
            StoredAnswer::Denied(what) => Self::Error(LookupError::Denied(what)),
            StoredAnswer::Invalid(why) => Self::Error(LookupError::Invalid(why)),
            StoredAnswer::TooMany(max) => Self::Error(LookupError::TooMany(max)),
            StoredAnswer::Failed(why) => Self::Error(LookupError::Failed(why)),
        })
    }
}
