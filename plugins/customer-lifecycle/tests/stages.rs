//! The plugin's rules on made-up customers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use customer_lifecycle::{Config, CustomerLifecycle};
use proptest::prelude::*;
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{
    Batch, Context, LearnedBy, Model, ModelReport, PluginError, Report, Result, Scoring, Segmentation,
};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, ..context() }
}

/// Days ago, amounts in cents.
#[derive(Debug, Clone, Default)]
struct Customer {
    orders: i64,
    first: i32,
    last: i32,
    spent: i64,
    recent: i64,
    history: i64,
    demand: Option<(i64, i64)>,
    cause: Option<&'static str>,
    cost: Option<i64>,
}

fn builder(customers: &[Customer]) -> BatchBuilder {
    let ordered = |value: fn(&Customer) -> i32| {
        move |customer: &Customer| (customer.orders > 0).then(|| AS_OF - value(customer))
    };
    let money = |value: fn(&Customer) -> Option<i64>| customers.iter().map(value);
    BatchBuilder::new(1..=customers.len() as u64)
        .int64("orders", customers.iter().map(|customer| Some(customer.orders)))
        .date("first_order", customers.iter().map(ordered(|customer| customer.first)))
        .date("last_order", customers.iter().map(ordered(|customer| customer.last)))
        .money("spent", "USD", money(|customer| Some(customer.spent)))
        .money("spent_recent", "USD", money(|customer| Some(customer.recent)))
        .money("spent_history", "USD", money(|customer| Some(customer.history)))
        .money("estimated_demand", "USD", money(|customer| customer.demand.map(|demand| demand.0)))
        .money("estimated_demand_before", "USD", money(|customer| customer.demand.map(|demand| demand.1)))
        .dictionary("exit_cause", customers.iter().map(|customer| customer.cause))
}

fn batch(customers: &[Customer]) -> Batch {
    builder(customers).build()
}

fn fit(customers: &[Customer], config: &Config) -> Result<Model> {
    <CustomerLifecycle as Segmentation>::fit(&mut stream(split(&batch(customers), 3)), config, &at())
}

type Judged = (Vec<Option<String>>, Vec<Option<String>>, Vec<Option<f64>>);

/// Stage, pattern and benefit of each.
fn judged(customers: &[Customer]) -> Judged {
    let model = fit(customers, &Config::default()).unwrap().bytes;
    let rows = batch(customers);
    let assigned = CustomerLifecycle::assign(&model, &rows, &at()).unwrap();
    let scores = CustomerLifecycle::score(&model, &rows, &at()).unwrap();
    let of = |name: &str| {
        (0..customers.len()).map(|row| assigned.value(name, row).map(str::to_owned)).collect::<Vec<_>>()
    };
    (
        of("stage"),
        of("pattern"),
        (0..customers.len()).map(|row| scores.value("recovery_benefit", row)).collect(),
    )
}

/// A customer for four years with ten orders, who bought for 360.00 in the 360 days before the last 180.
fn regular(recent: i64) -> Customer {
    Customer {
        orders: 10,
        first: 1460,
        last: 20,
        spent: 500_000,
        recent,
        history: 36_000 + recent,
        ..Customer::default()
    }
}

#[test]
fn orders_growth_and_silence_make_the_stages() {
    let customers = [
        Customer::default(),
        Customer { orders: 2, first: 100, last: 10, ..Customer::default() },
        Customer { orders: 5, first: 60, last: 10, ..Customer::default() },
        Customer { orders: 5, first: 300, last: 10, recent: 18_000, history: 30_000, ..Customer::default() },
        regular(36_000),
        regular(18_000),
        regular(5_000),
        Customer { orders: 5, first: 900, last: 700, ..Customer::default() },
        Customer { orders: 5, first: 700, last: 10, recent: 500, history: 500, ..Customer::default() },
    ];
    let (stages, ..) = judged(&customers);
    let expected = [
        "",
        "exploration",
        "exploration",
        "build_up",
        "build_up",
        "stability",
        "decline",
        "ended",
        "build_up",
    ];
    assert_eq!(stages.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>(), expected);
}

#[test]
fn a_fall_of_the_whole_demand_is_no_decline() {
    let with = |now, before| Customer { demand: Some((now, before)), ..regular(5_000) };
    let customers = [with(100_000, 100_000), with(90_000, 100_000), with(50_000, 100_000)];
    let (stages, ..) = judged(&customers);
    assert_eq!(stages, ["decline", "decline", "stability"].map(|stage| Some(stage.to_owned())));
    let model = fit(&customers, &Config::default()).unwrap().bytes;
    let reasons = <CustomerLifecycle as Scoring>::explain(&model, &batch(&customers), &at()).unwrap();
    assert!(reasons[0][0].text.en.contains("its total demand did not fall"), "{:?}", reasons[0]);
    assert!(reasons[2][0].text.zh_cn.contains("并非关系退化"), "{:?}", reasons[2]);
}

#[test]
fn ended_relations_have_the_pattern_of_their_stage() {
    let ended = |orders, lasted| Customer {
        orders,
        first: 4_000 + lasted,
        last: 4_000,
        spent: 100_000,
        ..Customer::default()
    };
    let customers =
        [ended(2, 300), ended(5, 80), ended(5, 200), ended(5, 700), ended(5, 2_000), regular(18_000)];
    let (_, patterns, _) = judged(&customers);
    let expected = ["early_abort", "early_abort", "midway_death", "early_exit", "long_term", "long_term"];
    assert_eq!(patterns, expected.map(|pattern| Some(pattern.to_owned())));
}

#[test]
fn an_attempt_has_to_pay() {
    // 360.00 in 360 days before, 50.00 in the last 180: 365 × (1 − 0.2777…) a year lost, of which 30 % for 2 years at 25 % remain.
    let small = regular(5_000);
    let large = Customer { recent: 5_000_000, history: 5_000_000 + 36_000_000, ..regular(0) };
    let ended = Customer { orders: 5, first: 4_730, last: 4_000, spent: 2_000_000, ..Customer::default() };
    let (_, _, benefit) = judged(&[small, large, ended, regular(18_000)]);
    let lost: f64 = 365.0 * (1.0 - 50.0 / 180.0);
    assert!((benefit[0].unwrap() - (lost * 0.3 * 2.0 * 0.25 - 500.0)).abs() < 1e-9);
    assert!(benefit[1].unwrap() > 0.0);
    // 20,000.00 in two years.
    assert!((benefit[2].unwrap() - (10_000.0 * 0.15 - 500.0)).abs() < 1e-9);
    assert_eq!(benefit[3], None);
}

fn column(report: &Report, panel: &str, name: &str) -> Vec<i64> {
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    let column = panel.columns.iter().find(|found| found.values.name == name).unwrap();
    match &column.values.data {
        ColumnData::Int64(values) => values.clone(),
        ColumnData::Money(money) => money.minor_units.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_report_counts_stages_patterns_causes_and_costs() {
    let ended = Customer {
        orders: 5,
        first: 4_730,
        last: 4_000,
        spent: 2_000_000,
        cause: Some("no_innovation"),
        cost: Some(700),
        ..Customer::default()
    };
    let unknown = Customer { cause: Some("a cause of tomorrow"), ..ended.clone() };
    let customers = [ended, unknown, regular(18_000), regular(5_000)];
    let rows =
        builder(&customers).money("cost", "USD", customers.iter().map(|customer| customer.cost)).build();
    let config = Config { cost: Some("cost".to_owned()), ..Config::default() };
    let model = <CustomerLifecycle as Scoring>::fit(&mut stream([rows.clone()]), &config, &at()).unwrap();
    let report = CustomerLifecycle::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert_eq!(column(&report, "stages", "customers"), [0, 0, 1, 1, 2]);
    assert_eq!(column(&report, "stages", "cost"), [0, 0, 0, 0, 1400]);
    assert_eq!(column(&report, "patterns", "customers"), [0, 0, 2, 1]);
    assert_eq!(column(&report, "patterns", "lost"), [0, 0, 2_000_000, 0]);
    let causes = column(&report, "causes", "customers");
    // Third pattern: the sixth cause, and one that this version does not know.
    assert_eq!((causes[2 * 11 + 5], causes[2 * 11 + 10], causes.iter().sum::<i64>()), (1, 1, 2));
    assert_eq!(column(&report, "decisions", "customers"), [2, 1]);
    let rules = CustomerLifecycle::rules(&model.bytes).unwrap();
    assert!(rules.en.contains("at least 40 % below") && rules.zh_cn.contains("下降 40%"), "{rules:?}");
}

#[test]
fn settings_that_contradict_and_data_that_say_nothing_are_refused() {
    let short = Config { history_days: 180, ..Config::default() };
    let error = <CustomerLifecycle as Segmentation>::describe(&short).unwrap_err();
    assert!(
        matches!(&error, PluginError::InvalidConfig(text) if text.en.starts_with("`history_days` is 180")),
        "{error}"
    );
    let error = fit(&[Customer::default()], &Config::default()).unwrap_err();
    assert!(matches!(error, PluginError::UnsuitableData(_)), "{error}");
    let model = fit(&[regular(1)], &Config::default()).unwrap().bytes;
    for damaged in [&model[..model.len() - 1], &[1; 50], &[]] {
        let error = CustomerLifecycle::assign(damaged, &batch(&[regular(1)]), &at()).unwrap_err();
        assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn splitting_changes_nothing_and_everybody_who_ordered_has_a_stage(
        customers in prop::collection::vec(
            (0_i64..12, 0_i32..3_000, 0_i32..3_000, -5_000_i64..90_000, -5_000_i64..90_000, prop::option::of((0_i64..90_000, 0_i64..90_000))),
            1..60,
        )
    ) {
        let customers: Vec<Customer> = customers
            .into_iter()
            .map(|(orders, one, other, recent, earlier, demand)| Customer {
                orders, first: one.max(other), last: one.min(other), spent: recent + earlier, recent,
                history: recent + earlier, demand, ..Customer::default()
            })
            .collect();
        prop_assume!(customers.iter().any(|customer| customer.orders > 0));
        let model = fit(&customers, &Config::default()).unwrap();
        assert_splitting_changes_nothing::<CustomerLifecycle>(&model.bytes, &batch(&customers), &at());
        assert_splitting_changes_no_score::<CustomerLifecycle>(&model.bytes, &batch(&customers), &at());
        let (stages, patterns, benefits) = judged(&customers);
        for (row, customer) in customers.iter().enumerate() {
            prop_assert_eq!(stages[row].is_some(), customer.orders > 0);
            let is_lost = matches!(stages[row].as_deref(), Some("decline" | "ended"));
            prop_assert_eq!(benefits[row].is_some(), is_lost);
            prop_assert!(stages[row].as_deref() != Some("ended") || patterns[row].is_some());
        }
    }
}
