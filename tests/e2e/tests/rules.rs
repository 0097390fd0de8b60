//! Rules of an admin: the samples, and chains of reactions that end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Server, eventually, root};

fn rule(api: &Api, name: &str, trigger: &str, source: &str) -> Json {
    let rule = json!({
        "name": name, "name_zh": "测试规则", "object": "account", "trigger": trigger, "position": 1, "enabled": true, "source": source,
    });
    api.post("/api/v1/rules", &rule).ok()
}

fn events(api: &Api, name: &str) -> Vec<Json> {
    let page = api.get("/api/v1/changes?limit=1000").ok();
    let events = page["data"].as_array().unwrap().iter().filter(|entry| entry["event"]["type"] == name);
    events.cloned().collect()
}

#[test]
fn the_sample_rules_are_tried_switched_on_and_work() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let samples = root().join("examples/rules");
    server.cli(&["rule", "load", &samples.to_string_lossy()]).ok();
    let listed = server.cli(&["rule", "list"]).ok();
    assert!(listed.contains("Phone is required for accounts in China") && listed.contains("off"), "{listed}");

    let api = server.api();
    let without_phone = json!({ "name": "海岚电子", "country": "China" });
    let tried = ["rule", "test", "sample:phone-in-china", "--fields", &without_phone.to_string()];
    let tried = server.cli(&tried).ok();
    assert!(tried.contains("phone-required"), "{tried}");
    assert_eq!(
        api.post("/api/v1/accounts", &without_phone).status,
        201,
        "it is still off, and trying changes nothing"
    );

    server.cli(&["rule", "on", "sample:phone-in-china"]).ok();
    let refused = api.in_language("zh-CN").post("/api/v1/accounts", &without_phone);
    assert_eq!(refused.json["errors"][0]["field"], "phone", "{}", refused.json);
    let text = refused.json.to_string();
    assert_eq!(refused.problem(422), "RULE_VETO");
    assert!(text.contains("中国的客户必须填写电话"), "{text}");
    let with_phone = json!({ "name": "海岚电子", "country": "China", "phone": "+86 10 8000 0000" });
    assert_eq!(api.post("/api/v1/accounts", &with_phone).status, 201);
    assert_eq!(api.post("/api/v1/accounts", &json!({ "name": "Acme", "country": "France" })).status, 201);
    server.cli(&["rule", "off", "sample:phone-in-china"]).ok();
    assert_eq!(api.post("/api/v1/accounts", &without_phone).status, 201, "off again");
}

#[test]
fn a_script_that_cannot_run_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let api = server.api();
    let broken = json!({
        "name": "Broken", "object": "account", "trigger": "before_save", "position": 1, "enabled": true,
        "source": "let a = 1;\nlet b = ;",
    });
    let refused = api.post("/api/v1/rules", &broken);
    assert_eq!(refused.status, 422, "{}", refused.json);
    let text = refused.json.to_string();
    assert!(text.contains("line 2"), "{text}");
    assert_eq!(api.total("rules"), 0);
    let check = |source: &str| {
        let rule = json!({ "object": "account", "trigger": "before_save", "source": source });
        api.post("/api/v1/rules/check", &rule).ok()
    };
    let checked = check("let a = 1;\nlet b = ;");
    assert_eq!((&checked["valid"], &checked["problem"]["line"]), (&json!(false), &json!(2)), "{checked}");
    assert_eq!(check("record.name == ()")["valid"], true);
}

#[test]
fn who_enters_important_keep_gets_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.import_cdnow();
    let samples = root().join("examples/rules");
    server.cli(&["rule", "load", &samples.to_string_lossy()]).ok();
    let on = ["rule", "on", "sample:important-keep-task"];
    assert_ne!(server.cli(&on).code, Some(0), "what it watches is not there yet");
    server.install("retail-rfm", "1997-09-30", "{}");
    server.cli(&on).ok();
    server.cli(&["plugin", "run", "retail-rfm"]).ok();
    let api = server.api();
    assert_eq!(api.total("tasks"), 0, "a first run is no news about anybody");
    // The last model, nine months later: many a good customer has not bought since.
    let later = json!({ "as_of": "1998-06-30", "model": "last" });
    let job = api.wait_for_job(api.post("/api/v1/plugins/retail-rfm/run", &later));
    assert_eq!(job["state"], "succeeded", "{job}");
    let entered: usize = events(&api, "segment.changed")
        .iter()
        .filter(|entry| entry["event"]["data"]["segmentation"] == "retail_rfm__class")
        .map(|entry| {
            let data = &entry["event"]["data"];
            let keep = data["values"]
                .as_array()
                .unwrap()
                .iter()
                .position(|value| value == "important_keep")
                .unwrap()
                + 1;
            data["changes"].as_array().unwrap().iter().filter(|change| change[2] == json!(keep)).count()
        })
        .sum();
    assert!(entered > 0, "somebody became a customer to keep");
    eventually("a task for each of them", || (api.total("tasks") == entered as u64).then_some(()));
    let task = api.get("/api/v1/tasks?limit=1").ok()["data"][0].clone();
    assert!(task["account"].is_string() && task["due_on"].is_string(), "{task}");
}

#[test]
fn a_rule_that_triggers_itself_stops_at_depth_8_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let api = server.api();
    let rule = rule(
        &api,
        "Grows",
        "after_save",
        "set_fields(#{ description: if record.description == () { \"x\" } else { record.description + \"x\" } });",
    );
    let account = api.post("/api/v1/accounts", &json!({ "name": "Acme" })).ok();
    let stopped = eventually("the chain stops", || events(&api, "reaction.stopped").into_iter().next());
    let data = &stopped["event"]["data"];
    assert_eq!(data["chain"].as_array().unwrap().len(), 9, "nine changes, the first from outside: {stopped}");
    assert!(data.to_string().contains(rule["id"].as_str().unwrap()), "{stopped}");
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    assert_eq!(api.get(&path).ok()["description"], "xxxxxxxx", "eight reactions, no ninth");
    assert_eq!(events(&api, "reaction.stopped").len(), 1);
}

#[test]
fn two_rules_that_trigger_each_other_stop_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let api = server.api();
    let flip = |name: &str, from: &str, to: &str| {
        let source = format!("if record.city == \"{from}\" {{ set_fields(#{{ city: \"{to}\" }}); }}");
        rule(&api, name, "after_save", &source)
    };
    let (there, back) = (flip("There", "A", "B"), flip("Back", "B", "A"));
    api.post("/api/v1/accounts", &json!({ "name": "Acme", "city": "A" })).ok();
    let stopped = eventually("the chain stops", || events(&api, "reaction.stopped").into_iter().next());
    let chain = stopped["event"]["data"]["chain"].to_string();
    for rule in [there, back] {
        assert!(chain.contains(rule["id"].as_str().unwrap()), "{chain}");
    }
    assert_eq!(api.get("/api/v1/accounts").status, 200);
}
