//! A stop of the server in the middle of reactions, at every commit of them.

use serde_json::json;
use trellis_engine::ActionState;
use trellis_model::RecordId;

use crate::{store::Crash, support::World};

const SOURCE: &str = r#"
    create_task(#{ subject: "first" });
    set_fields(#{ city: (if record.city == () { "" } else { record.city }) + "x" });
    start_timer("later", now() + 3600000);
    create("user", #{ name: "Mallory" });
    create_task(#{ subject: "last" });
"#;

/// A world with a rule that does several things, stopped at a commit of the reactions; whether they had that many.
async fn stopped_at(commits: u64, crash: Crash) -> (World, RecordId, bool) {
    let world = World::new().await;
    world.rule("account", "after_save", SOURCE, json!({ "when_fields": ["name"] })).await;
    world.settle().await;
    world.warm_up().await;
    // The next commit is the account itself.
    world.store.stop_at(commits + 1, crash);
    let account = world.create("account", json!({ "name": "Acme" })).await.id;
    let is_over =
        || async {
            world.store.has_stopped()
                || world.decisions("account", account).await.iter().any(|decision| {
                    decision.actions.iter().all(|action| action.state != ActionState::Pending)
                })
        };
    world.until("the reaction ends or the store stops", is_over).await;
    let stopped = world.store.has_stopped();
    (world, account, stopped)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_is_carried_out_once_wherever_the_server_stops() {
    let mut stops = 0;
    for crash in [Crash::Before, Crash::After] {
        for commits in 0..10 {
            let (world, account, stopped) = stopped_at(commits, crash).await;
            stops += u32::from(stopped);
            let world = world.restart().await;
            world.settle().await;
            let place = format!("{crash:?} commit {commits}, stopped: {stopped}");
            let mut subjects: Vec<_> =
                world.all("task").await.iter().map(|task| task["subject"].clone()).collect();
            subjects.sort_by_key(ToString::to_string);
            assert_eq!(subjects, [json!("first"), json!("last")], "{place}");
            assert_eq!(world.fields("account", account).await["city"], json!("x"), "{place}");
            let decisions = world.decisions("account", account).await;
            assert_eq!(decisions.len(), 1, "{place}");
            let states: Vec<_> = decisions[0].actions.iter().map(|action| action.state).collect();
            use ActionState::{Applied, Refused};
            assert_eq!(states, [Applied, Applied, Applied, Refused, Applied], "{place}");
            world.clock.advance_ms(3_600_001);
            let fired = || async { !world.events("timer.fired").await.is_empty() };
            world.until("the timer fires", fired).await;
            world.settle().await;
            assert_eq!(world.events("timer.fired").await.len(), 1, "{place}");
            world.engine.shutdown().await;
        }
    }
    assert!(stops >= 8, "four commits carry an action, and each was lost once and kept once: {stops}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_stopped_is_told_once_wherever_the_server_stops() {
    let source = r#"set_fields(#{ city: (if record.city == () { "" } else { record.city }) + "x" });"#;
    for crash in [Crash::Before, Crash::After] {
        for commits in [0, 1, 7, 8, 9] {
            let world = World::new().await;
            world.rule("account", "after_save", source, json!({})).await;
            world.settle().await;
            world.warm_up().await;
            world.store.stop_at(commits + 1, crash);
            let account = world.create("account", json!({ "name": "Acme" })).await.id;
            let is_over =
                || async { world.store.has_stopped() || !world.events("reaction.stopped").await.is_empty() };
            world.until("the chain ends or the store stops", is_over).await;
            let world = world.restart().await;
            world.settle().await;
            let place = format!("{crash:?} commit {commits}");
            assert_eq!(world.fields("account", account).await["city"], json!("xxxxxxxx"), "{place}");
            assert_eq!(world.events("reaction.stopped").await.len(), 1, "{place}");
            world.engine.shutdown().await;
        }
    }
}
