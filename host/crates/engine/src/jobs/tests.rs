//! The life of jobs, with work that does as it is told by the job's subject.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_records::{Caller, EntryBody, Records, SystemClock, SystemIds};
use trellis_storage::{MemoryStore, Store};

use super::{Job, JobState, Jobs, Request, Running, Work};
use crate::{Config, Error, Result};

/// `succeed`, `fail`, `panic`; `wait` until it is cancelled; `progress` and then wait.
#[derive(Debug, Default)]
struct Told {
    /// Jobs that wait go on from here on: what a restart looks like.
    patient: bool,
    can_resume: bool,
}

impl Work for Told {
    fn run(&self, job: &Running<'_>) -> Result<Json> {
        match job.request().subject() {
            "fail" => Err(Error::InvalidRequest { reason: "told to fail".into() }),
            "panic" => panic!("told to panic"),
            "wait" | "progress" if !self.patient => {
                if job.request().subject() == "progress" {
                    job.progress(7, Some(10), "rows");
                }
                loop {
                    job.check()?;
                    std::thread::yield_now();
                }
            }
            subject => Ok(json!({ "did": subject })),
        }
    }

    fn can_resume(&self, _request: &Request) -> bool {
        self.can_resume
    }

    fn ended(&self, _id: RecordId, _request: &Request) {}
}

struct World {
    store: Arc<dyn Store>,
    records: Arc<Records>,
    config: Config,
}

impl World {
    async fn new(config: Config) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Self { records: open(&store).await, store, config }
    }

    /// The same store in another process.
    async fn restart(self) -> Self {
        Self { records: open(&self.store).await, ..self }
    }

    async fn jobs(&self, told: Told) -> Jobs {
        Jobs::start(Arc::clone(&self.records), Arc::new(told), self.config.clone()).await.unwrap()
    }

    async fn create(&self, jobs: &Jobs, request: Request) -> Result<Job> {
        let id = self.records.ids().record_id(self.records.clock().now_ms());
        jobs.create(id, &Caller::system("test"), request).await
    }

    async fn run(&self, jobs: &Jobs, object: &str) -> Job {
        let job = self.create(jobs, import(object)).await.unwrap();
        jobs.wait(job.id).await.unwrap()
    }

    async fn events(&self) -> Vec<String> {
        let entries = self.records.log_after(0, 1_000).await.unwrap();
        let name = |body| match body {
            EntryBody::Event { name, .. } => Some(name),
            EntryBody::Changes(_) => None,
        };
        entries
            .into_iter()
            .filter_map(|entry| name(entry.body))
            .filter(|name| name.starts_with("job."))
            .collect()
    }
}

async fn open(store: &Arc<dyn Store>) -> Arc<Records> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
    Records::open(Arc::clone(store), clock, ids, trellis_records::Config::default()).await.unwrap()
}

fn import(object: &str) -> Request {
    Request::Import {
        object: object.into(),
        mapping: None,
        spooled: format!("{object}.csv"),
        file_name: "customers.csv".into(),
        unlimited: true,
    }
}

fn plugin_run(plugin: &str) -> Request {
    Request::PluginRun {
        plugin: plugin.into(),
        version: "1.0.0".into(),
        config: "{}".into(),
        as_of: None,
        announce: false,
        last_model: false,
        model: None,
    }
}

fn one_thread() -> Config {
    Config { jobs_parallel_max: 1, job_progress_save_ms: 1, ..Config::default() }
}

/// Waits until a job runs and, where that is asked, says so much of its progress.
async fn until_running(jobs: &Jobs, id: RecordId, done: u64) {
    loop {
        let job = jobs.get(id).await.unwrap().unwrap();
        if job.state == JobState::Running && job.progress.done >= done {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_job_runs_and_its_result_outlives_the_server() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let job = world.run(&jobs, "account").await;
    assert_eq!((job.state, &job.result), (JobState::Succeeded, &json!({ "did": "account" })));
    assert_eq!((job.attempts, job.error.as_ref()), (1, None));
    assert!(job.started_at_ms >= Some(job.created_at_ms) && job.finished_at_ms >= job.started_at_ms);
    assert_eq!(world.events().await, ["job.queued", "job.running", "job.succeeded"]);
    jobs.stop().await;
    let world = world.restart().await;
    let jobs = world.jobs(Told::default()).await;
    assert_eq!(jobs.get(job.id).await.unwrap(), Some(job));
    assert_eq!(world.events().await.len(), 3, "a restart has nothing to say about it");
}

#[tokio::test]
async fn a_failure_says_why_and_a_panic_ends_only_its_job() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let error = world.run(&jobs, "fail").await.error.unwrap();
    assert_eq!((error.code.as_str(), error.message.en.as_str()), ("invalid_request", "told to fail"));
    let error = world.run(&jobs, "panic").await.error.unwrap();
    assert_eq!(error.code, "internal");
    assert!(error.message.en.contains("told to panic"), "{}", error.message.en);
    assert_eq!(world.run(&jobs, "account").await.state, JobState::Succeeded);
}

#[tokio::test]
async fn a_running_and_a_waiting_job_can_be_cancelled() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let running = world.create(&jobs, import("wait")).await.unwrap();
    let waiting = world.create(&jobs, import("account")).await.unwrap();
    until_running(&jobs, running.id, 0).await;
    assert_eq!(jobs.cancel(waiting.id).await.unwrap().state, JobState::Cancelled, "at once");
    jobs.cancel(running.id).await.unwrap();
    let job = jobs.wait(running.id).await.unwrap();
    assert_eq!((job.state, job.error), (JobState::Cancelled, None));
    assert_eq!(jobs.cancel(running.id).await.unwrap().state, JobState::Cancelled, "again changes nothing");
    let unknown = RecordId(uuid::Uuid::from_u128(1));
    assert!(matches!(jobs.cancel(unknown).await, Err(Error::UnknownJob { .. })));
}

#[tokio::test]
async fn a_plugin_runs_once_at_a_time() {
    let world = World::new(Config { jobs_parallel_max: 2, ..one_thread() }).await;
    let jobs = world.jobs(Told::default()).await;
    let first = world.create(&jobs, plugin_run("wait")).await.unwrap();
    let refused = world.create(&jobs, plugin_run("wait")).await.unwrap_err();
    assert!(matches!(&refused, Error::Busy { job, .. } if *job == first.id), "{refused}");
    let other = world.create(&jobs, plugin_run("other-plugin")).await.unwrap();
    assert_eq!(
        jobs.wait(other.id).await.unwrap().state,
        JobState::Succeeded,
        "another plugin is not held up"
    );
    jobs.cancel(first.id).await.unwrap();
    jobs.wait(first.id).await.unwrap();
    world.create(&jobs, plugin_run("wait")).await.expect("the first one has ended");
}

#[tokio::test]
async fn only_so_many_jobs_may_wait() {
    let world = World::new(Config { jobs_queued_max: 2, ..one_thread() }).await;
    let jobs = world.jobs(Told::default()).await;
    world.create(&jobs, import("wait")).await.unwrap();
    world.create(&jobs, import("account")).await.unwrap();
    let refused = world.create(&jobs, import("account")).await.unwrap_err();
    assert_eq!(refused.code(), "too_many_jobs", "{refused}");
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_the_newest_first() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, world.run(&jobs, "account").await.id);
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = jobs.list(after, 2).await.unwrap();
        listed.extend(page.jobs.iter().map(|job| job.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn an_interrupted_job_goes_on_after_a_restart() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let running = world.create(&jobs, import("wait")).await.unwrap();
    let waiting = world.create(&jobs, plugin_run("waiting-plugin")).await.unwrap();
    until_running(&jobs, running.id, 0).await;
    jobs.stop().await;
    let world = world.restart().await;
    let jobs = world.jobs(Told { patient: true, can_resume: true }).await;
    let job = jobs.wait(running.id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Succeeded, 2));
    let job = jobs.wait(waiting.id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Succeeded, 1));
}

#[tokio::test]
async fn a_job_that_cannot_go_on_is_interrupted_for_good() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let running = world.create(&jobs, import("wait")).await.unwrap();
    until_running(&jobs, running.id, 0).await;
    jobs.stop().await;
    let world = world.restart().await;
    let jobs = world.jobs(Told { patient: true, can_resume: false }).await;
    let job = jobs.wait(running.id).await.unwrap();
    assert_eq!((job.state, job.error.unwrap().code.as_str()), (JobState::Interrupted, "interrupted"));
}

#[tokio::test]
async fn a_job_that_takes_the_server_down_is_not_tried_for_ever() {
    let mut world = World::new(Config { job_attempts_max: 2, ..one_thread() }).await;
    let jobs = world.jobs(Told::default()).await;
    let id = world.create(&jobs, import("wait")).await.unwrap().id;
    until_running(&jobs, id, 0).await;
    jobs.stop().await;
    world = world.restart().await;
    let jobs = world.jobs(Told { patient: false, can_resume: true }).await;
    until_running(&jobs, id, 0).await;
    jobs.stop().await;
    world = world.restart().await;
    let jobs = world.jobs(Told { patient: true, can_resume: true }).await;
    let job = jobs.wait(id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Interrupted, 2));
}

#[tokio::test]
async fn progress_is_written_down_without_a_log_entry() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let id = world.create(&jobs, import("progress")).await.unwrap().id;
    until_running(&jobs, id, 7).await;
    let head = world.records.log_head();
    let stored = async || {
        let (bytes, _) =
            crate::stored::get(world.store.as_ref(), &crate::keys::job(id)).await.unwrap().unwrap();
        super::stored::decode(id, &bytes).unwrap().0.progress.done
    };
    while stored().await != 7 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.records.log_head(), head);
}

#[tokio::test]
async fn the_oldest_finished_jobs_go_at_start() {
    let world = World::new(Config { jobs_kept_max: 2, ..one_thread() }).await;
    let jobs = world.jobs(Told::default()).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(world.run(&jobs, "account").await.id);
    }
    jobs.stop().await;
    let world = world.restart().await;
    let jobs = world.jobs(Told::default()).await;
    let listed: Vec<_> = jobs.list(None, 10).await.unwrap().jobs.iter().map(|job| job.id).collect();
    assert_eq!(listed, [ids[3], ids[2]]);
}

#[tokio::test]
async fn old_jobs_go_while_the_server_runs_too() {
    let world = World::new(Config { jobs_kept_max: 20, ..one_thread() }).await;
    let jobs = world.jobs(Told::default()).await;
    for _ in 0..40 {
        world.run(&jobs, "account").await;
    }
    // Each second job that ends is an occasion; the last one may not have come to it.
    let listed = jobs.list(None, 100).await.unwrap().jobs.len();
    assert!((20..=22).contains(&listed), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_that_several_resume_at_once_goes_on_once() {
    let world = World::new(one_thread()).await;
    let jobs = Arc::new(world.jobs(Told::default()).await);
    for _ in 0..20 {
        let holding = world.create(&jobs, import("wait")).await.unwrap();
        let id = world.create(&jobs, import("account")).await.unwrap().id;
        until_running(&jobs, holding.id, 0).await;
        assert_eq!(jobs.pause(id).await.unwrap().state, JobState::Paused);
        let resume = || {
            let jobs = Arc::clone(&jobs);
            tokio::spawn(async move { jobs.resume(id).await.is_ok() })
        };
        let mut went_on = 0;
        for resumed in [resume(), resume(), resume(), resume()] {
            went_on += u32::from(resumed.await.unwrap());
        }
        assert_eq!(went_on, 1);
        jobs.cancel(holding.id).await.unwrap();
        let job = jobs.wait(id).await.unwrap();
        assert_eq!((job.state, job.attempts), (JobState::Succeeded, 1));
    }
}

async fn until(jobs: &Jobs, id: RecordId, state: JobState) {
    while jobs.get(id).await.unwrap().unwrap().state != state {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_paused_job_stays_so_over_a_restart_and_goes_on_when_asked() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let running = world.create(&jobs, import("wait")).await.unwrap();
    let waiting = world.create(&jobs, import("account")).await.unwrap();
    until_running(&jobs, running.id, 0).await;
    assert_eq!(jobs.pause(waiting.id).await.unwrap().state, JobState::Paused, "at once");
    jobs.pause(running.id).await.unwrap();
    until(&jobs, running.id, JobState::Paused).await;
    assert_eq!(jobs.cancel(waiting.id).await.unwrap().state, JobState::Cancelled);
    assert!(jobs.uses_spooled("wait.csv"), "its file is needed");
    jobs.stop().await;
    let world = world.restart().await;
    let jobs = world.jobs(Told { patient: true, can_resume: true }).await;
    assert_eq!(jobs.get(running.id).await.unwrap().unwrap().state, JobState::Paused);
    jobs.resume(running.id).await.unwrap();
    let job = jobs.wait(running.id).await.unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Succeeded, 1));
    assert_eq!(jobs.resume(running.id).await.unwrap_err().code(), "invalid_request", "it has ended");
}

#[tokio::test]
async fn a_job_that_cannot_go_on_where_it_was_is_not_paused() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let running = world.create(&jobs, plugin_run("wait")).await.unwrap();
    until_running(&jobs, running.id, 0).await;
    assert_eq!(jobs.pause(running.id).await.unwrap_err().code(), "invalid_request");
    jobs.cancel(running.id).await.unwrap();
}

#[tokio::test]
async fn the_notes_of_a_job_go_with_it() {
    let world = World::new(one_thread()).await;
    let jobs = world.jobs(Told::default()).await;
    let id = world.create(&jobs, import("wait")).await.unwrap().id;
    until_running(&jobs, id, 0).await;
    let notes = super::Notes(id);
    let set = notes.only(world.store.as_ref(), 3, b"three".to_vec()).await.unwrap();
    world.records.commit(set, None).await.unwrap();
    let set = notes.only(world.store.as_ref(), 4, b"four".to_vec()).await.unwrap();
    world.records.commit(set, None).await.unwrap();
    assert_eq!(notes.all(world.store.as_ref()).await.unwrap(), [b"four".to_vec()]);
    jobs.cancel(id).await.unwrap();
    jobs.wait(id).await.unwrap();
    assert!(notes.all(world.store.as_ref()).await.unwrap().is_empty());
}

#[tokio::test]
async fn questions_leave_a_thread_to_others() {
    let config = Config { jobs_parallel_max: 2, ..one_thread() };
    let world = World::new(config).await;
    let jobs = world.jobs(Told::default()).await;
    let question = |plugin: &str| Request::PluginAnalysis {
        plugin: plugin.into(),
        version: "1.0.0".into(),
        config: "{}".into(),
        as_of: None,
        analysis: "sizes".into(),
        parameters: "{}".into(),
    };
    let first = world.create(&jobs, question("wait")).await.unwrap();
    until_running(&jobs, first.id, 0).await;
    let second = world.create(&jobs, question("account")).await.unwrap();
    let import = world.run(&jobs, "account").await;
    assert_eq!(import.state, JobState::Succeeded, "though it was asked for after the questions");
    assert_eq!(jobs.get(second.id).await.unwrap().unwrap().state, JobState::Queued);
    jobs.cancel(first.id).await.unwrap();
    assert_eq!(jobs.wait(second.id).await.unwrap().state, JobState::Succeeded, "its turn has come");
}
