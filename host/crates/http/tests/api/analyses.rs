//! Questions that plugins answer, and models that they show.

use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::TestApp;

const PATH: &str = "/api/v1/plugins/every-interface";

/// The guest that offers every interface, as `cargo xtask plugins` builds it.
fn every_interface() -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        std::path::PathBuf::from,
    );
    let file = folder.join("every-interface.wasm");
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask plugins`", file.display()))
}

async fn enabled() -> TestApp {
    let app = TestApp::new().await;
    for number in 1..=4 {
        let account = app.create("accounts", json!({ "name": format!("Customer {number}") })).await;
        for day in 1..=number {
            let order = json!({
                "account": account["id"],
                "ordered_on": format!("1997-01-{day:02}"),
                "amount": { "amount": "10.00", "currency": "USD" },
            });
            app.create("orders", order).await;
        }
    }
    let admin = app.admin();
    admin
        .send(Method::POST, "/api/v1/plugins", Some("application/wasm"), every_interface())
        .await
        .expect(201);
    admin.post(&format!("{PATH}/enable"), json!({ "as_of": "1997-12-31" })).await.expect(200);
    app
}

async fn finished(app: &TestApp, job: &Json) -> Json {
    let id = job["id"].as_str().unwrap();
    app.engine.job_wait(RecordId::parse(id).unwrap()).await.unwrap();
    let job = app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200);
    assert_eq!(job["state"], "succeeded", "{job}");
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_listed_asked_and_their_answers_read() {
    let app = enabled().await;
    let admin = app.admin();
    let analyses = admin.get(&format!("{PATH}/analyses")).await.expect(200);
    assert_eq!(
        (&analyses["data"][0]["name"], &analyses["data"][0]["dataset"]),
        (&json!("orders"), &json!("customers"))
    );
    assert_eq!(analyses["data"][1]["label"], json!({ "en": "The day", "zh-CN": "日期" }));
    let path = format!("{PATH}/analyses/orders");
    assert_eq!(admin.get(&format!("{path}/results")).await.expect(200)["data"], json!([]));

    let job = admin.post(&path, json!({ "parameters": { "at_least": 2 } })).await.expect(202);
    assert_eq!(job["kind"], "plugin-analysis");
    let job = finished(&app, &job).await;
    let results = admin.get(&format!("{path}/results")).await.expect(200);
    let result = &results["data"][0];
    assert_eq!((&result["job"], &result["rows"], result.get("report")), (&job["id"], &json!(4), None));
    assert_eq!((&result["id"], &result["personal"]), (&job["result"]["result"], &json!(false)));
    assert!(result["log_until"].as_u64() >= result["log"].as_u64(), "{result}");
    assert_eq!((&result["as_of"], &result["parameters"]), (&json!("1997-12-31"), &json!({ "at_least": 2 })));
    assert!(result["answered_at"].is_string() && result["asked_by"]["kind"].is_string(), "{result}");
    let answer = admin.get(&format!("{path}/results/{}", result["id"].as_str().unwrap())).await.expect(200);
    let panel = &answer["report"]["panels"][0];
    assert_eq!(
        panel["drawing"],
        json!({ "kind": "bar", "x": "orders", "y": ["customers"], "series": null, "intervals": [] })
    );
    assert_eq!(
        (&panel["columns"][0]["values"], &panel["columns"][0]["type"]),
        (&json!([2, 3, 4]), &json!("integer"))
    );
    let earlier = admin.post(&path, json!({ "as_of": "1997-01-02" })).await.expect(202);
    let earlier = finished(&app, &earlier).await;
    let second = &earlier["result"]["result"];
    let page = admin.get(&format!("{path}/results?limit=1")).await.expect(200);
    assert_eq!((&page["data"][0]["id"], &page["page"]["next"]), (second, second));

    // A customer asks for erasure.
    let one = format!("{path}/results/{}", second.as_str().unwrap());
    assert_eq!(app.anonymous().delete(&one).await.problem(401), "UNAUTHENTICATED");
    let colleague = app.user("colleague").await;
    for path in [&one, &format!("{path}/results")] {
        assert_eq!(colleague.delete(path).await.problem(403), "FORBIDDEN", "{path}");
    }
    assert_eq!(admin.delete(&one).await.status, 204);
    assert_eq!(admin.delete(&one).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get(&one).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.delete(&format!("{path}/results")).await.expect(200), json!({ "deleted": 1 }));
    assert_eq!(admin.get(&format!("{path}/results")).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() {
    let app = enabled().await;
    let admin = app.admin();
    let path = format!("{PATH}/analyses/orders");
    let refused = admin.post(&path, json!({ "parameters": { "at_least": -1, "more": 1 } })).await;
    let problem = refused.json();
    let errors = problem["errors"].as_array().unwrap();
    let mut fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["parameters.at_least", "parameters.more"], "{problem}");
    assert_eq!(refused.problem(422), "VALIDATION_ERROR");
    let refused = app.admin().with("accept-language", "zh-CN");
    let refused = refused.post(&path, json!({ "parameters": { "at_least": -1 } })).await.json();
    assert_eq!(refused["errors"][0]["message"], "-1 不符合 minimum 0 的限制", "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("参数无效"), "{refused}");
    assert_eq!(admin.post(&path, json!({ "as_of": "soon" })).await.status, 422);
    assert_eq!(admin.post(&path, json!({ "since": 1 })).await.problem(400), "BAD_JSON");
    for missing in ["analyses/Secrets/results", "analyses/orders/results/none", "analyses/%00/results"] {
        assert_eq!(admin.get(&format!("{PATH}/{missing}")).await.problem(404), "NOT_FOUND", "{missing}");
    }
    let secrets = admin.post(&format!("{PATH}/analyses/secrets"), json!({})).await;
    assert_eq!(secrets.problem(404), "NOT_FOUND");
    let nobody = app.anonymous().post(&path, json!({})).await;
    assert_eq!(nobody.problem(401), "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_shown() {
    let app = enabled().await;
    let admin = app.admin();
    assert_eq!(admin.get(&format!("{PATH}/report")).await.problem(404), "NOT_FOUND", "it was never run");
    let job = admin.post(&format!("{PATH}/run"), json!({})).await.expect(202);
    finished(&app, &job).await;
    let report = admin.get(&format!("{PATH}/report")).await.expect(200);
    assert_eq!((&report["learned_by"], &report["model"]), (&json!("segmentation"), &json!(1)));
    assert_eq!(report["interfaces"], json!(["segmentation", "scoring"]));
    assert_eq!(report["metrics"][0]["name"], "bytes");
    let scoring = admin.get(&format!("{PATH}/models/1/report?learned_by=scoring")).await.expect(200);
    assert_eq!(scoring["summary"]["zh-CN"], "由打分学习");
    assert_eq!(admin.get(&format!("{PATH}/models/1/report?learned_by=x")).await.status, 400);
    assert_eq!(admin.get(&format!("{PATH}/models/9/report")).await.problem(404), "NOT_FOUND");
}
