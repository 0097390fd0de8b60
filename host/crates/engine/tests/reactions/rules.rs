//! Rules after saving.

use serde_json::json;
use trellis_engine::{ActionState, DecisionKind};
use trellis_model::{Actor, Cause, Language};
use trellis_records::Caller;

use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_to_the_owner_of_the_account_in_the_organisations_language() {
    let config = trellis_engine::Config { language: Language::ZhCn, ..Default::default() };
    let world = World::with(config).await;
    let source = r#"
        if is_new() {
            create_task(#{ subject: #{ en: `Call ${record.name}`, zh: `回访 ${record.name}` }, account: record.id, due_in_days: 3, priority: "high" });
            because("new-account", #{ en: "It is new.", zh: "新客户。" });
        }
    "#;
    let rule = world.rule("account", "after_save", source, json!({})).await;
    let owner = world.create("user", json!({ "name": "Li", "username": "li", "kind": "person" })).await;
    let account = world.create("account", json!({ "name": "Acme", "owner": owner.id.to_string() })).await;
    world.settle().await;
    let tasks = world.all("task").await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(tasks[0]["subject"], json!("回访 Acme"));
    assert_eq!(tasks[0]["owner"], json!(owner.id.to_string()));
    assert_eq!(tasks[0]["account"], json!(account.id.to_string()));
    assert_eq!(tasks[0]["status"], json!("open"));
    assert_eq!(tasks[0]["priority"], json!("high"));
    assert_eq!(tasks[0]["due_on"], json!("2026-11-24"), "it is the 21st in Shanghai");

    let decisions = world.decisions("account", account.id).await;
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    let (decision, action) = (&decisions[0], &decisions[0].actions[0]);
    assert_eq!((decision.kind, decision.depth), (DecisionKind::Rule, 1));
    assert_eq!(decision.reasons[0].code, "new-account");
    assert_eq!(action.state, ActionState::Applied);
    let (object, task) = action.record.clone().unwrap();
    assert_eq!(world.fields(object.as_str(), task).await, tasks[0]);
    let entry = world.records.log_entry(action.log.unwrap()).await.unwrap().unwrap();
    assert_eq!(entry.actor, Actor::Rule { id: rule, version: 1, for_user: None });
    assert_eq!((entry.cause.log, entry.cause.depth), (decision.log, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_before_a_rule_was_switched_on_is_none_of_its_business() {
    let world = World::new().await;
    for _ in 0..10 {
        world.create("account", json!({ "name": "Before" })).await;
        // Nobody waits here: the reader of the log may not have come to the account yet.
        let off =
            world.rule("account", "after_save", r#"create_task(#{ subject: "seen" });"#, json!({})).await;
        world.settle().await;
        assert_eq!(world.all("task").await.len(), 0);
        world.update("rule", off, json!({ "enabled": false })).await;
    }
    world.rule("account", "after_save", r#"create_task(#{ subject: "seen" });"#, json!({})).await;
    world.create("account", json!({ "name": "After" })).await;
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 1);
    world.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_runs_at_creation_and_when_its_fields_change_in_the_order_of_positions() {
    let world = World::new().await;
    let task = |letter: &str| format!("create_task(#{{ subject: \"{letter}\" }});");
    world.rule("account", "after_save", &task("b"), json!({ "position": 2, "when_fields": ["city"] })).await;
    world.rule("account", "after_save", &task("a"), json!({ "position": 1, "when_fields": ["city"] })).await;
    let subjects = async || {
        let tasks = world.all("task").await;
        tasks.iter().map(|task| task["subject"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    assert_eq!(subjects().await, "ab", "at its creation");
    world.update("account", account.id, json!({ "country": "China" })).await;
    world.settle().await;
    assert_eq!(subjects().await, "ab", "another field");
    world.update("account", account.id, json!({ "city": "Kunming" })).await;
    world.settle().await;
    assert_eq!(subjects().await, "abab", "its field");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_decides_once_about_each_change_as_that_change_left_the_record() {
    let world = World::new().await;
    let note = r#"if record.city != () { create_task(#{ subject: record.city }); }"#;
    world.rule("account", "after_save", note, json!({ "position": 2 })).await;
    let change = r#"if record.city == "Kunming" { set_fields(#{ city: "Dali" }); }"#;
    world.rule("account", "after_save", change, json!({ "position": 1 })).await;
    world.create("account", json!({ "name": "Acme", "city": "Kunming" })).await;
    world.settle().await;
    let tasks = world.all("task").await;
    let subjects: Vec<_> = tasks.iter().map(|task| task["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["Kunming", "Dali"], "one for each change");
}

#[tokio::test(flavor = "multi_thread")]
async fn automations_off_silences_what_follows_and_nothing_else() {
    let world = World::new().await;
    let source = r#"create_task(#{ subject: "call" });"#;
    world.rule("account", "after_save", source, json!({})).await;
    world.rule("account", "before_save", r#"record.city = "Kunming";"#, json!({})).await;
    let cause = Cause { automations_off: true, ..Cause::default() };
    let silent = Caller { cause, ..Caller::system("test") };
    let account = world.create_by(&silent, "account", json!({ "name": "Acme" })).await;
    world.settle().await;
    assert_eq!(world.all("task").await, []);
    assert_eq!(world.fields("account", account.id).await["city"], json!("Kunming"), "saves are judged");
    world.create("account", json!({ "name": "Bolt" })).await;
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 1, "it was the flag");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_fails_is_recorded_and_the_next_one_runs() {
    let world = World::new().await;
    let failing =
        world.rule("account", "after_save", "let x = 1;\nthrow \"no\";", json!({ "position": 1 })).await;
    world
        .rule("account", "after_save", r#"create_task(#{ subject: "call" });"#, json!({ "position": 2 }))
        .await;
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 1);
    let decisions = world.decisions("account", account.id).await;
    let failed =
        decisions.iter().find(|decision| decision.actions.is_empty()).expect("the failure is recorded");
    assert!(matches!(failed.by, trellis_model::Decider::Rule { id, .. } if id == failing));
    let message = failed.outcome["error"]["en"].as_str().unwrap();
    assert!(message.contains("line 2"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_the_first_start_and_what_happened_while_it_was_down() {
    let world = World::new().await;
    world.rule("account", "after_save", r#"create_task(#{ subject: record.name });"#, json!({})).await;
    world.engine.shutdown().await;
    world.create("account", json!({ "name": "Acme" })).await;
    assert_eq!(world.all("task").await, []);
    let world = world.restart().await;
    world.settle().await;
    let tasks = world.all("task").await;
    assert_eq!(tasks.len(), 1, "the log is read from where it was: {tasks:?}");
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.all("task").await.len(), 1, "once");
}
