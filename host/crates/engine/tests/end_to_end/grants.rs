//! What a plugin was not granted it does not see.

use serde_json::json;
use trellis_engine::{DryRunRequest, UseSettings};
use trellis_model::{ObjectName, ObjectScope, RecordId, Scope};
use trellis_records::{Caller, SchemaApply, SchemaDocument};

use crate::{
    rules::veto,
    support::{World, built, caller, plugin_id},
};

impl World {
    /// Says that a field is personal data.
    pub(crate) async fn make_personal(&self, object: &str, field: &str) {
        let exported = self.records.schema_export().await.unwrap();
        let mut changed = exported.object(object).unwrap().clone();
        let fields = changed["fields"].as_array_mut().unwrap();
        fields.iter_mut().find(|found| found["name"] == field).unwrap()["personal_data"] = json!(true);
        let document = SchemaDocument::of(vec![changed]);
        self.records.schema_apply(&caller(), &document, &SchemaApply::default()).await.unwrap();
    }

    /// Enables the guest that fails on changes of the company `poison`.
    async fn judged(&self, grants: Option<Vec<String>>) {
        let settings =
            UseSettings { config: json!({ "sin": "poison-change" }), grants, ..UseSettings::default() };
        self.engine.plugin_enable(&caller(), &plugin_id("hostile"), settings).await.unwrap();
    }

    /// Whether the guest let a change of a lead through.
    async fn changed(&self, lead: RecordId, status: &str) -> bool {
        match self.update("lead", lead, json!({ "status": status })).await {
            Ok(_) => true,
            refused => {
                let (_, code, _, _, unavailable) = veto(refused);
                assert_eq!((code.as_str(), unavailable), ("plugin-fault", true));
                false
            }
        }
    }
}

#[tokio::test]
async fn personal_data_needs_a_grant_of_its_own_from_the_moment_that_it_is_personal() {
    let world = World::new().await;
    let lead = json!({ "name": "Ann", "status": "new", "company": "poison" });
    let lead = world.create("lead", lead).await.unwrap().id;
    world.install("hostile").await;
    world.judged(None).await;
    assert!(!world.changed(lead, "contacted").await, "it sees the company and fails on it");

    world.make_personal("lead", "company").await;
    assert!(world.changed(lead, "contacted").await, "it is not shown the company any more");
    let requests = world.engine.plugin_get(&plugin_id("hostile")).unwrap().requests;
    let personal: Vec<_> = requests.iter().filter(|request| request.personal).collect();
    let [personal] = personal.as_slice() else { panic!("{requests:?}") };
    assert_eq!(personal.grant, "personal:lead(company)");
    assert!(personal.text.zh_cn.starts_with("可查看 lead 的个人信息：company"), "{}", personal.text.zh_cn);

    let all: Vec<_> = requests.iter().map(|request| request.grant.clone()).collect();
    world.judged(Some(all.clone())).await;
    assert!(!world.changed(lead, "qualified").await, "with the grant it sees the company");
    let ordinary = requests.iter().filter(|request| !request.personal);
    world.judged(Some(ordinary.map(|request| request.grant.clone()).collect())).await;
    assert!(world.changed(lead, "qualified").await);
    // What is granted to the version in use a dry run has too, and nothing else.
    let failed = async || {
        world.dry_run("hostile", DryRunRequest::default()).await["record_hooks"][0]["failed"].clone()
    };
    assert_eq!(failed().await, 0, "it is not shown the company");
    world.judged(Some(all.clone())).await;
    assert_eq!(failed().await, 1, "as granted to the version in use");
    let unknown = UseSettings { grants: Some(vec!["personal:lead(phone)".to_owned()]), ..Default::default() };
    let refused = world.engine.plugin_enable(&caller(), &plugin_id("hostile"), unknown).await.unwrap_err();
    assert!(refused.to_string().contains("does not ask for `personal:lead(phone)`"), "{refused}");
    let ordinary = requests.iter().filter(|request| !request.personal);
    world.judged(Some(ordinary.map(|request| request.grant.clone()).collect())).await;
    let world = world.restart().await;
    assert!(world.changed(lead, "new").await, "as granted");
}

#[tokio::test]
async fn a_broken_plugin_is_asked_about_by_its_manifest() {
    let world = World::new().await;
    let lead = json!({ "name": "Ann", "status": "new" });
    let lead = world.create("lead", lead).await.unwrap().id;
    world.install("hostile").await;
    world.judged(None).await;
    let digest = digest_of(&built("hostile"));
    let file = world.dir.path().join(format!("engine/plugins/{digest}.wasm"));
    std::fs::remove_file(&file).unwrap();

    let world = world.restart().await;
    let refused = world.update("lead", lead, json!({ "status": "contacted" })).await;
    let (by, code, reason, _, unavailable) = veto(refused);
    assert_eq!((code.as_str(), unavailable), ("plugin-broken", true));
    assert!(format!("{by:?}").contains("hostile") && reason.zh_cn.contains("已损坏"), "{reason:?}");
    let renamed = world.update("lead", lead, json!({ "name": "Anna" })).await;
    assert!(renamed.is_ok(), "it would not have been asked");
    let case = json!({ "subject": "Torn", "status": "new" });
    let case = world.create("case", case).await.unwrap().id;
    let (_, code, ..) = veto(world.update("case", case, json!({ "status": "closed" })).await);
    assert_eq!(code, "plugin-broken", "nor is a record closed that it checks");

    world.engine.plugin_disable(&caller(), &plugin_id("hostile")).await.unwrap();
    world.update("lead", lead, json!({ "status": "contacted" })).await.unwrap();
    world.update("case", case, json!({ "status": "closed" })).await.unwrap();
    world.install("hostile").await;
    world.judged(None).await;
    assert!(world.changed(lead, "qualified").await, "installed again it is asked again");
    assert_eq!(world.engine.plugin_get(&plugin_id("hostile")).unwrap().broken, None);
}

/// The name of a component's file.
fn digest_of(component: &[u8]) -> String {
    blake3::hash(component).to_hex().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_are_for_those_who_see_what_they_are_made_of() {
    let world = World::new().await;
    crate::following::buy(&world, "1", "2026-01-01").await;
    world.enable("hostile", json!({}), trellis_columns::AsOf::Now).await;
    world.run_well("hostile", trellis_engine::RunRequest::default()).await;
    let account = world.account("1").await.id;
    let sees = |objects: &[&str]| {
        let all = |scope: Scope, object: &&str| {
            scope.with(ObjectName::new(object).unwrap(), ObjectScope::everything())
        };
        Caller { scope: objects.iter().fold(Scope::nothing(), all), ..caller() }
    };
    for name in ["hostile__lot", "hostile__points"] {
        let explain = async |by: &Caller| match name {
            "hostile__lot" => world.engine.explain(by, name, account).await.map(|told| told.reasons.len()),
            _ => world.engine.score_explain(by, name, account).await.map(|told| told.reasons.len()),
        };
        assert_eq!(explain(&caller()).await.unwrap(), 1, "{name}");
        assert_eq!(explain(&sees(&["account", "order"])).await.unwrap(), 1, "{name}");
        let refused = explain(&sees(&["account"])).await.unwrap_err();
        assert_eq!(refused.code(), "no_explanation");
        assert!(refused.to_string().contains("data that you may not see"), "{name}: {refused}");
    }
}
