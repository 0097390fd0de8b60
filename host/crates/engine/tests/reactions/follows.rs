//! Changed customers on whom a plugin fails: those who are poison are found, and a plugin that fails on everybody is left alone.

use serde_json::json;
use trellis_engine::{Config, HealthState, ModelChoice, PluginMetrics, UseSettings};
use trellis_model::{RecordId, Scope};
use trellis_records::Clock;

use crate::{
    customers::{caller, plugin},
    support::{World, name},
};

const LOT: &str = "hostile__lot";

impl World {
    /// So many customers, of whom those whose ordinals end in 07 are poison.
    async fn with_poison(count: usize) -> Self {
        let world = Self::new().await;
        world.accounts(count).await;
        for account in world.all_of(count).await {
            world.order(account, "2026-11-01", "5.00").await;
        }
        let settings = UseSettings { config: json!({ "sin": "poison-row" }), ..UseSettings::default() };
        world.enable("hostile", settings).await;
        world.run_well("hostile", ModelChoice::Fit).await;
        world
    }

    /// The accounts of the first ordinals.
    async fn all_of(&self, count: usize) -> Vec<RecordId> {
        let account = self.records.schema().object("account").unwrap().id;
        let ordinals: Vec<u64> = (0..count as u64).collect();
        let ids = self.records.ordinal_ids(account, &ordinals).await.unwrap();
        ids.into_iter().map(Option::unwrap).collect()
    }

    async fn of_ordinal(&self, ordinal: u64) -> RecordId {
        let account = self.records.schema().object("account").unwrap().id;
        self.records.ordinal_ids(account, &[ordinal]).await.unwrap()[0].unwrap()
    }

    fn lot_of(&self, ordinal: u64) -> Option<String> {
        self.columns.value_of(&Scope::everything(), LOT, ordinal)
    }

    fn metrics(&self) -> Option<PluginMetrics> {
        self.engine.plugin_metrics(&plugin("hostile"), None).unwrap()
    }

    /// Has these customers buy something while no engine runs, so that it finds all of them changed at once.
    async fn all_buy(self, ordinals: &[u64]) -> Self {
        self.restart_after(async |world: &Self| {
            for ordinal in ordinals {
                let account = world.of_ordinal(*ordinal).await;
                world.order(account, "2026-11-20", "10.00").await;
            }
        })
        .await
    }

    fn poison(&self) -> usize {
        self.engine.plugin_poison_rows(&plugin("hostile"), None).unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changed_customers_who_are_all_poison_are_found_beside_others() {
    let world = World::with_poison(408).await;
    assert_eq!((world.lot_of(8).as_deref(), world.lot_of(7)), (Some("even"), None));
    let changed: Vec<u64> = (0..5).map(|hundred| hundred * 100 + 7).collect();
    let world = world.all_buy(&changed).await;
    // Each of them fails in both interfaces that a run serves.
    world.until("all of them are found", || async { world.poison() == 2 * changed.len() }).await;
    let metrics = world.metrics().unwrap();
    assert_eq!(metrics.health.state, HealthState::Healthy);
    assert!(metrics.strikes_total <= 2, "one for each function at most: {}", metrics.strikes_total);
    assert_eq!((world.lot_of(8).as_deref(), world.lot_of(7)), (Some("even"), None), "nobody else changed");
    // The place in the log moved on: a customer who changes is followed at once, and nobody is asked about again.
    let poison_rows = metrics.poison_rows;
    let new = world.create("account", json!({ "name": "New" })).await.id;
    world.order(new, "2026-11-20", "10.00").await;
    let ordinal =
        world.records.find(&Scope::everything(), &name("account"), new).await.unwrap().ordinal.unwrap();
    world.until("the new customer is followed", || async { world.lot_of(ordinal).is_some() }).await;
    assert_eq!(world.metrics().unwrap().poison_rows, poison_rows);
    assert_eq!(world.metrics().unwrap().health.state, HealthState::Healthy);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_missed_while_the_clock_is_looked_at() {
    let world = World::with(Config { timer_clock_check_ms: 1, ..Config::default() }).await;
    let first = world.create("account", json!({ "name": "First" })).await.id;
    world.order(first, "2026-11-01", "5.00").await;
    world.enable("hostile", UseSettings { config: json!({}), ..UseSettings::default() }).await;
    world.run_well("hostile", ModelChoice::Fit).await;
    for round in 0..200 {
        let new = world.create("account", json!({ "name": "New" })).await.id;
        let found = world.records.find(&Scope::everything(), &name("account"), new).await.unwrap();
        let ordinal = found.ordinal.unwrap();
        world.order(new, "2026-11-20", "10.00").await;
        let followed = || async { world.lot_of(ordinal).is_some() };
        world.until(&format!("customer {round} is followed"), followed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fails_on_all_whom_there_are_is_quarantined() {
    let world = World::with_poison(108).await;
    // All whom it manages go, so that nothing tells poison rows from a broken plugin.
    let world = world
        .restart_after(async |world: &World| {
            for ordinal in (0..108).filter(|ordinal| ordinal % 100 != 7) {
                let account = world.of_ordinal(ordinal).await;
                world.records.delete(&caller(), &name("account"), account, None).await.unwrap();
            }
            for ordinal in [7, 107] {
                let account = world.of_ordinal(ordinal).await;
                world.order(account, "2026-11-20", "10.00").await;
            }
        })
        .await;
    let is_quarantined = || async {
        let state = world.metrics().map(|metrics| metrics.health.state);
        if let Some(HealthState::BackingOff { until_ms }) = state {
            world.clock.advance_ms((until_ms - world.clock.now_ms()).max(0));
        }
        matches!(state, Some(HealthState::Quarantined { .. }))
    };
    world.until("it is not called any more", is_quarantined).await;
    assert_eq!(world.poison(), 0, "nothing is known of single rows");
}
