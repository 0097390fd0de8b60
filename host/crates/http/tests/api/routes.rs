use axum::body::Body;
use axum::http::Method;
use serde_json::Value as Json;
use trellis_test_support::TestApp;

#[tokio::test]
async fn everything_that_is_described_answers() {
    let app = TestApp::new().await;
    let document = app.admin().get("/api/v1/openapi.json").await.expect(200);
    let mut described = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let target = path.replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = app
                .admin()
                .send(Method::from_bytes(method.as_bytes()).unwrap(), &target, None, Body::empty())
                .await;
            let code = if answer.status >= 400 {
                answer.json()["code"].as_str().unwrap().to_owned()
            } else {
                String::new()
            };
            if item.get(method.to_lowercase()).is_some() {
                assert!(
                    !matches!(code.as_str(), "METHOD_NOT_ALLOWED" | "UNKNOWN_ROUTE" | "INTERNAL_ERROR"),
                    "{method} {path}: {code}"
                );
                described += 1;
            } else {
                assert_eq!(code, "METHOD_NOT_ALLOWED", "{method} {path} answers and is not described");
            }
        }
    }
    assert!(described > 80, "{described}");
}

#[tokio::test]
async fn the_description_has_every_object_with_its_fields_and_no_loose_end() {
    let app = TestApp::new().await;
    let document = app.admin().get("/api/v1/openapi.json").await.expect(200);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for object in app.records.schema().objects() {
        assert!(document["paths"].get(format!("/api/v1/{}", object.url_segment())).is_some());
    }
    assert_eq!(schemas["Order"]["properties"]["ordered_on"]["format"], "date");
    assert_eq!(schemas["OrderLineCreate"]["additionalProperties"], false);
    let mut ids: Vec<&str> = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        ids.extend(
            item.as_object().unwrap().values().map(|operation| operation["operationId"].as_str().unwrap()),
        );
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are not unique");
    check_references(&document, &document);
}

fn check_references(document: &Json, json: &Json) {
    match json {
        Json::Object(object) => {
            if let Some(Json::String(reference)) = object.get("$ref") {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            object.values().for_each(|value| check_references(document, value));
        }
        Json::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}

#[tokio::test]
async fn metadata_has_labels_in_both_languages() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let objects = admin.get("/api/v1/metadata/objects").await.expect(200);
    assert!(objects["data"].as_array().unwrap().len() >= 9);
    let account = admin.get("/api/v1/metadata/objects/account").await.expect(200);
    assert_eq!((&account["url"], &account["has_columns"]), (&"/api/v1/accounts".into(), &true.into()));
    for field in account["fields"].as_array().unwrap() {
        for language in ["en", "zh-CN"] {
            assert_ne!(field["label"][language], "", "{field}");
        }
    }
    assert_eq!(admin.get("/api/v1/metadata/objects/widget").await.problem(404), "NOT_FOUND");
}
