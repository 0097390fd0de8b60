use serde_json::json;
use trellis_test_support::{TestApp, TestAppBuilder};

async fn count(app: &TestApp) -> u64 {
    app.admin().get("/api/v1/accounts?count=exact").await.expect(200)["total"].as_u64().unwrap()
}

#[tokio::test]
async fn the_same_request_is_answered_twice_and_done_once() {
    let app = TestApp::new().await;
    let client = app.admin().with("idempotency-key", "a1");
    let first = client.post("/api/v1/accounts", json!({ "name": "Mill" })).await;
    let again = client.post("/api/v1/accounts", json!({ "name": "Mill" })).await;
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    for header in ["location", "etag", "content-type"] {
        assert_eq!(first.header(header), again.header(header));
    }
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!(count(&app).await, 1);

    let other_body = client.post("/api/v1/accounts", json!({ "name": "Other" })).await;
    assert_eq!(other_body.problem(422), "IDEMPOTENCY_KEY_REUSED");
    let other_place = client.post("/api/v1/contacts", json!({ "name": "Mill" })).await;
    assert_eq!(other_place.problem(422), "IDEMPOTENCY_KEY_REUSED");
    // Keys of different users do not meet, and a key is forgotten after a day.
    let user = app.user("till").await.with("idempotency-key", "a1");
    assert_eq!(user.post("/api/v1/accounts", json!({ "name": "Mill" })).await.problem(403), "FORBIDDEN");
    app.clock.advance_ms(86_400_001);
    client.post("/api/v1/accounts", json!({ "name": "Other" })).await.expect(201);
    assert_eq!(count(&app).await, 2);
    app.clock.advance_ms(86_400_001);
    assert_eq!(app.access.sweep_answers().await.unwrap(), 1);
    assert_eq!(app.access.sweep_answers().await.unwrap(), 0);
}

#[tokio::test]
async fn a_request_that_was_cut_off_after_its_commit_creates_nothing_twice() {
    // No answer is kept, as if the server had stopped before it could be.
    let access = trellis_access::Config { answer_bytes_max: 0, ..trellis_access::Config::default() };
    let app = TestAppBuilder { access, ..TestAppBuilder::default() }.start().await;
    let client = app.admin().with("idempotency-key", "b2");
    let first = client.post("/api/v1/accounts", json!({ "name": "Mill" })).await.expect(201);
    let again = client.post("/api/v1/accounts", json!({ "name": "Mill" })).await.expect(201);
    assert_eq!(first, again);

    let client = app.admin().with("idempotency-key", "b3");
    let operations = json!({ "operations": [
        { "op": "create", "data": { "name": "One" } },
        { "op": "create", "data": { "nome": "Two" } },
        { "op": "create", "data": { "name": "Three" } },
    ] });
    let first = client.post("/api/v1/accounts/batch", operations.clone()).await.expect(200);
    let again = client.post("/api/v1/accounts/batch", operations).await.expect(200);
    let ids = |answer: &serde_json::Value| [answer["data"][0]["id"].clone(), answer["data"][2]["id"].clone()];
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(again["refused"], 1);
    assert_eq!(count(&app).await, 3);
}

#[tokio::test]
async fn a_refusal_is_found_again_and_not_kept() {
    let app = TestApp::new().await;
    let client = app.admin().with("idempotency-key", "c3");
    assert_eq!(client.post("/api/v1/accounts", json!({ "name": 7 })).await.problem(422), "VALIDATION_ERROR");
    client.post("/api/v1/accounts", json!({ "name": "Mill" })).await.expect(201);
    let long = app.admin().with("idempotency-key", "k".repeat(201));
    assert_eq!(long.post("/api/v1/accounts", json!({ "name": "Mill" })).await.problem(400), "BAD_HEADER");
    let none = app.anonymous().with("idempotency-key", "c3");
    assert_eq!(
        none.post("/api/v1/accounts", json!({ "name": "Mill" })).await.problem(401),
        "UNAUTHENTICATED"
    );
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn of_two_same_requests_at_once_one_is_done() {
    let app = TestApp::new().await;
    let client = app.admin().with("idempotency-key", "d4");
    let mut requests = Vec::new();
    for _ in 0..8 {
        let client = client.clone();
        requests.push(tokio::spawn(async move {
            client.post("/api/v1/accounts", json!({ "name": "Mill" })).await.status
        }));
    }
    for request in requests {
        let status = request.await.unwrap();
        assert!(status == 201 || status == 409, "{status}");
    }
    assert_eq!(count(&app).await, 1);
}
