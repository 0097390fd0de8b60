use trellis_test_support::TestApp;

#[tokio::test]
async fn the_first_page_says_what_this_is_in_both_languages() {
    let app = TestApp::new().await;
    let answer = app.anonymous().get("/").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(page.contains("This server keeps customers") && page.contains("lang=\"zh-CN\""));
    for outside in ["http://", "https://", "<script", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    let link = |rest: &str| rest.split('"').next().unwrap().to_owned();
    for target in page.split("href=\"").skip(1).map(link) {
        assert_eq!(app.anonymous().get(&target).await.status, 200, "{target}");
    }
}

#[tokio::test]
async fn the_type_of_a_problem_is_the_address_of_its_page() {
    let app = TestApp::new().await;
    let problem = app.anonymous().get("/api/v1/nothing/at/all").await.expect(404);
    assert_eq!(problem["code"], "UNKNOWN_ROUTE");
    let page = app.anonymous().get(problem["type"].as_str().unwrap()).await;
    assert!(page.body.starts_with(b"# `UNKNOWN_ROUTE` (404)\n"));
    assert_eq!(app.anonymous().get("/errors/nothing").await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn health_and_readiness_need_no_token() {
    let app = TestApp::new().await;
    assert_eq!(app.anonymous().get("/api/v1/health").await.expect(200)["status"], "ok");
    let ready = app.anonymous().get("/api/v1/ready").await.expect(200);
    assert_eq!((&ready["status"], &ready["checks"]["storage"]), (&"ready".into(), &"ok".into()));
    app.health.break_storage("the store has stopped");
    let broken = app.anonymous().get("/api/v1/ready").await.expect(503);
    assert_eq!(
        (&broken["code"], &broken["checks"]["storage"]),
        (&"NOT_READY".into(), &"the store has stopped".into())
    );
    assert_eq!(app.anonymous().get("/api/v1/health").await.expect(200)["status"], "ok");
}

#[tokio::test]
async fn a_registry_can_ask_which_plugins_run_here() {
    let app = TestApp::new().await;
    let server = app.admin().get("/api/v1/server").await.expect(200);
    assert_eq!(server["wit"], serde_json::json!([{ "from": "1.0.0", "to": "1.0.0" }]));
    assert!(server["wasmtime"].as_str().unwrap().starts_with("48."), "{server}");
    assert_eq!(server["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&server["base_currency"], &server["time_zone"]), (&"USD".into(), &"UTC".into()));
    assert_eq!(app.anonymous().get("/api/v1/server").await.problem(401), "UNAUTHENTICATED");
}

#[tokio::test]
async fn every_answer_is_guarded_and_can_be_traced() {
    let app = TestApp::new().await;
    for (path, status) in [("/", 200), ("/api/v1/health", 200), ("/api/v1/accounts", 401), ("/nothing", 404)]
    {
        let answer = app.anonymous().with("x-request-id", "trace-7").get(path).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-request-id"), "trace-7");
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("cache-control")),
            ("nosniff", "no-store")
        );
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        if status >= 400 {
            assert_eq!(answer.json()["correlation_id"], "trace-7");
        }
    }
    assert_ne!(app.anonymous().get("/").await.header("x-request-id"), "");
}

#[tokio::test]
async fn a_wrong_method_says_which_ones_are_right() {
    let app = TestApp::new().await;
    let answer = app.admin().delete("/api/v1/plugins").await;
    let allow = answer.header("allow").to_owned();
    assert_eq!(answer.problem(405), "METHOD_NOT_ALLOWED");
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}
