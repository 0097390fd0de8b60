//! Questions that plugins answer, and models that they show.

use serde_json::{Value as Json, json};
use trellis_columns::AsOf;
use trellis_engine::{
    AnalysisRequest, Config, Error, JobState, LearnedBy, ModelChoice, UpgradeRequest, UseSettings,
};
use trellis_model::RecordId;

use crate::{
    customers::{RFM, caller, plugin},
    sections::as_version,
    store::Crash,
    support::{World, built},
};

const EVERY: &str = "every-interface";
const ORDERS: &str = "orders";

async fn ready(config: Config) -> World {
    let world = World::with(config).await;
    world.customers(12).await;
    world.enable(EVERY, UseSettings::default()).await;
    world
}

fn said(parameters: Json) -> AnalysisRequest {
    AnalysisRequest { parameters, as_of: None }
}

/// Asks and returns the job's result, with the progress that it ended with.
async fn ask(world: &World, name: &str, request: AnalysisRequest) -> Json {
    // Answers are told apart by when they were asked for.
    world.clock.advance_ms(1_000);
    let job = world.engine.analyse(&caller(), &plugin(EVERY), name, request).await.unwrap();
    assert_eq!((job.kind.as_str(), job.subject.as_str()), ("plugin-analysis", EVERY));
    world.ended_well(job.id).await
}

fn id(result: &Json) -> RecordId {
    RecordId::parse(result["result"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_and_the_answer_kept_with_what_it_was_made_of() {
    let world = ready(Config { batch_rows_max: 5, ..Config::default() }).await;
    let asked = world.engine.analyses(&plugin(EVERY)).await.unwrap();
    let names: Vec<_> = asked.iter().map(|analysis| analysis.name.as_str()).collect();
    assert_eq!(names, [ORDERS, "today"]);
    assert_eq!(asked[0].parameters["properties"]["at_least"]["default"], 1);

    // 12 customers with one to four orders by turns.
    let answered = ask(&world, ORDERS, said(json!({ "at_least": 2 }))).await;
    let (result, report) = world.engine.analysis_result(&plugin(EVERY), ORDERS, id(&answered)).await.unwrap();
    let named = json!({
        "plugin": EVERY, "version": "1.0.0", "analysis": ORDERS, "result": result.id.to_string(), "rows": 12,
    });
    assert_eq!(answered, named, "what goes with the answer does not stay with the job");
    assert_eq!((result.summary.en.as_str(), &report["metrics"][0]["value"]), ("9 customers", &json!(9.0)));
    assert_eq!((result.log_until, result.personal), (result.log_number, false), "nothing happened meanwhile");
    assert_eq!(report["panels"][0]["columns"][0]["values"], json!([2, 3, 4]));
    assert_eq!(report["panels"][0]["columns"][1]["values"], json!([3, 3, 3]));
    assert_eq!((result.parameters, result.rows), (json!({ "at_least": 2 }), 12));
    assert_eq!((result.asked_by, result.as_of), (caller().actor, AsOf::Now));
    assert_eq!(result.config_digest, blake3::hash(b"{}").to_hex().to_string());
    assert!(result.log_number > 0);

    // Half of the orders are of October: as of its end the others do not exist.
    let october = AsOf::Date("2026-10-31".parse().unwrap());
    let request = AnalysisRequest { parameters: Json::Null, as_of: Some(october) };
    let earlier = ask(&world, ORDERS, request).await;
    let (result, report) = world.engine.analysis_result(&plugin(EVERY), ORDERS, id(&earlier)).await.unwrap();
    assert_eq!((result.as_of, result.parameters), (october, json!({ "at_least": 1 })));
    assert_eq!(report["panels"][0]["columns"][0]["values"], json!([1, 2]));
    let today = ask(&world, "today", AnalysisRequest { as_of: Some(october), ..Default::default() }).await;
    assert_eq!(today["rows"], 0, "it looks at no rows");
    let (_, report) = world.engine.analysis_result(&plugin(EVERY), "today", id(&today)).await.unwrap();
    assert_eq!(report["panels"][0]["columns"][0]["values"], json!(["2026-10-31"]));

    let told = world.events("analysis.answered").await;
    assert_eq!(told.len(), 3);
    assert_eq!((&told[0]["analysis"], &told[0]["rows"]), (&json!(ORDERS), &json!(12)));
    let capsules = world.folder().join("engine/capsules");
    assert_eq!(std::fs::read_dir(capsules).unwrap().count(), 0, "rows of a question are not kept");
    let page = world.engine.analysis_results(&plugin(EVERY), ORDERS, None, 1).await.unwrap();
    assert_eq!((page.results[0].id, page.next), (id(&earlier), Some(id(&earlier))));
    let page = world.engine.analysis_results(&plugin(EVERY), ORDERS, page.next, 9).await.unwrap();
    assert_eq!((page.results.len(), page.results[0].id, page.next), (1, id(&answered), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_by_name() {
    let world = ready(Config::default()).await;
    let ask = async |name: &str, parameters: Json| {
        world.engine.analyse(&caller(), &plugin(EVERY), name, said(parameters)).await.unwrap_err()
    };
    let check = |error: Error, expected: &str| assert!(error.to_string().contains(expected), "{error}");
    check(ask(ORDERS, json!({ "at_least": -1 })).await, "`at_least` -1 breaks minimum 0");
    check(ask(ORDERS, json!({ "at_most": 1 })).await, "`at_most`");
    check(ask(ORDERS, json!([])).await, "is no object");
    let long = json!({ "at_least": "x".repeat(70_000) });
    check(ask(ORDERS, long).await, "bytes, at most 65536");
    check(ask("secrets", json!({})).await, "plugin `every-interface` has no analysis `secrets`");
    assert_eq!(world.events("job.queued").await.len(), 0, "nothing was begun");

    let results = async |name: &str| world.engine.analysis_results(&plugin(EVERY), name, None, 9).await;
    assert_eq!(results(ORDERS).await.unwrap().results, [], "nobody has asked yet");
    let unknown = results("secrets").await;
    assert!(matches!(unknown, Err(Error::UnknownAnalysis { .. })), "{unknown:?}");
    for name in ["or\0ders", "Orders", ""] {
        assert!(matches!(results(name).await, Err(Error::UnknownAnalysis { .. })), "{name:?}");
    }
    let nothing = RecordId::parse("01926b5e-0000-7000-8000-000000000001").unwrap();
    let missing = world.engine.analysis_result(&plugin(EVERY), ORDERS, nothing).await;
    assert!(matches!(missing, Err(Error::UnknownAnalysisResult { .. })), "{missing:?}");
    world.enable(RFM, UseSettings::default()).await;
    let cannot = world.engine.analyses(&plugin(RFM)).await.unwrap_err();
    check(cannot, "it does not offer the interface `analysis`");
    world.engine.plugin_disable(&caller(), &plugin(EVERY)).await.unwrap();
    assert!(matches!(ask(ORDERS, json!({})).await, Error::NotEnabled { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_answers_are_kept_and_larger_ones_are_refused() {
    let world = ready(Config { analysis_results_max: 2, ..Config::default() }).await;
    let mut ids = Vec::new();
    for at_least in 1..=4 {
        ids.push(id(&ask(&world, ORDERS, said(json!({ "at_least": at_least }))).await));
    }
    let other = ask(&world, "today", AnalysisRequest::default()).await;
    let page = world.engine.analysis_results(&plugin(EVERY), ORDERS, None, 9).await.unwrap();
    assert_eq!(page.results.iter().map(|result| result.id).collect::<Vec<_>>(), [ids[3], ids[2]]);
    for (id, is_kept) in [(ids[0], false), (ids[1], false), (ids[2], true)] {
        let found = world.engine.analysis_result(&plugin(EVERY), ORDERS, id).await;
        assert_eq!(found.is_ok(), is_kept, "{id}");
    }
    assert!(world.engine.analysis_result(&plugin(EVERY), "today", id(&other)).await.is_ok());
    // They outlive the plugin, which has nothing else to be known by.
    let world = world.restart().await;
    world.engine.plugin_remove(&caller(), &plugin(EVERY), true).await.unwrap();
    assert!(matches!(world.engine.analyses(&plugin(EVERY)).await, Err(Error::UnknownPlugin { .. })));
    assert!(world.engine.analysis_result(&plugin(EVERY), ORDERS, ids[3]).await.is_ok());
    let page = world.engine.analysis_results(&plugin(EVERY), ORDERS, None, 9).await.unwrap();
    assert_eq!(page.results.len(), 2);

    let world = ready(Config { analysis_result_bytes_max: 100, ..Config::default() }).await;
    let job = world.engine.analyse(&caller(), &plugin(EVERY), ORDERS, said(Json::Null)).await.unwrap();
    let job = world.engine.job_wait(job.id).await.unwrap();
    assert_eq!(job.state, JobState::Failed);
    let message = job.error.unwrap().message.en;
    assert!(message.contains("at most 100 are kept (`engine.analysis_result_bytes_max`)"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_by_the_job_that_gave_it_though_the_clock_was_set_back() {
    let world = ready(Config { analysis_results_max: 1, ..Config::default() }).await;
    ask(&world, ORDERS, said(Json::Null)).await;
    // Ids sort by time: this one comes before the other.
    world.clock.advance_ms(-3_600_000);
    let world = world.restart().await;
    let answered = ask(&world, ORDERS, said(Json::Null)).await;
    assert!(world.engine.analysis_result(&plugin(EVERY), ORDERS, id(&answered)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_deleted_one_by_one_and_all_together() {
    let world = ready(Config::default()).await;
    let mut ids = Vec::new();
    for at_least in 1..=3 {
        ids.push(id(&ask(&world, ORDERS, said(json!({ "at_least": at_least }))).await));
    }
    let (by, every) = (caller(), plugin(EVERY));
    // Nobody can ask it again.
    world.engine.plugin_remove(&by, &every, true).await.unwrap();
    world.engine.analysis_result_delete(&by, &every, ORDERS, ids[1]).await.unwrap();
    let again = world.engine.analysis_result_delete(&by, &every, ORDERS, ids[1]).await;
    assert!(matches!(again, Err(Error::UnknownAnalysisResult { .. })), "{again:?}");
    assert!(world.engine.analysis_result(&every, ORDERS, ids[1]).await.is_err());
    let told = world.events("analysis.deleted").await;
    assert_eq!(told, [json!({ "plugin": EVERY, "analysis": ORDERS, "result": ids[1].to_string() })]);
    assert_eq!(world.engine.analysis_results_delete(&by, &every, ORDERS).await.unwrap(), 2);
    assert_eq!(world.events("analysis.deleted").await.len(), 3);
    let gone = world.engine.analysis_results(&every, ORDERS, None, 9).await;
    assert!(matches!(gone, Err(Error::UnknownPlugin { .. })), "nothing of it is left: {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_disabled_answers_and_learns_no_more() {
    let one_thread = Config { jobs_parallel_max: 1, ..Config::default() };
    let world = ready(one_thread).await;
    let config = json!({ "sin": "analyse-loop" });
    world.enable("hostile", UseSettings { config, ..UseSettings::default() }).await;
    let (by, hostile, every) = (caller(), plugin("hostile"), plugin(EVERY));
    let endless = world.engine.analyse(&by, &hostile, "sizes", AnalysisRequest::default()).await.unwrap();
    let waiting = world.engine.analyse(&by, &every, ORDERS, said(Json::Null)).await.unwrap();
    let fit = world.engine.plugin_fit(&by, &every, Default::default()).await.unwrap();
    let other = world.engine.plugin_fit(&by, &hostile, Default::default()).await.unwrap();

    world.engine.plugin_disable(&by, &every).await.unwrap();
    for job in [waiting.id, fit.id] {
        assert_eq!(world.engine.job_wait(job).await.unwrap().state, JobState::Cancelled, "while it waited");
    }
    assert!(!world.engine.job_get(endless.id).await.unwrap().unwrap().state.is_final(), "another plugin's");
    world.engine.plugin_remove(&by, &hostile, true).await.unwrap();
    for job in [endless.id, other.id] {
        assert_eq!(world.engine.job_wait(job).await.unwrap().state, JobState::Cancelled);
    }
    assert_eq!(world.events("analysis.answered").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_copied_within_a_limit_and_not_at_all_where_nothing_is_read() {
    let world = ready(Config { analysis_spool_bytes_max: 10, ..Config::default() }).await;
    let question = world.engine.analyse(&caller(), &plugin(EVERY), ORDERS, said(Json::Null)).await.unwrap();
    let fit = world.engine.plugin_fit(&caller(), &plugin(EVERY), Default::default()).await.unwrap();
    for job in [question.id, fit.id] {
        let error = world.engine.job_wait(job).await.unwrap().error.unwrap();
        assert_eq!(error.code, "plugin_cannot_run");
        for text in [&error.message.en, &error.message.zh_cn] {
            assert!(
                text.contains("`customers`") && text.contains("`engine.analysis_spool_bytes_max`"),
                "{text}"
            );
        }
    }
    // It looks at no dataset, so that none is opened.
    let today = ask(&world, "today", AnalysisRequest::default()).await;
    assert_eq!(today["rows"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_no_longer_kept_is_not_shown_from_memory() {
    let world = ready(Config { models_kept_per_plugin: 1, ..Config::default() }).await;
    world.enable(RFM, UseSettings::default()).await;
    world.run_well(RFM, ModelChoice::Usual).await;
    assert!(world.engine.model_report(&plugin(RFM), 1).await.is_ok());
    let kept = world.engine.plugin_model(&plugin(RFM), 1).await.unwrap().kept;
    // Other customers make another model.
    world.customers(1).await;
    world.run_well(RFM, ModelChoice::Fit).await;
    let now_kept = world.engine.plugin_model(&plugin(RFM), 1).await.unwrap().kept;
    assert_eq!((kept, now_kept), (true, false));
    let gone = world.engine.model_report(&plugin(RFM), 1).await;
    assert!(matches!(gone, Err(Error::ModelExpired { model: 1, .. })), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_a_stop_interrupts_is_given_after_the_next_start() {
    let job_progress_save_ms = 3_600_000;
    let mut world = ready(Config { job_progress_save_ms, ..Config::default() }).await;
    let (mut commit, mut given) = (0, 0);
    loop {
        world.clock.advance_ms(1_000);
        let crash = if commit % 2 == 0 { Crash::Before } else { Crash::After };
        world.store.stop_at(commit, crash);
        let asked = world.engine.analyse(&caller(), &plugin(EVERY), ORDERS, said(Json::Null)).await;
        if let Ok(job) = &asked {
            world.engine.job_wait(job.id).await.unwrap();
        }
        let has_stopped = world.store.has_stopped();
        world = world.restart().await;
        if asked.is_ok() || crash == Crash::After {
            let job = world.engine.jobs(None, 1).await.unwrap().jobs[0].id;
            let job = world.engine.job_wait(job).await.unwrap();
            assert_eq!(job.state, JobState::Succeeded, "commit {commit}: {:?}", job.error);
            let found = world.engine.analysis_result(&plugin(EVERY), ORDERS, id(&job.result)).await.unwrap();
            assert_eq!(
                (found.0.job, &found.1["metrics"][0]["value"]),
                (job.id, &json!(12.0)),
                "commit {commit}"
            );
            given += 1;
            let answers = world.events("analysis.answered").await.len();
            assert_eq!(answers, given, "commit {commit}: answered once");
        }
        if !has_stopped {
            assert!(commit > 2, "{commit} commits");
            return;
        }
        commit += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_shown_while_another_version_is_in_use() {
    let world = ready(Config::default()).await;
    let every = plugin(EVERY);
    let never = world.engine.model_report_in_use(&every).await.unwrap_err();
    assert!(matches!(never, Error::NoModel { .. }), "{never}");
    let run = world.run_well(EVERY, ModelChoice::Usual).await;
    assert_eq!(run["model"], 1);
    let shown = world.engine.model_report(&every, 1).await.unwrap();
    assert_eq!((shown.model, shown.version.as_str()), (Some(1), "1.0.0"));
    let by: Vec<_> = shown.reports.iter().map(|(by, report)| (*by, report.summary.en.as_str())).collect();
    assert_eq!(
        by,
        [(LearnedBy::Segmentation, "Learned by segmentation"), (LearnedBy::Scoring, "Learned by scoring")]
    );
    assert_eq!(world.engine.model_report_in_use(&every).await.unwrap(), shown);
    let calls = |world: &World| {
        let metrics = world.engine.plugin_metrics(&every, None).unwrap().unwrap();
        metrics.functions.get("model-report.describe-model").map_or(0, |shows| shows.calls)
    };
    assert_eq!(calls(&world), 2, "one for each interface: the second time nobody was asked");

    // Another version takes over: the one that learned the model still shows it.
    world.engine.plugin_upload(&caller(), as_version(&built(EVERY), "2.0.0")).await.unwrap();
    world.engine.plugin_upgrade(&caller(), &every, UpgradeRequest::default()).await.unwrap();
    assert_eq!(world.engine.plugin_get(&every).unwrap().version.to_string(), "2.0.0");
    assert_eq!(world.engine.model_report(&every, 1).await.unwrap().version, "1.0.0");
    let unknown = world.engine.model_report(&every, 7).await.unwrap_err();
    assert!(matches!(unknown, Error::UnknownModel { model: 7, .. }), "{unknown}");

    world.enable(RFM, UseSettings::default()).await;
    world.run_well(RFM, ModelChoice::Usual).await;
    let shows =
        world.engine.plugin_get(&plugin(RFM)).unwrap().provides.iter().any(|name| name == "model-report");
    let shown = world.engine.model_report_in_use(&plugin(RFM)).await;
    match shown {
        Ok(shown) => assert!(shows && !shown.reports.is_empty()),
        Err(error) => assert!(!shows && matches!(error, Error::CannotRun { .. }), "{error}"),
    }
}
