//! Customers of a telephone company: imported, learned from, scored and read again, as the reference results say.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::models::{Learning, check_evidence, number, words};
use crate::support::{Table, World, close, column, expected, metric, table};

/// The customers as the reference results take them: a blank total is that of a customer who came this month.
fn customers() -> Option<(Table, Json)> {
    let (mut customers, expected) = (table("telco/telco_churn.csv", b',')?, expected("telco")?);
    let total = customers.header.iter().position(|column| column == "TotalCharges").unwrap();
    for row in &mut customers.rows {
        if row[total].trim().is_empty() {
            row[total] = "0".to_owned();
        }
    }
    Some((customers, expected))
}

/// R41, R163–R165: every block of the reference, one import, a run for each configuration.
#[test]
fn customers_of_a_telephone_company_are_learned_from_as_the_reference_says() {
    let Some((customers, expected)) = customers() else { return };
    let world = World::new();
    let fields = world.import_accounts(&customers, "telco");
    check_data(&world, &fields, &customers, &expected);
    let wanted = &expected["model"];
    let names = ["numeric", "categorical"].into_iter().flat_map(|kind| wanted[kind].as_array().unwrap());
    let features: Vec<&str> = names.map(|name| fields[name.as_str().unwrap()].as_str()).collect();
    let config = json!({
        "target": fields["Churn"], "lost_values": ["Yes"], "features": features, "value": fields["MonthlyCharges"],
        "tenure": fields["tenure"], "group": fields["Contract"], "split": "rotation", "holdout_percent": 30
    });
    world.server.install("churn-risk", "2026-06-30", &config.to_string());
    let (score, rows) = ("score.churn_risk", customers.rows.len());
    let learning = Learning { world: &world, plugin: "churn-risk", score, config, wanted, rows };
    learning.check_logistic();
    check_survival(&world.report("churn-risk"), &expected["survival"]);
    learning.check_ridge();
    learning.check_tree();
    learning.check_best(0.837);
    check_matrix(&world, rows);

    let evidence = json!({
        "target": fields["Churn"], "response_values": ["Yes"], "features": features, "model": "tree"
    });
    world.enable("response-model", "2026-06-30", &evidence);
    check_evidence(&world.report("response-model"), &expected, "churn_by");
}

fn check_data(world: &World, fields: &BTreeMap<String, String>, customers: &Table, expected: &Json) {
    let data = &expected["data"];
    assert_eq!(world.api.total("accounts") as f64, number(&data["rows"]));
    assert_eq!(customers.header.len() as f64, number(&data["columns"]));
    let all = json!({ "field": "external_id", "op": "null", "value": false });
    let left = json!({ "field": fields["Churn"], "op": "eq", "value": "Yes" });
    let count = |filter: &Json| {
        let search = json!({ "filter": filter, "limit": 1, "count": "exact" });
        world.api.post("/api/v1/accounts/search", &search).ok()["total"].clone()
    };
    assert_eq!(count(&left), data["churned"]);
    let blank = json!({ "field": fields["TotalCharges"], "op": "eq", "value": 0 });
    assert_eq!(count(&blank), data["blank_total_charges"]);
    for (filter, field, key) in [
        (&all, "MonthlyCharges", "sum_monthly"),
        (&all, "TotalCharges", "sum_total"),
        (&left, "MonthlyCharges", "monthly_revenue_lost"),
    ] {
        let aggregate = json!({
            "filter": filter, "aggregates": [{ "function": "sum", "field": fields[field], "as": "sum" }]
        });
        let found = world.api.post("/api/v1/accounts/aggregate", &aggregate).ok();
        close(number(&found["data"][0]["values"]["sum"]), number(&data[key]), 0.0, 0.01, key);
    }
}

/// The curve of everybody and those of the contracts at every time that the reference has, the medians, and the test of the difference.
fn check_survival(report: &Json, wanted: &Json) {
    let (groups, times) = (words(report, "survival", "group"), column(report, "survival", "time"));
    let staying = column(report, "survival", "staying");
    let check = |group: &str, curve: &Json| {
        for (time, share) in curve.as_object().unwrap() {
            let until: f64 = time.parse().unwrap();
            let mine = groups.iter().zip(&times).zip(&staying).filter(|((name, _), _)| *name == group);
            let mut before = mine.filter(|((_, time), _)| number(time) <= until);
            let found = before.next_back().map_or(100.0, |(_, share)| number(share));
            close(found, 100.0 * number(share), 1e-6, 0.0, &format!("{group} after {time}"));
        }
    };
    check("All customers", &wanted["overall"]);
    let contracts = wanted["by_Contract"].as_object().unwrap();
    assert_eq!(contracts.len(), 3);
    contracts.iter().for_each(|(contract, curve)| check(contract, curve));
    assert_eq!(words(report, "survival_groups", "group").len(), 4);
    assert_eq!(column(report, "survival_groups", "median")[0], wanted["median"]);
    let last = number(&wanted["overall"]["72"]);
    close(number(&column(report, "survival_groups", "staying")[0]), 100.0 * last, 1e-6, 0.0, "in the end");
    close(metric(report, "log_rank"), number(&wanted["logrank"]["chi2"]), 1e-6, 0.0, "log-rank");
    assert!(metric(report, "log_rank_p") < 1e-300);
}

/// R164: the cells of the matrix are those that the customers are in.
fn check_matrix(world: &World, rows: usize) {
    let report = world.report("churn-risk");
    let cells = world.texts("segment.risk_value", rows);
    let high = cells.iter().filter(|cell| cell.starts_with("high_risk")).count();
    assert_eq!(high as f64, metric(&report, "high_risk_customers"));
    let counts = column(&report, "risk_value", "customers");
    assert_eq!(counts.iter().map(number).sum::<f64>(), rows as f64);
    let first = cells.iter().filter(|cell| *cell == "high_risk_high_value").count();
    assert_eq!(first as f64, number(&counts[8]));
}
