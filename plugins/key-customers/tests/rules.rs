//! The plugin's definitions on small and made-up populations.

use key_customers::{Config, KeyBy, KeyCustomers};
use proptest::prelude::*;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{Analysis, Batch, Context, Model, PluginError, Result, Scoring, Segmentation};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, ..context() }
}

/// Days since the first order, orders, cents, cents lately; and traits.
#[derive(Debug, Clone)]
struct Customer {
    orders: Option<(i32, i64, i64, i64)>,
    industry: Option<&'static str>,
    size: Option<f64>,
    tags: Option<Vec<&'static str>>,
}

fn batch(customers: &[Customer]) -> Batch {
    let orders = |figure: fn((i32, i64, i64, i64)) -> i64| {
        customers.iter().map(move |customer| customer.orders.map(figure))
    };
    BatchBuilder::new(1..=customers.len() as u64)
        .date(
            "first_order",
            orders(|orders| i64::from(AS_OF - orders.0)).map(|day| day.map(|day| day as i32)),
        )
        .date(
            "last_order",
            orders(|orders| i64::from(AS_OF - orders.0 / 3)).map(|day| day.map(|day| day as i32)),
        )
        .int64("orders", orders(|orders| orders.1))
        .money("spent", "CNY", orders(|orders| orders.2))
        .money("recently_spent", "CNY", orders(|orders| orders.3.min(orders.2)))
        .dictionary("traits.industry", customers.iter().map(|customer| customer.industry))
        .float64("traits.size", customers.iter().map(|customer| customer.size))
        .lists("traits.tags", customers.iter().map(|customer| customer.tags.clone()))
        .build()
}

fn config(key_by: KeyBy) -> Config {
    Config { key_by, traits: ["industry", "size", "tags"].map(str::to_owned).to_vec(), ..Config::default() }
}

fn fit(batch: &Batch, config: &Config) -> Result<Model> {
    <KeyCustomers as Segmentation>::fit(&mut stream(split(batch, 9)), config, &at())
}

fn customer() -> impl Strategy<Value = Customer> {
    (
        prop::option::weighted(0.8, (0..900_i32, 1..9_i64, -50..20_000_i64, 0..5_000_i64)),
        prop::option::of(prop::sample::select(vec!["retail", "bank", "farm"])),
        prop::option::of((0..50_i32).prop_map(f64::from)),
        prop::option::of(prop::sample::subsequence(vec!["vip", "export", "new"], 0..=3)),
    )
        .prop_map(|(orders, industry, size, tags)| Customer { orders, industry, size, tags })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_laws_hold(customers in prop::collection::vec(customer(), 1..90), rankings: bool) {
        let rows = batch(&customers);
        let config = config(if rankings { KeyBy::Rankings } else { KeyBy::Share });
        match fit(&rows, &config) {
            Err(error) => prop_assert!(customers.iter().all(|customer| customer.orders.is_none()), "{error}"),
            Ok(model) => {
                assert_splitting_changes_nothing::<KeyCustomers>(&model.bytes, &rows, &at());
                assert_splitting_changes_no_score::<KeyCustomers>(&model.bytes, &rows, &at());
                let assignments = KeyCustomers::assign(&model.bytes, &rows, &at()).unwrap();
                let scores = KeyCustomers::score(&model.bytes, &rows, &at()).unwrap();
                let mut key = 0.0;
                for (row, customer) in customers.iter().enumerate() {
                    prop_assert_eq!(assignments.value("standing", row).is_some(), customer.orders.is_some());
                    key += f64::from(u8::from(assignments.value("standing", row) == Some("key")));
                    let score = scores.value("look_alike", row);
                    prop_assert!(score.is_none_or(|score| (0.0..=100.0).contains(&score)));
                }
                let counted = model.metrics.iter().find(|metric| metric.name == "key_customers").unwrap().value;
                prop_assert_eq!(counted, key);
            }
        }
    }

    /// No smaller set of customers brings the share, and the key customers do.
    #[test]
    fn key_customers_are_the_fewest_who_bring_the_share(amounts in prop::collection::vec(1..10_000_i64, 1..60), percent in 1..=100_i64) {
        let customers: Vec<Customer> = amounts.iter().map(|cents| Customer { orders: Some((5, 1, *cents, 0)), industry: None, size: None, tags: None }).collect();
        let rows = batch(&customers);
        let config = Config { share_percent: percent as f64, ..Config::default() };
        let model = fit(&rows, &config).unwrap();
        let assignments = KeyCustomers::assign(&model.bytes, &rows, &at()).unwrap();
        let key: Vec<i64> = amounts.iter().enumerate().filter(|(row, _)| assignments.value("standing", *row) == Some("key")).map(|(_, cents)| *cents).collect();
        let (sum, whole): (i64, i64) = (key.iter().sum(), amounts.iter().sum());
        prop_assert!(100 * sum >= percent * whole);
        prop_assert!(100 * (sum - key.iter().min().unwrap()) < percent * whole);
        let lowest = key.iter().min().unwrap();
        prop_assert!(amounts.iter().enumerate().all(|(row, cents)| cents <= lowest || assignments.value("standing", row) == Some("key")));
    }
}

fn planted() -> Vec<Customer> {
    // Banks buy for much, others for little; whoever is a prospect has no order.
    (0..200)
        .map(|number| {
            let is_bank = number % 5 == 0;
            let cents = if is_bank { 90_000 + number } else { 500 + number };
            Customer {
                orders: (number < 190).then_some((100, 2, cents, cents / 2)),
                industry: Some(if is_bank {
                    "bank"
                } else if number % 2 == 0 {
                    "farm"
                } else {
                    "retail"
                }),
                size: Some(f64::from(u8::from(is_bank)) * 40.0 + (number % 7) as f64),
                tags: Some(if is_bank { vec!["vip"] } else { vec![] }),
            }
        })
        .collect()
}

#[test]
fn a_prospect_that_is_like_key_customers_is_found_and_explained() {
    let rows = batch(&planted());
    let model = fit(&rows, &config(KeyBy::Share)).unwrap();
    let scores = KeyCustomers::score(&model.bytes, &rows, &at()).unwrap();
    let (bank, farm) = (scores.value("look_alike", 190).unwrap(), scores.value("look_alike", 192).unwrap());
    assert!(bank > 90.0 && farm < 10.0, "{bank} {farm}");
    let reasons = <KeyCustomers as Scoring>::explain(&model.bytes, &rows, &at()).unwrap();
    let industry = reasons[190].iter().find(|reason| reason.code == "industry").unwrap();
    assert!(
        industry.weight > 0.0 && industry.text.en.starts_with("industry = bank: "),
        "{}",
        industry.text.en
    );
    let rules = KeyCustomers::rules(&model.bytes).unwrap();
    assert!(rules.en.contains("| industry | bank |") && rules.zh_cn.contains("几率倍数"));
    assert!(model.summary.zh_cn.contains("最突出的特征"), "{}", model.summary.zh_cn);
}

#[test]
fn values_that_training_did_not_have_say_nothing() {
    let rows = batch(&planted());
    let model = fit(&rows, &config(KeyBy::Share)).unwrap();
    let stranger = |industry| batch(&[Customer { orders: None, industry, size: None, tags: None }]);
    let score = |rows: &Batch| KeyCustomers::score(&model.bytes, rows, &at()).unwrap().value("look_alike", 0);
    assert_eq!((score(&stranger(Some("circus"))), score(&stranger(None))), (None, None));
    let reasons = <KeyCustomers as Scoring>::explain(&model.bytes, &stranger(Some("circus")), &at()).unwrap();
    assert_eq!(reasons[0][0].code, "no-traits");
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let rows = batch(&planted());
    let bad = Config { top_percent: 0.0, ..Config::default() };
    assert!(fit(&rows, &bad).unwrap_err().to_string().contains("`top_percent` is 0"));
    let nobody = batch(&[Customer { orders: None, industry: Some("bank"), size: None, tags: None }]);
    assert!(matches!(fit(&nobody, &Config::default()), Err(PluginError::UnsuitableData(_))));
    let model = fit(&rows, &config(KeyBy::Rankings)).unwrap();
    for damaged in [&model.bytes[..model.bytes.len() - 1], &[1; 60], &[]] {
        assert!(matches!(KeyCustomers::assign(damaged, &rows, &at()), Err(PluginError::UnreadableModel(_))));
    }
    let late = batch(&[Customer { orders: Some((-9, 1, 100, 0)), industry: None, size: None, tags: None }]);
    let assignments =
        KeyCustomers::assign(&fit(&rows, &Config::default()).unwrap().bytes, &late, &at()).unwrap();
    assert_eq!(assignments.failed()[0].code, "order-after-as-of");

    let orders = || {
        stream([BatchBuilder::new([0])
            .reference("account", [None])
            .date("ordered_on", [Some(1)])
            .money("amount", "CNY", [Some(1)])
            .build()])
    };
    let ask = |name: &str, parameters: &str| {
        KeyCustomers::analyse(name, &mut orders(), parameters, &Config::default(), &at()).unwrap_err()
    };
    assert!(ask("weather", "{}").to_string().contains("`weather`"));
    assert!(matches!(ask("cohorts", r#"{"period":"week"}"#), PluginError::InvalidParameters(_)));
    assert!(matches!(ask("cohorts", "{}"), PluginError::UnsuitableData(_)));
}
