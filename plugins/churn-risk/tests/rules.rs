//! The definitions by orders, the analysis of reasons, and what holds whatever the data.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use churn_risk::{ChurnRisk, Config};
use trellis_sdk::testing::{BatchBuilder, context, day, stream};
use trellis_sdk::{
    Analysis, Batch, Context, LearnedBy, ModelReport, PluginError, Report, Scoring, Segmentation,
    parse_config,
};

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
fn who_was_silent_for_long_before_the_window_is_not_learned_from() {
    let mut customers = population();
    // Fifty who left years ago: they would be found without any model.
    customers.extend((0..50).map(|number| Shopper {
        first: 1_500 + number,
        last: 1_000 + number,
        every: 20,
    }));
    let batch = shoppers(&customers, 90);
    let rows = |settings: &str| {
        let model =
            <ChurnRisk as Scoring>::fit(&mut stream([batch.clone()]), &config(settings), &at()).unwrap();
        let figure = |name: &str| model.metrics.iter().find(|one| one.name == name).unwrap().value;
        (figure("train_rows") + figure("test_rows"), figure("train_positives") + figure("test_positives"))
    };
    let settings = r#"{"definition": "window", "model": "tree", "min_leaf": 5"#;
    assert_eq!(rows(&format!("{settings}}}")), (200.0, 100.0));
    assert_eq!(rows(&format!("{settings}, \"active_days\": 3650}}")), (250.0, 150.0));
}

#[test]
fn customers_without_orders_have_no_worth_at_risk() {
    let mut customers = population();
    customers.push(Shopper { first: -1, last: 0, every: 10 });
    let batch = shoppers(&customers, 90);
    let settings = config(r#"{"definition": "window", "model": "tree", "min_leaf": 5}"#);
    let model = <ChurnRisk as Scoring>::fit(&mut stream([batch.clone()]), &settings, &at()).unwrap();
    let scores = ChurnRisk::score(&model.bytes, &batch, &at()).unwrap();
    assert!(scores.value("churn_risk", 200).is_some());
    assert_eq!(scores.value("value_at_risk", 200), None);
    assert!(scores.value("value_at_risk", 0).is_some());
    let assigned = ChurnRisk::assign(&model.bytes, &batch, &at()).unwrap();
    assert!(assigned.value("risk_value", 200).unwrap().ends_with("low_value"));
}

/// Customers with a contract for so many months, half of whom left.
fn contracts() -> BatchBuilder {
    let mut builder = BatchBuilder::new(0..40)
        .float64("features.bill", (0..40).map(|row| Some(f64::from(row))))
        .dictionary("target", (0..40).map(|row| Some(if row % 2 == 0 { "Cancelled" } else { "runs" })))
        .float64("value", (0..40).map(|row| Some(f64::from(row))))
        .int64("months", (0..40).map(|row| Some(row + 1)))
        .date("since", (0..40).map(Some))
        .boolean("is_business", (0..40).map(|row| (row > 3).then_some(row % 3 == 0)));
    for view in ["", "_before"] {
        builder = builder
            .int64(&format!("orders{view}"), (0..40).map(|_| Some(0)))
            .money(&format!("spent{view}"), "CNY", (0..40).map(|_| Some(0)))
            .date(&format!("first_order{view}"), (0..40).map(|_| None))
            .date(&format!("last_order{view}"), (0..40).map(|_| None))
            .int64(&format!("order_days{view}"), (0..40).map(|_| Some(0)));
    }
    builder
}

fn learned(batch: Batch, more: &str) -> Result<Report, PluginError> {
    let settings = config(&format!(
        r#"{{"target": "state", "features": ["bill"], "value": "value", "model": "tree", "min_leaf": 5{more}}}"#
    ));
    let model = <ChurnRisk as Scoring>::fit(&mut stream([batch]), &settings, &at())?;
    ChurnRisk::describe_model(LearnedBy::Scoring, &model.bytes)
}

#[test]
fn survival_has_a_curve_of_everybody_and_of_each_group_in_both_languages() {
    let batch = |tenure: &str, group: &str| {
        let all = contracts().build();
        let column = |name: &str| all.type_of(name).map(ToOwned::to_owned).unwrap();
        let builder = match column(tenure).as_str() {
            "int64" => contracts().int64("tenure", (0..40).map(|row| Some(row + 1))),
            _ => contracts().date("tenure", (0..40).map(Some)),
        };
        let builder = match column(group).as_str() {
            "boolean" => builder.boolean("group", (0..40).map(|row| (row > 3).then_some(row % 3 == 0))),
            _ => builder.int64("group", (0..40).map(Some)),
        };
        builder.build()
    };
    let settings = r#", "tenure": "months", "group": "is_business""#;
    let report = learned(batch("months", "is_business"), settings).unwrap();
    let groups = report.panels.iter().find(|panel| panel.name == "survival_groups").unwrap();
    let text = format!("{groups:?}");
    assert_eq!(groups.rows(), 4, "everybody, (missing), no and yes: {text}");
    let refused = learned(batch("months", "months"), r#", "tenure": "months", "group": "months""#);
    assert!(refused.unwrap_err().to_string().contains("`group` is the field `months`"));
    let refused = learned(batch("since", "is_business"), r#", "tenure": "since", "group": "is_business""#);
    assert!(refused.unwrap_err().to_string().contains("`tenure` is the field `since`"));
}

#[test]
fn how_the_target_was_read_is_shown_and_values_that_all_mean_the_same_are_named() {
    let report = learned(contracts().build(), "").unwrap();
    let values = report.panels.iter().find(|panel| panel.name == "outcome_values").unwrap();
    assert_eq!(values.rows(), 2);
    let refused = learned(contracts().build(), r#", "lost_values": ["gone"]"#).unwrap_err().to_string();
    assert!(refused.contains("`state` has (Cancelled, runs)"), "{refused}");
}

#[test]
fn the_threshold_follows_from_cost_and_benefit() {
    let costs = r#", "holdout_percent": 0, "retention_cost": 2, "retention_benefit": 10"#;
    let report = learned(contracts().build(), costs).unwrap();
    assert_eq!(report.value("break_even"), Some(20.0));
    assert!(report.panels.iter().any(|panel| panel.name == "profit"));
    assert_eq!(report.value("profit_of_all"), Some(20.0 * 10.0 - 40.0 * 2.0));
    let without = learned(contracts().build(), "").unwrap();
    assert_eq!(without.value("break_even"), None);
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
    left_under(r#"{"target": "lost", "features": ["x"]}"#, r#"{"limit_percent": 10}"#, customers)
}

fn left_under(settings: &str, parameters: &str, customers: &[(Option<&str>, Option<&str>, i64)]) -> Report {
    let batch = BatchBuilder::new(0..customers.len() as u64)
        .int64("orders", customers.iter().map(|_| Some(1)))
        .money("spent", "CNY", customers.iter().map(|one| Some(100 * one.2)))
        .date("left_on", customers.iter().map(|one| one.0.map(day)))
        .dictionary("reason", customers.iter().map(|one| one.1))
        .money("value_lost", "CNY", customers.iter().map(|_| None))
        .build();
    ChurnRisk::analyse("churn_reasons", &mut stream([batch]), parameters, &config(settings), &at()).unwrap()
}

#[test]
fn the_acceptable_rate_is_a_setting_that_a_question_may_overrule() {
    let settings = r#"{"target": "lost", "features": ["x"], "acceptable_churn_percent": 60}"#;
    let half = [(Some("2026-05-01"), Some("price"), 100), (None, None, 100)];
    let warns = |parameters: &str| {
        let report = left_under(settings, parameters, &half);
        (report.value("limit").unwrap(), report.value("exceeded").unwrap())
    };
    assert_eq!((warns("{}"), warns(r#"{"limit_percent": 40}"#)), ((60.0, 0.0), (40.0, 1.0)));
    let asked = <ChurnRisk as Analysis>::describe(&config(settings)).unwrap();
    assert!(asked[0].parameters.contains(r#""default":60.0"#), "{}", asked[0].parameters);
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
    let warnings: Vec<_> = report.extra.iter().map(|(fact, text)| (fact.as_str(), text.as_str())).collect();
    let [("warning", all), ("warning", high)] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(all.contains("66.7 % of all customers, 83.3 % of their value, left within"), "{all}");
    assert!(
        high.contains("100.0 % of the customers of high value") && high.contains("高价值客户流失 100.0%"),
        "{high}"
    );
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
    assert!(report.value("lost_value").unwrap().is_sign_positive());
    assert!(report.summary.en.contains("0.0 % of all, 0.0 % of the value"), "{}", report.summary.en);
    assert_eq!(report.extra, []);
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    for (json, word) in [
        (r#"{"features": ["a"]}"#, "target"),
        (r#"{"target": "a"}"#, "features"),
        (r#"{"target": "a", "features": ["a"]}"#, "target"),
        (r#"{"target": "a", "features": ["b"], "medium_percent": 70}"#, "medium_percent"),
        (r#"{"target": "a", "features": ["b"], "retention_cost": 7}"#, "retention_benefit"),
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
