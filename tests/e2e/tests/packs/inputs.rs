//! Scores of one pack as inputs of another: lifetime value in the matrix of churn risk, and both in the choice of an action.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};
use trellis_e2e::{cdnow, eventually};

use crate::support::{Table, World, close, number};

/// The last day of the purchases.
const END: &str = "1998-06-30";
const CUSTOMERS: usize = 80;

const CLV: &str = "score.customer_lifetime__clv";
const RISK: &str = "score.churn_risk__churn_risk";
const AT_RISK: &str = "score.churn_risk__value_at_risk";
const GAIN: &str = "score.next_best_action__expected_gain";

/// The first customers of the sample with their purchases, and with plans: those with a monthly one left, but for the last, of whom
/// nobody knows yet.
fn world() -> (World, Json) {
    let world = World::new();
    let row = |number: usize| {
        let plan = if number.is_multiple_of(2) { "month" } else { "year" };
        let gone = match (number, plan) {
            (70.., _) => "",
            (_, "month") => "yes",
            _ => "no",
        };
        vec![plan.to_owned(), gone.to_owned()]
    };
    let header = ["plan", "gone"].map(str::to_owned).to_vec();
    let fields = world.import_accounts(&Table { header, rows: (0..CUSTOMERS).map(row).collect() }, "club");
    let mut numbers = HashMap::new();
    let mut file = csv::Reader::from_path(cdnow("cdnow_sample_transactions.csv")).unwrap();
    let orders = file.records().filter_map(|order| {
        let order = order.unwrap();
        let next = numbers.len();
        let number = *numbers.entry(order[0].to_owned()).or_insert(next);
        (number < CUSTOMERS).then(|| vec![number.to_string(), order[2].to_owned(), order[4].to_owned()])
    });
    let orders: Vec<_> = orders.collect();
    let columns = ["account", "ordered_on", "amount"];
    world.import("order", &columns, orders.into_iter(), &[("account", "external_id")]);
    let config = json!({
        "target": fields["gone"], "features": [fields["plan"]], "value": CLV, "model": "tree",
        "min_leaf": 5, "holdout_percent": 0
    });
    (world, config)
}

/// What the results of everybody are: numbers by external id, of those who have all of them.
fn found(world: &World, scores: &[&str]) -> BTreeMap<String, Vec<f64>> {
    let results = world.results(scores);
    let numbers = |row: &serde_json::Map<String, Json>| {
        scores.iter().map(|score| row[*score].as_f64()).collect::<Option<Vec<_>>>()
    };
    results.iter().filter_map(|(id, row)| Some((id.clone(), numbers(row)?))).collect()
}

/// Waits until everybody's value at risk is the lifetime value times the risk, and every action is worth the same; returns the sum of it.
fn settled(world: &World, what: &str) -> f64 {
    eventually(what, || {
        let (found, gains) = (found(world, &[CLV, RISK, AT_RISK]), world.results(&[GAIN]));
        let fits = |(id, row): (&String, &Vec<f64>)| {
            // An action that gains nothing is none.
            let gain = gains[id][GAIN].as_f64().unwrap_or_default();
            let product = row[0] * row[1] / 100.0;
            (row[2] - product).abs() <= 1e-6 * product && (gain - product).abs() <= 1e-6 * product
        };
        (found.len() == CUSTOMERS && found.iter().all(fits))
            .then(|| found.values().map(|row| row[2]).sum::<f64>())
    })
}

fn refused(world: &World, plugin: &str, settings: &Json) -> String {
    let answer = world.api.post(&format!("/api/v1/plugins/{plugin}/enable"), settings);
    assert_eq!(answer.status, 422, "{}", answer.json);
    answer.json.to_string()
}

fn inputs(world: &World, plugin: &str) -> Json {
    let job = world.api.run_plugin(plugin);
    assert_eq!(job["state"], "succeeded", "{job}");
    job["result"]["inputs"].clone()
}

/// R126, R164, R170, R173.
#[test]
fn lifetime_value_and_risk_of_other_packs_are_read_and_followed() {
    let (world, churn) = world();
    world.server.cli(&["plugin", "install", &trellis_e2e::plugin("churn-risk").to_string_lossy()]).ok();
    let missing = refused(&world, "churn-risk", &json!({ "config": churn }));
    assert!(missing.contains("no score or segmentation `score.customer_lifetime__clv`"), "{missing}");
    world.enable("customer-lifetime", END, &json!({}));
    world.enable("churn-risk", "now", &churn);
    let action = json!({
        "name": "keep", "label_en": "Keep", "label_zh": "挽留", "channel": "task",
        "probability_field": RISK, "probability_unit": "percent", "gain_field": CLV,
    });
    let actions = json!({ "fields": [RISK, CLV], "actions": [action] });
    world.enable("next-best-action", "now", &actions);
    let first = settled(&world, "the value at risk is lifetime value times risk");
    assert!(first > 0.0);
    assert_eq!(inputs(&world, "churn-risk"), json!({ CLV: "current" }));

    // The best fifth by lifetime value is of high value.
    let mut by_value: Vec<_> = found(&world, &[CLV]).into_iter().map(|(id, row)| (row[0], id)).collect();
    by_value.sort_by(|one, other| other.0.total_cmp(&one.0));
    let cells = world.results(&["segment.risk_value"]);
    for (place, (_, id)) in by_value.iter().enumerate() {
        let cell = cells[id]["segment.risk_value"].as_str().unwrap();
        assert_eq!(cell.ends_with("high_value"), place < CUSTOMERS / 5, "{place}: {cell}");
    }

    // A change of one customer goes on over both packs, and one of the whole score too.
    let of = |id: &str| found(&world, &[RISK])[id][0];
    let (before, search) =
        (of("71"), json!({ "filter": { "field": "external_id", "op": "eq", "value": "71" } }));
    let account = world.api.post("/api/v1/accounts/search", &search).ok()["data"][0]["id"].clone();
    let path = format!("/api/v1/accounts/{}", account.as_str().unwrap());
    world.api.patch(&path, &json!({ "club_plan": "month" }), None).ok();
    eventually("the risk follows", || (of("71") > before + 20.0).then_some(()));
    settled(&world, "the action follows the risk of a customer");
    quietly(&world, "73");
    let second = settled(&world, "the action follows the risk of another");
    assert!(second > first);
    world.judge("customer-lifetime", END, &json!({ "margin_percent": 50 }));
    let half = settled(&world, "everybody follows the new lifetime values");
    close(half, second / 2.0, 1e-6, 0.0, "half the margin, half the value");
    refusals(&world, &churn, &actions);
    absence(&world, half);
    personal(&world, &churn, &actions);
}

/// What was told since a cursor of who entered or left a segment or crossed a band, and the cursor of the end.
fn transitions(world: &World, after: &str) -> (Vec<Json>, String) {
    let (mut told, mut cursor) = (Vec::new(), after.to_owned());
    loop {
        let page = world.api.get(&format!("/api/v1/changes?after={cursor}&limit=1000")).ok();
        let is_told = |entry: &&Json| {
            entry["event"]["type"] == "segment.changed" || entry["event"]["type"] == "score.crossed"
        };
        told.extend(page["data"].as_array().unwrap().iter().filter(is_told).cloned());
        page["page"]["next"].as_str().unwrap().clone_into(&mut cursor);
        if page["page"]["more"] == false {
            return (told, cursor);
        }
    }
}

/// What is changed without automations stays silent over both packs.
fn quietly(world: &World, id: &str) {
    let (_, before) = transitions(world, "0");
    let filter = json!({ "field": "external_id", "op": "eq", "value": id });
    let change = json!({ "filter": filter, "set": { "club_plan": "month" }, "automations": false });
    let job = world.api.wait_for_job(world.api.post("/api/v1/accounts/bulk", &change));
    assert_eq!(job["state"], "succeeded", "{job}");
    let of_action = |entry: &&Json| entry.to_string().contains("next_best_action");
    let told = eventually("the action follows", || {
        let (told, _) = transitions(world, &before);
        told.iter().any(|entry| of_action(&entry)).then_some(told)
    });
    assert!(told.iter().all(|entry| entry["cause"]["automations_off"] == true), "{told:?}");
}

/// Circles and past days.
fn refusals(world: &World, churn: &Json, actions: &Json) {
    let mut round = churn.clone();
    round["features"] = json!(["club_plan", GAIN]);
    let circle = refused(world, "churn-risk", &json!({ "config": round }));
    for step in [format!("`churn-risk` reads `{GAIN}`"), format!("`next-best-action` reads `{RISK}`")] {
        assert!(circle.contains(&step), "{circle}");
    }
    let past = refused(world, "next-best-action", &json!({ "config": actions, "as_of": END }));
    assert!(past.contains("which is known as it is now"), "{past}");
    let run = world.api.post("/api/v1/plugins/next-best-action/run", &json!({ "as_of": END }));
    assert!(run.json.to_string().contains("which is known as it is now"), "{}", run.json);
    let grants = json!({ "config": churn, "grants": [] });
    let asked = world.api.post("/api/v1/plugins/churn-risk/enable", &grants).json.to_string();
    assert!(asked.contains("score:account(customer_lifetime__clv)"), "{asked}");
}

/// While the publisher is away its last values are read, or none.
fn absence(world: &World, sum: f64) {
    world.api.post("/api/v1/plugins/customer-lifetime/disable", &json!({})).ok();
    assert_eq!(inputs(world, "churn-risk"), json!({ CLV: "stale" }));
    close(settled(world, "the last values"), sum, 1e-9, 0.0, "the last values");
    let clear = json!({ "as_of": END, "absent": { "scoring": "clear" } });
    world.api.post("/api/v1/plugins/customer-lifetime/enable", &clear).ok();
    world.api.post("/api/v1/plugins/customer-lifetime/disable", &json!({})).ok();
    eventually("nobody has a value", || found(world, &[AT_RISK]).is_empty().then_some(()));
    assert_eq!(inputs(world, "churn-risk"), json!({ CLV: "cleared" }));
    world.api.post("/api/v1/plugins/customer-lifetime/enable", &clear).ok();
    close(settled(world, "the values are back"), sum, 1e-9, 0.0, "the values are back");
    assert!(number(&world.results(&[CLV])["1"][CLV]) > 0.0);
}

/// A score that is made of personal data is read by whom an admin grants it by name.
fn personal(world: &World, churn: &Json, actions: &Json) {
    let label = json!({ "en": "Mood", "zh-CN": "情绪" });
    let field = json!({ "name": "club_mood", "label": label, "type": "text", "personal_data": true });
    world.api.post("/api/v1/metadata/objects/account/fields", &field).ok();
    let requests = |plugin: &str| {
        let about = world.api.get(&format!("/api/v1/plugins/{plugin}")).ok();
        about["requests"].as_array().unwrap().clone()
    };
    let mut config = churn.clone();
    config["features"] = json!(["club_plan", "club_mood"]);
    let mut grants: Vec<Json> =
        requests("churn-risk").iter().map(|request| request["grant"].clone()).collect();
    grants.extend([json!("data:account(club_mood)"), json!("personal:account(club_mood)")]);
    let switch = json!({ "config": config, "grants": grants });
    world.api.post("/api/v1/plugins/churn-risk/enable", &switch).ok();

    let asked = requests("next-best-action");
    let of_risk = asked.iter().find(|one| one["grant"] == "score:account(churn_risk__churn_risk)").unwrap();
    assert_eq!(of_risk["personal"], true, "{of_risk}");
    let unnamed = world.api.post("/api/v1/plugins/next-best-action/enable", &json!({ "config": actions }));
    let told = unnamed.json.to_string();
    assert!(unnamed.status >= 400 && told.contains("score:account(churn_risk__churn_risk)"), "{told}");
    let grants: Vec<_> = asked.iter().map(|request| &request["grant"]).collect();
    let named = json!({ "config": actions, "grants": grants });
    world.api.post("/api/v1/plugins/next-best-action/enable", &named).ok();
}
