//! Plugins that fail again and again are left alone; that is kept, logged and told.

use serde_json::{Value as Json, json};
use trellis_engine::{Decision, DecisionKind, HealthState, UseSettings};
use trellis_model::{Decider, PluginId};
use trellis_records::Caller;

use crate::support::{World, built};

fn hostile() -> PluginId {
    PluginId::new("hostile").unwrap()
}

/// Enables the hostile guest with a sin.
async fn sin(world: &World, sin: &str) {
    let caller = Caller::system("test");
    world.engine.plugin_upload(&caller, built("hostile")).await.unwrap();
    let settings = UseSettings { config: json!({ "sin": sin }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller, &hostile(), settings).await.unwrap();
}

/// The code of what went wrong when the guest was asked about a new case.
async fn triage(world: &World) -> Option<String> {
    let case = world.create("case", json!({ "subject": "Torn sleeve", "status": "new" })).await.id;
    world.settle().await;
    let decisions = world.decisions("case", case).await;
    let by_plugin = |decision: &&Decision| matches!(decision.by, Decider::Plugin { .. });
    let triage = decisions.iter().filter(by_plugin).find(|decision| decision.kind == DecisionKind::Triage)?;
    triage.outcome["error"]["code"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_is_kept_told_and_released_by_hand() {
    let world = World::new().await;
    let admin = world.create("user", json!({ "name": "Ann", "username": "ann", "kind": "person" })).await.id;
    world.engine.tell_administrators(vec![admin]);
    sin(&world, "triage-nan").await;
    for strike in 1..=5 {
        assert_eq!(triage(&world).await.as_deref(), Some("plugin_fault"), "strike {strike}");
        if strike == 2 {
            assert_eq!(triage(&world).await.as_deref(), Some("plugin_unavailable"), "it backs off");
        }
        world.clock.advance_ms(60_000);
    }
    assert_eq!(triage(&world).await.as_deref(), Some("plugin_unavailable"));
    let told = || async { !world.all("notification").await.is_empty() };
    world.until("the administrator is told", told).await;
    let notification = world.all("notification").await.remove(0);
    let subject = notification["subject"].as_str().unwrap();
    assert!(subject.contains("Plugin hostile 1.0.0 was quarantined after 5 faults"), "{subject}");
    assert_eq!(notification["user"], json!(admin.to_string()));
    let events = world.events("plugin.quarantined").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["function"], json!("service-workflow.triage"));
    assert!(events[0]["reason"].as_str().unwrap().contains("invalid result"), "{}", events[0]);
    let health = world.engine.plugin_get(&hostile()).unwrap().health.unwrap();
    assert!(matches!(health.state, HealthState::Quarantined { until_ms: None, .. }), "{health:?}");

    let world = world.restart().await;
    assert_eq!(triage(&world).await.as_deref(), Some("plugin_unavailable"), "a restart changes nothing");
    let released = world.engine.plugin_release(&Caller::system("test"), &hostile()).await.unwrap();
    assert_eq!(released.health.unwrap().state, HealthState::Healthy);
    sin(&world, "none").await;
    assert_eq!(triage(&world).await, None);
    assert_eq!(
        world.events("plugin.released").await,
        [json!({ "plugin": "hostile", "versions": ["1.0.0"] })]
    );
    world.engine.plugin_release(&Caller::system("test"), &hostile()).await.unwrap();
    assert_eq!(world.events("plugin.released").await.len(), 1, "there is nothing to release");
    let world = world.restart().await;
    assert_eq!(triage(&world).await, None, "it stays released");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_poison_record_does_not_keep_others_from_being_saved() {
    let world = World::new().await;
    sin(&world, "poison-change").await;
    let lead = |company: &str| json!({ "name": "Li", "company": company, "status": "new" });
    for number in 0..3 {
        let saved = world.try_create("lead", lead("poison")).await;
        let refused = saved.unwrap_err();
        assert!(refused.contains("fails on this row"), "{number}: {refused}");
        world.create("lead", lead("Acme")).await;
    }
    let rows = world.engine.plugin_poison_rows(&hostile(), None).unwrap();
    assert_eq!((rows.len(), rows[0].function), (3, "before-save"));
    let metrics = world.engine.plugin_metrics(&hostile(), None).unwrap().unwrap();
    assert_eq!(metrics.health.state, HealthState::Healthy);
    assert_eq!(metrics.strikes_total, 3);
    assert!(metrics.functions["record-hook.before-save"].faults["trap"] >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_writes_reaches_the_admin() {
    let world = World::new().await;
    assert!(world.engine.plugin_log(&hostile(), None).is_err(), "there is no such plugin");
    sin(&world, "event-trap").await;
    let case = world.create("case", json!({ "subject": "Torn", "status": "new" })).await.id;
    world.settle().await;
    world.update("case", case, json!({ "status": "open" })).await;
    world.settle().await;
    let lines = world.engine.plugin_log(&hostile(), None).unwrap();
    let panic = lines.iter().find(|line| line.function == "on-event").expect("its panic is kept");
    assert!(panic.line.message.contains("told to trap"), "{panic:?}");
    let last = world.engine.all_plugin_metrics().remove(0).health.last_fault.unwrap();
    assert_eq!(Json::from(last.function), json!("service-workflow.on-event"));
}
