//! Customers of an insurer: figures by group, quantiles, ABC classes and tests, each as independent programs computed it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{World, close, expected, metric, number, table};

const AS_OF: &str = "2026-06-30";

/// The columns that the figures are about.
fn field(fields: &BTreeMap<String, String>, column: &str) -> String {
    fields[column].clone()
}

fn is_response(fields: &BTreeMap<String, String>) -> Json {
    json!({ "field": field(fields, "Response"), "op": "eq", "value": "Yes" })
}

#[test]
fn figures_by_group_quantiles_classes_and_tests_are_the_expected_ones() {
    let (Some(customers), Some(expected)) =
        (table("customer_value/customer_value.csv", b','), expected("customer_value"))
    else {
        return;
    };
    assert_eq!(customers.header.len() as f64, number(&expected["data"]["columns"]));
    let world = World::new();
    let fields = world.import_accounts(&customers, "value");
    whole(&world, &fields, &expected);
    groups(&world, &fields, &expected["by"]);
    classes(&world, &fields, &expected);
    tests(&world, &fields, &expected["tests"]);
}

/// The figures that the reference gives of each group.
fn measures(fields: &BTreeMap<String, String>) -> Json {
    let value = field(fields, "Customer Lifetime Value");
    json!([
        { "function": "avg", "field": value, "as": "mean_clv" },
        { "function": "median", "field": value, "as": "median_clv" },
        { "function": "sum", "field": value, "as": "total_clv" },
        { "function": "count", "filter": is_response(fields), "as": "responses" },
        { "function": "avg", "field": field(fields, "Monthly Premium Auto"), "as": "mean_premium" },
        { "function": "sum", "field": field(fields, "Number of Open Complaints"), "as": "open_complaints" },
    ])
}

fn whole(world: &World, fields: &BTreeMap<String, String>, expected: &Json) {
    let all = world.aggregate("accounts", &json!({ "aggregates": measures(fields) }));
    let (all, data) = (all.values().next().expect("one group"), &expected["data"]);
    let values = &all["values"];
    let rows = number(&all["count"]);
    assert_eq!(rows, number(&data["rows"]));
    for (name, key) in [("mean_clv", "mean"), ("median_clv", "median"), ("total_clv", "total_clv")] {
        close(number(&values[name]), number(&data[key]), 1e-9, 0.0, key);
    }
    assert_eq!(number(&values["open_complaints"]), number(&data["open_complaints"]));
    close(number(&values["responses"]) / rows, number(&data["response_rate"]), 1e-9, 0.0, "responses");
    let value = field(fields, "Customer Lifetime Value");
    let quantiles = expected["clv_quantiles"].as_object().unwrap();
    // A few at a time: there is a limit to the measures of one question.
    for (at, wanted) in quantiles {
        let asked =
            json!({ "function": "percentile", "field": value, "p": at.parse::<f64>().unwrap(), "as": "it" });
        let found = world.aggregate("accounts", &json!({ "aggregates": [asked] }));
        let found = found.values().next().expect("one group");
        close(number(&found["values"]["it"]), number(wanted), 1e-9, 0.0, at);
    }
}

fn groups(world: &World, fields: &BTreeMap<String, String>, expected: &Json) {
    for (column, wanted) in expected.as_object().unwrap() {
        let body =
            json!({ "group_by": [{ "field": field(fields, column) }], "aggregates": measures(fields) });
        let found = world.aggregate("accounts", &body);
        let wanted = wanted.as_object().unwrap();
        assert_eq!(found.len(), wanted.len(), "{column}");
        for (group, wanted) in wanted {
            let (found, what) = (&found[group], format!("{column} = {group}"));
            let values = &found["values"];
            assert_eq!(number(&found["count"]), number(&wanted["n"]), "{what}");
            for name in ["mean_clv", "median_clv", "total_clv", "mean_premium", "open_complaints"] {
                close(number(&values[name]), number(&wanted[name]), 1e-9, 0.0, &format!("{what}: {name}"));
            }
            let rate = number(&values["responses"]) / number(&found["count"]);
            close(rate, number(&wanted["response_rate"]), 1e-9, 0.0, &what);
        }
    }
}

/// Nobody has an order: the value is a field, and the customers are ranked by it all the same.
fn classes(world: &World, fields: &BTreeMap<String, String>, expected: &Json) {
    let config = json!({
        "value_field": field(fields, "Customer Lifetime Value"),
        "traits": [field(fields, "Coverage"), field(fields, "Vehicle Class"), field(fields, "Monthly Premium Auto")],
    });
    world.enable("key-customers", AS_OF, &config);
    let report = world.report("key-customers");
    for class in ["a", "b", "c"] {
        let wanted = number(&expected["abc_by_cumulative_clv_80_95"][class.to_uppercase()]);
        assert_eq!(metric(&report, &format!("class_{class}")), wanted, "class {class}");
    }
    close(metric(&report, "share_top_20"), number(&expected["share_top_20pct"]), 1e-9, 0.0, "best 20 %");
    close(metric(&report, "revenue"), number(&expected["data"]["total_clv"]), 1e-9, 0.0, "revenue");
    let (abc, like) = ("segment.key_customers__abc", "score.key_customers__look_alike");
    let found = world.results(&[abc, like]);
    for class in ["a", "b", "c"] {
        let count = found.values().filter(|row| row[abc] == class).count();
        assert_eq!(count as f64, metric(&report, &format!("class_{class}")), "class {class}");
    }
    assert!(found.values().all(|row| row[like].as_f64().is_some_and(|like| (0.0..=100.0).contains(&like))));
}

/// Chi-square of the answers by group.
fn tests(world: &World, fields: &BTreeMap<String, String>, expected: &Json) {
    world.enable("ab-test", AS_OF, &json!({}));
    for (column, wanted) in expected.as_object().unwrap() {
        let counted = json!([{ "function": "count", "filter": is_response(fields), "as": "yes" }]);
        let body = json!({ "group_by": [{ "field": field(fields, column) }], "aggregates": counted });
        let groups = world.aggregate("accounts", &body);
        let row = |group: &Json| {
            let (all, yes) = (group["count"].as_u64().unwrap(), number(&group["values"]["yes"]) as u64);
            [yes, all - yes]
        };
        let counts: Vec<[u64; 2]> = groups.values().map(row).collect();
        let report = world.analyse("ab-test", "table", &json!({ "table": counts }));
        for (name, key) in
            [("chi_square", "chi2"), ("freedom", "dof"), ("p", "p"), ("cramers_v", "cramers_v")]
        {
            close(metric(&report, name), number(&wanted[key]), 1e-6, 0.0, &format!("{column}: {key}"));
        }
    }
}
