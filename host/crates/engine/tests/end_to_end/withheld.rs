//! What is withheld from a plugin by now it is not shown again: where a run or decision is done again, and to whoever may not see what its
//! model is made of.

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{DecisionKind, JobState, ModelChoice, ReplayWith, RunRequest, UseSettings};
use trellis_model::{Filter, ObjectName, ObjectScope, RecordId, RowAccess, Scope};
use trellis_records::{Caller, Query};

use crate::{
    sections::as_version,
    support::{World, built, caller, plugin_id},
};

const BASKETS: &str = "baskets";

impl World {
    /// Uses the guest that learns from order lines, without the grants that begin so.
    async fn use_baskets(&self, config: Json, without: &[&str]) {
        let settings = UseSettings { config, ..UseSettings::default() };
        let enable = async |settings: UseSettings| {
            self.engine.plugin_enable(&caller(), &plugin_id(BASKETS), settings).await.unwrap()
        };
        let asked = enable(settings.clone()).await.requests;
        let granted = asked.into_iter().map(|request| request.grant);
        let granted = granted.filter(|grant| !without.iter().any(|start| grant.starts_with(start)));
        enable(UseSettings { grants: Some(granted.collect()), ..settings }).await;
    }

    async fn first_account(&self) -> RecordId {
        let (scope, query) = (Scope::everything(), Query::new(object("account")));
        self.records.list(&scope, &query).await.unwrap().records[0].id
    }

    async fn replayed(&self, run: RecordId) -> Json {
        let job = self.engine.run_replay(&caller(), &plugin_id(BASKETS), run).await.unwrap();
        self.good_result(job.id).await
    }

    async fn replayed_with(&self, run: RecordId, version: &str) -> Json {
        let with = ReplayWith::Version(version.parse().unwrap());
        let job = self.engine.run_replay_with(&caller(), &plugin_id(BASKETS), run, with).await.unwrap();
        self.good_result(job.id).await["replay"].clone()
    }
}

fn run_of(result: &Json) -> RecordId {
    RecordId::parse(result["run"].as_str().unwrap()).unwrap()
}

/// The shop with one run of the guest, which learned from industries and lines.
async fn learned() -> (World, RecordId) {
    let world = World::new().await;
    world.shop().await;
    world.install(BASKETS).await;
    world.use_baskets(json!({ "features": ["industry"] }), &[]).await;
    let run = run_of(&world.run_well(BASKETS, RunRequest::default()).await);
    (world, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_done_again_without_what_is_withheld_by_now() {
    let (world, run) = learned().await;
    world.bring(as_version(&built(BASKETS), "9.0.0")).await;
    for again in [world.replayed(run).await, world.replayed_with(run, "9.0.0").await] {
        assert_eq!((&again["same"], &again["withheld"]), (&json!(true), &json!([])), "{again}");
    }
    let check = async |without: &str, expected: &str, differing: u64| {
        world.use_baskets(json!({ "features": ["industry"] }), &[without]).await;
        let again = world.replayed(run).await;
        assert_eq!((&again["same"], &again["withheld"]), (&json!(false), &json!([expected])), "{again}");
        assert_eq!(again["differing"], differing, "{again}");
        // No more does another version see it.
        let again = world.replayed_with(run, "9.0.0").await;
        assert_eq!((&again["same"], &again["withheld"]), (&json!(false), &json!([expected])), "{again}");
    };
    check("data:order(", "customers.orders", 1).await;
    check("data:order_line(", "lines", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_learned_from_a_field_that_has_become_personal() {
    let (world, run) = learned().await;
    world.make_personal("account", "industry").await;
    let again = world.replayed(run).await;
    assert_eq!(again["withheld"], json!(["customers.features.industry"]), "{again}");
    let id = plugin_id(BASKETS);
    let by_run = world.engine.plugin_run(&caller(), &id, RunRequest::default()).await;
    let by_fit = world.engine.plugin_fit(&caller(), &id, RunRequest::default()).await;
    for refused in [by_run.unwrap_err(), by_fit.unwrap_err()] {
        assert_eq!(refused.code(), "plugin_cannot_run");
        let text = refused.text();
        for said in [&text.en, &text.zh_cn] {
            assert!(said.contains("`account.industry`") && said.contains("`features`"), "{said}");
        }
    }
    // What was learned before serves on, with the field empty.
    let last = RunRequest { model: ModelChoice::Last, ..RunRequest::default() };
    assert_eq!(world.run(BASKETS, last).await.state, JobState::Succeeded);
}

#[tokio::test]
async fn a_decision_is_not_made_again_of_what_may_not_be_seen_any_more() {
    let world = World::new().await;
    world.install("hostile").await;
    let settings = UseSettings { config: json!({ "sin": "hook-veto" }), ..UseSettings::default() };
    world.engine.plugin_enable(&caller(), &plugin_id("hostile"), settings).await.unwrap();
    let lead = json!({ "name": "Ann", "status": "new", "company": "Acme" });
    world.create("lead", lead).await.unwrap_err();
    let decision = world.decided(DecisionKind::Veto).await[0].id;
    let again = world.engine.decision_replay(decision).await.unwrap();
    assert!(again.same, "{again:?}");
    world.make_personal("lead", "company").await;
    let version = world.engine.plugin_get(&plugin_id("hostile")).unwrap().version;
    let by_same = world.engine.decision_replay(decision).await.unwrap_err();
    let by_version = world.engine.decision_replay_with(decision, &version).await.unwrap_err();
    for refused in [by_same, by_version] {
        assert_eq!(refused.code(), "inputs_expired");
        assert!(refused.to_string().contains("may not see `lead.company` any more"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_from_rows_is_told_to_who_sees_such_rows() {
    let (world, _) = learned().await;
    let account = world.first_account().await;
    let sees = |objects: &[(&str, RowAccess)]| {
        let one = |scope: Scope, (name, rows): &(&str, RowAccess)| {
            scope.with(object(name), ObjectScope { rows: rows.clone(), ..ObjectScope::everything() })
        };
        Caller { scope: objects.iter().fold(Scope::nothing(), one), ..caller() }
    };
    let some = || RowAccess::Where(Filter::everything());
    let own = || [("account", RowAccess::All), ("order", RowAccess::All)];
    let explain = async |more: &[(&str, RowAccess)]| {
        let by = sees(&[&own(), more].concat());
        world.engine.score_explain(&by, "baskets__points", account).await
    };
    let lines = || ("order_line", some());
    assert!(explain(&[lines(), ("product", RowAccess::All)]).await.is_ok(), "sums over lines name nobody");
    for less in [vec![], vec![lines()], vec![lines(), ("product", some())]] {
        let refused = explain(&less).await.unwrap_err();
        assert_eq!(refused.code(), "no_explanation", "{less:?}");
        assert!(refused.text().zh_cn.contains("无权查看"), "{refused}");
    }
    // What tells of all customers is told to who sees all of them.
    let rules = async |account: RowAccess| {
        let rest = [("order", RowAccess::All), lines(), ("product", RowAccess::All)];
        let by = sees(&[&[("account", account)][..], &rest].concat());
        world.engine.score_rules(&by, "baskets__points").await
    };
    assert!(rules(some()).await.unwrap_err().to_string().contains("may not see"));
    assert!(rules(RowAccess::All).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_plugin_explains_what_it_saw_and_nothing_else() {
    let (world, run) = learned().await;
    let account = world.first_account().await;
    world.engine.plugin_remove(&caller(), &plugin_id(BASKETS), true).await.unwrap();
    let explained = world.engine.score_explain(&caller(), "baskets__points", account).await.unwrap();
    assert_eq!(explained.run, run, "of what its run saw");
    world.update("account", account, json!({ "industry": "Mining" })).await.unwrap();
    let refused = world.engine.score_explain(&caller(), "baskets__points", account).await.unwrap_err();
    assert_eq!(refused.code(), "no_explanation");
    assert!(refused.to_string().contains("plugin that was removed"), "{refused}");
}

fn object(name: &str) -> ObjectName {
    ObjectName::new(name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_granted_with_a_word_about_reports() {
    let world = World::new().await;
    world.enable("hostile", json!({}), AsOf::Now).await;
    world.make_personal("lead", "company").await;
    let requests = world.engine.plugin_get(&plugin_id("hostile")).unwrap().requests;
    let personal = requests.iter().find(|request| request.personal).unwrap();
    assert!(personal.text.en.contains("answers keep it"), "{personal:?}");
    assert!(personal.text.zh_cn.contains("直至被删除"), "{personal:?}");
}
