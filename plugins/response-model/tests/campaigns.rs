//! The plugin on two sets of past responses, against the reference results (skipped with a word where the data is not there), and its own arithmetic.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic and speak"
)]

use std::path::{Path, PathBuf};

use response_model::{Config, ResponsePlugin};
use serde_json::{Value as Json, json};
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, day, split, stream};
use trellis_sdk::{Batch, LearnedBy, Model, ModelReport, PluginError, Scoring, parse_config};

struct Campaign {
    batch: Batch,
    names: Vec<String>,
    expected: Json,
}

fn read(set: &str, file: &str) -> Option<(Vec<String>, Vec<Vec<String>>, Json)> {
    let named = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    let folder =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data")).join(set);
    let Ok(expected) = std::fs::read(folder.join("expected.json")) else {
        eprintln!("skipped: there is no {}", folder.display());
        return None;
    };
    let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
    let header = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect();
    Some((header, rows, serde_json::from_slice(&expected).unwrap()))
}

fn list(expected: &Json, kind: &str) -> Vec<String> {
    serde_json::from_value(expected[kind].clone()).unwrap()
}

fn bank() -> Option<Campaign> {
    let (header, rows, expected) = read("bank_marketing", "bank.csv")?;
    let expected = expected["without_duration"].clone();
    let column = |name: &str| {
        let place = header.iter().position(|found| found == name).unwrap();
        rows.iter().map(move |row| row[place].as_str())
    };
    let mut builder = BatchBuilder::new(0..rows.len() as u64);
    let (numeric, categorical) = (list(&expected, "numeric"), list(&expected, "categorical"));
    for name in &numeric {
        builder = builder.int64(&format!("features.{name}"), column(name).map(|text| text.parse().ok()));
    }
    for name in &categorical {
        builder = builder.dictionary(&format!("features.{name}"), column(name).map(Some));
    }
    let batch = builder.dictionary("target", column("y").map(Some)).build();
    Some(Campaign { batch, names: [numeric, categorical].concat(), expected })
}

/// Medians and rare values are left to the plugin.
fn wine() -> Option<Campaign> {
    let (header, rows, expected) = read("marketing_campaign", "marketing_campaign.csv")?;
    let expected = expected["model"].clone();
    let column = |name: &str| {
        let place = header.iter().position(|found| found == name).unwrap();
        rows.iter().map(move |row| row[place].as_str())
    };
    let mut builder = BatchBuilder::new(0..rows.len() as u64);
    let (numeric, categorical) = (list(&expected, "numeric"), list(&expected, "categorical"));
    for name in &numeric {
        let target = format!("features.{name}");
        builder = match name.as_str() {
            "age_2014" => builder
                .int64(&target, column("Year_Birth").map(|text| Some(2014 - text.parse::<i64>().unwrap()))),
            "tenure_days" => builder.date(&target, column("Dt_Customer").map(|text| Some(day(text)))),
            name => builder.float64(&target, column(name).map(|text| text.parse().ok())),
        };
    }
    for name in &categorical {
        builder = builder.dictionary(&format!("features.{name}"), column(name).map(Some));
    }
    let batch = builder.int64("target", column("Response").map(|text| text.parse().ok())).build();
    Some(Campaign { batch, names: [numeric, categorical].concat(), expected })
}

impl Campaign {
    fn fit(&self, more: Json) -> Model {
        let mut config = json!({
            "target": "response", "features": self.names, "split": "rotation", "holdout_percent": 30
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        let config: Config = parse_config(&config.to_string()).unwrap();
        let at = trellis_sdk::Context { as_of: day("2014-12-31"), ..context() };
        ResponsePlugin::fit(&mut stream(split(&self.batch, 900)), &config, &at).unwrap()
    }
}

fn figure(model: &Model, name: &str) -> f64 {
    model.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no {name}")).value
}

#[track_caller]
fn close(what: &str, found: f64, expected: &Json, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{what} is {found}, not {expected}");
}

#[test]
fn regressions_and_trees_are_the_expected_ones() {
    for (campaign, more) in
        [(bank(), json!({})), (wine(), json!({ "rare_rows": 30, "missing_indicator": false }))]
    {
        let Some(campaign) = campaign else { return };
        let with = |changes: Json| {
            let mut all = more.clone();
            for (name, value) in changes.as_object().unwrap() {
                all[name] = value.clone();
            }
            all
        };
        let model = campaign.fit(with(json!({ "model": "logistic" })));
        let expected = &campaign.expected["logistic_unpenalised"];
        close("likelihood", figure(&model, "train_log_likelihood"), &expected["train_loglik"], 1e-6);
        for (name, field) in [
            ("auc", "auc"),
            ("ks", "ks"),
            ("brier", "brier"),
            ("log_loss", "logloss"),
            ("top_decile_lift", "top_decile_lift"),
            ("accuracy", "accuracy"),
        ] {
            close(name, figure(&model, name), &expected["test"][field], 1e-6);
        }
        let ridge = campaign.fit(with(json!({ "model": "logistic", "penalty": "ridge", "penalty_c": 1 })));
        close("ridge", figure(&ridge, "auc"), &campaign.expected["logistic_l2"]["test"]["auc"], 1e-4);
        let expected = &campaign.expected["tree"];
        let tree = campaign.fit(with(json!({
            "model": "tree", "max_depth": expected["max_depth"], "min_leaf": expected["min_samples_leaf"]
        })));
        close("tree", figure(&tree, "auc"), &expected["test"]["auc"], 2e-4);
    }
}

#[test]
fn the_best_model_reaches_what_is_asked_of_it() {
    let Some(bank) = bank() else { return };
    let model = bank.fit(json!({}));
    assert!(figure(&model, "auc") >= 0.759, "{}", figure(&model, "auc"));
    assert!(figure(&model, "top_decile_lift") >= 3.3);
    let few = split(&bank.batch, 30).remove(0);
    assert_splitting_changes_no_score::<ResponsePlugin>(&model.bytes, &few, &context());
    let report = ResponsePlugin::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let names: Vec<&str> = report.panels.iter().map(|panel| panel.name.as_str()).collect();
    for name in ["gains", "lift", "calibration", "profit", "evidence", "models"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

fn tiny(
    rows: u64,
    channels: &[Option<&str>],
    responded: &[Option<bool>],
    more: &Json,
) -> Result<Model, PluginError> {
    let mut config = json!({ "target": "responded", "features": ["channel", "age"] });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    let batch = BatchBuilder::new(0..rows)
        .dictionary("features.channel", channels.iter().copied())
        .float64("features.age", channels.iter().map(|_| None))
        .boolean("target", responded.iter().copied())
        .build();
    let config: Config = parse_config(&config.to_string()).unwrap();
    ResponsePlugin::fit(&mut stream([batch]), &config, &context())
}

#[test]
fn three_customers_without_a_known_age_are_learned_from() {
    let channels = [Some("mail"), Some("phone"), None];
    for model in ["best", "logistic", "tree", "boosting"] {
        let more = json!({ "model": model });
        let model = tiny(3, &channels, &[Some(true), Some(false), Some(false)], &more).unwrap();
        assert_eq!(figure(&model, "held_out"), 0.0);
        let rows = BatchBuilder::new(0..2)
            .dictionary("features.channel", [Some("letter"), None])
            .float64("features.age", [None, Some(40.0)])
            .build();
        let scores = ResponsePlugin::score(&model.bytes, &rows, &context()).unwrap();
        assert!(
            (0..2).all(|row| scores
                .value("propensity", row)
                .is_some_and(|score| (0.0..=100.0).contains(&score)))
        );
        let report = ResponsePlugin::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
        let values = report.panels.iter().find(|panel| panel.name == "outcome_values").unwrap();
        assert_eq!(values.rows(), 2);
    }
}

#[test]
fn what_teaches_nothing_is_named() {
    let channels = [Some("mail"), Some("phone"), None];
    let refused =
        |responded: &[Option<bool>]| tiny(3, &channels, responded, &json!({})).unwrap_err().to_string();
    assert!(refused(&[Some(false); 3]).contains("nothing that `responded` has (no) means so"));
    assert!(refused(&[Some(true), None, Some(true)]).contains("all that `responded` has (yes) means so"));
    assert!(refused(&[None; 3]).contains("the outcome is known of no customer"));
}

#[test]
fn a_field_with_a_text_of_its_own_for_each_customer_is_refused_by_name() {
    let names: Vec<String> = (0..10_001).map(|row| format!("customer {row}")).collect();
    let channels: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let responded: Vec<Option<bool>> = (0..10_001).map(|row| Some(row % 2 == 0)).collect();
    let refused = tiny(10_001, &channels, &responded, &json!({})).unwrap_err().to_string();
    assert!(refused.contains("`channel` has more than 10000 different texts"), "{refused}");
}

/// Contacts of the customers by hand: three of ten respond, all at the same price.
#[test]
fn the_cut_off_is_where_the_profit_peaks() {
    let channel = |row: u64| if row % 10 < 3 { "mail" } else { "phone" };
    let batch = BatchBuilder::new(0..200)
        .dictionary("features.channel", (0..200).map(|row| Some(channel(row))))
        .boolean("target", (0..200).map(|row| Some(row % 10 < 3)))
        .build();
    let fit = |cost: f64| {
        let config = json!({
            "target": "response", "features": ["channel"], "model": "tree", "min_leaf": 5, "holdout_percent": 0,
            "contact_cost": cost, "response_value": 10
        });
        let config: Config = parse_config(&config.to_string()).unwrap();
        ResponsePlugin::fit(&mut stream([batch.clone()]), &config, &context()).unwrap()
    };
    let model = fit(2.0);
    assert_eq!(figure(&model, "best_contacted_percent"), 30.0);
    assert_eq!(figure(&model, "best_profit"), 60.0 * 10.0 - 60.0 * 2.0);
    assert_eq!(figure(&model, "profit_of_all"), 60.0 * 10.0 - 200.0 * 2.0);
    assert_eq!(figure(&model, "break_even"), 20.0);
    // Where a contact costs more than a response brings, nobody is contacted.
    assert_eq!(figure(&fit(11.0), "best_contacted_percent"), 0.0);
    let scores = ResponsePlugin::score(&model.bytes, &batch, &context()).unwrap();
    assert_eq!(
        (scores.value("expected_profit", 0), scores.value("expected_profit", 5)),
        (Some(8.0), Some(-2.0))
    );
    assert!(scores.value("ease", 0) > scores.value("ease", 5));
}
