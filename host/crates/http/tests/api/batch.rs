use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

const BATCH: &str = "/api/v1/accounts/batch";

fn statuses(answer: &Json) -> Vec<u64> {
    answer["data"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

async fn names(app: &TestApp) -> Vec<String> {
    let page = app.admin().get("/api/v1/accounts?sort=name&fields=name").await.expect(200);
    page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_operation_of_a_batch_has_its_own_answer() {
    let app = TestApp::new().await;
    let (old, gone) = (
        app.create("accounts", json!({ "name": "Old" })).await,
        app.create("accounts", json!({ "name": "Gone", "external_id": "g" })).await,
    );
    let batch = json!({ "operations": [
        { "op": "create", "data": { "name": "New" } },
        { "op": "create", "data": { "name": 7 } },
        { "op": "update", "id": old["id"], "version": old["version"], "data": { "name": "Older" } },
        { "op": "update", "id": old["id"], "version": old["version"], "data": { "name": "Oldest" } },
        { "op": "delete", "id": gone["id"] },
        { "op": "restore", "id": gone["id"] },
        { "op": "upsert", "by": "external_id", "data": { "external_id": "g", "name": "Back" } },
        { "op": "upsert", "by": "external_id", "data": { "external_id": "h", "name": "Her" } },
        { "op": "delete", "id": "nonsense" },
        { "op": "upsert", "by": "name", "data": { "name": "x" } },
    ] });
    let answer = app.admin().post(BATCH, batch).await.expect(200);
    assert_eq!(statuses(&answer), [201, 422, 200, 412, 204, 200, 200, 201, 404, 400]);
    assert_eq!(answer["refused"], 4);
    assert_eq!(answer["data"][1]["error"]["errors"][0]["field"], "name");
    assert_eq!(answer["data"][2]["id"], old["id"]);
    assert_eq!(names(&app).await, ["Back", "Her", "New", "Older"]);

    // All of it has one cause, which is what undoing it needs.
    let changes = app.admin().get("/api/v1/changes?limit=200").await.expect(200);
    let of_batch =
        changes["data"].as_array().unwrap().iter().filter(|one| one["cause"]["job"] == answer["job"]);
    assert!(of_batch.count() >= 1, "{changes}");
}

#[tokio::test]
async fn an_atomic_batch_is_done_wholly_or_not_at_all() {
    let app = TestApp::new().await;
    app.create("accounts", json!({ "name": "Held", "external_id": "held" })).await;
    let head = app.records.log_head();
    let send = |operations: Json| {
        let admin = app.admin();
        async move { admin.post(BATCH, json!({ "operations": operations, "atomic": true })).await }
    };
    let good = json!({ "op": "create", "data": { "name": "Good" } });
    for bad in [
        json!({ "op": "create", "data": { "name": "Bad", "external_id": "held" } }),
        json!({ "op": "create", "data": { "nam": "Bad" } }),
        json!({ "op": "delete", "id": "01939d4c-7c3a-7b6e-8000-000000000001" }),
    ] {
        let answer = send(json!([good, bad, good])).await;
        assert_eq!(answer.status, 422, "{bad}");
        let problem = answer.json();
        assert_eq!(problem["code"], "BATCH_REFUSED");
        assert_eq!(problem["data"][0]["error"]["code"], "NOT_DONE");
        assert_eq!(problem["data"][2]["status"], 424);
        assert_ne!(problem["data"][1]["error"]["code"], "NOT_DONE", "{bad}");
    }
    let same = app.create("accounts", json!({ "name": "Twice" })).await;
    let twice = json!([
        { "op": "update", "id": same["id"], "data": { "name": "a" } },
        { "op": "update", "id": same["id"], "data": { "name": "b" } },
    ]);
    assert_eq!(send(twice).await.problem(422), "BATCH_REFUSED");
    assert_eq!(app.records.log_head(), head + 1, "nothing but the one create");
    assert_eq!(statuses(&send(json!([good, good])).await.expect(200)), [201, 201]);
    assert_eq!(app.records.log_head(), head + 2, "one entry for both");
}

#[tokio::test]
async fn a_batch_has_at_most_two_hundred_operations() {
    let app = TestApp::new().await;
    let operations: Vec<Json> =
        (0..201).map(|n| json!({ "op": "create", "data": { "name": n.to_string() } })).collect();
    assert_eq!(
        app.admin().post(BATCH, json!({ "operations": operations })).await.problem(422),
        "VALIDATION_ERROR"
    );
    assert_eq!(names(&app).await, [""; 0]);
    assert_eq!(
        app.admin().post(BATCH, json!({ "operations": [{ "op": "burn" }] })).await.problem(400),
        "BAD_JSON"
    );
    assert_eq!(app.admin().post(BATCH, json!({ "operations": [] })).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_record_is_put_by_its_external_id() {
    let app = TestApp::new().await;
    let put = |path: &'static str, body: Json| {
        let admin = app.admin();
        let method = trellis_http::axum::http::Method::PUT;
        async move { admin.send(method, path, Some("application/json"), body.to_string()).await }
    };
    let path = "/api/v1/accounts/by/external_id/erp%2042";
    let created = put(path, json!({ "name": "Mill", "country": "DE" })).await.expect(201);
    assert_eq!(created["external_id"], "erp 42");
    let changed = put(path, json!({ "name": "Mühle" })).await.expect(200);
    assert_eq!(
        (&changed["id"], &changed["name"], &changed["country"]),
        (&created["id"], &json!("Mühle"), &json!("DE"))
    );
    assert_eq!(
        put(path, json!({ "external_id": "other", "name": "x" })).await.problem(422),
        "VALIDATION_ERROR"
    );
    assert_eq!(put("/api/v1/accounts/by/name/x", json!({})).await.problem(400), "UNKNOWN_FIELD");
    assert_eq!(put("/api/v1/accounts/by/external_id/new", json!({})).await.problem(422), "VALIDATION_ERROR");
}

#[tokio::test]
async fn one_change_is_made_to_all_that_match() {
    let app = TestApp::new().await;
    for n in 0..450 {
        let country = if n % 3 == 0 { "DE" } else { "FR" };
        app.create("accounts", json!({ "name": format!("a{n}"), "country": country })).await;
    }
    let german = json!({ "field": "country", "op": "eq", "value": "DE" });
    let bulk = "/api/v1/accounts/bulk";
    let change = json!({ "filter": german, "set": { "country": "AT", "city": "Wien" } });
    let planned = app.admin().post("/api/v1/accounts/bulk?dry_run=true", change.clone()).await.expect(200);
    assert_eq!(planned, json!({ "matched": 150 }));
    let done = finished(&app, app.admin().post(bulk, change.clone()).await.expect(202)).await;
    assert_eq!((&done["kind"], &done["state"]), (&json!("bulk-edit"), &json!("succeeded")), "{done}");
    assert_eq!(
        done["result"],
        json!({ "matched": 150, "changed": 150, "unchanged": 0, "refused": 0, "errors": [] })
    );
    let again = finished(&app, app.admin().post(bulk, change).await.expect(202)).await;
    assert_eq!(again["result"]["matched"], 0);

    let french = json!({ "filter": { "field": "country", "op": "eq", "value": "FR" }, "delete": true });
    assert_eq!(
        finished(&app, app.admin().post(bulk, french).await.expect(202)).await["result"]["changed"],
        300
    );
    assert_eq!(names(&app).await.len(), 50);

    for wrong in [
        json!({ "filter": german }),
        json!({ "filter": german, "set": {} }),
        json!({ "filter": german, "set": { "name": 7 } }),
        json!({ "filter": german, "set": { "name": "x" }, "delete": true }),
    ] {
        assert_eq!(app.admin().post(bulk, wrong.clone()).await.problem(422), "VALIDATION_ERROR", "{wrong}");
    }
    let unknown = json!({ "filter": { "field": "nonsense", "op": "eq", "value": 1 }, "delete": true });
    assert_eq!(app.admin().post(bulk, unknown).await.problem(400), "UNKNOWN_FIELD");
}

async fn finished(app: &TestApp, job: Json) -> Json {
    let id = trellis_model::RecordId::parse(job["id"].as_str().unwrap()).unwrap();
    app.engine.job_wait(id).await.unwrap();
    app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200)
}
