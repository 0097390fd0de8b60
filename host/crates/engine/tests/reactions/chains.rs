//! Reactions that lead to reactions.

use serde_json::json;
use trellis_engine::{ActionState, DecisionKind};

use crate::support::World;

/// Counts in a text field how often a rule was there.
fn mark(field: &str) -> String {
    format!(
        "set_fields(#{{ {field}: (if record.{field} == () {{ \"\" }} else {{ record.{field} }}) + \"x\" }});"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_triggers_itself_stops_and_says_why() {
    let world = World::new().await;
    let rule = world.rule("account", "after_save", &mark("city"), json!({})).await;
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    assert_eq!(world.fields("account", account.id).await["city"], json!("xxxxxxxx"), "eight times");

    let stops = world.events("reaction.stopped").await;
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!(stops[0]["rule"], json!(rule.to_string()));
    assert_eq!(stops[0]["record"], json!(account.id.to_string()));
    assert_eq!(stops[0]["depth"], json!(9));
    let chain = stops[0]["chain"].as_array().unwrap();
    let depths: Vec<_> = chain.iter().map(|link| link["depth"].as_u64().unwrap()).collect();
    assert_eq!(depths, [8, 7, 6, 5, 4, 3, 2, 1, 0], "from the last change to the first: {chain:?}");
    assert_eq!(chain[0]["actor"], json!({ "rule": rule.to_string(), "version": 1 }));
    assert_eq!(chain[8]["actor"], json!({ "system": "test" }));

    let decisions = world.decisions("account", account.id).await;
    assert_eq!(decisions.len(), 9);
    let last = decisions.last().unwrap();
    assert_eq!((last.kind, last.depth), (DecisionKind::Stopped, 9));
    let action = &last.actions[0];
    assert_eq!((action.state, action.code.as_deref()), (ActionState::Refused, Some("too_deep")));
    assert!(action.message.as_ref().unwrap().zh_cn.contains("最多允许 8 层"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rules_that_trigger_each_other_stop_too() {
    let world = World::new().await;
    world.rule("account", "after_save", &mark("city"), json!({ "when_fields": ["industry"] })).await;
    world.rule("account", "after_save", &mark("industry"), json!({ "when_fields": ["city"] })).await;
    world.warm_up().await;
    let account = world.all_ids("account").await[0];
    world.update("account", account, json!({ "city": "x" })).await;
    world.settle().await;
    let fields = world.fields("account", account).await;
    let found = [&fields["city"], &fields["industry"]];
    assert_eq!(found, [&json!("xxxxx"), &json!("xxxx")], "four times each, after the first from outside");
    assert_eq!(world.events("reaction.stopped").await.len(), 1);
    world.update("account", account, json!({ "country": "China" })).await;
    world.settle().await;
    assert_eq!(world.fields("account", account).await["city"], fields["city"], "and it is quiet");
}
