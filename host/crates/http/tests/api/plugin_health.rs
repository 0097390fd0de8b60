use serde_json::{Value as Json, json};
use trellis_test_support::{TestApp, TestAppBuilder};

const PATH: &str = "/api/v1/plugins";

/// A component that `cargo xtask plugins` built.
fn built(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins").into(),
        std::path::PathBuf::from,
    );
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display()))
}

#[tokio::test]
async fn how_a_plugin_does_is_shown_to_the_administrator() {
    let app = TestAppBuilder::default().start().await;
    let admin = app.admin();
    admin.send(axum::http::Method::POST, PATH, Some("application/wasm"), built("hostile")).await.expect(201);
    let path = format!("{PATH}/hostile");
    admin
        .post(&format!("{path}/enable"), json!({ "config": { "sin": "hook-trap" }, "as_of": "now" }))
        .await
        .expect(200);
    let lead = json!({ "name": "Ann", "status": "new", "company": "Acme" });
    assert_eq!(admin.post("/api/v1/leads", lead).await.problem(503), "PLUGIN_UNAVAILABLE");

    let metrics = admin.get(&format!("{path}/metrics")).await.expect(200);
    assert_eq!(metrics["version"], "1.0.0");
    assert!(
        metrics["functions"]["record-hook.before-save"]["faults"]["trap"].as_u64() >= Some(1),
        "{metrics}"
    );
    assert!(metrics["health"]["last_fault"]["function"] == "record-hook.before-save", "{metrics}");
    let plugin = admin.get(&path).await.expect(200);
    assert_eq!(plugin["health"]["state"], metrics["health"]["state"]);
    let lines = admin.get(&format!("{path}/logs")).await.expect(200);
    let line = lines["data"].as_array().unwrap().iter().find(|line| line["level"] == "error");
    assert!(line.unwrap()["message"].as_str().unwrap().contains("told to trap"), "{lines}");
    assert!(admin.get(&format!("{path}/poison-rows")).await.expect(200)["data"].is_array());
    let released = admin.post(&format!("{path}/release"), json!({})).await.expect(200);
    assert_eq!(released["health"]["state"], "healthy");

    let text = admin.get("/metrics").await;
    assert_eq!(text.status, 200);
    let text = String::from_utf8(text.body.to_vec()).unwrap();
    let line = "trellis_plugin_faults_total{plugin=\"hostile\",version=\"1.0.0\",function=\"record-hook.before-save\",kind=\"trap\"}";
    assert!(text.contains(line) && text.contains("# TYPE trellis_plugin_calls_total counter"), "{text}");
}

#[tokio::test]
async fn how_plugins_do_is_nobody_elses_business() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for what in ["metrics", "logs", "poison-rows"] {
        let path = format!("{PATH}/retail-rfm/{what}");
        assert_eq!(admin.get(&path).await.problem(404), "NOT_FOUND");
        assert_eq!(admin.get(&format!("{path}?version=one")).await.problem(422), "VALIDATION_ERROR");
        assert_eq!(app.anonymous().get(&path).await.problem(401), "UNAUTHENTICATED");
    }
    let release = format!("{PATH}/retail-rfm/release");
    assert_eq!(admin.post(&release, json!({})).await.problem(404), "NOT_FOUND");
    assert_eq!(app.anonymous().get("/metrics").await.problem(401), "UNAUTHENTICATED");
    assert_eq!(admin.get(PATH).await.expect(200)["data"], Json::Array(Vec::new()));
}
