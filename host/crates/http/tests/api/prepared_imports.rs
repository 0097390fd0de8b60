//! Imports that people prepare, exports, and jobs that pause.

use std::path::{Path, PathBuf};

use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::{Answer, Client, TestApp};

const FORM: &str = "multipart/form-data; boundary=xyz";

fn form(object: &str, file_name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--xyz\r\ncontent-disposition: form-data; name=\"object\"\r\n\r\n{object}\r\n--xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n--xyz--\r\n"].concat()
}

async fn upload(client: &Client, object: &str, file: &str) -> Json {
    let body = form(object, "upload.csv", file.as_bytes());
    client.send(Method::POST, "/api/v1/imports", Some(FORM), body).await.expect(201)
}

async fn post(client: &Client, path: &str) -> Answer {
    client.send(Method::POST, path, Some("application/json"), "{}").await
}

async fn finished(app: &TestApp, job: &Json) -> Json {
    let id = job["id"].as_str().unwrap();
    app.engine.job_wait(RecordId::parse(id).unwrap()).await.unwrap();
    app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200)
}

fn of(import: &Json, rest: &str) -> String {
    format!("/api/v1/imports/{}{rest}", import["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_five_screens_of_an_import() {
    let app = TestApp::new().await;
    let client = app.admin();
    // 1: the file.
    let file = "名称,External id,账龄\nMill,m-1,1\n,x-1,2\nBakery,b-1,3\nInn,i-1,4\n";
    let import = upload(&client, "account", file).await;
    assert_eq!(
        (&import["rows"], &import["state"], &import["options"]["encoding"]),
        (&json!(4), &json!("draft"), &json!("utf-8"))
    );
    assert_eq!(import["columns"][1]["field"], "external_id", "{import}");
    assert_eq!(import["columns"][2]["samples"], json!(["1", "2", "3", "4"]));
    // 2: the mapping.
    let mapping = json!({ "object": "account", "columns": [
        { "column": "名称", "field": "name" }, { "column": "External id", "field": "external_id", "transform": "value.to_upper()" },
    ] });
    let import = client.patch(&of(&import, ""), json!({ "mapping": mapping })).await.expect(200);
    let wrong =
        json!({ "mapping": { "object": "account", "columns": [{ "column": "名称", "field": "nom" }] } });
    let refused = client.patch(&of(&import, ""), wrong).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("account has no field `nom`"), "{refused}");
    // 3: the check.
    let job = post(&client, &of(&import, "/validate")).await.expect(202);
    let job = finished(&app, &job).await;
    assert_eq!((&job["kind"], &job["state"]), (&json!("import-check"), &json!("succeeded")), "{job}");
    assert_eq!((&job["result"]["created"], &job["result"]["failed"]), (&json!(3), &json!(1)));
    assert_eq!(client.get("/api/v1/accounts").await.expect(200)["data"], json!([]), "nothing is written");
    let rows = client.get(&of(&import, "/rows?errors=true")).await.expect(200);
    assert_eq!((&rows["data"][0]["row"], &rows["data"][0]["line"]), (&json!(2), &json!(3)), "{rows}");
    assert_eq!(rows["data"][0]["errors"][0]["code"], "required");
    assert_eq!(rows["data"].as_array().unwrap().len(), 1);
    let failed = client.get(&of(&import, "/failed-rows")).await;
    assert_eq!(failed.status, 200);
    let text = String::from_utf8(failed.body.to_vec()).unwrap();
    assert!(text.starts_with("\u{feff}名称,External id,账龄,Error\r\n,x-1,2,"), "{text}");
    client.patch(&of(&import, "/rows/2"), json!({ "cells": { "名称": "Smithy" } })).await.expect(200);
    client.patch(&of(&import, "/rows/9"), json!({ "cells": { "名称": "x" } })).await.expect(422);
    assert_eq!(client.send(Method::DELETE, &of(&import, "/rows/4"), None, "").await.status, 204);
    // 4: the load.
    let job = post(&client, &of(&import, "/start")).await.expect(202);
    let job = finished(&app, &job).await;
    // 5: the result.
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(
        (&job["result"]["created"], &job["result"]["failed"], &job["result"]["rows"]),
        (&json!(3), &json!(0), &json!(3))
    );
    let listed = client.get("/api/v1/accounts?sort=name&fields=name,external_id").await.expect(200);
    let names: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap()).collect();
    assert_eq!((names, &listed["data"][0]["external_id"]), (vec!["Bakery", "Mill", "Smithy"], &json!("B-1")));
    let again = client.patch(&of(&import, ""), json!({ "automations": true })).await;
    again.expect(422);
    let entries = app.records.log_after(0, 1_000).await.unwrap();
    let loaded = entries.iter().filter(|entry| entry.cause.job.is_some_and(|id| id.to_string() == job["id"]));
    assert!(loaded.filter(|entry| !entry.changes().is_empty()).all(|entry| entry.cause.automations_off));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_is_suggested_again_for_a_file_of_the_same_columns() {
    let app = TestApp::new().await;
    let client = app.admin();
    let first = upload(&client, "account", "Firma,Nr\nMill,1\n").await;
    assert_eq!((&first["mapping"]["columns"], &first["mapping_is_saved_one"]), (&json!([]), &json!(false)));
    let mapping = json!({ "object": "account", "columns": [{ "column": "Firma", "field": "name" }, { "column": "Nr", "field": "external_id" }] });
    app.create("import-mappings", json!({ "name": "Firmen", "object": "account", "header": first["header_signature"], "mapping": mapping })).await;
    let second = upload(&client, "account", "Firma,Nr\nBakery,2\n").await;
    assert_eq!(second["mapping_is_saved_one"], true, "{second}");
    assert_eq!(second["mapping"]["columns"][0]["field"], "name");
    let other = upload(&client, "account", "Nr,Firma\n2,Bakery\n").await;
    assert_eq!(other["mapping_is_saved_one"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_belongs_to_its_user() {
    let app = TestApp::new().await;
    let import = upload(&app.admin(), "account", "name\nMill\n").await;
    let other = app.user("eve").await;
    other.get(&of(&import, "")).await.expect(403);
    app.admin().get("/api/v1/imports/01939d4c-7c3a-7b6e-8000-000000000001").await.expect(404);
    assert_eq!(app.admin().get("/api/v1/imports").await.expect(200)["data"].as_array().unwrap().len(), 1);
    assert_eq!(app.admin().send(Method::DELETE, &of(&import, ""), None, "").await.status, 204);
    app.admin().get(&of(&import, "")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_no_tables_are_refused() {
    let app = TestApp::new().await;
    let client = app.admin();
    for file in [b"".as_slice(), b"PK\x03\x04 no workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"] {
        let body = form("account", "bad.xlsx", file);
        let refused = client.send(Method::POST, "/api/v1/imports", Some(FORM), body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "file", "{refused}");
    }
    assert_eq!(client.get("/api/v1/imports").await.expect(200)["data"], json!([]));
    let spool = app.engine.spool_path();
    assert_eq!(std::fs::read_dir(spool.parent().unwrap()).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_exported_and_the_file_is_fetched() {
    let app = TestApp::new().await;
    let client = app.admin();
    for (name, country) in [("Mill", "DE"), ("Bakery", "AT"), ("Inn", "DE")] {
        app.create("accounts", json!({ "name": name, "country": country })).await;
    }
    let wish = json!({
        "columns": ["name", "country"], "sort": "name", "header": "names",
        "filter": { "field": "country", "op": "eq", "value": "DE" }, "encoding": "utf-8",
    });
    let job = client.post("/api/v1/accounts/export", wish).await.expect(202);
    let job = finished(&app, &job).await;
    assert_eq!((&job["kind"], &job["result"]["rows"]), (&json!("export"), &json!(2)), "{job}");
    let file = client.get(&format!("/api/v1/jobs/{}/file", job["id"].as_str().unwrap())).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"account.csv\"");
    assert_eq!(&*file.body, b"name,country\r\nInn,DE\r\nMill,DE\r\n");
    let refused = client.post("/api/v1/accounts/export", json!({ "columns": ["nom"] })).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("`nom`"), "{refused}");
    let nobody = app.user("eve").await;
    nobody.get(&format!("/api/v1/jobs/{}/file", job["id"].as_str().unwrap())).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_has_the_columns_that_an_import_knows() {
    let app = TestApp::new().await;
    let client = app.admin();
    let template = client.get("/api/v1/accounts/import-template").await;
    let text = String::from_utf8(template.body.to_vec()).unwrap();
    let columns = text.trim_start_matches('\u{feff}').trim_end().to_owned();
    let import = upload(&client, "account", &format!("{columns}\n")).await;
    let fields: Vec<&Json> =
        import["columns"].as_array().unwrap().iter().map(|column| &column["field"]).collect();
    assert!(fields.iter().all(|field| field.is_string()), "{import}");
    let workbook = client.get("/api/v1/accounts/import-template?format=xlsx").await;
    assert!(workbook.body.starts_with(b"PK"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_can_go_on_is_paused() {
    let app = TestApp::new().await;
    let client = app.admin();
    let import = upload(&client, "account", "name\nMill\n").await;
    let job = post(&client, &of(&import, "/start")).await.expect(202);
    let job = finished(&app, &job).await;
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(
        post(&client, &format!("{path}/pause")).await.expect(202)["state"],
        "succeeded",
        "it has ended"
    );
    let refused = post(&client, &format!("{path}/resume")).await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("not paused"), "{refused}");
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn reference(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data");
    let mut files = [data, Some(beside)].into_iter().flatten().map(|data| data.join(name));
    let found = files.find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: the reference data `{name}` is not there");
    }
    found
}

/// Loads a file with a mapping of the examples; returns the job's result.
async fn load(app: &TestApp, object: &str, mapping: &str, data: &str) -> Option<Json> {
    let file = std::fs::read(reference(data)?).unwrap();
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples").join(mapping);
    let map = std::fs::read_to_string(map).unwrap();
    let head = format!(
        "--xyz\r\ncontent-disposition: form-data; name=\"map\"\r\n\r\n{map}\r\n--xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
    );
    let body = [head.as_bytes(), &file, b"\r\n--xyz--\r\n"].concat();
    let path = format!("/api/v1/{object}/import");
    let job = app.admin().send(Method::POST, &path, Some(FORM), body).await.expect(202);
    let job = finished(app, &job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(job["result"]["errors"].as_array().unwrap().first(), None, "{mapping}");
    Some(job["result"].clone())
}

async fn count(app: &TestApp, object: &str, filter: &str) -> Json {
    app.admin().get(&format!("/api/v1/{object}?limit=1&count=exact&{filter}")).await.expect(200)["total"]
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sales_pipeline_loads_with_mappings_alone() {
    let app = TestApp::new().await;
    let steps = [
        ("accounts", "accounts", 85),
        ("products", "products", 7),
        ("users", "sales_teams", 35),
        ("opportunities", "opportunities", 8_800),
    ];
    for (object, name, rows) in steps {
        let mapping = format!("crm-pipeline/{name}.toml");
        let Some(result) = load(&app, object, &mapping, &format!("crm_pipeline/{name}.csv")).await else {
            return;
        };
        assert_eq!(result["rows"], rows, "{name}");
    }
    assert_eq!(count(&app, "opportunities", "").await, 8_800);
    for (stage, expected) in [("won", 4_238), ("lost", 2_473), ("qualification", 1_589), ("prospecting", 500)]
    {
        assert_eq!(
            count(&app, "opportunities", &format!("filter[stage]={stage}")).await,
            expected,
            "{stage}"
        );
    }
    assert_eq!(count(&app, "opportunities", "filter[product.name]=GTX%20Pro").await, 1_480);
    assert_eq!(count(&app, "opportunities", "filter[owner.office]=Central").await, 3_512);
    assert_eq!(count(&app, "opportunities", "filter[owner.manager.name]=Cara%20Losch").await, 964);
    assert_eq!(count(&app, "accounts", "filter[industry]=technology").await, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tickets_load_with_a_mapping_alone() {
    let app = TestApp::new().await;
    let Some(result) = load(&app, "cases", "tickets/tickets.toml", "tickets/tickets.csv").await else {
        return;
    };
    assert_eq!(result["created"], 8_469);
    for (status, expected) in [("closed", 2_769), ("open", 2_819), ("waiting", 2_881)] {
        assert_eq!(count(&app, "cases", &format!("filter[status]={status}")).await, expected, "{status}");
    }
    assert_eq!(count(&app, "cases", "filter[category]=billing").await, 1_634);
}
