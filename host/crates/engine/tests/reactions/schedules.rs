//! Plugins that run by themselves.

use serde_json::json;
use trellis_engine::{
    Config, Cron, Error, Schedule, ScheduledModel, ScheduledOutcome, UseSchedule, UseSettings,
};

use crate::{
    customers::{RFM, caller, plugin},
    sections::with_manifest,
    support::{World, built},
};

const EVERY: &str = "every-interface";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 2026-11-21T12:00:00Z, 20:00 in Shanghai: when the worlds of these tests begin.
const BEGIN_MS: i64 = 1_795_262_400_000;
/// Three in the morning in Shanghai.
const NIGHT_MS: i64 = BEGIN_MS + 7 * HOUR_MS;

fn own(cron: &str, model: ScheduledModel) -> UseSchedule {
    UseSchedule::Own(Schedule::of_runs(Cron::parse(cron).unwrap(), model))
}

/// Every night, with the last model, and these questions.
fn asking(analyses: &[&str]) -> UseSchedule {
    let analyses = analyses.iter().map(ToString::to_string).collect();
    UseSchedule::Own(Schedule {
        analyses,
        ..Schedule::of_runs(Cron::parse("0 3 * * *").unwrap(), ScheduledModel::Last)
    })
}

fn at(schedule: UseSchedule) -> UseSettings {
    UseSettings { schedule, ..UseSettings::default() }
}

async fn next_run(world: &World, id: &str) -> Option<i64> {
    world.engine.plugin_get(&plugin(id)).unwrap().schedule?.next_run_at_ms
}

async fn told(world: &World, event: &str) -> usize {
    world.events(event).await.len()
}

/// Waits until the state of a schedule names an outcome of something that was due at a time.
async fn until_done(world: &World, id: &str, due_ms: i64) -> ScheduledOutcome {
    let last = || async { world.engine.plugin_get(&plugin(id)).unwrap().schedule.unwrap().last };
    world
        .until("it is done", || async {
            last()
                .await
                .is_some_and(|last| last.due_ms == due_ms && last.outcome != ScheduledOutcome::Starting)
        })
        .await;
    last().await.unwrap().outcome
}

async fn nightly() -> World {
    let world = World::new().await;
    world.customers(12).await;
    world.enable(RFM, at(own("0 3 * * *", ScheduledModel::Fit))).await;
    assert_eq!(next_run(&world, RFM).await, Some(NIGHT_MS), "in the organisation's time zone");
    world
}

async fn started(world: &World, due_ms: i64) -> trellis_engine::Job {
    let ScheduledOutcome::Started(job) = until_done(world, RFM, due_ms).await else { panic!("not started") };
    let job = world.engine.job_wait(job).await.unwrap();
    assert_eq!((job.kind.as_str(), job.error.as_ref()), ("plugin-run", None));
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_runs_when_it_is_due_and_once_for_what_was_missed() {
    let world = nightly().await;
    world.clock.advance_ms(7 * HOUR_MS - 1);
    assert_eq!(next_run(&world, RFM).await, Some(NIGHT_MS));
    assert_eq!(told(&world, "schedule.started").await, 0);
    world.clock.advance_ms(1);
    let first = started(&world, NIGHT_MS).await;
    assert_eq!(first.result["model"], json!(1), "it learned");
    assert_eq!(next_run(&world, RFM).await, Some(NIGHT_MS + DAY_MS));
    world.engine.shutdown().await;
    world.clock.advance_ms(10 * DAY_MS);
    let world = world.restart().await;
    let second = started(&world, NIGHT_MS + DAY_MS).await;
    assert_eq!(second.result["model"], json!(2));
    assert_eq!(told(&world, "schedule.started").await, 2, "once for all that was missed");
    assert_eq!(next_run(&world, RFM).await, Some(NIGHT_MS + 11 * DAY_MS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_run_with_the_last_model_learns_nothing() {
    let world = World::new().await;
    world.customers(12).await;
    world.enable(RFM, at(own("0 3 * * *", ScheduledModel::Last))).await;
    world.clock.advance_ms(7 * HOUR_MS);
    // There is none yet.
    assert_eq!(started(&world, NIGHT_MS).await.result["model"], json!(1));
    world.clock.advance_ms(DAY_MS);
    let second = started(&world, NIGHT_MS + DAY_MS).await;
    assert_eq!((&second.result["model"], &second.result["baseline"]), (&json!(1), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_due_while_another_goes_on_is_passed_over_and_said() {
    let world = World::new().await;
    world.customers(3).await;
    let settings =
        UseSettings { config: json!({ "sin": "fit-loop" }), ..at(own("0 * * * *", ScheduledModel::Fit)) };
    world.enable("hostile", settings).await;
    world.clock.advance_ms(HOUR_MS);
    let ScheduledOutcome::Started(job) = until_done(&world, "hostile", BEGIN_MS + HOUR_MS).await else {
        panic!("not started")
    };
    world.clock.advance_ms(HOUR_MS);
    let second = until_done(&world, "hostile", BEGIN_MS + 2 * HOUR_MS).await;
    world.engine.job_cancel(job).await.unwrap();
    world.engine.job_wait(job).await.unwrap();
    assert_eq!(second, ScheduledOutcome::Skipped(job));
    let said = &world.events("schedule.skipped").await[0];
    assert_eq!((&said["plugin"], &said["job"]), (&json!("hostile"), &json!(job.to_string())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_or_disabled_is_not_due() {
    let world = nightly().await;
    world.engine.plugin_disable(&caller(), &plugin(RFM)).await.unwrap();
    assert_eq!(next_run(&world, RFM).await, None);
    world.clock.advance_ms(10 * DAY_MS);
    world.engine.plugin_enable(&caller(), &plugin(RFM), at(UseSchedule::Off)).await.unwrap();
    let info = world.engine.plugin_get(&plugin(RFM)).unwrap().schedule.unwrap();
    assert!(info.by_settings && info.schedule.is_none() && info.next_run_at_ms.is_none(), "{info:?}");
    // As the manifest says, which says nothing.
    world.engine.plugin_enable(&caller(), &plugin(RFM), UseSettings::default()).await.unwrap();
    assert_eq!(world.engine.plugin_get(&plugin(RFM)).unwrap().schedule, None);
    world
        .engine
        .plugin_enable(&caller(), &plugin(RFM), at(own("0 3 * * *", ScheduledModel::Fit)))
        .await
        .unwrap();
    assert_eq!(
        next_run(&world, RFM).await,
        Some(NIGHT_MS + 10 * DAY_MS),
        "what was due while it was off is not made up for"
    );
    assert_eq!(told(&world, "schedule.started").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_comes_too_often_or_never_is_refused() {
    let config = Config { schedule_interval_ms_min: 600_000, ..Config::default() };
    let world = World::with(config).await;
    world.enable(RFM, at(own("*/10 * * * *", ScheduledModel::Fit))).await;
    for (cron, why) in [("*/9 * * * *", "360000 ms"), ("0 0 31 2 *", "never comes")] {
        let settings = at(own(cron, ScheduledModel::Fit));
        let refused = world.engine.plugin_enable(&caller(), &plugin(RFM), settings).await.unwrap_err();
        assert!(matches!(&refused, Error::InvalidSettings { .. }), "{refused}");
        assert!(refused.to_string().contains(cron) && refused.to_string().contains(why), "{refused}");
    }
    let info = world.engine.plugin_get(&plugin(RFM)).unwrap().schedule.unwrap();
    assert_eq!(info.schedule.unwrap().cron.as_str(), "*/10 * * * *", "nothing was changed");
    // What has nothing to run has no schedule.
    world.engine.plugin_upload(&caller(), built("b2b-gate")).await.unwrap();
    let settings = at(own("0 3 * * *", ScheduledModel::Fit));
    let refused = world.engine.plugin_enable(&caller(), &plugin("b2b-gate"), settings).await.unwrap_err();
    assert!(refused.to_string().contains("nothing that can be run"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_asked_when_they_are_due() {
    let world = World::new().await;
    world.customers(12).await;
    world.engine.plugin_upload(&caller(), built(EVERY)).await.unwrap();
    let id = plugin(EVERY);
    let refused =
        world.engine.plugin_enable(&caller(), &id, at(asking(&["orders", "ordres"]))).await.unwrap_err();
    assert!(matches!(&refused, Error::InvalidSettings { .. }), "{refused}");
    assert!(refused.to_string().contains("no analysis `ordres`; it has orders, today"), "{refused}");
    for (analyses, why) in
        [(vec!["orders"; 2], "names `orders` twice"), (vec!["orders"; 11], "names 11 analyses, at most 10")]
    {
        let refused = world.engine.plugin_enable(&caller(), &id, at(asking(&analyses))).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    world.enable(EVERY, at(asking(&["orders", "today"]))).await;
    let schedule = world.engine.plugin_get(&id).unwrap().schedule.unwrap().schedule.unwrap();
    assert_eq!(schedule.in_words().en, "at 03:00 every day; asks `orders`, `today`");

    world.clock.advance_ms(7 * HOUR_MS);
    let ScheduledOutcome::Started(run) = until_done(&world, EVERY, NIGHT_MS).await else {
        panic!("not started")
    };
    assert_eq!(world.engine.job_wait(run).await.unwrap().kind.as_str(), "plugin-run");
    world.until("both are answered", || async { told(&world, "analysis.answered").await == 2 }).await;
    let page = world.engine.analysis_results(&id, "orders", None, 9).await.unwrap();
    assert_eq!((page.results.len(), &page.results[0].parameters), (1, &json!({ "at_least": 1 })));
    assert!(format!("{:?}", page.results[0].asked_by).contains("schedule"), "{:?}", page.results[0].asked_by);

    // A restart keeps it.
    let world = world.restart().await;
    assert_eq!(world.engine.plugin_get(&id).unwrap().schedule.unwrap().schedule.unwrap(), schedule);
    world.clock.advance_ms(DAY_MS);
    world.until("both are answered again", || async { told(&world, "analysis.answered").await == 4 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_answers_no_questions_cannot_be_asked() {
    let world = World::new().await;
    world.engine.plugin_upload(&caller(), built(RFM)).await.unwrap();
    let refused =
        world.engine.plugin_enable(&caller(), &plugin(RFM), at(asking(&["orders"]))).await.unwrap_err();
    assert!(
        refused.to_string().contains("names the analysis `orders`, but the plugin answers no questions"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_asked_is_said_and_keeps_nothing_else() {
    let world = World::new().await;
    world.customers(12).await;
    let schedule = "[schedule]\nevery = \"day\"\nanalyses = [\"gone\", \"today\"]\n\n[service-workflow]";
    let change =
        |line: &str| if line == "[service-workflow]" { schedule.to_owned() } else { line.to_owned() };
    let plugin_file = with_manifest(&built(EVERY), change);
    world.engine.plugin_upload(&caller(), plugin_file).await.unwrap();
    world.engine.plugin_enable(&caller(), &plugin(EVERY), UseSettings::default()).await.unwrap();
    world.clock.advance_ms(7 * HOUR_MS);
    let ScheduledOutcome::Started(run) = until_done(&world, EVERY, NIGHT_MS).await else {
        panic!("not started")
    };
    world.ended_well(run).await;
    world
        .until("the other question is answered", || async { told(&world, "analysis.answered").await == 1 })
        .await;
    let said = &world.events("schedule.failed").await[0];
    assert_eq!((&said["analysis"], &said["code"]), (&json!("gone"), &json!("not_found")));
}
