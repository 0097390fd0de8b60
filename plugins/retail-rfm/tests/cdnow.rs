//! The plugin against reference results over real purchases (`examples/cdnow`).

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use retail_rfm::{Config, RetailRfm};
use serde_json::Value;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_nothing, context, split, stream};
use trellis_sdk::{Assignments, Batch, Context, Model, Segmentation};

/// 1997-09-30.
static AS_OF: LazyLock<i32> = LazyLock::new(|| day("1997-09-30"));

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdnow")
}

fn day(text: &str) -> i32 {
    let date: jiff::civil::Date = text.parse().unwrap();
    date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days()
}

fn at() -> Context {
    Context { as_of: *AS_OF, ..context() }
}

/// Last purchase, number of purchases and cents of each customer up to the snapshot.
fn customers() -> BTreeMap<u64, (i32, i64, i64)> {
    let mut customers = BTreeMap::new();
    for row in csv::Reader::from_path(folder().join("cdnow_sample_transactions.csv")).unwrap().records() {
        let row = row.unwrap();
        let date = day(&row[2]);
        if date <= *AS_OF {
            let customer = customers.entry(row[0].parse().unwrap()).or_insert((date, 0, 0));
            customer.0 = date.max(customer.0);
            customer.1 += 1;
            customer.2 += (row[4].parse::<f64>().unwrap() * 100.0).round() as i64;
        }
    }
    customers
}

fn batch() -> Batch {
    let customers = customers();
    BatchBuilder::new(customers.keys().copied())
        .date("last_order", customers.values().map(|customer| Some(customer.0)))
        .int64("orders", customers.values().map(|customer| Some(customer.1)))
        .money("spent", "USD", customers.values().map(|customer| Some(customer.2)))
        .build()
}

fn fitted() -> Model {
    let pieces = split(&batch(), 1000);
    RetailRfm::fit(&mut stream(pieces), &Config { groups: 5, ..Config::default() }, &at()).unwrap()
}

fn assigned() -> Assignments {
    RetailRfm::assign(&fitted().bytes, &batch(), &at()).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

/// How many rows have each value.
fn counts(assignments: &Assignments, name: &str) -> Value {
    let mut counts = BTreeMap::<&str, u64>::new();
    for row in 0..batch().rows() {
        *counts.entry(assignments.value(name, row).unwrap()).or_default() += 1;
    }
    serde_json::to_value(counts).unwrap()
}

#[track_caller]
fn check_counts(name: &str, expected: &Value) {
    assert_eq!(&counts(&assigned(), name), expected, "{name}");
}

#[test]
fn every_customer_has_the_expected_scores() {
    let assignments = assigned();
    let names = ["ntile_r", "ntile_f", "ntile_m", "quantile_r", "quantile_f", "quantile_m"];
    let mut rows = 0;
    for (row, expected) in
        csv::Reader::from_path(folder().join("expected_customers.csv")).unwrap().records().enumerate()
    {
        let expected = expected.unwrap();
        let scores = names.map(|name| assignments.value(name, row).unwrap());
        assert_eq!(
            scores.as_slice(),
            (4..10).map(|column| &expected[column]).collect::<Vec<_>>(),
            "row {row}"
        );
        assert_eq!(assignments.value("ntile_cell", row).unwrap(), scores[..3].concat());
        assert_eq!(assignments.value("quantile_cell", row).unwrap(), scores[3..].concat());
        rows += 1;
    }
    assert_eq!(rows, 2357);
    assert_eq!(assignments.failed(), []);
}

#[test]
fn groups_cells_classes_and_matrix_have_the_expected_sizes() {
    let expected = expected();
    for (kind, prefix) in [("ntile", "ntile"), ("value_quantile", "quantile")] {
        let rfm = &expected["rfm"][kind];
        for dimension in ["R", "F", "M"] {
            check_counts(&format!("{prefix}_{}", dimension.to_lowercase()), &rfm["score_counts"][dimension]);
        }
        check_counts(&format!("{prefix}_cell"), &rfm["cells"]);
    }
    check_counts("class", &expected["rfm_classes"]["eight_classes"]["counts"]);
    check_counts("value_matrix", &expected["rfm_classes"]["value_matrix"]["counts"]);
}

#[test]
fn the_model_says_the_expected_means() {
    let (model, expected) = (fitted(), expected());
    let classes = &expected["rfm_classes"];
    let means = &classes["eight_classes"]["mean_scores"];
    for (name, expected, tolerance) in [
        ("customers", &classes["customers"], 0.0),
        ("mean_recency_score", &means[0], 5e-7),
        ("mean_frequency_score", &means[1], 5e-7),
        ("mean_monetary_score", &means[2], 5e-7),
        ("mean_frequency", &classes["value_matrix"]["mean_frequency"], 5e-7),
        ("mean_average_spend", &classes["value_matrix"]["mean_average_spend_cents"], 5e-7),
    ] {
        let found = model.metrics.iter().find(|metric| metric.name == name).unwrap().value;
        let expected = expected.as_f64().unwrap();
        assert!((found - expected).abs() <= tolerance, "{name} is {found}, not {expected}");
    }
    assert!(model.summary.en.contains("2357 customers") && model.summary.zh_cn.contains("2357 位客户"));
}

/// The thresholds show at their edges: a value on one has the lower score, one above it the next.
#[test]
fn thresholds_are_the_expected_quantiles() {
    let (model, expected) = (fitted(), expected());
    let thresholds = &expected["rfm"]["value_quantile"]["thresholds"];
    let score = |name: &str, recency: i32, orders: i64, spent: i64| -> u32 {
        let customer = BatchBuilder::new([5000])
            .date("last_order", [Some(*AS_OF - recency)])
            .int64("orders", [Some(orders)])
            .money("spent", "USD", [Some(spent)])
            .build();
        let assignments = RetailRfm::assign(&model.bytes, &customer, &at()).unwrap();
        assignments.value(name, 0).unwrap().parse().unwrap()
    };
    for dimension in ["R", "F", "M"] {
        let cuts: Vec<f64> = serde_json::from_value(thresholds[dimension].clone()).unwrap();
        for cut in &cuts {
            for value in [cut.floor() as i64, cut.floor() as i64 + 1] {
                let above = cuts.iter().filter(|cut| value as f64 > **cut).count() as u32;
                let (found, expected) = match dimension {
                    "R" => (score("quantile_r", value as i32, 1, 0), 5 - above),
                    "F" => (score("quantile_f", 0, value, 0), 1 + above),
                    _ => (score("quantile_m", 0, 1, value), 1 + above),
                };
                assert_eq!(found, expected, "{dimension} of {value}");
            }
        }
    }
}

#[test]
fn splitting_the_customers_changes_nothing() {
    assert_splitting_changes_nothing::<RetailRfm>(&fitted().bytes, &batch(), &at());
}

#[test]
fn the_model_does_not_depend_on_how_the_stream_is_cut() {
    let whole =
        RetailRfm::fit(&mut stream([batch()]), &Config { groups: 5, ..Config::default() }, &at()).unwrap();
    assert_eq!(whole, fitted());
}

#[test]
fn reasons_name_the_figures_in_both_languages() {
    let first = split(&batch(), 1).remove(0);
    let reasons = RetailRfm::explain(&fitted().bytes, &first, &at()).unwrap().remove(0);
    let texts: BTreeMap<_, _> = reasons
        .iter()
        .map(|reason| (reason.code.as_str(), (reason.text.en.as_str(), reason.text.zh_cn.as_str())))
        .collect();
    assert_eq!(texts["recency"].0, "last order 59 days ago: recency score 5 of 5, above the mean of 3.01");
    assert_eq!(texts["recency"].1, "最近一次下单在 59 天前：近度 5 分（满分 5 分），高于平均 3.01 分");
    assert_eq!(texts["frequency"].0, "3 orders: frequency score 4 of 5, above the mean of 2.16");
    assert_eq!(texts["monetary"].0, "74.02 USD spent: monetary score 4 of 5, above the mean of 3.00");
    assert_eq!(texts["average-spend"].0, "24.67 USD per order, not above the mean of 32.15 USD");
    assert!(reasons.is_sorted_by(|one, next| one.weight >= next.weight));
}

/// The description, the codes and the values agree: every value that is assigned was described.
#[test]
fn only_described_values_are_assigned() {
    let descriptions = RetailRfm::describe(&Config { groups: 5, ..Config::default() }).unwrap();
    let assignments = assigned();
    assert_eq!(
        descriptions.iter().map(|description| description.name.as_str()).collect::<Vec<_>>(),
        assignments.names().collect::<Vec<_>>()
    );
    for description in &descriptions {
        for row in 0..batch().rows() {
            let value = assignments.value(&description.name, row).unwrap();
            assert!(description.values.iter().any(|described| described.name == value), "{value}");
        }
        let texts = description.values.iter().flat_map(|value| [&value.label, &value.description]);
        for text in texts.chain([&description.label, &description.description]) {
            assert_eq!(text.en.is_empty(), text.zh_cn.is_empty(), "{text:?}");
        }
    }
}
