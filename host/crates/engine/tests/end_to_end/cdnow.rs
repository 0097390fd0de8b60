//! Real purchases, and figures that were computed elsewhere.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_engine::{ModelChoice, PluginState, RunRequest};
use trellis_model::{Language, Scope};

use crate::support::{World, caller, cdnow_settings, date, example, plugin_id};

async fn segmented() -> World {
    let world = World::new().await;
    world.import_cdnow().await;
    let (config, as_of) = cdnow_settings();
    world.enable("retail-rfm", config, as_of).await;
    world.run_well("retail-rfm", RunRequest::default()).await;
    world
}

fn expected() -> Json {
    serde_json::from_str(&example("expected.json")).unwrap()
}

fn counts(expected: &Json) -> BTreeMap<String, u64> {
    let counts = expected.as_object().expect("a table of counts");
    counts.iter().map(|(value, count)| (value.clone(), count.as_u64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_count_is_the_expected_one() {
    let world = segmented().await;
    let expected = expected();
    for (prefix, method) in [("ntile", "ntile"), ("quantile", "value_quantile")] {
        for dimension in ["R", "F", "M"] {
            let name = format!("retail_rfm__{prefix}_{}", dimension.to_lowercase());
            assert_eq!(
                world.counts(&name),
                counts(&expected["rfm"][method]["score_counts"][dimension]),
                "{name}"
            );
        }
        let name = format!("retail_rfm__{prefix}_cell");
        assert_eq!(world.counts(&name), counts(&expected["rfm"][method]["cells"]), "{name}");
    }
    let classes = &expected["rfm_classes"];
    assert_eq!(world.counts("rfm"), counts(&classes["eight_classes"]["counts"]), "by its alias");
    assert_eq!(world.counts("retail_rfm__value_matrix"), counts(&classes["value_matrix"]["counts"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_customer_has_the_expected_scores() {
    let world = segmented().await;
    let customers = example("expected_customers.csv");
    let mut lines = customers.lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    let outputs = [("ntile_R", "ntile_r"), ("ntile_F", "ntile_f"), ("ntile_M", "ntile_m")];
    let outputs =
        outputs.into_iter().chain([("vq_R", "quantile_r"), ("vq_F", "quantile_f"), ("vq_M", "quantile_m")]);
    let outputs: Vec<_> = outputs
        .map(|(column, output)| {
            (header.iter().position(|name| *name == column).unwrap(), format!("retail_rfm__{output}"))
        })
        .collect();
    let mut customers = 0;
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        let ordinal = world.account(cells[0]).await.ordinal.unwrap();
        for (place, output) in &outputs {
            let value = world.columns.value_of(&Scope::everything(), output, ordinal);
            assert_eq!(value.as_deref(), Some(cells[*place]), "customer {} in {output}", cells[0]);
        }
        customers += 1;
    }
    assert_eq!(customers, 2_357);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_what_it_was_made_of() {
    let world = World::new().await;
    let imported = world.import_cdnow().await.result;
    assert_eq!((&imported["created"], &imported["created_references"]), (&json!(6_919), &json!(2_357)));
    let (config, as_of) = cdnow_settings();
    let info = world.enable("retail-rfm", config, as_of).await;
    let result = world.run_well("retail-rfm", RunRequest::default()).await;
    assert_eq!(result["plugin"], "retail-rfm");
    assert_eq!(result["version"], info.version.to_string());
    assert_eq!(result["digest"], info.versions[0].digest.as_str());
    assert_eq!(result["config"]["groups"], json!(5), "with the manifest's defaults");
    assert_eq!((&result["as_of"], &result["customers"]), (&json!("1997-09-30"), &json!(2_357)));
    assert_eq!((&result["baseline"], &result["failed"]), (&json!(true), &json!(0)));
    assert_eq!(result["segmentations"]["retail_rfm__class"]["values"]["important_value"], 753);
    assert!(result["models"]["segmentation"]["bytes"].as_u64().unwrap() > 0);
    for part in ["features", "fit", "assign", "store", "flip"] {
        assert!(result["timings_ms"][part].as_f64().is_some_and(|ms| ms >= 0.0), "{part}");
    }
    let flipped = world.events("run.flipped").await;
    assert_eq!(flipped.len(), 1, "one entry a flip");
    assert!(
        flipped[0].to_string().contains(result["models"]["segmentation"]["digest"].as_str().unwrap()),
        "{}",
        flipped[0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_run_twice_makes_the_same_model_and_the_same_values() {
    let world = segmented().await;
    let before = world.counts("retail_rfm__ntile_cell");
    let first = world.run_well("retail-rfm", RunRequest::default()).await;
    let second = world.run_well("retail-rfm", RunRequest::default()).await;
    assert_eq!(first["models"]["segmentation"]["digest"], second["models"]["segmentation"]["digest"]);
    assert_ne!(first["seed"], second["seed"], "each run has its own seed");
    assert_eq!(world.counts("retail_rfm__ntile_cell"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_gives_another_result() {
    let world = segmented().await;
    let request = RunRequest { config: Some(json!({ "groups": 3 })), ..RunRequest::default() };
    let result = world.run_well("retail-rfm", request).await;
    assert_eq!(result["config"]["groups"], 3);
    let counts = world.counts("retail_rfm__ntile_r");
    assert_eq!(
        counts.values().copied().collect::<Vec<_>>(),
        [786, 786, 785],
        "three equal groups: {counts:?}"
    );
    let info = world.engine.plugin_get(&plugin_id("retail-rfm")).unwrap();
    assert_eq!(info.settings.unwrap().config["groups"], 5, "for that run only");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_model_can_assign_without_a_fit() {
    let world = segmented().await;
    let last = || RunRequest { model: ModelChoice::Last, ..RunRequest::default() };
    let result = world.run_well("retail-rfm", last()).await;
    assert_eq!(result["baseline"], false, "the same model: what moves is news");
    assert_eq!(world.counts("rfm"), counts(&expected()["rfm_classes"]["eight_classes"]["counts"]));
    let other = RunRequest { config: Some(json!({ "groups": 3 })), ..last() };
    let error = world.run("retail-rfm", other).await.error.unwrap();
    assert_eq!(error.code, "plugin_cannot_run", "{}", error.message.en);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_disabled_plugin_put_out_stays_and_is_stale() {
    let world = segmented().await;
    let id = plugin_id("retail-rfm");
    let before = world.counts("rfm");
    let info = world.engine.plugin_disable(&caller(), &id).await.unwrap();
    assert_eq!(info.state, PluginState::Disabled);
    assert_eq!(world.counts("rfm"), before);
    assert!(world.columns.segmentation("rfm").unwrap().stale);
    let refused = world.engine.plugin_run(&caller(), &id, RunRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_not_enabled");
    let (config, as_of) = cdnow_settings();
    world.enable("retail-rfm", config, as_of).await;
    assert!(!world.columns.segmentation("rfm").unwrap().stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_plugins_settings_and_results() {
    let world = segmented().await;
    let (before, info) = (world.counts("rfm"), world.engine.plugin_get(&plugin_id("retail-rfm")));
    let world = world.restart().await;
    assert_eq!(world.engine.plugin_get(&plugin_id("retail-rfm")), info);
    assert_eq!(world.counts("rfm"), before);
    world.run_well("retail-rfm", RunRequest::default()).await;
    assert_eq!(world.counts("rfm"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_purchases_up_to_the_date_has_no_value() {
    let world = World::new().await;
    world.import_cdnow().await;
    world.enable("retail-rfm", json!({}), date("1997-01-31")).await;
    let result = world.run_well("retail-rfm", RunRequest::default()).await;
    let customers = result["customers"].as_u64().unwrap();
    assert!(customers < 2_357, "the others had not bought yet");
    let info = world.columns.segmentation("rfm").unwrap();
    assert_eq!((info.null_count, world.counts("rfm").values().sum::<u64>()), (2_357 - customers, customers));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_can_ask_why() {
    let world = segmented().await;
    let account = world.account("1").await;
    let explanation = world.engine.explain(&caller(), "rfm", account.id).await.unwrap();
    assert_eq!(explanation.value, world.value("rfm", "1").await);
    assert!((1..=5).contains(&explanation.reasons.len()), "{explanation:?}");
    let texts: Vec<_> = explanation.reasons.iter().map(|reason| reason.text.get(Language::En)).collect();
    assert!(texts.iter().any(|text| text.contains("59")), "the last order is 59 days old: {texts:?}");
    let unknown = world.engine.explain(&caller(), "no_such_one", account.id).await.unwrap_err();
    assert_eq!(unknown.code(), "no_explanation");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_is_written_down_only_if_asked_for() {
    let world = segmented().await;
    let groups = |groups: u64, announce| RunRequest {
        config: Some(json!({ "groups": groups })),
        announce,
        ..RunRequest::default()
    };
    let quiet = world.run_well("retail-rfm", groups(3, false)).await;
    assert_eq!(quiet["baseline"], true);
    assert_eq!(world.events("segment.changed").await, Vec::<Json>::new());
    let loud = world.run_well("retail-rfm", groups(4, true)).await;
    assert_eq!(loud["baseline"], false);
    assert!(!world.events("segment.changed").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_last_models_are_kept() {
    let world = segmented().await;
    let kept = trellis_engine::Config::default().models_kept_per_plugin;
    for groups in 2..=9 {
        let request = RunRequest { config: Some(json!({ "groups": groups })), ..RunRequest::default() };
        world.run_well("retail-rfm", request).await;
    }
    // `host/docs/formats/engine.md`: 54 is a model, 56 the record of a run.
    let rows = async |kind: u8| {
        let range = trellis_storage::ScanRange::prefix(&[kind]);
        world.records.store().scan(range, 100).await.unwrap().rows.len()
    };
    assert_eq!((rows(0x54).await, rows(0x56).await), (kept, 9));
    let account = world.account("1").await;
    let explanation = world.engine.explain(&caller(), "rfm", account.id).await.unwrap();
    assert!(!explanation.reasons.is_empty(), "the current result can be explained");
}
