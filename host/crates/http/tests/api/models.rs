//! What plugins learned, and when they run by themselves.

use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::TestApp;

const PATH: &str = "/api/v1/plugins/retail-rfm";

/// The first-party plugin, as `cargo xtask plugins` builds it.
fn retail_rfm() -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        std::path::PathBuf::from,
    );
    let file = folder.join("retail-rfm.wasm");
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask plugins`", file.display()))
}

async fn enabled(settings: Json) -> TestApp {
    let app = TestApp::new().await;
    let admin = app.admin();
    for number in 1..=6 {
        let account = app.create("accounts", json!({ "name": format!("Customer {number}") })).await;
        let amount = json!({ "amount": format!("{}.00", number * 10), "currency": "USD" });
        let order =
            json!({ "account": account["id"], "ordered_on": format!("1997-0{number}-11"), "amount": amount });
        app.create("orders", order).await;
    }
    admin.send(Method::POST, "/api/v1/plugins", Some("application/wasm"), retail_rfm()).await.expect(201);
    admin.post(&format!("{PATH}/enable"), settings).await.expect(200);
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
async fn models_are_fitted_listed_pinned_and_gone_back_to() {
    let app = enabled(json!({ "as_of": "1997-12-31" })).await;
    let admin = app.admin();
    let job = admin.post(&format!("{PATH}/fit"), json!({})).await.expect(202);
    assert_eq!(job["kind"], "plugin-fit");
    assert_eq!(finished(&app, &job).await["result"]["model"], 1);
    let job = admin.post(&format!("{PATH}/fit"), json!({ "as_of": "1997-04-30" })).await.expect(202);
    finished(&app, &job).await;

    let page = admin.get(&format!("{PATH}/models?limit=1")).await.expect(200);
    assert_eq!((&page["data"][0]["model"], &page["page"]["next"]), (&json!(2), &json!("2")));
    let page = admin.get(&format!("{PATH}/models?limit=1&after=2")).await.expect(200);
    assert_eq!((&page["data"][0]["model"], &page["page"]["next"]), (&json!(1), &json!(null)));
    let model = admin.get(&format!("{PATH}/models/2")).await.expect(200);
    assert_eq!((&model["as_of"], &model["customers"]), (&json!("1997-04-30"), &json!(4)));
    let about = &model["about"]["segmentation"];
    assert!(about["summary"]["zh-CN"].as_str().is_some_and(|text| !text.is_empty()), "{about}");
    let standing = |model: &Json| (model["kept"].clone(), model["pinned"].clone(), model["in_use"].clone());
    assert_eq!(standing(&model), (json!(true), json!(false), json!(false)));

    let job = admin.post(&format!("{PATH}/models/2/activate"), json!({})).await.expect(202);
    assert_eq!(finished(&app, &job).await["result"]["model"], 2);
    let pinned = admin.post(&format!("{PATH}/models/1/pin"), json!({})).await.expect(200);
    assert_eq!(finished(&app, &pinned["job"]).await["result"]["model"], 1);
    let refused = admin.post(&format!("{PATH}/run"), json!({ "model": "fit" })).await;
    assert_eq!(refused.problem(409), "MODEL_PINNED");
    let refused = admin.post(&format!("{PATH}/models/2/activate"), json!({})).await;
    assert_eq!(refused.problem(409), "MODEL_PINNED");
    let model = admin.send(Method::DELETE, &format!("{PATH}/models/1/pin"), None, "").await.expect(200);
    assert_eq!(standing(&model), (json!(true), json!(false), json!(true)));
    let job = admin.post(&format!("{PATH}/run"), json!({ "model": 2 })).await.expect(202);
    assert_eq!(finished(&app, &job).await["result"]["model"], 2);
    let runs = admin.get(&format!("{PATH}/runs?limit=1")).await.expect(200);
    assert_eq!(runs["data"][0]["model"], 2);
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let app = enabled(json!({})).await;
    let admin = app.admin();
    for path in ["models/1", "models/none", "models/99999999999"] {
        assert_eq!(admin.get(&format!("{PATH}/{path}")).await.problem(404), "NOT_FOUND", "{path}");
    }
    for action in ["pin", "activate"] {
        let refused = admin.post(&format!("{PATH}/models/7/{action}"), json!({})).await;
        assert_eq!(refused.problem(404), "NOT_FOUND", "{action}");
    }
    assert_eq!(admin.get(&format!("{PATH}/models?after=x")).await.status, 400);
    assert_eq!(app.anonymous().get(&format!("{PATH}/models")).await.problem(401), "UNAUTHENTICATED");
    let run = admin.post(&format!("{PATH}/run"), json!({ "model": -1 })).await;
    assert_eq!(run.problem(422), "VALIDATION_ERROR");
    for schedule in [
        json!({ "cron": "every night" }),
        json!({ "cron": "0 3 * * *", "model": "best" }),
        json!({ "cron": "0 3 * * *", "off": true }),
        json!({}),
    ] {
        let refused = admin.post(&format!("{PATH}/enable"), json!({ "schedule": schedule })).await;
        assert_eq!(refused.problem(422), "VALIDATION_ERROR", "{schedule}");
    }
    let often = json!({ "schedule": { "cron": "* * * * *" } });
    assert_eq!(admin.post(&format!("{PATH}/enable"), often).await.problem(422), "PLUGIN_SETTINGS_INVALID");
}

#[tokio::test]
async fn a_schedule_is_told_with_the_next_run() {
    let app = enabled(json!({ "schedule": { "cron": "0 3 * * *", "model": "fit" } })).await;
    let plugin = app.admin().get(PATH).await.expect(200);
    let schedule = &plugin["schedule"];
    assert_eq!(
        (&schedule["from"], &schedule["cron"], &schedule["model"]),
        (&json!("settings"), &json!("0 3 * * *"), &json!("fit"))
    );
    assert!(schedule["next_run_at"].as_str().is_some_and(|time| time.ends_with("T03:00:00Z")), "{schedule}");
    assert_eq!(
        plugin["settings"]["schedule"],
        json!({ "cron": "0 3 * * *", "model": "fit", "analyses": [] })
    );
    app.admin().post(&format!("{PATH}/enable"), json!({ "schedule": { "off": true } })).await.expect(200);
    let off = app.admin().get(PATH).await.expect(200);
    assert_eq!((&off["schedule"]["cron"], &off["schedule"]["next_run_at"]), (&json!(null), &json!(null)));
}
