//! What the gate lets through.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use b2b_gate::{B2bGate, Config, Criterion, Grade};
use trellis_sdk::testing::{changed, context, created, record};
use trellis_sdk::{Change, Fields, RecordHook, Verdict};

/// A lead with a status and the grades of money, authority and need.
fn lead(status: &str, grades: [&str; 3]) -> trellis_sdk::testing::RecordBuilder {
    let mut lead = record("lead").choice("status", status);
    for (criterion, grade) in Criterion::ALL.into_iter().zip(grades) {
        if !grade.is_empty() {
            lead = lead.choice(criterion.field(), grade);
        }
    }
    lead
}

fn judge(change: &Change, config: &Config) -> Verdict {
    B2bGate::before_save(change, config, &context()).unwrap()
}

fn code(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Veto(refusal) => Some(&refusal.code),
        _ => None,
    }
}

#[test]
fn r16_a_lead_is_converted_with_money_authority_and_need() {
    let convert =
        |grades| judge(&changed(lead("qualified", grades), lead("converted", grades)), &Config::default());
    assert_eq!(convert(["yes", "yes", "yes"]), Verdict::Accept);
    for (grades, expected) in [
        (["", "yes", "yes"], "money-not-confirmed"),
        (["yes", "partly", "yes"], "authority-not-confirmed"),
        (["yes", "yes", "no"], "need-not-confirmed"),
        (["no", "no", "no"], "money-not-confirmed"),
        (["yes", "yes", "unknown"], "need-not-confirmed"),
    ] {
        assert_eq!(code(&convert(grades)), Some(expected), "{grades:?}");
    }
}

#[test]
fn the_refusal_says_in_both_languages_all_that_is_missing() {
    let grades = ["yes", "partly", ""];
    let verdict = judge(&changed(lead("contacted", grades), lead("converted", grades)), &Config::default());
    let Verdict::Veto(refusal) = verdict else { panic!("{verdict:?}") };
    assert_eq!(refusal.field.as_deref(), Some("authority_grade"));
    assert!(refusal.message.en.contains("authority (partly), need (unknown)"), "{}", refusal.message.en);
    assert!(
        refusal.message.zh_cn.contains("购买决定权（部分确认）、需求（未知）"),
        "{}",
        refusal.message.zh_cn
    );
}

#[test]
fn a_lead_that_is_created_as_converted_is_judged_too() {
    assert_eq!(
        code(&judge(&created(lead("converted", ["yes", "yes", ""])), &Config::default())),
        Some("need-not-confirmed")
    );
    assert_eq!(
        judge(&created(lead("converted", ["yes", "yes", "yes"])), &Config::default()),
        Verdict::Accept
    );
}

#[test]
fn a_written_reason_allows_an_exception() {
    let with = |reason: &str| {
        let after = lead("converted", ["yes", "", ""]).text("qualification_override", reason);
        judge(&changed(lead("qualified", ["yes", "", ""]), after), &Config::default())
    };
    assert_eq!(code(&with("   short   ")), Some("authority-not-confirmed"));
    assert_eq!(with("The board promised to sign on Monday"), Verdict::Accept);
    assert_eq!(with("董事会已口头同意，下周一签字"), Verdict::Accept, "characters count, not bytes");
}

#[test]
fn what_is_converted_already_is_left_alone() {
    let change = changed(lead("converted", ["yes", "yes", "yes"]), lead("converted", ["no", "yes", "yes"]));
    assert_eq!(judge(&change, &Config::default()), Verdict::Accept);
}

#[test]
fn a_contacted_lead_that_has_all_of_them_becomes_qualified() {
    let qualified = Verdict::patch(Fields::default().choice("status", "qualified"));
    let change = changed(lead("contacted", ["yes", "yes", ""]), lead("contacted", ["yes", "yes", "yes"]));
    assert_eq!(judge(&change, &Config::default()), qualified);
    let never = Config { qualify_automatically: false, ..Config::default() };
    assert_eq!(judge(&change, &never), Verdict::Accept);
    let by_hand = changed(lead("qualified", ["yes", "yes", "yes"]), lead("contacted", ["yes", "yes", "yes"]));
    assert_eq!(judge(&by_hand, &Config::default()), Verdict::Accept, "who takes a lead back means it");
    let disqualified =
        changed(lead("disqualified", ["yes", "yes", ""]), lead("disqualified", ["yes", "yes", "yes"]));
    assert_eq!(judge(&disqualified, &Config::default()), Verdict::Accept);
}

#[test]
fn settings_change_what_is_asked_for() {
    let grades = ["", "partly", ""];
    let change = changed(lead("qualified", grades), lead("converted", grades));
    let authority = Config { required: vec![Criterion::Authority], ..Config::default() };
    assert_eq!(code(&judge(&change, &authority)), Some("authority-not-confirmed"));
    assert_eq!(judge(&change, &Config { least: Grade::Partly, ..authority }), Verdict::Accept);
    let nothing = Config { required: Vec::new(), ..Config::default() };
    assert_eq!(judge(&change, &nothing), Verdict::Accept);
}
