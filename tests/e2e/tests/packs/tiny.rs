//! Every pack before there is anything to judge, and with three customers of one order each: what a company sees that tries them on its first day.
//! A pack answers, or says what it misses; it never fails.

use serde_json::{Value as Json, json};
use trellis_e2e::Response;

use crate::support::World;

/// Everything happened before.
const AS_OF: &str = "2026-06-30";

/// Orders, and whatever else happened, fell on these days.
const DAYS: [&str; 3] = ["2026-01-11", "2026-02-11", "2026-03-11"];

/// Where the plugins stand whose manifest is there.
fn packs() -> Vec<String> {
    let folder = trellis_e2e::root().join("plugins");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let packs = entries.filter(|path| path.join("plugin.toml").is_file());
    let mut names: Vec<String> =
        packs.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(names.len() >= 24, "{names:?}");
    names
}

/// The least that has to be said to a plugin which does not do by itself; `None` where the defaults do.
fn settings(plugin: &str) -> Option<(Json, &'static str)> {
    match plugin {
        "churn-risk" => Some((json!({ "definition": "window", "features": ["industry"] }), "target")),
        "response-model" => Some((json!({ "target": "description", "features": ["industry"] }), "target")),
        _ => None,
    }
}

/// What a run or a question says that it misses: a part of its message; `None` where it has to succeed.
fn misses(customers: usize, plugin: &str, what: &str) -> Option<&'static str> {
    let found = match (plugin, what) {
        ("ab-test", "compare" | "split_check") => "`groups`",
        ("ab-test", "compare_means") => "`first`",
        ("ab-test", "table") => "`table`",
        ("ab-test", "adjust") => "`p`",
        ("ab-test", "sample_size") => "`baseline`",
        ("ab-test", "sample_size_means") => "`delta`",
        ("ab-test", "experiment") => "`group`",
        ("cross-sell", "recommend") => "`basket`",
        ("churn-risk" | "response-model" | "telecom-targeting", "run") => "outcome",
        ("churn-risk", "reasons") => "lost",
        ("lead-score", "run") if customers == 0 => "no lead",
        ("loyalty", "satisfaction") => "no survey",
        ("loyalty", "questionnaire") => "no answer",
        ("cross-sell", "methods") if customers > 0 => "two items",
        ("cross-sell", _) if customers == 0 => "no order line",
        ("key-customers", "cohorts") if customers == 0 => "no order",
        ("customer-clusters", "interest") if customers == 0 => "no customer",
        ("sales-forecast", "win_rates") if customers == 0 => "no opportunity",
        ("sales-forecast", "trend") if customers == 0 => "at least 3 months",
        ("next-best-action", "run") => return None,
        (_, "run") if customers == 0 => "no customer",
        _ => return None,
    };
    Some(found)
}

#[test]
fn every_pack_answers_or_says_what_it_misses() {
    let world = World::new();
    let packs = packs();
    for pack in &packs {
        enable(&world, pack);
        ask_everything(&world, pack, &[]);
    }
    let customers: Vec<String> =
        DAYS.iter().enumerate().map(|(number, day)| customer(&world, number, day)).collect();
    for pack in &packs {
        ask_everything(&world, pack, &customers);
    }
}

/// Enables a plugin, with its defaults or else, where they are refused for what is missing, with the least that it needs.
fn enable(world: &World, pack: &str) {
    let Some((settings, missing)) = settings(pack) else {
        world.server.install(pack, AS_OF, "{}");
        return;
    };
    let file = trellis_e2e::plugin(pack).to_string_lossy().into_owned();
    let refused = world.server.cli(&["plugin", "install", &file, "--enable", "--as-of", AS_OF]);
    assert_ne!(refused.code, Some(0), "{pack}");
    assert!(refused.stderr.contains(missing), "{pack}: {}", refused.stderr);
    world.server.install(pack, AS_OF, &settings.to_string());
}

/// A customer as somebody enters the first one: an order with a line, a person, a lead, a complaint, a deal.
fn customer(world: &World, number: usize, day: &str) -> String {
    let post = |objects: &str, body: Json| -> String {
        let made = world.api.post(&format!("/api/v1/{objects}"), &body);
        made.ok()["id"].as_str().expect("a record has an id").to_owned()
    };
    let name = format!("C{number}");
    let ten = json!({ "amount": "10.00", "currency": "USD" });
    let account = post("accounts", json!({ "external_id": name, "name": name }));
    let product = post("products", json!({ "name": name }));
    let order =
        post("orders", json!({ "account": account, "ordered_on": day, "amount": ten, "quantity": 1 }));
    let line = json!({
        "account": account, "order": order, "ordered_on": day, "product": product, "amount": ten, "quantity": 1
    });
    post("order-lines", line);
    post("contacts", json!({ "account": account, "name": name }));
    post("leads", json!({ "name": name, "status": "new" }));
    post("opportunities", json!({ "account": account, "name": name, "stage": "qualification" }));
    post("cases", json!({ "account": account, "subject": name, "status": "new", "kind": "complaint" }));
    account
}

/// Runs it where it judges customers, has it decide for a campaign where it does so, and puts each of its questions.
fn ask_everything(world: &World, pack: &str, customers: &[String]) {
    let about = world.api.get(&format!("/api/v1/plugins/{pack}")).ok();
    let provides = |name: &str| about["provides"].as_array().unwrap().iter().any(|one| one == name);
    if provides("segmentation") || provides("scoring") {
        let started = world.api.post(&format!("/api/v1/plugins/{pack}/run"), &json!({}));
        if answers(world, started, pack, "run", customers.len()) && provides("model-report") {
            says_in_both_languages(&world.report(pack)["summary"], pack);
        }
        explanations_are_given(world, &about, customers);
    }
    if provides("analysis") {
        let path = format!("/api/v1/plugins/{pack}/analyses");
        for analysis in world.api.get(&path).ok()["data"].as_array().unwrap() {
            let name = analysis["name"].as_str().unwrap();
            let started = world.api.post(&format!("{path}/{name}"), &json!({ "parameters": {} }));
            if answers(world, started, pack, name, customers.len()) {
                let newest = world.api.get(&format!("{path}/{name}/results")).ok()["data"][0].clone();
                says_in_both_languages(&newest["summary"], pack);
            }
        }
    }
    if provides("campaign-rules") {
        decides_for_a_campaign(world, pack, customers);
    }
    let health = world.api.get(&format!("/api/v1/plugins/{pack}")).ok()["health"].clone();
    assert_eq!((&health["state"], &health["strikes"]), (&json!("healthy"), &json!(0)), "{pack}: {health}");
    assert_eq!(health["last_fault"], Json::Null, "{pack}");
    let poison = world.api.get(&format!("/api/v1/plugins/{pack}/poison-rows")).ok();
    assert_eq!(poison["data"], json!([]), "{pack}");
}

/// Whether it succeeded, which is expected or else that it misses something of a name.
#[track_caller]
fn answers(world: &World, started: Response, pack: &str, what: &str, customers: usize) -> bool {
    let missing = misses(customers, pack, what);
    let (code, message) = if started.status == 422 {
        let code = started.json["code"].as_str().unwrap_or_default().to_owned();
        (code, started.json["detail"].as_str().unwrap_or_default().to_owned())
    } else {
        let job = world.api.wait_for_job(started);
        if job["state"] == "succeeded" {
            assert_eq!(missing, None, "{pack}, {what}: it did not miss anything among {customers} customers");
            return true;
        }
        let text = |field: &str| job["error"][field].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    };
    assert!(
        ["VALIDATION_ERROR", "PLUGIN_ERROR"].contains(&code.as_str()),
        "{pack}, {what}: {code} {message}"
    );
    let missing = missing.unwrap_or_else(|| panic!("{pack}, {what}: {message}"));
    assert!(message.contains(missing), "{pack}, {what}: {message}");
    false
}

#[track_caller]
fn says_in_both_languages(text: &Json, pack: &str) {
    let (en, zh) = (text["en"].as_str().unwrap_or_default(), text["zh-CN"].as_str().unwrap_or_default());
    let is_han = |character: char| ('\u{4e00}'..='\u{9fff}').contains(&character);
    assert!(en.len() > 5 && !en.contains(is_han) && zh.contains(is_han), "{pack}: {text}");
    for odd in ["NaN", "inf", "{", "}"] {
        assert!(!en.contains(odd) && !zh.contains(odd), "{pack}: {text}");
    }
}

/// Whoever has a value or a score is told why.
fn explanations_are_given(world: &World, about: &Json, customers: &[String]) {
    let prefix = format!("{}__", about["id"].as_str().unwrap().replace('-', "_"));
    for (list, kind) in [("segmentations", "segmentations"), ("scores", "scores")] {
        let all = world.api.get(&format!("/api/v1/{list}")).ok();
        let names = all["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
        for name in names.filter(|name| name.starts_with(&prefix)) {
            for customer in customers {
                let path = format!("/api/v1/{kind}/{name}/explanations/{customer}");
                let answer = world.api.get(&path);
                assert!([200, 404].contains(&answer.status), "{path}: {}", answer.json);
            }
        }
    }
}

/// Runs a campaign that is only planned, asks about each customer, and what came of it.
fn decides_for_a_campaign(world: &World, pack: &str, customers: &[String]) {
    let campaign = json!({ "name": pack, "status": "planned", "rules_plugin": pack });
    let campaign = world.api.post("/api/v1/campaigns", &campaign).ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/campaigns/{campaign}");
    let job = world.api.wait_for_job(world.api.post(&format!("{path}/run"), &json!({})));
    assert_eq!(job["state"], "succeeded", "{pack}: {job}");
    assert_eq!(job["result"]["customers"], customers.len(), "{pack}: {job}");
    for customer in customers {
        let answer = world.api.get(&format!("{path}/eligibility/{customer}")).ok();
        assert!(answer["eligible"] == json!(true) || answer["cause"].is_string(), "{pack}: {answer}");
    }
    let evaluation = world.api.get(&format!("{path}/evaluation")).ok();
    says_in_both_languages(&evaluation["summary"], pack);
}
