//! The statistics, and what is said about a campaign.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use trellis_sdk::testing::{BatchBuilder, context, record, split, stream};
use trellis_sdk::{CampaignRules, Context, Report};
use win_back::proportions::{Group, compare};
use win_back::{Config, WinBack};

/// Published trials and round numbers: members and responses of both groups, z and two-sided p of the pooled test, as R's `prop.test` without
/// continuity correction has them.
const TRIALS: [(&str, [u64; 4], f64, f64); 6] = [
    ("aspirin against heart attacks", [11_034, 189, 11_037, 104], -5.001388204, 5.691896974e-7),
    ("polio vaccine 1954", [201_229, 142, 200_745, 57], -6.009997099, 1.855266462e-9),
    ("20 % against 25 %", [1_000, 200, 1_000, 250], 2.677397763, 0.007419649261),
    ("small groups", [100, 15, 100, 25], 1.767766953, 0.07709987174),
    ("not significant", [5_000, 100, 5_000, 120], 1.363481431, 0.1727308326),
    ("the second does worse", [50, 9, 50, 4], -1.486752584, 0.137080169),
];

#[test]
fn the_test_gives_the_published_figures() {
    for (name, [first, of_first, second, of_second], z, p) in TRIALS {
        let group = |members, responses| Group { members, responses };
        let found = compare(group(first, of_first), group(second, of_second)).unwrap();
        let difference = of_second as f64 / second as f64 - of_first as f64 / first as f64;
        assert!((found.z / z - 1.0).abs() < 1e-6, "{name}: z = {}", found.z);
        assert!((found.p_two_sided / p - 1.0).abs() < 1e-6, "{name}: p = {}", found.p_two_sided);
        assert_eq!(found.difference, difference, "{name}");
    }
}

#[test]
fn nothing_is_concluded_from_nothing() {
    let group = |members, responses| Group { members, responses };
    assert_eq!(compare(group(0, 0), group(10, 3)), None);
    assert_eq!(compare(group(10, 0), group(10, 0)), None);
    assert_eq!(compare(group(10, 10), group(10, 10)), None);
    assert!(!compare(group(50, 9), group(8, 4)).unwrap().is_reliable);
    assert!(compare(group(100, 15), group(100, 25)).unwrap().is_reliable);
}

const AS_OF: i32 = 10_000;
const STARTS_ON: i32 = 9_950;

/// Variant, status, whether a response is noted, and the day of the last order.
type Member = (Option<&'static str>, &'static str, bool, i32);

fn evaluate(members: &[Member]) -> Report {
    let rows = BatchBuilder::new(0..members.len() as u64)
        .date("last_order", members.iter().map(|member| Some(member.3)))
        .int64("orders", members.iter().map(|_| Some(3)))
        .money("spent", "CNY", members.iter().map(|_| Some(100)))
        .int64("open_severe_complaints", members.iter().map(|_| Some(0)))
        .int64("open_tasks", members.iter().map(|_| Some(0)))
        .dictionary("variant", members.iter().map(|member| member.0))
        .dictionary("status", members.iter().map(|member| Some(member.1)))
        .boolean("responded", members.iter().map(|member| Some(member.2)))
        .build();
    let campaign = record("campaign").date("starts_on", STARTS_ON).build();
    let at = Context { as_of: AS_OF, ..context() };
    let evaluation =
        WinBack::evaluate(&campaign, &mut stream(split(&rows, 100)), &Config::default(), &at).unwrap();
    let whole = WinBack::evaluate(&campaign, &mut stream([rows]), &Config::default(), &at).unwrap();
    assert_eq!(whole, evaluation, "however the members are cut");
    evaluation
}

fn figure(evaluation: &Report, name: &str) -> Option<f64> {
    evaluation.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
}

fn times(count: usize, member: Member) -> impl Iterator<Item = Member> {
    std::iter::repeat_n(member, count)
}

#[test]
fn variants_are_compared_with_each_other_and_with_the_hold_out() {
    let before = STARTS_ON - 300;
    let members: Vec<Member> = times(100, (Some("a"), "responded", true, before))
        .chain(times(50, (Some("a"), "contacted", true, before)))
        .chain(times(50, (Some("a"), "contacted", false, STARTS_ON)))
        .chain(times(800, (Some("a"), "contacted", false, before)))
        .chain(times(250, (Some("b"), "converted", false, before)))
        .chain(times(750, (Some("b"), "declined", false, STARTS_ON - 1)))
        .chain(times(40, (None, "planned", false, STARTS_ON + 3)))
        .chain(times(360, (None, "planned", false, before)))
        .chain(times(7, (Some("a"), "planned", false, before)))
        .chain(times(5, (Some("b"), "suppressed", false, AS_OF)))
        .chain(times(2, (None, "suppressed", false, AS_OF)))
        .collect();
    let evaluation = evaluate(&members);
    let close = |name: &str, expected: f64| {
        let found = figure(&evaluation, name).unwrap();
        assert!((found - expected).abs() < 1e-6, "{name} is {found}, not {expected}");
    };
    for (name, expected) in [
        ("a_members", 1_000.0),
        ("a_responses", 200.0),
        ("b_members", 1_000.0),
        ("b_rate", 0.25),
        ("hold_out_members", 400.0),
        ("hold_out_rate", 0.1),
        ("b_against_a_difference", 0.05),
        ("b_against_a_z", 2.677397763),
        ("b_against_a_p", 0.007419649261),
        ("relative_lift", 0.225 / 0.1 - 1.0),
        ("lift_difference", 0.125),
        ("waiting", 7.0),
        ("suppressed", 7.0),
    ] {
        close(name, expected);
    }
    let lines: Vec<&str> = evaluation.summary.en.lines().collect();
    assert_eq!(lines.first(), Some(&"A (offer): 200 of 1000 came back (20.0 %)."));
    assert_eq!(lines.get(3), Some(&"B against A: +5.0 points, z = 2.68, p = 0.0074: hardly chance."));
    assert!(
        evaluation.summary.zh_cn.contains("B 组与 A 组相比：相差 +5.0 个百分点"),
        "{}",
        evaluation.summary.zh_cn
    );
}

#[test]
fn a_campaign_that_has_just_begun_says_so() {
    let evaluation = evaluate(&[(Some("a"), "planned", false, 0), (None, "planned", false, 0)]);
    assert!(
        evaluation.summary.en.contains("B against A: nothing to compare yet."),
        "{}",
        evaluation.summary.en
    );
    assert_eq!(figure(&evaluation, "b_against_a_z"), None);
    assert_eq!(figure(&evaluation, "waiting"), Some(1.0));
    assert!(evaluation.metrics.iter().all(|metric| metric.value.is_finite()));
}

#[test]
fn few_members_allow_no_conclusion() {
    let evaluation = evaluate(&[(Some("a"), "contacted", false, 0), (Some("b"), "responded", false, 0)]);
    assert!(evaluation.summary.en.contains("too few for a conclusion"), "{}", evaluation.summary.en);
}

#[test]
fn every_member_has_an_outcome() {
    let day = [AS_OF, 9_000, 9_000, 9_000, 9_000, 9_000];
    let rows = BatchBuilder::new(0..6)
        .date("last_order", day.map(Some))
        .int64("orders", [Some(3); 6])
        .money("spent", "CNY", [Some(100); 6])
        .int64("open_severe_complaints", [0, 0, 0, 1, 0, 0].map(Some))
        .int64("severe_complaints", [1, 0, 2, 2, 0, 0].map(Some))
        .int64("open_tasks", [Some(0); 6])
        .dictionary("variant", ["a", "a", "b", "b", "a", "b"].map(Some))
        .dictionary(
            "status",
            ["contacted", "contacted", "contacted", "suppressed", "planned", "suppressed"].map(Some),
        )
        .boolean("responded", [Some(false); 6])
        .build();
    let campaign = record("campaign").date("starts_on", STARTS_ON).build();
    let at = Context { as_of: AS_OF, ..context() };
    let outcomes = |deadline_days| {
        let config = Config { deadline_days, ..Config::default() };
        let report = WinBack::evaluate(&campaign, &mut stream([rows.clone()]), &config, &at).unwrap();
        let panel = report.panels.into_iter().find(|panel| panel.name == "outcomes").unwrap();
        match panel.columns.into_iter().find(|column| column.values.name == "members").unwrap().values.data {
            trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData::Int64(counts) => counts,
            other => panic!("{other:?}"),
        }
    };
    // Won back, lost, contained, complaining, open: the campaign began 50 days ago.
    assert_eq!(outcomes(50), [1, 1, 1, 1, 2]);
    assert_eq!(outcomes(51), [1, 0, 1, 1, 3]);
}
