//! Which jobs there are: those that have not ended in memory, all of them in the store.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;
use trellis_model::{RecordId, Text};
use trellis_plugin_host::CancelFlag;
use trellis_records::{Caller, Records};
use trellis_storage::ScanRange;

use super::{
    Job, JobError, JobKind, JobPage, JobState, Progress,
    keep::{Saved, save_progress, with_sources},
    runner::{self, Work},
    stored::{self as stored_job, Request},
};
use crate::{Config, Error, Result, keys, stored};

/// Jobs of one page of the list.
pub(super) const PAGE_JOBS_MAX: usize = 200;

/// The jobs of a server.
#[derive(Debug)]
pub(crate) struct Jobs {
    shared: Arc<Shared>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    saver: tokio::task::JoinHandle<()>,
}

/// What the table and its threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) records: Arc<Records>,
    pub(super) config: Config,
    pub(super) work: Arc<dyn Work>,
    pub(super) live: Mutex<HashMap<RecordId, Arc<Live>>>,
    queue: Mutex<Queue>,
    queued: Condvar,
    stopping: AtomicBool,
    /// Jobs that ended since the start.
    ended: AtomicUsize,
}

/// What waits for a thread.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Live>>,
    /// Questions that threads are busy with.
    questions: usize,
}

/// A job that has not ended.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) request: Request,
    /// Who asked for it. The scope is not stored: after a restart it has no limits, and only jobs for which that is right go on.
    pub(super) caller: Caller,
    pub(super) job: watch::Sender<Job>,
    pub(super) cancel: AtomicBool,
    pub(super) cancel_plugin: CancelFlag,
    cancelled_by_somebody: AtomicBool,
    pub(super) pausing: AtomicBool,
    pub(super) saved: tokio::sync::Mutex<Saved>,
}

impl Live {
    fn new(job: Job, request: Request, caller: Caller) -> Arc<Self> {
        Self::stored(job, request, caller, 0)
    }

    pub(super) fn recovered(job: Job, request: Request, parts: u32) -> Arc<Self> {
        let caller = Caller { actor: job.created_by.clone(), ..Caller::system("jobs") };
        Self::stored(job, request, caller, parts)
    }

    fn stored(job: Job, request: Request, mut caller: Caller, parts: u32) -> Arc<Self> {
        caller.cause.job = Some(job.id);
        let saved = Saved { parts, progress: job.progress.clone() };
        Arc::new(Self {
            request,
            caller,
            job: watch::Sender::new(job),
            cancel: AtomicBool::new(false),
            cancel_plugin: CancelFlag::default(),
            cancelled_by_somebody: AtomicBool::new(false),
            pausing: AtomicBool::new(false),
            saved: tokio::sync::Mutex::new(saved),
        })
    }

    pub(super) fn stop(&self) {
        self.cancel.store(true, Relaxed);
        self.cancel_plugin.cancel();
    }

    pub(super) fn state(&self) -> JobState {
        self.job.borrow().state
    }

    /// Takes the job from one state into another, unless it is in yet another: of several who want to, one does.
    pub(super) fn claim(&self, from: JobState, to: JobState) -> bool {
        self.job.send_if_modified(|job| {
            let is_there = job.state == from;
            job.state = if is_there { to } else { job.state };
            is_there
        })
    }

    /// Whether somebody asked it to end.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled_by_somebody.load(Relaxed)
    }
}

impl Jobs {
    /// Takes up what an earlier server left, then starts the threads.
    pub(crate) async fn start(records: Arc<Records>, work: Arc<dyn Work>, config: Config) -> Result<Self> {
        let shared = Arc::new(Shared {
            records,
            work,
            live: Mutex::default(),
            queue: Mutex::default(),
            queued: Condvar::new(),
            stopping: AtomicBool::new(false),
            ended: AtomicUsize::new(0),
            config,
        });
        shared.prune().await?;
        shared.recover().await?;
        let threads = runner::start_threads(&shared)?;
        let saver = tokio::spawn(save_progress(Arc::downgrade(&shared)));
        Ok(Self { shared, threads: Mutex::new(threads), saver })
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Writes a job down and has it done as soon as a thread is free. `id` names it, so that its files can bear the name.
    pub(crate) async fn create(&self, id: RecordId, caller: &Caller, request: Request) -> Result<Job> {
        let job = Job {
            id,
            kind: request.kind(),
            subject: request.subject().to_owned(),
            state: JobState::Queued,
            progress: Progress::default(),
            created_at_ms: self.shared.records.clock().now_ms(),
            started_at_ms: None,
            finished_at_ms: None,
            attempts: 0,
            result: serde_json::Value::Null,
            error: None,
            created_by: caller.actor.clone(),
        };
        let live = Live::new(job.clone(), request, caller.clone());
        self.shared.admit(&live)?;
        if let Err(error) = self.shared.save(&live, true).await {
            self.shared.live.lock().remove(&id);
            return Err(error);
        }
        self.shared.enqueue(live);
        Ok(job)
    }

    /// The job, as it stands now.
    pub(crate) async fn get(&self, id: RecordId) -> Result<Option<Job>> {
        if let Some(live) = self.shared.find_live(id) {
            return Ok(Some(live.job.borrow().clone()));
        }
        Ok(self.shared.load(id).await?.map(|(job, ..)| job))
    }

    /// Up to `jobs_max` (at most 200) jobs, the newest first, those after `after`.
    pub(crate) async fn list(&self, after: Option<RecordId>, jobs_max: usize) -> Result<JobPage> {
        let mut range = ScanRange::prefix(&keys::KeyKind::Job.prefix()).reversed();
        if let Some(after) = after {
            range = range.after(&keys::job(after));
        }
        let store = self.shared.records.store();
        let page = store.scan(range, jobs_max.clamp(1, PAGE_JOBS_MAX)).await?;
        let mut jobs = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            let id = keys::trailing_id(&row.key)?;
            let live = self.shared.find_live(id).map(|live| live.job.borrow().clone());
            jobs.push(match live {
                Some(job) => job,
                None => {
                    let (bytes, _) = stored::join(store.as_ref(), &row.key, &row.value).await?;
                    stored_job::decode(id, &bytes)?.0
                }
            });
        }
        let next = jobs.last().filter(|_| page.more).map(|job| job.id);
        Ok(JobPage { jobs, next })
    }

    /// Whether a job that does this has not ended.
    pub(crate) fn has_open(&self, request: &Request) -> bool {
        self.shared.live.lock().values().any(|live| live.request == *request)
    }

    /// Asks a job to end. One that waits ends at once, one that runs as soon as it looks; one that has ended stays as it is.
    pub(crate) async fn cancel(&self, id: RecordId) -> Result<Job> {
        if let Some(live) = self.shared.find_live(id) {
            live.cancelled_by_somebody.store(true, Relaxed);
            live.stop();
            if self.shared.remove_queued(id) || live.claim(JobState::Paused, JobState::Queued) {
                self.shared.finish(&live, Err(Error::Cancelled)).await;
            }
        }
        self.get(id).await?.ok_or(Error::UnknownJob { id })
    }

    /// Cancels what only a plugin that is used may do: its fits and its answers to questions that have not ended.
    pub(crate) async fn cancel_of(&self, plugin: &trellis_model::PluginId) -> Result<()> {
        let of_plugin = |live: &&Arc<Live>| {
            matches!(live.request, Request::PluginFit { .. } | Request::PluginAnalysis { .. })
                && live.request.subject() == plugin.as_str()
        };
        let mut open: Vec<RecordId> =
            self.shared.live.lock().values().filter(of_plugin).map(|live| live.job.borrow().id).collect();
        // The last first: one that waits must not begin because the one before it ended.
        open.sort_unstable_by(|one, other| other.cmp(one));
        for id in open {
            self.cancel(id).await?;
        }
        Ok(())
    }

    /// Waits until the job has ended (or the server stops) and returns it.
    pub(crate) async fn wait(&self, id: RecordId) -> Result<Job> {
        if let Some(live) = self.shared.find_live(id) {
            let mut watch = live.job.subscribe();
            drop(live);
            if let Ok(job) = watch.wait_for(|job| job.state.is_final()).await {
                return Ok(job.clone());
            }
        }
        self.get(id).await?.ok_or(Error::UnknownJob { id })
    }

    /// Whether anybody works on, or waits for, the file of this name in the spool folder.
    pub(crate) fn uses_spooled(&self, name: &str) -> bool {
        let uses = |live: &Arc<Live>| match &live.request {
            Request::Import { spooled, .. } => spooled == name,
            Request::Compare(comparison) => comparison.spooled() == Some(name),
            _ => false,
        };
        self.shared.live.lock().values().any(uses)
    }

    /// The job that works on, or waits for, a prepared import.
    pub(crate) fn of_import(&self, import: RecordId) -> Option<RecordId> {
        let uses = |request: &Request| matches!(request, Request::ImportPrepared { import: id, .. } if id == import.as_bytes());
        self.shared.live.lock().iter().find(|(_, live)| uses(&live.request)).map(|(id, _)| *id)
    }

    /// Ends the threads. What runs is left as it is in the store, so that the next start takes it up.
    pub(crate) async fn stop(&self) {
        self.shared.stopping.store(true, Relaxed);
        self.saver.abort();
        self.shared.live.lock().values().for_each(|live| live.stop());
        drop(self.shared.queue.lock());
        self.shared.queued.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock());
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(|thread| thread.join().is_err()).filter(|failed| *failed).count()
        });
        if let Ok(failed @ 1..) = joined.await {
            tracing::error!(failed, "threads of the job runner ended by a panic");
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.saver.abort();
        self.shared.stopping.store(true, Relaxed);
        self.shared.live.lock().values().for_each(|live| live.stop());
        drop(self.shared.queue.lock());
        self.shared.queued.notify_all();
    }
}

impl Queue {
    /// The first job that may be done now.
    fn take(&mut self, questions_max: usize) -> Option<Arc<Live>> {
        let is_full = self.questions >= questions_max;
        let place = self.waiting.iter().position(|live| !(is_full && is_question(live)))?;
        let live = self.waiting.remove(place)?;
        self.questions += usize::from(is_question(&live));
        Some(live)
    }
}

/// Nobody's work waits for a question, and it may take minutes of the processor.
fn is_question(live: &Live) -> bool {
    matches!(live.request, Request::PluginAnalysis { .. })
}

impl Shared {
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    pub(super) fn find_live(&self, id: RecordId) -> Option<Arc<Live>> {
        self.live.lock().get(&id).cloned()
    }

    /// Checks the limits and puts the job among the live ones, as one step.
    fn admit(&self, live: &Arc<Live>) -> Result<()> {
        if self.is_stopping() {
            return Err(Error::Stopping);
        }
        let job = live.job.borrow().clone();
        let mut all = self.live.lock();
        let (waiting, waiting_max) = (all.len(), self.config.jobs_queued_max);
        if waiting >= waiting_max {
            return Err(Error::QueueFull { waiting, waiting_max });
        }
        let uses_plugin = |kind| matches!(kind, JobKind::PluginRun | JobKind::PluginFit);
        let runs_it = |other: &&Arc<Live>| {
            let other = other.job.borrow();
            uses_plugin(other.kind) && other.subject == job.subject
        };
        if let Some(other) = all.values().find(runs_it).filter(|_| uses_plugin(job.kind)) {
            let plugin = trellis_model::PluginId::new(&job.subject);
            let plugin = plugin.map_err(|error| Error::InvalidRequest { reason: error.to_string() })?;
            return Err(Error::Busy { plugin, job: other.job.borrow().id });
        }
        all.insert(job.id, Arc::clone(live));
        Ok(())
    }

    pub(super) fn enqueue(&self, live: Arc<Live>) {
        self.queue.lock().waiting.push_back(live);
        self.queued.notify_one();
    }

    pub(super) fn remove_queued(&self, id: RecordId) -> bool {
        let waiting = &mut self.queue.lock().waiting;
        let before = waiting.len();
        waiting.retain(|live| live.job.borrow().id != id);
        waiting.len() < before
    }

    /// Waits for a job to do; `None` when the server stops. Whoever has done it says so with [`Shared::left`].
    pub(super) fn next(&self) -> Option<Arc<Live>> {
        let mut queue = self.queue.lock();
        loop {
            if self.is_stopping() {
                return None;
            }
            if let Some(live) = queue.take(self.questions_max()) {
                return Some(live);
            }
            self.queued.wait(&mut queue);
        }
    }

    /// Notes that a thread has done with a job that [`Shared::next`] gave it.
    pub(super) fn left(&self, live: &Live) {
        if is_question(live) {
            self.queue.lock().questions -= 1;
            self.queued.notify_one();
        }
    }

    /// Questions that are answered at once: one thread is left to the other jobs, where there are several.
    fn questions_max(&self) -> usize {
        self.config.jobs_parallel_max.saturating_sub(1).max(1)
    }

    /// Notes that a thread has taken the job up.
    pub(super) async fn begin(&self, live: &Live) -> Result<()> {
        let now = self.records.clock().now_ms();
        live.job.send_modify(|job| {
            job.state = JobState::Running;
            job.started_at_ms = Some(now);
            job.attempts += 1;
        });
        self.save(live, true).await
    }

    /// Notes how a job ended. While the server stops, a job that nobody cancelled stays as it is in the store.
    pub(super) async fn finish(&self, live: &Live, outcome: Result<serde_json::Value>) {
        let by_somebody = live.is_cancelled();
        let is_cancelled = outcome.as_ref().is_err_and(|error| error.code() == "cancelled");
        let id = live.job.borrow().id;
        if is_cancelled && !by_somebody && live.pausing.load(Relaxed) {
            self.paused(live).await;
            return;
        }
        if self.is_stopping() && is_cancelled && !by_somebody {
            self.live.lock().remove(&id);
            return;
        }
        let (state, result, error) = match outcome {
            Ok(result) => (JobState::Succeeded, result, None),
            Err(_) if is_cancelled => (JobState::Cancelled, serde_json::Value::Null, None),
            Err(error) => {
                let message = Text { en: with_sources(&error), ..error.text() };
                let error = JobError { code: error.code().to_owned(), message };
                tracing::warn!(job = %id, code = error.code, "job failed: {}", error.message.en);
                (JobState::Failed, serde_json::Value::Null, Some(error))
            }
        };
        self.end(live, state, result, error).await;
    }

    pub(super) async fn end(
        &self,
        live: &Live,
        state: JobState,
        result: serde_json::Value,
        error: Option<JobError>,
    ) {
        let now = self.records.clock().now_ms();
        let mut ended = live.job.borrow().clone();
        ended.state = state;
        ended.result = result;
        ended.error = error;
        ended.finished_at_ms = Some(now);
        let id = ended.id;
        match self.save_as(live, &ended, true).await {
            Ok(()) => self.work.ended(id, &live.request),
            // The next start takes it up again, with what it left.
            Err(error) => {
                tracing::error!(job = %id, "the end of a job could not be written down: {}", with_sources(&error));
            }
        }
        self.live.lock().remove(&id);
        live.job.send_replace(ended);
        self.prune_now_and_then().await;
    }

    /// Deletes old jobs whenever a tenth of what is kept has ended, so that a server that never stops keeps no more.
    async fn prune_now_and_then(&self) {
        let every = (self.config.jobs_kept_max / 10).max(1);
        if (self.ended.fetch_add(1, Relaxed) + 1).is_multiple_of(every)
            && let Err(error) = self.prune().await
        {
            tracing::warn!("old jobs were not deleted: {}", with_sources(&error));
        }
    }
}
