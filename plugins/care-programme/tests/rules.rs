//! Who is due for which care.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use care_programme::{CareProgramme, Config, Entry, Occasion};
use proptest::prelude::*;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_campaign, context, record, stream};
use trellis_sdk::{Action, Batch, CampaignRules, Context, ObjectRecord};

const TODAY: i32 = 20_634; // 2026-06-30

fn at() -> Context {
    Context { as_of: TODAY, ..context() }
}

fn campaign() -> ObjectRecord {
    record("campaign").text("name", "Care 2026").build()
}

/// A customer with these figures; days are before today.
#[derive(Debug, Clone, Default)]
struct Row {
    order: Option<i32>,
    delivery: Option<i32>,
    birthday: Option<i32>,
    end: Option<i32>,
    deals: i64,
    complaints: i64,
    blocked: i64,
    /// Days since the last message was sent, and since the last call was asked for.
    message: Option<i32>,
    call: Option<i32>,
    waiting: i64,
    year: i64,
    segment: Option<&'static str>,
    status: Option<&'static str>,
}

fn batch(rows: &[Row]) -> Batch {
    let day = |pick: fn(&Row) -> Option<i32>| {
        rows.iter().map(move |row| pick(row).map(|days| TODAY - days)).collect::<Vec<_>>()
    };
    let count = |pick: fn(&Row) -> i64| rows.iter().map(move |row| Some(pick(row))).collect::<Vec<_>>();
    let builder = BatchBuilder::new(0..rows.len() as u64)
        .date("last_order", day(|row| row.order))
        .date("last_delivery", day(|row| row.delivery))
        .date("birthday", day(|row| row.birthday))
        .date("contract_ends", day(|row| row.end))
        .int64("open_deals", count(|row| row.deals))
        .int64("open_severe_complaints", count(|row| row.complaints))
        .int64("not_to_be_contacted", count(|row| row.blocked));
    builder
        .time(
            "last_message",
            rows.iter().map(|row| row.message.map(|days| i64::from(TODAY - days) * 86_400_000)),
        )
        .int64("waiting_messages", count(|row| row.waiting))
        .int64("messages_in_year", count(|row| row.year))
        .date("last_call_due", day(|row| row.call.map(|days| days - 3)))
        .int64("calls_in_year", rows.iter().map(|_| None))
        .dictionary("segment", rows.iter().map(|row| row.segment))
        .dictionary("variant", rows.iter().map(|_| Some("all")))
        .dictionary("status", rows.iter().map(|row| row.status.or(Some("planned"))))
        .boolean("responded", rows.iter().map(|row| Some(row.status == Some("responded"))))
        .build()
}

fn cause(row: Row, config: &Config) -> Option<String> {
    let rows = batch(&[row]);
    let who = CareProgramme::eligible(&campaign(), &rows, config, &at()).unwrap();
    who.cause(0).map(str::to_owned)
}

fn occasion(row: Row) -> String {
    let reasons = CareProgramme::explain(&campaign(), &batch(&[row]), &Config::default(), &at()).unwrap();
    reasons[0][0].code.clone()
}

#[test]
fn r49_each_occasion_is_due_in_its_days() {
    let order = |days| Row { order: Some(days), ..Row::default() };
    let delivery = |days| Row { order: Some(days + 1), delivery: Some(days), ..Row::default() };
    let end = |days: i32| Row { end: Some(-days), ..Row::default() };
    // Born on 2 July: in two days.
    let birthday = Row { birthday: Some(365 * 30 + 8 - 2 - 1), ..Row::default() };
    assert_eq!(occasion(birthday), "birthday");
    for (days, expected) in
        [(31, "nothing-due"), (30, "renewal"), (17, "renewal"), (16, "nothing-due"), (-1, "nothing-due")]
    {
        assert_eq!(occasion(end(days)), expected, "{days} days before the end");
    }
    for (days, expected) in
        [(6, "nothing-due"), (7, "delivery"), (13, "delivery"), (14, "nothing-due"), (-3, "nothing-due")]
    {
        assert_eq!(occasion(delivery(days)), expected, "{days} days after the delivery");
    }
    for (days, expected) in [
        (0, "nothing-due"),
        (1, "order-placed"),
        (3, "order-placed"),
        (4, "nothing-due"),
        (90, "inactivity"),
        (103, "inactivity"),
        (104, "nothing-due"),
    ] {
        assert_eq!(occasion(order(days)), expected, "{days} days after the order");
    }
    assert_eq!(occasion(Row { deals: 1, ..Row::default() }), "open-deal");
    assert_eq!(occasion(Row::default()), "nothing-due");
}

#[test]
fn what_speaks_against_a_care_comes_first() {
    let due = Row { deals: 1, ..Row::default() };
    let config = Config::default();
    for (row, expected) in [
        (due.clone(), None),
        (Row { complaints: 1, waiting: 1, ..due.clone() }, Some("open-severe-complaint")),
        (Row { blocked: 1, ..due.clone() }, Some("do-not-contact")),
        (Row { waiting: 1, ..due.clone() }, Some("cared-for-recently")),
        (Row { message: Some(13), ..due.clone() }, Some("cared-for-recently")),
        (Row { message: Some(14), call: Some(13), ..due.clone() }, Some("cared-for-recently")),
        (Row { message: Some(14), call: Some(14), ..due.clone() }, None),
        (Row { year: 8, ..due.clone() }, Some("enough-cares")),
        (Row { year: 7, ..due }, None),
    ] {
        assert_eq!(cause(row.clone(), &config).as_deref(), expected, "{row:?}");
    }
    let reasons = CareProgramme::explain(
        &campaign(),
        &batch(&[Row { waiting: 1, deals: 1, ..Row::default() }]),
        &config,
        &at(),
    );
    let codes: Vec<String> = reasons.unwrap()[0].iter().map(|reason| reason.code.clone()).collect();
    assert_eq!(codes, ["cared-for-recently", "open-deal"], "what waits is said too");
}

#[test]
fn r50_the_channel_decides_between_a_call_and_a_message() {
    let rows = batch(&[
        Row { end: Some(-30), ..Row::default() },
        Row { order: Some(8), delivery: Some(7), ..Row::default() },
        Row { deals: 1, status: Some("declined"), ..Row::default() },
        Row { deals: 1, status: Some("contacted"), ..Row::default() },
    ]);
    let actions = CareProgramme::next_action(&campaign(), &rows, &Config::default(), &at()).unwrap();
    assert_eq!(actions.iter().map(|one| one.row).collect::<Vec<_>>(), [0, 1, 3]);
    let Action::CreateTask(call) = &actions[0].actions[0] else { panic!("{actions:?}") };
    assert!(call.subject.en.starts_with("Care:") && call.subject.zh_cn.starts_with("客户关怀："));
    assert!(call.description.zh_cn.contains("满意度"), "it asks for an opinion");
    let Action::SendMessage(message) = &actions[1].actions[0] else { panic!("{actions:?}") };
    assert_eq!(message.channel, "email");
    assert!(
        message.subject.en == "Is everything right with your delivery?"
            && message.body.en.contains("How satisfied")
    );
    assert!(actions.iter().all(|one| !one.reasons.is_empty()));
}

#[test]
fn messages_and_calls_say_what_the_settings_say() {
    let own = |channel| Entry {
        subject_en: Some("Hello".into()),
        body_zh: Some("您好！".into()),
        asks_opinion: true,
        ..Entry::new(Occasion::OpenDeal, 0, 7, channel)
    };
    let rows = batch(&[Row { deals: 1, ..Row::default() }]);
    let first = |channel| {
        let config = Config { plan: vec![own(channel)], ..Config::default() };
        let actions = CareProgramme::next_action(&campaign(), &rows, &config, &at()).unwrap();
        actions[0].actions[0].clone()
    };
    let Action::SendMessage(message) = first("email") else { panic!("a message") };
    assert_eq!((message.subject.en.as_str(), message.subject.zh_cn.as_str()), ("Hello", "选购协助"));
    assert!(message.body.zh_cn.starts_with("您好！") && message.body.zh_cn.contains("满意度"));
    assert!(message.body.en.starts_with("You are thinking about a purchase"));
    let Action::CreateTask(call) = first("phone") else { panic!("a call") };
    assert_eq!(
        (call.subject.en.as_str(), call.subject.zh_cn.as_str()),
        ("Care: Hello", "客户关怀：选购协助")
    );
    assert!(call.description.zh_cn.contains("您好！"));
}

#[test]
fn an_entry_may_be_for_some_segments_only() {
    let entry = Entry { segments: vec!["platinum".into()], ..Entry::new(Occasion::OpenDeal, 0, 7, "sms") };
    let config = Config { plan: vec![entry], ..Config::default() };
    let row = |segment| Row { deals: 1, segment, ..Row::default() };
    assert_eq!(cause(row(Some("platinum")), &config), None);
    assert_eq!(cause(row(Some("iron")), &config).as_deref(), Some("nothing-due"));
    assert_eq!(cause(row(None), &config).as_deref(), Some("nothing-due"));
}

#[test]
fn members_are_counted_by_status() {
    let row = |status| Row { status: Some(status), ..Row::default() };
    let rows =
        batch(&[row("planned"), row("contacted"), row("contacted"), row("responded"), row("suppressed")]);
    let report =
        CareProgramme::evaluate(&campaign(), &mut stream([rows]), &Config::default(), &at()).unwrap();
    assert_eq!((report.value("reached"), report.value("answered")), (Some(3.0), Some(1.0)));
    assert!((report.value("answer_rate").unwrap() - 100.0 / 3.0).abs() < 1e-9);
    let nobody = CareProgramme::evaluate(&campaign(), &mut stream([]), &Config::default(), &at()).unwrap();
    assert_eq!(nobody.value("answer_rate"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Day after day for two years, with every care counted: never two within the gap, never more than the limit a year.
    #[test]
    fn nobody_is_cared_for_twice_within_the_gap(
        gap in 1_i32..100,
        limit in 1_i64..10,
        orders in prop::collection::vec(0_i32..730, 0..8),
        delivered_after in 1_i32..10,
        born in 0_i32..20_000,
        ends in 0_i32..800,
        deals in 0_i64..2,
        by_call in any::<bool>(),
    ) {
        let config = Config { gap_days: gap, cares_in_year: limit, ..Config::default() };
        let mut cares: Vec<i32> = Vec::new();
        for day in 0..730 {
            let last = |days: Vec<i32>| days.into_iter().filter(|one| *one <= day).max().map(|one| TODAY - one);
            let within = |days: i32| cares.iter().filter(|care| day - **care < days).count() as i64;
            let row = Row {
                order: last(orders.clone()),
                delivery: last(orders.iter().map(|one| one + delivered_after).collect()),
                birthday: Some(TODAY - born),
                end: Some(TODAY - ends),
                deals,
                message: cares.last().filter(|_| !by_call).map(|care| TODAY - care),
                call: cares.last().filter(|_| by_call).map(|care| TODAY - care),
                year: within(365),
                ..Row::default()
            };
            let at = Context { as_of: day, ..context() };
            let due = CareProgramme::eligible(&campaign(), &batch(&[row]), &config, &at).unwrap().takes_part(0);
            if due {
                prop_assert!(cares.last().is_none_or(|last| day - last >= gap));
                cares.push(day);
                prop_assert!(cares.iter().filter(|care| day - **care < 365).count() as i64 <= limit);
            }
        }
    }

    #[test]
    fn splitting_changes_nothing(rows in prop::collection::vec((prop::option::of(0_i32..200), 0_i64..2, 0_i64..2), 1..40)) {
        let rows: Vec<Row> = rows.into_iter().map(|(order, deals, waiting)| Row { order, deals, waiting, ..Row::default() }).collect();
        assert_splitting_changes_no_campaign::<CareProgramme>(&campaign(), &batch(&rows), &Config::default(), &at());
    }
}
