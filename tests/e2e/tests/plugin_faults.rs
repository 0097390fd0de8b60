//! A plugin that misbehaves ends in a clear error; everybody else goes on; the next call works.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use serde_json::json;
use trellis_e2e::{Server, plugin};

fn server_with_customers(folder: &std::path::Path) -> Server {
    let server = Server::start(&folder.join("data"));
    let mut rows = String::from("customer_id,master_id,date,cds,amount\n");
    (1..=50).for_each(|customer| {
        rows += &format!("{customer},0,1997-01-{:02},1,{}.50\n", customer % 28 + 1, customer)
    });
    let file = folder.join("orders.csv");
    std::fs::write(&file, rows).unwrap();
    let map = trellis_e2e::cdnow("orders.toml");
    server.cli(&["import", "order", &file.to_string_lossy(), "--map", &map.to_string_lossy()]).ok();
    server
}

#[test]
fn each_sin_is_contained_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with_customers(folder.path());
    let api = server.api();
    for (sin, words) in [
        ("loop", "longer than"),
        ("memory", "memory"),
        ("trap", "trap"),
        ("stack", "stack"),
        ("huge-output", "returned more than"),
    ] {
        server.install("hostile", "1997-09-30", &json!({ "sin": sin }).to_string());
        let started = api.post("/api/v1/plugins/hostile/run", &json!({}));
        assert_eq!(
            api.get("/api/v1/accounts?limit=50").status,
            200,
            "others are answered while `{sin}` runs"
        );
        let job = api.wait_for_job(started);
        assert_eq!(job["state"], "failed", "{sin}: {job}");
        let message = job["error"]["message"].as_str().unwrap_or_default().to_lowercase();
        assert!(
            message.contains("hostile") && message.contains("1.0.0") && message.contains(words),
            "{sin}: {message}"
        );
    }
    server.install("hostile", "1997-09-30", "{}");
    assert_eq!(api.run_plugin("hostile")["state"], "succeeded", "the next call works");
}

#[test]
fn an_ungranted_import_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let wasm = std::fs::read(plugin("ungranted")).unwrap();
    let answer = server.api().post_bytes("/api/v1/plugins", "application/wasm", wasm);
    assert_eq!(answer.status, 422, "{}", answer.json);
    let text = answer.json.to_string();
    assert!(text.contains("ungranted") && text.contains("secret-files"), "{text}");
    let answer = server.api().post_bytes("/api/v1/plugins", "application/wasm", b"no component".to_vec());
    assert_eq!(answer.status, 422, "{}", answer.json);
    server.install("retail-rfm", "1997-09-30", "{}");
}
