use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use trellis_model::{
    Batch, Column, ColumnData, FieldName, LookupError, NamedRecord, TextColumn, Validity, Value,
};
use trellis_plugin_host::{CallContext, HookChange, Occurrence, WorkItem};
use trellis_records::{Config, Records, SystemClock, SystemIds};
use trellis_rules::{Transition, Trigger};
use trellis_storage::{MemoryStore, ScanRange};
use uuid::Uuid;

use super::*;
use crate::{
    lookups::{Answer, Question},
    rules::RuleCall,
};

fn id(number: u128) -> RecordId {
    RecordId(Uuid::from_u128(number))
}

fn object(name: &str) -> ObjectName {
    ObjectName::new(name).unwrap()
}

async fn records() -> Arc<Records> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
    Records::open(Arc::new(MemoryStore::new()), clock, ids, Config::default()).await.unwrap()
}

fn by_plugin() -> Decider {
    Decider::Plugin { id: PluginId::new("complaint-desk").unwrap(), version: "1.0.0".into() }
}

fn by_rule() -> Decider {
    Decider::Rule { id: id(77), version: 3, name: Text::new("Phone", "电话") }
}

fn new_decision(kind: DecisionKind, by: Decider, record: u128) -> NewDecision {
    let reason = Reason { code: "severe".into(), text: Text::new("severe", "严重"), weight: 0.1 + 0.2 };
    NewDecision {
        kind,
        time_ms: 1_795_262_400_000,
        by,
        digest: [7; 32],
        object: object("case"),
        record: id(record),
        log: Some(9),
        depth: 1,
        job: Some(id(3)),
        outcome: json!({ "b": [1, 0.1], "a": null }),
        reasons: vec![reason],
        actions: actions(),
        capsule: None,
    }
}

fn actions() -> Vec<Action> {
    let name = |name: &str| FieldName::new(name).unwrap();
    vec![
        Action::SetFields {
            object: object("case"),
            id: id(1),
            fields: BTreeMap::from([
                (name("severity"), Some(Value::Choice("high".into()))),
                (name("due_at"), None),
            ]),
        },
        Action::CreateRecord {
            object: object("case"),
            fields: BTreeMap::from([(name("subject"), Value::Text("迟到".into()))]),
        },
        Action::CreateTask(trellis_model::NewTask {
            subject: Text::new("Call", "回电"),
            due_in_days: Some(2),
            owner: Some(id(4)),
            ..Default::default()
        }),
        Action::SendMessage(trellis_model::NewMessage {
            channel: "sms".into(),
            account: Some(id(5)),
            ..Default::default()
        }),
        Action::StartTimer { name: "wait".into(), object: object("case"), id: id(1), due_ms: -5 },
        Action::CancelTimer { name: "wait".into(), object: object("case"), id: id(1) },
        Action::Other { kind: "fly".into(), payload: "{}".into() },
    ]
}

fn values() -> BTreeMap<FieldName, Value> {
    let money = |amount: &str, base: Option<&str>| {
        Value::Money(trellis_model::Money {
            amount: amount.parse().unwrap(),
            currency: trellis_model::Currency::new("USD").unwrap(),
            base_amount: base.map(|base| base.parse().unwrap()),
        })
    };
    let values = [
        Value::Text("a\u{0}b".into()),
        Value::Number(0.1 + 0.2),
        Value::Integer(i64::MIN),
        money("12.30", Some("12.3")),
        money("5", None),
        Value::Bool(true),
        Value::Date("1969-12-31".parse().unwrap()),
        Value::Time("2026-11-21T20:48:00.125Z".parse().unwrap()),
        Value::Choice("won".into()),
        Value::MultiChoice(vec!["a".into(), "b".into()]),
        Value::Reference(id(8)),
        Value::List(vec![Value::Integer(1), Value::Integer(2)]),
        Value::Json(json!({ "a": [1, null] })),
    ];
    (0..)
        .zip(values)
        .map(|(number, value)| (FieldName::new(&format!("f{number:02}")).unwrap(), value))
        .collect()
}

fn named() -> NamedRecord {
    NamedRecord { object: object("case"), id: id(1), version: 42, fields: values() }
}

fn context() -> CallContext {
    CallContext {
        run_id: "r".into(),
        as_of_days: -1,
        now_ms: 5,
        time_zone: "Asia/Shanghai".into(),
        base_currency: "CNY".into(),
        seed: u64::MAX,
    }
}

fn batch() -> Batch {
    let texts = || TextColumn { offsets: vec![0, 1, 3], bytes: b"abc".to_vec() };
    let data = [
        ColumnData::Float64(vec![1.5, -0.0]),
        ColumnData::Int64(vec![1, 2]),
        ColumnData::Boolean(vec![0, 1]),
        ColumnData::Date(vec![-1, 1]),
        ColumnData::Time(vec![3, 4]),
        ColumnData::Money { currency: "CNY".into(), minor_units: vec![100, -1] },
        ColumnData::Text(texts()),
        ColumnData::Dictionary { codes: vec![1, 0], values: texts() },
        ColumnData::Reference(vec![6, 7]),
    ];
    let column = |data| Column { name: "c".into(), valid: Validity::from_flags([true, false]), data };
    Batch { rows: 2, ordinals: vec![5, 9], columns: data.into_iter().map(column).collect() }
}

/// Every kind of call, each with every kind of answer.
fn capsules() -> Vec<Capsule> {
    let item = || WorkItem { item: named(), account: Some(named()) };
    let campaign = named;
    let changed: BTreeMap<_, _> = values().into_iter().map(|(name, value)| (name, Some(value))).collect();
    let inputs = [
        PluginInput::Triage(item()),
        PluginInput::Event(item(), Occurrence::Changed(changed)),
        PluginInput::Event(item(), Occurrence::Timer("wait".into())),
        PluginInput::Suggest(WorkItem { item: named(), account: None }),
        PluginInput::CloseCheck(item()),
        PluginInput::BeforeSave(HookChange { after: named(), before: Some(values()) }),
        PluginInput::Eligible { campaign: campaign(), batch: batch() },
        PluginInput::Variant { campaign: campaign(), batch: batch() },
        PluginInput::NextAction { campaign: campaign(), batch: batch() },
    ];
    let event =
        Transition { watched: "segment.rfm".into(), from: None, to: Some("lost".into()), value: Some(0.5) };
    let rule = RuleCall {
        trigger: Trigger::Transition,
        source: "because(\"x\")".into(),
        record: named(),
        before: Some(named()),
        event: Some(event),
        hidden: [FieldName::new("phone").unwrap()].into(),
        now_ms: 5,
        time_zone: "UTC".into(),
        user: Some(id(2)),
    };
    let plugin = |input| CapsuleCall::Plugin { input, config: "{}".into(), at: context() };
    let calls = inputs.map(plugin).into_iter().chain([CapsuleCall::Rule(rule)]);
    calls.map(|call| Capsule { call, answers: answers(), output: r#"{"a":0.1}"#.into() }).collect()
}

fn answers() -> BTreeMap<Question, Answer> {
    let find = |records_max| Question::Find { object: object("account"), filter: "{}".into(), records_max };
    let count = |filter: &str| Question::Count { object: object("account"), filter: filter.into() };
    BTreeMap::from([
        (Question::Get { object: object("account"), id: id(1) }, Answer::Record(Some(named()))),
        (Question::Get { object: object("account"), id: id(2) }, Answer::Record(None)),
        (find(1), Answer::Records(vec![named(), named()])),
        (find(2), Answer::Error(LookupError::Denied("x".into()))),
        (find(3), Answer::Error(LookupError::Invalid("x".into()))),
        (find(4), Answer::Error(LookupError::TooMany(50))),
        (count("a"), Answer::Error(LookupError::Failed("x".into()))),
        (count("b"), Answer::Count(7)),
    ])
}

#[test]
fn kinds_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = DecisionKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), DecisionKind::ALL.len());
    assert!(DecisionKind::ALL.iter().all(|kind| DecisionKind::of(kind.as_str()) == Some(*kind)));
}

#[test]
fn decisions_survive_being_stored_and_tell_their_kind_from_the_first_bytes() {
    for kind in DecisionKind::ALL {
        for by in [by_plugin(), by_rule()] {
            let (mut decision, _) = new_decision(kind, by, 1).into_decision(id(2));
            let states =
                [ActionState::Applied, ActionState::Unchanged, ActionState::Refused, ActionState::Pending];
            for (outcome, state) in decision.actions.iter_mut().zip(states.into_iter().cycle()) {
                outcome.state = state;
                outcome.code = Some("denied".into());
                outcome.message = Some(Text::new("no", "不行"));
                outcome.record = Some((object("task"), id(6)));
                outcome.log = Some(11);
            }
            let bytes = stored::encode(&decision);
            assert_eq!(stored::decode(id(2), &bytes).unwrap(), decision);
            assert_eq!(stored::is_refusal(&bytes), Some(kind.is_refusal()), "{kind:?}");
            assert!(stored::decode(id(2), &bytes[..bytes.len() - 1]).is_err(), "a cut value is named");
        }
    }
}

#[test]
fn capsules_survive_being_stored_short_and_long() {
    for capsule in capsules() {
        let bytes = capsule::encode(&capsule);
        assert_eq!(capsule::decode(id(2), &bytes).unwrap(), capsule);
        assert_eq!(bytes, capsule::encode(&capsule::decode(id(2), &bytes).unwrap()), "the same bytes");
    }
    let mut long = capsules().remove(0);
    long.output = "x".repeat(1 << 20);
    let bytes = capsule::encode(&long);
    assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
    assert_eq!(capsule::decode(id(2), &bytes).unwrap(), long);
    for cut in [1, bytes.len() / 2, bytes.len() - 1] {
        let error = capsule::decode(id(2), &bytes[..cut]).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}

#[tokio::test]
async fn decisions_are_listed_newest_first_and_by_what_is_asked() {
    let records = records().await;
    let kinds = [DecisionKind::Triage, DecisionKind::Veto, DecisionKind::Rule, DecisionKind::Event];
    for number in 0..40_u128 {
        let by = if number % 2 == 0 { by_plugin() } else { by_rule() };
        let kind = kinds[usize::try_from(number).unwrap() % kinds.len()];
        let (decision, _) = new_decision(kind, by, number % 3).into_decision(id(1_000 + number));
        put(&records, &decision, None).await.unwrap();
    }
    let page = |query: DecisionQuery, after: Option<u128>, max: usize| {
        let records = Arc::clone(&records);
        async move {
            let page = list(&records, &query, after.map(id), max).await.unwrap();
            let ids =
                page.decisions.iter().map(|decision| decision.id.0.as_u128() - 1_000).collect::<Vec<_>>();
            (ids, page.next.map(|next| next.0.as_u128()))
        }
    };
    let all = DecisionQuery::default;
    assert_eq!(page(all(), None, 3).await, (vec![39, 38, 37], Some(1_037)));
    assert_eq!(page(all(), Some(1_037), 2).await, (vec![36, 35], Some(1_035)));
    assert_eq!(page(all(), Some(1_001), 9).await, (vec![0], None));
    let of_record =
        || DecisionQuery { object: Some(object("case")), record: Some(id(1)), ..Default::default() };
    assert_eq!(page(of_record(), None, 2).await, (vec![37, 34], Some(1_034)));
    assert_eq!(page(of_record(), Some(1_034), 2).await.0, [31, 28]);
    let by_plugin = DecisionQuery { plugin: Some(PluginId::new("complaint-desk").unwrap()), ..of_record() };
    assert_eq!(page(by_plugin, None, 2).await.0, [34, 28]);
    let of_rule = DecisionQuery { rule: Some(id(77)), kind: Some(DecisionKind::Veto), ..all() };
    assert_eq!(page(of_rule, None, 3).await.0, [37, 33, 29]);
    let unknown = DecisionQuery { object: Some(object("nothing")), record: Some(id(1)), ..all() };
    assert!(list(&records, &unknown, None, 1).await.is_err());
    let without_object = DecisionQuery { record: Some(id(1)), ..all() };
    assert!(list(&records, &without_object, None, 1).await.is_err());
}

#[tokio::test]
async fn the_oldest_go_and_refusals_have_a_limit_of_their_own() {
    let records = records().await;
    let many = vec![Reason { code: "long".into(), text: Text::new("x".repeat(5_000), ""), weight: 0.0 }; 3];
    for number in 0..30_u128 {
        let kind = if number < 20 { DecisionKind::Veto } else { DecisionKind::Rule };
        let (mut decision, _) = new_decision(kind, by_rule(), number).into_decision(id(1_000 + number));
        decision.has_capsule = true;
        let capsule = capsules().pop();
        let long = Decision { reasons: many.clone(), ..decision.clone() };
        put(&records, &long, capsule.as_ref()).await.unwrap();
        // Put again in a shorter form: parts of the longer one stay behind until it is pruned.
        put(&records, &decision, None).await.unwrap();
    }
    let pruner = Pruner::new(8, 5);
    assert_eq!(pruner.prune(&records).await.unwrap(), 15 + 2);
    let left = list(&records, &DecisionQuery::default(), None, 200).await.unwrap();
    let left: Vec<_> = left.decisions.iter().map(|decision| decision.id.0.as_u128() - 1_000).collect();
    assert_eq!(left, [29, 28, 27, 26, 25, 24, 23, 22, 19, 18, 17, 16, 15]);
    assert_eq!(pruner.prune(&records).await.unwrap(), 0);

    Pruner::new(0, 0).prune(&records).await.unwrap();
    let rows = |prefix: u8| {
        let records = Arc::clone(&records);
        async move { records.store().scan(ScanRange::prefix(&[prefix]), 10).await.unwrap().rows.len() }
    };
    for prefix in [0x57, 0x59, 0x5a, 0x5b] {
        assert_eq!(rows(prefix).await, 0, "{prefix:02x} is empty");
    }
}
