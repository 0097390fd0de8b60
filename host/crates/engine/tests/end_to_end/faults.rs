//! Plugins that misbehave: each ends in a clear error, and nothing else is touched.

use serde_json::json;
use trellis_columns::AsOf;
use trellis_engine::{JobState, RunRequest};
use trellis_model::ObjectName;

use crate::support::{World, built, caller};

async fn with_customers() -> World {
    let mut limits = trellis_plugin_host::Limits::default();
    limits.training.cpu_ms_max = 300;
    limits.batch.cpu_ms_max = 300;
    let world = World::with_limits(limits).await;
    let mapping = crate::support::example("orders.toml");
    let orders =
        "customer_id,date,cds,amount\n1,1997-01-01,2,29.33\n2,1997-01-02,1,10.00\n3,1997-01-03,1,5.00\n";
    world.import("order", Some(&mapping), orders).await.unwrap();
    world.enable("hostile", json!({}), AsOf::Now).await;
    world
}

async fn sins_fail(world: &World, sins: &[(&str, &str)]) {
    world.run_well("hostile", RunRequest::default()).await;
    let before = world.counts("hostile__lot");
    assert_eq!(before.values().sum::<u64>(), 3);
    for (sin, code) in sins {
        let request = RunRequest { config: Some(json!({ "sin": sin })), ..RunRequest::default() };
        let job = world.run("hostile", request).await;
        let error = job.error.unwrap_or_else(|| panic!("{sin} ended {:?}", job.state));
        assert_eq!(
            (job.state, error.code.as_str()),
            (JobState::Failed, *code),
            "{sin}: {}",
            error.message.en
        );
        assert!(error.message.en.contains("plugin `hostile` 1.0.0"), "{sin}: {}", error.message.en);
        assert_eq!(world.counts("hostile__lot"), before, "{sin} leaves the old result");
    }
    world.run_well("hostile", RunRequest::default()).await;
    let account = ObjectName::new("account").unwrap();
    let scope = trellis_model::Scope::everything();
    let count = world.records.count(&scope, &account, &trellis_model::Filter::And(Vec::new())).await.unwrap();
    assert_eq!(count, 3, "records are served as ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_fit_fails_its_job_only() {
    let world = with_customers().await;
    let sins = [
        ("fit-loop", "plugin_fault"),
        ("fit-memory", "plugin_fault"),
        ("fit-trap", "plugin_fault"),
        ("big-model", "plugin_fault"),
        ("fit-error", "plugin_error"),
        ("describe-trap", "plugin_fault"),
    ];
    sins_fail(&world, &sins).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_assign_fails_its_job_only() {
    let world = with_customers().await;
    let sins = [
        ("loop", "plugin_fault"),
        ("memory", "plugin_fault"),
        ("trap", "plugin_fault"),
        ("stack", "plugin_fault"),
        ("wrong-lengths", "plugin_fault"),
        ("bad-codes", "plugin_fault"),
        ("unknown-value", "plugin_fault"),
        ("no-columns", "plugin_fault"),
        ("error-unsuitable-data", "plugin_error"),
    ];
    sins_fail(&world, &sins).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_cancelled_while_the_plugin_loops() {
    let world = World::new().await;
    let mapping = crate::support::example("orders.toml");
    world
        .import("order", Some(&mapping), "customer_id,date,cds,amount\n1,1997-01-01,2,29.33\n")
        .await
        .unwrap();
    world.enable("hostile", json!({}), AsOf::Now).await;
    let request = RunRequest { config: Some(json!({ "sin": "fit-loop" })), ..RunRequest::default() };
    let job =
        world.engine.plugin_run(&caller(), &crate::support::plugin_id("hostile"), request).await.unwrap();
    world.engine.job_cancel(job.id).await.unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!((job.state, job.error), (JobState::Cancelled, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ungranted_import_is_refused_by_name() {
    let world = World::new().await;
    let refused = world.engine.plugin_upload(&caller(), built("ungranted")).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_refused");
    assert!(
        refused.to_string().contains("ungranted") && refused.to_string().contains("not granted"),
        "{refused}"
    );
    assert_eq!(world.engine.plugin_list(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_score_fails_its_job_only() {
    let world = with_customers().await;
    let sins = [
        ("score-describe-bands", "plugin_fault"),
        ("score-describe-range", "plugin_fault"),
        ("score-nan", "plugin_fault"),
        ("score-infinite", "plugin_fault"),
        ("score-out-of-range", "plugin_fault"),
        ("score-wrong-lengths", "plugin_fault"),
        ("score-missing-column", "plugin_fault"),
        ("score-wrong-name", "plugin_fault"),
        ("score-bad-failed-row", "plugin_fault"),
        ("score-short-validity", "plugin_fault"),
        ("score-loop", "plugin_fault"),
    ];
    sins_fail(&world, &sins).await;
    let points = world.columns.score("hostile__points").unwrap();
    assert_eq!((points.count, points.null_count), (3, 0), "the scores of the good runs stand");
    let capsules = std::fs::read_dir(world.dir.path().join("engine/capsules")).unwrap();
    assert_eq!(capsules.count(), 2, "those of the two good runs: a run that fails leaves none");
}
