//! Runs of plugins that give numbers.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::RunRequest;
use trellis_model::{Language, Scope};

use crate::support::{World, caller, date, example, unknown_id};

const STANDING: &str = "value_pyramid__standing";

async fn scored() -> (World, Json) {
    let world = World::new().await;
    world.import_cdnow().await;
    world.enable("value-pyramid", json!({}), date("1998-06-30")).await;
    let result = world.run_well("value-pyramid", RunRequest::default()).await;
    (world, result)
}

async fn buy(world: &World, customer: &str, date: &str) {
    let order = format!("customer_id,date,cds,amount\n{customer},{date},1,50.00\n");
    world.import("order", Some(&example("orders.toml")), &order).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_customer_gets_its_scores_and_each_tier_its_share() {
    let (world, result) = scored().await;
    assert_eq!((&result["customers"], &result["failed"]), (&json!(2_357), &json!(0)));
    let standing = &result["scores"][STANDING];
    assert_eq!((&standing["count"], &standing["null"]), (&json!(2_357), &json!(0)));
    let bands: u64 = standing["bands"].as_object().unwrap().values().filter_map(Json::as_u64).sum();
    assert_eq!(bands, 2_357, "each customer is in one tier: {standing}");
    // The best per cent of 2,357 customers; ties are told apart by their ordinals.
    assert!((23..=24).contains(&standing["bands"]["platinum"].as_u64().unwrap()), "{standing}");
    assert!(result["models"]["scoring"]["bytes"].as_u64().unwrap() > 0);
    assert!(result["models"].get("segmentation").is_none(), "it offers no segmentation");
    let info = world.columns.score(STANDING).unwrap();
    assert_eq!((info.count, info.null_count), (2_357, 0));
    assert_eq!(world.events("score.baseline").await.len(), 1, "one summary for the first scores");
    assert_eq!(world.events("score.crossed").await, [] as [Json; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_can_be_explained_and_its_model_told_in_words() {
    let (world, result) = scored().await;
    let account = world.account("1").await;
    let explained = world.engine.score_explain(&caller(), STANDING, account.id).await.unwrap();
    let ordinal = account.ordinal.unwrap();
    assert_eq!(explained.value, world.columns.score_of(&Scope::everything(), STANDING, ordinal));
    assert_eq!(explained.band, world.columns.band_of(&Scope::everything(), STANDING, ordinal));
    assert!(explained.band.is_some() && !explained.reasons.is_empty(), "{explained:?}");
    assert_eq!(explained.run.to_string(), result["run"]);
    assert_eq!((explained.plugin.as_str(), explained.as_of), ("value-pyramid", date("1998-06-30")));
    for reason in &explained.reasons {
        assert_ne!(reason.text.get(Language::En), reason.text.get(Language::ZhCn), "in two languages");
    }
    let rules = world.engine.score_rules(&caller(), STANDING).await.unwrap();
    assert!(rules.en.contains("latinum") && rules.zh_cn.contains("铂金"), "{rules:?}");
    let unknown = world.engine.score_explain(&caller(), "no_such_one", account.id).await.unwrap_err();
    assert_eq!(unknown.code(), "no_explanation");
    let nobody = world.engine.score_explain(&caller(), STANDING, unknown_id()).await.unwrap_err();
    assert_eq!(nobody.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_serves_segmentation_and_scoring() {
    let world = World::new().await;
    for (customer, date) in
        [("1", "2026-01-01"), ("2", "2026-01-01"), ("2", "2026-01-02"), ("2", "2026-01-03")]
    {
        buy(&world, customer, date).await;
    }
    world.enable("every-interface", json!({}), AsOf::Now).await;
    let result = world.run_well("every-interface", RunRequest::default()).await;
    assert_eq!(result["segmentations"]["every_interface__buys"]["values"]["yes"], 2);
    assert_eq!(result["scores"]["every_interface__orders"]["bands"], json!({ "few": 1, "many": 1 }));
    assert_eq!(world.events("run.flipped").await.len(), 1, "one generation, one flip");
    let runs =
        world.engine.plugin_runs(&crate::support::plugin_id("every-interface"), None, 10).await.unwrap();
    assert_eq!((runs.runs.len(), runs.next), (1, None));
    let run = &runs.runs[0];
    assert_eq!(run.run.to_string(), result["run"]);
    assert!(run.has_capsule && run.baseline);
    assert_eq!(run.result, result);
}

/// The issue wants an answer within 100 ms at the 99th percentile; here nothing is measured but that it comes at once after a pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_buys_again_crosses_into_another_band() {
    let mut config = trellis_engine::Config { assign_parallel_max: 2, ..Default::default() };
    config.follow_interval_ms = 20;
    let world = World::with(trellis_plugin_host::Limits::default(), config).await;
    for (customer, date) in [("1", "2026-01-01"), ("2", "2026-01-01"), ("2", "2026-01-02")] {
        buy(&world, customer, date).await;
    }
    world.enable("every-interface", json!({}), AsOf::Now).await;
    world.run_well("every-interface", RunRequest::default()).await;
    let ordinal = world.account("2").await.ordinal.unwrap();
    let band = || world.columns.band_of(&Scope::everything(), "every_interface__orders", ordinal);
    assert_eq!(band().as_deref(), Some("few"));
    buy(&world, "2", "2026-01-03").await;
    let bought = Instant::now();
    while band().as_deref() != Some("many") {
        assert!(bought.elapsed() < Duration::from_secs(20), "customer 2 was never scored again");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let crossed = world.events("score.crossed").await;
    assert_eq!(crossed.len(), 1, "{crossed:?}");
    assert_eq!(crossed[0]["score"], "every_interface__orders");
    assert_eq!(crossed[0]["changes"], json!([[ordinal, 1, 2]]));
    let world = world.restart().await;
    assert_eq!(
        world.columns.score_of(&Scope::everything(), "every_interface__orders", ordinal),
        Some(3.0),
        "it was stored"
    );
}
