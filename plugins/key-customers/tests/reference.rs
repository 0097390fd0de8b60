//! The plugin against reference results: purchases (`examples/cdnow`), and customers of an insurer (`customer_value`, which is not part of
//! this repository: without it those tests say that they are skipped).

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic and say that it is skipped"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use key_customers::{Config, KeyCustomers};
use serde_json::Value;
use trellis_sdk::bindings::shared::trellis::plugin::columns::{ColumnData, TextColumn};
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_score, assert_splitting_changes_nothing, context, day, split,
    stream,
};
use trellis_sdk::{Analysis, Batch, Context, LearnedBy, Model, ModelReport, Report, Scoring, Segmentation};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn json(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

fn cdnow() -> PathBuf {
    root().join("examples/cdnow")
}

fn at() -> Context {
    Context { as_of: day("1998-06-30"), ..context() }
}

/// Customer, day and cents of each purchase.
fn purchases() -> Vec<(u64, i32, i64)> {
    let mut reader = csv::Reader::from_path(cdnow().join("cdnow_sample_transactions.csv")).unwrap();
    let purchase = |row: csv::StringRecord| {
        (row[0].parse().unwrap(), day(&row[2]), (row[4].parse::<f64>().unwrap() * 100.0).round() as i64)
    };
    reader.records().map(|row| purchase(row.unwrap())).collect()
}

fn batch() -> Batch {
    let mut customers = BTreeMap::<u64, (i32, i32, i64, i64, i64)>::new();
    for (id, day, cents) in purchases() {
        let customer = customers.entry(id).or_insert((day, day, 0, 0, 0));
        (customer.0, customer.1) = (customer.0.min(day), customer.1.max(day));
        customer.2 += 1;
        customer.3 += cents;
        customer.4 += if day > at().as_of - 90 { cents } else { 0 };
    }
    let all = || customers.values();
    BatchBuilder::new(customers.keys().copied())
        .date("first_order", all().map(|customer| Some(customer.0)))
        .date("last_order", all().map(|customer| Some(customer.1)))
        .int64("orders", all().map(|customer| Some(customer.2)))
        .money("spent", "USD", all().map(|customer| Some(customer.3)))
        .money("recently_spent", "USD", all().map(|customer| Some(customer.4)))
        .build()
}

fn fit(batch: &Batch, config: &Config) -> Model {
    <KeyCustomers as Segmentation>::fit(&mut stream(split(batch, 800)), config, &at()).unwrap()
}

fn figure(model: &Model, name: &str) -> f64 {
    model.metrics.iter().find(|metric| metric.name == name).unwrap().value
}

#[track_caller]
fn close(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-8 * expected.abs().max(1.0), "{what} is {found}, not {expected}");
}

#[test]
fn shares_of_the_best_purchasers_are_the_expected_ones() {
    let model = fit(&batch(), &Config::default());
    let pareto = &json(&cdnow())["pareto"];
    for (metric, name) in [
        ("customers", "customers"),
        ("revenue", "revenue"),
        ("share_top_10", "share_top_10pct"),
        ("share_top_20", "share_top_20pct"),
        ("gini", "gini"),
        ("customers_for_share", "customers_for_80pct_revenue"),
        ("key_customers", "customers_for_80pct_revenue"),
    ] {
        close(name, figure(&model, metric), &pareto[name]);
    }
    let assignments = KeyCustomers::assign(&model.bytes, &batch(), &at()).unwrap();
    let key = (0..batch().rows()).filter(|row| assignments.value("standing", *row) == Some("key")).count();
    assert_eq!(key as u64, pareto["customers_for_80pct_revenue"].as_u64().unwrap());
    assert!(
        model.summary.en.starts_with("777 of 2357 customers (33.0 %) are key customers"),
        "{}",
        model.summary.en
    );
}

#[test]
fn rankings_overlap_with_themselves_wholly_and_with_others_partly() {
    let model = fit(&batch(), &Config::default());
    let report = KeyCustomers::describe_model(LearnedBy::Segmentation, &model.bytes).unwrap();
    let shares = numbers(&report, "overlap", "share");
    let (rankings, others) = (texts(&report, "overlap", "ranking"), texts(&report, "overlap", "other"));
    assert_eq!(shares.len(), 16, "revenue, frequency, recency and growth");
    for ((share, ranking), other) in shares.iter().zip(&rankings).zip(&others) {
        assert_eq!(*share == 100.0, ranking == other, "{ranking} {other}: {share}");
    }
    let customers = numbers(&report, "rankings", "customers");
    assert_eq!(customers, [472.0, 472.0, 472.0, 472.0], "20 % of 2357, rounded up");
}

#[test]
fn who_stays_is_the_expected_table() {
    let purchases = purchases();
    let place = |from: usize| {
        let rows = &purchases[from..(from + 1_500).min(purchases.len())];
        BatchBuilder::new((from as u64)..(from + rows.len()) as u64)
            .reference("account", rows.iter().map(|row| Some(row.0)))
            .date("ordered_on", rows.iter().map(|row| Some(row.1)))
            .money("amount", "USD", rows.iter().map(|row| Some(row.2)))
            .build()
    };
    let batches: Vec<Batch> = (0..purchases.len()).step_by(1_500).map(place).collect();
    let report =
        KeyCustomers::analyse("cohorts", &mut stream(batches), "", &Config::default(), &at()).unwrap();
    let expected = &json(&cdnow())["cohorts"];
    let cohorts = texts(&report, "retention", "cohort");
    let (periods, customers) =
        (numbers(&report, "retention", "periods"), numbers(&report, "retention", "customers"));
    let revenue = numbers(&report, "retention", "revenue");
    // Months that have not come yet are 0 there and missing here.
    assert_eq!(cohorts.len(), 18 + 17 + 16);
    for (row, cohort) in cohorts.iter().enumerate() {
        let period = periods[row] as usize;
        assert_eq!(
            customers[row],
            expected["active_customers"][cohort][period].as_f64().unwrap(),
            "{cohort} + {period}"
        );
        close(cohort, revenue[row] / 100.0, &expected["revenue"][cohort][period]);
    }
    assert_eq!(report.value("customers"), Some(2357.0));
}

#[test]
fn splitting_changes_nothing() {
    let model = fit(&batch(), &Config::default());
    assert_splitting_changes_nothing::<KeyCustomers>(&model.bytes, &batch(), &at());
}

/// Where the reference data of the requirements lie, if they are there.
fn customer_value() -> Option<PathBuf> {
    let given = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| root().join("../shared/data")).join("customer_value");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no folder {}", folder.display());
    None
}

/// Customers without orders, whose value and traits are fields.
fn insured(folder: &Path) -> (Batch, Vec<bool>) {
    let mut reader = csv::Reader::from_path(folder.join("customer_value.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| header.iter().position(|found| found == name).unwrap();
    let text = |name: &str| {
        let column = column(name);
        rows.iter().map(move |row| Some(&row[column])).collect::<Vec<_>>()
    };
    let values: Vec<f64> =
        text("Customer Lifetime Value").into_iter().map(|value| value.unwrap().parse().unwrap()).collect();
    let (no_days, no_numbers) = (vec![None::<i32>; rows.len()], vec![None::<i64>; rows.len()]);
    let batch = BatchBuilder::new(0..rows.len() as u64)
        .date("first_order", no_days.clone())
        .date("last_order", no_days.clone())
        .int64("orders", no_numbers.clone())
        .money("spent", "USD", no_numbers.clone())
        .money("recently_spent", "USD", no_numbers.clone())
        .float64("value", values.iter().map(|value| Some(*value)))
        .dictionary("traits.coverage", text("Coverage"))
        .dictionary("traits.vehicle", text("Vehicle Class"))
        .float64(
            "traits.premium",
            text("Monthly Premium Auto").into_iter().map(|value| value.unwrap().parse().ok()),
        )
        .build();
    let luxury = text("Vehicle Class")
        .into_iter()
        .map(|class| class.is_some_and(|class| class.starts_with("Luxury")))
        .collect();
    (batch, luxury)
}

#[test]
fn the_insurers_customers_have_the_expected_classes() {
    let Some(folder) = customer_value() else { return };
    let (batch, luxury) = insured(&folder);
    let expected = json(&folder);
    let traits = ["coverage", "vehicle", "premium"].map(str::to_owned).to_vec();
    let config =
        Config { traits, value_field: Some("value".to_owned()), share_percent: 50.0, ..Config::default() };
    let model = fit(&batch, &config);
    close("share", figure(&model, "share_top_20"), &expected["share_top_20pct"]);
    close("sum", figure(&model, "revenue"), &expected["data"]["total_clv"]);
    for (metric, name) in [("class_a", "A"), ("class_b", "B"), ("class_c", "C")] {
        assert_eq!(figure(&model, metric), expected["abc_by_cumulative_clv_80_95"][name].as_f64().unwrap());
    }
    // Owners of luxury cars are worth more; who is like key customers is so by that.
    let scores = KeyCustomers::score(&model.bytes, &batch, &at()).unwrap();
    let mean = |of: bool| {
        let all: Vec<f64> = luxury
            .iter()
            .enumerate()
            .filter(|(_, luxury)| **luxury == of)
            .map(|(row, _)| scores.value("look_alike", row).unwrap())
            .collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    assert!(mean(true) > mean(false) + 30.0, "{} {}", mean(true), mean(false));
    assert_splitting_changes_no_score::<KeyCustomers>(&model.bytes, &batch, &at());
}

fn column(report: &Report, panel: &str, column: &str) -> ColumnData {
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    panel.columns.iter().find(|found| found.values.name == column).unwrap().values.data.clone()
}

fn numbers(report: &Report, panel: &str, name: &str) -> Vec<f64> {
    match column(report, panel, name) {
        ColumnData::Float64(values) => values,
        ColumnData::Int64(values) => values.into_iter().map(|value| value as f64).collect(),
        ColumnData::Money(money) => money.minor_units.into_iter().map(|value| value as f64).collect(),
        other => panic!("{other:?}"),
    }
}

fn texts(report: &Report, panel: &str, name: &str) -> Vec<String> {
    let ColumnData::Text(TextColumn { offsets, bytes }) = column(report, panel, name) else {
        panic!("no texts")
    };
    let text = |ends: &[u32]| String::from_utf8(bytes[ends[0] as usize..ends[1] as usize].to_vec()).unwrap();
    offsets.windows(2).map(text).collect()
}
