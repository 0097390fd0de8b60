use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

async fn with_accounts() -> TestApp {
    let app = TestApp::new().await;
    for (name, country) in [("Ash", "DE"), ("Birch", "AT"), ("Cedar", "DE"), ("Date", "CN"), ("Elm", "DE")] {
        app.create("accounts", json!({ "name": name, "country": country, "kind": "company" })).await;
    }
    app
}

fn names(page: &Json) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_cut() {
    let app = with_accounts().await;
    let admin = app.admin();
    let check = |query: &'static str, expected: &'static [&'static str]| {
        let admin = admin.clone();
        async move {
            let page = admin.get(&format!("/api/v1/accounts?{query}")).await.expect(200);
            assert_eq!(names(&page), expected, "{query}");
        }
    };
    check("sort=name", &["Ash", "Birch", "Cedar", "Date", "Elm"]).await;
    check("sort=-name&limit=2", &["Elm", "Date"]).await;
    check("filter[country]=DE&sort=name", &["Ash", "Cedar", "Elm"]).await;
    check("filter%5Bcountry%5D%5Bin%5D=AT,CN&sort=-country", &["Date", "Birch"]).await;
    check("filter[name][starts]=c", &["Cedar"]).await;
    check("filter[country]=DE&filter[name][gt]=Birch&sort=name", &["Cedar", "Elm"]).await;
    check("filter[phone][null]=true&sort=name&limit=1", &["Ash"]).await;
}

#[tokio::test]
async fn pages_lead_to_each_other() {
    let app = with_accounts().await;
    let admin = app.admin();
    let first = admin.get("/api/v1/accounts?sort=name&limit=2&count=exact").await.expect(200);
    assert_eq!(
        (names(&first), &first["total"], &first["total_exact"]),
        (vec!["Ash", "Birch"], &json!(5), &json!(true))
    );
    assert_eq!((&first["page"]["limit"], &first["page"]["prev"]), (&json!(2), &Json::Null));
    let next = first["page"]["next"].as_str().unwrap();
    let second = admin.get(&format!("/api/v1/accounts?sort=name&limit=2&after={next}")).await.expect(200);
    assert_eq!(names(&second), ["Cedar", "Date"]);
    assert!(second.get("total").is_none());
    let prev = second["page"]["prev"].as_str().unwrap();
    let back = admin.get(&format!("/api/v1/accounts?sort=name&limit=2&before={prev}")).await.expect(200);
    assert_eq!(names(&back), ["Ash", "Birch"]);
    let other = admin.get(&format!("/api/v1/accounts?sort=-name&after={next}")).await;
    assert_eq!(other.problem(400), "BAD_QUERY");
}

#[tokio::test]
async fn fields_and_labels_are_as_asked() {
    let app = with_accounts().await;
    let admin = app.admin();
    let page = admin.get("/api/v1/accounts?fields=name,updated_at&sort=name&limit=1").await.expect(200);
    let keys: Vec<&String> = page["data"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "name", "updated_at"]);
    let labelled = admin
        .clone()
        .with("accept-language", "zh-CN")
        .get("/api/v1/accounts?fields=kind&labels=true&limit=1")
        .await
        .expect(200);
    assert_eq!(labelled["data"][0]["kind"]["value"], "company");
    let label = labelled["data"][0]["kind"]["label"].as_str().unwrap().to_owned();
    assert!(!label.is_ascii(), "{label}");
    let one = page["data"][0]["id"].as_str().unwrap();
    let derived = admin.get(&format!("/api/v1/accounts/{one}?derived=true&fields=name")).await.expect(200);
    let members: Vec<&str> = derived.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((members, &derived["segments"]), (vec!["id", "name", "quality", "segments"], &json!({})));
}

#[tokio::test]
async fn a_wrong_query_is_named() {
    let app = with_accounts().await;
    let admin = app.admin();
    for (query, code) in [
        ("limit=0", "BAD_QUERY"),
        ("limit=201", "BAD_QUERY"),
        ("limit=1&limit=2", "BAD_QUERY"),
        ("limt=5", "BAD_QUERY"),
        ("token=trellis_x", "BAD_QUERY"),
        ("fields=name,nmae", "UNKNOWN_FIELD"),
        ("sort=nmae", "UNKNOWN_FIELD"),
        ("sort=name,country,kind,phone", "BAD_QUERY"),
        ("filter[nmae]=x", "UNKNOWN_FIELD"),
        ("filter[name][like]=x", "BAD_QUERY"),
        ("filter[name", "BAD_QUERY"),
        ("after=x", "BAD_QUERY"),
        ("count=some", "BAD_QUERY"),
        ("labels=yes", "BAD_QUERY"),
    ] {
        let answer = admin.get(&format!("/api/v1/accounts?{query}")).await;
        assert_eq!(answer.problem(400), code, "{query}");
    }
}

#[tokio::test]
async fn a_search_takes_a_tree() {
    let app = with_accounts().await;
    let admin = app.admin();
    let body = json!({
        "filter": { "or": [{ "field": "country", "op": "eq", "value": "CN" }, { "field": "name", "op": "eq", "value": "Ash" }] },
        "sort": ["-name"], "limit": 10, "fields": ["name"], "count": "exact",
    });
    let page = admin.post("/api/v1/accounts/search", body).await.expect(200);
    assert_eq!((names(&page), &page["total"]), (vec!["Date", "Ash"], &json!(2)));
    for (body, code) in [
        (json!({ "filter": { "field": "name", "op": "like", "value": "x" } }), "BAD_QUERY"),
        (json!({ "filter": { "field": "nmae", "op": "eq", "value": "x" } }), "UNKNOWN_FIELD"),
        (json!({ "limit": 0 }), "BAD_QUERY"),
        (json!({ "where": {} }), "BAD_JSON"),
    ] {
        assert_eq!(admin.post("/api/v1/accounts/search", body.clone()).await.problem(400), code, "{body}");
    }
    assert_eq!(admin.post("/api/v1/widgets/search", json!({})).await.problem(404), "NOT_FOUND");
}
