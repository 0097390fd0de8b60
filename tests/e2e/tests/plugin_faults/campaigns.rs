//! Campaigns: the run fails before anybody becomes a member, and other campaigns go on.

use serde_json::{Value as Json, json};
use trellis_e2e::Api;

use crate::{OUT_OF_TIME, assert_named, assert_refused, beside_others, id, in_time, server, works_again};

const RUN: [(&str, &str); 16] = [
    ("eligible-wrong-lengths", "eligibility of 49 of 50 rows"),
    ("eligible-two", "row 0 is 2, which is neither 0 nor 1"),
    ("eligible-no-cause", "does not take part and has no cause"),
    ("eligible-bad-cause", "cause `Because I say so` is not of the form"),
    ("eligible-wrong-name", "column `excuse` where `cause` belongs"),
    ("eligible-invalid-utf8", "column `cause`: text 0 is not UTF-8"),
    ("eligible-bad-failed-row", "failed row 50 of 50 rows"),
    ("eligible-loop", OUT_OF_TIME),
    ("variant-many", "21 variants, at most 20"),
    ("variant-bad-name", "variant `Plan B` is not of the form"),
    ("variant-bad-codes", "code 9 in row 0, but there are 2 values"),
    ("variant-wrong-lengths", "24 codes for 25 rows"),
    ("action-other-row", "actions for row 25 of 25 rows"),
    ("action-row-twice", "row 0 is there twice"),
    ("action-storm", "returned 21 actions for row 0, at most 20 are allowed (`actions_per_row_max`)"),
    ("action-bad-id", "`whoever is there` is not a record id"),
];

/// Creates an active campaign that the guest decides with this sin; the path of the campaign.
fn campaign(api: &Api, sin: &str) -> String {
    let campaign = json!({
        "name": sin, "status": "active", "channel": "email", "rules_plugin": "hostile", "rules_config": { "sin": sin },
    });
    format!("/api/v1/campaigns/{}", id(&api.post("/api/v1/campaigns", &campaign).ok()))
}

fn run(api: &Api, campaign: &str) -> Json {
    api.wait_for_job(api.post(&format!("{campaign}/run"), &json!({})))
}

#[test]
fn a_bad_decision_fails_its_campaign_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    for (sin, words) in RUN {
        let path = campaign(&api, sin);
        let message = in_time(sin, words, || {
            let job = beside_others(&api, sin, || run(&api, &path));
            let (state, code) = (&job["state"], &job["error"]["code"]);
            assert_eq!((state, code), (&json!("failed"), &json!("PLUGIN_FAULT")), "{sin}: {job}");
            job["error"]["message"].as_str().unwrap().to_owned()
        });
        assert_named(sin, &message, words);
        assert_eq!(api.total("campaign-members"), 0, "`{sin}` makes nobody a member");
        assert_eq!(api.total("tasks"), 0, "`{sin}` has nothing done");
    }
    let good = run(&api, &campaign(&api, "none"));
    assert_eq!((&good["state"], &good["result"]["eligible"]), (&json!("succeeded"), &json!(25)), "{good}");
    assert_eq!(api.total("campaign-members"), 25, "the next campaign works");
}

#[test]
fn a_bad_answer_about_a_campaign_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let api = server.api();
    let account = api.get("/api/v1/accounts?limit=1").ok()["data"][0].clone();
    let eligibility = format!("eligibility/{}", id(&account));
    for (sin, question, words) in [
        ("campaign-many-reasons", eligibility.as_str(), "row 0: 6 reasons, at most 5"),
        ("evaluate-nan", "evaluation", "metric `members` is NaN"),
    ] {
        let path = format!("{}/{question}", campaign(&api, sin));
        assert_refused(&api, sin, &path, words);
        let good = format!("{}/{question}", campaign(&api, "none"));
        works_again(sin, || api.get(&good));
    }
}
