//! The plugin on the customers of a telephone company, against the reference results (skipped with a word where the data is not there).

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic and speak"
)]

use std::path::{Path, PathBuf};

use churn_risk::{ChurnRisk, Config};
use serde_json::{Value as Json, json};
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, split, stream,
};
use trellis_sdk::{Batch, LearnedBy, Model, ModelReport, Scoring, Segmentation, parse_config};

struct Telco {
    batch: Batch,
    expected: Json,
}

fn folder() -> PathBuf {
    let named = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data")).join("telco")
}

fn telco() -> Option<Telco> {
    let Ok(expected) = std::fs::read(folder().join("expected.json")) else {
        eprintln!("skipped: there is no {}", folder().display());
        return None;
    };
    let expected: Json = serde_json::from_slice(&expected).unwrap();
    let mut reader = csv::Reader::from_path(folder().join("telco_churn.csv")).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect();
    let column = |name: &str| {
        let place = header.iter().position(|found| found == name).unwrap();
        rows.iter().map(move |row| row[place].as_str())
    };
    let none = |_: &Vec<String>| None;
    let mut builder = BatchBuilder::new(1_000..1_000 + rows.len() as u64);
    for name in features(&expected, "numeric") {
        let values = column(&name).map(|text| Some(text.trim().parse().unwrap_or(0.0)));
        builder = builder.float64(&format!("features.{name}"), values);
    }
    for name in features(&expected, "categorical") {
        builder = builder.dictionary(&format!("features.{name}"), column(&name).map(Some));
    }
    builder = builder
        .dictionary("target", column("Churn").map(Some))
        .float64("value", column("MonthlyCharges").map(|text| text.parse().ok()))
        .float64("tenure", column("tenure").map(|text| text.parse().ok()))
        .dictionary("group", column("Contract").map(Some));
    for view in ["", "_before"] {
        let name = |column: &str| format!("{column}{view}");
        builder = builder
            .int64(&name("orders"), rows.iter().map(|_| Some(0)))
            .money(&name("spent"), "USD", rows.iter().map(|_| Some(0)))
            .date(&name("first_order"), rows.iter().map(none))
            .date(&name("last_order"), rows.iter().map(none))
            .int64(&name("order_days"), rows.iter().map(|_| Some(0)));
    }
    Some(Telco { batch: builder.build(), expected })
}

fn features(expected: &Json, kind: &str) -> Vec<String> {
    serde_json::from_value(expected["model"][kind].clone()).unwrap()
}

impl Telco {
    fn config(&self, more: Json) -> Config {
        let mut names = features(&self.expected, "numeric");
        names.extend(features(&self.expected, "categorical"));
        let mut config = json!({
            "target": "churn", "features": names, "value": "monthly_charges", "tenure": "tenure",
            "group": "contract", "split": "rotation", "holdout_percent": 30
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        parse_config(&config.to_string()).unwrap()
    }

    fn fit(&self, more: Json) -> Model {
        let pieces = split(&self.batch, 2_000);
        <ChurnRisk as Scoring>::fit(&mut stream(pieces), &self.config(more), &context()).unwrap()
    }
}

fn figure(model: &Model, name: &str) -> f64 {
    model.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no {name}")).value
}

#[track_caller]
fn close(found: f64, expected: &Json, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found} is not {expected}");
}

#[test]
fn the_logistic_regression_is_the_expected_one() {
    let Some(telco) = telco() else { return };
    let model = telco.fit(json!({ "model": "logistic" }));
    let expected = &telco.expected["model"]["logistic_unpenalised"];
    close(figure(&model, "train_log_likelihood"), &expected["train_loglik"], 1e-6);
    close(figure(&model, "null_log_likelihood"), &expected["null_loglik"], 1e-6);
    assert_eq!(figure(&model, "rank"), expected["rank_with_intercept"].as_f64().unwrap());
    for (name, field) in [
        ("auc", "auc"),
        ("gini", "gini"),
        ("ks", "ks"),
        ("brier", "brier"),
        ("log_loss", "logloss"),
        ("top_decile_lift", "top_decile_lift"),
        ("accuracy", "accuracy"),
        ("precision", "precision"),
        ("recall", "recall"),
    ] {
        close(figure(&model, name), &expected["test"][field], 1e-6);
    }
    let scores = ChurnRisk::score(&model.bytes, &telco.batch, &context()).unwrap();
    let held = (0..telco.batch.rows()).filter(|row| row % 10 >= 7);
    for (row, expected) in held.zip(expected["scores_first10_test"].as_array().unwrap()) {
        close(scores.value("churn_risk", row).unwrap() / 100.0, expected, 1e-6);
    }
}

#[test]
fn the_tree_reaches_the_expected_area() {
    let Some(telco) = telco() else { return };
    let model = telco.fit(json!({ "model": "tree", "max_depth": 4, "min_leaf": 50 }));
    let expected = &telco.expected["model"]["tree"];
    close(figure(&model, "auc"), &expected["test"]["auc"], 2e-4);
    close(figure(&model, "accuracy"), &expected["test"]["accuracy"], 1e-9);
    let rules = ChurnRisk::rules(&model.bytes).unwrap();
    assert_eq!(rules.en.lines().count(), 4 + expected["n_leaves"].as_u64().unwrap() as usize);
}

#[test]
fn the_best_model_reaches_what_is_asked_of_it_with_reasons() {
    let Some(telco) = telco() else { return };
    let model = telco.fit(json!({}));
    assert!(figure(&model, "auc") >= 0.837, "{}", figure(&model, "auc"));
    let few = split(&telco.batch, 40).remove(0);
    let reasons = <ChurnRisk as Scoring>::explain(&model.bytes, &few, &context()).unwrap();
    assert!(reasons.iter().all(|row| !row.is_empty() && row.len() <= 5));
    assert!(reasons.iter().all(|row| row.is_sorted_by(|one, next| one.weight >= next.weight)));
    assert!(reasons[0].iter().all(|reason| reason.text.zh_cn.contains("流失风险")));
    assert_splitting_changes_no_score::<ChurnRisk>(&model.bytes, &few, &context());
    assert_splitting_changes_nothing::<ChurnRisk>(&model.bytes, &few, &context());
}

#[test]
fn boosting_alone_reaches_it_too() {
    let Some(telco) = telco() else { return };
    let model = telco.fit(json!({ "model": "boosting" }));
    assert!(figure(&model, "auc") >= 0.837, "{}", figure(&model, "auc"));
}

#[test]
fn survival_and_the_matrix_are_in_the_report() {
    let Some(telco) = telco() else { return };
    let model = telco.fit(json!({ "model": "tree" }));
    close(figure(&model, "log_rank"), &telco.expected["survival"]["logrank"]["chi2"], 1e-6);
    let report = ChurnRisk::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let names: Vec<&str> = report.panels.iter().map(|panel| panel.name.as_str()).collect();
    for name in ["models", "gains", "lift", "calibration", "importance", "tree", "risk_value", "survival"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let assigned = ChurnRisk::assign(&model.bytes, &telco.batch, &context()).unwrap();
    let high = (0..telco.batch.rows())
        .filter(|row| assigned.value("risk_value", *row).unwrap().starts_with("high_risk"));
    assert_eq!(high.count() as f64, figure(&model, "high_risk_customers"));
}
