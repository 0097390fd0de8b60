//! The plugin on small and made-up shops.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use cross_sell::{BasketKind, Config, CrossSell, ItemKind, Mode};
use proptest::prelude::*;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, stream,
};
use trellis_sdk::{
    Analysis, Batch, LearnedBy, Model, ModelReport, PluginError, RowStream, Scoring, Segmentation,
};

/// What each order holds; customers have one order each.
fn shop(orders: &[&[&str]]) -> RowStream<'static> {
    let of_line =
        || orders.iter().enumerate().flat_map(|(order, items)| items.iter().map(move |item| (order, *item)));
    let ids: Vec<String> = of_line().map(|(order, _)| order.to_string()).collect();
    let lines = BatchBuilder::new(0..ids.len() as u64)
        .dictionary("order", ids.iter().map(|id| Some(id.as_str())))
        .reference("account", of_line().map(|(order, _)| Some(order as u64)))
        .date("ordered_on", of_line().map(|(order, _)| Some(-(order as i32))))
        .dictionary("product", of_line().map(|(_, item)| Some(item)))
        .dictionary("category", of_line().map(|(_, item)| Some(category(item))))
        .build();
    stream([customers(orders)]).with_dataset("lines", [lines]).with_dataset("products", [products()])
}

fn category(product: &str) -> &'static str {
    if matches!(product, "tea" | "coffee") { "drinks" } else { "food" }
}

fn customers(orders: &[&[&str]]) -> Batch {
    BatchBuilder::new(0..orders.len() as u64)
        .lists("products", orders.iter().map(|items| Some(items.to_vec())))
        .build()
}

/// Bread earns 1, jam 4; tea has no cost, coffee no price.
fn products() -> Batch {
    BatchBuilder::new(0..4)
        .dictionary("name", ["bread", "jam", "tea", "coffee"].map(Some))
        .dictionary("category", [Some("food"), Some("food"), Some("drinks"), Some("drinks")])
        .money("list_price", "USD", [Some(300), Some(500), Some(1000), None])
        .money("cost", "USD", [Some(200), Some(100), None, None])
        .build()
}

const ORDERS: [&[&str]; 8] = [
    &["bread", "jam"],
    &["bread", "jam", "tea"],
    &["bread", "tea"],
    &["bread", "jam"],
    &["jam", "tea"],
    &["tea", "coffee"],
    &["coffee"],
    &["tea"],
];

fn config() -> Config {
    Config { min_support: 0.1, min_confidence: 0.1, min_lift: 0.0, ..Config::default() }
}

fn fitted(config: &Config) -> Model {
    <CrossSell as Scoring>::fit(&mut shop(&ORDERS), config, &context()).unwrap()
}

fn buyer(items: &[&str]) -> Batch {
    BatchBuilder::new([1]).lists("products", [Some(items.to_vec())]).build()
}

#[test]
fn the_best_missing_item_gains_most_by_confidence_and_margin() {
    let model = fitted(&config());
    // Of four with bread three have jam (3/4 × 4.00) and two have tea (2/4 × 30 % of 10.00).
    let scores = CrossSell::score(&model.bytes, &buyer(&["bread"]), &context()).unwrap();
    assert_eq!(scores.value("expected_gain", 0), Some(3.0));
    assert_eq!(scores.value("confidence", 0), Some(0.75));
    assert_eq!(scores.value("lift", 0), Some(0.75 / 0.5));
    let reasons = <CrossSell as Scoring>::explain(&model.bytes, &buyer(&["bread"]), &context()).unwrap();
    let first = &reasons[0][0].text;
    assert!(first.en.starts_with("offer jam: who buys bread buys jam in 75 % of cases"), "{first:?}");
    assert!(first.zh_cn.contains("推荐jam") && first.zh_cn.contains("期望收益 3.00 USD"), "{first:?}");
    assert!(reasons[0].len() <= 5 && reasons[0].is_sorted_by(|one, next| one.weight >= next.weight));
}

#[test]
fn who_bought_nothing_or_unknown_things_is_offered_nothing() {
    let model = fitted(&config());
    let rows = BatchBuilder::new(1..4)
        .lists("products", [None, Some(vec![]), Some(vec!["a thing that training never saw"])])
        .build();
    let scores = CrossSell::score(&model.bytes, &rows, &context()).unwrap();
    let values = CrossSell::assign(&model.bytes, &rows, &context()).unwrap();
    for row in 0..3 {
        assert_eq!((scores.value("expected_gain", row), values.value("offer", row)), (None, None));
    }
    let all = buyer(&["bread", "jam", "tea", "coffee"]);
    assert_eq!(CrossSell::assign(&model.bytes, &all, &context()).unwrap().value("offer", 0), None);
}

#[test]
fn only_named_products_are_offered_and_each_has_a_value() {
    let config = Config { offers: vec!["tea".to_owned(), "果酱".to_owned()], ..config() };
    let described = <CrossSell as Segmentation>::describe(&config).unwrap();
    let names: Vec<_> = described[0].values.iter().map(|value| value.name.as_str()).collect();
    assert_eq!(names, ["tea", "offer_2"]);
    let model = fitted(&config);
    let values = CrossSell::assign(&model.bytes, &buyer(&["bread"]), &context()).unwrap();
    assert_eq!(values.value("offer", 0), Some("tea"));
    let twice = Config { offers: vec!["tea".to_owned(), "tea".to_owned()], ..config };
    assert!(
        matches!(<CrossSell as Scoring>::describe(&twice), Err(PluginError::InvalidConfig(message)) if message.en.contains("`tea` twice"))
    );
}

#[test]
fn the_way_to_sell_is_the_one_that_pays_best() {
    let mode = |name: &str, cost: f64, response: f64| Mode {
        name: name.to_owned(),
        label_en: name.to_owned(),
        label_zh: name.to_owned(),
        cost,
        response,
    };
    let pays = |modes: Vec<Mode>| {
        let model = fitted(&Config { modes, ..config() });
        let values = CrossSell::assign(&model.bytes, &buyer(&["bread"]), &context()).unwrap();
        let scores = CrossSell::score(&model.bytes, &buyer(&["bread"]), &context()).unwrap();
        (values.value("mode", 0).unwrap().to_owned(), scores.value("expected_gain", 0).unwrap())
    };
    // Confidence × margin is 3.00: a call gains 0.9 × 3 − 1, a mail 0.5 × 3 − 0.1.
    assert_eq!(pays(vec![mode("call", 1.0, 0.9), mode("mail", 0.1, 0.25)]).0, "call");
    assert_eq!(pays(vec![mode("call", 2.5, 0.9), mode("mail", 0.1, 0.25)]), ("mail".to_owned(), 0.65));
    assert_eq!(pays(vec![mode("call", 9.0, 0.9)]).0, "none");
}

#[test]
fn categories_make_sturdier_rules_and_products_stand_for_them() {
    let model = fitted(&Config { item: ItemKind::Category, ..config() });
    let scores = CrossSell::score(&model.bytes, &buyer(&["bread"]), &context()).unwrap();
    // Of five orders with food three hold a drink.
    assert_eq!(scores.value("confidence", 0), Some(0.6));
    assert_eq!(
        CrossSell::score(&model.bytes, &buyer(&["bread", "coffee"]), &context())
            .unwrap()
            .value("confidence", 0),
        None
    );
}

#[test]
fn customers_can_be_baskets_and_old_orders_can_be_left_out() {
    let by_customer = fitted(&Config { basket: BasketKind::Customer, ..config() });
    assert!(by_customer.bytes == fitted(&config()).bytes, "every customer has one order");
    let last_four = fitted(&Config { lookback_days: 4, ..config() });
    assert_eq!(last_four.metrics[0].value, 4.0);
}

#[test]
fn a_propensity_tells_buyers_from_others_or_says_why_not() {
    let asked = |product: &str| Config { product: Some(product.to_owned()), ..config() };
    let orders: Vec<&[&str]> =
        (0..20).map(|n| if n % 2 == 0 { &["bread", "jam"][..] } else { &["tea", "bread"][..] }).collect();
    let model = <CrossSell as Scoring>::fit(&mut shop(&orders), &asked("jam"), &context()).unwrap();
    let propensity = |items: &[&str]| {
        CrossSell::score(&model.bytes, &buyer(items), &context()).unwrap().value("propensity", 0)
    };
    assert!(propensity(&["tea", "bread"]).unwrap() < 0.5 && propensity(&["bread"]).unwrap() > 0.5);
    assert_eq!(propensity(&["jam"]), None, "has it");
    let report = CrossSell::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert!(report.panels.iter().any(|panel| panel.name == "propensity"));

    for (product, problem) in [("bread", "20 of 20 customers bought"), ("silk", "no basket holds `silk`")] {
        let model = <CrossSell as Scoring>::fit(&mut shop(&orders), &asked(product), &context()).unwrap();
        assert!(model.summary.en.contains(problem), "{}", model.summary.en);
        let scores = CrossSell::score(&model.bytes, &buyer(&["tea"]), &context()).unwrap();
        assert_eq!(scores.names().last(), Some("propensity"));
        assert_eq!(scores.value("propensity", 0), None);
    }
}

#[test]
fn the_weakest_rules_are_left_out_and_that_is_said() {
    let model = fitted(&Config { rules_max: 3, ..config() });
    let metric = |name: &str| model.metrics.iter().find(|metric| metric.name == name).unwrap().value;
    assert_eq!(metric("rules_kept"), 3.0);
    let left_out = format!("{} are left out", metric("rules") - 3.0);
    assert!(model.summary.en.contains(&left_out), "{}", model.summary.en);
}

#[test]
fn what_is_no_shop_is_refused() {
    let fit = |orders: &[&[&str]]| <CrossSell as Scoring>::fit(&mut shop(orders), &config(), &context());
    assert!(
        matches!(fit(&[]), Err(PluginError::UnsuitableData(message)) if message.en.contains("no order line"))
    );
    assert!(fit(&[&["tea"]]).unwrap().summary.en.contains("0 rules"));
    assert!(matches!(
        CrossSell::score(b"no model", &buyer(&["tea"]), &context()),
        Err(PluginError::UnreadableModel(_))
    ));
    let bytes = fitted(&config()).bytes;
    assert!(matches!(
        CrossSell::score(&bytes[..bytes.len() - 1], &buyer(&["tea"]), &context()),
        Err(PluginError::UnreadableModel(_))
    ));
}

#[test]
fn missing_items_of_all_customers_add_up() {
    let report =
        CrossSell::analyse("missing_items", &mut shop(&ORDERS), "{}", &config(), &context()).unwrap();
    assert_eq!(report.value("customers"), Some(8.0));
    assert_eq!(report.value("customers_with_offer"), Some(8.0));
    let error =
        CrossSell::analyse("recommend", &mut shop(&ORDERS), r#"{"basket":["silk"]}"#, &config(), &context())
            .unwrap_err();
    assert!(error.to_string().contains("`silk`"), "{error}");
}

proptest! {
    #[test]
    fn each_customer_is_judged_alone(baskets in proptest::collection::vec(proptest::sample::subsequence(vec!["bread", "jam", "tea", "coffee"], 0..4), 1..60)) {
        let orders: Vec<&[&str]> = baskets.iter().map(Vec::as_slice).collect();
        let config = Config { product: Some("tea".to_owned()), ..config() };
        if let Ok(model) = <CrossSell as Scoring>::fit(&mut shop(&orders), &config, &context()) {
            let rows = customers(&orders);
            assert_splitting_changes_no_score::<CrossSell>(&model.bytes, &rows, &context());
            assert_splitting_changes_nothing::<CrossSell>(&model.bytes, &rows, &context());
        }
    }
}
