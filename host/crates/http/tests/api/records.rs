use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

const MISSING: &str = "/api/v1/accounts/01939d4c-7c3a-7b6e-8000-000000000001";

async fn account(app: &TestApp) -> (String, Json) {
    let account = app.create("accounts", json!({ "name": "Mill", "country": "DE" })).await;
    (format!("/api/v1/accounts/{}", account["id"].as_str().unwrap()), account)
}

#[tokio::test]
async fn a_created_record_can_be_read_where_it_says() {
    let app = TestApp::new().await;
    let answer = app.admin().post("/api/v1/accounts", json!({ "name": "磨坊 Mill", "country": null })).await;
    let (location, etag) = (answer.header("location").to_owned(), answer.header("etag").to_owned());
    let created = answer.expect(201);
    assert_eq!(location, format!("/api/v1/accounts/{}", created["id"].as_str().unwrap()));
    assert_eq!(etag, format!("\"{}\"", created["version"]));
    assert_eq!((&created["name"], &created["country"]), (&json!("磨坊 Mill"), &Json::Null));
    assert_eq!(created["created_at"], "2026-11-21T12:00:00Z");

    let read = app.admin().get(&location).await;
    assert_eq!((read.header("etag"), read.header("cache-control")), (etag.as_str(), "no-store"));
    assert_eq!(read.expect(200), created);
    let again = app.admin().with("if-none-match", etag).get(&format!("{location}?fields=name")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn money_dates_and_references_are_written_as_agreed() {
    let app = TestApp::new().await;
    let (_, account) = account(&app).await;
    let order = json!({
        "account": account["id"], "ordered_on": "1997-09-30", "quantity": 2.5,
        "amount": { "amount": "29.33", "currency": "USD" },
    });
    let created = app.create("orders", order.clone()).await;
    for field in ["account", "ordered_on", "quantity", "amount"] {
        assert_eq!(created[field], order[field], "{field}");
    }
    for (query, count) in
        [("filter[amount][gte]=29.33", 1), ("filter[amount][gt]=29.33", 0), ("filter[account.name]=Mill", 1)]
    {
        let page = app.admin().get(&format!("/api/v1/orders?{query}")).await.expect(200);
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
    }
    let wrong = json!({ "account": account["id"], "amount": { "amount": "29.333", "currency": "USD" }, "quantity": "two" });
    let problem = app.admin().post("/api/v1/orders", wrong).await.expect(422);
    let mut fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["amount", "quantity"]);
}

#[tokio::test]
async fn bad_bodies_are_refused_with_the_field() {
    let app = TestApp::new().await;
    let (path, _) = account(&app).await;
    let admin = app.admin();
    for (method, path) in [(Method::POST, "/api/v1/accounts"), (Method::PATCH, path.as_str())] {
        let send = |content_type, body: &'static str| {
            let admin = admin.clone();
            let (method, path) = (method.clone(), path.to_owned());
            async move { admin.send(method, &path, Some(content_type), body).await }
        };
        for body in ["", "{", "[]", "1", "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"\\ud800\"}"] {
            assert_eq!(send("application/json", body).await.problem(400), "BAD_JSON", "{body}");
        }
        assert_eq!(send("text/plain", "{}").await.problem(415), "UNSUPPORTED_MEDIA_TYPE");
        let check = |body: &'static str, field: &'static str, code: &'static str| {
            let answer = send("application/json", body);
            async move {
                let problem = answer.await.expect(422);
                assert_eq!(problem["code"], "VALIDATION_ERROR");
                assert_eq!(
                    (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
                    (&json!(field), &json!(code)),
                    "{body}"
                );
            }
        };
        check("{\"nmae\":\"a\"}", "nmae", "unknown_field").await;
        check("{\"version\":1}", "version", "read_only").await;
        check("{\"name\":1}", "name", "invalid_type").await;
        check("{\"name\":null}", "name", "required").await;
        check(
            "{\"name\":\"a\",\"owner\":\"01939d4c-7c3a-7b6e-8000-000000000001\"}",
            "owner",
            "unknown_reference",
        )
        .await;
    }
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let answer = admin.send(Method::POST, "/api/v1/accounts", Some("application/json"), deep).await;
    assert_eq!(answer.problem(400), "BAD_JSON");
}

#[tokio::test]
async fn missing_ids_are_not_found() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for path in [MISSING, "/api/v1/accounts/42", "/api/v1/widgets/42"] {
        assert_eq!(admin.get(path).await.problem(404), "NOT_FOUND");
        assert_eq!(admin.patch(path, json!({ "name": "x" })).await.problem(404), "NOT_FOUND");
        assert_eq!(admin.delete(path).await.problem(404), "NOT_FOUND");
        assert_eq!(admin.post(&format!("{path}/restore"), json!({})).await.problem(404), "NOT_FOUND");
    }
    assert_eq!(admin.get("/api/v1/widgets").await.problem(404), "NOT_FOUND");
    assert_eq!(admin.post("/api/v1/widgets", json!({})).await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn a_change_names_the_version_that_it_started_from() {
    let app = TestApp::new().await;
    let (path, account) = account(&app).await;
    let etag = format!("\"{}\"", account["version"]);
    let admin = app.admin();
    let changed = admin
        .clone()
        .with("if-match", etag.clone())
        .patch(&path, json!({ "name": "Mill & Sons" }))
        .await
        .expect(200);
    assert_ne!(changed["version"], account["version"]);

    let conflict = admin
        .clone()
        .with("if-match", etag.clone())
        .patch(&path, json!({ "name": "Mühle", "country": "AT" }))
        .await
        .expect(412);
    assert_eq!(conflict["code"], "VERSION_CONFLICT");
    assert_eq!(conflict["current_version"], changed["version"]);
    assert_eq!(
        conflict["conflicts"],
        json!({ "name": { "base": "Mill", "current": "Mill & Sons", "mine": "Mühle" } })
    );
    assert_eq!(admin.get(&path).await.expect(200), changed, "nothing of a conflicting change is written");

    let merged = admin
        .clone()
        .with("if-match", etag.clone())
        .patch(&path, json!({ "country": "AT" }))
        .await
        .expect(200);
    assert_eq!((&merged["name"], &merged["country"]), (&json!("Mill & Sons"), &json!("AT")));

    assert_eq!(
        admin.clone().with("if-match", etag.clone()).delete(&path).await.problem(412),
        "VERSION_CONFLICT"
    );
    assert_eq!(admin.clone().with("if-match", "7").delete(&path).await.problem(400), "BAD_HEADER");
    let etag = format!("\"{}\"", merged["version"]);
    assert_eq!(admin.with("if-match", etag).delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_change_that_changes_nothing_keeps_the_version() {
    let app = TestApp::new().await;
    let (path, account) = account(&app).await;
    assert_eq!(app.admin().patch(&path, json!({ "name": "Mill" })).await.expect(200), account);
}

#[tokio::test]
async fn a_deleted_record_is_gone_until_it_is_restored() {
    let app = TestApp::new().await;
    let (path, _) = account(&app).await;
    let admin = app.admin();
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&path).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.delete(&path).await.problem(404), "NOT_FOUND");
    let deleted = admin.get("/api/v1/accounts?deleted=true").await.expect(200);
    assert_eq!(
        (&deleted["data"][0]["name"], deleted["data"][0]["deleted_at"].is_string()),
        (&json!("Mill"), true)
    );
    let restored = admin.post(&format!("{path}/restore"), json!({})).await.expect(200);
    assert_eq!(restored["name"], "Mill");
    assert_eq!(admin.get(&path).await.expect(200), restored);
}

#[tokio::test]
async fn a_taken_value_names_its_holder() {
    let app = TestApp::new().await;
    let first = app.create("accounts", json!({ "name": "Mill", "external_id": "m-1" })).await;
    let admin = app.admin();
    let duplicate =
        admin.post("/api/v1/accounts", json!({ "name": "Other", "external_id": "m-1" })).await.expect(409);
    assert_eq!(duplicate["code"], "DUPLICATE");
    assert_eq!(
        duplicate["duplicates"],
        json!([{ "object": "account", "id": first["id"], "matched_on": ["external_id"] }])
    );
    let path = format!("/api/v1/accounts/{}", first["id"].as_str().unwrap());
    admin.delete(&path).await.expect(204);
    app.create("accounts", json!({ "name": "Other", "external_id": "m-1" })).await;
    assert_eq!(admin.post(&format!("{path}/restore"), json!({})).await.problem(409), "DUPLICATE");
}

#[tokio::test]
async fn append_only_records_are_not_changed() {
    let app = TestApp::new().await;
    let (_, account) = account(&app).await;
    let interaction =
        json!({ "account": account["id"], "channel": "phone", "occurred_at": "2026-11-01T08:00:00Z" });
    let created = app.create("interactions", interaction).await;
    let path = format!("/api/v1/interactions/{}", created["id"].as_str().unwrap());
    let answer = app.admin().patch(&path, json!({ "subject": "x" })).await;
    assert_eq!(answer.problem(422), "APPEND_ONLY");
}
