//! Who is about to leave is told to somebody, once, and why customers left is asked and counted.

use serde_json::{Value as Json, json};
use trellis_e2e::eventually;

use crate::support::{Table, World, metric};

/// Sixty customers worth 1 to 60: with a monthly plan they left, with a yearly one they stayed. Of the last ten and of the second nobody knows yet.
fn world() -> (World, Json) {
    let world = World::new();
    let row = |number: usize| {
        let plan = if number.is_multiple_of(2) { "month" } else { "year" };
        let gone = match (number, plan) {
            (1 | 50.., _) => "",
            (_, "month") => "yes",
            _ => "no",
        };
        vec![plan.to_owned(), (number + 1).to_string(), gone.to_owned()]
    };
    let header = ["plan", "worth", "gone"].map(str::to_owned).to_vec();
    let fields = world.import_accounts(&Table { header, rows: (0..60).map(row).collect() }, "club");
    let config = json!({
        "target": fields["gone"], "features": [fields["plan"]], "value": fields["worth"], "model": "tree",
        "min_leaf": 5, "holdout_percent": 0, "retention_cost": 2, "retention_benefit": 10
    });
    world.enable("churn-risk", "now", &config);
    (world, config)
}

fn account(world: &World, number: usize) -> String {
    let search = json!({ "filter": { "field": "external_id", "op": "eq", "value": number.to_string() } });
    let found = world.api.post("/api/v1/accounts/search", &search).ok();
    format!("/api/v1/accounts/{}", found["data"][0]["id"].as_str().expect("it was imported"))
}

/// Gives a customer a plan and waits until the cell of the matrix follows.
fn change_plan(world: &World, path: &str, plan: &str, cell: &str) {
    world.api.patch(path, &json!({ "club_plan": plan }), None).ok();
    let asked = format!("{path}?fields=segment.risk_value");
    eventually("the cell follows", || {
        (world.api.get(&asked).ok()["segment.risk_value"] == cell).then_some(())
    });
}

/// R166, R168.
#[test]
fn a_customer_worth_keeping_who_crosses_into_high_risk_gets_a_task_once() {
    let (world, _) = world();
    assert_ne!(world.server.cli(&["rule", "on", "churn-risk:no-such-rule"]).code, Some(0));
    world.server.cli(&["rule", "on", "churn-risk:early-warning"]).ok();
    let (valued, other, cheap) = (account(&world, 51), account(&world, 53), account(&world, 1));
    change_plan(&world, &valued, "month", "high_risk_high_value");
    eventually("a task", || (world.api.total("tasks") == 1).then_some(()));
    let task = world.api.get("/api/v1/tasks?limit=1").ok()["data"][0].clone();
    assert_eq!(task["account"].as_str(), valued.rsplit('/').next(), "{task}");
    assert_eq!((task["priority"].as_str(), task["status"].as_str()), (Some("high"), Some("open")), "{task}");

    // Who is of low value may go, and who comes back and crosses again within the month was told of already.
    change_plan(&world, &cheap, "month", "high_risk_low_value");
    change_plan(&world, &valued, "year", "low_risk_high_value");
    change_plan(&world, &valued, "month", "high_risk_high_value");
    change_plan(&world, &other, "month", "high_risk_high_value");
    let of = |path: &str| {
        let id = path.rsplit('/').next().unwrap().to_owned();
        let search = json!({ "filter": { "field": "account", "op": "eq", "value": id }, "limit": 1, "count": "exact" });
        world.api.post("/api/v1/tasks/search", &search).ok()["total"].as_u64().unwrap()
    };
    // Rules follow the log in its order: where the last customer has a task, all before have had theirs.
    eventually("a task for the last one", || (of(&other) == 1).then_some(()));
    assert_eq!((of(&valued), of(&cheap), world.api.total("tasks")), (1, 0, 2));
}

/// R42, R43.
#[test]
fn a_lost_customer_needs_a_reason_and_the_reasons_are_counted_against_the_limit() {
    let (world, _) = world();
    let lost = account(&world, 59);
    world.server.cli(&["rule", "on", "churn-risk:reason-required"]).ok();
    let save = |fields: Json| world.api.patch(&lost, &fields, None);
    let refused = save(json!({ "churn_risk__left_on": "2026-06-01" }));
    assert_eq!(refused.json["errors"][0]["field"], "churn_risk__reason", "{}", refused.json);
    assert_eq!(refused.problem(422), "RULE_VETO");
    let other = json!({ "churn_risk__left_on": "2026-06-01", "churn_risk__reason": "other" });
    assert_eq!(save(other).problem(422), "RULE_VETO");
    save(json!({ "churn_risk__left_on": "2026-06-01", "churn_risk__reason": "price" })).ok();
    let ask = |limit: f64| {
        world.analyse("churn-risk", "churn_reasons", &json!({ "days": 3650, "limit_percent": limit }))
    };
    let report = ask(1.0);
    assert_eq!((metric(&report, "customers"), metric(&report, "lost")), (60.0, 1.0));
    assert_eq!((metric(&report, "lost_value"), metric(&report, "exceeded")), (60.0, 1.0));
    assert!(report["summary"].to_string().contains("The most frequent reason is price"), "{report}");
    let told = || world.api.get("/api/v1/notifications?limit=200").ok()["data"].to_string();
    let before = told();
    assert!(report["warnings"][0]["en"].as_str().unwrap().contains("1.7 % of all customers"), "{report}");
    assert!(before.contains("1.7 % of all customers"), "{before}");
    let best = ask(5.0);
    assert_eq!((metric(&best, "exceeded"), best["warnings"].as_array().unwrap().len()), (0.0, 1));
    assert!(best["warnings"][0]["zh-CN"].as_str().unwrap().contains("高价值客户流失 8.3%"), "{best}");
    let before = told();
    assert_eq!(ask(10.0)["warnings"], json!([]));
    assert_eq!(told(), before);
}

/// The model's report says how the field was read and from which risk on a contact pays.
#[test]
fn the_report_says_how_the_outcome_was_read_and_what_retaining_brings() {
    let (world, config) = world();
    let report = world.report("churn-risk");
    assert_eq!(metric(&report, "break_even"), 20.0);
    assert_eq!(metric(&report, "best_profit"), 25.0 * (10.0 - 2.0));
    let values = crate::support::column(&report, "outcome_values", "meaning");
    assert_eq!(values, [json!("lost"), json!("stayed")]);
    let run = |changes: Json| {
        let mut config = config.clone();
        config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        world.api.wait_for_job(world.api.post("/api/v1/plugins/churn-risk/run", &json!({ "config": config })))
    };
    for (changes, word) in [
        (json!({ "lost_values": ["cancelled"] }), "nothing that `club_gone` has (yes, no) means so"),
        (json!({ "group": "club_worth" }), "`group` is the field `club_worth`"),
        (json!({ "tenure": "club_plan" }), "`tenure` is the field `club_plan`"),
    ] {
        let job = run(changes);
        assert_eq!(job["state"], "failed", "{job}");
        assert!(job.to_string().contains(word), "{job}");
    }
}
