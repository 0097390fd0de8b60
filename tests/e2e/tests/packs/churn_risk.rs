//! Customers of a telephone company, imported, learned from, scored and read again.

use serde_json::{Value as Json, json};

use crate::support::{Table, World, close, column, expected, metric, table};

const AS_OF: &str = "2026-06-30";

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

fn config(world: &World, customers: &Table, expected: &Json) -> Json {
    let fields = world.import_accounts(customers, "telco");
    let chosen =
        ["numeric", "categorical"].into_iter().flat_map(|kind| expected["model"][kind].as_array().unwrap());
    let features: Vec<&str> = chosen.map(|name| fields[name.as_str().unwrap()].as_str()).collect();
    json!({
        "target": fields["Churn"], "lost_values": ["Yes"], "features": features, "value": fields["MonthlyCharges"],
        "tenure": fields["tenure"], "group": fields["Contract"], "split": "rotation", "holdout_percent": 30
    })
}

#[test]
fn the_logistic_regression_of_the_reference_comes_out_of_the_server() {
    let Some((customers, expected)) = customers() else { return };
    let world = World::new();
    let mut config = config(&world, &customers, &expected);
    config["model"] = json!("logistic");
    world.enable("churn-risk", AS_OF, &config);
    let report = world.report("churn-risk");
    let wanted = &expected["model"]["logistic_unpenalised"];
    for (name, wanted) in [
        ("train_log_likelihood", &wanted["train_loglik"]),
        ("auc", &wanted["test"]["auc"]),
        ("top_decile_lift", &wanted["test"]["top_decile_lift"]),
        ("log_rank", &expected["survival"]["logrank"]["chi2"]),
    ] {
        close(metric(&report, name), wanted.as_f64().unwrap(), 1e-6, 0.0, name);
    }
    let scores = world.numbers("score.churn_risk", customers.rows.len());
    let held = scores.iter().enumerate().filter(|(row, _)| row % 10 >= 7).map(|(_, score)| score);
    for (score, wanted) in held.zip(wanted["scores_first10_test"].as_array().unwrap()) {
        close(score / 100.0, wanted.as_f64().unwrap(), 1e-6, 1e-9, "score");
    }
    let lift = column(&report, "lift", "positives");
    for (found, decile) in lift.iter().zip(wanted["test"]["deciles"].as_array().unwrap()) {
        assert_eq!(found, &decile["positives"]);
    }
}

#[test]
fn the_best_model_reaches_what_is_asked_and_fills_the_matrix() {
    let Some((customers, expected)) = customers() else { return };
    let world = World::new();
    let config = config(&world, &customers, &expected);
    world.enable("churn-risk", AS_OF, &config);
    let report = world.report("churn-risk");
    assert!(metric(&report, "auc") >= 0.837, "{}", metric(&report, "auc"));
    let cells = world.texts("segment.risk_value", customers.rows.len());
    let high = cells.iter().filter(|cell| cell.starts_with("high_risk")).count();
    assert_eq!(high as f64, metric(&report, "high_risk_customers"));
}
