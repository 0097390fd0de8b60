//! What a stop of the server in the middle of something leaves behind.

use serde_json::json;
use trellis_columns::AsOf;
use trellis_engine::{JobState, RunRequest};
use trellis_model::{Filter, ObjectName, Scope};

use crate::support::{World, caller, example, plugin_id};

async fn count(world: &World, object: &str) -> u64 {
    let object = ObjectName::new(object).unwrap();
    world.records.count(&Scope::everything(), &object, &Filter::And(Vec::new())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_where_it_was() {
    let world = World::new().await;
    let file = world.engine.spool_path();
    std::fs::write(&file, example("cdnow_sample_transactions.csv")).unwrap();
    let (order, mapping) = (ObjectName::new("order").unwrap(), Some(example("orders.toml")));
    let job = world.engine.import_start(&caller(), &order, mapping, file, "orders.csv").await.unwrap();
    while count(&world, "order").await == 0 {
        tokio::task::yield_now().await;
    }
    let world = world.restart().await;
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Succeeded, 2));
    // What was committed before is neither done nor counted again.
    assert_eq!(
        (&job.result["created"], &job.result["unchanged"]),
        (&6_919.into(), &0.into()),
        "{}",
        job.result
    );
    assert_eq!((count(&world, "order").await, count(&world, "account").await), (6_919, 2_357));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_plugin_and_the_run_is_done_again() {
    let mut world = World::new().await;
    let orders = "customer_id,date,cds,amount\n1,1997-01-01,2,29.33\n";
    world.import("order", Some(&example("orders.toml")), orders).await.unwrap();
    world.enable("hostile", json!({}), AsOf::Now).await;
    let request = RunRequest { config: Some(json!({ "sin": "fit-loop" })), ..RunRequest::default() };
    let job = world.engine.plugin_run(&caller(), &plugin_id("hostile"), request).await.unwrap();
    while world.engine.job_get(job.id).await.unwrap().unwrap().state != JobState::Running {
        tokio::task::yield_now().await;
    }
    world.limits.training.cpu_ms_max = 100;
    // By processor time, however busy the machine is.
    world.limits.training.wall_factor = 1_000_000;
    let world = world.restart().await;
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Failed, 2), "it ran again, until its new limit");
    assert_eq!(job.error.unwrap().code, "plugin_fault");
    let again = world.run("hostile", RunRequest::default()).await;
    assert_eq!(again.state, JobState::Succeeded, "the plugin is free again");
}
