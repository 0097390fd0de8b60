//! Runs over all customers: the job fails, the last good result stands.

use serde_json::{Value as Json, json};
use trellis_e2e::Api;

use crate::{OUT_OF_TIME, assert_named, assert_refused, beside_others, id, in_time, server, works_again};

const DESCRIBE: [(&str, &str); 5] = [
    ("describe-loop", OUT_OF_TIME),
    ("describe-trap", "trapped: "),
    ("describe-error", "invalid configuration: "),
    ("describe-many-values", "has 1002 values, at most 1000"),
    ("describe-bad-name", "`Not a name!` is not of the form"),
];
const FIT: [(&str, &str); 4] = [
    ("fit-memory", "bytes of memory"),
    ("fit-trap", "this guest was told to trap"),
    ("fit-error", "unsuitable data: "),
    ("big-model", "returned more than its 16777216 bytes"),
];
const ASSIGN: [(&str, &str); 21] = [
    ("loop", OUT_OF_TIME),
    ("memory", "wanted more than its 67108864 bytes of memory"),
    ("trap", "this guest was told to trap"),
    ("stack", "overflowed its stack"),
    ("huge-output", "returned more than its 33554432 bytes"),
    ("wrong-lengths", "49 codes for 50 rows"),
    ("bad-codes", "code 99 in row 0, but there are 2 values"),
    ("bad-offsets", "text offsets do not rise"),
    ("invalid-utf8", "text 0 is not UTF-8"),
    ("unknown-value", "value `odr` was not described"),
    ("short-validity", "6 validity bytes for 50 rows"),
    ("wrong-name", "column `lottery` where `lot` was described"),
    ("wrong-type", "it is no dictionary column"),
    ("no-columns", "0 columns for 1 segmentations"),
    ("bad-failed-row", "failed row 50 of 50 rows"),
    ("error-invalid-config", "invalid configuration: as the test asked"),
    ("error-unsuitable-data", "unsuitable data: as the test asked"),
    ("error-unreadable-model", "does not read model"),
    ("error-denied", "denied: as the test asked"),
    ("error-transient", "for now: as the test asked"),
    ("error-other", "as-asked: as the test asked"),
];

/// Runs the guest with a configuration of this run only.
fn run(api: &Api, sin: &str) -> Json {
    api.wait_for_job(api.post("/api/v1/plugins/hostile/run", &json!({ "config": { "sin": sin } })))
}

/// Runs the guest with a sin that does not show in a run, or with none, and expects that it succeeds.
pub(crate) fn run_well(api: &Api, sin: &str) {
    let failure = in_time(sin, "", || {
        let job = run(api, sin);
        if job["state"] == "succeeded" { String::new() } else { job.to_string() }
    });
    assert_eq!(failure, "", "{sin}");
}

/// Each sin fails its run and nothing else; the run after it succeeds.
pub(crate) fn sins_fail_their_run(api: &Api, sins: &[(&str, &str)]) {
    run_well(api, "none");
    let before = api.counts("hostile__lot");
    assert_eq!(before.values().sum::<u64>(), 50);
    for (sin, words) in sins {
        let message = in_time(sin, words, || {
            let job = beside_others(api, sin, || run(api, sin));
            assert_eq!(job["state"], "failed", "{sin}: {job}");
            let code = job["error"]["code"].as_str().unwrap();
            assert!(["PLUGIN_FAULT", "PLUGIN_ERROR", "MODEL_INCOMPATIBLE"].contains(&code), "{sin}: {job}");
            job["error"]["message"].as_str().unwrap().to_owned()
        });
        assert_named(sin, &message, words);
        assert_eq!(api.counts("hostile__lot"), before, "`{sin}` leaves the last result");
        run_well(api, "none");
    }
}

#[test]
fn a_bad_description_or_training_fails_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    sins_fail_their_run(&server.api(), &DESCRIBE);
    sins_fail_their_run(&server.api(), &FIT);
}

#[test]
fn a_bad_assignment_fails_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    sins_fail_their_run(&server.api(), &ASSIGN);
}

#[test]
fn a_flood_of_log_lines_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    // What a plugin logs is no reason to fail.
    beside_others(&api, "log-flood", || run_well(&api, "log-flood"));
    let bytes = server.log().len();
    assert!(bytes < 8 << 20, "the guest wrote some 40 MB, the server logged {bytes} bytes");
    run_well(&api, "none");
}

#[test]
fn bad_reasons_are_refused_when_somebody_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let account = api.get("/api/v1/accounts?limit=1").ok()["data"][0].clone();
    let why = format!("/api/v1/segmentations/hostile__lot/explanations/{}", id(&account));
    for (sin, words) in [
        ("many-reasons", "row 0: 6 reasons, at most 5"),
        ("nan-weight", "row 0: reason `ordinal` weighs NaN"),
        ("missing-reasons", "reasons for 0 of 1 rows"),
    ] {
        run_well(&api, sin);
        assert_refused(&api, sin, &why, words);
        run_well(&api, "none");
        let reasons = works_again(sin, || api.get(&why))["reasons"].clone();
        assert_eq!(reasons.as_array().unwrap().len(), 1, "the next question works: {reasons}");
    }
}

#[test]
fn a_training_without_end_holds_up_nobody_and_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let sin = json!({ "config": { "sin": "fit-loop" } });
    let started = api.post("/api/v1/plugins/hostile/run", &sin);
    let path = format!("/api/v1/jobs/{}", id(&started.json));
    let account = api.post("/api/v1/accounts", &json!({ "name": "Acme" })).ok();
    assert_eq!(api.get(&format!("/api/v1/accounts/{}", id(&account))).status, 200);
    // One permit of several is kept free of training.
    if std::thread::available_parallelism().unwrap().get() > 1 {
        let lead = json!({ "name": "Ann", "status": "new" });
        works_again("fit-loop", || api.post("/api/v1/leads", &lead));
    }
    let state = api.get(&path).ok()["state"].clone();
    assert!(["queued", "running"].contains(&state.as_str().unwrap()), "a minute is not over: {state}");
    assert!(api.post(&format!("{path}/cancel"), &json!({})).status < 300);
    assert_eq!(api.wait_for_job(started)["state"], "cancelled");
    run_well(&api, "none");
}
