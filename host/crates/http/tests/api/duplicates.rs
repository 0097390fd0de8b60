//! Warnings of a save, the queue, and merges, as a client sees them.

use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::TestApp;

async fn finished(app: &TestApp, job: &Json) -> Json {
    let id = job["id"].as_str().unwrap();
    app.engine.job_wait(RecordId::parse(id).unwrap()).await.unwrap();
    app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200)
}

fn id(record: &Json) -> String {
    record["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_looks_like_another_is_saved_with_a_warning() {
    let app = TestApp::new().await;
    let first = app.create("accounts", json!({ "name": "Acme Ltd" })).await;
    assert_eq!(first["warnings"], Json::Null);
    let second = app.admin().post("/api/v1/accounts", json!({ "name": "ACME GmbH" })).await.expect(201);
    let warning = &second["warnings"][0];
    assert_eq!(warning["code"], "DUPLICATE");
    let expected =
        json!([{ "id": id(&first), "rule": "company_name", "score": 1.0, "matched_on": ["name"] }]);
    assert_eq!(warning["duplicates"], expected);

    let skip = |value: &str| app.admin().with("x-skip-duplicate-check", value);
    let third = skip("true").post("/api/v1/accounts", json!({ "name": "Acme" })).await.expect(201);
    assert_eq!(third["warnings"], Json::Null);
    assert_eq!(
        skip("yes").post("/api/v1/accounts", json!({ "name": "Acme" })).await.problem(400),
        "BAD_HEADER"
    );

    let path = format!("/api/v1/accounts/{}", id(&third));
    let changed = app.admin().patch(&path, json!({ "city": "Berlin" })).await.expect(200);
    assert_eq!(changed["warnings"], Json::Null, "nothing that is compared was changed");
    let changed = app.admin().patch(&path, json!({ "name": "Acme Inc." })).await.expect(200);
    assert_eq!(changed["warnings"][0]["duplicates"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_a_record_would_look_like_can_be_asked() {
    let app = TestApp::new().await;
    let zhang = app.create("contacts", json!({ "name": "张伟", "mobile": "13800138000" })).await;
    let check = async |body: Json| app.admin().post("/api/v1/contacts/duplicates/check", body).await;
    let fields = json!({ "name": "Zhang Wei", "mobile": "+86 138 0013 8000" });
    let found = check(json!({ "fields": fields })).await.expect(200);
    assert_eq!(found["data"][0]["id"], zhang["id"]);
    assert_eq!(found["data"][0]["matched_on"], json!(["name", "mobile"]));
    assert_eq!((&found["compared"], &found["skipped_blocks"]), (&json!(1), &json!([])));
    assert_eq!(check(json!({ "id": zhang["id"] })).await.expect(200)["data"], json!([]));
    assert_eq!(check(json!({})).await.problem(422), "VALIDATION_ERROR");
    assert_eq!(check(json!({ "id": "x" })).await.problem(404), "NOT_FOUND");
    assert_eq!(check(json!({ "fields": { "nothing": 1 } })).await.problem(422), "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_fills_the_queue_and_keeps_what_was_decided() {
    let app = TestApp::new().await;
    let skip = app.admin().with("x-skip-duplicate-check", "true");
    for name in ["Acme Ltd", "ACME", "Acme GmbH", "Other"] {
        skip.post("/api/v1/accounts", json!({ "name": name })).await.expect(201);
    }
    let scan = async || {
        let job =
            app.admin().post("/api/v1/accounts/duplicates/scan", json!({ "rule": "company_name" })).await;
        let job = finished(&app, &job.expect(202)).await;
        assert_eq!(job["state"], "succeeded", "{job}");
        job["result"].clone()
    };
    let result = scan().await;
    let of = |result: &Json| {
        ["compared", "pairs", "created", "unchanged"].map(|key| result[key].as_u64().unwrap())
    };
    assert_eq!(of(&result), [3, 3, 3, 0]);
    assert_eq!(result["complete"], true);
    let queue = app.admin().get("/api/v1/duplicate-pairs?filter[state]=open").await.expect(200);
    let pairs = queue["data"].as_array().unwrap();
    assert_eq!(pairs.len(), 3);
    assert!(pairs.iter().all(|pair| pair["record_a"].as_str() < pair["record_b"].as_str()));

    let path = format!("/api/v1/duplicate-pairs/{}", id(&pairs[0]));
    app.admin().patch(&path, json!({ "state": "dismissed" })).await.expect(200);
    assert_eq!(of(&scan().await), [3, 3, 0, 3]);
    assert_eq!(app.admin().get(&path).await.expect(200)["state"], "dismissed");
    let wrong = app.admin().post("/api/v1/accounts/duplicates/scan", json!({ "rule": "nothing" })).await;
    assert_eq!(wrong.problem(400), "BAD_QUERY");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merged_records_lead_to_the_winner() {
    let app = TestApp::new().await;
    let skip = app.admin().with("x-skip-duplicate-check", "true");
    let winner = skip.post("/api/v1/accounts", json!({ "name": "Acme" })).await.expect(201);
    let loser = skip
        .post("/api/v1/accounts", json!({ "name": "Acme Ltd", "phone": "030 1234567" }))
        .await
        .expect(201);
    let contact = app.create("contacts", json!({ "name": "Ann", "account": loser["id"] })).await;
    app.admin().post("/api/v1/accounts/duplicates/scan", json!({})).await.expect(202);

    let body = json!({ "winner": winner["id"], "losers": [loser["id"]], "choices": { "name": loser["id"] } });
    let plan = app.admin().post("/api/v1/accounts/merge?dry_run=true", body.clone()).await.expect(200);
    let values = json!([
        { "field": "name", "value": "Acme Ltd", "from": loser["id"] },
        { "field": "phone", "value": "030 1234567", "from": loser["id"] },
    ]);
    assert_eq!(plan["values"], values);
    assert_eq!(
        plan["references"],
        json!([{ "object": "contact", "field": "account", "count": 1, "at_least": false }])
    );

    let job = app.admin().post("/api/v1/accounts/merge", body).await.expect(202);
    let job = finished(&app, &job).await;
    assert_eq!(
        (&job["kind"], &job["state"], &job["result"]["references"]),
        (&json!("merge"), &json!("succeeded"), &json!(1))
    );

    let old = format!("/api/v1/accounts/{}", id(&loser));
    let answer = app.admin().get(&old).await;
    assert_eq!(answer.header("location"), format!("/api/v1/accounts/{}", id(&winner)));
    assert_eq!(answer.expect(301)["merged_into"], winner["id"]);
    let now = app.admin().get(&format!("/api/v1/accounts/{}", id(&winner))).await.expect(200);
    assert_eq!((&now["name"], &now["phone"]), (&json!("Acme Ltd"), &json!("030 1234567")));
    let contact = app.admin().get(&format!("/api/v1/contacts/{}", id(&contact))).await.expect(200);
    assert_eq!(contact["account"], winner["id"]);

    let problem = app.admin().patch(&old, json!({ "name": "x" })).await.expect(409);
    assert_eq!((&problem["code"], &problem["merged_into"]), (&json!("MERGED"), &winner["id"]));
    assert_eq!(app.admin().send(Method::DELETE, &old, None, "").await.problem(409), "MERGED");
    // Restored, it is a record of its own again.
    app.admin().post(&format!("{old}/restore"), json!({})).await.expect(200);
    app.admin().get(&old).await.expect(200);
}

#[tokio::test]
async fn a_merge_that_cannot_be_is_refused_before_there_is_a_job() {
    let app = TestApp::new().await;
    let account = app.create("accounts", json!({ "name": "Acme" })).await;
    let merge = async |body: Json| app.admin().post("/api/v1/accounts/merge", body).await;
    let missing = "01939d4c-7c3a-7b6e-8000-000000000001";
    assert_eq!(
        merge(json!({ "winner": account["id"], "losers": [] })).await.problem(422),
        "VALIDATION_ERROR"
    );
    assert_eq!(
        merge(json!({ "winner": account["id"], "losers": [missing] })).await.problem(404),
        "NOT_FOUND"
    );
    assert_eq!(merge(json!({ "winner": account["id"], "losers": ["x"] })).await.problem(404), "NOT_FOUND");
    assert_eq!(merge(json!({ "losers": [missing] })).await.problem(400), "BAD_JSON");
    assert_eq!(
        merge(json!({ "winner": account["id"], "losers": [account["id"]] })).await.problem(422),
        "VALIDATION_ERROR"
    );
}
