//! Where customers came from, what they cost, and who does not pay.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_no_score, context, split, stream};
use trellis_sdk::{Batch, Context, LearnedBy, ModelReport, PluginError, Report, Scoring};
use value_pyramid::{Config, ValuePyramid};

fn at() -> Context {
    Context { as_of: 1000, ..context() }
}

/// Spent now, spent before the window, cost, orders; amounts in cents.
type Row = (i64, Option<i64>, Option<i64>, i64);

fn builder(rows: &[Row]) -> BatchBuilder {
    BatchBuilder::new(1..=rows.len() as u64)
        .money("spent", "USD", rows.iter().map(|row| Some(row.0)))
        .int64("orders", rows.iter().map(|row| Some(row.3)))
        .date("first_order", rows.iter().map(|_| Some(100)))
        .date("last_order", rows.iter().map(|_| Some(900)))
        .int64("orders_before", rows.iter().map(|row| Some(i64::from(row.1.is_some()))))
        .money("spent_before", "USD", rows.iter().map(|row| row.1))
}

fn with_cost(rows: &[Row]) -> Batch {
    builder(rows).money("cost", "USD", rows.iter().map(|row| row.2)).build()
}

fn quarters() -> Config {
    Config { tiers: Some(vec![25.0; 4]), cost: Some("cost".to_owned()), ..Config::default() }
}

fn counts(report: &Report, panel: &str, column: &str) -> Vec<i64> {
    let panel = report.panels.iter().find(|found| found.name == panel).unwrap();
    let column = panel.columns.iter().find(|found| found.values.name == column).unwrap();
    match &column.values.data {
        ColumnData::Int64(values) => values.clone(),
        ColumnData::Money(money) => money.minor_units.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_matrix_says_who_rose_and_who_fell() {
    // Now 1 < 2 < 3 < 4 < 5; at the beginning the first was the best of four, and the last was none yet.
    let rows = [
        (100, Some(90), None, 1),
        (200, Some(10), None, 1),
        (300, Some(20), None, 1),
        (400, Some(30), None, 1),
        (500, None, None, 1),
    ];
    let config = Config { cost: None, ..quarters() };
    let model = ValuePyramid::fit(&mut stream(split(&builder(&rows).build(), 2)), &config, &at()).unwrap();
    let report = ValuePyramid::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    let movement = counts(&report, "movement", "customers");
    let row = |from: usize| movement[4 * from..4 * from + 4].to_vec();
    assert_eq!(row(0), [0, 0, 0, 1], "the best of then is the lowest now");
    assert_eq!(row(4), [1, 0, 0, 0], "the newcomer is the best");
    assert_eq!(movement.iter().sum::<i64>(), 5);
    assert!(report.panels.iter().all(|panel| panel.name != "profit"));
    let pareto = report.panels.iter().find(|panel| panel.name == "pareto").unwrap();
    let ColumnData::Float64(shares) = &pareto.columns[1].values.data else { panic!("numbers") };
    assert!((shares[19] - 100.0 * 500.0 / 1500.0).abs() < 1e-9 && shares[99] == 100.0, "{shares:?}");
}

#[test]
fn customers_who_do_not_pay_have_a_cause() {
    let rows = [
        (-100, None, Some(50), 2),     // returns
        (1_000, None, Some(9_000), 2), // high-cost
        (500, None, Some(600), 1),     // few-orders
        (1_000, None, Some(1_100), 4), // small-orders
        (9_000, None, Some(100), 4),   // pays
        (7_000, None, None, 4),        // nobody knows
    ];
    let batch = with_cost(&rows);
    let model = ValuePyramid::fit(&mut stream([batch.clone()]), &quarters(), &at()).unwrap();
    let scores = ValuePyramid::score(&model.bytes, &batch, &at()).unwrap();
    let profits: Vec<_> = (0..6).map(|row| scores.value("profit", row)).collect();
    assert_eq!(profits, [Some(-1.5), Some(-80.0), Some(-1.0), Some(-1.0), Some(89.0), None]);
    let reasons = ValuePyramid::explain(&model.bytes, &batch, &at()).unwrap();
    for (row, code) in
        ["returns", "high-cost", "few-orders", "small-orders", "profitable"].into_iter().enumerate()
    {
        assert!(reasons[row].iter().any(|reason| reason.code == code), "{row}: {:?}", reasons[row]);
        assert!(reasons[row].len() <= 5 && reasons[row].is_sorted_by(|one, next| one.weight >= next.weight));
    }
    let report = ValuePyramid::describe_model(LearnedBy::Scoring, &model.bytes).unwrap();
    assert_eq!(counts(&report, "causes", "customers").iter().sum::<i64>(), 4);
    assert_eq!(counts(&report, "profit", "profit").iter().sum::<i64>(), -150 - 8_000 - 100 - 100 + 8_900);
    assert_eq!((report.value("profit"), report.value("unprofitable")), (Some(5.5), Some(4.0)));
    assert_splitting_changes_no_score::<ValuePyramid>(&model.bytes, &batch, &at());
    let described = ValuePyramid::describe(&quarters()).unwrap();
    assert_eq!(
        described.iter().map(|score| score.name.as_str()).collect::<Vec<_>>(),
        scores.names().collect::<Vec<_>>()
    );
}

#[test]
fn costs_may_be_numbers_and_nothing_else() {
    let rows = [(1_000, None, None, 1)];
    let numbers = builder(&rows).float64("cost", [Some(12.5)]).build();
    let model = ValuePyramid::fit(&mut stream([numbers.clone()]), &quarters(), &at()).unwrap();
    let scores = ValuePyramid::score(&model.bytes, &numbers, &at()).unwrap();
    assert_eq!(scores.value("profit", 0), Some(-2.5));
    let texts = builder(&rows).text("cost", [Some("much")]).build();
    let error = ValuePyramid::fit(&mut stream([texts]), &quarters(), &at()).unwrap_err();
    assert!(
        matches!(&error, PluginError::UnsuitableData(text) if text.en.contains("`cost` is of type text")),
        "{error}"
    );
}
