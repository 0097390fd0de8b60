use serde_json::json;
use trellis_test_support::TestApp;

const PATH: &str = "/api/v1/tokens";

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let made = admin
        .post(PATH, json!({ "label": "laptop", "expires_at": "2027-01-01T00:00:00Z" }))
        .await
        .expect(201);
    let token = made["token"].as_str().unwrap().to_owned();
    let client = app.with_token(&token);
    client.get("/api/v1/accounts").await.expect(200);
    let listed = admin.get(PATH).await.expect(200);
    let listed = listed["data"].as_array().unwrap().iter().find(|token| token["label"] == "laptop").unwrap();
    assert_eq!((&listed["id"], &listed["label"]), (&made["id"], &json!("laptop")));
    assert_eq!(
        (&listed["last_used_at"], &listed["expires_at"]),
        (&json!("2026-11-21T12:00:00Z"), &json!("2027-01-01T00:00:00Z"))
    );
    assert!(!listed.to_string().contains(&token[25..]));
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(client.get("/api/v1/accounts").await.problem(401), "INVALID_TOKEN");
    assert_eq!(admin.delete(&path).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.delete(&format!("{PATH}/x")).await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn a_client_can_ask_whose_token_it_has() {
    let app = TestApp::new().await;
    let me = app.admin().get("/api/v1/me").await.expect(200);
    assert_eq!(
        (&me["username"], &me["name"], &me["administrator"]),
        (&json!("admin"), &json!("Administrator"), &json!(true))
    );
    let tokens = app.admin().get(PATH).await.expect(200);
    assert_eq!((&tokens["data"][0]["id"], &tokens["data"][0]["user"]), (&me["token"], &me["user"]));
    let user = app.user("till").await.get("/api/v1/me").await.expect(200);
    assert_eq!((&user["username"], &user["administrator"]), (&json!("till"), &json!(false)));
    assert_eq!(app.anonymous().get("/api/v1/me").await.problem(401), "UNAUTHENTICATED");
}

#[tokio::test]
async fn wrong_tokens_are_not_made() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for (body, status, field) in [
        (json!({ "label": "" }), 422, "label"),
        (json!({ "label": "x", "expires_at": "tomorrow" }), 422, "expires_at"),
        (json!({ "label": "x", "expires_at": "2020-01-01T00:00:00Z" }), 422, "expires_at"),
        (json!({ "label": "x", "user": "admin" }), 422, "user"),
        (json!({ "label": "x", "user": "01939d4c-7c3a-7b6e-8000-000000000001" }), 422, "user"),
    ] {
        assert_eq!(admin.post(PATH, body).await.expect(status)["errors"][0]["field"], field);
    }
    for body in [json!({}), json!({ "label": "x", "role": "admin" }), json!([])] {
        assert_eq!(admin.post(PATH, body).await.problem(400), "BAD_JSON");
    }
}

#[tokio::test]
async fn a_user_has_its_own_tokens_only() {
    let app = TestApp::new().await;
    let user = app.user("till").await;
    let own = user.post(PATH, json!({ "label": "second" })).await.expect(201);
    let listed = user.get(PATH).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let all = app.admin().get(PATH).await.expect(200);
    let admins =
        all["data"].as_array().unwrap().iter().find(|token| token["label"] == "first start").unwrap();
    let path = format!("{PATH}/{}", admins["id"].as_str().unwrap());
    assert_eq!(user.delete(&path).await.problem(404), "NOT_FOUND");
    let for_admin = user.post(PATH, json!({ "label": "x", "user": admins["user"] })).await;
    assert_eq!(for_admin.problem(403), "FORBIDDEN");
    assert_eq!(user.delete(&format!("{PATH}/{}", own["id"].as_str().unwrap())).await.status, 204);
}
