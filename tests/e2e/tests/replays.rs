//! The runs and decisions of every first-party plugin on the sample data, done again in two further processes: the same bytes each time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Server, eventually, plugin_file};

const RUN: [&str; 2] = ["retail-rfm", "value-pyramid"];

fn server(folder: &std::path::Path) -> Server {
    Server::start(&folder.join("data"))
}

fn create(api: &Api, objects: &str, fields: Json) -> Json {
    api.post(&format!("/api/v1/{objects}"), &fields).ok()
}

/// The newest decision of a plugin of a kind that can be made again.
fn decision(api: &Api, plugin: &str, kind: &str) -> String {
    eventually(&format!("a decision `{kind}` of {plugin}"), || {
        let page = api.get(&format!("/api/v1/decisions?plugin={plugin}&kind={kind}")).ok();
        let found =
            page["data"].as_array()?.iter().find(|decision| decision["can_be_replayed"] == true)?.clone();
        Some(found["id"].as_str()?.to_owned())
    })
}

/// What comes out now, as text: digests of runs, answers of decisions.
fn replayed(server: &Server, runs: &[(String, String)], decisions: &[String]) -> Vec<String> {
    let api = server.api();
    let run = |(plugin, run): &(String, String)| {
        let job = api.post(&format!("/api/v1/plugins/{plugin}/runs/{run}/replay"), &json!({}));
        let job = api.wait_for_job(job);
        assert_eq!(job["result"]["same"], true, "{plugin}: {job}");
        job["result"]["outputs_digest"].to_string()
    };
    let decision = |id: &String| {
        let replay = api.post(&format!("/api/v1/decisions/{id}/replay"), &json!({})).ok();
        assert_eq!(replay["same"], true, "{replay}");
        replay["replayed"].to_string()
    };
    runs.iter().map(run).chain(decisions.iter().map(decision)).collect()
}

#[test]
fn every_first_party_plugin_comes_to_the_same_bytes_in_two_further_processes() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path());
    first.import_cdnow();
    let api = first.api();
    let mut runs = Vec::new();
    for plugin in RUN {
        first.install(plugin, "1998-06-30", "{}");
        let job = api.wait_for_job(api.post(&format!("/api/v1/plugins/{plugin}/run"), &json!({})));
        runs.push((plugin.to_owned(), job["result"]["run"].as_str().unwrap().to_owned()));
    }
    first.install("win-back", "now", "{}");
    let campaign =
        json!({ "name": "Come back", "status": "planned", "channel": "email", "rules_plugin": "win-back" });
    let campaign = create(&api, "campaigns", campaign);
    let run = format!("/api/v1/campaigns/{}/run", campaign["id"].as_str().unwrap());
    let job = api.wait_for_job(api.post(&run, &json!({})));
    runs.push(("win-back".to_owned(), job["result"]["run"].as_str().unwrap().to_owned()));
    first.install("complaint-desk", "now", "{}");
    first.install("b2b-gate", "now", "{}");
    create(&api, "cases", json!({ "subject": "Broken", "kind": "complaint", "status": "new" }));
    let lead = create(&api, "leads", json!({ "name": "Ann", "status": "contacted", "money_grade": "yes" }));
    let lead = format!("/api/v1/leads/{}", lead["id"].as_str().unwrap());
    assert_eq!(api.patch(&lead, &json!({ "status": "converted" }), None).status, 422);
    let decisions = vec![decision(&api, "complaint-desk", "triage"), decision(&api, "b2b-gate", "veto")];
    first.stop();

    let second = server(folder.path());
    let once = replayed(&second, &runs, &decisions);
    let component = plugin_file("value-pyramid").to_string_lossy().into_owned();
    let with = second.cli(&["plugin", "replay", "value-pyramid", "--with", &component]).ok();
    assert!(with.contains("the same results for 2357 rows"), "{with}");
    second.stop();
    let third = server(folder.path());
    assert_eq!(once, replayed(&third, &runs, &decisions), "byte by byte");
}
