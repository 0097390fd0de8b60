//! Timers that rules start.

use serde_json::json;
use trellis_engine::{ActionState, Config};

use crate::support::World;

const HOUR_MS: i64 = 3_600_000;

/// Starts a timer when an account is new, and notes when it has run out.
const REMIND: &str = r#"
    if event != () && event.watched == "timer.remind" {
        set_fields(#{ description: "reminded" });
    } else if is_new() {
        start_timer("remind", now() + 3600000);
    } else if changed("city") {
        cancel_timer("remind");
    } else if changed("industry") {
        start_timer("remind", now() + 7200000);
    }
"#;

async fn world_with_timer() -> (World, trellis_model::RecordId) {
    let world = World::new().await;
    world.rule("account", "after_save", REMIND, json!({})).await;
    let account = world.create("account", json!({ "name": "Acme" })).await.id;
    world.settle().await;
    (world, account)
}

async fn fired(world: &World) -> usize {
    world.events("timer.fired").await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_once_when_it_is_due_and_not_before() {
    let (world, account) = world_with_timer().await;
    world.clock.advance_ms(HOUR_MS - 1);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(fired(&world).await, 0);
    world.clock.advance_ms(1);
    world.until("it fires", || async { fired(&world).await == 1 }).await;
    world.settle().await;
    assert_eq!(world.fields("account", account).await["description"], json!("reminded"));
    let data = &world.events("timer.fired").await[0];
    assert_eq!((&data["name"], &data["object"]), (&json!("remind"), &json!("account")));
    assert_eq!(data["record"], json!(account.to_string()));
    world.clock.advance_ms(24 * HOUR_MS);
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(fired(&world).await, 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_outlives_the_server_and_fires_late_rather_than_never() {
    let (world, account) = world_with_timer().await;
    world.engine.shutdown().await;
    world.clock.advance_ms(2 * HOUR_MS);
    let world = world.restart().await;
    world.until("it fires", || async { fired(&world).await == 1 }).await;
    world.settle().await;
    assert_eq!(world.fields("account", account).await["description"], json!("reminded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_can_be_cancelled_and_replaced() {
    let (world, account) = world_with_timer().await;
    world.update("account", account, json!({ "industry": "tea" })).await;
    world.settle().await;
    world.clock.advance_ms(HOUR_MS + 1);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(fired(&world).await, 0, "it was replaced by a later one");
    world.update("account", account, json!({ "city": "Kunming" })).await;
    world.settle().await;
    world.clock.advance_ms(24 * HOUR_MS);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(fired(&world).await, 0, "it was cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_starts_itself_at_once_is_a_chain_and_one_a_day_is_not() {
    for (delay_ms, stops) in [(0, 1), (24 * HOUR_MS, 0)] {
        let world = World::new().await;
        world
            .rule(
                "account",
                "after_save",
                &format!(r#"start_timer("again", now() + {delay_ms});"#),
                json!({}),
            )
            .await;
        world.create("account", json!({ "name": "Acme" })).await;
        for round in 1..=12 {
            world.settle().await;
            world.clock.advance_ms(delay_ms);
            let goes_on = || async { fired(&world).await >= round || stops > 0 };
            world.until("the timer goes on", goes_on).await;
        }
        let stopped = || async { world.events("reaction.stopped").await.len() >= stops };
        world.until("the chain is stopped", stopped).await;
        assert_eq!(world.events("reaction.stopped").await.len(), stops, "after {delay_ms} ms each");
        world.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_has_only_so_many_timers() {
    let world = World::with(Config { timers_per_record_max: 2, ..Config::default() }).await;
    let source = r#"for name in ["a", "b", "a", "c"] { start_timer(name, now() + 3600000); }"#;
    world.rule("account", "after_save", source, json!({})).await;
    let account = world.create("account", json!({ "name": "Acme" })).await;
    world.settle().await;
    let decisions = world.decisions("account", account.id).await;
    let became: Vec<_> =
        decisions[0].actions.iter().map(|action| (action.state, action.code.as_deref())).collect();
    let applied = (ActionState::Applied, None);
    assert_eq!(became, [applied, applied, applied, (ActionState::Refused, Some("too_many_timers"))]);
}
