//! The questionnaire analysis over a public satisfaction survey of 1,811 respondents, against its reference results.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use loyalty::{Config, Loyalty};
use serde_json::Value;
use trellis_sdk::testing::{BatchBuilder, context, split, stream};
use trellis_sdk::{Analysis, Batch, Report};

/// The folder of the reference tables; none where they are not on this machine.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = [named, Some(beside)].into_iter().flatten().find(|folder| folder.join("survey").is_dir());
    if folder.is_none() {
        trellis_sdk::log::warn("skipped: no reference data");
    }
    folder.map(|folder| folder.join("survey"))
}

fn answers(folder: &std::path::Path) -> Batch {
    let mut reader = csv::Reader::from_path(folder.join("customer_satisfaction.csv")).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut batch =
        BatchBuilder::new(0..rows.len() as u64).dictionary("questionnaire", vec![None; rows.len()]);
    for number in 1..=20 {
        let name = format!("q{number}");
        let place = names.iter().position(|found| *found == name);
        let mark = |row: &csv::StringRecord| place.and_then(|place| row[place].parse().ok());
        batch = batch.float64(&name, rows.iter().map(mark));
    }
    batch.build()
}

fn column(report: &Report, panel: &str, name: &str) -> Vec<f64> {
    use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    let column = panel.columns.iter().find(|found| found.values.name == name).unwrap();
    match &column.values.data {
        ColumnData::Float64(values) => values.clone(),
        ColumnData::Int64(values) => values.iter().map(|value| *value as f64).collect(),
        other => panic!("{other:?}"),
    }
}

fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-6 * expected.abs().max(1e-3),
        "{what}: {found}, expected {expected}"
    );
}

#[test]
fn every_figure_of_the_survey_is_reproduced() {
    let Some(folder) = folder() else { return };
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let report = Loyalty::analyse(
        "questionnaire",
        &mut stream(split(&answers(&folder), 300)),
        "{}",
        &Config::default(),
        &context(),
    )
    .unwrap();
    for (place, question) in ["q1", "q2"].into_iter().enumerate() {
        for (name, key) in [
            ("answers", "n"),
            ("promoters", "promoters"),
            ("passives", "passives"),
            ("detractors", "detractors"),
            ("nps", "nps"),
            ("nps_error", "se"),
            ("mean", "mean"),
            ("deviation", "sd"),
            ("median", "median"),
            ("top2", "top2_box"),
            ("top3", "top3_box"),
        ] {
            close(
                column(&report, "questions", name)[place],
                &expected[question][key],
                &format!("{question} {key}"),
            );
        }
        for (end, name) in ["nps_low", "nps_high"].into_iter().enumerate() {
            close(column(&report, "questions", name)[place], &expected[question]["ci95"][end], name);
        }
    }
    for (place, count) in column(&report, "distribution", "answers").into_iter().enumerate() {
        close(count, &expected["q1"]["distribution"][(place + 1).to_string()], "distribution");
    }
    close(report.value("alpha").unwrap(), &expected["cronbach_alpha_q2_q10"], "alpha");
    close(report.value("r_squared").unwrap(), &expected["drivers_ols_q1"]["r2"], "R²");
    let names = ["const", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10"];
    for (place, name) in names.into_iter().enumerate() {
        let ols = &expected["drivers_ols_q1"];
        close(column(&report, "drivers", "weight")[place], &ols["coef"][name], name);
        close(column(&report, "drivers", "error")[place], &ols["se"][name], name);
        if place > 0 {
            close(column(&report, "drivers", "correlation")[place], &expected["correlation_q1"][name], name);
        }
    }
}
