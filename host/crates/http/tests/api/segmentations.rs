//! Segmentations that a filter makes.

use serde_json::{Value as Json, json};
use trellis_http::axum::http::Method;
use trellis_test_support::{Answer, Client, TestApp};

const SEGMENTATIONS: &str = "/api/v1/segmentations";

fn shops() -> Json {
    json!({
        "name": "shops", "object": "account", "label": { "en": "Shops", "zh-CN": "门店" },
        "filter": { "field": "industry", "op": "eq", "value": "retail" },
    })
}

async fn put(client: &Client, path: &str, body: &Json) -> Answer {
    client.send(Method::PUT, path, Some("application/json"), body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_makes_a_segment_like_any_other() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let shop = app.create("accounts", json!({ "name": "Corner", "industry": "retail" })).await;
    app.create("accounts", json!({ "name": "Bank", "industry": "bank" })).await;
    let made = admin.post(SEGMENTATIONS, shops()).await.expect(201);
    assert_eq!((&made["values"][0]["value"], &made["values"][0]["count"]), (&json!("member"), &json!(1)));
    assert_eq!(made["source"], json!({ "kind": "filter", "filter": shops()["filter"] }));
    assert_eq!((&made["null_count"], &made["problem"]), (&json!(1), &Json::Null));
    let path = format!("{SEGMENTATIONS}/shops");
    assert_eq!(admin.get(&path).await.expect(200)["name"], "shops");
    let members = admin.get("/api/v1/segments/shops/member/members?fields=name").await.expect(200);
    assert_eq!(members["data"][0]["record"]["name"], "Corner");
    let why = admin.get(&format!("{path}/explanations/{}", shop["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(why["reasons"][0]["text"], "Industry is retail");
    let filter = json!({ "filter": { "field": "segment.shops", "op": "eq", "value": "member" } });
    let found = admin.post("/api/v1/accounts/search", filter.clone()).await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1);

    let mut other = shops();
    other["filter"]["value"] = json!("bank");
    other["label"] = json!({ "en": "Banks" });
    let replaced = put(&admin, &path, &other).await.expect(200);
    assert_eq!((&replaced["label"]["en"], &replaced["values"][0]["count"]), (&json!("Banks"), &json!(1)));
    other["name"] = json!("banks");
    assert_eq!(put(&admin, &path, &other).await.problem(422), "VALIDATION_ERROR");

    let view = json!({ "name": "Mine", "object": "account", "filter": filter["filter"] });
    let view = app.create("views", view).await;
    let uses = admin.get(&format!("{path}/uses")).await.expect(200);
    assert_eq!(uses["data"], json!([{ "object": "view", "id": view["id"], "name": "Mine" }]));
    assert_eq!(admin.delete(&path).await.problem(409), "CONFLICT");
    admin.delete(&format!("/api/v1/views/{}", view["id"].as_str().unwrap())).await.expect(204);
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.delete(&path).await.problem(404), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let check = async |change: Json, field: &str| {
        let mut body = shops();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let problem = admin.post(SEGMENTATIONS, body).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    };
    check(json!({ "name": "a__b" }), "name").await;
    check(json!({ "name": null }), "name").await;
    check(json!({ "object": "task" }), "object").await;
    check(json!({ "object": "No such" }), "object").await;
    check(json!({ "label": {} }), "label").await;
    check(json!({ "filter": { "field": "nowhere", "op": "eq", "value": 1 } }), "filter").await;
    admin.post(SEGMENTATIONS, shops()).await.expect(201);
    assert_eq!(admin.post(SEGMENTATIONS, shops()).await.problem(409), "CONFLICT");
    let long = json!({ "name": "long", "label": { "en": "x".repeat(201) } });
    let mut body = shops();
    body.as_object_mut().unwrap().extend(long.as_object().unwrap().clone());
    assert_eq!(admin.post(SEGMENTATIONS, body).await.problem(422), "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_goes_out_of_use_leaves_the_members_and_says_so() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let field =
        json!({ "name": "floor_space", "type": "number", "label": { "en": "Floor space", "zh-CN": "面积" } });
    admin.post("/api/v1/metadata/objects/account/fields", field).await.expect(201);
    app.create("accounts", json!({ "name": "Corner", "floor_space": 500 })).await;
    let mut large = shops();
    large["filter"] = json!({ "field": "floor_space", "op": "gte", "value": 100 });
    admin.post(SEGMENTATIONS, large).await.expect(201);
    let path = format!("{SEGMENTATIONS}/shops");
    let retired = "/api/v1/metadata/objects/account/fields/floor_space?confirm_destructive=true";
    admin.delete(retired).await.expect(200);
    app.create("accounts", json!({ "name": "Another" })).await;
    for _ in 0..500 {
        if admin.get(&path).await.expect(200)["stale"] == true {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let found = admin.get(&path).await.expect(200);
    assert_eq!((&found["stale"], &found["values"][0]["count"]), (&json!(true), &json!(1)), "{found}");
    assert!(found["problem"].as_str().unwrap().contains("floor_space"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_make_them() {
    let app = TestApp::new().await;
    let someone = app.user("someone").await;
    let made = someone.post(SEGMENTATIONS, shops()).await;
    assert_eq!(made.problem(403), "FORBIDDEN");
}
