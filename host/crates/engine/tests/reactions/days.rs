//! What time alone changes.

use trellis_engine::{Config, ModelChoice, UseSettings};
use trellis_model::RecordId;

use crate::{
    customers::{CLASS, RFM},
    store::Crash,
    support::World,
};

const HOUR_MS: i64 = 3_600_000;

/// Ten customers, and a last one whose only order is dated tomorrow. It is 20:00 in Shanghai.
async fn evening() -> (World, Vec<RecordId>) {
    let world = World::with(Config { day_change_rows_max: 4, ..Config::default() }).await;
    let mut accounts = world.customers(10).await;
    let ahead = world.create("account", serde_json::json!({ "name": "Ahead" })).await.id;
    world.order(ahead, "2026-11-22", "500.00").await;
    accounts.push(ahead);
    world.enable(RFM, UseSettings::default()).await;
    world.run_well(RFM, ModelChoice::Usual).await;
    assert_eq!(world.value(ahead).await, None, "the order does not count yet");
    (world, accounts)
}

/// The results are those that a run over everybody with the same model gives today.
async fn is_of_today(world: &World, accounts: &[RecordId]) {
    let followed = world.values(accounts).await;
    world.run_well(RFM, ModelChoice::Last).await;
    assert_eq!(world.values(accounts).await, followed);
}

async fn until_ahead_counts(world: &World, accounts: &[RecordId]) {
    let ahead = *accounts.last().unwrap();
    // It is the last one of the last part.
    world.until("the new day is followed", || async { world.value(ahead).await.is_some() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_day_in_the_organisations_time_zone_evaluates_everybody_in_parts() {
    let (world, accounts) = evening().await;
    let before = world.events("segment.changed").await.len();
    // 23:59: the day in UTC has not changed, and will not at midnight in Shanghai.
    world.clock.advance_ms(4 * HOUR_MS - 60_000);
    world
        .engine
        .plugin_enable(&crate::customers::caller(), &crate::customers::plugin(RFM), UseSettings::default())
        .await
        .unwrap();
    assert_eq!(world.value(*accounts.last().unwrap()).await, None);
    assert_eq!(world.events("segment.changed").await.len(), before);
    world.clock.advance_ms(60_000);
    until_ahead_counts(&world, &accounts).await;
    let changed = world.events("segment.changed").await;
    assert!(changed[before..].iter().any(|event| event["segmentation"] == CLASS), "it is told");
    is_of_today(&world, &accounts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_down_over_midnight_catches_up() {
    let (world, accounts) = evening().await;
    world.engine.shutdown().await;
    world.clock.advance_ms(12 * HOUR_MS);
    let world = world.restart().await;
    until_ahead_counts(&world, &accounts).await;
    is_of_today(&world, &accounts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_between_two_parts_of_a_day_loses_and_repeats_nothing() {
    let (world, accounts) = evening().await;
    // The note of the first part that changes nobody, or its results: somewhere in the middle.
    world.store.stop_at(2, Crash::After);
    world.clock.advance_ms(4 * HOUR_MS);
    world.until("it stops", || async { world.store.has_stopped() }).await;
    let world = world.restart().await;
    until_ahead_counts(&world, &accounts).await;
    is_of_today(&world, &accounts).await;
}
