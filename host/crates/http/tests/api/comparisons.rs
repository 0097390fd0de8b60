//! Versions of plugins compared over HTTP.

use axum::http::Method;
use serde_json::json;
use trellis_test_support::TestApp;

use crate::plugins::{finished, retail_rfm};

const PLUGIN: &str = "/api/v1/plugins/retail-rfm";
const SOME_ID: &str = "01939d4c-7c3a-7b6e-8000-000000000001";

#[tokio::test]
async fn what_is_not_there_cannot_be_compared() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for (path, body) in [
        ("dry-run", json!({})),
        ("versions/1.0.0/check", json!({})),
        ("versions/one/check", json!({})),
        ("shadow", json!({ "version": "1.0.0" })),
        ("promote", json!({})),
    ] {
        let path = format!("{PLUGIN}/{path}");
        assert_eq!(admin.post(&path, body.clone()).await.problem(404), "NOT_FOUND", "{path}");
        assert_eq!(app.anonymous().post(&path, body).await.problem(401), "UNAUTHENTICATED", "{path}");
    }
    assert_eq!(admin.get(&format!("{PLUGIN}/shadow")).await.problem(404), "NOT_FOUND");
    for (path, body) in [
        ("dry-run", json!({ "version": "one" })),
        ("dry-run", json!({ "as_of": "yesterday" })),
        ("shadow", json!({ "version": "one" })),
        (&format!("runs/{SOME_ID}/replay"), json!({ "version": "one" })),
    ] {
        let path = format!("{PLUGIN}/{path}");
        assert_eq!(admin.post(&path, body).await.problem(422), "VALIDATION_ERROR", "{path}");
    }
    assert_eq!(
        admin.post(&format!("{PLUGIN}/dry-run"), json!({ "versio": "x" })).await.problem(400),
        "BAD_JSON"
    );
    let row = format!("{PLUGIN}/shadow/rows/{SOME_ID}");
    assert_eq!(admin.get(&row).await.problem(404), "NOT_FOUND", "there is no shadow");
    let with = format!("{PLUGIN}/runs/{SOME_ID}/replay");
    assert_eq!(
        admin.send(Method::POST, &with, Some("text/plain"), "x").await.problem(415),
        "UNSUPPORTED_MEDIA_TYPE"
    );
    assert_eq!(
        admin.send(Method::POST, &with, Some("application/wasm"), "x").await.problem(404),
        "NOT_FOUND"
    );
    let decision = format!("/api/v1/decisions/{SOME_ID}/replay");
    assert_eq!(admin.post(&decision, json!({ "version": "1.0.0" })).await.problem(404), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_tried_shadowed_and_promoted() {
    let app = TestApp::new().await;
    let admin = app.admin();
    admin.send(Method::POST, "/api/v1/plugins", Some("application/wasm"), retail_rfm()).await.expect(201);
    let shadow = format!("{PLUGIN}/shadow");
    let version = json!({ "version": "1.0.0" });
    assert_eq!(admin.post(&shadow, version.clone()).await.problem(409), "PLUGIN_NOT_ENABLED");
    let job = admin.post(&format!("{PLUGIN}/dry-run"), json!({ "records_max": 10 })).await.expect(202);
    assert_eq!(job["kind"], "plugin-rehearsal");
    let job = finished(&app, &job).await;
    assert_eq!((&job["state"], &job["error"]["code"]), (&json!("failed"), &json!("PLUGIN_ERROR")), "{job}");
    assert!(job["error"]["message"].as_str().unwrap().contains("no customer has an order"), "{job}");

    admin.post(&format!("{PLUGIN}/enable"), json!({})).await.expect(200);
    let started = admin.post(&shadow, version).await.expect(201);
    assert_eq!((&started["version"], &started["figures"]["rows"]), (&json!("1.0.0"), &json!(0)));
    assert_eq!(admin.get(&shadow).await.expect(200)["verdict"]["may_be_promoted"], false);
    let refused = admin.post(&format!("{PLUGIN}/promote"), json!({})).await.expect(409);
    assert_eq!((&refused["code"], &refused["figures"]["rows"]), (&json!("PROMOTION_REFUSED"), &json!(0)));
    assert!(refused["detail"].as_str().unwrap().contains("promote_compared_min"), "{refused}");
    let check = admin.post(&format!("{PLUGIN}/versions/1.0.0/check"), json!({})).await.expect(202);
    let check = finished(&app, &check).await;
    assert_eq!(check["result"]["verdict"]["may_be_promoted"], false, "{check}");
    let forced =
        admin.post(&format!("{PLUGIN}/promote"), json!({ "ignore_thresholds": true })).await.expect(200);
    assert_eq!(forced["settings"]["version"], "1.0.0");
    admin.get(&shadow).await.problem(404);
    admin.post(&shadow, json!({ "version": "1.0.0" })).await.expect(201);
    admin.send(Method::DELETE, &shadow, None, "").await.expect(204);
    admin.send(Method::DELETE, &shadow, None, "").await.problem(404);
}
