//! Values, records, actions and batches in the form in which decisions are stored: `host/docs/formats/engine.md`.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use trellis_model::{
    Action, Batch, Column, ColumnData, Currency, FieldName, Money, NamedRecord, NewMessage, NewTask,
    ObjectName, RecordId, Text, TextColumn, Validity, Value,
};
use uuid::Uuid;

/// What is stored cannot have been written by this crate; says what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

fn refused(error: impl std::fmt::Display) -> Refused {
    Refused(error.to_string())
}

pub(super) fn id(bytes: [u8; 16]) -> RecordId {
    RecordId(Uuid::from_bytes(bytes))
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredText(String, String);

impl From<&Text> for StoredText {
    fn from(text: &Text) -> Self {
        Self(text.en.clone(), text.zh_cn.clone())
    }
}

impl From<StoredText> for Text {
    fn from(text: StoredText) -> Self {
        Self { en: text.0, zh_cn: text.1 }
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StoredValue {
    Text(String),
    Number(f64),
    Integer(i64),
    /// Amounts as decimal texts.
    Money {
        amount: String,
        currency: String,
        base: Option<String>,
    },
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    Choice(String),
    MultiChoice(Vec<String>),
    Reference([u8; 16]),
    List(Vec<StoredValue>),
    /// JSON text.
    Json(String),
}

impl From<&Value> for StoredValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.clone()),
            Value::Number(number) => Self::Number(*number),
            Value::Integer(number) => Self::Integer(*number),
            Value::Money(money) => Self::Money {
                amount: money.amount.to_string(),
                currency: money.currency.to_string(),
                base: money.base_amount.map(|amount| amount.to_string()),
            },
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Date(date) => Self::Date(Value::days_of(*date)),
            Value::Time(time) => Self::Time(time.as_millisecond()),
            Value::Choice(option) => Self::Choice(option.clone()),
            Value::MultiChoice(options) => Self::MultiChoice(options.clone()),
            Value::Reference(id) => Self::Reference(*id.as_bytes()),
            Value::List(values) => Self::List(values.iter().map(Self::from).collect()),
            Value::Json(json) => Self::Json(json.to_string()),
        }
    }
}

impl TryFrom<StoredValue> for Value {
    type Error = Refused;

    fn try_from(value: StoredValue) -> Result<Self, Refused> {
        Ok(match value {
            StoredValue::Text(text) => Self::Text(text),
            StoredValue::Number(number) => Self::Number(number),
            StoredValue::Integer(number) => Self::Integer(number),
            StoredValue::Money { amount, currency, base } => Self::Money(Money {
                amount: amount.parse().map_err(refused)?,
                currency: Currency::new(&currency).map_err(refused)?,
                base_amount: base.map(|base| base.parse().map_err(refused)).transpose()?,
            }),
            StoredValue::Bool(flag) => Self::Bool(flag),
            StoredValue::Date(days) => Self::Date(date(days)?),
            StoredValue::Time(ms) => Self::Time(Timestamp::from_millisecond(ms).map_err(refused)?),
            StoredValue::Choice(option) => Self::Choice(option),
            StoredValue::MultiChoice(options) => Self::MultiChoice(options),
            StoredValue::Reference(bytes) => Self::Reference(id(bytes)),
            StoredValue::List(values) => {
                Self::List(values.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            StoredValue::Json(json) => Self::Json(serde_json::from_str(&json).map_err(refused)?),
        })
    }
}

fn date(days: i32) -> Result<Date, Refused> {
    Value::date_of_days(days).ok_or_else(|| Refused(format!("{days} days are not in the calendar")))
}

/// Fields by name; `None` is null.
pub(crate) type StoredChanges = Vec<(String, Option<StoredValue>)>;

pub(crate) fn changes(fields: &BTreeMap<FieldName, Option<Value>>) -> StoredChanges {
    fields.iter().map(|(name, value)| (name.to_string(), value.as_ref().map(StoredValue::from))).collect()
}

pub(crate) fn from_changes(stored: StoredChanges) -> Result<BTreeMap<FieldName, Option<Value>>, Refused> {
    let field = |(name, value): (String, Option<StoredValue>)| {
        Ok((FieldName::new(&name).map_err(refused)?, value.map(Value::try_from).transpose()?))
    };
    stored.into_iter().map(field).collect()
}

/// Fields by name, none of them null.
pub(crate) type StoredFields = Vec<(String, StoredValue)>;

pub(crate) fn fields(fields: &BTreeMap<FieldName, Value>) -> StoredFields {
    fields.iter().map(|(name, value)| (name.to_string(), StoredValue::from(value))).collect()
}

pub(crate) fn from_fields(stored: StoredFields) -> Result<BTreeMap<FieldName, Value>, Refused> {
    let field = |(name, value): (String, StoredValue)| {
        Ok((FieldName::new(&name).map_err(refused)?, value.try_into()?))
    };
    stored.into_iter().map(field).collect()
}

/// A record with its fields by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredNamed {
    object: String,
    id: [u8; 16],
    version: u64,
    fields: StoredFields,
}

impl From<&NamedRecord> for StoredNamed {
    fn from(record: &NamedRecord) -> Self {
        Self {
            object: record.object.to_string(),
            id: *record.id.as_bytes(),
            version: record.version,
            fields: fields(&record.fields),
        }
    }
}

impl TryFrom<StoredNamed> for NamedRecord {
    type Error = Refused;

    fn try_from(record: StoredNamed) -> Result<Self, Refused> {
        Ok(Self {
            object: ObjectName::new(&record.object).map_err(refused)?,
            id: id(record.id),
            version: record.version,
            fields: from_fields(record.fields)?,
        })
    }
}

/// An action that a plugin or rule wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StoredAction {
    SetFields { object: String, id: [u8; 16], fields: StoredChanges },
    CreateRecord { object: String, fields: StoredFields },
    CreateTask(StoredTask),
    SendMessage(StoredMessage),
    StartTimer { name: String, object: String, id: [u8; 16], due_ms: i64 },
    CancelTimer { name: String, object: String, id: [u8; 16] },
    Other { kind: String, payload: String },
}

/// A task that is to be created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredTask {
    subject: StoredText,
    description: StoredText,
    owner: Option<[u8; 16]>,
    account: Option<[u8; 16]>,
    case: Option<[u8; 16]>,
    due_in_days: Option<u16>,
    priority: Option<String>,
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredMessage {
    channel: String,
    account: Option<[u8; 16]>,
    contact: Option<[u8; 16]>,
    subject: StoredText,
    body: StoredText,
    campaign: Option<[u8; 16]>,
}

fn bytes(id: &Option<RecordId>) -> Option<[u8; 16]> {
    id.as_ref().map(|id| *id.as_bytes())
}

impl TryFrom<&Action> for StoredAction {
    type Error = Refused;

    fn try_from(action: &Action) -> Result<Self, Refused> {
        Ok(match action {
            Action::SetFields { object, id, fields } => {
                Self::SetFields { object: object.to_string(), id: *id.as_bytes(), fields: changes(fields) }
            }
            Action::CreateRecord { object, fields } => {
                Self::CreateRecord { object: object.to_string(), fields: self::fields(fields) }
            }
            Action::CreateTask(task) => Self::CreateTask(StoredTask {
                subject: (&task.subject).into(),
                description: (&task.description).into(),
                owner: bytes(&task.owner),
                account: bytes(&task.account),
                case: bytes(&task.case),
                due_in_days: task.due_in_days,
                priority: task.priority.clone(),
            }),
            Action::SendMessage(message) => Self::SendMessage(StoredMessage {
                channel: message.channel.clone(),
                account: bytes(&message.account),
                contact: bytes(&message.contact),
                subject: (&message.subject).into(),
                body: (&message.body).into(),
                campaign: bytes(&message.campaign),
            }),
            Action::StartTimer { name, object, id, due_ms } => Self::StartTimer {
                name: name.clone(),
                object: object.to_string(),
                id: *id.as_bytes(),
                due_ms: *due_ms,
            },
            Action::CancelTimer { name, object, id } => {
                Self::CancelTimer { name: name.clone(), object: object.to_string(), id: *id.as_bytes() }
            }
            Action::Other { kind, payload } => Self::Other { kind: kind.clone(), payload: payload.clone() },
            other => return Err(Refused(format!("an action `{}` cannot be stored", other.kind()))),
        })
    }
}

impl TryFrom<StoredAction> for Action {
    type Error = Refused;

    fn try_from(action: StoredAction) -> Result<Self, Refused> {
        let object = |name: &str| ObjectName::new(name).map_err(refused);
        Ok(match action {
            StoredAction::SetFields { object: name, id: record, fields } => {
                Self::SetFields { object: object(&name)?, id: id(record), fields: from_changes(fields)? }
            }
            StoredAction::CreateRecord { object: name, fields } => {
                Self::CreateRecord { object: object(&name)?, fields: from_fields(fields)? }
            }
            StoredAction::CreateTask(task) => Self::CreateTask(NewTask {
                subject: task.subject.into(),
                description: task.description.into(),
                owner: task.owner.map(id),
                account: task.account.map(id),
                case: task.case.map(id),
                due_in_days: task.due_in_days,
                priority: task.priority,
            }),
            StoredAction::SendMessage(message) => Self::SendMessage(NewMessage {
                channel: message.channel,
                account: message.account.map(id),
                contact: message.contact.map(id),
                subject: message.subject.into(),
                body: message.body.into(),
                campaign: message.campaign.map(id),
            }),
            StoredAction::StartTimer { name, object: of, id: record, due_ms } => {
                Self::StartTimer { name, object: object(&of)?, id: id(record), due_ms }
            }
            StoredAction::CancelTimer { name, object: of, id: record } => {
                Self::CancelTimer { name, object: object(&of)?, id: id(record) }
            }
            StoredAction::Other { kind, payload } => Self::Other { kind, payload },
        })
    }
}

/// Rows of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredBatch {
    rows: u32,
    ordinals: Vec<u64>,
    columns: Vec<(String, Vec<u8>, StoredColumn)>,
}

/// The values of a column; texts as offsets and bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum StoredColumn {
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Boolean(Vec<u8>),
    Date(Vec<i32>),
    Time(Vec<i64>),
    Money { currency: String, minor_units: Vec<i64> },
    Text(Vec<u32>, Vec<u8>),
    Dictionary { codes: Vec<u32>, offsets: Vec<u32>, bytes: Vec<u8> },
    Reference(Vec<u64>),
    DictionaryList { offsets: Vec<u32>, codes: Vec<u32>, text_offsets: Vec<u32>, bytes: Vec<u8> },
}

impl From<&Batch> for StoredBatch {
    fn from(batch: &Batch) -> Self {
        let column =
            |column: &Column| (column.name.clone(), column.valid.0.clone(), StoredColumn::from(&column.data));
        Self {
            rows: batch.rows,
            ordinals: batch.ordinals.clone(),
            columns: batch.columns.iter().map(column).collect(),
        }
    }
}

impl From<StoredBatch> for Batch {
    fn from(batch: StoredBatch) -> Self {
        let column = |(name, valid, data): (String, Vec<u8>, StoredColumn)| Column {
            name,
            valid: Validity(valid),
            data: data.into(),
        };
        Self {
            rows: batch.rows,
            ordinals: batch.ordinals,
            columns: batch.columns.into_iter().map(column).collect(),
        }
    }
}

impl From<&ColumnData> for StoredColumn {
    fn from(data: &ColumnData) -> Self {
        match data {
            ColumnData::Float64(values) => Self::Float64(values.clone()),
            ColumnData::Int64(values) => Self::Int64(values.clone()),
            ColumnData::Boolean(values) => Self::Boolean(values.clone()),
            ColumnData::Date(values) => Self::Date(values.clone()),
            ColumnData::Time(values) => Self::Time(values.clone()),
            ColumnData::Money { currency, minor_units } => {
                Self::Money { currency: currency.clone(), minor_units: minor_units.clone() }
            }
            ColumnData::Text(texts) => Self::Text(texts.offsets.clone(), texts.bytes.clone()),
            ColumnData::Dictionary { codes, values } => Self::Dictionary {
                codes: codes.clone(),
                offsets: values.offsets.clone(),
                bytes: values.bytes.clone(),
            },
            ColumnData::Reference(ordinals) => Self::Reference(ordinals.clone()),
            ColumnData::DictionaryList { offsets, codes, values } => Self::DictionaryList {
                offsets: offsets.clone(),
                codes: codes.clone(),
                text_offsets: values.offsets.clone(),
                bytes: values.bytes.clone(),
            },
        }
    }
}

impl From<StoredColumn> for ColumnData {
    fn from(column: StoredColumn) -> Self {
        match column {
            StoredColumn::Float64(values) => Self::Float64(values),
            StoredColumn::Int64(values) => Self::Int64(values),
            StoredColumn::Boolean(values) => Self::Boolean(values),
            StoredColumn::Date(values) => Self::Date(values),
            StoredColumn::Time(values) => Self::Time(values),
            StoredColumn::Money { currency, minor_units } => Self::Money { currency, minor_units },
            StoredColumn::Text(offsets, bytes) => Self::Text(TextColumn { offsets, bytes }),
            StoredColumn::Dictionary { codes, offsets, bytes } => {
                Self::Dictionary { codes, values: TextColumn { offsets, bytes } }
            }
            StoredColumn::Reference(ordinals) => Self::Reference(ordinals),
            StoredColumn::DictionaryList { offsets, codes, text_offsets, bytes } => {
                Self::DictionaryList { offsets, codes, values: TextColumn { offsets: text_offsets, bytes } }
            }
        }
    }
}
