//! The schema over HTTP: changed by an administrator, seen by everybody.

use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::TestApp;

fn label(text: &str) -> Json {
    json!({ "en": text, "zh-CN": text })
}

fn machine() -> Json {
    json!({
        "name": "machine", "plural": "machines", "label": label("Machine"), "plural_label": label("Machines"), "title": "name",
        "fields": [
            { "name": "name", "label": label("Name"), "type": "text", "required": true },
            { "name": "serial", "label": label("Serial"), "type": "text", "characters_max": 50 },
        ],
    })
}

const OBJECTS: &str = "/api/v1/metadata/objects";

async fn wait_for_jobs(app: &TestApp, changed: &Json) -> Vec<String> {
    let mut states = Vec::new();
    for job in changed["jobs"].as_array().unwrap() {
        let id = RecordId::parse(job.as_str().unwrap()).unwrap();
        states.push(app.engine.job_wait(id).await.unwrap().state.as_str().to_owned());
    }
    states
}

#[tokio::test]
async fn an_object_is_added_changed_and_retired() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let created = admin.post(OBJECTS, machine()).await.expect(201);
    assert_eq!(created["object"]["url"], "/api/v1/machines");
    assert_eq!(admin.post(OBJECTS, machine()).await.problem(409), "CONFLICT");
    admin.post("/api/v1/machines", json!({ "name": "Drill", "serial": "A1" })).await.expect(201);

    let fields = format!("{OBJECTS}/machine/fields");
    let price = json!({ "name": "price", "label": label("Price"), "type": "number", "indexed": true });
    let added = admin.post(&fields, price.clone()).await.expect(201);
    assert_eq!(wait_for_jobs(&app, &added).await, ["succeeded"]);
    assert_eq!(admin.post(&fields, price).await.problem(409), "CONFLICT");
    let read = admin.get(&format!("{OBJECTS}/machine")).await;
    assert_eq!(read.header("etag"), format!("\"{}\"", app.records.schema().version()));
    let read = read.expect(200);
    assert_eq!((&read["building"], &read["fields"][2]["indexed"]), (&json!([]), &json!(true)));

    let of_serial = format!("{fields}/serial");
    let stale = admin.clone().with("if-match", "\"1\"");
    assert_eq!(stale.patch(&of_serial, json!({ "unique": true })).await.problem(412), "VERSION_CONFLICT");
    let planned =
        admin.patch(&format!("{of_serial}?dry_run=true"), json!({ "unique": true })).await.expect(200);
    assert_eq!((&planned["steps"][0]["kind"], &planned["refused"]), (&json!("add_index"), &json!([])));
    let changed = admin.patch(&of_serial, json!({ "unique": true })).await.expect(200);
    assert_eq!(wait_for_jobs(&app, &changed).await, ["succeeded"]);
    let twice = admin.post("/api/v1/machines", json!({ "name": "Saw", "serial": "A1" })).await;
    assert_eq!(twice.problem(409), "DUPLICATE");

    let shorter = json!({ "characters_max": 10 });
    assert_eq!(admin.patch(&of_serial, shorter.clone()).await.problem(409), "SCHEMA_UNCONFIRMED");
    admin.patch(&format!("{of_serial}?confirm_destructive=true"), shorter).await.expect(200);
    assert_eq!(admin.patch(&of_serial, json!({ "type": "number" })).await.problem(422), "SCHEMA_REFUSED");
    assert_eq!(admin.patch(&format!("{fields}/colour"), json!({})).await.problem(404), "NOT_FOUND");
    admin.delete(&of_serial).await.expect(200);
    let refused = admin.post("/api/v1/machines", json!({ "name": "Saw", "serial": "B" })).await;
    assert_eq!(refused.problem(422), "VALIDATION_ERROR");
    let relabelled =
        admin.patch(&format!("{OBJECTS}/machine"), json!({ "label": label("Device") })).await.expect(200);
    assert_eq!(relabelled["object"]["label"]["en"], "Device");
    let described = admin.get("/api/v1/openapi.json").await.expect(200);
    let schemas = &described["components"]["schemas"];
    assert_eq!(schemas["Machine"]["properties"]["serial"]["readOnly"], json!(true));
    assert!(schemas["MachineCreate"]["properties"].get("serial").is_none());

    admin.delete(&format!("{OBJECTS}/machine")).await.expect(200);
    assert_eq!(admin.post("/api/v1/machines", json!({ "name": "Saw" })).await.problem(422), "RETIRED");
    assert_eq!(admin.get("/api/v1/machines").await.expect(200)["data"].as_array().unwrap().len(), 1);
    assert_eq!(admin.delete(&format!("{OBJECTS}/nothing")).await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn only_an_administrator_changes_the_schema() {
    let app = TestApp::new().await;
    let sales = app.user("sales").await;
    assert_eq!(app.anonymous().post(OBJECTS, machine()).await.problem(401), "UNAUTHENTICATED");
    assert_eq!(sales.post(OBJECTS, machine()).await.problem(403), "FORBIDDEN");
    assert_eq!(sales.get("/api/v1/metadata/schema").await.problem(403), "FORBIDDEN");
    let document = json!({ "format": 1, "objects": [machine()] });
    assert_eq!(sales.post("/api/v1/metadata/schema/apply", document).await.problem(403), "FORBIDDEN");
    assert_eq!(sales.delete("/api/v1/metadata/packs/telecom").await.problem(403), "FORBIDDEN");
    assert!(app.records.schema().object("machine").is_none());
}

#[tokio::test]
async fn a_unique_field_that_cannot_be_is_taken_back_with_the_reason() {
    let app = TestApp::new().await;
    let admin = app.admin();
    admin.post(OBJECTS, machine()).await.expect(201);
    for name in ["Drill", "Saw"] {
        admin.post("/api/v1/machines", json!({ "name": name, "serial": "A1" })).await.expect(201);
    }
    let of_serial = format!("{OBJECTS}/machine/fields/serial");
    let changed = admin.patch(&of_serial, json!({ "unique": true })).await.expect(200);
    assert_eq!(wait_for_jobs(&app, &changed).await, ["failed"]);
    let job = format!("/api/v1/jobs/{}", changed["jobs"][0].as_str().unwrap());
    let error = admin.get(&job).await.expect(200)["error"].clone();
    assert_eq!(error["code"], "NOT_UNIQUE");
    assert!(error["message"].as_str().unwrap().contains("`A1`"), "{error}");
    let read = admin.get(&format!("{OBJECTS}/machine")).await.expect(200);
    assert_eq!((&read["fields"][1]["unique"], &read["building"]), (&json!(false), &json!([])));
    assert!(app.records.pending_builds().is_empty());
}

#[tokio::test]
async fn the_whole_schema_is_exported_compared_and_applied() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let exported = admin.get("/api/v1/metadata/schema").await.expect(200);
    assert_eq!(exported["format"], 1);
    let document = json!({ "format": 1, "objects": [machine()] });
    let planned = admin.post("/api/v1/metadata/schema/diff", document.clone()).await.expect(200);
    assert_eq!(planned["steps"][0]["text"]["zh-CN"], "新增对象 `machine`");
    let applied = admin.post("/api/v1/metadata/schema/apply", document).await.expect(200);
    let version = applied["version"].as_u64().unwrap();
    let versions = admin.get("/api/v1/metadata/schema/versions?limit=1").await.expect(200);
    assert_eq!(versions["data"][0]["objects"], json!(["machine"]));
    assert_eq!(versions["page"]["next"], version.to_string());
    let before = admin.get(&format!("/api/v1/metadata/schema?version={}", version - 1)).await.expect(200);
    assert_eq!(before, exported);
    let unchanged = admin.post("/api/v1/metadata/schema/diff", exported).await.expect(200);
    assert_eq!(unchanged["steps"], json!([]));
    let bad = json!({ "format": 1, "objects": [machine()], "colour": 1 });
    assert_eq!(admin.post("/api/v1/metadata/schema/apply", bad).await.problem(422), "SCHEMA_REFUSED");
    assert_eq!(admin.get("/api/v1/metadata/schema?version=999").await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn a_pack_comes_and_goes() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let line = json!({ "name": "telecom__line", "label": label("Line"), "type": "text" });
    let document = json!({ "format": 1, "objects": [{ "name": "account", "fields": [line] }] });
    let apply = "/api/v1/metadata/schema/apply?pack=telecom";
    admin.post(apply, document.clone()).await.expect(200);
    let account = app.create("accounts", json!({ "name": "Acme", "telecom__line": "+49" })).await;
    admin.delete("/api/v1/metadata/packs/telecom").await.expect(200);
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.expect(200)["telecom__line"], "+49");
    assert_eq!(admin.patch(&path, json!({ "telecom__line": "+1" })).await.problem(422), "VALIDATION_ERROR");
    let read = admin.get(&format!("{OBJECTS}/account")).await.expect(200);
    let field =
        read["fields"].as_array().unwrap().iter().find(|field| field["name"] == "telecom__line").unwrap();
    assert_eq!(field["origin"]["pack"], json!({ "id": "telecom", "removed": true }));
    admin.post(apply, document).await.expect(200);
    admin.patch(&path, json!({ "telecom__line": "+1" })).await.expect(200);
    assert_eq!(admin.delete("/api/v1/metadata/packs/Nope").await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn no_object_takes_an_address_of_the_api() {
    let app = TestApp::new().await;
    let described = app.admin().get("/api/v1/openapi.json").await.expect(200);
    let schema = app.records.schema();
    for path in described["paths"].as_object().unwrap().keys() {
        let Some(first) = path.strip_prefix("/api/v1/").and_then(|path| path.split('/').next()) else {
            continue;
        };
        let first = first.split('.').next().unwrap();
        let is_known = schema.object_by_url(first).is_some()
            || trellis_records::RESERVED_PLURALS.contains(&first)
            || first.starts_with('{');
        assert!(is_known, "`{first}` of {path} is neither an object nor reserved");
    }
}
