//! `kill -9` at random while a file is loaded, an index is built, records are merged and the schema changes: nothing acknowledged is lost,
//! jobs go on, and no half of a change of the schema is there.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Server, eventually, rounds, trellis};

const ROWS: u64 = 3_000;

/// Differs from run to run; a failure prints the round's delay.
fn random_ms(up_to: u64) -> u64 {
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    u64::from(nanos.wrapping_mul(2_654_435_761)) % up_to
}

fn csv(round: u32) -> Vec<u8> {
    let mut text = String::from("external_id,name,country\n");
    for row in 0..ROWS {
        text +=
            &format!("r{round}-{row},Round {round} row {row},{}\n", ["DE", "FR", "CN"][(row % 3) as usize]);
    }
    text.into_bytes()
}

/// Every job that is left has ended, each with success.
fn all_jobs_end(api: &Api) {
    let jobs = eventually("the end of all jobs", || {
        let jobs = api.get("/api/v1/jobs?limit=200").ok()["data"].as_array().unwrap().clone();
        let open = |job: &Json| ["queued", "running"].contains(&job["state"].as_str().unwrap());
        (!jobs.iter().any(open)).then_some(jobs)
    });
    for job in jobs {
        assert_eq!(job["state"], "succeeded", "{job}");
    }
}

fn count(api: &Api, objects: &str, filter: &Json) -> u64 {
    let body = json!({ "filter": filter, "limit": 1, "count": "exact" });
    api.post(&format!("/api/v1/{objects}/search"), &body).ok()["total"].as_u64().unwrap()
}

fn is(field: &str, value: &Json) -> Json {
    json!({ "field": field, "op": "eq", "value": value })
}

/// Two accounts, one with many cases.
fn pair(api: &Api, round: u32) -> (Json, Json) {
    let account = |name: &str| {
        api.post("/api/v1/accounts", &json!({ "name": format!("{name} {round}"), "country": "AT" })).ok()["id"].clone()
    };
    let (winner, loser) = (account("Winner"), account("Loser"));
    for _ in 0..3 {
        let case = json!({ "op": "create", "data": { "subject": "Where is it?", "status": "new", "account": loser } });
        let created = api.post("/api/v1/cases/batch", &json!({ "operations": vec![case; 200] })).ok();
        assert_eq!(created["refused"], 0, "{}", created["data"][0]);
    }
    (winner, loser)
}

fn has_field(api: &Api, field: &str) -> bool {
    let account = api.get("/api/v1/metadata/objects/account").ok();
    account["fields"].as_array().unwrap().iter().any(|one| one["name"] == field)
}

fn check(data: &Path, round: u32, winner: &Json, loser: &Json, merging: bool, shaped: bool) {
    let server = Server::start(data);
    let api = server.api();
    all_jobs_end(&api);
    if merging {
        assert_eq!(
            (count(&api, "cases", &is("account", winner)), count(&api, "cases", &is("account", loser))),
            (600, 0)
        );
        assert_eq!(
            api.get(&format!("/api/v1/accounts/{}", loser.as_str().unwrap())).json["merged_into"],
            *winner
        );
    }
    let field = format!("note_{round}");
    assert!(!shaped || has_field(&api, &field), "what was acknowledged is there");
    if has_field(&api, &field) {
        let id = winner.as_str().unwrap();
        api.patch(&format!("/api/v1/accounts/{id}"), &json!({ &field: "found" }), None).ok();
        assert_eq!(count(&api, "accounts", &is(&field, &json!("found"))), 1);
    }
    server.stop();
    let report = trellis(["verify", "--data", &data.to_string_lossy()]).ok();
    assert!(report.contains("no problems"), "{report}");
}

#[test]
fn kill_during_import_index_merge_and_schema_change_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for round in 0..rounds() {
        let mut server = Server::start(&data);
        let api = server.api();
        let (winner, loser) = pair(&api, round);
        let import = api.post_bytes("/api/v1/accounts/import", "text/csv", csv(round));
        assert_eq!(import.status, 202, "{}", import.json);
        let merge = api.post("/api/v1/accounts/merge", &json!({ "winner": winner, "losers": [loser] }));
        assert_eq!(merge.status, 202, "{}", merge.json);
        let field = json!({
            "name": format!("note_{round}"), "label": { "en": "Note", "zh-CN": "备注" }, "type": "text", "characters_max": 50,
            "indexed": true,
        });
        let shaper = std::thread::spawn({
            let api = api.clone();
            move || (200..300).contains(&api.post("/api/v1/metadata/objects/account/fields", &field).status)
        });
        let delay = random_ms(900);
        std::thread::sleep(Duration::from_millis(delay));
        server.kill();
        let shaped = shaper.join().unwrap();
        drop(server);
        println!("round {round}: killed after {delay} ms, schema change acknowledged: {shaped}");
        check(&data, round, &winner, &loser, true, shaped);
    }
    let server = Server::start(&data);
    let imported = json!({ "field": "external_id", "op": "starts", "value": "r" });
    assert_eq!(count(&server.api(), "accounts", &imported), u64::from(rounds()) * ROWS);
}
