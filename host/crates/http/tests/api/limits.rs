use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use trellis_http::Config;
use trellis_test_support::{TestApp, TestAppBuilder};

async fn with(http: Config) -> TestApp {
    TestAppBuilder { http, ..TestAppBuilder::default() }.start().await
}

/// A body that never ends and never sends anything.
fn stalled() -> Body {
    Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>())
}

#[tokio::test]
async fn a_large_body_is_cut_whether_its_length_is_announced_or_not() {
    let app = with(Config { json_bytes_max: 100, ..Config::default() }).await;
    let admin = app.admin();
    let large = json!({ "name": "x".repeat(200) });
    let announced = admin.clone().with("content-length", large.to_string().len().to_string());
    assert_eq!(announced.post("/api/v1/accounts", large.clone()).await.problem(413), "BODY_TOO_LARGE");
    let chunks = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("          ")));
    let chunked = admin
        .send(Method::POST, "/api/v1/accounts", Some("application/json"), Body::from_stream(chunks))
        .await;
    assert_eq!(chunked.problem(413), "BODY_TOO_LARGE");
}

#[tokio::test]
async fn a_long_address_is_refused() {
    let app = with(Config { uri_bytes_max: 100, ..Config::default() }).await;
    let answer = app.admin().get(&format!("/api/v1/accounts?fields={}", "x".repeat(100))).await;
    assert_eq!(answer.problem(414), "URI_TOO_LONG");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered() {
    let app = with(Config { request_timeout_ms: 20, ..Config::default() }).await;
    let answer =
        app.admin().send(Method::POST, "/api/v1/accounts", Some("application/json"), stalled()).await;
    assert_eq!(answer.problem(503), "TIMEOUT");
}

#[tokio::test]
async fn beyond_the_limit_requests_are_shed_at_once() {
    let app = with(Config { requests_max: 2, ..Config::default() }).await;
    let stuck: Vec<_> = (0..2)
        .map(|_| {
            let admin = app.admin();
            tokio::spawn(async move {
                admin.send(Method::POST, "/api/v1/accounts", Some("application/json"), stalled()).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = app.admin().with("accept-language", "zh-CN").get("/api/v1/accounts").await;
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.json()["title"], "服务器繁忙");
    assert_eq!(answer.problem(503), "OVERLOADED");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
    for task in stuck {
        drop(task.await);
    }
    app.admin().get("/api/v1/accounts").await.expect(200);
}

#[tokio::test]
async fn uploads_have_a_limit_of_their_own() {
    let app = with(Config { uploads_max: 1, ..Config::default() }).await;
    let admin = app.admin();
    let stuck = tokio::spawn(async move {
        admin.send(Method::POST, "/api/v1/accounts/import", Some("text/csv"), stalled()).await
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let admin = app.admin();
    let answer = admin.send(Method::POST, "/api/v1/accounts/import", Some("text/csv"), "name\n").await;
    assert_eq!(answer.problem(429), "TOO_MANY_UPLOADS");
    admin.get("/api/v1/accounts").await.expect(200);
    stuck.abort();
}
