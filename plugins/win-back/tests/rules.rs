//! Who takes part, in which variant, and what happens next.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;
use trellis_sdk::testing::{
    BatchBuilder, RecordBuilder, assert_splitting_changes_no_campaign, context, record, take_log,
};
use trellis_sdk::{Action, Batch, CampaignRules, Context, ObjectRecord, PluginError, RowActions};
use win_back::{Config, Weights, WinBack};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, base_currency: "CNY".to_owned(), ..context() }
}

/// Days since the last order (`None`: none), number of orders, open severe complaints.
type Customer = (Option<i32>, i64, i64);

fn customers(customers: &[Customer]) -> BatchBuilder {
    BatchBuilder::new(1..=customers.len() as u64)
        .date("last_order", customers.iter().map(|customer| customer.0.map(|days| AS_OF - days)))
        .int64("orders", customers.iter().map(|customer| Some(customer.1)))
        .money("spent", "CNY", customers.iter().map(|customer| Some(customer.1 * 12_000)))
        .int64("open_severe_complaints", customers.iter().map(|customer| Some(customer.2)))
}

fn batch(of: &[Customer]) -> Batch {
    customers(of).int64("open_tasks", of.iter().map(|_| Some(0))).build()
}

fn campaign() -> RecordBuilder {
    record("campaign").text("name", "Spring").choice("channel", "wechat").date("starts_on", AS_OF - 20)
}

fn causes(of: &[Customer], config: &Config) -> Vec<Option<String>> {
    let answer = WinBack::eligible(&campaign().build(), &batch(of), config, &at()).unwrap();
    (0..of.len())
        .map(|row| {
            assert_eq!(answer.takes_part(row), answer.cause(row).is_none());
            answer.cause(row).map(str::to_owned)
        })
        .collect()
}

#[test]
fn those_who_bought_and_stopped_take_part_unless_they_complain() {
    let of = [
        (Some(180), 2, 0),
        (Some(179), 2, 0),
        (Some(180), 1, 0),
        (None, 0, 0),
        (Some(400), 9, 1),
        (Some(5), 9, 1),
        (Some(-3), 9, 0),
    ];
    let expected = [
        None,
        Some("too-recent"),
        Some("too-few-orders"),
        Some("no-orders"),
        Some("open-severe-complaint"),
        Some("open-severe-complaint"),
        Some("too-recent"),
    ];
    assert_eq!(causes(&of, &Config::default()), expected.map(|cause| cause.map(str::to_owned)));
    let patient = Config { inactive_days: 401, min_orders: 1, ..Config::default() };
    assert_eq!(
        causes(&[(Some(401), 1, 0), (Some(400), 1, 0)], &patient),
        [None, Some("too-recent".to_owned())]
    );
}

#[test]
fn reasons_name_what_decides_first_with_its_figures() {
    let of = [(Some(200), 5, 0), (Some(200), 5, 2), (Some(30), 1, 0), (None, 0, 0)];
    let reasons = WinBack::explain(&campaign().build(), &batch(&of), &Config::default(), &at()).unwrap();
    let first = |row: usize| (reasons[row][0].code.as_str(), reasons[row][0].text.en.as_str());
    assert_eq!(first(0), ("inactive", "last order 200 days ago, 180 or more: lost"));
    assert_eq!(reasons[0][1].text.zh_cn, "共 5 笔订单，合计 600.00 CNY：值得唤回");
    assert_eq!(first(1), ("open-severe-complaint", "2 open severe complaints: settle that before any offer"));
    assert_eq!(first(2), ("too-few-orders", "1 order in all, fewer than 2: never a regular customer"));
    assert_eq!(first(3), ("no-orders", "no order so far"));
    assert!(reasons.iter().all(|of_row| of_row.is_sorted_by(|one, next| one.weight >= next.weight)));
}

#[test]
fn variants_have_their_weights_and_stay() {
    let rows = BatchBuilder::new(0..20_000).build();
    let assigned = |campaign: &ObjectRecord| {
        WinBack::assign_variant(campaign, &rows, &Config::default(), &at()).unwrap()
    };
    let (spring, autumn) =
        (campaign().build(), campaign().id("00000000-0000-7000-8000-0000000000aa").build());
    let (first, other) = (assigned(&spring), assigned(&autumn));
    let count = |variant: Option<&str>| (0..20_000).filter(|row| first.variant(*row) == variant).count();
    for (variant, expected) in [(Some("a"), 9_000), (Some("b"), 9_000), (None, 2_000)] {
        assert!(count(variant).abs_diff(expected) < 250, "{variant:?}: {}", count(variant));
    }
    let moved = (0..20_000).filter(|row| first.variant(*row) != other.variant(*row)).count();
    assert!(moved > 10_000, "another campaign divides anew, {moved} moved");
    // A customer's variant does not depend on who else is in the batch.
    let alone = BatchBuilder::new([4_711]).build();
    let alone = WinBack::assign_variant(&spring, &alone, &Config::default(), &at()).unwrap();
    assert_eq!(alone.variant(0), first.variant(4_711));
}

#[test]
fn weights_that_contact_nobody_are_refused_by_name() {
    let config = Config { weights: Weights { a: 0, b: 0, hold_out: 10 }, ..Config::default() };
    let error = WinBack::assign_variant(&campaign().build(), &batch(&[]), &config, &at()).unwrap_err();
    assert!(matches!(&error, PluginError::InvalidConfig(text) if text.en.contains("`weights`")), "{error}");
}

/// A member of each status and variant, with open tasks.
fn next(campaign: RecordBuilder, members: &[(&str, Option<&str>, i64, i64)]) -> Vec<RowActions> {
    let of: Vec<_> = members.iter().map(|member| (Some(200), 5, member.2)).collect();
    let rows = customers(&of)
        .int64("open_tasks", members.iter().map(|member| Some(member.3)))
        .dictionary("status", members.iter().map(|member| Some(member.0)))
        .dictionary("variant", members.iter().map(|member| member.1))
        .build();
    WinBack::next_action(&campaign.build(), &rows, &Config::default(), &at()).unwrap()
}

#[test]
fn planned_members_get_the_offer_or_the_call_and_the_hold_out_nothing() {
    let members = [
        ("planned", Some("a"), 0, 0),
        ("planned", Some("b"), 0, 0),
        ("planned", None, 0, 0),
        ("planned", None, 1, 0),
        ("planned", Some("a"), 1, 1),
        ("planned", Some("b"), 0, 1),
        ("responded", Some("a"), 0, 0),
        ("suppressed", Some("b"), 0, 0),
    ];
    let next = next(campaign(), &members);
    assert_eq!(next.iter().map(|actions| actions.row).collect::<Vec<_>>(), [0, 1]);
    let [Action::SendMessage(offer)] = next[0].actions.as_slice() else { panic!("{:?}", next[0]) };
    assert_eq!((offer.channel.as_str(), offer.subject.zh_cn.as_str()), ("wechat", "期待您再次光临"));
    let [Action::CreateTask(call)] = next[1].actions.as_slice() else { panic!("{:?}", next[1]) };
    assert_eq!((call.subject.en.as_str(), call.due_in_days), ("Win back: call the customer", Some(5)));
    assert!(call.description.zh_cn.contains("“Spring”"));
    assert_eq!(next[0].reasons[0].code, "inactive");
    assert_eq!(take_log(), []);
}

#[test]
fn those_who_do_not_respond_are_followed_up_once() {
    let contacted =
        [("contacted", Some("a"), 0, 0), ("contacted", Some("b"), 0, 1), ("contacted", Some("b"), 1, 1)];
    let due = next(campaign(), &contacted);
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].row, due[0].reasons[0].code.as_str()), (0, "no-response"));
    let [Action::CreateTask(task)] = due[0].actions.as_slice() else { panic!("{:?}", due[0]) };
    // The dataset counts open tasks by how their subjects begin.
    let manifest = include_str!("../plugin.toml");
    for subject in [&task.subject.en, &task.subject.zh_cn] {
        let begin = subject.split_inclusive([':', '：']).next().unwrap();
        assert!(manifest.contains(&format!("op = \"starts\", value = \"{begin}\"")), "{begin}");
    }
    assert_eq!(next(campaign().date("starts_on", AS_OF - 13), &contacted), []);
    assert_eq!(next(campaign().null("starts_on"), &contacted), []);
}

#[test]
fn an_open_severe_complaint_is_settled_before_it_is_told_around() {
    let members = [
        ("planned", Some("a"), 1, 0),
        ("contacted", Some("b"), 2, 0),
        ("suppressed", Some("a"), 1, 0),
        ("suppressed", Some("a"), 1, 1),
        ("declined", Some("a"), 1, 0),
        ("planned", None, 1, 0),
    ];
    let next = next(campaign(), &members);
    assert_eq!(next.iter().map(|actions| actions.row).collect::<Vec<_>>(), [0, 1, 2]);
    let [Action::CreateTask(task)] = next[0].actions.as_slice() else { panic!("{:?}", next[0]) };
    assert_eq!((task.subject.zh_cn.as_str(), task.due_in_days), ("老客唤回：先解决投诉", Some(1)));
    assert_eq!(next[0].reasons[0].code, "open-severe-complaint");
}

#[test]
fn channels_that_carry_no_message_become_ones_that_do() {
    for (channel, expected) in [("email", "email"), ("sms", "sms"), ("web", "other"), ("event", "other")] {
        let next = next(campaign().choice("channel", channel), &[("planned", Some("a"), 0, 0)]);
        let [Action::SendMessage(offer)] = next[0].actions.as_slice() else { panic!("{next:?}") };
        assert_eq!(offer.channel, expected);
    }
    let next = next(campaign().null("channel"), &[("planned", Some("a"), 0, 0)]);
    assert!(matches!(&next[0].actions[0], Action::SendMessage(offer) if offer.channel == "email"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn splitting_changes_nothing(
        of in prop::collection::vec((prop::option::of(0..400_i32), 0..5_i64, 0..2_i64), 1..150),
        statuses in prop::collection::vec(0..4_usize, 150),
    ) {
        let status = |row: usize| ["planned", "contacted", "suppressed", "responded"][statuses[row]];
        let rows = customers(&of)
            .int64("open_tasks", (0..of.len()).map(|row| Some((row % 3 == 0).into())))
            .dictionary("status", (0..of.len()).map(|row| Some(status(row))))
            .dictionary("variant", (0..of.len()).map(|row| [Some("a"), Some("b"), None][row % 3]))
            .build();
        assert_splitting_changes_no_campaign::<WinBack>(&campaign().build(), &rows, &Config::default(), &at());
    }
}

/// What an admin who sets nothing gets is what the manifest says.
#[test]
fn the_defaults_are_those_of_the_manifest() {
    let manifest = include_str!("../plugin.toml");
    let config = Config::default();
    let says = |default: &str| {
        assert!(manifest.contains(&format!("default = {default}\n")), "{default}");
    };
    says(&config.inactive_days.to_string());
    says(&config.min_orders.to_string());
    says(&config.follow_up_days.to_string());
    says(&config.weights.a.to_string());
    says(&config.weights.hold_out.to_string());
    let offer = &config.offer;
    for text in [&offer.subject_en, &offer.subject_zh, &offer.body_en, &offer.body_zh] {
        says(&format!("\"{text}\""));
    }
}
