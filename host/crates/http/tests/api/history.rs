use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

async fn account(app: &TestApp) -> String {
    let account = app.create("accounts", json!({ "name": "Mill", "country": "DE" })).await;
    format!("/api/v1/accounts/{}", account["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_history_names_who_changed_which_field() {
    let app = TestApp::new().await;
    let (admin, path) = (app.admin(), account(&app).await);
    admin.patch(&path, json!({ "name": "Mühle" })).await.expect(200);
    admin.delete(&path).await.expect(204);
    let history = format!("{path}/history");
    let page = admin.get(&format!("{history}?limit=2")).await.expect(200);
    let kinds: Vec<&Json> = page["data"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["deleted", "updated"]);
    let changed = &page["data"][1];
    assert_eq!(changed["fields"], json!({ "name": { "before": "Mill", "after": "Mühle" } }));
    assert_eq!((&changed["type"], &changed["expired"]), (&json!("account.updated"), &json!(false)));
    assert_eq!((&changed["actor"]["kind"], changed["actor"]["name"].is_string()), (&json!("user"), true));
    assert_eq!(changed["timestamp"], "2026-11-21T12:00:00Z");
    let next = page["page"]["next"].as_str().unwrap();
    let rest = admin.get(&format!("{history}?limit=2&labels=true&after={next}")).await.expect(200);
    assert_eq!((&rest["data"][0]["kind"], &rest["page"]["next"]), (&json!("created"), &Json::Null));
    assert_eq!(rest["data"][0]["fields"]["name"]["label"], "Name");

    assert_eq!(admin.get(&format!("{history}?after=x")).await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get(&format!("{history}?after=1")).await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get(&format!("{history}?limit=201")).await.problem(400), "BAD_QUERY");
    let missing = "/api/v1/accounts/01939d4c-7c3a-7b6e-8000-000000000001/history";
    assert_eq!(admin.get(missing).await.problem(404), "NOT_FOUND");
    assert_eq!(app.anonymous().get(&history).await.problem(401), "UNAUTHENTICATED");
    let clerk = app.user("clerk").await;
    assert_eq!(clerk.get(&history).await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn a_record_is_shown_as_it_was() {
    let app = TestApp::new().await;
    let (admin, path) = (app.admin(), account(&app).await);
    let created = admin.get(&path).await.expect(200);
    app.clock.advance_ms(60_000);
    admin.patch(&path, json!({ "name": "Mühle", "country": null })).await.expect(200);
    let then = |moment: &str| {
        let (admin, path) = (admin.clone(), format!("{path}?as_of={moment}"));
        async move { admin.get(&path).await }
    };
    assert_eq!(then("2026-11-21T12:00:00Z").await.expect(200), created);
    assert_eq!(then("2026-11-21T12:01:00Z").await.expect(200)["name"], "Mühle");
    assert_eq!(then("2026-11-21T11:59:59Z").await.problem(404), "NOT_FOUND");
    let history = admin.get(&format!("{path}/history")).await.expect(200);
    let number = history["data"][1]["log"].as_u64().unwrap();
    assert_eq!(then(&number.to_string()).await.expect(200), created);
    assert_eq!(then(&format!("{number}&fields=name")).await.expect(200).as_object().unwrap().len(), 2);
    assert_eq!(then("yesterday").await.problem(400), "BAD_QUERY");
    assert_eq!(then("5&derived=true").await.problem(400), "BAD_QUERY");
    assert!(app.records.expire_payloads(i64::MAX, app.records.log_head()).await.is_ok());
    assert_eq!(then("2026-11-21T12:00:00Z").await.problem(410), "HISTORY_EXPIRED");
    let history = admin.get(&format!("{path}/history")).await.expect(200);
    assert_eq!((&history["data"][0]["expired"], &history["data"][0]["fields"]), (&json!(true), &Json::Null));
    let put = admin.send(Method::PUT, &format!("{path}/history"), None, "").await;
    assert_eq!(put.problem(405), "METHOD_NOT_ALLOWED");
}
