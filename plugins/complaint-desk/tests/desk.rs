//! What the desk decides about complaints.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use complaint_desk::{ComplaintDesk, Config, Item, Severity, Threshold, Want};
use trellis_sdk::testing::{self, RecordBuilder, context, record, work_item, work_item_of};
use trellis_sdk::{Action, Context, Decision, Occurrence, ServiceWorkflow, Value, WorkItem};

const ACCOUNT: &str = "00000000-0000-7000-8000-00000000000a";
const OTHER: &str = "00000000-0000-7000-8000-00000000000b";
/// 2026-11-21T00:00:00Z
const NOW_MS: i64 = 1_795_219_200_000;
const HOUR_MS: i64 = 3_600_000;

fn now() -> Context {
    Context { now_ms: NOW_MS, ..context() }
}

fn complaint(dissatisfaction: &str) -> RecordBuilder {
    let case = record("case").text("subject", "Broken").choice("kind", "complaint").choice("status", "new");
    let case = case.reference("account", ACCOUNT).time("created_at", NOW_MS);
    if dissatisfaction.is_empty() { case } else { case.choice("dissatisfaction", dissatisfaction) }
}

fn complete(case: RecordBuilder) -> RecordBuilder {
    let case = case
        .text("what_happened", "It broke")
        .text("how_it_happened", "On the way")
        .text("other_reasons", "none");
    let case = case.text("dissatisfaction_reason", "The box").reference("sales_representative", OTHER);
    case.choice("customer_reasonable", "yes")
        .text("desired_resolution", "Replace it")
        .choice("customer_kind", "existing")
}

fn of_customer(case: RecordBuilder) -> WorkItem {
    work_item_of(record("account").id(ACCOUNT).text("name", "Acme"), case)
}

fn triage(case: RecordBuilder) -> Decision {
    ComplaintDesk::triage(&of_customer(case), &Config::default(), &now()).unwrap()
}

fn set(decision: &Decision, field: &str) -> Option<Value> {
    decision.actions.iter().find_map(|action| match action {
        Action::SetFields(set) => set.fields.iter().find(|value| value.name == field)?.value.clone(),
        _ => None,
    })
}

fn subjects(decision: &Decision) -> Vec<String> {
    let subject = |action: &Action| match action {
        Action::CreateTask(task) => Some(task.subject.en.clone()),
        _ => None,
    };
    decision.actions.iter().filter_map(subject).collect()
}

#[test]
fn r45_the_five_forms_of_dissatisfaction_rise_in_severity() {
    let _nobody = testing::lookups([]);
    for (form, severity, priority, hours) in [
        ("spread_dissatisfaction", "low", "low", 72),
        ("stopped_buying", "medium", "normal", 24),
        ("complained_to_company", "medium", "normal", 24),
        ("complained_to_authority", "high", "high", 8),
        ("legal_action", "critical", "urgent", 2),
        ("", "medium", "normal", 24),
    ] {
        let decision = triage(complaint(form));
        assert_eq!(set(&decision, "severity"), Some(Value::Choice(severity.into())), "{form}");
        assert_eq!(set(&decision, "priority"), Some(Value::Choice(priority.into())), "{form}");
        assert_eq!(set(&decision, "due_at"), Some(Value::Time(NOW_MS + hours * HOUR_MS)), "{form}");
        let alerted = subjects(&decision).iter().any(|subject| subject.starts_with("Severe complaint"));
        assert_eq!(alerted, ["high", "critical"].contains(&severity), "{form}");
        let timer = Action::from(
            of_customer(complaint(form)).start_timer("first-response", NOW_MS + hours * HOUR_MS),
        );
        assert!(decision.actions.contains(&timer), "{form}");
        assert!(!decision.reasons[0].text.zh_cn.is_empty());
    }
}

#[test]
fn what_is_no_complaint_is_left_alone() {
    let question = record("case").choice("kind", "question").choice("status", "new");
    assert!(triage(question.clone()).is_nothing());
    assert!(
        ComplaintDesk::suggest(&work_item(question.clone()), &Config::default(), &now()).unwrap().is_empty()
    );
    assert!(ComplaintDesk::close_check(&work_item(question), &Config::default(), &now()).unwrap().is_empty());
}

#[test]
fn another_complaint_within_the_days_raises_the_severity() {
    let earlier = |days: i64, kind: &str| {
        let case = record("case")
            .id(OTHER)
            .choice("kind", kind)
            .choice("status", "closed")
            .reference("account", ACCOUNT);
        case.time("created_at", NOW_MS - days * 24 * HOUR_MS)
    };
    let severity = |before: RecordBuilder| {
        let _answers = testing::lookups([before, complaint("stopped_buying")]);
        set(&triage(complaint("stopped_buying")), "severity")
    };
    assert_eq!(severity(earlier(30, "complaint")), Some(Value::Choice("high".into())));
    assert_eq!(severity(earlier(91, "complaint")), Some(Value::Choice("medium".into())));
    assert_eq!(severity(earlier(30, "question")), Some(Value::Choice("medium".into())));
    let _answers = testing::lookups([earlier(1, "complaint")]);
    let off = Config { repeat_days: 0, ..Config::default() };
    let decision = ComplaintDesk::triage(&of_customer(complaint("stopped_buying")), &off, &now()).unwrap();
    assert_eq!(set(&decision, "severity"), Some(Value::Choice("medium".into())));
}

#[test]
fn r47_the_record_is_completed_and_the_eighth_item_filled_in() {
    let _answers = testing::lookups([record("order").reference("account", ACCOUNT)]);
    let decision = triage(complaint("stopped_buying").text("what_happened", "It broke"));
    assert_eq!(set(&decision, "customer_kind"), Some(Value::Choice("existing".into())));
    let Some(Action::CreateTask(task)) =
        decision.actions.iter().find(|action| matches!(action, Action::CreateTask(_)))
    else {
        panic!("{decision:?}")
    };
    assert!(task.subject.zh_cn.starts_with("补全投诉记录：Acme: Broken"), "{}", task.subject.zh_cn);
    assert_eq!((task.account.as_deref(), task.case_id.is_some()), (Some(ACCOUNT), true));
    for (item, there) in
        [(Item::WhatHappened, false), (Item::HowItHappened, true), (Item::CustomerKind, false)]
    {
        let (en, zh) = item.words();
        assert_eq!(
            (task.description.en.contains(en), task.description.zh_cn.contains(zh)),
            (there, there),
            "{item:?}"
        );
    }
    drop(_answers);
    let _nobody = testing::lookups([]);
    let decision = triage(complete(complaint("stopped_buying")).choice("customer_kind", "existing"));
    assert_eq!(set(&decision, "customer_kind"), Some(Value::Choice("new".into())), "no orders");
    assert!(subjects(&decision).is_empty(), "nothing is missing");
}

#[test]
fn what_was_decided_already_is_not_decided_again() {
    let _nobody = testing::lookups([]);
    let judged = complaint("legal_action")
        .choice("severity", "critical")
        .choice("priority", "urgent")
        .choice("customer_kind", "new");
    let judged = judged.time("due_at", NOW_MS + 2 * HOUR_MS);
    let changed =
        Occurrence::Changed(vec![trellis_sdk::FieldValue { name: "dissatisfaction".into(), value: None }]);
    let on_event = |case: RecordBuilder| {
        ComplaintDesk::on_event(&of_customer(case), &changed, &Config::default(), &now()).unwrap()
    };
    assert!(on_event(judged.clone()).is_nothing());
    let milder = on_event(judged.clone().choice("dissatisfaction", "stopped_buying"));
    assert_eq!(set(&milder, "severity"), Some(Value::Choice("medium".into())));
    assert!(subjects(&milder).is_empty(), "it became milder: nobody is alerted");
    let worse = on_event(complaint("legal_action").choice("severity", "medium"));
    assert!(subjects(&worse)[0].starts_with("Severe complaint"));
    assert!(on_event(judged.choice("status", "resolved")).is_nothing());
}

#[test]
fn a_complaint_that_nobody_takes_up_escalates_once() {
    let timer = Occurrence::Timer("first-response".into());
    let on_timer = |case: RecordBuilder| {
        ComplaintDesk::on_event(&of_customer(case), &timer, &Config::default(), &now()).unwrap()
    };
    let decision = on_timer(complaint("stopped_buying").choice("priority", "normal"));
    assert_eq!(set(&decision, "priority"), Some(Value::Choice("urgent".into())));
    assert!(subjects(&decision)[0].starts_with("Complaint without an answer"));
    assert!(on_timer(complaint("stopped_buying").choice("status", "open")).is_nothing());
    let other = Occurrence::Timer("something-else".into());
    assert!(
        ComplaintDesk::on_event(&of_customer(complaint("")), &other, &Config::default(), &now())
            .unwrap()
            .is_nothing()
    );
}

#[test]
fn taking_it_up_ends_the_timer_and_solving_it_asks_for_a_call() {
    let moved = Occurrence::Changed(vec![trellis_sdk::FieldValue {
        name: "status".into(),
        value: Some(Value::Choice("new".into())),
    }]);
    let on_event = |status: &str| {
        let case = of_customer(complaint("stopped_buying").choice("status", status));
        ComplaintDesk::on_event(&case, &moved, &Config::default(), &now()).unwrap()
    };
    assert!(matches!(on_event("open").actions.as_slice(), [Action::CancelTimer(_)]));
    let resolved = on_event("resolved");
    let [Action::CancelTimer(_), Action::CreateTask(task)] = resolved.actions.as_slice() else {
        panic!("{resolved:?}")
    };
    assert_eq!(task.due_in_days, Some(3));
    for want in ["认真对待", "聆听", "行动", "补偿", "认同和尊重"] {
        assert!(task.description.zh_cn.contains(want), "R46: {want}");
    }
}

#[test]
fn suggestions_follow_severity_and_wish() {
    let names = |case: RecordBuilder| {
        let all = ComplaintDesk::suggest(&of_customer(case), &Config::default(), &now()).unwrap();
        assert!(all.iter().all(|one| !one.actions.is_empty() && !one.reasons.is_empty()));
        all.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(names(complaint("")), ["apologise", "complete_record"]);
    let severe = complete(complaint("legal_action")).choice("severity", "critical");
    assert_eq!(names(severe.clone()), ["apologise", "escalate", "compensate", "settle"]);
    assert_eq!(names(severe.clone().choice("priority", "urgent")), ["apologise", "compensate", "settle"]);
    let resolved = severe.clone().choice("status", "resolved").text("resolution", "Replaced");
    assert_eq!(names(resolved.clone()), ["complete_record"]);
    let learned = resolved.text("complaint_desk__root_cause", "A thin box");
    let learned = learned.text("complaint_desk__corrective_action", "A thicker box");
    assert_eq!(names(learned.choices("complaint_desk__wants_met", ["serious"])), ["close"]);
    assert_eq!(names(severe.choice("status", "closed")), [""; 0]);
}

#[test]
fn it_is_closed_only_with_a_resolution_and_a_complete_record() {
    let codes = |case: RecordBuilder| {
        let missing = ComplaintDesk::close_check(&of_customer(case), &Config::default(), &now()).unwrap();
        assert!(missing.iter().all(|one| !one.message.zh_cn.is_empty()));
        missing.into_iter().map(|one| (one.code, one.field.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(codes(complete(complaint("")).text("resolution", "Replaced")), []);
    assert_eq!(codes(complete(complaint(""))), [("resolution-missing".into(), "resolution".into())]);
    let blank = complete(complaint(""))
        .text("resolution", "Replaced")
        .text("how_it_happened", "  ")
        .null("other_reasons");
    assert_eq!(
        codes(blank),
        [("item-missing".into(), "how_it_happened".into())],
        "other reasons need not be there"
    );
    assert_eq!(codes(complaint("")).len(), 7);
}

#[test]
fn severities_compare() {
    assert!(Severity::Low < Severity::Medium && Severity::High < Severity::Critical);
    assert_eq!(Severity::Critical.raised(), Severity::Critical);
}

fn change(name: &str) -> trellis_sdk::FieldValue {
    trellis_sdk::FieldValue { name: name.into(), value: None }
}

fn changed(name: &str) -> Occurrence {
    Occurrence::Changed(vec![change(name)])
}

fn on(case: RecordBuilder, event: &Occurrence) -> Decision {
    ComplaintDesk::on_event(&of_customer(case), event, &Config::default(), &now()).unwrap()
}

#[test]
fn r46_a_severe_complaint_is_closed_only_with_the_five_wants_and_its_cause() {
    let codes = |case: RecordBuilder, config: &Config| {
        let missing = ComplaintDesk::close_check(&of_customer(case), config, &now()).unwrap();
        missing.into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    let severe =
        complete(complaint("legal_action")).choice("severity", "critical").text("resolution", "Replaced");
    let all = ["wants-missing", "root-cause-missing", "corrective-action-missing"];
    assert_eq!(codes(severe.clone(), &Config::default()), all);
    let never = Config { wants_required_from: None, root_cause_from: None, ..Config::default() };
    assert_eq!(codes(severe.clone(), &never), [""; 0]);
    let always = Config { wants_required_from: Some(Threshold::Low), ..never };
    assert_eq!(codes(severe.clone().choice("severity", "low"), &always), ["wants-missing"]);
    let done = severe
        .choices("complaint_desk__wants_met", [Want::Serious.option()])
        .text("complaint_desk__root_cause", "The box is too thin")
        .text("complaint_desk__corrective_action", "A thicker box");
    assert_eq!(codes(done, &Config::default()), [""; 0]);
    let config: Config =
        trellis_sdk::parse_config(r#"{"wants_required_from":"never","root_cause_from":"medium"}"#).unwrap();
    assert_eq!((config.wants_required_from, config.root_cause_from), (None, Some(Threshold::Medium)));
    assert!(trellis_sdk::parse_config::<Config>(r#"{"root_cause_from":"sometimes"}"#).is_err());
}

#[test]
fn r48_cause_action_and_proof_follow_each_other() {
    let severe = complaint("legal_action").choice("severity", "critical").choice("status", "resolved");
    let resolved = on(severe.clone(), &changed("status"));
    assert!(subjects(&resolved)[1].starts_with("Find the root cause"), "{resolved:?}");
    let known = severe
        .text("complaint_desk__root_cause", "The box is too thin")
        .choice("complaint_desk__root_cause_kind", "delivery");
    let cause = on(known.clone(), &changed("complaint_desk__root_cause"));
    assert!(subjects(&cause)[0].starts_with("Decide a corrective action"));
    let action = known.text("complaint_desk__corrective_action", "A thicker box");
    let today = (NOW_MS / (24 * HOUR_MS)) as i32;
    let decision = on(
        action.clone().date("complaint_desk__corrective_due", today + 5),
        &changed("complaint_desk__corrective_action"),
    );
    let [Action::CreateTask(task), Action::StartTimer(timer)] = decision.actions.as_slice() else {
        panic!("{decision:?}")
    };
    assert_eq!((task.due_in_days, timer.due_ms), (Some(5), NOW_MS + 35 * 24 * HOUR_MS));
    let again = |days: i64| {
        let other = complaint("").id(OTHER).choice("complaint_desk__root_cause_kind", "delivery");
        let _answers = testing::lookups([other.time("created_at", NOW_MS - days * 24 * HOUR_MS)]);
        let proof = on(action.clone(), &Occurrence::Timer("verify".into()));
        proof.reasons[0].text.en.contains("; 1 more")
    };
    assert!(again(29) && !again(31));
    let failed =
        on(action.clone().choice("complaint_desk__effective", "no"), &changed("complaint_desk__effective"));
    assert!(subjects(&failed)[0].starts_with("Decide a corrective action"));
    let worked =
        on(action.clone().choice("complaint_desk__effective", "yes"), &changed("complaint_desk__effective"));
    assert!(matches!(worked.actions.as_slice(), [Action::CancelTimer(_)]));
    let proven = action.choice("complaint_desk__effective", "yes");
    assert!(on(proven, &Occurrence::Timer("verify".into())).is_nothing());
}

#[test]
fn r46_the_answer_follows_severity_and_open_wants() {
    let reply = |case: RecordBuilder| {
        let all = ComplaintDesk::suggest(&of_customer(case), &Config::default(), &now()).unwrap();
        let reply = all.into_iter().find(|one| one.name == "reply")?;
        match reply.actions.into_iter().next() {
            Some(Action::SendMessage(message)) => Some(message),
            other => panic!("{other:?}"),
        }
    };
    let open = complaint("legal_action")
        .choice("status", "open")
        .choice("severity", "critical")
        .choice("channel", "wechat");
    let message = reply(open.clone()).unwrap();
    assert_eq!((message.channel.as_str(), message.account.as_deref()), ("wechat", Some(ACCOUNT)));
    assert!(message.body.zh_cn.contains("管理层") && message.body.zh_cn.contains("损失和不便"));
    let half = reply(open.clone().choices("complaint_desk__wants_met", ["serious", "compensation"])).unwrap();
    assert!(!half.body.zh_cn.contains("损失和不便") && half.body.zh_cn.contains("采取以下措施"));
    let mild = reply(open.clone().choice("severity", "low").choice("channel", "visit")).unwrap();
    assert!(mild.channel == "email" && !mild.body.en.contains("management"));
    assert!(reply(open.choices("complaint_desk__wants_met", Want::ALL.map(Want::option))).is_none());
}

#[test]
fn one_save_that_changes_much_has_all_consequences() {
    let _nobody = testing::lookups([]);
    let case = || complaint("legal_action").choice("status", "open").choice("severity", "medium");
    let event = Occurrence::Changed(vec![change("status"), change("dissatisfaction")]);
    let decision = on(case(), &event);
    let cancelled = Action::from(of_customer(case()).cancel_timer("first-response"));
    assert!(decision.actions.contains(&cancelled), "it was taken up: {decision:?}");
    assert_eq!(set(&decision, "severity"), Some(Value::Choice("critical".into())), "and is judged again");
    assert!(
        subjects(&decision).iter().any(|subject| subject.starts_with("Severe complaint")),
        "{decision:?}"
    );
    let cause = || case().text("complaint_desk__root_cause", "The box is too thin");
    let event = Occurrence::Changed(vec![change("complaint_desk__root_cause"), change("dissatisfaction")]);
    let decision = on(cause(), &event);
    assert_eq!(set(&decision, "severity"), Some(Value::Choice("critical".into())));
    assert!(
        subjects(&decision).iter().any(|subject| subject.starts_with("Decide a corrective")),
        "{decision:?}"
    );
}

#[test]
fn a_reopened_complaint_starts_its_clock_anew() {
    let _nobody = testing::lookups([]);
    let long_ago = NOW_MS - 1_000 * HOUR_MS;
    let case =
        || complaint("complained_to_company").time("created_at", long_ago).choice("severity", "medium");
    let decision = on(case(), &changed("status"));
    let timer = Action::from(of_customer(case()).start_timer("first-response", NOW_MS + 24 * HOUR_MS));
    assert!(decision.actions.contains(&timer), "{decision:?}");
    assert_eq!(set(&decision, "due_at"), Some(Value::Time(NOW_MS + 24 * HOUR_MS)));
    // What is judged later counts from there, too, and a worse form shortens the time.
    let reopened =
        || case().time("complaint_desk__reopened_at", NOW_MS).choice("dissatisfaction", "legal_action");
    let decision = on(reopened(), &changed("dissatisfaction"));
    assert_eq!(set(&decision, "due_at"), Some(Value::Time(NOW_MS + 2 * HOUR_MS)));
    let timer = Action::from(of_customer(case()).start_timer("first-response", NOW_MS + 2 * HOUR_MS));
    assert!(decision.actions.contains(&timer), "{decision:?}");
}
