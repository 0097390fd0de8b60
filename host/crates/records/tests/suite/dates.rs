//! Filters with days relative to today, on days and on moments.

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use trellis_model::{Filter, ObjectScope, RowAccess, Scope};
use trellis_records::{Config, Query};

use crate::support::{World, name};

/// The clock stands at 2023-11-14 22:13 UTC; in Shanghai it is Wednesday, the 15th, already.
async fn deals() -> World {
    let time_zone = TimeZone::get("Asia/Shanghai").unwrap();
    let world = World::with(Config { time_zone, ..Config::default() }).await;
    let account = world.create("account", json!({ "name": "Acme" })).await.id.to_string();
    let days =
        ["2023-08-16", "2023-09-30", "2023-10-01", "2023-11-14", "2023-11-15", "2023-11-21", "2024-01-01"];
    for day in days {
        let deal = json!({"name": day, "account": account, "stage": "proposal", "close_on": day});
        world.create("opportunity", deal).await;
    }
    world.create("opportunity", json!({"name": "never", "account": account, "stage": "proposal"})).await;
    world
}

async fn check(world: &World, op: &str, value: Json, expected: &[&str]) {
    let filter = json!({"field": "close_on", "op": op, "value": value});
    assert_eq!(world.names("opportunity", filter.clone(), "name").await, expected, "{filter}");
    assert_eq!(world.count("opportunity", filter.clone()).await, expected.len() as u64, "count of {filter}");
}

#[tokio::test]
async fn days_are_compared_with_periods() {
    let world = deals().await;
    check(&world, "eq", json!("today"), &["2023-11-15"]).await;
    check(&world, "eq", json!("yesterday"), &["2023-11-14"]).await;
    check(&world, "eq", json!("this_week"), &["2023-11-14", "2023-11-15"]).await;
    check(&world, "eq", json!("next_week"), &["2023-11-21"]).await;
    check(&world, "eq", json!("last_quarter"), &["2023-08-16", "2023-09-30"]).await;
    check(&world, "eq", json!("next_year"), &["2024-01-01"]).await;
    check(&world, "eq", json!("next_n_days:7"), &["2023-11-15", "2023-11-21"]).await;
    check(&world, "eq", json!("last_n_days:2"), &["2023-11-14", "2023-11-15"]).await;
    check(&world, "eq", json!("older_than_days:90"), &["2023-08-16"]).await;
    check(&world, "lt", json!("this_quarter"), &["2023-08-16", "2023-09-30"]).await;
    check(&world, "gt", json!("this_quarter"), &["2024-01-01"]).await;
    check(&world, "gte", json!("next_week"), &["2023-11-21", "2024-01-01"]).await;
    check(&world, "between", json!(["last_month", "yesterday"]), &["2023-10-01", "2023-11-14"]).await;
    check(
        &world,
        "in",
        json!(["today", "next_year", "2023-10-01"]),
        &["2023-10-01", "2023-11-15", "2024-01-01"],
    )
    .await;
    // What has no day is neither in a period nor outside of it.
    check(&world, "ne", json!("this_year"), &["2024-01-01"]).await;
    check(&world, "nin", json!(["this_year", "next_year"]), &[]).await;
}

#[tokio::test]
async fn moments_are_compared_with_periods_and_whole_days() {
    let world = deals().await;
    let count = async |op: &str, value: &str| {
        world.count("opportunity", json!({"field": "created_at", "op": op, "value": value})).await
    };
    assert_eq!(count("eq", "today").await, 8);
    assert_eq!(count("eq", "2023-11-15").await, 8, "the day in Shanghai");
    assert_eq!(count("lte", "2023-11-15").await, 8, "the day is included whole");
    assert_eq!(count("gt", "2023-11-15").await, 0);
    assert_eq!(count("eq", "2023-11-14").await, 0);
    assert_eq!(count("eq", "older_than_days:1").await, 0);
}

#[tokio::test]
async fn a_scope_may_be_said_relative_to_today() {
    let world = deals().await;
    let filter = Filter::parse(&json!({"field": "close_on", "op": "gte", "value": "today"})).unwrap();
    let rows = ObjectScope { rows: RowAccess::Where(filter), ..ObjectScope::everything() };
    let scope = Scope::nothing().with(name("opportunity"), rows);
    let page = world.records.list(&scope, &Query::new(name("opportunity"))).await.unwrap();
    assert_eq!(page.records.len(), 3);
}
