//! The questions about trend and plan, and what is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written apart")]

mod data;

use std::collections::BTreeMap;

use sales_forecast::{Config, Grain, Method, SalesForecast, Settings, accuracy, back_test, choose};
use serde_json::{Value, json};
use trellis_sdk::testing::{BatchBuilder, context, day, split, stream};
use trellis_sdk::{Analysis, Batch, Context, PluginError, Report, Result, RowStream};

fn at(date: &str) -> Context {
    Context { as_of: day(date), ..context() }
}

/// Orders of a day with cents, a status and an owner.
fn orders(rows: &[(&str, i64, Option<&str>, &str)]) -> Batch {
    BatchBuilder::new(0..rows.len() as u64)
        .date("ordered_on", rows.iter().map(|row| Some(day(row.0))))
        .money("amount", "USD", rows.iter().map(|row| Some(row.1)))
        .dictionary("status", rows.iter().map(|row| row.2))
        .dictionary("owner_id", rows.iter().map(|row| Some(row.3)))
        .build()
}

/// An opportunity: stage, cents, closed, expected close, probability, owner, team, product.
#[derive(Clone, Copy)]
struct Deal(
    &'static str,
    i64,
    Option<&'static str>,
    Option<&'static str>,
    f64,
    &'static str,
    &'static str,
    &'static str,
);

fn deals(rows: &[Deal]) -> Batch {
    let date = |pick: fn(&Deal) -> Option<&'static str>| {
        rows.iter().map(move |row| pick(row).map(day)).collect::<Vec<_>>()
    };
    BatchBuilder::new(0..rows.len() as u64)
        .dictionary("stage", rows.iter().map(|row| Some(row.0)))
        .money("amount", "USD", rows.iter().map(|row| Some(row.1)))
        .money("list_price", "USD", rows.iter().map(|_| None))
        .float64("quantity", rows.iter().map(|_| None))
        .float64("probability", rows.iter().map(|row| Some(row.4)))
        .dictionary("forecast_category", rows.iter().map(|_| None))
        .date("opened_on", rows.iter().map(|_| Some(day("2026-01-01"))))
        .date("closed_on", date(|row| row.2))
        .date("close_on", date(|row| row.3))
        .dictionary("owner_id", rows.iter().map(|row| Some(row.5)))
        .dictionary("team_id", rows.iter().map(|row| Some(row.6)))
        .dictionary("product_id", rows.iter().map(|row| Some(row.7)))
        .build()
}

fn ask(name: &str, rows: &mut RowStream<'_>, parameters: &Value, at: &Context) -> Result<Report> {
    SalesForecast::analyse(name, rows, &parameters.to_string(), &Config::default(), at)
}

fn table(report: &Report, name: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let panel = report.panels.iter().find(|panel| panel.name == name).unwrap();
    data::panels::read(panel, &data::panels::batch(panel))
}

#[test]
fn months_are_added_up_without_gaps_and_without_the_one_that_runs() {
    let rows = orders(&[
        ("2026-01-31", 100_00, Some("paid"), "u"),
        ("2026-01-02", 50_00, None, "u"),
        ("2026-02-10", 999_00, Some("cancelled"), "u"),
        ("2026-04-01", 20_00, Some("paid"), "u"),
        ("2026-05-30", 70_00, Some("paid"), "u"),
        ("2026-06-01", 1_00, Some("paid"), "u"),
    ]);
    let parameters = json!({ "method": "moving_average", "window": 2, "horizon": 2, "test_periods": 1 });
    let report = ask("trend", &mut stream(split(&rows, 2)), &parameters, &at("2026-06-15")).unwrap();
    let months = table(&report, "forecast");
    let actual: Vec<(&str, Option<f64>)> =
        months.iter().map(|(month, row)| (month.as_str(), row.get("actual").copied())).collect();
    let expected = [
        ("2026-01", Some(150.0)),
        ("2026-02", Some(0.0)),
        ("2026-03", Some(0.0)),
        ("2026-04", Some(20.0)),
        ("2026-05", Some(70.0)),
        ("2026-06", None),
        ("2026-07", None),
    ];
    assert_eq!(actual, expected);
    assert_eq!(months["2026-06"]["forecast"], 45.0);
    assert!(months["2026-06"]["low"] < 45.0 && months["2026-06"]["high"] > 45.0);
    let at_the_end = ask("trend", &mut stream([rows]), &parameters, &at("2026-06-30")).unwrap();
    assert_eq!(at_the_end.value("periods"), Some(6.0), "on its last day a month is over");
}

#[test]
fn a_year_of_real_orders_is_added_up_to_the_cent() {
    let (Some(folder), Some(forecasts)) = (data::folder("cdnow"), data::folder("forecast")) else { return };
    let rows = data::rows(&folder.join("cdnow_sample_transactions.csv"));
    let amounts: Vec<i64> =
        rows.iter().map(|row| (row["amount"].parse::<f64>().unwrap() * 100.0).round() as i64).collect();
    let all: Vec<(&str, i64, Option<&str>, &str)> =
        rows.iter().zip(amounts).map(|(row, cents)| (row["date"].as_str(), cents, None, "u")).collect();
    let report =
        ask("trend", &mut stream(split(&orders(&all), 1_000)), &json!({}), &at("1998-06-30")).unwrap();
    let months = table(&report, "forecast");
    for (month, value) in data::expected(&forecasts)["cdnow_monthly_revenue"]["values"].as_object().unwrap() {
        assert!((months[month]["actual"] - value.as_f64().unwrap()).abs() < 0.005, "{month}");
    }
    let weeks = ask(
        "trend",
        &mut stream([orders(&all)]),
        &json!({ "grain": "week", "measure": "orders" }),
        &at("1998-06-30"),
    );
    assert!(weeks.unwrap().value("mae").unwrap() > 0.0);
}

#[test]
fn what_cannot_be_continued_says_so() {
    let message = |report: Result<Report>| match report {
        Err(PluginError::UnsuitableData(message)) => message,
        other => panic!("{other:?}"),
    };
    let few = orders(&[("2026-01-31", 100_00, None, "u"), ("2026-02-02", 50_00, None, "u")]);
    let short = ask("trend", &mut stream([few.clone()]), &json!({}), &at("2026-03-05"));
    assert!(message(short).en.contains("at least 3 months that are over; there are 2"));
    let none = ask("trend", &mut stream([]), &json!({}), &at("2026-03-05"));
    assert!(message(none).en.contains("there are 0"));
    let holt =
        ask("trend", &mut stream([few]), &json!({ "method": "holt_winters_additive" }), &at("2026-06-05"));
    assert!(message(holt).en.contains("two whole seasons of 12"));
    let open = deals(&[Deal("proposal", 1, None, None, 50.0, "u", "t", "p")]);
    let rates = ask("pipeline", &mut stream([open]), &json!({ "weights": "win_rate" }), &at("2026-06-05"));
    assert!(message(rates).en.contains("no deal has been won or lost yet"));
    assert!(
        message(ask("win_rates", &mut stream([]), &json!({}), &at("2026-06-05")))
            .en
            .contains("no opportunity")
    );
    let unknown = ask("weather", &mut stream([]), &json!({}), &at("2026-06-05")).unwrap_err();
    assert!(unknown.to_string().contains("`weather`"));
    let misspelt = ask("trend", &mut stream([]), &json!({ "horizn": 3 }), &at("2026-06-05")).unwrap_err();
    assert!(misspelt.to_string().contains("horizn"), "{misspelt}");
}

#[test]
fn open_deals_fall_into_months_and_categories() {
    let rows = deals(&[
        Deal("won", 500_00, Some("2026-06-02"), None, 100.0, "u", "t", "p"),
        Deal("won", 900_00, Some("2026-05-02"), None, 100.0, "u", "t", "p"),
        Deal("won", 70_00, Some("2026-07-02"), None, 100.0, "u", "t", "p"),
        Deal("negotiation", 100_00, None, Some("2026-06-30"), 75.0, "u", "t", "p"),
        Deal("proposal", 200_00, None, Some("2026-07-01"), 50.0, "u", "t", "p"),
        Deal("qualification", 300_00, None, Some("2026-06-14"), 30.0, "u", "t", "p"),
        Deal("qualification", 10_00, None, Some("2027-06-01"), 30.0, "u", "t", "p"),
        Deal("lost", 999_00, Some("2026-06-03"), None, 0.0, "u", "t", "p"),
    ]);
    let report = ask("pipeline", &mut stream([rows]), &json!({ "months": 12 }), &at("2026-06-15")).unwrap();
    let months = table(&report, "months");
    assert_eq!(
        months.keys().map(String::as_str).collect::<Vec<_>>(),
        ["2026-06", "2026-07", "Later", "No date", "Overdue"]
    );
    assert_eq!((months["2026-06"]["closed"], months["2026-06"]["commit"]), (500.0, 100.0));
    assert_eq!((months["2026-07"]["best_case"], months["2026-07"]["weighted"]), (200.0, 100.0));
    assert_eq!((months["Overdue"]["pipeline"], months["Later"]["deals"]), (300.0, 1.0));
    // What is won in July was open in June, and nobody knows in which stage: it takes the win rate, 2 of 3.
    assert!(
        (report.value("weighted_value").unwrap() - (75.0 + 100.0 + 90.0 + 3.0 + 70.0 * 2.0 / 3.0)).abs()
            < 1e-9
    );
    assert_eq!((report.value("closed"), report.value("overdue_deals")), (Some(500.0), Some(1.0)));
}

#[test]
fn targets_are_held_against_what_is_there_and_what_is_to_be_expected() {
    let rows = deals(&[
        Deal("won", 500_00, Some("2026-04-02"), None, 100.0, "anna", "north", "drill"),
        Deal("won", 100_00, Some("2026-03-31"), None, 100.0, "anna", "north", "drill"),
        Deal("won", 300_00, Some("2026-05-02"), None, 100.0, "bo", "north", "saw"),
        Deal("negotiation", 400_00, None, Some("2026-06-20"), 75.0, "anna", "north", "saw"),
        Deal("proposal", 200_00, None, Some("2026-08-01"), 50.0, "bo", "north", "saw"),
    ]);
    let names = ["all", "anna", "north", "saw", "deals", "orders", "visits"];
    let metrics = ["revenue", "revenue", "revenue", "revenue", "won_opportunities", "orders", "activities"];
    let only = |place: usize, name: &'static str| {
        (0..7).map(move |row| (row == place).then_some(name)).collect::<Vec<_>>()
    };
    let amount = [Some(2_000_00), Some(700_00), Some(1_000_00), Some(500_00), None, None, None];
    let targets = BatchBuilder::new(0..7)
        .text("name", names.map(Some))
        .dictionary("metric", metrics.map(Some))
        .dictionary("user_id", only(1, "anna"))
        .dictionary("user_name", only(1, "Anna"))
        .dictionary("team_id", only(2, "north"))
        .dictionary("team_name", only(2, "North"))
        .dictionary("product_id", only(3, "saw"))
        .dictionary("product_name", only(3, "Saw"))
        .date("starts_on", [Some(day("2026-04-01")); 7])
        .date("ends_on", [Some(day("2026-06-30")); 7])
        .money("amount", "USD", amount)
        .float64("count", [None, None, None, None, Some(3.0), Some(2.0), Some(9.0)])
        .build();
    let orders = orders(&[("2026-04-05", 10_00, None, "anna"), ("2026-05-05", 10_00, Some("draft"), "bo")]);
    let ask_plan = |rows: Vec<Batch>| {
        let mut all =
            stream(rows).with_dataset("targets", [targets.clone()]).with_dataset("orders", [orders.clone()]);
        ask("plan", &mut all, &json!({ "months": 3 }), &at("2026-06-15")).unwrap()
    };
    let report = ask_plan(vec![rows.clone()]);
    let plan = table(&report, "targets");
    for (name, goal, actual, expected) in [
        ("all", 2_000.0, 800.0, 1_100.0),
        ("anna", 700.0, 500.0, 800.0),
        ("north", 1_000.0, 800.0, 1_100.0),
        ("saw", 500.0, 300.0, 600.0),
        ("deals", 3.0, 2.0, 2.75),
        ("orders", 2.0, 1.0, 1.0),
    ] {
        let row = &plan[name];
        assert_eq!((row["goal"], row["actual"], row["expected"]), (goal, actual, expected), "{name}");
    }
    assert!((plan["all"]["needed"] - 80.0).abs() < 1e-9, "1,200 in 15 days");
    assert_eq!(
        (report.value("targets"), report.value("on_course"), report.value("not_measured")),
        (Some(6.0), Some(3.0), Some(1.0))
    );
    let months = table(&report, "months");
    assert!(
        (months["2026-04"]["plan"] - 2_000.0 * 30.0 / 91.0).abs() < 1e-9,
        "the plan of the whole organisation, by days"
    );
    assert_eq!((months["2026-06"]["commit"], months["2026-06"]["weighted"]), (400.0, 300.0));
    assert!(months["2026-07"].contains_key("trend"));
    assert_eq!(format!("{report:?}"), format!("{:?}", ask_plan(split(&rows, 2))));
    let empty = ask(
        "plan",
        &mut stream([]).with_dataset("targets", []).with_dataset("orders", []),
        &json!({}),
        &at("2026-06-15"),
    );
    assert_eq!(empty.unwrap().value("targets"), Some(0.0));
}

#[test]
fn odd_series_are_no_fault() {
    let settings = Settings { season: 4, ..Settings::default() };
    for series in [
        vec![],
        vec![1.0],
        vec![0.0; 40],
        vec![5.0; 40],
        vec![f64::MAX; 12],
        vec![f64::NAN; 12],
        (0..40).map(|step| if step % 2 == 0 { 0.0 } else { -7.0 }).collect(),
        (0..41).map(|step| f64::from(step % 4) + 1.0).collect::<Vec<f64>>(),
    ] {
        for test in back_test(&series, 4, 3, &settings) {
            if let Some(accuracy) = test.accuracy {
                assert!(accuracy.mae >= 0.0, "{:?} of {series:?}", test.method);
            }
        }
        for method in Method::ALL {
            if let Some(outlook) = method.continue_series(&series, 6, &settings) {
                assert_eq!((outlook.values.len(), outlook.deviations.len()), (6, 6), "{method:?}");
                assert!(outlook.values.iter().all(|value| value.is_finite()), "{method:?} of {series:?}");
            }
        }
    }
    let season: Vec<f64> = (0..40).map(|step| f64::from(step % 4) + 1.0).collect();
    assert_eq!(
        choose(&back_test(&season, 4, 1, &settings)),
        Some(Method::SeasonalNaive),
        "the simplest of equals"
    );
    assert_eq!(
        accuracy(&season, 4, &[1.0], &[1.0]).unwrap().mase,
        None,
        "a season without errors is no scale"
    );
    assert_eq!(Grain::Month.period_of(day("2026-06-30")) + 1, Grain::Month.period_of(day("2026-07-01")));
}

#[test]
fn every_question_is_described_in_both_languages_with_a_schema() {
    let all = SalesForecast::describe(&Config::default()).unwrap();
    assert_eq!(
        all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["pipeline", "win_rates", "trend", "plan"]
    );
    for question in all {
        assert!(!question.label.zh_cn.is_empty() && !question.description.zh_cn.is_empty());
        let schema: Value = serde_json::from_str(&question.parameters).unwrap();
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["title"]["zh-CN"].is_string(), "{name}");
        }
    }
}
