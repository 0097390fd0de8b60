use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use trellis_model::{
    ChoiceOption, FieldDefinition, FieldId, FieldType, LookupError, Lookups, NamedRecord, NoLookups,
    ObjectDefinition, ObjectId, ObjectName, RecordId, Text, Value,
};
use trellis_rules::{AfterSave, BeforeSave, Error, ErrorKind, Input, Limits, RuleEngine, Transition};

/// 2026-11-21 20:30 in UTC, which is the next morning in Shanghai.
pub(crate) const NOW: &str = "2026-11-21T20:30:00Z";
pub(crate) const ACCOUNT: &str = "01939d4c-7c3a-7b6e-8000-000000000001";
pub(crate) const OWNER: &str = "01939d4c-7c3a-7b6e-8000-000000000002";

/// A rule that is slow because the machine is busy must not fail a test; the limit of time has a test of its own.
pub(crate) fn generous() -> Limits {
    Limits { time_ms_max: 20_000, ..Limits::default() }
}

static ENGINE: LazyLock<RuleEngine> = LazyLock::new(|| RuleEngine::new(generous()));

pub(crate) fn engine() -> &'static RuleEngine {
    &ENGINE
}

fn options() -> Vec<ChoiceOption> {
    ["new", "open", "won"]
        .map(|value| ChoiceOption { value: value.into(), label: Text::new(value, ""), retired: false })
        .into()
}

/// An account with a field of each type.
pub(crate) fn object() -> Arc<ObjectDefinition> {
    static OBJECT: LazyLock<Arc<ObjectDefinition>> = LazyLock::new(|| {
        let types = [
            ("name", FieldType::Text { characters_max: 100 }),
            ("phone", FieldType::Text { characters_max: 20 }),
            ("country", FieldType::Text { characters_max: 60 }),
            ("essay", FieldType::Text { characters_max: 100_000 }),
            ("score", FieldType::Number),
            ("employees", FieldType::Integer),
            ("amount", FieldType::Money),
            ("active", FieldType::Bool),
            ("since", FieldType::Date),
            ("seen_at", FieldType::Time),
            ("status", FieldType::Choice { options: options() }),
            ("tags", FieldType::MultiChoice { options: options() }),
            ("owner", FieldType::Reference { object: "user".parse().unwrap() }),
            ("codes", FieldType::List { of: Box::new(FieldType::Integer) }),
            ("extra", FieldType::Json),
        ];
        let fields = types.into_iter().zip(1..).map(|((name, field_type), id)| FieldDefinition {
            required: name == "name",
            personal_data: name == "phone",
            ..FieldDefinition::new(FieldId(id), name.parse().unwrap(), Text::new(name, ""), field_type)
        });
        let object = |name: &str| name.parse().unwrap();
        Arc::new(ObjectDefinition {
            label: Text::new("Account", "客户"),
            plural_label: Text::new("Accounts", "客户"),
            ordinals: true,
            ..ObjectDefinition::new(
                ObjectId(1),
                object("account"),
                object("accounts"),
                "name".parse().unwrap(),
                fields.collect(),
            )
        })
    });
    Arc::clone(&OBJECT)
}

pub(crate) fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

pub(crate) fn record(fields: &[(&str, Value)]) -> NamedRecord {
    let fields = fields.iter().map(|(name, value)| (name.parse().unwrap(), value.clone())).collect();
    NamedRecord { object: "account".parse().unwrap(), id: id(ACCOUNT), version: 0, fields }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The input of a rule about a new record; tests change what they are about.
pub(crate) fn input(fields: &[(&str, Value)]) -> Input {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    Input {
        object: object(),
        record: record(fields),
        before: None,
        event: None,
        hidden: BTreeSet::new(),
        now_ms: now.as_millisecond(),
        time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        user: Some(id(OWNER)),
        lookups: Arc::new(NoLookups),
    }
}

pub(crate) fn moved(from: Option<&str>, to: Option<&str>) -> Input {
    let event = Transition {
        watched: "segment.rfm".to_owned(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        value: None,
    };
    Input { event: Some(event), ..input(&[("name", text("Ada")), ("owner", Value::Reference(id(OWNER)))]) }
}

pub(crate) fn before_save(source: &str, input: Input) -> Result<BeforeSave, Error> {
    engine().before_save(&engine().compile(source)?, input)
}

pub(crate) fn after_save(source: &str, input: Input) -> Result<AfterSave, Error> {
    engine().after_save(&engine().compile(source)?, input)
}

/// What a rule about a record with no fields prints.
pub(crate) fn printed(source: &str) -> String {
    before_save(source, input(&[])).unwrap_or_else(|error| panic!("{source}: {error}")).printed.join("\n")
}

/// Checks that a before-save rule fails with an English message, at the place where it stands.
pub(crate) fn check_error(source: &str, expected: &str) -> ErrorKind {
    let error = before_save(source, input(&[("name", text("Ada"))])).unwrap_err();
    assert_eq!(error.to_string(), expected, "{source}");
    error.kind
}

/// Answers from a few records and keeps what it was asked.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) records: BTreeMap<RecordId, NamedRecord>,
    pub(crate) error: Option<LookupError>,
    pub(crate) asked: std::sync::Mutex<Vec<String>>,
}

impl Shelf {
    fn asked(&self, question: String) -> Result<(), LookupError> {
        self.asked.lock().unwrap().push(question);
        self.error.clone().map_or(Ok(()), Err)
    }
}

impl Lookups for Shelf {
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        self.asked(format!("get {object} {id}"))?;
        Ok(self.records.get(&id).cloned())
    }

    fn find(
        &self,
        object: &ObjectName,
        filter: &serde_json::Value,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        self.asked(format!("find {object} {filter} {records_max}"))?;
        Ok(self.records.values().take(records_max as usize).cloned().collect())
    }

    fn count(&self, object: &ObjectName, filter: &serde_json::Value) -> Result<u64, LookupError> {
        self.asked(format!("count {object} {filter}"))?;
        Ok(self.records.len() as u64)
    }
}
