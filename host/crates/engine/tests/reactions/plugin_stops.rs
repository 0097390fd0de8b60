//! A stop of the server in the middle of a plugin's life, at every commit of it.

use serde_json::{Value as Json, json};
use trellis_engine::{ModelChoice, PluginState, SwitchOptions, UseSettings};

use crate::{
    customers::{CLASS, RFM, caller, plugin},
    store::Crash,
    support::World,
};

fn groups(groups: u32) -> UseSettings {
    UseSettings { config: json!({ "groups": groups }), ..UseSettings::default() }
}

impl World {
    /// Changes how the plugin is used and runs it; returns the run.
    async fn used_with(&self, settings: UseSettings) -> Json {
        // Runs and switches are told apart by when they came.
        self.clock.advance_ms(1_000);
        self.engine.plugin_enable(&caller(), &plugin(RFM), settings).await.unwrap();
        self.clock.advance_ms(1_000);
        let run = self.run_well(RFM, ModelChoice::Usual).await["run"].clone();
        self.clock.advance_ms(1_000);
        run
    }

    /// How the plugin is used, and the run whose results serve.
    fn in_use(&self) -> (Json, Json) {
        let settings = self.engine.plugin_get(&plugin(RFM)).unwrap().settings.unwrap();
        let current = self.columns.segmentation(CLASS).unwrap().current;
        let groups = json!({ "groups": settings.config["groups"] });
        (groups, json!(current.unwrap().run.to_string()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_back_that_is_stopped_brings_settings_and_results_back_together() {
    let mut world = World::new().await;
    world.customers(6).await;
    world.enable(RFM, groups(3)).await;
    let (mut commits, mut came_back) = (0, 0);
    loop {
        let first = world.used_with(groups(3)).await;
        let second = world.used_with(groups(5)).await;
        assert_eq!(world.in_use(), (json!({ "groups": 5 }), second.clone()));
        let crash = if commits % 2 == 0 { Crash::Before } else { Crash::After };
        world.store.stop_at(commits, crash);
        let back =
            world.engine.plugin_roll_back(&caller(), &plugin(RFM), None, SwitchOptions::default()).await;
        let has_stopped = world.store.has_stopped();
        world = world.restart().await;
        let (config, serving) = world.in_use();
        let is_back = config == json!({ "groups": 3 });
        let expected = if is_back { &first } else { &second };
        assert_eq!(&serving, expected, "{crash:?} commit {commits}: {config}, {back:?}");
        came_back += u32::from(is_back && has_stopped);
        if !has_stopped {
            break;
        }
        commits += 1;
    }
    assert!(came_back > 0, "it was stopped after its first commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_a_plugin_are_marked_wherever_its_disabling_is_stopped() {
    let mut world = World::new().await;
    world.customers(3).await;
    world.enable(RFM, groups(3)).await;
    let mut commits = 0;
    loop {
        world.used_with(groups(3)).await;
        let crash = if commits % 2 == 0 { Crash::Before } else { Crash::After };
        world.store.stop_at(commits, crash);
        let disabled = world.engine.plugin_disable(&caller(), &plugin(RFM)).await;
        let has_stopped = world.store.has_stopped();
        world = world.restart().await;
        let state = world.engine.plugin_get(&plugin(RFM)).unwrap().state;
        let stale = world.columns.segmentation(CLASS).unwrap().stale;
        assert_eq!(stale, state == PluginState::Disabled, "{crash:?} commit {commits}: {disabled:?}");
        if !has_stopped {
            break;
        }
        commits += 1;
    }
    assert!(commits >= 2, "{commits}");
}
