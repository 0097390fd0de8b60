//! Service workflows: what a plugin decides wrongly is in the decision ledger, and the next case is judged as ever.

use serde_json::{Value as Json, json};
use trellis_e2e::Api;

use crate::{
    OUT_OF_TIME, assert_named, assert_refused, beside_others, eventually, id, in_time, server, sinner,
    works_again,
};

const TRIAGE: [(&str, &str); 13] = [
    ("triage-known-as-other", "action 0: `set-fields` has a case of its own"),
    ("triage-storm", "returned 101 actions, at most 100 are allowed (`actions_per_call_max`)"),
    ("triage-bad-id", "action 0: `the one over there` is not a record id"),
    ("triage-bad-currency", "`gold` is not a valid currency"),
    ("triage-bad-date", "no calendar has day -2147483648"),
    ("triage-nan", "field `amount`: the number is NaN"),
    ("triage-no-fields", "set-fields without fields"),
    ("triage-field-twice", "field `priority` is there twice"),
    ("triage-bad-timer", "timer `In a while` is not of the form"),
    ("triage-invalid-utf8", "invalid utf-8"),
    ("triage-many-reasons", "6 reasons, at most 5"),
    ("triage-loop", OUT_OF_TIME),
    ("lookup-huge-filter", "returned more than its 1048576 bytes"),
];

fn new_case(api: &Api) -> Json {
    api.post("/api/v1/cases", &json!({ "subject": "Torn sleeve", "status": "new" })).ok()
}

/// The decision of one kind about a case, once it is there.
fn decision(api: &Api, case: &Json, kind: &str) -> Json {
    let path = format!("/api/v1/decisions?object=case&record={}&kind={kind}", id(case));
    let decision = eventually(&format!("a decision `{kind}`"), || {
        api.get(&path).ok()["data"].as_array().unwrap().first().cloned()
    });
    let name = json!({ "en": "Hostile guest", "zh-CN": "恶意插件" });
    let by = json!({ "kind": "plugin", "id": "hostile", "version": "1.0.0", "name": name });
    assert_eq!(decision["by"], by, "{decision}");
    decision
}

/// What the ledger says went wrong, or nothing.
fn fault(decision: &Json) -> String {
    decision["outcome"]["error"]["message"].as_str().unwrap_or_default().to_owned()
}

/// The decision about a new case for which the plugin had time enough.
fn triaged(api: &Api) -> (Json, Json) {
    let mut found = None;
    in_time("none", "", || {
        let case = new_case(api);
        let decided = decision(api, &case, "triage");
        let message = fault(&decided);
        found = Some((case, decided));
        message
    });
    found.unwrap()
}

fn assert_triaged_again(api: &Api, sin: &str) {
    sinner(api, "none");
    let (case, decided) = triaged(api);
    assert_eq!(decided["actions"][0]["state"], "applied", "the next case after `{sin}`: {decided}");
    let case = api.get(&format!("/api/v1/cases/{}", id(&case))).ok();
    assert_eq!(case["priority"], "high", "{case}");
}

#[test]
fn a_bad_decision_is_recorded_and_the_next_case_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    for (sin, words) in TRIAGE {
        sinner(&api, sin);
        let message = in_time(sin, words, || {
            let case = new_case(&api);
            let decided = beside_others(&api, sin, || decision(&api, &case, "triage"));
            assert_eq!(decided["outcome"]["error"]["code"], "plugin_fault", "{sin}: {decided}");
            assert_eq!(decided["actions"], json!([]), "{sin}: {decided}");
            let after = api.get(&format!("/api/v1/cases/{}", id(&case))).ok();
            assert_eq!(after["version"], case["version"], "`{sin}` changes nothing: {after}");
            fault(&decided)
        });
        assert_named(sin, &message, words);
        assert_triaged_again(&api, sin);
    }
    assert_eq!(api.total("tasks"), 0, "no storm broke loose");
}

#[test]
fn an_event_that_traps_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let message = in_time("event-trap", "trapped", || {
        sinner(&api, "none");
        let (case, _) = triaged(&api);
        sinner(&api, "event-trap");
        api.patch(&format!("/api/v1/cases/{}", id(&case)), &json!({ "status": "open" }), None).ok();
        fault(&decision(&api, &case, "event"))
    });
    assert_named("event-trap", &message, "this guest was told to trap");
    assert_triaged_again(&api, "event-trap");
}

#[test]
fn actions_that_nobody_granted_are_refused_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    for (sin, code, kind) in [
        ("triage-not-granted", "not_granted", "set-fields"),
        ("triage-unknown-kind", "unknown_action", "launch-rocket"),
    ] {
        sinner(&api, sin);
        let (_, decided) = triaged(&api);
        let action = &decided["actions"][0];
        let found = [&action["state"], &action["code"], &action["kind"]];
        assert_eq!(found, ["refused", code, kind], "{sin}: {decided}");
        assert!(!action["message"].as_str().unwrap().is_empty(), "{sin}: {decided}");
        assert_triaged_again(&api, sin);
    }
}

#[test]
fn look_ups_beyond_what_was_granted_are_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    for (sin, words) in [
        ("lookup-flood", "100 answers"),
        ("lookup-object", "denied: object `user`"),
        ("lookup-field", "denied: field `secret` of `case`"),
        ("lookup-related", "denied: `orders`"),
        ("lookup-big-filter", "invalid: a filter of 102440 bytes, at most 65536"),
        ("lookup-deep-filter", "invalid: no JSON: recursion limit exceeded"),
    ] {
        sinner(&api, sin);
        let (_, decided) = beside_others(&api, sin, || triaged(&api));
        let learned = decided["reasons"][0]["text"].as_str().unwrap_or_default();
        assert!(learned.contains(words), "{sin}: {decided}");
        assert_triaged_again(&api, sin);
    }
}

#[test]
fn bad_suggestions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let path = format!("/api/v1/cases/{}/suggestions", id(&new_case(&api)));
    for (sin, words) in [
        ("suggest-many", "11 suggestions, at most 10"),
        ("suggest-bad-name", "suggestion `Call me` is not of the form"),
        ("suggest-twice", "suggestion `call` is there twice"),
        ("suggest-storm", "returned 120 actions, at most 100 are allowed"),
    ] {
        sinner(&api, sin);
        assert_refused(&api, sin, &path, words);
        sinner(&api, "none");
        works_again(sin, || api.get(&path));
    }
}

#[test]
fn what_cannot_be_checked_is_not_closed() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let case = new_case(&api);
    let path = format!("/api/v1/cases/{}", id(&case));
    let resolved = json!({ "status": "resolved", "resolution": "Mended" });
    api.patch(&path, &resolved, None).ok();
    for (sin, words) in [
        ("close-no-message", "`resolution-missing` has no message"),
        ("close-bad-field", "`No field` is not a valid field name"),
        ("close-loop", OUT_OF_TIME),
    ] {
        sinner(&api, sin);
        let detail = in_time(sin, words, || {
            let refused = beside_others(&api, sin, || api.patch(&path, &json!({ "status": "closed" }), None));
            let detail = refused.json["detail"].as_str().unwrap().to_owned();
            assert_eq!(refused.problem(503), "PLUGIN_UNAVAILABLE");
            detail
        });
        assert_named(sin, &detail, words);
        assert_eq!(api.get(&path).ok()["status"], "resolved", "`{sin}` closes nothing");
        api.patch(&path, &json!({ "subject": sin }), None).ok();
    }
    sinner(&api, "none");
    let refusal = in_time("none", "", || {
        api.patch(&path, &json!({ "status": "closed" }), None).json["detail"].as_str().unwrap().to_owned()
    });
    assert!(refusal.contains("say what was done"), "a good close check is asked again: {refusal}");
}
