use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::{Client, TestApp};

const MISSING: &str = "01939d4c-7c3a-7b6e-8000-000000000001";

async fn ended(app: &TestApp, job: &Json) -> Json {
    let id = RecordId::parse(job["id"].as_str().unwrap()).unwrap();
    app.engine.job_wait(id).await.unwrap();
    let job = app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200);
    assert_eq!(job["state"], "succeeded", "{job}");
    job
}

async fn import(app: &TestApp, csv: &'static str) -> Json {
    let answer = app
        .admin()
        .send(axum::http::Method::POST, "/api/v1/accounts/import", Some("text/csv"), csv)
        .await
        .expect(202);
    ended(app, &answer).await
}

async fn names(admin: &Client) -> Vec<String> {
    let page = admin.get("/api/v1/accounts?sort=name").await.expect(200);
    let name = |record: &Json| record["name"].as_str().unwrap().to_owned();
    page["data"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn an_import_is_previewed_undone_and_redone() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let job = import(&app, "external_id,name\na,Anna\nb,Bert\n").await;
    let id = job["id"].as_str().unwrap();
    let target = json!({ "target": { "job": id } });
    let preview =
        admin.post("/api/v1/undo/preview", json!({ "target": { "job": id }, "limit": 1 })).await.expect(200);
    assert_eq!((&preview["counts"]["can"], &preview["counts_exact"]), (&json!(2), &json!(true)));
    let item = &preview["data"][0];
    assert_eq!(
        (&item["action"], &item["state"], &item["title"]),
        (&json!("delete"), &json!("can"), &json!("Bert"))
    );
    let next = &preview["page"]["next"];
    let second = json!({ "target": { "job": id }, "limit": 1, "after": next });
    let second = admin.post("/api/v1/undo/preview", second).await.expect(200);
    assert_eq!((&second["data"][0]["title"], &second["page"]["next"]), (&json!("Anna"), &Json::Null));

    let bert = format!("/api/v1/accounts/{}", item["id"].as_str().unwrap());
    admin.patch(&bert, json!({ "country": "DE" })).await.expect(200);
    let preview = admin.post("/api/v1/undo/preview", target.clone()).await.expect(200);
    let since = &preview["data"][0]["since"][0];
    assert_eq!((&since["fields"], since["actor"]["name"].is_string()), (&json!(["country"]), true));
    let answer = admin.post("/api/v1/undo", target.clone()).await;
    assert!(answer.header("location").starts_with("/api/v1/jobs/"));
    let undone = ended(&app, &answer.expect(202)).await;
    assert_eq!((&undone["kind"], &undone["result"]["undone"]), (&json!("undo"), &json!(1)));
    let left = &undone["result"]["records"][0];
    assert_eq!(
        (&left["state"], &left["message"]),
        (&json!("changed_since"), &json!("it changed again since"))
    );
    assert_eq!(names(&admin).await, ["Bert"]);
    let redo = json!({ "target": { "job": undone["id"] } });
    ended(&app, &admin.post("/api/v1/undo", redo).await.expect(202)).await;
    assert_eq!(names(&admin).await, ["Anna", "Bert"]);
    let history = admin.get(&format!("{bert}/history")).await.expect(200);
    assert_eq!(history["data"][1]["cause"]["job"], json!({ "id": id, "kind": "import" }));
}

#[tokio::test]
async fn one_change_of_a_record_is_undone_at_once() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let account = app.create("accounts", json!({ "name": "Mill", "country": "DE" })).await;
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    admin.patch(&path, json!({ "name": "Mühle" })).await.expect(200);
    let history = admin.get(&format!("{path}/history")).await.expect(200);
    let log = history["data"][0]["log"].clone();
    let undo = format!("{path}/undo");
    let answer = admin.post(&undo, json!({ "log": log })).await.expect(200);
    assert_eq!(
        (&answer["undone"], &answer["item"]["fields"]["name"]["back_to"]),
        (&json!(true), &json!("Mill"))
    );
    assert_eq!(admin.get(&path).await.expect(200)["name"], "Mill");
    assert_eq!(admin.post(&undo, json!({ "log": log })).await.expect(200)["undone"], false);
    admin.patch(&path, json!({ "name": "Other" })).await.expect(200);
    let conflict = admin.post(&undo, json!({ "log": log })).await.expect(409);
    assert_eq!(
        (&conflict["code"], &conflict["item"]["state"]),
        (&json!("CONFLICT"), &json!("changed_since"))
    );
    let check = async |body: Json, status: u16, code: &str| {
        assert_eq!(admin.post(&undo, body.clone()).await.problem(status), code, "{body}");
    };
    check(json!({ "log": 999_999 }), 404, "NOT_FOUND").await;
    check(json!({ "log": 1 }), 404, "NOT_FOUND").await;
    check(json!({}), 400, "BAD_JSON").await;
    check(json!({ "log": 1, "x": 1 }), 400, "BAD_JSON").await;
    let missing = format!("/api/v1/accounts/{MISSING}/undo");
    assert_eq!(admin.post(&missing, json!({ "log": log })).await.problem(404), "NOT_FOUND");
    assert_eq!(app.anonymous().post(&undo, json!({ "log": log })).await.problem(401), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_target_is_one_thing_that_the_requester_may_undo() {
    let app = TestApp::new().await;
    let (admin, clerk) = (app.admin(), app.user("clerk").await);
    let job = import(&app, "name\nAnna\n").await;
    let refused = async |client: &Client, target: Json, status: u16, code: &str| {
        for path in ["/api/v1/undo/preview", "/api/v1/undo"] {
            let answer = client.post(path, json!({ "target": target })).await;
            assert_eq!(answer.problem(status), code, "{path} {target}");
        }
    };
    let bad = [
        json!({}),
        json!({ "job": "x" }),
        json!({ "job": MISSING, "log": 1 }),
        json!({ "log": 1, "object": "account" }),
        json!({ "log": 1, "since": "2026-11-21T12:00:00Z" }),
        json!({ "rule": MISSING, "since": "yesterday" }),
        json!({ "plugin": "Not An Id" }),
        json!({ "job": MISSING, "object": "account", "id": MISSING }),
    ];
    for target in bad {
        refused(&admin, target, 422, "VALIDATION_ERROR").await;
    }
    refused(&admin, json!({ "job": MISSING }), 404, "NOT_FOUND").await;
    refused(&admin, json!({ "log": 999_999 }), 404, "NOT_FOUND").await;
    refused(&clerk, json!({ "rule": MISSING }), 403, "FORBIDDEN").await;
    refused(&clerk, json!({ "plugin": "retail-rfm" }), 403, "FORBIDDEN").await;
    refused(&clerk, json!({ "job": job["id"] }), 404, "NOT_FOUND").await;
    refused(&app.anonymous(), json!({ "log": 1 }), 401, "UNAUTHENTICATED").await;
    let nothing =
        admin.post("/api/v1/undo/preview", json!({ "target": { "rule": MISSING } })).await.expect(200);
    assert_eq!((&nothing["entries"], &nothing["data"]), (&json!(0), &json!([])));
    let wrong = json!({ "target": { "log": 1 }, "limit": 0 });
    assert_eq!(admin.post("/api/v1/undo/preview", wrong).await.problem(400), "BAD_QUERY");
    let wrong = json!({ "target": { "log": 1 }, "after": "x" });
    assert_eq!(admin.post("/api/v1/undo/preview", wrong).await.problem(400), "BAD_QUERY");
    let dry = json!({ "target": { "job": job["id"] }, "dry_run": true });
    let dry = ended(&app, &admin.post("/api/v1/undo", dry).await.expect(202)).await;
    assert_eq!((&dry["result"]["undone"], &dry["result"]["dry_run"]), (&json!(1), &json!(true)));
    assert_eq!(names(&admin).await, ["Anna"]);
}
