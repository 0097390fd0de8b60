//! The life of a plugin over HTTP: review, upgrade, history, roll back, removal.

use axum::http::Method;
use serde_json::json;
use trellis_test_support::TestApp;

use crate::plugins::{finished, retail_rfm};

const PATH: &str = "/api/v1/plugins";

/// The first-party plugin as another version: the manifest is appended anew, since nothing else of the file depends on it.
fn as_version(version: &str) -> Vec<u8> {
    let original = b"version = \"1.0.0\"";
    let mut component = retail_rfm();
    let place = component.windows(original.len()).position(|bytes| bytes == original).unwrap();
    let changed = format!("version = \"{version}\"");
    assert_eq!(changed.len(), original.len());
    component[place..place + original.len()].copy_from_slice(changed.as_bytes());
    component
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_is_reviewed_upgraded_rolled_back_and_removed() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let path = format!("{PATH}/retail-rfm");
    let upload = async |wasm: Vec<u8>| admin.send(Method::POST, PATH, Some("application/wasm"), wasm).await;
    let installed = upload(retail_rfm()).await.expect(201);
    let review = &installed["review"];
    assert_eq!(
        (&review["version"], &review["diff"], &review["tests"]["passed"]),
        (&json!("1.0.0"), &json!(null), &json!(true))
    );
    let read = &review["requests"][0];
    assert_eq!((&read["way"], &read["object"]["label"]["zh-CN"]), (&json!("data"), &json!("订单")));
    assert!(
        read["fields"].as_array().unwrap().iter().all(|field| field["label"]["en"].is_string()),
        "{read}"
    );
    assert_eq!(review["limits"]["batch"]["memory_bytes_max"], 64 << 20);
    assert!(review["outputs"].as_array().unwrap().iter().any(|output| output["kind"] == "segmentation"));

    let enable = json!({ "config": { "groups": 3 }, "reason": "first try" });
    admin.post(&format!("{path}/enable"), enable).await.expect(200);
    assert_eq!(upload(as_version("1.0.1")).await.expect(201)["version"], "1.0.0");
    let review = admin.get(&format!("{path}/versions/1.0.1/review")).await.expect(200);
    assert_eq!(
        (&review["diff"]["from"], &review["diff"]["requests"]["added"]),
        (&json!("1.0.0"), &json!([]))
    );
    let upgraded = admin.post(&format!("{path}/upgrade"), json!({ "version": "1.0.1" })).await.expect(200);
    assert_eq!((&upgraded["version"], &upgraded["previous"]), (&json!("1.0.1"), &json!("1.0.0")));
    assert_eq!(upgraded["settings"]["config"]["groups"], 3);
    let history = admin.get(&format!("{path}/switches")).await.expect(200);
    assert_eq!(
        (&history["data"][0]["kind"], &history["data"][1]["reason"]),
        (&json!("upgraded"), &json!("first try"))
    );
    assert_eq!(
        (&history["data"][0]["current"], &history["data"][1]["previous"]),
        (&json!(true), &json!(true))
    );

    let remove = async |path: &str| admin.delete(path).await;
    assert_eq!(remove(&format!("{path}/versions/1.0.0")).await.problem(409), "PLUGIN_IN_USE");
    let back = admin.post(&format!("{path}/roll-back"), json!({})).await.expect(200);
    assert_eq!((&back["version"], &back["serving_run"]), (&json!("1.0.0"), &json!(null)));
    assert_eq!(admin.post(&format!("{path}/roll-back"), json!({})).await.problem(409), "CONFLICT");
    remove(&format!("{path}/versions/1.0.1")).await.expect(204);
    assert_eq!(remove(&path).await.problem(409), "PLUGIN_IN_USE");
    let removed = remove(&format!("{path}?force=true")).await.expect(200);
    assert_eq!(removed["rules_switched_off"], 0);
    assert_eq!(admin.get(&path).await.problem(404), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_it_is_absent_is_set_shown_and_done() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let path = format!("{PATH}/retail-rfm");
    let ordering = async |name: &str, day: &str, amount: &str| {
        let account = admin.post("/api/v1/accounts", json!({ "name": name })).await.expect(201);
        let amount = json!({ "amount": amount, "currency": "USD" });
        let order = json!({ "account": account["id"], "ordered_on": day, "amount": amount });
        admin.post("/api/v1/orders", order).await.expect(201);
        account
    };
    let account = ordering("Acme", "2026-01-05", "10.00").await;
    // Where all are alike, nobody has a class.
    ordering("Globex", "2025-01-05", "5.00").await;
    let installed = admin.send(Method::POST, PATH, Some("application/wasm"), retail_rfm()).await.expect(201);
    let said = &installed["review"]["absent"][0];
    assert_eq!(
        (&said["for"], &said["policy"], &said["from"]),
        (&json!("segmentation"), &json!("keep"), &json!("plugin"))
    );
    assert!(said["text"]["zh-CN"].as_str().unwrap().contains("已过期"), "{said}");
    assert!(
        installed["review"]["requests"].as_array().unwrap().iter().all(|asked| asked["personal"] == false)
    );
    let enable = async |body: serde_json::Value| admin.post(&format!("{path}/enable"), body).await;
    for (body, field) in [
        (json!({ "absent": { "segmentation": "hide" } }), "absent.segmentation"),
        (json!({ "absent": { "search": "keep" } }), "absent.search"),
        (json!({ "on_quarantine": "remove" }), "on_quarantine"),
    ] {
        let refused = enable(body).await;
        assert_eq!(refused.json()["errors"][0]["field"], field);
        assert_eq!(refused.problem(422), "VALIDATION_ERROR");
    }
    let foreign = enable(json!({ "absent": { "record-hook": "accept" } })).await;
    assert_eq!(foreign.problem(422), "PLUGIN_SETTINGS_INVALID");
    let schedule = json!({ "cron": "0 4 * * *" });
    let own =
        json!({ "absent": { "segmentation": "clear" }, "on_quarantine": "roll-back", "schedule": schedule });
    let enabled = enable(own).await.expect(200);
    assert_eq!(enabled["settings"]["absent"], json!({ "segmentation": "clear" }));
    assert_eq!(enabled["settings"]["on_quarantine"], "roll-back");
    assert_eq!(enabled["schedule"]["text"]["en"], "at 04:00 every day");
    assert!(enabled["schedule"]["next_run_at"].is_string(), "{}", enabled["schedule"]);
    assert_eq!(enabled["absent"][0]["from"], "settings");

    let job = admin.post(&format!("{path}/run"), json!({})).await.expect(202);
    assert_eq!(finished(&app, &job).await["state"], "succeeded");
    let value = async || {
        let id = account["id"].as_str().unwrap();
        let shown = admin.get(&format!("/api/v1/accounts/{id}?derived=true")).await.expect(200);
        let listed = admin.get("/api/v1/segmentations").await.expect(200);
        let rfm =
            listed["data"].as_array().unwrap().iter().find(|one| one["aliases"] == json!(["rfm"])).unwrap();
        let value = shown["segments"][rfm["name"].as_str().unwrap()].clone();
        (value, rfm["cleared"].clone(), rfm["stale"].clone())
    };
    let (there, ..) = value().await;
    assert!(there.is_string(), "{there}");
    let disabled = admin.post(&format!("{path}/disable"), json!({})).await.expect(200);
    assert_eq!(disabled["schedule"]["cron"], "0 4 * * *");
    let (cleared, is_cleared, is_stale) = value().await;
    assert_eq!((cleared.as_str(), is_cleared, is_stale), (None, json!(true), json!(true)));
    enable(json!({ "absent": { "segmentation": "keep" } })).await.expect(200);
    let (back, is_cleared, is_stale) = value().await;
    assert_eq!((back, is_cleared, is_stale), (there.clone(), json!(false), json!(false)));
    admin.post(&format!("{path}/disable"), json!({})).await.expect(200);
    let (kept, is_cleared, is_stale) = value().await;
    assert_eq!((kept, is_cleared, is_stale), (there, json!(false), json!(true)));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let path = format!("{PATH}/retail-rfm");
    for (address, body, status, code) in [
        ("upgrade", json!({}), 404, "NOT_FOUND"),
        ("upgrade", json!({ "version": "one" }), 422, "VALIDATION_ERROR"),
        ("upgrade", json!({ "grant": [] }), 400, "BAD_JSON"),
        ("upgrade", json!({ "reason": "x".repeat(501) }), 422, "VALIDATION_ERROR"),
        ("roll-back", json!({}), 404, "NOT_FOUND"),
        ("roll-back", json!({ "switch": "last" }), 400, "BAD_JSON"),
    ] {
        assert_eq!(admin.post(&format!("{path}/{address}"), body).await.problem(status), code, "{address}");
    }
    for address in ["switches", "versions/1.0.0/review", "versions/one/review"] {
        assert_eq!(admin.get(&format!("{path}/{address}")).await.problem(404), "NOT_FOUND", "{address}");
    }
    assert_eq!(app.anonymous().get(&format!("{path}/switches")).await.problem(401), "UNAUTHENTICATED");
}
