use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_http::Config;
use trellis_model::RecordId;
use trellis_test_support::{TestApp, TestAppBuilder};

const PATH: &str = "/api/v1/plugins";

#[tokio::test]
async fn what_is_no_plugin_is_refused() {
    let app = TestAppBuilder {
        http: Config { plugin_bytes_max: 1_000, ..Config::default() },
        ..TestAppBuilder::default()
    }
    .start()
    .await;
    let admin = app.admin();
    assert_eq!(
        admin.send(Method::POST, PATH, Some("application/wasm"), "not wasm").await.problem(422),
        "PLUGIN_REFUSED"
    );
    assert_eq!(
        admin.send(Method::POST, PATH, Some("text/plain"), "x").await.problem(415),
        "UNSUPPORTED_MEDIA_TYPE"
    );
    let large = admin.send(Method::POST, PATH, Some("application/wasm"), vec![0; 1_001]).await;
    assert_eq!(large.problem(413), "BODY_TOO_LARGE");
    assert_eq!(admin.get(PATH).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for id in ["retail-rfm", "No_Name"] {
        let path = format!("{PATH}/{id}");
        assert_eq!(admin.get(&path).await.problem(404), "NOT_FOUND");
        for action in ["enable", "disable", "run"] {
            assert_eq!(admin.post(&format!("{path}/{action}"), json!({})).await.problem(404), "NOT_FOUND");
        }
    }
    let path = format!("{PATH}/retail-rfm");
    for (action, body, status, code) in [
        ("enable", json!({ "as_of": "yesterday" }), 422, "VALIDATION_ERROR"),
        ("enable", json!({ "version": "one" }), 422, "VALIDATION_ERROR"),
        ("enable", json!({ "asof": "now" }), 400, "BAD_JSON"),
        ("run", json!({ "model": "best" }), 422, "VALIDATION_ERROR"),
    ] {
        assert_eq!(admin.post(&format!("{path}/{action}"), body).await.problem(status), code);
    }
    let job = "01939d4c-7c3a-7b6e-8000-000000000001";
    assert_eq!(admin.get(&format!("/api/v1/jobs/{job}")).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.post(&format!("/api/v1/jobs/{job}/cancel"), json!({})).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get("/api/v1/segments/rfm/lost/members").await.problem(404), "NOT_FOUND");
    let explanation = format!("/api/v1/segmentations/rfm/explanations/{job}");
    assert_eq!(admin.get(&explanation).await.problem(404), "NOT_FOUND");
    assert_eq!(app.anonymous().get(&explanation).await.problem(401), "UNAUTHENTICATED");
    assert_eq!(admin.get("/api/v1/segmentations").await.expect(200)["data"], json!([]));
    assert_eq!(admin.get("/api/v1/segments").await.expect(200)["data"], json!([]));
}

/// The first-party plugin, as `cargo xtask plugins` builds it.
pub(crate) fn retail_rfm() -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        std::path::PathBuf::from,
    );
    let file = folder.join("retail-rfm.wasm");
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask plugins`", file.display()))
}

pub(crate) async fn finished(app: &TestApp, job: &Json) -> Json {
    let id = job["id"].as_str().unwrap();
    app.engine.job_wait(RecordId::parse(id).unwrap()).await.unwrap();
    app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_segments_customers_and_the_segments_can_be_read() {
    let app = TestApp::new().await;
    let admin = app.admin();
    for number in 1..=10 {
        let account = app.create("accounts", json!({ "name": format!("Customer {number}") })).await;
        for order in 0..number {
            let amount = json!({ "amount": format!("{}.00", number * 10), "currency": "USD" });
            let day = format!("1997-0{}-1{order}", 1 + number % 9);
            app.create("orders", json!({ "account": account["id"], "ordered_on": day, "amount": amount }))
                .await;
        }
    }
    let installed = admin.send(Method::POST, PATH, Some("application/wasm"), retail_rfm()).await.expect(201);
    assert_eq!((&installed["id"], &installed["state"]), (&json!("retail-rfm"), &json!("installed")));
    let path = format!("{PATH}/retail-rfm");
    assert_eq!(admin.post(&format!("{path}/run"), json!({})).await.problem(409), "PLUGIN_NOT_ENABLED");
    let wrong = admin.post(&format!("{path}/enable"), json!({ "config": { "nonsense": 1 } })).await;
    assert_eq!(wrong.problem(422), "PLUGIN_SETTINGS_INVALID");
    let enabled = admin.post(&format!("{path}/enable"), json!({ "as_of": "1997-12-31" })).await.expect(200);
    assert_eq!((&enabled["state"], &enabled["settings"]["as_of"]), (&json!("enabled"), &json!("1997-12-31")));

    let job = admin.post(&format!("{path}/run"), json!({})).await.expect(202);
    let job = finished(&app, &job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let segmentations = admin.get("/api/v1/segmentations").await.expect(200);
    let rfm = segmentations["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["aliases"] == json!(["rfm"]))
        .unwrap()
        .clone();
    let values = rfm["values"].as_array().unwrap();
    assert_eq!(values.iter().map(|value| value["count"].as_u64().unwrap()).sum::<u64>(), 10);

    let value = values.iter().find(|value| value["count"] != 0).unwrap();
    let members = format!(
        "/api/v1/segments/rfm/{}/members?expand=record&fields=name&limit=1",
        value["value"].as_str().unwrap()
    );
    let page = admin.get(&members).await.expect(200);
    let member = &page["data"][0];
    assert_eq!((&page["total"], &member["record"]["id"]), (&value["count"], &member["id"]));
    let one = admin
        .get(&format!("/api/v1/accounts/{}?derived=true", member["id"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(one["segments"][rfm["name"].as_str().unwrap()], value["value"]);
    let filtered =
        format!("/api/v1/accounts?filter[segment.rfm]={}&count=exact", value["value"].as_str().unwrap());
    assert_eq!(admin.get(&filtered).await.expect(200)["total"], value["count"]);
    assert_eq!(admin.get("/api/v1/segments/rfm/nobody/members").await.problem(404), "NOT_FOUND");
    let segments = admin.get("/api/v1/segments?limit=200&count=exact").await.expect(200);
    let id = segments["data"][0]["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/api/v1/segments/{id}")).await.expect(200)["id"], *id);

    check_explanation(&app, rfm["name"].as_str().unwrap(), member["id"].as_str().unwrap(), &value["value"])
        .await;

    check_transitions(&app, &path).await;

    let page = admin.get(&members).await.expect(200);
    let disabled = admin.post(&format!("{path}/disable"), json!({})).await.expect(200);
    assert_eq!(disabled["state"], "disabled");
    assert_eq!(admin.get(&members).await.expect(200), page, "what a plugin put out stays readable");
}

/// Who went to another segment by the second run is told, with where from.
async fn check_transitions(app: &TestApp, path: &str) {
    let transitions = "/api/v1/segmentations/rfm/transitions";
    let admin = app.admin();
    let first = admin.get(transitions).await.expect(200);
    assert_eq!((&first["previous"], &first["data"]), (&Json::Null, &json!([])));
    let new = app.create("accounts", json!({ "name": "Newcomer" })).await;
    for day in 10..=29 {
        let amount = json!({ "amount": "900.00", "currency": "USD" });
        let day = format!("1997-12-{day}");
        app.create("orders", json!({ "account": new["id"], "ordered_on": day, "amount": amount })).await;
    }
    let job = admin.post(&format!("{path}/run"), json!({})).await.expect(202);
    assert_eq!(finished(app, &job).await["state"], "succeeded");
    let page = admin.get(&format!("{transitions}?fields=name&limit=200")).await.expect(200);
    assert!(page["previous"]["run"].is_string(), "{page}");
    let moved = page["data"].as_array().unwrap();
    let came = moved.iter().find(|one| one["id"] == new["id"]).unwrap();
    assert_eq!((&came["before"], &came["record"]["name"]), (&Json::Null, &json!("Newcomer")));
    let counted: u64 =
        page["counts"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!((page["total"].as_u64(), moved.len() as u64), (Some(counted), counted));
    let entered = format!("{transitions}?entered={}", came["value"].as_str().unwrap());
    let entered = admin.get(&entered).await.expect(200);
    assert!(entered["data"].as_array().unwrap().iter().all(|one| one["value"] == came["value"]), "{entered}");
    assert!(entered["data"].as_array().unwrap().iter().any(|one| one["id"] == new["id"]), "{entered}");
    assert_eq!(admin.get(&format!("{transitions}?left=nobody")).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get("/api/v1/segmentations/nothing/transitions").await.problem(404), "NOT_FOUND");
}

/// A reason of `retail-rfm` is a sentence in each language; what cannot be explained is not found, and says why.
async fn check_explanation(app: &TestApp, name: &str, member: &str, value: &Json) {
    let path =
        |segmentation: &str, id: &str| format!("/api/v1/segmentations/{segmentation}/explanations/{id}");
    let admin = app.admin();
    let (by_alias, by_name) = (path("rfm", member), path(name, member));
    let english = admin.get(&by_alias).await.expect(200);
    assert_eq!(&english["value"], value);
    assert_eq!(english, admin.get(&by_name).await.expect(200));
    let chinese = app.admin().with("accept-language", "zh-CN").get(&by_alias).await.expect(200);
    assert_eq!((&english["run"], &english["value"]), (&chinese["run"], &chinese["value"]));
    let (english, chinese) = (english["reasons"].as_array().unwrap(), chinese["reasons"].as_array().unwrap());
    assert!((1..=5).contains(&english.len()) && english.len() == chinese.len(), "{english:?}");
    for (english, chinese) in english.iter().zip(chinese) {
        assert_eq!((&english["code"], &english["weight"]), (&chinese["code"], &chinese["weight"]));
        assert!(english["text"].as_str().unwrap().is_ascii(), "{english}");
        assert!(!chinese["text"].as_str().unwrap().is_ascii(), "{chinese}");
    }
    let nobody = "01939d4c-7c3a-7b6e-8000-000000000001";
    assert_eq!(admin.get(&path("rfm", nobody)).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get(&path("rfm", "nobody")).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get(&path("no-such", member)).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get(&format!("{by_alias}?deep=true")).await.problem(400), "BAD_QUERY");
    let stranger = app.user("explains-nothing").await;
    assert_eq!(stranger.get(&by_alias).await.problem(404), "NOT_FOUND");
}
