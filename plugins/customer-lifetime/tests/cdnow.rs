//! The plugin against reference results over real purchases (`examples/cdnow`).

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use customer_lifetime::{BgNbd, Choice, Config, CustomerLifetime, Histories, History, ParetoNbd};
use serde_json::Value;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, day, split, stream};
use trellis_sdk::{Batch, Context, LearnedBy, Model, ModelReport, Report, Scoring};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdnow")
}

fn at(date: &str) -> Context {
    Context { as_of: day(date), ..context() }
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

/// Cents by day of each customer.
fn purchases() -> BTreeMap<u64, BTreeMap<i32, i64>> {
    let mut customers = BTreeMap::<u64, BTreeMap<i32, i64>>::new();
    for row in csv::Reader::from_path(folder().join("cdnow_sample_transactions.csv")).unwrap().records() {
        let row = row.unwrap();
        let cents = (row[4].parse::<f64>().unwrap() * 100.0).round() as i64;
        *customers.entry(row[0].parse().unwrap()).or_default().entry(day(&row[2])).or_default() += cents;
    }
    customers
}

/// What the host would give: everything up to `as_of`, and the same `holdout_days` earlier.
fn batch(as_of: &str, holdout_days: i32) -> Batch {
    let as_of = day(as_of);
    let customers: Vec<(u64, BTreeMap<i32, i64>)> = purchases()
        .into_iter()
        .map(|(id, days)| (id, days.into_iter().filter(|(day, _)| *day <= as_of).collect()))
        .collect();
    let of = |figure: fn(&BTreeMap<i32, i64>) -> i64| {
        customers.iter().map(move |(_, days)| Some(figure(days))).collect::<Vec<_>>()
    };
    let earlier = |days: &BTreeMap<i32, i64>| -> Vec<i32> {
        days.keys().copied().filter(|day| *day <= as_of - holdout_days).collect()
    };
    BatchBuilder::new(customers.iter().map(|(id, _)| *id))
        .date("first_order", customers.iter().map(|(_, days)| days.keys().next().copied()))
        .date("last_order", customers.iter().map(|(_, days)| days.keys().last().copied()))
        .int64("purchase_days", of(|days| days.len() as i64))
        .money("spent", "USD", of(|days| days.values().sum()))
        .money("repeat_spent", "USD", of(|days| days.values().skip(1).sum()))
        .date("earlier_last_order", customers.iter().map(|(_, days)| earlier(days).last().copied()))
        .int64("earlier_purchase_days", customers.iter().map(|(_, days)| Some(earlier(days).len() as i64)))
        .build()
}

fn fit(config: &Config, as_of: &str) -> Model {
    let pieces = split(&batch(as_of, config.holdout_days as i32), 700);
    CustomerLifetime::fit(&mut stream(pieces), config, &at(as_of)).unwrap()
}

fn figure(model: &Model, name: &str) -> f64 {
    model.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}")).value
}

#[track_caller]
fn close(what: &str, found: f64, expected: &Value, relative: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= relative * expected.abs().max(1e-9),
        "{what} is {found}, not {expected}"
    );
}

const CALIBRATION_END: &str = "1997-09-30";

#[test]
fn bg_nbd_has_the_expected_parameters_and_likelihood() {
    let (model, expected) = (fit(&Config::default(), CALIBRATION_END), expected());
    let bg = &expected["bgnbd"];
    for name in ["r", "alpha", "a", "b"] {
        close(name, figure(&model, name), &bg["mle_own"][name], 0.005);
    }
    let likelihood = figure(&model, "log_likelihood");
    let best = bg["mle_own"]["loglik"].as_f64().unwrap();
    assert!((likelihood - best).abs() < 1e-4, "{likelihood}");
    assert_eq!(figure(&model, "customers"), bg["n"].as_f64().unwrap());
    assert_eq!(figure(&model, "repeats"), bg["sum_x"].as_f64().unwrap());
    assert_eq!(
        figure(&model, "customers") - figure(&model, "repeaters"),
        bg["n_zero_repeat"].as_f64().unwrap()
    );
    for (weeks, purchases) in bg["expected_purchases_new_customer"].as_object().unwrap() {
        let config = Config { horizon_weeks: weeks.parse().unwrap(), ..Config::default() };
        close(weeks, figure(&fit(&config, CALIBRATION_END), "new_customer_purchases"), purchases, 1e-5);
    }
}

#[test]
fn pareto_nbd_has_the_expected_parameters_and_likelihood() {
    let config = Config { model: Choice::ParetoNbd, ..Config::default() };
    let (model, expected) = (fit(&config, CALIBRATION_END), expected());
    let pareto = &expected["pareto_nbd"];
    for name in ["r", "alpha", "s", "beta"] {
        close(name, figure(&model, name), &pareto[name], 0.005);
    }
    assert!((figure(&model, "log_likelihood") - pareto["loglik"].as_f64().unwrap()).abs() < 1e-3);
    let better = fit(&Config { model: Choice::Better, ..Config::default() }, CALIBRATION_END);
    assert!(figure(&better, "log_likelihood") > figure(&model, "log_likelihood"), "BG/NBD fits better here");
}

#[test]
fn gamma_gamma_has_the_expected_parameters_and_likelihood() {
    let (model, expected) = (fit(&Config::default(), CALIBRATION_END), expected());
    let gamma = &expected["gamma_gamma"];
    assert_eq!(figure(&model, "repeaters"), gamma["n"].as_f64().unwrap());
    for (metric, name) in [("spend_p", "p"), ("spend_q", "q"), ("spend_v", "v")] {
        close(name, figure(&model, metric), &gamma["mle_own"][name], 0.005);
    }
    close("mean spend", figure(&model, "mean_spend"), &gamma["population_mean_spend"], 1e-4);
    close("correlation", figure(&model, "spend_correlation"), &gamma["corr_x_zbar"], 1e-8);
    let likelihood = figure(&model, "spend_log_likelihood");
    assert!((likelihood - gamma["mle_own"]["loglik"].as_f64().unwrap()).abs() < 1e-3, "{likelihood}");
}

/// The reference discounts 1 % every four weeks.
fn reference_config(horizon_weeks: u32) -> Config {
    let discount_percent_yearly = 100.0 * (1.01_f64.powf(365.25 / 28.0) - 1.0);
    Config { horizon_weeks, discount_percent_yearly, ..Config::default() }
}

#[test]
fn named_customers_have_the_expected_figures() {
    let expected = expected();
    let rows = batch(CALIBRATION_END, 0);
    for (weeks, name) in [(39, "expected_purchases_39w"), (52, "expected_purchases_52w")] {
        let model = fit(&reference_config(weeks), CALIBRATION_END);
        let scores = CustomerLifetime::score(&model.bytes, &rows, &at(CALIBRATION_END)).unwrap();
        assert_eq!(scores.failed(), []);
        for (id, customer) in expected["customers"].as_object().unwrap() {
            let row = rows.ordinals().iter().position(|ordinal| ordinal.to_string() == *id).unwrap();
            let score = |name: &str| scores.value(name, row).unwrap();
            close(id, score("alive"), &customer["p_alive"], 1e-4);
            close(id, score("expected_purchases"), &customer[name], 1e-4);
            close(id, score("expected_spend"), &customer["expected_mean_spend"], 1e-4);
            if weeks == 52 {
                close(id, score("clv"), &customer["clv_13x4w_1pct"], 2e-4);
            }
        }
    }
}

#[test]
fn every_customer_has_the_expected_figures() {
    let rows = batch(CALIBRATION_END, 0);
    let model = fit(&reference_config(39), CALIBRATION_END);
    let scores = CustomerLifetime::score(&model.bytes, &rows, &at(CALIBRATION_END)).unwrap();
    let mut count = 0;
    for (row, customer) in
        csv::Reader::from_path(folder().join("expected_customers.csv")).unwrap().records().enumerate()
    {
        let customer = customer.unwrap();
        for (name, column) in [("alive", 14), ("expected_purchases", 15)] {
            let (found, expected) =
                (scores.value(name, row).unwrap(), customer[column].parse::<f64>().unwrap());
            assert!(
                (found - expected).abs() < 1e-4 * expected.max(1.0),
                "{name} of {row}: {found}, not {expected}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 2357);
}

/// The model of September predicts the purchases up to June.
#[test]
fn the_hold_out_window_is_predicted_as_expected() {
    let config = Config { holdout_days: 273, ..Config::default() };
    let (model, expected) = (fit(&config, "1998-06-30"), expected());
    let holdout = &expected["bgnbd"]["holdout"];
    assert_eq!(figure(&model, "holdout_actual"), holdout["actual_total"].as_f64().unwrap());
    close("predicted", figure(&model, "holdout_predicted"), &holdout["predicted_total"], 1e-4);
    close("mae", figure(&model, "holdout_mae"), &holdout["mae"], 1e-4);
    close("rmse", figure(&model, "holdout_rmse"), &holdout["rmse"], 1e-4);
    close("correlation", figure(&model, "holdout_correlation"), &holdout["correlation"], 1e-4);

    let report = CustomerLifetime::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let names = ["0", "1", "2", "3", "4", "5", "6", "7+"];
    for (row, name) in names.into_iter().enumerate() {
        let expected = &holdout["by_x"][name];
        assert_eq!(int64(&report, "holdout", "customers")[row], expected["n"].as_i64().unwrap());
        close(name, float64(&report, "holdout", "actual")[row], &expected["actual_mean"], 1e-8);
        close(name, float64(&report, "holdout", "predicted")[row], &expected["predicted_mean"], 1e-4);
    }
}

#[test]
fn the_report_compares_actual_and_expected_numbers_of_purchases() {
    let model = fit(&Config::default(), CALIBRATION_END);
    let report = CustomerLifetime::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let (actual, expected) =
        (int64(&report, "repeat_purchases", "actual"), float64(&report, "repeat_purchases", "expected"));
    assert_eq!(actual, [1411, 439, 214, 100, 62, 38, 29, 64]);
    assert!((expected.iter().sum::<f64>() - 2357.0).abs() < 1e-6);
    // Fader, Hardie and Lee show a fit within a few dozen customers.
    assert!(
        expected.iter().zip(&actual).all(|(one, other)| (one - *other as f64).abs() < 40.0),
        "{expected:?}"
    );
    let errors = float64(&report, "parameters", "standard_error");
    assert!(
        errors
            .iter()
            .zip(float64(&report, "parameters", "value"))
            .all(|(error, value)| *error > 0.0 && *error < value)
    );
    for panel in &report.panels {
        assert!(!panel.label.zh_cn.is_empty() && !panel.description.zh_cn.is_empty(), "{}", panel.name);
    }
}

#[test]
fn splitting_changes_nothing() {
    let model = fit(&Config::default(), CALIBRATION_END);
    assert_splitting_changes_no_score::<CustomerLifetime>(
        &model.bytes,
        &batch(CALIBRATION_END, 0),
        &at(CALIBRATION_END),
    );
}

/// The published likelihood at rounded parameters lies below the maximum.
#[test]
fn no_other_start_finds_a_higher_likelihood() {
    let histories = Histories::new(
        purchases()
            .values()
            .map(|days| {
                let end = day(CALIBRATION_END);
                let known: Vec<i32> = days.keys().copied().filter(|day| *day <= end).collect();
                let first = known[0];
                History {
                    repeats: known.len() as u32 - 1,
                    last_days: (known[known.len() - 1] - first) as u32,
                    age_days: (end - first) as u32,
                }
            })
            .collect(),
    );
    let (bg, pareto) = (BgNbd::fit(&histories).unwrap(), ParetoNbd::fit(&histories).unwrap());
    assert!(bg.is_flat && pareto.is_flat);
    let published = expected()["bgnbd"]["loglik_at_published_FHL2005"].as_f64().unwrap();
    assert!(bg.log_likelihood > published && bg.log_likelihood < published + 0.01);
}

fn float64(report: &Report, panel: &str, column: &str) -> Vec<f64> {
    numbers(report, panel, column).0
}

fn int64(report: &Report, panel: &str, column: &str) -> Vec<i64> {
    numbers(report, panel, column).1
}

fn numbers(report: &Report, panel: &str, column: &str) -> (Vec<f64>, Vec<i64>) {
    use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    let column = panel.columns.iter().find(|found| found.values.name == column).unwrap();
    match &column.values.data {
        ColumnData::Float64(values) => (values.clone(), Vec::new()),
        ColumnData::Int64(values) => (Vec::new(), values.clone()),
        other => panic!("{other:?}"),
    }
}
