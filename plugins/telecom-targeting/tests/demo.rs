//! The planted rule is found again, and what holds for all models.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use telecom_targeting::demo::{self, DemoCustomer, is_target};
use telecom_targeting::{Config, TelecomTargeting};
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{
    Batch, ColumnDescription, LearnedBy, Model, ModelReport, PluginError, Scoring, Segmentation, localized,
    parse_config,
};

fn config(json: &str) -> Config {
    parse_config(json).unwrap()
}

fn batch(customers: &[DemoCustomer]) -> Batch {
    batch_with(customers, |one| one.uses_service.then_some(one.call_minutes))
}

fn batch_with(customers: &[DemoCustomer], usage: fn(&DemoCustomer) -> Option<i64>) -> Batch {
    let name = |field: &str| format!("features.telecom_targeting__{field}");
    let each = || customers.iter();
    BatchBuilder::new(0..customers.len() as u64)
        .int64(&name("age"), each().map(|one| Some(one.age)))
        .dictionary(&name("occupation"), each().map(|one| Some(one.occupation)))
        .int64(&name("income"), each().map(|one| Some(one.income)))
        .dictionary(&name("marital_status"), each().map(|one| Some(one.marital_status)))
        .int64(&name("monthly_bill"), each().map(|one| Some(one.monthly_bill)))
        .dictionary(&name("industry"), each().map(|one| Some(one.industry)))
        .boolean(&name("uses_mp3"), each().map(|one| Some(one.uses_mp3)))
        .boolean("target", each().map(|one| Some(one.uses_service)))
        .int64("usage", each().map(usage))
        .build()
}

fn customers() -> Vec<DemoCustomer> {
    demo::customers(20_000, 1)
}

fn fitted(batch: &Batch) -> Model {
    let mut rows = stream(split(batch, 4_000)).described(labels());
    <TelecomTargeting as Scoring>::fit(&mut rows, &config("{}"), &context()).unwrap()
}

/// What the server says that two of the columns are called.
fn labels() -> Vec<ColumnDescription> {
    let named = |(field, en, zh): (&str, &str, &str)| ColumnDescription {
        name: format!("features.telecom_targeting__{field}"),
        label: localized(en, zh),
        unit: "".into(),
        options: Vec::new(),
        extra: Vec::new(),
    };
    [("age", "Age", "年龄"), ("occupation", "Occupation", "职业")].map(named).to_vec()
}

#[test]
fn the_tree_finds_the_planted_rule() {
    let customers = customers();
    let batch = batch(&customers);
    let model = fitted(&batch);
    // The likeliest leaf is the one of the rule: its words, and its share of nine in ten.
    let rule = model.summary.en.split("Most likely to use it ").nth(1).unwrap();
    assert!(rule.contains("Occupation is sales"), "{rule}");
    for condition in ["< Age ≤ 30.5", "monthly_bill ≤ 20", "income ≤ 50"] {
        assert!(rule.contains(condition), "{condition} is not in: {rule}");
    }
    let scores = TelecomTargeting::score(&model.bytes, &batch, &context()).unwrap();
    let (mut inside, mut outside) = ((0.0, 0.0), (0.0, 0.0));
    for (row, customer) in customers.iter().enumerate() {
        let sum = if is_target(customer) { &mut inside } else { &mut outside };
        sum.0 += scores.value("adoption", row).unwrap();
        sum.1 += 1.0;
    }
    let (inside, outside) = (inside.0 / inside.1, outside.0 / outside.1);
    assert!((85.0..95.0).contains(&inside), "{inside}");
    assert!(outside < 8.0, "{outside}");
}

#[test]
fn non_users_of_the_rule_are_the_group_to_call() {
    let customers = customers();
    let batch = batch(&customers);
    let model = fitted(&batch);
    let assigned = TelecomTargeting::assign(&model.bytes, &batch, &context()).unwrap();
    let (mut called, mut right) = (0, 0);
    for (row, customer) in customers.iter().enumerate() {
        let group = assigned.value("probability_group", row);
        assert_eq!(group.is_none(), customer.uses_service);
        if group == Some("from_80") || group == Some("from_95") {
            called += 1;
            right += usize::from(is_target(customer));
        }
    }
    assert!(called > 10 && right * 10 >= called * 9, "{right} of {called}");
}

#[test]
fn splitting_the_customers_changes_nothing() {
    let batch = batch(&demo::customers(600, 2));
    let model = fitted(&batch);
    assert_splitting_changes_no_score::<TelecomTargeting>(&model.bytes, &batch, &context());
    assert_splitting_changes_nothing::<TelecomTargeting>(&model.bytes, &batch, &context());
    let mut rows = stream([batch]).described(labels());
    let whole = <TelecomTargeting as Scoring>::fit(&mut rows, &config("{}"), &context()).unwrap();
    assert_eq!(whole, model);
}

#[test]
fn the_report_draws_both_trees_and_names_every_leaf() {
    let model = fitted(&batch(&demo::customers(5_000, 3)));
    let report = TelecomTargeting::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let names: Vec<&str> = report.panels.iter().map(|panel| panel.name.as_str()).collect();
    for name in ["tree", "usage_tree", "leaves", "groups", "lift", "calibration"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let leaves = report.panels.iter().find(|panel| panel.name == "leaves").unwrap().rows();
    assert_eq!(report.value("leaves"), Some(leaves as f64));
}

#[test]
fn leaves_are_numbered_by_how_likely_their_customers_are() {
    let batch = batch(&customers());
    let model = fitted(&batch);
    let scores = TelecomTargeting::score(&model.bytes, &batch, &context()).unwrap();
    let assigned = TelecomTargeting::assign(&model.bytes, &batch, &context()).unwrap();
    let mut shares = BTreeMap::new();
    for row in 0..batch.rows() {
        let leaf = assigned.value("leaf", row).unwrap().to_owned();
        shares.insert(leaf, scores.value("adoption", row).unwrap());
    }
    let shares: Vec<f64> = shares.into_values().collect();
    assert!(shares.len() > 1 && shares.is_sorted_by(|one, next| one >= next), "{shares:?}");
    assert!((85.0..95.0).contains(&shares[0]), "{shares:?}");
}

#[test]
fn usage_has_rules_of_its_own_and_says_how_far_off_they_are() {
    let batch = batch(&customers());
    let model = fitted(&batch);
    let value = |name: &str| {
        model.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value).unwrap()
    };
    // Minutes are twice the bill and up to 60 more, at random: mean distance 15, and the tree adds its steps to it.
    assert!((15.0..40.0).contains(&value("usage_mae")), "{}", value("usage_mae"));
    assert!(value("usage_r2") > 0.9, "{}", value("usage_r2"));
    let report = TelecomTargeting::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let rules = report.panels.iter().find(|panel| panel.name == "usage_leaves").unwrap();
    assert!(rules.rows() > 4, "{}", rules.rows());
}

#[test]
fn who_nobody_knows_the_usage_of_has_none_to_expect() {
    let batch = batch_with(&demo::customers(2_000, 5), |_| None);
    let model = fitted(&batch);
    let scores = TelecomTargeting::score(&model.bytes, &batch, &context()).unwrap();
    assert_eq!(scores.value("usage", 0), None);
    assert!(model.metrics.iter().all(|metric| metric.name != "usage_mae"));
}

#[test]
fn the_example_is_what_the_generator_makes() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/telecom/customers.csv");
    assert!(std::fs::read_to_string(file).unwrap() == demo::table(5_000, 1), "run the example `demo` again");
}

#[test]
fn only_described_values_are_assigned() {
    let batch = batch(&demo::customers(3_000, 4));
    let model = fitted(&batch);
    let assigned = TelecomTargeting::assign(&model.bytes, &batch, &context()).unwrap();
    let descriptions = <TelecomTargeting as Segmentation>::describe(&config("{}")).unwrap();
    for description in &descriptions {
        for row in 0..batch.rows() {
            if let Some(value) = assigned.value(&description.name, row) {
                assert!(description.values.iter().any(|known| known.name == value), "{value}");
            }
        }
    }
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    for (json, word) in [
        (r#"{"groups": [5, 95]}"#, "groups"),
        (r#"{"features": []}"#, "features"),
        (r#"{"target": "telecom_targeting__age"}"#, "target"),
    ] {
        let refused = <TelecomTargeting as Segmentation>::describe(&config(json)).unwrap_err();
        assert!(
            matches!(&refused, PluginError::InvalidConfig(text) if text.en.contains(word)),
            "{refused:?}"
        );
    }
}
