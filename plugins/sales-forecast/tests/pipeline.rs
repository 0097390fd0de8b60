//! The questions about opportunities against 8,800 real ones (`crm_pipeline` of the reference data).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod data;

use std::collections::BTreeMap;

use sales_forecast::{Config, SalesForecast};
use serde_json::{Value, json};
use trellis_sdk::testing::{BatchBuilder, context, day, split, stream};
use trellis_sdk::{Analysis, Batch, Context, Panel, Report};

struct Deals {
    batch: Batch,
    expected: Value,
}

fn deals() -> Option<Deals> {
    let folder = data::folder("crm_pipeline")?;
    let table = |name: &str| data::rows(&folder.join(name));
    let prices: BTreeMap<String, i64> = table("products.csv")
        .into_iter()
        .map(|row| (row["product"].clone(), row["sales_price"].parse::<i64>().unwrap() * 100))
        .collect();
    let agents: BTreeMap<String, (String, String)> = table("sales_teams.csv")
        .into_iter()
        .map(|row| (row["sales_agent"].clone(), (row["manager"].clone(), row["regional_office"].clone())))
        .collect();
    let mut rows = table("opportunities.csv");
    for row in &mut rows {
        if row["product"] == "GTXPro" {
            row.insert("product".to_owned(), "GTX Pro".to_owned());
        }
    }
    let text = |name: &'static str| {
        rows.iter().map(move |row| Some(row[name].as_str()).filter(|text| !text.is_empty()))
    };
    let date = |name: &'static str| text(name).map(|text| text.map(day));
    let stages = ["Prospecting", "Engaging", "Won", "Lost"];
    let options = ["prospecting", "qualification", "won", "lost"];
    let stage = |row: &BTreeMap<String, String>| {
        options[stages.iter().position(|stage| *stage == row["deal_stage"]).unwrap()]
    };
    let percent = |row: &BTreeMap<String, String>| match row["deal_stage"].as_str() {
        "Prospecting" => 10.0,
        "Engaging" => 30.0,
        "Won" => 100.0,
        _ => 0.0,
    };
    let ordinals = 0..rows.len() as u64;
    let nothing = || rows.iter().map(|_| None::<&str>);
    let batch = BatchBuilder::new(ordinals)
        .dictionary("stage", rows.iter().map(|row| Some(stage(row))))
        .money(
            "amount",
            "USD",
            text("close_value").map(|text| text.map(|text| text.parse::<i64>().unwrap() * 100)),
        )
        .money("list_price", "USD", rows.iter().map(|row| Some(prices[&row["product"]])))
        .float64("quantity", rows.iter().map(|_| None))
        .float64("probability", rows.iter().map(|row| Some(percent(row))))
        .dictionary("forecast_category", nothing())
        .date("opened_on", date("engage_date"))
        .date("closed_on", date("close_date"))
        .date("close_on", rows.iter().map(|_| None))
        .dictionary("owner", text("sales_agent"))
        .dictionary("manager", rows.iter().map(|row| Some(agents[&row["sales_agent"]].0.as_str())))
        .dictionary("office", rows.iter().map(|row| Some(agents[&row["sales_agent"]].1.as_str())))
        .dictionary("product", text("product"))
        .text("account", text("account"))
        .build();
    Some(Deals { batch, expected: data::expected(&folder) })
}

fn at() -> Context {
    Context { as_of: day("2017-12-31"), ..context() }
}

impl Deals {
    fn ask(&self, question: &str, parameters: &Value) -> Report {
        let mut rows = stream(split(&self.batch, 3_000));
        SalesForecast::analyse(question, &mut rows, &parameters.to_string(), &Config::default(), &at())
            .unwrap()
    }
}

fn panel<'a>(report: &'a Report, name: &str) -> &'a Panel {
    report.panels.iter().find(|panel| panel.name == name).unwrap()
}

/// A table as its first column, and for each row the other columns as numbers.
fn table(panel: &Panel) -> BTreeMap<String, BTreeMap<String, f64>> {
    let whole = data::panels::batch(panel);
    data::panels::read(panel, &whole)
}

fn near(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0) + 0.005,
        "{what}: {found} is not {expected}"
    );
}

fn exactly(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-8 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
}

#[test]
fn win_rates_cycles_and_velocity_are_right() {
    let Some(deals) = deals() else { return };
    let (report, expected) = (deals.ask("win_rates", &json!({})), &deals.expected);
    let overall = &expected["overall"];
    let figure = |name: &str| report.value(name).unwrap_or_else(|| panic!("no figure `{name}`"));
    for name in ["opportunities", "won", "lost", "open", "revenue"] {
        exactly(figure(name), &overall[name], name);
    }
    exactly(figure("win_rate") / 100.0, &overall["win_rate"], "win rate");
    exactly(figure("mean_won_value"), &overall["avg_won_value"], "value");
    exactly(figure("mean_won_days"), &overall["mean_cycle_days_won"], "days");
    exactly(figure("mean_lost_days"), &expected["mean_cycle_days_lost"], "days to lose");
    exactly(figure("median_won_days"), &expected["median_cycle_days_won"], "median days");
    exactly(figure("median_won_value"), &expected["median_won_value"], "median value");
    exactly(figure("velocity_per_day"), &expected["velocity_per_day"]["value"], "velocity");
    let realisation = &expected["discount"]["sum_close_value_over_sum_list_price_of_won"];
    exactly(figure("price_realisation") / 100.0, realisation, "price realisation");
    let stages = table(panel(&report, "stages"));
    for (stage, option) in
        [("Engaging", "qualification"), ("Prospecting", "prospecting"), ("Won", "won"), ("Lost", "lost")]
    {
        exactly(stages[option]["deals"], &expected["stage_counts"][stage], stage);
    }
    let months = table(panel(&report, "months"));
    for (month, of_month) in expected["won_by_month"].as_object().unwrap() {
        exactly(months[month]["won"], &of_month["deals"], month);
        exactly(months[month]["revenue"], &of_month["revenue"], month);
    }
    let quarters = table(panel(&report, "quarters"));
    for (quarter, revenue) in expected["won_by_quarter"].as_object().unwrap() {
        exactly(quarters[&quarter.replace('Q', "-Q")]["revenue"], revenue, quarter);
    }
}

#[test]
fn figures_by_group_are_right() {
    let Some(deals) = deals() else { return };
    for (by, key) in
        [("product", "by_product_clean"), ("office", "by_regional_office"), ("manager", "by_manager")]
    {
        let groups = table(panel(&deals.ask("win_rates", &json!({ "by": by })), "groups"));
        let expected = deals.expected[key].as_object().unwrap();
        assert_eq!(groups.len(), expected.len(), "{by}");
        for (name, expected) in expected {
            let group = &groups[name];
            for figure in ["opportunities", "won", "lost", "open", "revenue"] {
                exactly(group[figure], &expected[figure], name);
            }
            exactly(group["win_rate"] / 100.0, &expected["win_rate"], name);
            near(group["mean_won_value"], &expected["avg_won_value"], name);
            exactly(group["mean_won_days"], &expected["mean_cycle_days_won"], name);
        }
    }
}

#[test]
fn customers_and_agents_are_ranked() {
    let Some(deals) = deals() else { return };
    let expected = &deals.expected;
    let accounts = deals.ask("win_rates", &json!({ "by": "account" }));
    let top = expected["accounts"]["top10"].as_object().unwrap();
    let groups = table(panel(&accounts, "groups"));
    for (name, revenue) in top {
        exactly(groups[name]["revenue"], revenue, name);
    }
    exactly(
        accounts.value("share_of_top_10").unwrap() / 100.0,
        &expected["accounts"]["share_top_10"],
        "top ten",
    );
    exactly(
        accounts.value("groups_with_revenue").unwrap(),
        &expected["accounts"]["with_revenue"],
        "with revenue",
    );
    exactly(
        accounts.value("open_without_group").unwrap(),
        &expected["accounts"]["open_without_account"],
        "open",
    );
    let without = &expected["data_quality"]["opportunities_without_account"];
    exactly(accounts.value("deals_without_group").unwrap(), without, "without account");
    let agents = table(panel(&deals.ask("win_rates", &json!({ "by": "owner" })), "groups"));
    for (name, revenue) in expected["agents_top5"].as_object().unwrap() {
        exactly(agents[name]["revenue"], revenue, name);
    }
}

#[test]
fn the_pipeline_is_weighted_in_each_way() {
    let Some(deals) = deals() else { return };
    let expected = &deals.expected["weighted_pipeline"];
    let fixed = &expected["by_fixed_stage_probability"];
    for (weights, weighted) in [
        ("probability", &fixed["value"]),
        ("win_rate", &expected["by_overall_win_rate"]),
        ("product_win_rate", &expected["by_product_win_rate"]),
        ("owner_win_rate", &expected["by_agent_win_rate"]),
    ] {
        let report = deals.ask("pipeline", &json!({ "weights": weights }));
        exactly(report.value("open_deals").unwrap(), &expected["open_deals"], weights);
        exactly(report.value("open_value").unwrap(), &expected["unweighted_list_price"], weights);
        exactly(report.value("weighted_value").unwrap(), weighted, weights);
    }
    let stages = table(panel(&deals.ask("pipeline", &json!({})), "stages"));
    for (stage, option) in [("Engaging", "qualification"), ("Prospecting", "prospecting")] {
        exactly(stages[option]["deals"], &fixed["by_stage"][stage]["deals"], stage);
        exactly(stages[option]["value"], &fixed["by_stage"][stage]["list"], stage);
        near(stages[option]["weighted"], &fixed["by_stage"][stage]["weighted"], stage);
    }
    let managers = table(panel(
        &deals.ask("pipeline", &json!({ "weights": "product_win_rate", "by": "manager" })),
        "groups",
    ));
    for (manager, weighted) in expected["by_manager_product_rate"].as_object().unwrap() {
        near(managers[manager]["weighted"], weighted, manager);
    }
}

#[test]
fn ages_of_open_deals_are_right() {
    let Some(deals) = deals() else { return };
    let (report, expected) = (deals.ask("pipeline", &json!({})), &deals.expected["open_age_days"]);
    exactly(report.value("age_mean").unwrap(), &expected["mean"], "mean");
    exactly(report.value("age_median").unwrap(), &expected["median"], "median");
    exactly(report.value("age_max").unwrap(), &expected["max"], "oldest");
    exactly(report.value("deals_without_start").unwrap(), &expected["no_engage_date"], "without a start");
    let ages = table(panel(&report, "ages"));
    for (class, count) in expected["buckets"].as_object().unwrap() {
        let class = if class == "181+" { class.clone() } else { class.replace('-', "–") };
        exactly(ages[&class]["deals"], count, &class);
    }
}

#[test]
fn splitting_the_rows_changes_nothing() {
    let Some(deals) = deals() else { return };
    for question in ["pipeline", "win_rates"] {
        let ask = |rows: usize| {
            let mut rows = stream(split(&deals.batch, rows));
            SalesForecast::analyse(question, &mut rows, "{}", &Config::default(), &at()).unwrap()
        };
        assert_eq!(format!("{:?}", ask(8_800)), format!("{:?}", ask(97)), "{question}");
    }
}
