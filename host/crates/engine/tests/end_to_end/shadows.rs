//! Versions that are evaluated beside the one in use.

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{CompareLimits, Config, DecisionKind, RunRequest, ShadowRequest, UseSettings};
use trellis_model::RecordId;

use crate::sections::{as_version, with_section};
use crate::support::{World, built, caller, example, plugin_id};

fn shadow(version: &str, config: Option<Json>) -> ShadowRequest {
    ShadowRequest { version: version.parse().unwrap(), config, grants: None }
}

async fn with_compare(compare: CompareLimits) -> World {
    let config = Config { assign_parallel_max: 2, follow_interval_ms: 1, compare, ..Config::default() };
    World::with(trellis_plugin_host::Limits::default(), config).await
}

/// Each customer buys something on a day; the same again would be the same order.
async fn buy(world: &World, customers: std::ops::RangeInclusive<u32>, day: &str) {
    let rows: String = customers.map(|customer| format!("{customer},{day},1,50.00\n")).collect();
    let csv = format!("customer_id,date,cds,amount\n{rows}");
    world.import("order", Some(&example("orders.toml")), &csv).await.unwrap();
}

impl World {
    async fn figures(&self, plugin: &str) -> Json {
        self.engine.reactions_settled().await;
        self.engine.shadows_settled().await;
        self.engine.shadow_status(&plugin_id(plugin)).await.unwrap()
    }

    /// All records of an object, by the names of their fields.
    async fn records_of(&self, object: &str) -> Vec<Json> {
        let query = trellis_records::Query::new(trellis_model::ObjectName::new(object).unwrap());
        let page = self.records.list(&trellis_model::Scope::everything(), &query).await.unwrap();
        let schema = self.records.schema();
        let named = page.records.iter().map(|record| schema.named(record).unwrap());
        let fields = named.map(|named| {
            let fields = named.fields.iter().map(|(name, value)| (name.to_string(), value.to_json()));
            Json::Object(fields.collect())
        });
        fields.collect()
    }

    async fn in_use(&self, plugin: &str) -> String {
        let settings = self.engine.plugin_get(&plugin_id(plugin)).unwrap().settings.unwrap();
        settings.version.unwrap().to_string()
    }
}

/// The guest that offers every interface, enabled, with the same code as another version.
async fn every_interface(compare: CompareLimits) -> World {
    let world = with_compare(compare).await;
    buy(&world, 1..=20, "2026-01-05").await;
    world.enable("every-interface", json!({}), AsOf::Now).await;
    world.bring(as_version(&built("every-interface"), "9.0.0")).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_evaluated_for_every_run_and_never_flipped_to() {
    let compare =
        CompareLimits { promote_compared_min: 20, shadow_results_kept_per_plugin: 1, ..Default::default() };
    let world = every_interface(compare).await;
    let id = plugin_id("every-interface");
    world.run_well("every-interface", RunRequest::default()).await;
    world.engine.shadow_start(&caller(), &id, shadow("9.0.0", None)).await.unwrap();
    let none = world.figures("every-interface").await;
    assert_eq!(none["figures"]["runs"], 0, "what ran before does not count");
    let error = world.engine.plugin_promote(&caller(), &id, false).await.unwrap_err();
    assert_eq!(error.code(), "promotion_refused");
    assert!(error.to_string().contains("promote_compared_min"), "{error}");

    let run = world.run_well("every-interface", RunRequest::default()).await;
    let status = world.figures("every-interface").await;
    let figures = &status["figures"];
    assert_eq!(
        (&figures["runs"], &figures["rows"], &figures["rows_changed"]),
        (&json!(1), &json!(20), &json!(0)),
        "{status}"
    );
    assert_eq!((&figures["faults"], &figures["fuel_percent"]), (&json!(0), &json!(100.0)), "{status}");
    assert_eq!(status["runs"][0]["run"], run["run"]);
    assert!(status["runs"][0]["results"].is_string(), "its results are kept: {status}");
    let customer = world.account("7").await.id;
    let row = world.engine.shadow_row(&caller(), &id, customer).await.unwrap();
    assert_eq!(row["run"], run["run"]);
    assert_eq!(
        (&row["before"], &row["after"]["every_interface__orders"]),
        (&row["after"], &json!(1.0)),
        "{row}"
    );
    let current = world.columns.score("every_interface__orders").unwrap().current;
    assert_eq!(json!(current.unwrap().run.to_string()), run["run"], "the version in use is what counts");

    let again = world.run_well("every-interface", RunRequest::default()).await;
    let status = world.figures("every-interface").await;
    assert_eq!(status["runs"].as_array().unwrap().len(), 1, "as many as are kept");
    assert_eq!(status["runs"][0]["run"], again["run"]);
    let digest = status["runs"][0]["results"].as_str().unwrap().to_owned();

    let world = world.restart().await;
    let status = world.figures("every-interface").await;
    assert_eq!(status["figures"]["runs"], 2, "figures outlive the server: {status}");
    let file = world.dir.path().join("engine/capsules").join(digest).with_extension("capsule");
    assert!(file.is_file(), "and so do its results");

    world.engine.plugin_promote(&caller(), &id, false).await.unwrap();
    assert_eq!(world.in_use("every-interface").await, "9.0.0");
    assert_eq!(world.engine.shadow_status(&id).await.unwrap_err().code(), "not_found");
    assert_eq!(world.events("plugin.shadow-started").await.len(), 1);
    assert_eq!(world.events("plugin.shadow-stopped").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_who_change_are_scored_by_the_shadow_too() {
    let world = every_interface(CompareLimits::default()).await;
    let id = plugin_id("every-interface");
    world.engine.shadow_start(&caller(), &id, shadow("9.0.0", None)).await.unwrap();
    world.run_well("every-interface", RunRequest::default()).await;
    let before = world.figures("every-interface").await["figures"]["rows"].as_u64().unwrap();
    assert_eq!(before, 20);
    buy(&world, 3..=3, "2026-01-06").await;
    let customer = world.account("3").await;
    let orders = || {
        world.columns.score_of(
            &trellis_model::Scope::everything(),
            "every_interface__orders",
            customer.ordinal.unwrap(),
        )
    };
    let followed = async {
        while orders() != Some(2.0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), followed)
        .await
        .expect("the customer is scored again");
    let status = world.figures("every-interface").await;
    let figures = &status["figures"];
    assert!(figures["rows"].as_u64().unwrap() > before, "{status}");
    assert_eq!((&figures["rows_changed"], &figures["mean_change"]), (&json!(0), &json!(0.0)), "{status}");
}

/// The hostile guest in use and well-behaved, and a lead.
async fn hostile(compare: CompareLimits) -> (World, RecordId) {
    let world = with_compare(compare).await;
    world.install("hostile").await;
    let settings = UseSettings { config: json!({ "sin": "none" }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller(), &plugin_id("hostile"), settings).await.unwrap();
    let lead = world.create("lead", json!({ "name": "Ann", "status": "new" })).await.unwrap().id;
    (world, lead)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_refuses_a_save_refuses_nothing() {
    let compare = CompareLimits { promote_compared_min: 1, ..CompareLimits::default() };
    let (world, lead) = hostile(compare).await;
    let id = plugin_id("hostile");
    let request = shadow("1.0.0", Some(json!({ "sin": "hook-veto" })));
    world.engine.shadow_start(&caller(), &id, request).await.unwrap();
    world.update("lead", lead, json!({ "status": "contacted" })).await.unwrap();
    let status = world.figures("hostile").await;
    let figures = &status["figures"];
    assert_eq!((&figures["decisions"], &figures["vetoes_added"]), (&json!(1), &json!(1)), "{status}");
    assert_eq!(status["verdict"]["may_be_promoted"], false);
    assert_eq!(world.decided(DecisionKind::Veto).await, []);
    let error = world.engine.plugin_promote(&caller(), &id, false).await.unwrap_err();
    assert!(error.to_string().contains("promote_decisions_changed_per_mille_max"), "{error}");
    world.engine.plugin_promote(&caller(), &id, true).await.unwrap();
    world.update("lead", lead, json!({ "status": "qualified" })).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_traps_touches_nobody_and_is_counted() {
    let (world, lead) = hostile(CompareLimits::default()).await;
    let id = plugin_id("hostile");
    let request = shadow("1.0.0", Some(json!({ "sin": "hook-trap" })));
    world.engine.shadow_start(&caller(), &id, request).await.unwrap();
    for status in ["contacted", "qualified", "contacted"] {
        world.update("lead", lead, json!({ "status": status })).await.unwrap();
    }
    let status = world.figures("hostile").await;
    assert_eq!(status["figures"]["faults"], 3, "{status}");
    let against = status["verdict"]["against"].to_string();
    assert!(against.contains("promote_faults_max"), "{status}");
    world.engine.shadow_stop(&caller(), &id).await.unwrap();
    assert_eq!(world.engine.shadow_stop(&caller(), &id).await.unwrap_err().code(), "not_found");
    world.update("lead", lead, json!({ "status": "qualified" })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workflow_decides_is_decided_by_the_shadow_too() {
    let world = with_compare(CompareLimits::default()).await;
    world.enable("complaint-desk", json!({}), AsOf::Now).await;
    world.bring(as_version(&built("complaint-desk"), "9.0.0")).await;
    let id = plugin_id("complaint-desk");
    let unknown = world.engine.shadow_start(&caller(), &id, shadow("7.0.0", None)).await.unwrap_err();
    assert_eq!(unknown.code(), "not_found");
    world.engine.shadow_start(&caller(), &id, shadow("9.0.0", None)).await.unwrap();
    let account = world.create("account", json!({ "name": "Acme" })).await.unwrap();
    let case = json!({ "subject": "Broken", "status": "new", "kind": "complaint", "account": account.id.to_string() });
    let case = world.create("case", case).await.unwrap().id;
    let before = world.figures("complaint-desk").await["figures"]["decisions"].as_u64().unwrap();
    let object = trellis_model::ObjectName::new("case").unwrap();
    world.engine.suggestions(&caller(), &object, case).await.unwrap();
    let status = world.figures("complaint-desk").await;
    let figures = &status["figures"];
    assert_eq!(figures["decisions"], json!(before + 1), "suggestions are made by the shadow too: {status}");
    assert!(figures["decisions"].as_u64().unwrap() >= 1, "{status}");
    assert_eq!((&figures["decisions_changed"], &figures["faults"]), (&json!(0), &json!(0)), "{status}");
    assert_eq!(figures["fuel_percent"], 100.0, "{status}");
    let tasks = world.decided(DecisionKind::Triage).await;
    assert_eq!(tasks.len(), 1, "only the version in use decides");
    world.engine.plugin_remove(&caller(), &id, true).await.unwrap();
    assert_eq!(world.engine.shadow_status(&id).await.unwrap_err().code(), "not_found", "it went too");
    let names = world.engine.decider_names(&tasks).await.unwrap();
    assert_eq!(names.into_values().map(|name| name.en).collect::<Vec<_>>(), ["Complaint desk"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_a_shadow_is_neither_removed_nor_replaced() {
    let world = every_interface(CompareLimits::default()).await;
    let (id, version) = (plugin_id("every-interface"), "9.1.0-dev".parse().unwrap());
    let component = as_version(&built("every-interface"), "9.1.0-dev");
    world.bring(component.clone()).await;
    world.engine.shadow_start(&caller(), &id, shadow("9.1.0-dev", None)).await.unwrap();
    let refused = world.engine.plugin_remove_version(&caller(), &id, &version).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_in_use");
    assert!(refused.to_string().contains("end the shadow first"), "{refused}");
    let other = with_section(&component, "note", b"edited");
    let refused = world.engine.plugin_upload(&caller(), other.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_in_use", "{refused}");
    world.engine.shadow_stop(&caller(), &id).await.unwrap();
    world.engine.plugin_upload(&caller(), other).await.unwrap();
    world.engine.plugin_remove_version(&caller(), &id, &version).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_is_lost_ends_and_the_administrators_are_told() {
    let world = every_interface(CompareLimits::default()).await;
    let id = plugin_id("every-interface");
    world.engine.shadow_start(&caller(), &id, shadow("9.0.0", None)).await.unwrap();
    let digest = blake3::hash(&as_version(&built("every-interface"), "9.0.0")).to_hex().to_string();
    let world = world
        .restart_after(|dir| {
            std::fs::remove_file(dir.join(format!("engine/plugins/{digest}.wasm"))).unwrap();
        })
        .await;
    assert_eq!(world.engine.shadow_status(&id).await.unwrap_err().code(), "not_found");
    assert!(world.events("plugin.shadow-stopped").await.is_empty(), "there is nobody to tell yet");
    let admin = world.create("user", json!({ "name": "Ann", "username": "ann", "kind": "person" })).await;
    world.engine.tell_administrators(vec![admin.unwrap().id]);
    let told = async {
        while world.records_of("notification").await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), told).await.expect("somebody is told");
    let told = world.records_of("notification").await;
    let subject = told[0]["subject"].as_str().unwrap();
    assert!(subject.contains("shadow of plugin every-interface, version 9.0.0"), "{subject}");
    assert_eq!(world.events("plugin.shadow-stopped").await.len(), 1);
    world.bring(as_version(&built("every-interface"), "9.0.0")).await;
    let world = world.restart().await;
    assert_eq!(world.engine.shadow_status(&id).await.unwrap_err().code(), "not_found", "it is over");
}
