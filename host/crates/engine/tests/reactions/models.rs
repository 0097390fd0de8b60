//! What plugins learned.

use serde_json::json;
use trellis_engine::{Config, Error, JobState, ModelChoice, RunRequest, UseSettings};

use crate::{
    customers::{RFM, caller, plugin},
    support::World,
};

async fn fit(world: &World) -> serde_json::Value {
    let job = world.engine.plugin_fit(&caller(), &plugin(RFM), RunRequest::default()).await.unwrap();
    assert_eq!(job.kind.as_str(), "plugin-fit");
    let result = world.ended_well(job.id).await;
    let progress = world.engine.job_get(job.id).await.unwrap().unwrap().progress;
    assert_eq!((progress.unit.as_str(), Some(progress.done)), ("rows", progress.total), "{result}");
    result
}

/// Numbers of the models with whether each is kept, pinned and in use, the newest first.
async fn standing(world: &World) -> Vec<(u32, bool, bool, bool)> {
    let page = world.engine.plugin_models(&plugin(RFM), None, 200).await.unwrap();
    page.models.iter().map(|model| (model.number, model.kept, model.pinned, model.in_use)).collect()
}

async fn with_run(config: Config) -> (World, Vec<trellis_model::RecordId>) {
    let world = World::with(config).await;
    let accounts = world.customers(12).await;
    world.enable(RFM, UseSettings::default()).await;
    let result = world.run_well(RFM, ModelChoice::Usual).await;
    assert_eq!(result["model"], json!(1));
    (world, accounts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fit_is_not_used_until_somebody_says_so_and_there_is_a_way_back() {
    let (world, accounts) = with_run(Config::default()).await;
    let first = world.values(&accounts).await;
    for account in &accounts[..6] {
        world.order(*account, "2026-11-20", "900.00").await;
    }
    let fitted = fit(&world).await;
    assert_eq!((&fitted["model"], &fitted["customers"]), (&json!(2), &json!(12)));
    assert_eq!(standing(&world).await, [(2, true, false, false), (1, true, false, true)]);
    let model = world.engine.plugin_model(&plugin(RFM), 2).await.unwrap();
    let said = &model.about["segmentation"]["summary"];
    assert!(
        !said["en"].as_str().unwrap().is_empty() && !said["zh-CN"].as_str().unwrap().is_empty(),
        "{said}"
    );

    let second = world.run_well(RFM, ModelChoice::Number(2)).await;
    assert_eq!(
        (&second["model"], &second["baseline"]),
        (&json!(2), &json!(true)),
        "another model is no news"
    );
    assert_eq!(standing(&world).await, [(2, true, false, true), (1, true, false, false)]);
    let with_second = world.values(&accounts).await;
    assert_ne!(with_second, first);
    let back = world.run_well(RFM, ModelChoice::Number(1)).await;
    assert_eq!(back["model"], json!(1));
    assert_ne!(world.values(&accounts).await, with_second);
    assert_eq!(world.engine.plugin_runs(&plugin(RFM), None, 1).await.unwrap().runs[0].model, Some(1));
    let missing = world.engine.plugin_model(&plugin(RFM), 3).await.unwrap_err();
    assert!(matches!(missing, Error::UnknownModel { model: 3, .. }), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_model_is_used_whatever_is_learned() {
    let (world, accounts) = with_run(Config::default()).await;
    let with_first = world.values(&accounts).await;
    world.run_well(RFM, ModelChoice::Fit).await;
    let (pinned, job) = world.engine.model_pin(&caller(), &plugin(RFM), 1).await.unwrap();
    assert!(pinned.pinned, "{pinned:?}");
    assert_eq!(world.ended_well(job.unwrap().id).await["model"], json!(1));
    let (_, job) = world.engine.model_pin(&caller(), &plugin(RFM), 1).await.unwrap();
    assert_eq!(job, None, "it is in use");
    for choice in [ModelChoice::Usual, ModelChoice::Last, ModelChoice::Number(1)] {
        assert_eq!(world.run_well(RFM, choice).await["model"], json!(1), "{choice:?}");
    }
    assert_eq!(world.values(&accounts).await, with_first);
    for choice in [ModelChoice::Fit, ModelChoice::Number(2)] {
        let request = RunRequest { model: choice, ..RunRequest::default() };
        let refused = world.engine.plugin_run(&caller(), &plugin(RFM), request).await.unwrap_err();
        assert!(matches!(refused, Error::ModelPinned { model: 1, .. }), "{refused}");
    }
    let world = world.restart().await;
    // Runs are told apart by when they were asked for.
    world.clock.advance_ms(1_000);
    assert_eq!(world.run_well(RFM, ModelChoice::Usual).await["model"], json!(1), "a restart keeps the pin");
    assert!(!world.engine.model_unpin(&caller(), &plugin(RFM), 1).await.unwrap().pinned);
    assert_eq!(world.run_well(RFM, ModelChoice::Usual).await["model"], json!(3));
    let told: Vec<_> =
        world.events("model.pinned").await.iter().map(|event| event["model"].clone()).collect();
    assert_eq!(told, [json!(1), json!(1)]);
    assert_eq!(world.events("model.unpinned").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_models_go_but_not_a_pinned_one() {
    let (world, accounts) = with_run(Config { models_kept_per_plugin: 2, ..Config::default() }).await;
    world.engine.model_pin(&caller(), &plugin(RFM), 1).await.unwrap();
    for number in 2..=5 {
        // Others figures, so that each model is another.
        world.order(accounts[0], "2026-11-20", &format!("{number}00.00")).await;
        fit(&world).await;
    }
    let expected = [
        (5, true, false, false),
        (4, true, false, false),
        (3, false, false, false),
        (2, false, false, false),
        (1, true, true, true),
    ];
    assert_eq!(standing(&world).await, expected);
    world.engine.model_unpin(&caller(), &plugin(RFM), 1).await.unwrap();
    let request = RunRequest { model: ModelChoice::Number(2), ..RunRequest::default() };
    let refused = world.engine.plugin_run(&caller(), &plugin(RFM), request).await.unwrap_err();
    assert!(matches!(refused, Error::ModelExpired { model: 2, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_a_version_does_not_read_is_named() {
    let world = World::new().await;
    world.customers(3).await;
    world.enable("hostile", UseSettings::default()).await;
    let config = Some(json!({ "sin": "error-unreadable-model" }));
    let job = world
        .engine
        .plugin_run(&caller(), &plugin("hostile"), RunRequest { config, ..RunRequest::default() })
        .await
        .unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    let error = job.error.unwrap();
    assert_eq!((job.state, error.code.as_str()), (JobState::Failed, "model_incompatible"));
    for part in ["`hostile` 1.0.0", "model 1", "fit a new model"] {
        assert!(error.message.en.contains(part), "{}", error.message.en);
    }
    // The one that its results are made with is read by the version that made it.
    world.run_well("hostile", ModelChoice::Usual).await;
    let version = "1.0.0".parse().unwrap();
    assert_eq!(world.engine.model_check(&plugin("hostile"), &version).await.unwrap(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fit_and_a_run_of_one_plugin_exclude_each_other() {
    let world = World::new().await;
    world.customers(3).await;
    world.enable("hostile", UseSettings::default()).await;
    let request = || RunRequest { config: Some(json!({ "sin": "fit-loop" })), ..RunRequest::default() };
    let fit = world.engine.plugin_fit(&caller(), &plugin("hostile"), request()).await.unwrap();
    let refused = world.engine.plugin_run(&caller(), &plugin("hostile"), request()).await.unwrap_err();
    assert!(matches!(&refused, Error::Busy { job, .. } if *job == fit.id), "{refused}");
    world.engine.job_cancel(fit.id).await.unwrap();
    let ended = world.engine.job_wait(fit.id).await.unwrap();
    assert_eq!((ended.state, ended.error), (JobState::Cancelled, None));
    let page = world.engine.plugin_models(&plugin("hostile"), None, 10).await.unwrap();
    assert_eq!(page.models, [], "a fit that was cancelled leaves no model");
}
