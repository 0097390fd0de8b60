//! What the desk decides about claims, and that none can get stuck.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written apart")]

use insurance_desk::{CONTACT, Config, DECISION, InsuranceDesk, PAYMENT, Step};
use proptest::prelude::*;
use trellis_sdk::testing::{RecordBuilder, context, lookups, record, work_item};
use trellis_sdk::{Action, Context, Decision, FieldValue, Occurrence, ServiceWorkflow, Value, WorkItem};

const ACCOUNT: &str = "00000000-0000-7000-8000-00000000000a";
const CONTRACT: &str = "00000000-0000-7000-8000-00000000000c";
const ADJUSTER: &str = "00000000-0000-7000-8000-00000000000d";
const BOSS: &str = "00000000-0000-7000-8000-00000000000e";
const DAY_MS: i64 = 86_400_000;
const TODAY: i32 = 20_777;
const NOW_MS: i64 = TODAY as i64 * DAY_MS;

fn at() -> Context {
    Context { now_ms: NOW_MS, ..context() }
}

fn claim() -> RecordBuilder {
    record("case")
        .text("subject", "Hail")
        .choice("status", "new")
        .choice("kind", "insurance_desk__claim")
        .time("created_at", NOW_MS)
        .reference("account", ACCOUNT)
}

fn noticed() -> RecordBuilder {
    claim()
        .reference("insurance_desk__contract", CONTRACT)
        .choice("insurance_desk__line", "motor")
        .choice("insurance_desk__cause", "nature")
        .date("insurance_desk__loss_on", TODAY - 2)
        .money("insurance_desk__estimate", "CNY", 8_000_00)
        .money("insurance_desk__deductible", "CNY", 500_00)
}

fn contract() -> RecordBuilder {
    record("contract")
        .id(CONTRACT)
        .reference("account", ACCOUNT)
        .date("starts_on", TODAY - 200)
        .date("ends_on", TODAY + 165)
}

fn triage(case: RecordBuilder, records: Vec<RecordBuilder>) -> Decision {
    let _answers = lookups(records);
    InsuranceDesk::triage(&work_item(case), &Config::default(), &at()).unwrap()
}

fn changed(name: &str) -> Occurrence {
    Occurrence::Changed(vec![FieldValue { name: name.to_owned(), value: None }])
}

fn set(decision: &Decision, field: &str) -> Option<Value> {
    let mut sets = decision.actions.iter().filter_map(|action| match action {
        Action::SetFields(set) => set.fields.iter().find(|value| value.name == field),
        _ => None,
    });
    sets.next_back()?.value.clone()
}

fn tasks(decision: &Decision) -> usize {
    decision.actions.iter().filter(|action| matches!(action, Action::CreateTask(_))).count()
}

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

#[test]
fn a_notice_gets_its_clocks_its_reserve_and_its_step() {
    let decision = triage(noticed(), vec![contract()]);
    assert_eq!(set(&decision, "insurance_desk__step"), Some(Value::Choice("coverage".into())));
    let Some(Value::Money(reserve)) = set(&decision, "insurance_desk__reserve") else {
        panic!("{decision:?}")
    };
    assert_eq!((reserve.currency.as_str(), reserve.minor_units), ("CNY", 7_500_00));
    let timers: Vec<(String, i64)> = decision
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::StartTimer(timer) => Some((timer.name.clone(), (timer.due_ms - NOW_MS) / DAY_MS)),
            _ => None,
        })
        .collect();
    assert_eq!(timers, [(CONTACT.to_owned(), 1), (DECISION.to_owned(), 30)]);
    assert_eq!(tasks(&decision), 1);
    let empty = triage(claim(), vec![]);
    assert_eq!(set(&empty, "insurance_desk__step"), Some(Value::Choice("notice".into())));
    assert_eq!(set(&empty, "insurance_desk__reserve"), None);
}

#[test]
fn a_contract_that_did_not_run_that_day_does_not_cover() {
    for contract in [
        contract().date("starts_on", TODAY - 1),
        contract().date("ends_on", TODAY - 3),
        contract().reference("account", BOSS),
    ] {
        let decision = triage(noticed(), vec![contract]);
        assert_eq!(set(&decision, "insurance_desk__coverage"), Some(Value::Choice("not_covered".into())));
        assert_eq!(set(&decision, "insurance_desk__step"), Some(Value::Choice("settlement".into())));
        assert!(decision.reasons.iter().any(|reason| reason.code == "not-in-force"));
    }
    let edge = triage(noticed(), vec![contract().date("starts_on", TODAY - 2).date("ends_on", TODAY - 2)]);
    assert_eq!(set(&edge, "insurance_desk__coverage"), None, "both ends belong to the contract");
    let said =
        triage(noticed().choice("insurance_desk__coverage", "covered"), vec![contract().date("ends_on", 0)]);
    assert_eq!(set(&said, "insurance_desk__coverage"), None, "a person knows better");
}

#[test]
fn signs_of_fraud_are_found_one_by_one() {
    let signs = |case: RecordBuilder, mut records: Vec<RecordBuilder>| {
        if records.is_empty() {
            records.push(contract());
        }
        match set(&triage(case, records), "insurance_desk__fraud_signs") {
            Some(Value::Choices(signs)) => signs,
            _ => Vec::new(),
        }
    };
    assert_eq!(signs(noticed(), vec![]), [""; 0]);
    assert_eq!(signs(noticed(), vec![contract().date("starts_on", TODAY - 10)]), ["new_contract"]);
    assert_eq!(signs(noticed().date("insurance_desk__loss_on", TODAY - 15), vec![]), ["late_notice"]);
    assert_eq!(signs(noticed().date("insurance_desk__loss_on", TODAY - 14), vec![]), [""; 0]);
    let theft = noticed().choice("insurance_desk__cause", "theft");
    assert_eq!(signs(theft.clone(), vec![]), ["theft_unreported"]);
    assert_eq!(signs(theft.boolean("insurance_desk__police_report", true), vec![]), [""; 0]);
    assert_eq!(
        signs(noticed().money("insurance_desk__estimate", "CNY", 100_000_00), vec![]),
        ["large_estimate"]
    );
    let earlier = |id: u8, days: i64| {
        claim()
            .id(&format!("00000000-0000-7000-8000-0000000000f{id}"))
            .time("created_at", NOW_MS - days * DAY_MS)
    };
    assert_eq!(signs(noticed(), vec![contract(), earlier(1, 10), earlier(2, 300)]), ["many_claims"]);
    assert_eq!(signs(noticed(), vec![contract(), earlier(1, 10), earlier(2, 400)]), [""; 0]);
}

#[test]
fn two_signs_hold_the_settlement_until_somebody_clears_them() {
    let config = Config::default();
    let step = |case: RecordBuilder| Step::of(&work_item(case), &config);
    let assessed = noticed()
        .choice("insurance_desk__coverage", "covered")
        .reference("insurance_desk__adjuster", ADJUSTER)
        .money("insurance_desk__assessed", "CNY", 60_000_00)
        .choices("insurance_desk__fraud_signs", ["new_contract", "late_notice"]);
    assert_eq!(step(assessed.clone()), Step::Investigation);
    let cleared = assessed.clone().boolean("insurance_desk__fraud_cleared", true);
    assert_eq!(step(cleared.clone()), Step::Settlement);
    let declined = assessed
        .choice("insurance_desk__outcome", "decline")
        .text("insurance_desk__decline_reason", "staged");
    assert_eq!(step(declined), Step::Finished);
    let paid = cleared.choice("insurance_desk__outcome", "pay").money(
        "insurance_desk__settlement",
        "CNY",
        59_500_00,
    );
    assert_eq!(step(paid.clone()), Step::Settlement, "nobody authorised it");
    assert_eq!(step(paid.clone().reference("insurance_desk__authorised_by", ADJUSTER)), Step::Settlement);
    let authorised = paid.reference("insurance_desk__authorised_by", BOSS);
    assert_eq!(step(authorised.clone()), Step::Payment);
    assert_eq!(step(authorised.date("insurance_desk__paid_on", TODAY)), Step::Finished);
}

#[test]
fn the_payment_has_a_clock_of_its_own() {
    let (_answers, config) = (lookups([contract()]), Config::default());
    let payable = noticed()
        .choice("insurance_desk__step", "settlement")
        .choice("insurance_desk__coverage", "covered")
        .reference("insurance_desk__adjuster", ADJUSTER)
        .money("insurance_desk__assessed", "CNY", 7_000_00)
        .choice("insurance_desk__outcome", "pay")
        .money("insurance_desk__settlement", "CNY", 6_500_00);
    let item = work_item(payable.clone());
    let decision =
        InsuranceDesk::on_event(&item, &changed("insurance_desk__outcome"), &config, &at()).unwrap();
    assert_eq!(set(&decision, "insurance_desk__step"), Some(Value::Choice("payment".into())));
    assert!(decision.actions.contains(&item.start_timer(PAYMENT, NOW_MS + 10 * DAY_MS).into()));
    assert!(decision.actions.contains(&item.cancel_timer(DECISION).into()));
    let late = InsuranceDesk::on_event(&item, &Occurrence::Timer(PAYMENT.into()), &config, &at()).unwrap();
    assert_eq!(late.reasons[0].code, "payment-overdue");
    let done = work_item(payable.date("insurance_desk__paid_on", TODAY));
    let decision =
        InsuranceDesk::on_event(&done, &changed("insurance_desk__paid_on"), &config, &at()).unwrap();
    let Some(Value::Money(reserve)) = set(&decision, "insurance_desk__reserve") else {
        panic!("{decision:?}")
    };
    assert_eq!(reserve.minor_units, 0, "what is paid needs no reserve");
}

#[test]
fn timers_speak_up_only_where_something_is_left_undone() {
    let config = Config::default();
    let on = |case: RecordBuilder, timer: &str| {
        InsuranceDesk::on_event(&work_item(case), &Occurrence::Timer(timer.into()), &config, &at()).unwrap()
    };
    assert_eq!(on(noticed(), CONTACT).reasons[0].code, "no-contact");
    assert!(on(noticed().choice("status", "open"), CONTACT).is_nothing());
    assert_eq!(on(noticed(), DECISION).reasons[0].code, "decision-overdue");
    assert!(on(noticed(), PAYMENT).is_nothing());
    assert!(on(noticed().choice("status", "closed"), DECISION).is_nothing());
    let other = record("case").choice("kind", "question");
    assert!(on(other.clone(), DECISION).is_nothing());
    assert!(InsuranceDesk::triage(&work_item(other), &config, &at()).unwrap().is_nothing());
}

prop_compose! {
    fn any_claim()(
        fields in prop::sample::subsequence(
            vec!["account", "insurance_desk__contract", "insurance_desk__line", "insurance_desk__cause", "insurance_desk__loss_on",
                 "insurance_desk__estimate", "insurance_desk__adjuster", "insurance_desk__assessed", "insurance_desk__settlement",
                 "insurance_desk__decline_reason", "insurance_desk__authorised_by", "insurance_desk__paid_on", "resolution"],
            0..=13,
        ),
        coverage in prop::option::of(any::<bool>()),
        outcome in prop::option::of(any::<bool>()),
        cleared in prop::option::of(any::<bool>()),
        theft in any::<bool>(),
        same in any::<bool>(),
        large in any::<bool>(),
        days in 0_i32..40,
    ) -> RecordBuilder {
        let mut case = claim().null("account");
        for field in fields {
            case = fill(case, field, same, large, days, theft);
        }
        let yes_no = |yes: bool, options: [&str; 2]| Value::Choice(options[usize::from(!yes)].to_owned());
        case.set("insurance_desk__coverage", coverage.map(|yes| yes_no(yes, ["covered", "not_covered"])))
            .set("insurance_desk__outcome", outcome.map(|yes| yes_no(yes, ["pay", "decline"])))
            .set("insurance_desk__fraud_cleared", cleared.map(Value::Boolean))
    }
}

fn fill(case: RecordBuilder, field: &str, same: bool, large: bool, days: i32, theft: bool) -> RecordBuilder {
    let amount = if large { 120_000_00 } else { 5_000_00 };
    match field {
        "account" => case.reference("account", ACCOUNT),
        "insurance_desk__contract" => case.reference(field, CONTRACT),
        "insurance_desk__line" => case.choice(field, "motor"),
        "insurance_desk__cause" => case.choice(field, if theft { "theft" } else { "fire" }),
        "insurance_desk__loss_on" => case.date(field, TODAY - days),
        "insurance_desk__adjuster" => case.reference(field, ADJUSTER),
        "insurance_desk__authorised_by" => case.reference(field, if same { ADJUSTER } else { BOSS }),
        "insurance_desk__paid_on" => case.date(field, TODAY),
        "insurance_desk__decline_reason" | "resolution" => case.text(field, "because"),
        _ => case.money(field, "CNY", amount),
    }
}

proptest! {
    /// Doing what the desk asks for, one requirement after the other, always ends with a claim that may be closed.
    #[test]
    fn there_is_a_way_on_from_everywhere(case in any_claim(), pays in any::<bool>()) {
        let (_answers, config) = (lookups([contract()]), Config::default());
        let mut case = case;
        for _ in 0..30 {
            let item = work_item(case.clone());
            let brought = after(&item, &InsuranceDesk::on_event(&item, &changed("insurance_desk__cause"), &config, &at()).unwrap());
            for field in ["insurance_desk__fraud_signs", "insurance_desk__coverage"] {
                case = case.set(field, brought.value(field).cloned());
            }
            let missing = InsuranceDesk::close_check(&brought, &config, &at()).unwrap();
            let Some(first) = missing.first() else {
                prop_assert_eq!(Step::of(&brought, &config), Step::Finished);
                return Ok(());
            };
            prop_assert!(!first.message.zh_cn.is_empty());
            case = match (first.field.as_deref().unwrap(), first.code.as_str()) {
                ("insurance_desk__coverage", _) => case.choice("insurance_desk__coverage", "covered"),
                (_, "pays-without-coverage") => case.choice("insurance_desk__outcome", "decline"),
                ("insurance_desk__outcome", _) => case.choice("insurance_desk__outcome", if pays { "pay" } else { "decline" }),
                ("insurance_desk__fraud_cleared", _) => case.boolean("insurance_desk__fraud_cleared", true),
                (field, _) => fill(case, field, false, false, 2, false),
            };
        }
        prop_assert!(false, "there was no end of it");
    }

    /// Nothing closes before its end, and what was brought up to date is left alone.
    #[test]
    fn nothing_closes_early_and_nothing_is_done_twice(case in any_claim()) {
        let (_answers, config) = (lookups([contract()]), Config::default());
        let item = work_item(case);
        let event = changed("insurance_desk__estimate");
        let decision = InsuranceDesk::on_event(&item, &event, &config, &at()).unwrap();
        prop_assert!(decision.reasons.len() <= 5);
        let after = after(&item, &decision);
        let missing = InsuranceDesk::close_check(&after, &config, &at()).unwrap();
        let finished = Step::of(&after, &config) == Step::Finished;
        prop_assert_eq!(missing.iter().all(|one| one.code == "resolution-missing"), finished);
        prop_assert!(InsuranceDesk::on_event(&after, &event, &config, &at()).unwrap().is_nothing());
    }
}
