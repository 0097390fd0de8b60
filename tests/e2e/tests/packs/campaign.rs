//! Customers of six campaigns: who accepts the last one, and what they accepted and bought before.

use serde_json::{Value as Json, json};

use crate::models::{Learning, check_evidence, number};
use crate::support::{Table, World, close, day, expected, table};

/// With the two columns that the reference derives from dates.
fn customers() -> Option<(Table, Json)> {
    let mut customers = table("marketing_campaign/marketing_campaign.csv", b',')?;
    let place = |name: &str| customers.header.iter().position(|column| column == name).unwrap();
    let (born, since) = (place("Year_Birth"), place("Dt_Customer"));
    for row in &mut customers.rows {
        let age = 2014 - row[born].parse::<i64>().unwrap();
        let tenure = day("2014-12-31") - day(&row[since]);
        row.extend([age.to_string(), tenure.to_string()]);
    }
    customers.header.extend(["age_2014".to_owned(), "tenure_days".to_owned()]);
    Some((customers, expected("marketing_campaign")?))
}

/// R100: every block of the reference, one import, a run for each configuration.
#[test]
fn customers_of_six_campaigns_are_learned_from_as_the_reference_says() {
    let Some((customers, expected)) = customers() else { return };
    let world = World::new();
    let fields = world.import_accounts(&customers, "wine");
    check_sums(&world, &fields, &expected);
    check_correlation(&world, &fields, &expected, customers.rows.len());
    let wanted = &expected["model"];
    let names = ["numeric", "categorical"].into_iter().flat_map(|kind| wanted[kind].as_array().unwrap());
    let features: Vec<&str> = names.map(|name| fields[name.as_str().unwrap()].as_str()).collect();
    let config = json!({
        "target": fields["Response"], "features": features, "split": "rotation", "holdout_percent": 30,
        "missing_indicator": false, "rare_rows": 30,
    });
    world.server.install("response-model", "2014-12-31", &config.to_string());
    let (score, rows) = ("score.propensity", customers.rows.len());
    let learning = Learning { world: &world, plugin: "response-model", score, config, wanted, rows };
    learning.check_logistic();
    check_evidence(&world.report("response-model"), &expected, "response_by");
    learning.check_ridge();
    learning.check_tree();
}

fn check_sums(world: &World, fields: &std::collections::BTreeMap<String, String>, expected: &Json) {
    for block in ["accepted", "spend_by_product"] {
        let wanted = expected[block].as_object().unwrap();
        assert!(wanted.len() >= 6);
        for (name, sum) in wanted {
            let aggregate =
                json!({ "aggregates": [{ "function": "sum", "field": fields[name], "as": "sum" }] });
            let found = world.api.post("/api/v1/accounts/aggregate", &aggregate).ok();
            assert_eq!(number(&found["data"][0]["values"]["sum"]), number(sum), "{name}: {found}");
        }
    }
    let missing = json!({ "filter": { "field": fields["Income"], "op": "null", "value": true }, "limit": 1, "count": "exact" });
    let missing = world.api.post("/api/v1/accounts/search", &missing).ok();
    assert_eq!(missing["total"], expected["data"]["missing_income"]);
    let median =
        json!({ "aggregates": [{ "function": "median", "field": fields["Income"], "as": "median" }] });
    let median = world.api.post("/api/v1/accounts/aggregate", &median).ok();
    assert_eq!(
        number(&median["data"][0]["values"]["median"]),
        number(&expected["data"]["median_income_used"])
    );
}

/// Pearson's correlation of what is read back: the server has no such figure, but the numbers that go into it are its own.
fn check_correlation(
    world: &World,
    fields: &std::collections::BTreeMap<String, String>,
    expected: &Json,
    rows: usize,
) {
    let order = expected["spend_correlation"]["order"].as_array().unwrap();
    let columns: Vec<Vec<f64>> =
        order.iter().map(|name| world.numbers(&fields[name.as_str().unwrap()], rows)).collect();
    let centred: Vec<Vec<f64>> = columns
        .iter()
        .map(|column| {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            column.iter().map(|value| value - mean).collect()
        })
        .collect();
    let product =
        |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f64>();
    for (one, row) in centred.iter().zip(expected["spend_correlation"]["matrix"].as_array().unwrap()) {
        for (other, wanted) in centred.iter().zip(row.as_array().unwrap()) {
            let found = product(one, other) / (product(one, one) * product(other, other)).sqrt();
            close(found, number(wanted), 1e-6, 1e-9, "correlation");
        }
    }
}
