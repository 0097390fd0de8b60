//! Imports as jobs.

use std::path::Path;

use serde_json::json;
use trellis_engine::JobState;
use trellis_model::ObjectName;

use crate::support::{World, caller, example};

fn spooled(world: &World) -> usize {
    std::fs::read_dir(world.dir.path().join("engine/spool")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_import_twice_doubles_nothing() {
    let world = World::new().await;
    let first = world.import_cdnow().await.result;
    assert_eq!(
        (&first["rows"], &first["created"], &first["failed"]),
        (&json!(6_919), &json!(6_919), &json!(0))
    );
    let second = world.import_cdnow().await.result;
    assert_eq!((&second["created"], &second["unchanged"]), (&json!(0), &json!(6_919)));
    assert_eq!(spooled(&world), 0, "files of jobs that ended are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_named_and_the_others_loaded() {
    let world = World::new().await;
    let csv = "customer_id,date,cds,amount\n1,1997-01-01,2,29.33\n1,never,2,1.00\n2,1997-01-03,1,5.00\n";
    let job = world.import("order", Some(&example("orders.toml")), csv).await.unwrap();
    assert_eq!(job.state, JobState::Succeeded);
    let result = &job.result;
    assert_eq!(
        (&result["created"], &result["failed"], &result["errors_found"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!((&result["errors"][0]["line"], &result["errors"][0]["column"]), (&json!(3), &json!("date")));
    assert!(result["errors"][0]["message"]["en"].as_str().unwrap().contains("never"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_at_all_is_refused_before_there_is_a_job() {
    let world = World::new().await;
    let check = async |object: &str, mapping: Option<&str>, csv: &str, code: &str| {
        let refused = world.import(object, mapping, csv).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    };
    check("no_such_object", None, "name\nAda\n", "unknown_object").await;
    check("account", None, "no_such_field\nAda\n", "invalid_header").await;
    check("account", Some("object = 1"), "name\nAda\n", "invalid_mapping").await;
    check("account", Some(&example("orders.toml")), "customer_id,date,cds,amount\n", "invalid_request").await;
    check("account", Some(&" ".repeat(300 << 10)), "name\nAda\n", "invalid_request").await;
    assert_eq!(world.engine.jobs(None, 10).await.unwrap().jobs, []);
    assert_eq!(spooled(&world), 0);
    let (account, elsewhere) = (ObjectName::new("account").unwrap(), Path::new("/etc/hostname").to_owned());
    let refused =
        world.engine.import_start(&caller(), &account, None, elsewhere.clone(), "x.csv").await.unwrap_err();
    assert_eq!(refused.code(), "invalid_request", "{refused}");
    assert!(elsewhere.exists(), "a file that is not ours is not removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_no_job_needs_go_at_start() {
    let world = World::new().await;
    std::fs::write(world.engine.spool_path(), "left by a request that never ended").unwrap();
    let world = world.restart().await;
    assert_eq!(spooled(&world), 0);
}
