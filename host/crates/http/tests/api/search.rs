use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

async fn with_records() -> TestApp {
    let app = TestApp::new().await;
    app.start_search().await;
    app.create("accounts", json!({ "name": "Acme Trading", "city": "Lyon" })).await;
    app.create("accounts", json!({ "name": "公海科技", "city": "Lyon" })).await;
    app.create("products", json!({ "name": "Acme glue" })).await;
    app.admin().get("/api/v1/search?q=acme&wait=true").await.expect(200);
    app
}

fn values<'a>(answer: &'a Json, key: &str) -> Vec<&'a str> {
    answer["data"].as_array().unwrap().iter().map(|found| found[key].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_text_is_found_in_all_objects_or_in_some() {
    let app = with_records().await;
    let found = app.admin().get("/api/v1/search?q=acme").await.expect(200);
    assert_eq!(values(&found, "title"), ["Acme glue", "Acme Trading"]);
    assert_eq!(values(&found, "object"), ["product", "account"]);
    let found = app.admin().get("/api/v1/search?q=acm&objects=accounts,contacts&limit=1").await.expect(200);
    assert_eq!(values(&found, "title"), ["Acme Trading"]);
    let found = app.admin().get("/api/v1/search?q=gh").await.expect(200);
    assert_eq!(values(&found, "title"), ["公海科技"]);
}

#[tokio::test]
async fn a_list_takes_a_text_beside_its_filter() {
    let app = with_records().await;
    let page =
        app.admin().get("/api/v1/accounts?q=lyon&filter[name][starts]=Acme&count=exact").await.expect(200);
    assert_eq!(values(&page, "name"), ["Acme Trading"]);
    assert_eq!((&page["total"], &page["total_exact"]), (&json!(1), &json!(true)));
    let body = json!({ "q": "lyon", "sort": "-name", "filter": { "and": [] } });
    let page = app.admin().post("/api/v1/accounts/search", body).await.expect(200);
    assert_eq!(values(&page, "name"), ["公海科技", "Acme Trading"]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let app = with_records().await;
    let admin = app.admin();
    assert_eq!(admin.get("/api/v1/search").await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get("/api/v1/search?q=acme&objects=nothing").await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get("/api/v1/search?q=acme&limit=101").await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get(&format!("/api/v1/search?q={}", "a".repeat(201))).await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get(&format!("/api/v1/accounts?q={}", "a".repeat(201))).await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get("/api/v1/accounts?q=acme&deleted=true").await.problem(400), "BAD_QUERY");
    assert_eq!(app.anonymous().get("/api/v1/search?q=acme").await.problem(401), "UNAUTHENTICATED");
}

#[tokio::test]
async fn without_an_index_a_search_says_so() {
    let app = TestApp::new().await;
    assert_eq!(app.admin().get("/api/v1/search?q=acme").await.problem(503), "NOT_READY");
    assert_eq!(app.admin().get("/api/v1/accounts?q=acme").await.problem(503), "NOT_READY");
    assert_eq!(app.admin().post("/api/v1/search/rebuild", json!({})).await.problem(503), "NOT_READY");
}

#[tokio::test]
async fn the_index_is_built_anew_by_a_job() {
    let app = with_records().await;
    let job = app.admin().post("/api/v1/search/rebuild", json!({})).await.expect(202);
    assert_eq!(job["kind"], "search-rebuild");
    let id = trellis_model::RecordId::parse(job["id"].as_str().unwrap()).unwrap();
    assert_eq!(app.engine.job_wait(id).await.unwrap().state, trellis_engine::JobState::Succeeded);
    let found = app.admin().get("/api/v1/search?q=acme").await.expect(200);
    assert_eq!(values(&found, "title"), ["Acme glue", "Acme Trading"]);
}
