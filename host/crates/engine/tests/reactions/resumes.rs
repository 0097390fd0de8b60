//! Runs that a stop of the server interrupts.

use std::path::PathBuf;

use trellis_engine::{Config, JobState, ModelChoice, RunRequest, UseSettings};

use crate::{
    customers::{RFM, caller, plugin},
    store::{Crash, StoppingStore},
    support::World,
};

/// The capsule that an interrupted run was making.
fn unfinished(world: &World) -> Option<PathBuf> {
    let files = std::fs::read_dir(world.folder().join("engine/capsules")).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "generating"))
}

/// What becomes of the file before the next start.
type While<'a> = &'a dyn Fn(&std::path::Path);

/// Which commits are counted: all, or those of the run, so that the same number is the same step again.
type Stop = fn(&StoppingStore, u64, Crash);
const AT_ANY: Stop = StoppingStore::stop_at;
const AT_STEP: Stop = StoppingStore::stop_at_beside_places;

/// Stops a run at a commit and has the next server end it; returns how many customers it did not evaluate again, and `None` where the run
/// has fewer commits.
async fn interrupted(
    world: World,
    (stop, commit, crash): (Stop, u64, Crash),
    meanwhile: While<'_>,
) -> (World, Option<u64>) {
    // Jobs are told apart by when they were asked for.
    world.clock.advance_ms(1_000);
    stop(&world.store, commit, crash);
    let started = world.engine.plugin_run(&caller(), &plugin(RFM), RunRequest::default()).await;
    if let Ok(job) = &started {
        world.engine.job_wait(job.id).await.unwrap();
    }
    let has_stopped = world.store.has_stopped();
    if let Some(file) = unfinished(&world) {
        meanwhile(&file);
    }
    let world = world.restart().await;
    // A job whose first commit was durable is there although nobody was told.
    let job = world.engine.jobs(None, 1).await.unwrap().jobs[0].id;
    let job = world.engine.job_wait(job).await.unwrap();
    assert_eq!(job.state, JobState::Succeeded, "commit {commit}: {:?}", job.error);
    assert_eq!(unfinished(&world), None, "commit {commit}: nothing is left of it");
    let of_run = |event: &&serde_json::Value| event["run"] == serde_json::json!(job.id.to_string());
    let flips = world.events("run.flipped").await.iter().filter(of_run).count();
    assert_eq!(flips, 1, "commit {commit}: results are flipped to together with what is known of their run");
    assert!(job.result["segmentations"].is_object(), "commit {commit}: {}", job.result);
    let replay = world.engine.run_replay(&caller(), &plugin(RFM), job.id).await.unwrap();
    let replay = world.ended_well(replay.id).await;
    // A replay does the whole run again in one go.
    assert_eq!(replay["same"], true, "commit {commit}: {replay}");
    assert_eq!(job.result["customers"], 30);
    let earlier = job.result["earlier_customers"].as_u64().unwrap();
    (world, has_stopped.then_some(earlier))
}

async fn ready() -> World {
    // Commits are counted: that of the progress would come by the clock.
    let job_progress_save_ms = 3_600_000;
    let config =
        Config { batch_rows_max: 4, assign_parallel_max: 2, job_progress_save_ms, ..Config::default() };
    let world = World::with(config).await;
    world.customers(30).await;
    world.enable(RFM, UseSettings::default()).await;
    world.run_well(RFM, ModelChoice::Usual).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_at_any_commit_ends_with_the_same_bytes() {
    let mut world = ready().await;
    let (mut commits, mut spared) = (0, 0);
    loop {
        let crash = if commits % 2 == 0 { Crash::Before } else { Crash::After };
        let earlier;
        (world, earlier) = interrupted(world, (AT_ANY, commits, crash), &|_| {}).await;
        match earlier {
            Some(earlier) => spared = spared.max(earlier),
            None => break,
        }
        commits += 1;
    }
    assert!(commits >= 6, "a run has more commits than {commits}");
    assert_eq!(spared, 30, "one that stops while it stores its results has nothing to evaluate again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_the_last_whole_batch() {
    let mut world = ready().await;
    // While the generation is stored: all batches are evaluated and in the file. The first commits are the job's, the note and the model.
    let mut commit = 0;
    loop {
        let earlier;
        (world, earlier) = interrupted(world, (AT_STEP, commit, Crash::Before), &|_| {}).await;
        if earlier == Some(30) {
            break;
        }
        commit += 1;
        assert!(commit < 50, "no commit after the evaluation");
    }
    let mut spared = Vec::new();
    for lost in [10, 150, 400, 700] {
        // As a crash leaves it: cut somewhere, with or without rubbish at the end.
        let cut = |file: &std::path::Path| {
            let mut bytes = std::fs::read(file).unwrap();
            bytes.truncate(bytes.len() - lost);
            if lost % 20 == 0 {
                bytes.extend_from_slice(&[3; 60]);
            }
            std::fs::write(file, bytes).unwrap();
        };
        let earlier;
        (world, earlier) = interrupted(world, (AT_STEP, commit, Crash::Before), &cut).await;
        spared.push(earlier.unwrap());
    }
    assert!(spared.iter().all(|&earlier| earlier < 30), "{spared:?}");
    assert!(spared.iter().any(|&earlier| earlier > 0), "{spared:?}");
    assert!(spared.is_sorted_by(|a, b| a >= b), "{spared:?}");
    // What is of no use is not believed: the run begins again.
    let spoil = |file: &std::path::Path| std::fs::write(file, b"not a capsule").unwrap();
    let (_, earlier) = interrupted(world, (AT_STEP, commit, Crash::Before), &spoil).await;
    assert_eq!(earlier, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_for_good_leaves_no_file() {
    let world = World::new().await;
    world.customers(3).await;
    world.enable("hostile", UseSettings::default()).await;
    let config = Some(serde_json::json!({ "sin": "trap" }));
    let request = RunRequest { config, ..RunRequest::default() };
    let job = world.engine.plugin_run(&caller(), &plugin("hostile"), request).await.unwrap();
    assert_eq!(world.engine.job_wait(job.id).await.unwrap().state, JobState::Failed);
    assert_eq!(unfinished(&world), None);
}
