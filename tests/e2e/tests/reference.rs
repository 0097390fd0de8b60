//! Public data sets, loaded into a running server by mapping files and a schema file; sums and counts come out as independent programs
//! computed them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Server, reference, root};

/// Starts a server, applies the schema file of the examples and loads the tables: `None` where the reference data is missing.
struct Loaded {
    server: Server,
    _folder: tempfile::TempDir,
}

fn load(tables: &[(&str, &str, &str)]) -> Option<Loaded> {
    let files: Vec<PathBuf> = tables.iter().map(|(_, file, _)| reference(file)).collect::<Option<_>>()?;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let schema = root().join("examples/custom-objects/schema.json");
    server.cli(&["schema", "apply", &schema.to_string_lossy()]).ok();
    for ((object, _, mapping), file) in tables.iter().zip(files) {
        let mapping = root().join("examples").join(mapping);
        server.cli(&["import", object, &file.to_string_lossy(), "--map", &mapping.to_string_lossy()]).ok();
    }
    Some(Loaded { server, _folder: folder })
}

const PIPELINE: [(&str, &str, &str); 4] = [
    ("account", "crm_pipeline/accounts.csv", "crm-pipeline/accounts.toml"),
    ("product", "crm_pipeline/products.csv", "crm-pipeline/products.toml"),
    ("user", "crm_pipeline/sales_teams.csv", "crm-pipeline/sales_teams.toml"),
    ("opportunity", "crm_pipeline/opportunities.csv", "crm-pipeline/opportunities.toml"),
];

fn expected(set: &str) -> Json {
    let file = reference(&format!("{set}/expected.json")).unwrap();
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn aggregate(api: &Api, objects: &str, body: Json) -> Vec<Json> {
    api.post(&format!("/api/v1/{objects}/aggregate"), &body).ok()["data"].as_array().unwrap().clone()
}

fn number(json: &Json) -> f64 {
    let amount = if json.is_object() { &json["amount"] } else { json };
    amount.as_str().map_or_else(|| amount.as_f64().unwrap_or_default(), |text| text.parse().unwrap())
}

/// Equal to the ten digits that the reference gives; the mean of amounts has six decimals.
fn close(actual: f64, expected: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= expected.abs() * 1e-9 + 1e-6,
        "{what}: {actual}, expected {expected}"
    );
}

fn figures(group_by: Json) -> Json {
    let stage = |stage: &str| json!({ "field": "stage", "op": "eq", "value": stage });
    let count = |value: &str| json!({ "function": "count", "as": value, "filter": stage(value) });
    json!({
        "group_by": group_by, "aggregates": [
            count("won"), count("lost"),
            { "function": "sum", "field": "amount", "as": "revenue", "filter": stage("won") },
            { "function": "avg", "field": "amount", "as": "avg_won_value", "filter": stage("won") },
            { "function": "avg", "field": "cycle_days", "as": "mean_cycle_days_won", "filter": stage("won") },
        ],
    })
}

fn compare(group: &Json, expected: &Json, what: &str) {
    close(group["count"].as_f64().unwrap(), number(&expected["opportunities"]), what);
    for name in ["won", "lost", "revenue", "avg_won_value", "mean_cycle_days_won"] {
        close(number(&group["values"][name]), number(&expected[name]), &format!("{what}: {name}"));
    }
}

#[test]
fn the_sales_pipeline_adds_up() {
    let Some(loaded) = load(&PIPELINE) else { return };
    let (api, expected) = (loaded.server.api(), expected("crm_pipeline"));
    assert_eq!(api.total("opportunities"), 8_800);
    compare(&aggregate(&api, "opportunities", figures(json!([])))[0], &expected["overall"], "overall");
    for (field, part) in [
        ("product.name", "by_product_clean"),
        ("owner.team.name", "by_regional_office"),
        ("owner.manager.name", "by_manager"),
    ] {
        let groups = aggregate(&api, "opportunities", figures(json!([{ "field": field }])));
        assert_eq!(groups.len(), expected[part].as_object().unwrap().len(), "{part}");
        for group in groups {
            let name = group["keys"][field].as_str().unwrap();
            compare(&group, &expected[part][name], name);
        }
    }
    let won = json!({ "field": "stage", "op": "eq", "value": "won" });
    for (bucket, part) in [("month", "won_by_month"), ("quarter", "won_by_quarter")] {
        let body = json!({
            "filter": won, "group_by": [{ "field": "closed_on", "bucket": bucket, "as": "period" }],
            "aggregates": [{ "function": "sum", "field": "amount", "as": "revenue" }],
        });
        let groups = aggregate(&api, "opportunities", body);
        assert_eq!(groups.len(), expected[part].as_object().unwrap().len(), "{part}");
        for group in groups {
            let day = group["keys"]["period"].as_str().unwrap();
            let quarter = day[5..7].parse::<u32>().unwrap().div_ceil(3);
            let (revenue, key) = if bucket == "month" {
                (&expected[part][&day[..7]]["revenue"], &day[..7])
            } else {
                (&expected[part][&format!("{}Q{quarter}", &day[..4])], day)
            };
            close(number(&group["values"]["revenue"]), number(revenue), key);
        }
    }
    let medians = json!({
        "filter": won,
        "aggregates": [
            { "function": "median", "field": "cycle_days", "as": "days" }, { "function": "median", "field": "amount", "as": "value" },
        ],
    });
    let medians = &aggregate(&api, "opportunities", medians)[0]["values"];
    close(number(&medians["days"]), number(&expected["median_cycle_days_won"]), "median days");
    close(number(&medians["value"]), number(&expected["median_won_value"]), "median value");
    let open = json!({
        "filter": { "field": "stage", "op": "nin", "value": ["won", "lost"] }, "group_by": [{ "field": "stage" }],
        "aggregates": [{ "function": "sum", "field": "list_price", "as": "list" }],
    });
    let expected = &expected["weighted_pipeline"]["by_fixed_stage_probability"]["by_stage"];
    for group in aggregate(&api, "opportunities", open) {
        let stage = if group["keys"]["stage"] == "prospecting" { "Prospecting" } else { "Engaging" };
        close(group["count"].as_f64().unwrap(), number(&expected[stage]["deals"]), stage);
        close(number(&group["values"]["list"]), number(&expected[stage]["list"]), stage);
    }
    loaded.server.stop();
}

#[test]
fn the_tickets_are_counted_and_rated_as_they_are() {
    let Some(loaded) = load(&[("case", "tickets/tickets.csv", "tickets/tickets.toml")]) else { return };
    let (api, expected) = (loaded.server.api(), expected("tickets"));
    assert_eq!(api.total("cases"), 8_469);
    let body = |field: &str| {
        json!({
            "group_by": [{ "field": field }], "aggregates": [
                { "function": "count", "field": "satisfaction", "as": "rated" },
                { "function": "avg", "field": "satisfaction", "as": "mean" },
                { "function": "count", "as": "closed", "filter": { "field": "status", "op": "eq", "value": "closed" } },
            ],
        })
    };
    for (field, part) in
        [("category", "TicketType"), ("severity", "TicketPriority"), ("channel", "TicketChannel")]
    {
        let groups = aggregate(&api, "cases", body(field));
        let mut actual: Vec<[f64; 4]> = groups
            .iter()
            .map(|group| {
                let values = &group["values"];
                [
                    number(&group["count"]),
                    number(&values["closed"]),
                    number(&values["rated"]),
                    number(&values["mean"]),
                ]
            })
            .collect();
        let figures = expected["by"][part].as_object().unwrap().values();
        let mut wanted: Vec<[f64; 4]> =
            figures.map(|one| ["n", "closed", "n_rated", "mean"].map(|name| number(&one[name]))).collect();
        actual.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        wanted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        assert_eq!(actual.len(), wanted.len(), "{part}");
        for (actual, wanted) in actual.iter().flatten().zip(wanted.iter().flatten()) {
            close(*actual, *wanted, part);
        }
    }
    let by_rating = json!({ "filter": { "field": "satisfaction", "op": "null", "value": false }, "group_by": [{ "field": "satisfaction" }] });
    for group in aggregate(&api, "cases", by_rating) {
        let rating = group["keys"]["satisfaction"].to_string();
        assert_eq!(group["count"], expected["overall"]["distribution"][&rating], "{rating}");
    }
    loaded.server.stop();
}

/// The rules of `segments/expected.json`, in their order, with the plural of the object that each is about.
fn rules() -> Vec<(&'static str, Json)> {
    let is = |field: &str, value: &str| json!({ "field": field, "op": "eq", "value": value });
    let bound = |field: &str, op: &str, value: Json| json!({ "field": field, "op": op, "value": value });
    let won_since = json!({ "and": [is("stage", "won"), bound("closed_on", "gte", json!("2017-12-15"))] });
    vec![
        (
            "telco-customers",
            json!({ "and": [is("contract", "Month-to-month"), bound("tenure", "lt", json!(12)), is("internet_service", "Fiber optic")] }),
        ),
        (
            "telco-customers",
            json!({ "and": [
            { "or": [is("online_security", "No"), is("tech_support", "No")] }, { "not": is("contract", "Two year") },
            bound("monthly_charges", "between", json!([70, 90])),
        ] }),
        ),
        (
            "telco-customers",
            json!({ "and": [
            bound("payment_method", "in", json!(["Electronic check", "Mailed check"])), bound("senior_citizen", "eq", json!(1)),
        ] }),
        ),
        ("telco-customers", bound("total_charges", "null", json!(true))),
        ("telco-customers", bound("customer_id", "starts", json!("7"))),
        ("campaign-customers", bound("income", "gt", json!(50000))),
        ("campaign-customers", json!({ "not": bound("income", "gt", json!(50000)) })),
        (
            "campaign-customers",
            json!({ "or": [bound("income", "null", json!(true)), bound("income", "lte", json!(50000))] }),
        ),
        (
            "campaign-customers",
            json!({ "and": [
            bound("dt_customer", "gte", json!("2013-01-01")), bound("dt_customer", "lt", json!("2014-01-01")), bound("children", "eq", json!(0)),
        ] }),
        ),
        (
            "campaign-customers",
            json!({ "and": [bound("recency", "lte", json!(30)), bound("spent", "gte", json!(1000))] }),
        ),
        (
            "policy-holders",
            json!({ "and": [
            bound("number_of_open_complaints", "gte", json!(2)), bound("customer_lifetime_value", "gt", json!(10000)),
        ] }),
        ),
        (
            "opportunities",
            json!({ "and": [is("stage", "won"), is("account.industry", "software"), bound("account.employees", "gt", json!(1000))] }),
        ),
        (
            "accounts",
            json!({ "related": "opportunities", "where": is("stage", "won"), "count": { "gte": 70 } }),
        ),
        (
            "accounts",
            json!({ "not": { "related": "opportunities", "where": won_since, "count": { "gte": 1 } } }),
        ),
    ]
}

#[test]
fn segment_rules_find_whom_they_should() {
    let tables: Vec<_> = PIPELINE
        .into_iter()
        .chain([
            ("telco_customer", "telco/telco_churn.csv", "custom-objects/telco-customer.toml"),
            (
                "campaign_customer",
                "marketing_campaign/marketing_campaign.csv",
                "custom-objects/campaign-customer.toml",
            ),
            ("policy_holder", "customer_value/customer_value.csv", "custom-objects/policy-holder.toml"),
        ])
        .collect();
    let Some(loaded) = load(&tables) else { return };
    let (api, expected) = (loaded.server.api(), expected("segments"));
    let count = |objects: &str, filter: &Json| {
        let body = json!({ "filter": filter, "limit": 1, "count": "exact" });
        api.post(&format!("/api/v1/{objects}/search"), &body).ok()["total"].clone()
    };
    let wanted = expected["rules"].as_array().unwrap();
    assert_eq!(wanted.len(), rules().len());
    for ((objects, filter), rule) in rules().into_iter().zip(wanted) {
        assert_eq!(count(objects, &filter), rule["count"], "{}", rule["where_sql"]);
    }
    let sets = &expected["set_operations"][0];
    let a = json!({ "field": "churn", "op": "eq", "value": "Yes" });
    let b = json!({ "field": "contract", "op": "eq", "value": "Month-to-month" });
    for (name, filter) in [
        ("a_count", a.clone()),
        ("b_count", b.clone()),
        ("union", json!({ "or": [a, b] })),
        ("intersect", json!({ "and": [a, b] })),
        ("a_minus_b", json!({ "and": [a, { "not": b }] })),
    ] {
        assert_eq!(count("telco-customers", &filter), sets[name], "{name}");
    }
    loaded.server.stop();
}
