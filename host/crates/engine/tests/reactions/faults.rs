//! Plugins that misbehave while they react.

use serde_json::json;
use trellis_engine::{ActionState, Decision, DecisionKind, UseSettings};
use trellis_model::{Decider, PluginId};
use trellis_records::Caller;

use crate::support::{World, built};

/// Enables the hostile guest with a sin.
async fn sin(world: &World, sin: &str) {
    let caller = Caller::system("test");
    world.engine.plugin_upload(&caller, built("hostile")).await.unwrap();
    let settings = UseSettings { config: json!({ "sin": sin }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller, &PluginId::new("hostile").unwrap(), settings).await.unwrap();
}

/// What the guest decides about a new case.
async fn triage(world: &World) -> Option<Decision> {
    let case = world.create("case", json!({ "subject": "Torn sleeve", "status": "new" })).await.id;
    world.settle().await;
    let decisions = world.decisions("case", case).await;
    let by_plugin = |decision: &Decision| matches!(decision.by, Decider::Plugin { .. });
    decisions.into_iter().find(|decision| by_plugin(decision) && decision.kind == DecisionKind::Triage)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_recorded_and_holds_up_nobody() {
    let world = World::new().await;
    world.rule("case", "after_save", r#"create_task(#{ subject: "look" });"#, json!({})).await;
    for named in ["triage-loop", "triage-storm", "triage-nan", "triage-bad-id"] {
        let tasks = world.all("task").await.len();
        sin(&world, named).await;
        let failed = triage(&world).await.expect("the fault is recorded");
        assert_eq!(failed.actions, [], "{named}");
        assert_eq!(failed.outcome["error"]["code"], json!("plugin_fault"), "{named}: {}", failed.outcome);
        let message = failed.outcome["error"]["message"].as_str().unwrap();
        assert!(message.contains("hostile") && message.contains("1.0.0"), "{named}: {message}");
        assert_eq!(world.all("task").await.len(), tasks + 1, "the rule ran, {named}");
        sin(&world, "none").await;
        let after = triage(&world).await;
        assert!(after.is_none_or(|decision| decision.outcome["error"].is_null()), "the next call works");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_manifest_does_not_ask_for_is_refused_by_name() {
    let world = World::new().await;
    for (named, code) in [("triage-not-granted", "not_granted"), ("triage-unknown-kind", "unknown_action")] {
        sin(&world, named).await;
        let decision = triage(&world).await.expect("it wants something");
        let refused = decision.actions.iter().find(|action| action.code.as_deref() == Some(code));
        let refused = refused.unwrap_or_else(|| panic!("{named}: {decision:#?}"));
        assert_eq!(refused.state, ActionState::Refused);
        assert!(!refused.message.as_ref().unwrap().zh_cn.is_empty());
    }
    assert_eq!(world.all("user").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_history_and_no_news() {
    let world = World::new().await;
    world.rule("account", "after_save", r#"create_task(#{ subject: "call" });"#, json!({})).await;
    let file = world.engine.spool_path();
    std::fs::write(&file, "name,city\nAcme,Kunming\nBolt,Dali\n").unwrap();
    let account = crate::support::name("account");
    let job = world
        .engine
        .import_start(&Caller::system("test"), &account, None, file, "accounts.csv")
        .await
        .unwrap();
    world.engine.job_wait(job.id).await.unwrap();
    world.settle().await;
    assert_eq!((world.all("account").await.len(), world.all("task").await.len()), (2, 0));
}
