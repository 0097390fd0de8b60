//! What becomes of each action.

use serde_json::json;
use trellis_engine::{ActionState, DecisionKind};

use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_refuses_its_action_and_the_others_stand() {
    let world = World::new().await;
    let veto = r#"veto("subject", "no-calls", #{ en: "Nobody calls here.", zh: "此处不安排回访。" })"#;
    world.rule("task", "before_save", veto, json!({})).await;
    let source = r#"create_task(#{ subject: "call" }); set_fields(#{ city: "Kunming" });"#;
    world.rule("account", "after_save", source, json!({ "when_fields": ["name"] })).await;
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    assert_eq!(world.all("task").await, []);
    assert_eq!(world.fields("account", account.id).await["city"], json!("Kunming"));
    let decisions = world.decisions("account", account.id).await;
    let decision = decisions.iter().find(|decision| decision.kind == DecisionKind::Rule).unwrap();
    let [refused, applied] = decision.actions.as_slice() else { panic!("{decision:?}") };
    assert_eq!((refused.state, refused.code.as_deref()), (ActionState::Refused, Some("veto")));
    let message = refused.message.as_ref().unwrap();
    assert!(message.en.contains("Nobody calls here."), "{}", message.en);
    assert!(message.zh_cn.contains("此处不安排回访。"), "{}", message.zh_cn);
    assert_eq!(applied.state, ActionState::Applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_do_not_write_users_and_rules_and_mistakes_are_named() {
    let world = World::new().await;
    let source = r#"
        create("user", #{ name: "Mallory" });
        create("rule", #{ name: "another" });
        create("planet", #{ name: "Mars" });
        create("task", #{ subject: "x", status: "sideways" });
        set_fields("account", "01939d4c-7c3a-7b6e-8000-000000000001", #{ city: "Kunming" });
        send_message(#{ channel: "email", account: record.id, subject: #{ en: "Hello", zh: "您好" }, body: #{ en: "Hello!", zh: "您好！" } });
    "#;
    world.rule("account", "after_save", source, json!({})).await;
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    let decisions = world.decisions("account", account.id).await;
    let became: Vec<_> = decisions[0]
        .actions
        .iter()
        .map(|action| (action.state, action.code.as_deref().unwrap_or_default()))
        .collect();
    let refused = |code| (ActionState::Refused, code);
    let expected = [
        refused("not_granted"),
        refused("not_granted"),
        refused("unknown_object"),
        refused("validation_error"),
        refused("not_found"),
        (ActionState::Applied, ""),
    ];
    assert_eq!(became, expected, "{:#?}", decisions[0].actions);
    let messages = world.all("message").await;
    assert_eq!(messages.len(), 1);
    assert_eq!((&messages[0]["status"], &messages[0]["body"]), (&json!("queued"), &json!("Hello!")));
    assert_eq!(world.all("user").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_unchanged() {
    let world = World::new().await;
    let source = r#"set_fields(#{ city: "Kunming" }); cancel_timer("none");"#;
    world.rule("account", "after_save", source, json!({ "when_fields": ["name"] })).await;
    let account = world.create("account", json!({ "name": "Acme", "city": "Kunming" })).await;
    world.settle().await;
    let decisions = world.decisions("account", account.id).await;
    let states: Vec<_> = decisions[0].actions.iter().map(|action| action.state).collect();
    assert_eq!(states, [ActionState::Unchanged, ActionState::Unchanged]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_is_too_large_is_refused_and_the_next_one_is_carried_out() {
    let world = World::new().await;
    let source = r#"
        let long = "x";
        while long.len < 9000 { long += long; }
        for number in range(0, 90) { create_task(#{ subject: "call", description: long }); }
    "#;
    world.rule("account", "after_save", source, json!({ "position": 1 })).await;
    world
        .rule(
            "account",
            "after_save",
            r#"set_fields(#{ city: "Kunming" });"#,
            json!({ "position": 2, "when_fields": ["name"] }),
        )
        .await;
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    assert_eq!(world.fields("account", account.id).await["city"], json!("Kunming"), "the reader goes on");
    let decisions = world.decisions("account", account.id).await;
    let large = decisions.iter().find(|decision| decision.actions.len() == 90).expect("it is recorded");
    let too_large = (ActionState::Refused, Some("too_large"));
    assert!(large.actions.iter().all(|action| (action.state, action.code.as_deref()) == too_large));
    assert_eq!(world.all("task").await, []);
}
