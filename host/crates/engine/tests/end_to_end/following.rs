//! Results that follow the data after a run as of now.

use std::time::Duration;

use serde_json::json;
use trellis_columns::AsOf;
use trellis_engine::RunRequest;

use crate::support::{World, example};

pub(crate) async fn buy(world: &World, customer: &str, date: &str) {
    let order = format!("customer_id,date,cds,amount\n{customer},{date},1,50.00\n");
    world.import("order", Some(&example("orders.toml")), &order).await.unwrap();
}

/// Waits until the log reader has brought a customer's value up to date.
pub(crate) async fn until_value(world: &World, customer: &str, wanted: &str) {
    for _ in 0..5_000 {
        if world.value("hostile__lot", customer).await.as_deref() == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("customer {customer} never became `{wanted}`");
}

pub(crate) async fn lot_of(world: &World, customer: &str) -> &'static str {
    if world.account(customer).await.ordinal.unwrap() % 2 == 0 { "even" } else { "odd" }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_buys_after_the_run_gets_a_value_without_another_run() {
    let world = World::new().await;
    buy(&world, "1", "2026-01-01").await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    world.run_well("hostile", RunRequest::default()).await;
    buy(&world, "2", "2026-01-02").await;
    let lot = lot_of(&world, "2").await;
    until_value(&world, "2", lot).await;
    let world = world.restart().await;
    assert_eq!(world.value("hostile__lot", "2").await.as_deref(), Some(lot), "it was stored");
    buy(&world, "3", "2026-01-03").await;
    until_value(&world, "3", lot_of(&world, "3").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_date_does_not_follow() {
    let world = World::new().await;
    buy(&world, "1", "2026-01-01").await;
    world.enable("hostile", json!({}), crate::support::date("2026-01-31")).await;
    world.run_well("hostile", RunRequest::default()).await;
    buy(&world, "2", "2026-01-02").await;
    world.columns.catch_up().await.unwrap();
    assert_eq!(world.value("hostile__lot", "2").await, None);
}
