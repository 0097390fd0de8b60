use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use trellis_test_support::TestApp;

#[tokio::test]
async fn nothing_but_the_public_addresses_answers_without_a_token() {
    let app = TestApp::new().await;
    let id = app.create("accounts", json!({ "name": "Mill" })).await["id"].as_str().unwrap().to_owned();
    let document = app.admin().get("/api/v1/openapi.json").await.expect(200);
    let mut public = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let target = path.replace("{id}", &id).replace(['{', '}'], "");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = app.anonymous().send(method.clone(), &target, Some("application/json"), "[").await;
            if answer.status == 401 {
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"trellis\"");
                assert_eq!(answer.problem(401), "UNAUTHENTICATED");
            } else {
                public.push(format!("{method} {path}"));
            }
        }
    }
    // The workbench is files that hold no data; it asks for a token itself.
    let workbench = ["GET /app", "GET /app/", "GET /app/{screen}", "GET /assets/{file}"];
    let (shown, rest): (Vec<_>, Vec<_>) = public.iter().partition(|name| workbench.contains(&name.as_str()));
    assert_eq!(shown, workbench);
    assert_eq!(rest, ["GET /", "GET /api/v1/health", "GET /api/v1/ready", "GET /errors/{code}"]);
}

#[tokio::test]
async fn a_bad_token_is_refused_and_said_to_be_bad() {
    let app = TestApp::new().await;
    let token = app.admin().token().unwrap().to_owned();
    for wrong in ["x", "trellis_", &token[..token.len() - 1], &token.to_uppercase()] {
        let answer = app.with_token(wrong).get("/api/v1/accounts").await;
        assert!(answer.header("www-authenticate").contains("invalid_token"));
        assert_eq!(answer.problem(401), "INVALID_TOKEN");
    }
    let basic = app.anonymous().with("authorization", "Basic YTpi").get("/api/v1/accounts").await;
    assert_eq!(basic.problem(401), "UNAUTHENTICATED");
    let in_query = app.anonymous().get(&format!("/api/v1/accounts?access_token={token}")).await;
    assert_eq!(in_query.problem(401), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_user_without_rights_sees_and_changes_nothing() {
    let app = TestApp::new().await;
    let path = format!(
        "/api/v1/accounts/{}",
        app.create("accounts", json!({ "name": "Mill" })).await["id"].as_str().unwrap()
    );
    let user = app.user("till").await;
    assert_eq!(user.get(&path).await.problem(404), "NOT_FOUND");
    assert_eq!(user.patch(&path, json!({ "name": "x" })).await.problem(404), "NOT_FOUND");
    assert_eq!(user.delete(&path).await.problem(404), "NOT_FOUND");
    assert_eq!(user.get("/api/v1/accounts").await.expect(200)["data"], json!([]));
    assert_eq!(user.post("/api/v1/accounts", json!({ "name": "x" })).await.problem(403), "FORBIDDEN");
    assert_eq!(user.get("/api/v1/changes").await.expect(200)["data"], json!([]));
    assert_eq!(user.get("/api/v1/metadata/objects").await.expect(200)["data"], json!([]));
    for (method, path) in [
        (Method::GET, "/api/v1/plugins"),
        (Method::POST, "/api/v1/plugins"),
        (Method::POST, "/api/v1/plugins/retail-rfm/run"),
        (Method::POST, "/api/v1/accounts/import"),
    ] {
        let answer = user.send(method, path, None, Body::empty()).await;
        let problem = answer.json();
        assert_eq!(
            (answer.problem(403).as_str(), problem["missing_permission"].is_string()),
            ("FORBIDDEN", true)
        );
    }
}
