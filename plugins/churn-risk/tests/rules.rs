//! The definitions by orders, the analysis of reasons, and what holds whatever the data.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use churn_risk::{ChurnRisk, Config};
use trellis_sdk::testing::{BatchBuilder, context, day, stream};
use trellis_sdk::{Analysis, Batch, Context, PluginError, Report, Scoring, parse_config};

fn at() -> Context {
    Context { as_of: day("2026-06-30"), ..context() }
}

fn config(json: &str) -> Config {
    parse_config(json).unwrap()
}

/// A customer with an order every `every` days from `first` to `last`, counted back from today.
#[derive(Clone, Copy)]
struct Shopper {
    first: i32,
    last: i32,
    every: i32,
}

fn shoppers(customers: &[Shopper], watched: i32) -> Batch {
    let today = at().as_of;
    let orders = |one: &Shopper, until: i32| -> Vec<i32> {
        let step = usize::try_from(one.every).unwrap();
        let days = (one.last..=one.first).rev().step_by(step);
        days.map(|ago| today - ago).filter(|day| *day <= until).collect()
    };
    let mut builder = BatchBuilder::new(0..customers.len() as u64);
    for (view, until) in [("", today), ("_before", today - watched)] {
        let of = |one: &Shopper| orders(one, until);
        let count = |one: &Shopper| Some(of(one).len() as i64);
        builder = builder
            .int64(&format!("orders{view}"), customers.iter().map(count))
            .money(
                &format!("spent{view}"),
                "CNY",
                customers.iter().map(|one| Some(100 * of(one).len() as i64)),
            )
            .date(&format!("first_order{view}"), customers.iter().map(|one| of(one).first().copied()))
            .date(&format!("last_order{view}"), customers.iter().map(|one| of(one).last().copied()))
            .int64(&format!("order_days{view}"), customers.iter().map(count));
    }
    builder.build()
}

/// Half of them buy on, half stopped before the watched days began; those who stopped bought at longer intervals.
fn population() -> Vec<Shopper> {
    (0..200)
        .map(|number| {
            if number % 2 == 0 {
                Shopper { first: 400 - number / 4, last: number % 15, every: 10 }
            } else {
                Shopper { first: 400 - number / 4, last: 95 + number % 20, every: 30 }
            }
        })
        .collect()
}

#[test]
fn customers_without_orders_in_the_window_are_lost() {
    let batch = shoppers(&population(), 90);
    let model = <ChurnRisk as Scoring>::fit(
        &mut stream([batch.clone()]),
        &config(r#"{"definition": "window", "model": "tree", "min_leaf": 5}"#),
        &at(),
    )
    .unwrap();
    let figure = |name: &str| model.metrics.iter().find(|one| one.name == name).unwrap().value;
    let positives = figure("train_positives") + figure("test_positives");
    assert_eq!(positives, 100.0);
    assert!(figure("auc") > 0.95, "{}", figure("auc"));
    let scores = ChurnRisk::score(&model.bytes, &batch, &at()).unwrap();
    assert!((0..200).all(|row| scores.value("churn_risk", row).is_some()));
}

#[test]
fn patience_is_measured_in_a_customers_own_intervals() {
    // Silent for 60 days: lost with an interval of 10, not with one of 30. All were active 90 days ago.
    let mut customers = Vec::new();
    for number in 0..60 {
        let every = if number % 2 == 0 { 10 } else { 30 };
        customers.push(Shopper { first: 60 + every * (4 + number % 5), last: 60, every });
    }
    let batch = shoppers(&customers, 90);
    let settings = config(r#"{"definition": "cycle", "cycles": 3, "model": "tree", "min_leaf": 5}"#);
    let model = <ChurnRisk as Scoring>::fit(&mut stream([batch]), &settings, &at()).unwrap();
    let figure = |name: &str| model.metrics.iter().find(|one| one.name == name).unwrap().value;
    assert_eq!(figure("train_positives") + figure("test_positives"), 30.0);
    assert_eq!(figure("train_rows") + figure("test_rows"), 60.0);
}

fn left(customers: &[(Option<&str>, Option<&str>, i64)]) -> Report {
    let batch = BatchBuilder::new(0..customers.len() as u64)
        .money("spent", "CNY", customers.iter().map(|one| Some(100 * one.2)))
        .date("left_on", customers.iter().map(|one| one.0.map(day)))
        .dictionary("reason", customers.iter().map(|one| one.1))
        .money("value_lost", "CNY", customers.iter().map(|_| None))
        .build();
    let settings = config(r#"{"target": "lost", "features": ["x"]}"#);
    ChurnRisk::analyse("churn_reasons", &mut stream([batch]), r#"{"limit_percent": 10}"#, &settings, &at())
        .unwrap()
}

#[test]
fn reasons_are_counted_by_number_and_value() {
    let report = left(&[
        (Some("2026-05-01"), Some("price"), 100),
        (Some("2026-05-20"), Some("price"), 100),
        (Some("2026-06-02"), Some("service"), 700),
        (Some("2024-01-01"), Some("demand"), 900),
        (None, None, 100),
        (None, None, 100),
        (Some("2026-06-03"), None, 100),
    ]);
    // Who left before the period was no customer when it began.
    assert_eq!((report.value("customers"), report.value("lost")), (Some(6.0), Some(4.0)));
    assert!((report.value("churn_rate").unwrap() - 100.0 * 4.0 / 6.0).abs() < 1e-12);
    assert!((report.value("value_churn_rate").unwrap() - 100.0 * 1000.0 / 1200.0).abs() < 1e-12);
    assert_eq!(report.value("exceeded"), Some(1.0));
    assert!(report.summary.en.contains("The most frequent reason is price."), "{}", report.summary.en);
    assert!(report.summary.zh_cn.contains("最主要原因：价格流失"), "{}", report.summary.zh_cn);
    let pareto = report.panels.iter().find(|panel| panel.name == "pareto").unwrap();
    assert_eq!(pareto.rows(), 3);
    let months = report.panels.iter().find(|panel| panel.name == "reasons_by_month").unwrap();
    assert_eq!(months.rows(), 3);
}

#[test]
fn nobody_who_left_is_no_fault() {
    let report = left(&[(None, None, 100)]);
    assert_eq!((report.value("churn_rate"), report.value("exceeded")), (Some(0.0), Some(0.0)));
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    for (json, word) in [
        (r#"{"features": ["a"]}"#, "target"),
        (r#"{"target": "a"}"#, "features"),
        (r#"{"target": "a", "features": ["a"]}"#, "target"),
        (r#"{"target": "a", "features": ["b"], "medium_percent": 70}"#, "medium_percent"),
        (
            r#"{"target": "a", "features": ["b"], "high_value_percent": 60, "low_value_percent": 50}"#,
            "high_value_percent",
        ),
    ] {
        let refused = <ChurnRisk as Scoring>::describe(&config(json)).unwrap_err();
        assert!(
            matches!(&refused, PluginError::InvalidConfig(text) if text.en.contains(word)),
            "{refused:?}"
        );
    }
}
