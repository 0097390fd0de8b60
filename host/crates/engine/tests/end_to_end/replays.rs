//! Runs that are done again from what they read.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{Config, Job, JobState, ModelChoice, RunRequest, UseSettings};
use trellis_model::RecordId;

use crate::sections::{as_version, with_section};
use crate::support::{World, built, caller, date, example, plugin_id, unknown_id};

async fn buy(world: &World, customer: &str, date: &str) {
    let order = format!("customer_id,date,cds,amount\n{customer},{date},1,50.00\n");
    world.import("order", Some(&example("orders.toml")), &order).await.unwrap();
}

fn run_of(result: &Json) -> RecordId {
    RecordId::parse(result["run"].as_str().unwrap()).unwrap()
}

async fn replay(world: &World, plugin: &str, run: RecordId) -> Job {
    let job = world.engine.run_replay(&caller(), &plugin_id(plugin), run).await.unwrap();
    world.engine.job_wait(job.id).await.unwrap()
}

async fn replay_well(world: &World, plugin: &str, run: RecordId) -> Json {
    let job = replay(world, plugin, run).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    job.result
}

fn capsules(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("engine/capsules")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A small world with one run of the guest that offers every interface.
async fn run_once() -> (World, RecordId) {
    let world = World::new().await;
    for (customer, date) in [("1", "2026-01-01"), ("2", "2026-01-01"), ("2", "2026-01-02")] {
        buy(&world, customer, date).await;
    }
    world.enable("every-interface", json!({}), AsOf::Now).await;
    let result = world.run_well("every-interface", RunRequest::default()).await;
    (world, run_of(&result))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_replay_gives_the_same_bytes() {
    let world = World::new().await;
    world.import_cdnow().await;
    let mut runs = Vec::new();
    for plugin in ["retail-rfm", "value-pyramid"] {
        world.enable(plugin, json!({}), date("1998-06-30")).await;
        let result = world.run_well(plugin, RunRequest::default()).await;
        assert!(result["capsule"]["bytes"].as_u64().unwrap() > 0, "{}", result["capsule"]);
        runs.push((plugin, result));
    }
    // What happens later changes nothing about what the run saw.
    buy(&world, "1", "1998-06-29").await;
    let world = world.restart().await;
    for (plugin, result) in runs {
        let replayed = replay_well(&world, plugin, run_of(&result)).await;
        assert_eq!(replayed["same"], true, "{replayed}");
        assert_eq!((&replayed["rows"], &replayed["differing"]), (&json!(2_357), &json!(0)));
        assert_eq!(replayed["outputs_digest"], result["outputs_digest"]);
        assert_eq!(replayed["models"], replayed["recorded_models"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_an_earlier_model_can_be_replayed_too() {
    let (world, _) = run_once().await;
    let request = RunRequest { model: ModelChoice::Last, ..RunRequest::default() };
    let result = world.run_well("every-interface", request).await;
    assert_eq!(replay_well(&world, "every-interface", run_of(&result)).await["same"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_lost_capsule_is_named_and_never_believed() {
    let (world, run) = run_once().await;
    let world = world
        .restart_after(|dir| {
            let [capsule] = capsules(dir).try_into().unwrap();
            let mut bytes = std::fs::read(&capsule).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&capsule, bytes).unwrap();
        })
        .await;
    let error = replay(&world, "every-interface", run).await.error.unwrap();
    assert_eq!(error.code, "inputs_expired");
    assert!(
        error.message.en.contains("damaged") && error.message.en.contains(&run.to_string()),
        "{}",
        error.message.en
    );
    let account = world.account("2").await;
    let explained = world.engine.score_explain(&caller(), "every_interface__orders", account.id).await;
    assert_eq!(explained.unwrap().value, Some(2.0), "with the data as it is now");
    let world = world
        .restart_after(|dir| {
            for capsule in capsules(dir) {
                std::fs::remove_file(capsule).unwrap();
            }
        })
        .await;
    let error = replay(&world, "every-interface", run).await.error.unwrap();
    assert_eq!(error.code, "inputs_expired");
    assert!(error.message.en.contains("missing"), "{}", error.message.en);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_inputs_of_the_last_runs_are_kept() {
    let (world, first) = run_once().await;
    for _ in 0..3 {
        world.run_well("every-interface", RunRequest::default()).await;
    }
    assert_eq!(capsules(world.dir.path()).len(), Config::default().capsules_kept_per_plugin);
    let id = plugin_id("every-interface");
    let expired = world.engine.run_replay(&caller(), &id, first).await.unwrap_err();
    assert_eq!(expired.code(), "inputs_expired");
    assert!(expired.to_string().contains("last 3 runs"), "{expired}");
    let unknown = world.engine.run_replay(&caller(), &id, unknown_id()).await.unwrap_err();
    assert_eq!(unknown.code(), "not_found");
    let page = world.engine.plugin_runs(&id, None, 2).await.unwrap();
    assert_eq!((page.runs.len(), page.next), (2, Some(page.runs[1].run)));
    let rest = world.engine.plugin_runs(&id, page.next, 10).await.unwrap();
    let kept: Vec<_> = page.runs.iter().chain(&rest.runs).map(|run| run.has_capsule).collect();
    assert_eq!(kept, [true, true, true, false], "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_go_when_all_of_them_are_too_much() {
    let (world, first) = run_once().await;
    let second = run_of(&world.run_well("every-interface", RunRequest::default()).await);
    let size =
        capsules(world.dir.path()).iter().map(|file| std::fs::metadata(file).unwrap().len()).sum::<u64>();
    let mut world = world;
    world.config.capsules_bytes_max = size * 3 / 4;
    let world = world.restart().await;
    let third = run_of(&world.run_well("every-interface", RunRequest::default()).await);
    let id = plugin_id("every-interface");
    for (run, kept) in [(first, false), (second, false), (third, true)] {
        let replay = world.engine.run_replay(&caller(), &id, run).await;
        assert_eq!(replay.is_ok(), kept, "{replay:?}");
        assert!(kept || replay.unwrap_err().code() == "inputs_expired");
    }
    assert_eq!(capsules(world.dir.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_the_limit_keeps_nothing_and_says_so() {
    let config = Config { capsule_bytes_max: 300, ..Config::default() };
    let world = World::with(trellis_plugin_host::Limits::default(), config).await;
    for customer in ["1", "2", "3"] {
        buy(&world, customer, "2026-01-01").await;
    }
    world.enable("every-interface", json!({}), AsOf::Now).await;
    let result = world.run_well("every-interface", RunRequest::default()).await;
    assert_eq!(result["customers"], 3, "the run itself is not touched");
    let why = result["capsule"]["none"]["en"].as_str().unwrap();
    assert!(why.contains("engine.capsule_bytes_max"), "{why}");
    assert_eq!(capsules(world.dir.path()), [] as [PathBuf; 0]);
    let id = plugin_id("every-interface");
    let expired = world.engine.run_replay(&caller(), &id, run_of(&result)).await.unwrap_err();
    assert_eq!(expired.code(), "inputs_expired");
    assert!(expired.to_string().contains(why), "{expired}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_content_under_the_same_version_is_not_taken_for_the_run_s_plugin() {
    let world = World::new().await;
    buy(&world, "1", "2026-01-01").await;
    let first = as_version(&built("every-interface"), "2.0.0-beta.1");
    let other = with_section(&first, "note", b"rebuilt");
    let id = plugin_id("every-interface");
    world.engine.plugin_upload(&caller(), first).await.unwrap();
    world.engine.plugin_enable(&caller(), &id, UseSettings::default()).await.unwrap();
    let result = world.run_well("every-interface", RunRequest::default()).await;
    world.engine.plugin_disable(&caller(), &id).await.unwrap();
    world.engine.plugin_upload(&caller(), other).await.unwrap();
    let error = replay(&world, "every-interface", run_of(&result)).await.error.unwrap();
    assert_eq!(error.code, "plugin_cannot_run");
    let digest = result["digest"].as_str().unwrap();
    assert!(
        error.message.en.contains("2.0.0-beta.1") && error.message.en.contains(digest),
        "{}",
        error.message.en
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_needs_any_more_goes_at_start() {
    let (world, run) = run_once().await;
    let world = world
        .restart_after(|dir| {
            let folder = dir.join("engine/capsules");
            std::fs::write(folder.join("0123.capsule"), b"of nobody").unwrap();
            std::fs::write(folder.join("run.generating"), b"half").unwrap();
        })
        .await;
    assert_eq!(capsules(world.dir.path()).len(), 1);
    assert_eq!(replay_well(&world, "every-interface", run).await["same"], true);
}
