//! Record hooks: a save that the plugin cannot judge is refused and leaves nothing behind; other saves go on.

use serde_json::json;
use trellis_e2e::Api;

use crate::{OUT_OF_TIME, assert_named, in_time, server, sinner, works_again};

const FAULTS: [(&str, &str); 12] = [
    ("hook-few-verdicts", "0 verdicts for 1 changes"),
    ("hook-many-verdicts", "2 verdicts for 1 changes"),
    ("hook-undeclared-field", "it patches `owner`, which its `[[record-hook]]` in plugin.toml does not name"),
    ("hook-empty-patch", "a patch without fields"),
    ("hook-nan", "field `company`: the number is NaN"),
    ("hook-no-message", "`no` has no message"),
    ("hook-bad-code", "code `No!` is not of the form"),
    ("hook-loop", OUT_OF_TIME),
    ("hook-memory", "bytes of memory"),
    ("hook-stack", "overflowed its stack"),
    ("hook-trap", "this guest was told to trap"),
    ("hook-huge-output", "returned more than its 1048576 bytes"),
];

/// How long the log is. A page holds more than these tests write.
fn log_entries(api: &Api) -> usize {
    let page = api.get("/api/v1/changes?limit=1000").ok();
    assert_eq!(page["page"]["more"], false);
    page["data"].as_array().unwrap().len()
}

#[test]
fn a_save_that_cannot_be_judged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let lead = json!({ "name": "Ann", "status": "new" });
    let mut saved = 0;
    for (sin, words) in FAULTS {
        sinner(&api, sin);
        let entries = log_entries(&api);
        let detail = in_time(sin, words, || {
            let refused = api.post("/api/v1/leads", &lead);
            let members = (refused.json["plugin"].clone(), refused.json["version"].clone());
            assert_eq!(members, (json!("hostile"), json!("1.0.0")), "{sin}: {}", refused.json);
            let detail = refused.json["detail"].as_str().unwrap().to_owned();
            assert_eq!(refused.problem(503), "PLUGIN_UNAVAILABLE");
            detail
        });
        assert_named(sin, &detail, words);
        assert_eq!(api.total("leads"), saved, "`{sin}` leaves no lead behind");
        assert_eq!(log_entries(&api), entries, "nor an entry of the log");
        sinner(&api, "none");
        works_again(sin, || api.post("/api/v1/leads", &lead));
        saved += 1;
        assert_eq!(api.total("leads"), saved);
    }
}

#[test]
fn other_objects_are_saved_while_a_hook_loops() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    sinner(&api, "hook-loop");
    let lead = json!({ "name": "Ann", "status": "new" });
    let accounts = api.total("accounts");
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| (0..20).map(|_| api.post("/api/v1/leads", &lead)).collect::<Vec<_>>());
        let mut created = 0;
        while !refused.is_finished() || created == 0 {
            assert_eq!(api.post("/api/v1/accounts", &json!({ "name": "Acme" })).status, 201);
            created += 1;
        }
        assert_eq!(api.total("accounts"), accounts + created);
        for answer in refused.join().unwrap() {
            assert_eq!(answer.problem(503), "PLUGIN_UNAVAILABLE");
        }
    });
    assert_eq!(api.total("leads"), 0);
}

#[test]
fn a_veto_and_a_flood_of_look_ups_are_answers() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let lead = json!({ "name": "Ann", "status": "new" });
    sinner(&api, "hook-veto");
    let detail = in_time("hook-veto", "name the company", || {
        let refused = api.post("/api/v1/leads", &lead).json;
        if refused["code"] == "PLUGIN_VETO" {
            assert_eq!((&refused["plugin"], &refused["version"]), (&json!("hostile"), &json!("1.0.0")));
        }
        refused["detail"].as_str().unwrap().to_owned()
    });
    assert!(detail.contains("name the company"), "{detail}");
    assert_eq!(api.total("leads"), 0);
    sinner(&api, "hook-lookup-flood");
    let lead = works_again("hook-lookup-flood", || api.post("/api/v1/leads", &lead));
    assert_eq!(lead["company"], "50 answers", "it asked 200 times and was answered 50 times");
}
