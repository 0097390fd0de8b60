//! Plugins that go back by themselves when their version in use is quarantined.

use serde_json::json;
use trellis_engine::{HealthState, OnQuarantine, SwitchKind, SwitchOptions, UpgradeRequest, UseSettings};
use trellis_model::RecordId;

use crate::{
    customers::{caller, plugin},
    sections::as_version,
    support::{World, built},
};

/// Longer than the first back-off, and no success so late that strikes are forgotten.
const STEP_MS: i64 = 2_000;

impl World {
    /// Uses a version of the hostile guest with a sin.
    async fn uses(&self, version: &str, sin: &str, on_quarantine: OnQuarantine) {
        self.engine.plugin_upload(&caller(), as_version(&built("hostile"), version)).await.unwrap();
        let settings = UseSettings {
            config: json!({ "sin": sin }),
            version: Some(version.parse().unwrap()),
            on_quarantine,
            ..UseSettings::default()
        };
        self.engine.plugin_enable(&caller(), &plugin("hostile"), settings).await.unwrap();
    }

    fn serving(&self) -> String {
        self.engine.plugin_get(&plugin("hostile")).unwrap().version.to_string()
    }

    /// A new case that is changed.
    async fn case(&self) {
        let case = self.create("case", json!({ "subject": "Torn sleeve", "status": "new" })).await.id;
        self.settle().await;
        self.update("case", case, json!({ "status": "open" })).await;
        self.settle().await;
    }

    /// Has the version in use fail until it is quarantined.
    async fn quarantined(&self, times: usize) {
        while self.events("plugin.quarantined").await.len() < times {
            self.case().await;
            self.clock.advance_ms(STEP_MS);
        }
    }

    async fn admin(&self) -> RecordId {
        let ann = json!({ "name": "Ann", "username": "ann", "kind": "person" });
        let admin = self.create("user", ann).await.id;
        self.engine.tell_administrators(vec![admin]);
        admin
    }

    async fn subjects(&self) -> Vec<String> {
        let all = self.all("notification").await;
        all.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
    }

    async fn switches(&self) -> Vec<(SwitchKind, String)> {
        let switches = self.engine.plugin_switches(&plugin("hostile")).await.unwrap();
        switches.iter().map(|switch| (switch.kind, switch.version.to_string())).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_upgrade_goes_back_once_and_says_so() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.uses("0.9.0", "none", OnQuarantine::RollBack).await;
    world.uses("1.0.0", "event-trap", OnQuarantine::RollBack).await;
    world.uses("1.1.0", "triage-nan", OnQuarantine::RollBack).await;
    world.quarantined(1).await;
    let is_back = || async { world.serving() == "1.0.0" && world.subjects().await.len() == 2 };
    world.until("it goes back", is_back).await;
    let subjects = world.subjects().await;
    assert!(subjects[0].contains("Plugin hostile 1.1.0 was quarantined"), "{subjects:?}");
    assert!(subjects[1].contains("rolled back from the quarantined version 1.1.0 to 1.0.0"), "{subjects:?}");
    assert_eq!(world.all("notification").await[1]["user"], json!(admin.to_string()));
    let events = world.events("plugin.rolled_back").await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["from"], &events[0]["version"], &events[0]["reason"]),
        (&json!("1.1.0"), &json!("1.0.0"), &json!("quarantined"))
    );
    assert_eq!(world.switches().await[0], (SwitchKind::RolledBack, "1.0.0".to_owned()));

    // The use that came back fails too, and stays: one way back for each upgrade.
    world.quarantined(2).await;
    world.until("the administrator is told", || async { world.subjects().await.len() == 3 }).await;
    assert_eq!((world.serving().as_str(), world.switches().await.len()), ("1.0.0", 4));
    let world = world.restart().await;
    world.case().await;
    assert_eq!(world.serving(), "1.0.0", "a restart changes nothing");
    assert_eq!(world.events("plugin.rolled_back").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stays_where_nobody_says_otherwise_and_where_there_is_no_way_back() {
    let world = World::new().await;
    world.admin().await;
    world.uses("1.0.0", "none", OnQuarantine::RollBack).await;
    world.uses("1.1.0", "triage-nan", OnQuarantine::Stay).await;
    world.quarantined(1).await;
    world.until("the administrator is told", || async { world.subjects().await.len() == 1 }).await;
    assert_eq!(world.serving(), "1.1.0");

    let alone = World::new().await;
    alone.admin().await;
    alone.uses("1.0.0", "triage-nan", OnQuarantine::RollBack).await;
    alone.quarantined(1).await;
    alone.until("the administrator is told", || async { alone.subjects().await.len() == 1 }).await;
    // The same version with other settings is no way back.
    alone.engine.plugin_release(&caller(), &plugin("hostile")).await.unwrap();
    alone.uses("1.0.0", "event-trap", OnQuarantine::RollBack).await;
    alone.quarantined(2).await;
    alone.until("the administrator is told again", || async { alone.subjects().await.len() == 2 }).await;
    assert_eq!((alone.serving().as_str(), alone.events("plugin.rolled_back").await.len()), ("1.0.0", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_past_versions_that_are_quarantined_or_gone() {
    let world = World::new().await;
    world.admin().await;
    let id = plugin("hostile");
    world.uses("0.8.0", "none", OnQuarantine::Stay).await;
    world.uses("0.9.0", "none", OnQuarantine::Stay).await;
    world.uses("1.0.0", "triage-nan", OnQuarantine::Stay).await;
    world.quarantined(1).await;
    world.engine.plugin_upload(&caller(), as_version(&built("hostile"), "1.1.0")).await.unwrap();
    let request = UpgradeRequest {
        version: Some("1.1.0".parse().unwrap()),
        on_quarantine: Some(OnQuarantine::RollBack),
        options: SwitchOptions { reason: Some("a mend".to_owned()), ..SwitchOptions::default() },
        ..UpgradeRequest::default()
    };
    world.engine.plugin_upgrade(&caller(), &id, request).await.unwrap();
    world.engine.plugin_remove_version(&caller(), &id, &"0.9.0".parse().unwrap()).await.unwrap();
    world.quarantined(2).await;
    world.until("it goes back", || async { world.serving() == "0.8.0" }).await;
    let info = world.engine.plugin_get(&id).unwrap();
    assert_eq!(info.settings.unwrap().on_quarantine, OnQuarantine::Stay, "the whole use came back");
    assert_eq!(info.health.map_or(HealthState::Healthy, |health| health.state), HealthState::Healthy);
    world.case().await;
    assert_eq!(world.events("plugin.quarantined").await.len(), 2, "it works");
}
