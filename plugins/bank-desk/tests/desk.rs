//! What the desk decides, and that no case can get stuck.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written apart")]

use bank_desk::{BankDesk, Config, DEADLINE, DOCUMENTS, Matter, Step, WARNING};
use proptest::prelude::*;
use trellis_sdk::testing::{RecordBuilder, context, record, work_item};
use trellis_sdk::{Action, Context, Decision, FieldValue, Occurrence, ServiceWorkflow, Value, WorkItem};

const ONE: &str = "00000000-0000-7000-8000-00000000000a";
const OTHER: &str = "00000000-0000-7000-8000-00000000000b";
const DAY_MS: i64 = 86_400_000;
/// 2026-11-20T00:00:00Z
const NOW_MS: i64 = 20_777 * DAY_MS;
const DOCUMENT_OPTIONS: [&str; 9] = [
    "identity",
    "statement",
    "police_report",
    "receipt",
    "merchant_correspondence",
    "application_form",
    "income_proof",
    "credit_report",
    "collateral_valuation",
];

fn at() -> Context {
    Context { now_ms: NOW_MS, ..context() }
}

fn dispute() -> RecordBuilder {
    record("case")
        .text("subject", "Unknown payment")
        .choice("status", "new")
        .choice("kind", "bank_desk__card_dispute")
        .time("created_at", NOW_MS)
}

fn told(amount: i64) -> RecordBuilder {
    dispute()
        .money("bank_desk__amount", "CNY", amount)
        .choice("bank_desk__reason", "duplicate")
        .date("bank_desk__transaction_on", 20_700)
}

fn subjects(decision: &Decision) -> Vec<&str> {
    let subject = |action: &'_ Action| match action {
        Action::CreateTask(task) => Some(task.subject.en.as_str().to_owned()),
        _ => None,
    };
    let all: Vec<String> = decision.actions.iter().filter_map(subject).collect();
    all.into_iter().map(|text| &*Box::leak(text.into_boxed_str())).collect()
}

fn timers(decision: &Decision) -> Vec<(String, i64)> {
    let timer = |action: &Action| match action {
        Action::StartTimer(timer) => Some((timer.name.clone(), (timer.due_ms - NOW_MS) / DAY_MS)),
        _ => None,
    };
    decision.actions.iter().filter_map(timer).collect()
}

/// What the decision makes of the record.
fn after(case: &WorkItem, decision: &Decision) -> WorkItem {
    let mut case = case.clone();
    for action in &decision.actions {
        let Action::SetFields(set) = action else { continue };
        for field in &set.fields {
            case.item.fields.retain(|known| known.name != field.name);
            case.item.fields.push(field.clone());
        }
    }
    case
}

fn changed(name: &str) -> Occurrence {
    Occurrence::Changed(vec![FieldValue { name: name.to_owned(), value: None }])
}

#[test]
fn a_new_dispute_gets_its_clock_and_asks_for_documents() {
    let decision = BankDesk::triage(&work_item(told(120_00)), &Config::default(), &at()).unwrap();
    assert!(subjects(&decision)[0].starts_with("Ask the customer for documents"));
    let clock = [(DOCUMENTS.to_owned(), 5), (WARNING.to_owned(), 12), (DEADLINE.to_owned(), 15)];
    assert_eq!(timers(&decision), clock);
    assert_eq!(decision.reasons[0].code, "regulator-clock");
    let late = BankDesk::triage(
        &work_item(told(1).date("bank_desk__transaction_on", 20_000)),
        &Config::default(),
        &at(),
    );
    assert_eq!(late.unwrap().reasons[1].code, "disputed-late");
}

#[test]
fn cases_of_others_are_left_alone() {
    let case = work_item(record("case").choice("kind", "complaint").choice("status", "new"));
    let config = Config::default();
    assert!(BankDesk::triage(&case, &config, &at()).unwrap().is_nothing());
    assert!(BankDesk::on_event(&case, &changed("status"), &config, &at()).unwrap().is_nothing());
    assert!(BankDesk::close_check(&case, &config, &at()).unwrap().is_empty());
    assert!(BankDesk::suggest(&case, &config, &at()).unwrap().is_empty());
}

#[test]
fn documents_depend_on_reason_and_amount() {
    let config = Config::default();
    let required = |case: RecordBuilder| {
        let case = work_item(case);
        let all = Matter::of(&case).unwrap().required(&case, &config);
        all.into_iter().map(|document| document.option()).collect::<Vec<_>>()
    };
    assert_eq!(required(told(1)), ["statement", "receipt"]);
    let stolen = told(1).choice("bank_desk__reason", "unauthorised");
    assert_eq!(required(stolen), ["identity", "statement", "police_report"]);
    let loan = |amount: i64| {
        record("case").choice("kind", "bank_desk__loan_application").money("bank_desk__amount", "CNY", amount)
    };
    assert_eq!(required(loan(199_999_99)).len(), 4);
    assert_eq!(required(loan(200_000_00)).last(), Some(&"collateral_valuation"));
}

#[test]
fn a_case_goes_from_documents_to_review_to_approval_to_its_decision() {
    let config = Config::default();
    let mut case = told(60_000_00).choice("bank_desk__step", "documents");
    let mut steps = Vec::new();
    for (field, value) in [
        ("bank_desk__documents", Value::Choices(vec!["statement".into(), "receipt".into()])),
        ("bank_desk__decision", Value::Choice("refused".into())),
        ("bank_desk__decided_by", Value::Reference(ONE.into())),
        ("bank_desk__decision_reason", Value::Text("It was one payment".into())),
        ("bank_desk__approved_by", Value::Reference(ONE.into())),
        ("bank_desk__approved_by", Value::Reference(OTHER.into())),
    ] {
        case = case.set(field, Some(value));
        let item = work_item(case.clone());
        let decision = BankDesk::on_event(&item, &changed(field), &config, &at()).unwrap();
        let after = after(&item, &decision);
        case = case.choice("bank_desk__step", after.choice("bank_desk__step").unwrap());
        steps.push((after.choice("bank_desk__step").unwrap().to_owned(), subjects(&decision).len()));
    }
    let expected =
        [("review", 1), ("review", 0), ("review", 0), ("approval", 1), ("approval", 0), ("decided", 1)];
    assert_eq!(steps, expected.map(|(step, tasks)| (step.to_owned(), tasks)));
    let codes = |case: RecordBuilder| {
        let missing = BankDesk::close_check(&work_item(case), &config, &at()).unwrap();
        missing.into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(case.clone()), ["resolution-missing"]);
    assert_eq!(codes(case.clone().text("resolution", "Told by letter")), [""; 0]);
    let same = case.reference("bank_desk__approved_by", ONE).text("resolution", "Told");
    assert_eq!(codes(same), ["approval-by-same-person"]);
}

#[test]
fn timers_speak_up_only_while_it_is_undecided() {
    let config = Config::default();
    let on = |case: RecordBuilder, timer: &str| {
        BankDesk::on_event(&work_item(case), &Occurrence::Timer(timer.into()), &config, &at()).unwrap()
    };
    for (timer, code) in
        [(DOCUMENTS, "documents-overdue"), (WARNING, "deadline-near"), (DEADLINE, "deadline-passed")]
    {
        let decision = on(told(1), timer);
        assert_eq!((decision.reasons[0].code.as_str(), subjects(&decision).len()), (code, 1));
        assert!(on(told(1).choice("status", "closed"), timer).is_nothing(), "{timer}");
    }
    let done = told(1)
        .choices("bank_desk__documents", ["statement", "receipt"])
        .choice("bank_desk__decision", "granted")
        .reference("bank_desk__decided_by", ONE);
    assert!([DOCUMENTS, WARNING, DEADLINE].into_iter().all(|timer| on(done.clone(), timer).is_nothing()));
    assert!(on(told(1), "something-else").is_nothing());
}

prop_compose! {
    fn any_case()(
        loan in any::<bool>(),
        amount in prop::option::of(0_i64..100_000_000),
        reason in prop::option::of(prop::sample::select(vec!["unauthorised", "not_received", "not_as_described", "duplicate", "wrong_amount"])),
        day in prop::option::of(20_000..20_777_i32),
        documents in prop::sample::subsequence(DOCUMENT_OPTIONS.to_vec(), 0..=DOCUMENT_OPTIONS.len()),
        decision in prop::option::of(prop::sample::select(vec!["granted", "partly", "refused"])),
        why in prop::option::of("[a-z ]{0,5}"),
        people in (prop::option::of(any::<bool>()), prop::option::of(any::<bool>())),
        resolution in prop::option::of("[a-z ]{0,5}"),
        step in prop::option::of(prop::sample::select(vec!["documents", "review", "approval", "decided"])),
    ) -> RecordBuilder {
        let who = |one: bool| Value::Reference(if one { ONE } else { OTHER }.to_owned());
        let kind = if loan { "bank_desk__loan_application" } else { "bank_desk__card_dispute" };
        let case = dispute().choice("kind", kind).choices("bank_desk__documents", documents);
        let case = match amount {
            Some(amount) => case.money("bank_desk__amount", "CNY", amount),
            None => case,
        };
        case.set("bank_desk__reason", reason.map(|reason| Value::Choice(reason.to_owned())))
            .set("bank_desk__transaction_on", day.map(Value::Date))
            .set("bank_desk__decision", decision.map(|decision| Value::Choice(decision.to_owned())))
            .set("bank_desk__decision_reason", why.map(Value::Text))
            .set("bank_desk__decided_by", people.0.map(who))
            .set("bank_desk__approved_by", people.1.map(who))
            .set("resolution", resolution.map(Value::Text))
            .set("bank_desk__step", step.map(|step| Value::Choice(step.to_owned())))
    }
}

proptest! {
    /// Doing what the desk asks for, one requirement after the other, always ends with a case that may be closed.
    #[test]
    fn there_is_a_way_on_from_everywhere(case in any_case()) {
        let config = Config::default();
        let mut case = case;
        for _ in 0..20 {
            let item = work_item(case.clone());
            let matter = Matter::of(&item).unwrap();
            let missing = BankDesk::close_check(&item, &config, &at()).unwrap();
            let Some(first) = missing.first() else {
                prop_assert_eq!(Step::of(&item, matter, &config), Step::Decided);
                return Ok(());
            };
            case = match first.field.as_deref().unwrap() {
                "bank_desk__amount" => case.money("bank_desk__amount", "CNY", 60_000_00),
                "bank_desk__reason" => case.choice("bank_desk__reason", "unauthorised"),
                "bank_desk__transaction_on" => case.date("bank_desk__transaction_on", 20_700),
                "bank_desk__documents" => case.choices("bank_desk__documents", DOCUMENT_OPTIONS),
                "bank_desk__decision" => case.choice("bank_desk__decision", "refused"),
                "bank_desk__decision_reason" => case.text("bank_desk__decision_reason", "why"),
                "bank_desk__decided_by" => case.reference("bank_desk__decided_by", ONE),
                "bank_desk__approved_by" if item.reference("bank_desk__decided_by") == Some(OTHER) => case.reference("bank_desk__approved_by", ONE),
                "bank_desk__approved_by" => case.reference("bank_desk__approved_by", OTHER),
                "resolution" => case.text("resolution", "told"),
                other => panic!("nobody knows what to do about {other}"),
            };
        }
        prop_assert!(false, "there was no end of it");
    }

    /// A case that may be closed has everything, and what was decided already is not decided again.
    #[test]
    fn nothing_closes_early_and_nothing_is_done_twice(case in any_case()) {
        let (config, item) = (Config::default(), work_item(case));
        let matter = Matter::of(&item).unwrap();
        let step = Step::of(&item, matter, &config);
        let missing = BankDesk::close_check(&item, &config, &at()).unwrap();
        prop_assert_eq!(missing.iter().all(|one| one.code == "resolution-missing"), step == Step::Decided);
        prop_assert!(missing.iter().all(|one| one.field.is_some() && !one.message.zh_cn.is_empty()));
        let decision = BankDesk::on_event(&item, &changed("bank_desk__amount"), &config, &at()).unwrap();
        let after = after(&item, &decision);
        prop_assert_eq!(after.choice("bank_desk__step"), Some(step.option()));
        prop_assert!(BankDesk::on_event(&after, &changed("bank_desk__amount"), &config, &at()).unwrap().is_nothing());
    }
}
