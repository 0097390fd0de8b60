//! The plugin's rules on made-up customers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use customer_value::{Config, CustomerValue};
use proptest::prelude::*;
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{
    Batch, Context, LearnedBy, Model, ModelReport, PluginError, Report, Result, Scoring, Segmentation,
};

const ITEMS: [&str; 12] = [
    "product_value",
    "service_value",
    "people_value",
    "image_value",
    "time_cost",
    "mental_cost",
    "physical_cost",
    "money_cost",
    "potential",
    "satisfaction",
    "influence",
    "social_image",
];

#[derive(Debug, Clone, Default)]
struct Customer {
    orders: i64,
    /// Cents.
    spent: i64,
    window: i64,
    before: i64,
    rated_on: Option<i32>,
    estimated: Option<i64>,
    ratings: Vec<(&'static str, f64)>,
}

fn at() -> Context {
    Context { as_of: 1000, ..context() }
}

fn batch(customers: &[Customer]) -> Batch {
    let mut batch = BatchBuilder::new(1..=customers.len() as u64)
        .int64("orders", customers.iter().map(|customer| Some(customer.orders)))
        .money("spent", "USD", customers.iter().map(|customer| Some(customer.spent)))
        .money("spent_window", "USD", customers.iter().map(|customer| Some(customer.window)))
        .money("spent_before", "USD", customers.iter().map(|customer| Some(customer.before)))
        .date("rated_on", customers.iter().map(|customer| customer.rated_on))
        .money("estimated_spend", "USD", customers.iter().map(|customer| customer.estimated))
        .dictionary("spend_source", customers.iter().map(|_| Some("survey")))
        .date("spend_estimated_on", customers.iter().map(|_| Some(990)));
    for name in ITEMS {
        let rating =
            |customer: &Customer| customer.ratings.iter().find(|found| found.0 == name).map(|found| found.1);
        batch = batch.float64(name, customers.iter().map(rating));
    }
    batch.build()
}

fn fit(customers: &[Customer], config: &Config) -> Result<Model> {
    <CustomerValue as Segmentation>::fit(&mut stream(split(&batch(customers), 3)), config, &at())
}

fn score(customers: &[Customer], name: &str) -> Vec<Option<f64>> {
    let model = fit(customers, &Config::default()).unwrap().bytes;
    let scores = CustomerValue::score(&model, &batch(customers), &at()).unwrap();
    (0..customers.len()).map(|row| scores.value(name, row)).collect()
}

fn rated(ratings: &[(&'static str, f64)]) -> Customer {
    Customer { ratings: ratings.to_vec(), ..Customer::default() }
}

#[test]
fn four_parts_make_the_value_and_missing_ones_have_no_weight() {
    let bought = |orders, spent| Customer { orders, spent, ..Customer::default() };
    let mut whole = bought(1, 100);
    whole.ratings = vec![("potential", 10.0), ("satisfaction", 5.5), ("influence", 1.0)];
    let customers =
        [whole, bought(3, 300), rated(&[("satisfaction", 10.0), ("influence", 10.0)]), Customer::default()];
    // Ranks among two: 25 and 75.
    assert_eq!(score(&customers, "history"), [Some(25.0), Some(75.0), None, None]);
    let expected = 0.4 * 25.0 + 0.25 * 100.0 + 0.2 * 50.0;
    assert_eq!(score(&customers, "value"), [Some(expected), Some(75.0), Some(100.0), None]);
    let model = fit(&customers, &Config::default()).unwrap().bytes;
    let reasons = <CustomerValue as Scoring>::explain(&model, &batch(&customers), &at()).unwrap();
    assert_eq!(
        reasons[2][0].text.en,
        "value 100 of 100: satisfaction 100 (57 %), influence 100 (43 %); not known and without weight: history, potential"
    );
    assert!(reasons[3][0].text.zh_cn.starts_with("价值未知"));
}

#[test]
fn delivered_value_is_what_is_got_less_what_is_given() {
    let all = |value: f64, cost: f64| {
        let mut ratings: Vec<_> = ITEMS[..4].iter().map(|name| (*name, value)).collect();
        ratings.extend(ITEMS[4..8].iter().map(|name| (*name, cost)));
        rated(&ratings)
    };
    let partly = rated(&[("product_value", 8.0), ("money_cost", 3.0)]);
    let customers = [
        all(10.0, 1.0),
        all(1.0, 10.0),
        partly,
        rated(&[("product_value", 8.0)]),
        rated(&[("product_value", 11.0), ("money_cost", 1.0)]),
    ];
    assert_eq!(score(&customers, "delivered_value"), [Some(36.0), Some(-36.0), Some(20.0), None, None]);
    assert_eq!(score(&customers, "total_value"), [Some(40.0), Some(4.0), Some(32.0), Some(32.0), None]);
}

#[test]
fn created_and_captured_value_make_four_quadrants() {
    let of = |value, window| Customer {
        window,
        ratings: vec![("service_value", value), ("time_cost", 5.0)],
        ..Customer::default()
    };
    let customers = [of(9.0, 900), of(9.0, 1), of(2.0, 900), of(2.0, 1), of(6.0, 500)];
    let model = fit(&customers, &Config::default()).unwrap().bytes;
    let assigned = CustomerValue::assign(&model, &batch(&customers), &at()).unwrap();
    let found: Vec<_> = (0..5).map(|row| assigned.value("quadrant", row).unwrap()).collect();
    assert_eq!(found, ["synergy", "generous", "harvested", "weak", "synergy"]);
    let report = CustomerValue::describe_model(LearnedBy::Segmentation, &model).unwrap();
    assert_eq!((report.value("synergy"), report.value("customers")), (Some(2.0), Some(5.0)));
}

#[test]
fn share_of_wallet_compares_the_same_period() {
    let of = |window, estimated| Customer { orders: 1, window, estimated, ..Customer::default() };
    let customers = [
        of(25_000, Some(100_000)),
        of(150_000, Some(100_000)),
        of(1, Some(0)),
        of(1, None),
        of(-500, Some(100_000)),
    ];
    assert_eq!(score(&customers, "share_of_wallet"), [Some(25.0), Some(100.0), None, None, Some(0.0)]);
    let half = Config { window_days: 73, ..Config::default() };
    let model = fit(&customers, &half).unwrap().bytes;
    let scores = CustomerValue::score(&model, &batch(&customers), &at()).unwrap();
    // A fifth of the year: 25 % of a year's spend are more than all of it.
    assert_eq!(scores.value("share_of_wallet", 0), Some(100.0));
    let reasons = <CustomerValue as Segmentation>::explain(&model, &batch(&customers), &at()).unwrap();
    let wallet = reasons[0].iter().find(|reason| reason.code == "share-of-wallet").unwrap();
    assert_eq!(
        wallet.text.en,
        "share of wallet 100 %, +100 points against the 73 days before: 250.00 USD in 73 days of 1000.00 USD a year (survey, 10 days ago); sales exceed the estimate: estimate anew"
    );
    // Nobody rated the potential: what is spent elsewhere ranks.
    let potential = score(&customers, "potential");
    assert!(potential[4] > potential[0] && potential[0] > potential[1], "{potential:?}");
}

fn column(report: &Report, panel: &str, column: &str) -> ColumnData {
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    panel.columns.iter().find(|found| found.values.name == column).unwrap().values.data.clone()
}

fn whole(report: &Report, panel: &str, name: &str) -> Vec<i64> {
    let ColumnData::Int64(values) = column(report, panel, name) else { panic!("{name} holds no counts") };
    values
}

fn numbers(report: &Report, panel: &str, name: &str) -> Vec<f64> {
    let ColumnData::Float64(values) = column(report, panel, name) else { panic!("{name} holds no numbers") };
    values
}

#[test]
fn the_share_of_wallet_is_set_against_the_period_before() {
    let of = |before, window| Customer {
        orders: 1,
        before,
        window,
        estimated: Some(100_000),
        ..Customer::default()
    };
    let customers = [of(50_000, 25_000), of(25_000, 75_000), of(30_100, 30_000), of(900_000, 100_000)];
    let unknown = Customer { orders: 1, window: 5, ..Customer::default() };
    let all = [&customers[..], &[unknown]].concat();
    let changes = score(&all, "share_of_wallet_change");
    for (change, expected) in changes.iter().zip([Some(-25.0), Some(50.0), Some(-0.1), Some(0.0), None]) {
        match (change, expected) {
            (Some(change), Some(expected)) => assert!((change - expected).abs() < 1e-9, "{changes:?}"),
            (change, expected) => assert_eq!(change, &expected),
        }
    }
    let report =
        CustomerValue::describe_model(LearnedBy::Scoring, &fit(&all, &Config::default()).unwrap().bytes)
            .unwrap();
    assert!((report.value("share_of_wallets").unwrap() - 230.0 / 4.0).abs() < 1e-9);
    assert!((report.value("share_of_wallets_before").unwrap() - 205.1 / 4.0).abs() < 1e-9);
    assert_eq!(whole(&report, "wallet_changes", "customers"), [1, 2, 1]);
}

#[test]
fn the_delivered_value_goes_by_the_month_of_the_ratings() {
    let of = |rated_on, value, cost| Customer {
        rated_on,
        ratings: vec![("product_value", value), ("time_cost", cost)],
        ..Customer::default()
    };
    // 2000-02-29, 2000-03-01, 2000-03-31; one of them without a cost, one without a day.
    let mut customers =
        vec![of(Some(11_016), 8.0, 2.0), of(Some(11_017), 6.0, 2.0), of(Some(11_047), 4.0, 4.0)];
    customers.push(Customer {
        rated_on: Some(11_016),
        ratings: vec![("product_value", 1.0)],
        ..Customer::default()
    });
    customers.push(of(None, 1.0, 10.0));
    let report = |customers: &[Customer]| {
        let model = fit(customers, &Config::default()).unwrap().bytes;
        CustomerValue::describe_model(LearnedBy::Scoring, &model).unwrap()
    };
    let few = report(&customers);
    assert_eq!(whole(&few, "delivered_trend", "customers"), [1, 2]);
    assert_eq!(numbers(&few, "delivered_trend", "delivered"), [24.0, 8.0]);
    // Only the last two years of many.
    let many: Vec<Customer> = (0..40).map(|month| of(Some(11_016 + 31 * month), 8.0, 2.0)).collect();
    assert_eq!(whole(&report(&many), "delivered_trend", "customers").len(), 24);
}

#[test]
fn weights_must_add_up_and_models_must_fit() {
    for (config, start) in [
        (Config { history_weight: 50.0, ..Config::default() }, "`history_weight`"),
        (Config { image_weight: f64::NAN, ..Config::default() }, "`economic_weight`"),
        (Config { wallet_medium: 60.0, ..Config::default() }, "`wallet_medium` is 60"),
    ] {
        let error = <CustomerValue as Scoring>::describe(&config).unwrap_err();
        assert!(matches!(&error, PluginError::InvalidConfig(text) if text.en.starts_with(start)), "{error}");
    }
    let error = fit(&[Customer::default()], &Config::default()).unwrap_err();
    assert!(matches!(error, PluginError::UnsuitableData(_)), "{error}");
    let customers = [Customer { orders: 1, ..Customer::default() }];
    let model = fit(&customers, &Config::default()).unwrap().bytes;
    for damaged in [&model[..model.len() - 1], &[1; 70], &[]] {
        let error = CustomerValue::score(damaged, &batch(&customers), &at()).unwrap_err();
        assert!(matches!(error, PluginError::UnreadableModel(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn splitting_changes_nothing_and_scores_keep_their_range(
        rows in prop::collection::vec((0_i64..5, -900_i64..9_000, prop::option::of(1_i64..9_000), prop::option::of(0.0..11.0_f64)), 1..50)
    ) {
        let customers: Vec<Customer> = rows
            .into_iter()
            .map(|(orders, spent, estimated, rating)| {
                let ratings = ITEMS.iter().enumerate().filter_map(|(place, name)| Some((*name, rating? - place as f64 / 9.0)));
                Customer { orders, spent, window: spent, before: spent / 2, estimated, ratings: ratings.collect(), ..Customer::default() }
            })
            .collect();
        if let Ok(model) = fit(&customers, &Config::default()) {
            let rows = batch(&customers);
            assert_splitting_changes_nothing::<CustomerValue>(&model.bytes, &rows, &at());
            assert_splitting_changes_no_score::<CustomerValue>(&model.bytes, &rows, &at());
            let scores = CustomerValue::score(&model.bytes, &rows, &at()).unwrap();
            for described in <CustomerValue as Scoring>::describe(&Config::default()).unwrap() {
                let range = described.minimum.unwrap()..=described.maximum.unwrap();
                for row in 0..rows.rows() {
                    prop_assert!(scores.value(&described.name, row).is_none_or(|value| range.contains(&value)), "{} {row}", described.name);
                }
            }
        }
    }
}
