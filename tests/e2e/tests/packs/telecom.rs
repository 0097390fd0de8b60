//! A mobile operator: customers imported, the rule that was planted found in words, and its leaf made the audience of a campaign in one call.

use serde_json::{Value as Json, json};
use trellis_e2e::root;

use crate::support::{World, column, metric};

const AS_OF: &str = "2026-06-30";

/// The 5,000 made-up customers of `examples/telecom`, and what the trees say about them.
fn operator() -> World {
    let world = World::new();
    world.server.install("telecom-targeting", AS_OF, "{}");
    let folder = root().join("examples/telecom");
    world.import_mapped("account", &folder.join("customers.csv"), &folder.join("customers.toml"));
    let job = world.api.run_plugin("telecom-targeting");
    assert_eq!(job["state"], "succeeded", "{job}");
    world
}

/// How many customers a filter matches.
fn count(world: &World, filter: &Json) -> u64 {
    let asked = json!({ "filter": filter, "limit": 1, "count": "exact" });
    world.api.post("/api/v1/accounts/search", &asked).ok()["total"].as_u64().unwrap()
}

#[test]
fn the_planted_rule_is_found_and_its_leaf_becomes_an_audience_in_one_call() {
    let world = operator();
    let report = world.report("telecom-targeting");
    let rule = column(&report, "leaves", "rule")[0].to_string();
    let probability = column(&report, "leaves", "probability")[0].as_f64().unwrap();
    assert!((80.0..=100.0).contains(&probability), "{probability}");
    for (en, zh) in [
        ("Age", "年龄"),
        ("Occupation", "职业"),
        ("Average monthly bill", "月均话费"),
        ("Monthly income", "月收入"),
    ] {
        assert!(rule.contains(en) || rule.contains(zh), "{en} is not in {rule}");
    }
    let summary = report["summary"].to_string();
    assert!(summary.contains("Occupation is Sales") && summary.contains("职业为销售"), "{summary}");
    assert!(metric(&report, "usage_r2") > 0.9);
    assert_eq!(column(&report, "leaves", "leaf")[0], "leaf_001", "the likeliest leaf is the first one");

    let leaf = json!({ "field": "segment.telecom_targeting__leaf", "op": "eq", "value": "leaf_001" });
    let unused = json!({ "field": "telecom_targeting__uses_service", "op": "eq", "value": false });
    let wanted = count(&world, &json!({ "and": [leaf, unused] }));
    assert!((5..count(&world, &leaf) / 2).contains(&wanted), "{wanted}");

    let path = "/api/v1/segments/telecom_targeting__leaf/leaf_001/campaign";
    let body = json!({ "campaign": { "name": "Try it", "status": "planned", "rules_plugin": "ab-test" }, "only": unused });
    let made = world.api.post(path, &body).ok();
    assert_eq!((&made["customers"], &made["follows"]), (&json!(wanted), &json!(false)));
    assert_eq!(made["segment"]["label"]["zh-CN"], "叶节点 1（概率最高）");
    let campaign = format!("/api/v1/campaigns/{}", made["campaign"].as_str().unwrap());
    let audience = world.api.get(&campaign).ok()["audience"].clone();
    assert_eq!(count(&world, &audience), wanted);

    world.enable("ab-test", AS_OF, &json!({}));
    let job = world.api.wait_for_job(world.api.post(&format!("{campaign}/run"), &json!({})));
    assert_eq!((&job["state"], &job["result"]["customers"]), (&json!("succeeded"), &json!(wanted)), "{job}");

    // Another model has other leaves; whom the campaign is for stays as it was, unless it was to follow.
    let mut following = body.clone();
    following["follows"] = json!(true);
    let follows = world.api.post(path, &following).ok();
    world.server.install("telecom-targeting", AS_OF, r#"{"max_depth": 1}"#);
    assert_eq!(world.api.run_plugin("telecom-targeting")["state"], "succeeded");
    let now = count(&world, &json!({ "and": [leaf, unused] }));
    assert_ne!(now, wanted, "a tree with one question has larger leaves");
    assert_eq!(count(&world, &audience), wanted);
    let follows = format!("/api/v1/campaigns/{}", follows["campaign"].as_str().unwrap());
    assert_eq!(count(&world, &world.api.get(&follows).ok()["audience"]), now);
}

#[test]
fn a_campaign_of_a_segment_says_what_is_wrong_and_makes_nothing() {
    let world = operator();
    let campaigns = world.api.total("campaigns");
    let body = json!({ "campaign": { "name": "Try it", "status": "planned" } });
    let call =
        |segment: &str, body: &Json| world.api.post(&format!("/api/v1/segments/{segment}/campaign"), body);
    assert_eq!(call("no_such/leaf_001", &body).status, 404);
    assert_eq!(call("telecom_targeting__leaf/no_such", &body).status, 404);
    assert_eq!(call("telecom_targeting__leaf/leaf_127", &body).status, 422, "nobody is in it");
    let leaf = "telecom_targeting__leaf/leaf_001";
    assert_eq!(call(leaf, &json!({ "campaign": { "status": "planned" } })).status, 422, "it has no name");
    let audience = json!({ "campaign": { "name": "Try it", "status": "planned", "audience": {} } });
    assert_eq!(call(leaf, &audience).problem(422), "VALIDATION_ERROR");
    let mut only = body.clone();
    only["only"] = json!({ "field": "no_such", "op": "eq", "value": 1 });
    assert_eq!(call(leaf, &only).status, 400, "no field of accounts");
    assert_eq!(world.api.total("campaigns"), campaigns);
    assert_eq!(world.api.get("/api/v1/segmentations").ok()["data"].as_array().unwrap().len(), 2);
}
