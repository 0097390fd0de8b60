//! Formulas, roll-ups and quality as a client meets them.

use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

fn usd(amount: &str) -> Json {
    json!({ "amount": amount, "currency": "USD" })
}

async fn ids(app: &TestApp, query: &str) -> Vec<Json> {
    let page = app.admin().get(query).await.expect(200);
    page["data"].as_array().unwrap().iter().map(|record| record["id"].clone()).collect()
}

#[tokio::test]
async fn computed_fields_read_filter_and_sort_like_others() {
    let app = TestApp::new().await;
    let (mill, bank) = (
        app.create("accounts", json!({ "name": "Mill" })).await,
        app.create("accounts", json!({ "name": "Bank" })).await,
    );
    let deal = |account: &Json, amount: &str, stage: &str| json!({ "name": "Deal", "account": account["id"], "amount": usd(amount), "stage": stage, "probability": 25 });
    let first = app.create("opportunities", deal(&mill, "1000.10", "prospecting")).await;
    assert_eq!(first["weighted_amount"], usd("250.03"));
    app.create("opportunities", deal(&bank, "0.10", "prospecting")).await;
    app.create("opportunities", deal(&bank, "3", "prospecting")).await;
    let weighted = "/api/v1/opportunities?filter[weighted_amount][gt]=1&fields=id";
    assert_eq!(ids(&app, weighted).await, [first["id"].clone()]);
    app.columns.catch_up().await.unwrap();

    let path = format!("/api/v1/accounts/{}", bank["id"].as_str().unwrap());
    let read = app.admin().get(&path).await;
    let etag = read.header("etag").to_owned();
    let read = read.expect(200);
    assert_eq!((&read["open_opportunities"], &read["won_amount"]), (&json!(2), &usd("0.00")));
    assert_eq!(read["version"], bank["version"], "a figure is no change");
    let again = app.admin().with("if-none-match", etag.clone()).get(&path).await;
    assert_eq!(again.status, 200, "a figure may be another although the record is the same");
    let again = app.admin().with("if-none-match", etag).get(&format!("{path}?fields=name")).await;
    assert_eq!(again.status, 304);

    let both = [bank["id"].clone(), mill["id"].clone()];
    assert_eq!(ids(&app, "/api/v1/accounts?sort=-open_opportunities").await, both);
    assert_eq!(ids(&app, "/api/v1/accounts?filter[open_opportunities][gte]=2").await, both[..1]);
}

#[tokio::test]
async fn computed_fields_are_read_only() {
    let app = TestApp::new().await;
    for fields in [
        json!({ "name": "Mill", "open_opportunities": 3 }),
        json!({ "name": "Mill", "won_amount": usd("1") }),
    ] {
        let problem = app.admin().post("/api/v1/accounts", fields).await.expect(422);
        assert_eq!(problem["errors"][0]["code"], "read_only", "{problem}");
    }
    let account = app.create("accounts", json!({ "name": "Mill" })).await;
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    let problem = app.admin().patch(&path, json!({ "open_cases": 1 })).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "open_cases");
}

#[tokio::test]
async fn quality_names_what_to_correct() {
    let app = TestApp::new().await;
    let good = app.create("accounts", json!({ "name": "Mill", "email": "office@mill.example.com" })).await;
    let bad = app.create("accounts", json!({ "name": "Bank", "email": "nowhere", "country": "DE" })).await;
    let path = format!("/api/v1/accounts/{}?derived=true", bad["id"].as_str().unwrap());
    let read = app.admin().get(&path).await.expect(200);
    assert_eq!(read["quality"]["invalid"], json!(["email"]));
    assert_eq!((&read["quality"]["valid"], &read["quality"]["fresh"]), (&json!(0), &json!(100)));
    let found = ids(&app, "/api/v1/accounts?filter[quality.valid][lt]=100").await;
    assert_eq!(found, [bad["id"].clone()]);
    let sorted = ids(&app, "/api/v1/accounts?sort=-quality.score").await;
    assert_eq!(sorted, [good["id"].clone(), bad["id"].clone()]);
}
