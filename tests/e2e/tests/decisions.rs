//! Plugins and rules that decide: each decides on a running server, each decision can be asked why in both languages, and comes out the
//! same when it is made again after a restart.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Server, eventually, root};

fn server(folder: &std::path::Path) -> Server {
    Server::start(&folder.join("data"))
}

/// Loads leads and cases as an admin would.
fn import_service(server: &Server) {
    for (object, file) in [("lead", "leads"), ("case", "cases")] {
        let path = |extension: &str| {
            root().join(format!("examples/service/{file}.{extension}")).to_string_lossy().into_owned()
        };
        server.cli(&["import", object, &path("csv"), "--map", &path("toml")]).ok();
    }
}

fn create(api: &Api, objects: &str, fields: Json) -> Json {
    api.post(&format!("/api/v1/{objects}"), &fields).ok()
}

fn id(record: &Json) -> &str {
    record["id"].as_str().unwrap()
}

/// The decisions of one kind about a record of an object.
fn decisions(api: &Api, object: &str, record: &Json, kind: &str) -> Vec<Json> {
    let page = api.get(&format!("/api/v1/decisions?object={object}&record={}&kind={kind}", id(record))).ok();
    page["data"].as_array().unwrap().clone()
}

fn first_decision(api: &Api, object: &str, record: &Json, kind: &str) -> Json {
    eventually(&format!("a decision `{kind}` about {}", id(record)), || {
        decisions(api, object, record, kind).into_iter().next()
    })
}

fn assert_explained_in_both_languages(server: &Server, path: &str) {
    let texts = ["en", "zh-CN"].map(|language| {
        let answer = server.api().in_language(language).get(path).ok();
        let reasons = answer["reasons"].as_array().unwrap().clone();
        assert!(!reasons.is_empty(), "{path}: {answer}");
        reasons[0]["text"].as_str().unwrap().to_owned()
    });
    assert!(texts[1].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{texts:?}");
    assert_ne!(texts[0], texts[1]);
}

fn assert_replays(server: &Server, decision: &Json) {
    let replay = server.api().post(&format!("/api/v1/decisions/{}/replay", id(decision)), &json!({})).ok();
    assert_eq!(replay["same"], true, "{replay}");
}

#[test]
fn the_value_pyramid_scores_everybody_and_replays_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path());
    first.import_cdnow();
    first.install("value-pyramid", "1998-06-30", "{}");
    first.cli(&["plugin", "run", "value-pyramid"]).ok();
    let api = first.api();
    let score = api.get("/api/v1/scores/value_pyramid__standing").ok();
    let counts: Vec<(String, u64)> = score["bands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|band| (band["value"].as_str().unwrap().to_owned(), band["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 2_357, "{counts:?}");
    let count = |name: &str| counts.iter().find(|(band, _)| band == name).unwrap().1;
    // 1 %, 5 % and 20 % of 2,357 customers, from the top.
    assert!((22..=24).contains(&count("platinum")), "{counts:?}");
    assert!((92..=96).contains(&count("gold")), "{counts:?}");
    assert!((350..=356).contains(&count("iron")), "{counts:?}");

    let top = json!({ "filter": { "field": "band.value_pyramid__standing", "op": "eq", "value": "platinum" }, "limit": 200 });
    let top = api.post("/api/v1/accounts/search", &top).ok();
    assert_eq!(top["data"].as_array().unwrap().len() as u64, count("platinum"));
    let why = format!("/api/v1/scores/value_pyramid__standing/explanations/{}", id(&top["data"][0]));
    assert_explained_in_both_languages(&first, &why);
    let rules = api.get("/api/v1/scores/value_pyramid__standing/rules").ok();
    assert!(rules["markdown"].as_str().unwrap().len() > 40, "{rules}");

    first.stop();
    let second = server(folder.path());
    let replay = second.cli(&["plugin", "replay", "value-pyramid"]).ok();
    assert!(replay.contains("the same bytes for 2357 customers"), "{replay}");
}

#[test]
fn a_complaint_is_triaged_suggested_for_and_may_not_be_closed_early() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path());
    first.import_cdnow();
    import_service(&first);
    first.install("complaint-desk", "now", "{}");
    let api = first.api();
    let account = api.get("/api/v1/accounts?limit=1").ok()["data"][0].clone();
    let case = create(
        &api,
        "cases",
        json!({
            "subject": "The parcel arrived damaged", "account": id(&account), "status": "new", "kind": "complaint",
            "dissatisfaction": "legal_action", "what_happened": "Broken on arrival",
        }),
    );
    let path = format!("/api/v1/cases/{}", id(&case));
    let triaged = first_decision(&api, "case", &case, "triage");
    assert_explained_in_both_languages(&first, &format!("/api/v1/decisions/{}", id(&triaged)));
    let severe = eventually("the severity of the case", || {
        let case = api.get(&path).ok();
        (!case["severity"].is_null()).then_some(case)
    });
    assert_eq!(severe["severity"], "critical", "{severe}");
    assert_eq!(severe["customer_kind"], "existing", "the customer has orders: {severe}");
    let tasks = eventually("a task about the case", || {
        let tasks = json!({ "filter": { "field": "case", "op": "eq", "value": id(&case) } });
        let tasks = api.post("/api/v1/tasks/search", &tasks).ok()["data"].as_array().unwrap().clone();
        (!tasks.is_empty()).then_some(tasks)
    });
    let task = format!("/api/v1/tasks/{}", id(&tasks[0]));
    assert_eq!(api.get(&task).status, 200);

    let suggestions = api.get(&format!("{path}/suggestions")).ok();
    let suggestion = &suggestions["data"][0];
    assert!(!suggestion["actions"].as_array().unwrap().is_empty(), "{suggestions}");
    let before = api.total("tasks");
    let choice = json!({ "plugin": "complaint-desk", "name": suggestion["name"] });
    let applied = api.post(&format!("{path}/suggestions"), &choice).ok();
    assert_eq!(applied["actions"][0]["state"], "applied", "{applied}");
    assert!(api.total("tasks") > before, "the suggestion makes a task: {applied}");

    let before = api.get(&path).ok();
    let closed = api.in_language("zh-CN").patch(&path, &json!({ "status": "closed" }), None);
    let text = closed.json.to_string();
    assert_eq!(closed.problem(422), "PLUGIN_VETO");
    assert!(text.contains("complaint-desk"), "{text}");
    assert_eq!(api.get(&path).ok(), before, "a veto leaves nothing behind");

    first.stop();
    let second = server(folder.path());
    assert_replays(&second, &triaged);
    for refused in decisions(&second.api(), "case", &case, "close_check") {
        assert_replays(&second, &refused);
    }
}

#[test]
fn a_lead_is_converted_only_with_money_authority_and_need() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path());
    first.import_cdnow();
    first.install("b2b-gate", "now", "{}");
    import_service(&first);
    let api = first.api();
    assert_eq!(api.total("leads"), 60, "an import asks the plugin too, and none of the sample is converted");
    let lead = create(&api, "leads", json!({ "name": "Ann", "status": "contacted", "money_grade": "yes" }));
    let path = format!("/api/v1/leads/{}", id(&lead));
    let head = |api: &Api| api.get("/api/v1/changes?limit=1000").ok()["data"].as_array().map(Vec::len);
    let entries = head(&api);
    let refused = api.in_language("zh-CN").patch(&path, &json!({ "status": "converted" }), None);
    assert_eq!(refused.status, 422, "{}", refused.json);
    assert_eq!(refused.json["code"], "PLUGIN_VETO");
    assert_eq!(refused.json["plugin"], "b2b-gate", "{}", refused.json);
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{detail}");
    assert_eq!(api.get(&path).ok()["status"], "contacted");
    assert_eq!(head(&api), entries, "a veto leaves nothing behind");
    let veto = first_decision(&api, "lead", &lead, "veto");
    assert_explained_in_both_languages(&first, &format!("/api/v1/decisions/{}", id(&veto)));
    let grades = json!({ "authority_grade": "yes", "need_grade": "yes" });
    api.patch(&path, &grades, None).ok();
    assert_eq!(api.patch(&path, &json!({ "status": "converted" }), None).ok()["status"], "converted");
    first.stop();
    assert_replays(&server(folder.path()), &veto);
}

#[test]
fn a_win_back_campaign_leaves_out_who_has_an_open_severe_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path());
    first.import_cdnow();
    first.install("win-back", "now", "{}");
    let api = first.api();
    let campaign =
        json!({ "name": "Come back", "status": "active", "channel": "email", "rules_plugin": "win-back" });
    let campaign = create(&api, "campaigns", campaign);
    let path = format!("/api/v1/campaigns/{}", id(&campaign));
    let job = api.wait_for_job(api.post(&format!("{path}/run"), &json!({})));
    assert_eq!(job["state"], "succeeded", "{job}");
    let members = api.total("campaign-members");
    assert!(members > 500, "everybody in the sample stopped buying long ago: {members}");
    let messages =
        eventually("messages in the outbox", || Some(api.total("messages")).filter(|count| *count > 0));
    assert!(messages < members, "a hold-out group hears nothing");
    let again = api.wait_for_job(api.post(&format!("{path}/run"), &json!({})));
    assert_eq!(again["state"], "succeeded", "{again}");
    assert_eq!(api.total("campaign-members"), members, "nobody becomes a member twice");

    // Who is in the hold-out group stays planned; whoever got an offer was contacted at once.
    let planned = api.get("/api/v1/campaign-members?limit=1&filter[status]=planned").ok()["data"][0].clone();
    assert_eq!(planned["variant"], Json::Null, "{planned}");
    let account = planned["account"].as_str().unwrap();
    let why = format!("{path}/eligibility/{account}");
    assert_eq!(api.get(&why).ok()["eligible"], true);
    assert_explained_in_both_languages(&first, &why);
    let case = json!({
        "subject": "Never again", "account": account, "status": "open", "kind": "complaint", "severity": "critical",
    });
    let case = create(&api, "cases", case);
    let member = format!("/api/v1/campaign-members/{}", id(&planned));
    let suppressed = eventually("the member is suppressed", || {
        let member = api.get(&member).ok();
        (member["status"] == "suppressed").then_some(member)
    });
    assert_eq!(suppressed["cause"], "open-severe-complaint", "{suppressed}");
    assert_eq!(suppressed["variant"], planned["variant"], "the variant stays");
    assert_eq!(api.get(&why).ok()["eligible"], false);
    let eligibility = first_decision(&api, "campaign_member", &planned, "eligibility");
    let solved = json!({ "status": "resolved", "resolution": "Replaced and apologised" });
    api.patch(&format!("/api/v1/cases/{}", id(&case)), &solved, None).ok();
    eventually("the member is back", || (api.get(&member).ok()["status"] != "suppressed").then_some(()));

    let evaluation = api.get(&format!("{path}/evaluation")).ok();
    assert_eq!(evaluation["members"], members, "{evaluation}");
    assert!(!evaluation["metrics"].as_array().unwrap().is_empty(), "{evaluation}");
    first.stop();
    assert_replays(&server(folder.path()), &eligibility);
}
