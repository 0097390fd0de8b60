//! The threads that do jobs. Each does one at a time and may block.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio::runtime::Handle;
use trellis_columns::GoOn;
use trellis_model::RecordId;
use trellis_plugin_host::CancelFlag;
use trellis_records::Caller;

use super::{
    Progress,
    stored::Request,
    table::{Live, Shared},
};
use crate::{Error, Result};

/// What the engine does for a job.
pub(crate) trait Work: Send + Sync + std::fmt::Debug {
    /// Does it. Blocks, looks at [`Running::check`] now and then, and may be called again for a job that was interrupted.
    fn run(&self, job: &Running<'_>) -> Result<serde_json::Value>;

    /// Whether a job that a stop of the server interrupted can be done again.
    fn can_resume(&self, request: &Request) -> bool;

    /// Whether a job can be stopped where it is and go on there later.
    fn can_pause(&self, request: &Request) -> bool {
        matches!(request, Request::Import { .. } | Request::ImportPrepared { rehearse: false, .. })
    }

    /// Cleans up after a job that has ended and will not be done again.
    fn ended(&self, id: RecordId, request: &Request);
}

/// A job in the hands of a thread.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    live: &'a Arc<Live>,
    handle: &'a Handle,
}

/// How far a job is and whether it should end, for whatever is read on its behalf.
#[derive(Debug, Clone)]
pub(crate) struct Watch(Arc<Live>);

impl Watch {
    /// As [`Running::progress`].
    pub(crate) fn progress(&self, done: u64, total: Option<u64>, unit: &str) {
        self.0.job.send_modify(|job| job.progress = Progress { done, total, unit: unit.to_owned() });
    }

    /// As [`Running::check`].
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.cancel.load(Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}

impl Running<'_> {
    pub(crate) fn id(&self) -> RecordId {
        self.live.job.borrow().id
    }

    /// Who asked for it, with the job as the cause of what is done.
    pub(crate) fn caller(&self) -> &Caller {
        &self.live.caller
    }

    pub(crate) fn request(&self) -> &Request {
        &self.live.request
    }

    /// Tells how far the job is. Costs next to nothing: it is written down by somebody else.
    pub(crate) fn progress(&self, done: u64, total: Option<u64>, unit: &str) {
        self.watch().progress(done, total, unit);
    }

    /// What stays with the job while others read for it.
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::clone(self.live))
    }

    /// # Errors
    /// [`Error::Cancelled`] once somebody wants the job to end.
    pub(crate) fn check(&self) -> Result<()> {
        if self.live.cancel.load(Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    pub(crate) fn cancel_flag(&self) -> &AtomicBool {
        &self.live.cancel
    }

    pub(crate) fn cancel_plugin(&self) -> &CancelFlag {
        &self.live.cancel_plugin
    }

    /// Lets what takes long go on for as long as nobody wants the job to end.
    pub(crate) fn go_on(&self) -> GoOn {
        let cancel = self.live.cancel_plugin.clone();
        GoOn::as_long_as(move || !cancel.is_cancelled())
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.handle
    }

    /// Waits for a future on this thread.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }
}

pub(super) fn start_threads(shared: &Arc<Shared>) -> Result<Vec<std::thread::JoinHandle<()>>> {
    (0..shared.config.jobs_parallel_max.max(1)).map(|number| start_thread(shared, number)).collect()
}

fn start_thread(shared: &Arc<Shared>, number: usize) -> Result<std::thread::JoinHandle<()>> {
    let (shared, handle) = (Arc::clone(shared), Handle::current());
    let thread = std::thread::Builder::new().name(format!("job-{number}"));
    let started = thread.spawn(move || {
        while let Some(live) = shared.next() {
            run_one(&shared, &live, &handle);
            shared.left(&live);
        }
    });
    started
        .map_err(|error| Error::Internal { doing: "starting a thread for jobs", reason: error.to_string() })
}

fn run_one(shared: &Shared, live: &Arc<Live>, handle: &Handle) {
    let outcome = handle.block_on(shared.begin(live)).and_then(|()| {
        let running = Running { live, handle };
        running.check()?;
        catch_unwind(AssertUnwindSafe(|| shared.work.run(&running)))
            .unwrap_or_else(|panic| Err(internal(&*panic)))
    });
    handle.block_on(shared.finish(live, outcome));
}

fn internal(panic: &(dyn std::any::Any + Send)) -> Error {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::Internal { doing: "doing a job", reason: text.unwrap_or("a panic without a message").to_owned() }
}
