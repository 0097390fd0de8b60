use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

async fn with_deals() -> TestApp {
    let app = TestApp::new().await;
    let user = json!({"username": "ann", "name": "Ann", "kind": "person", "active": true});
    let ann = app.create("users", user).await["id"].as_str().unwrap().to_owned();
    let account = app.create("accounts", json!({"name": "Acme", "city": "Oslo", "owner": ann})).await;
    for (name, stage, amount, day) in [
        ("One", "won", Some("100.10"), "2026-11-20"),
        ("Two", "won", Some("200"), "2026-10-31"),
        ("Three", "proposal", Some("50.50"), "2026-11-30"),
        ("Four", "proposal", None, "2026-11-29"),
    ] {
        let amount = amount.map(|amount| json!({"amount": amount, "currency": "USD"}));
        let deal = json!({"name": name, "account": account["id"], "stage": stage, "amount": amount, "close_on": day, "owner": ann});
        app.create("opportunities", deal).await;
    }
    app
}

const PATH: &str = "/api/v1/opportunities/aggregate";

#[tokio::test]
async fn deals_are_summed_by_stage() {
    let app = with_deals().await;
    let body = json!({
        "group_by": [{ "field": "stage" }],
        "aggregates": [{ "function": "sum", "field": "amount" }, { "function": "avg", "field": "amount", "as": "mean" }],
        "sort": "-sum_amount",
    });
    let answer = app.admin().post(PATH, body).await.expect(200);
    let money = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let group = |stage: &str, sum: &str, mean: &str| {
        let values = json!({ "sum_amount": money(sum), "mean": money(mean) });
        json!({ "keys": { "stage": stage }, "values": values, "count": 2 })
    };
    let data = json!([group("won", "300.10", "150.05"), group("proposal", "50.50", "50.50")]);
    assert_eq!(answer, json!({ "data": data, "total_groups": 2, "truncated": false }));
}

#[tokio::test]
async fn keys_carry_labels_where_asked() {
    let app = with_deals().await;
    let body = json!({
        "filter": { "field": "close_on", "value": "this_month" },
        "group_by": [{ "field": "owner" }, { "field": "stage" }, { "field": "close_on", "bucket": "month", "as": "month" }],
        "labels": true, "limit": 1,
    });
    let client = app.admin().with("accept-language", "zh-CN");
    let answer = client.post(PATH, body).await.expect(200);
    let keys = &answer["data"][0]["keys"];
    assert_eq!((&keys["owner"]["label"], &keys["month"]), (&json!("Ann"), &json!("2026-11-01")));
    assert!(keys["stage"]["label"].as_str().is_some_and(|label| !label.is_ascii()), "{keys}");
    assert_eq!((&answer["total_groups"], &answer["truncated"]), (&json!(2), &json!(true)));
}

#[tokio::test]
async fn a_wrong_aggregate_is_refused() {
    let app = with_deals().await;
    let check = async |body: Json, code: &str| {
        assert_eq!(app.admin().post(PATH, body.clone()).await.problem(400), code, "{body}");
    };
    check(json!({ "group_by": [{ "field": "stage", "bucket": "decade" }] }), "BAD_QUERY").await;
    check(json!({ "group_by": [{ "field": "nothing" }] }), "UNKNOWN_FIELD").await;
    check(json!({ "aggregates": [{ "function": "mode", "field": "amount" }] }), "BAD_QUERY").await;
    check(json!({ "aggregates": [{ "function": "percentile", "field": "amount" }] }), "BAD_QUERY").await;
    check(json!({ "aggregates": [{ "function": "sum", "field": "amount", "p": 0.5 }] }), "BAD_QUERY").await;
    check(json!({ "aggregates": [{ "function": "sum", "field": "name" }] }), "BAD_QUERY").await;
    check(json!({ "limit": 0 }), "BAD_QUERY").await;
    check(json!({ "sort": "-revenue" }), "BAD_QUERY").await;
    check(json!({ "colour": 1 }), "BAD_JSON").await;
    assert_eq!(app.anonymous().post(PATH, json!({})).await.status, 401);
    let nobody = app.user("nobody").await.post(PATH, json!({})).await.expect(200);
    assert_eq!(nobody["data"][0]["count"], 0, "without rights there is nothing to count");
}

#[tokio::test]
async fn trees_that_are_too_deep_are_refused_wherever_they_come_in() {
    let app = with_deals().await;
    let deep = |levels: usize| {
        (0..levels).fold(json!({ "field": "stage", "value": "won" }), |inner, _| json!({ "not": inner }))
    };
    for path in [PATH, "/api/v1/opportunities/search"] {
        let answer = app.admin().post(path, json!({ "filter": deep(100) })).await;
        assert!(String::from_utf8_lossy(&answer.body).contains("deeper than 10 levels"), "{path}");
        assert_eq!(answer.problem(400), "BAD_QUERY");
        let nested = format!("{{\"filter\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let answer = app
            .admin()
            .send(trellis_http::axum::http::Method::POST, path, Some("application/json"), nested)
            .await;
        assert_eq!(answer.problem(400), "BAD_JSON");
    }
    let having = json!({ "having": deep(100) });
    assert_eq!(app.admin().post(PATH, having).await.problem(400), "BAD_QUERY");
}
