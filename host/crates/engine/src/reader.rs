//! The reader that keeps columns and results up with the log.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::watch};

use crate::{Error, Result, core::Core, run};

/// How long the reader waits after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// A thread that follows the log.
#[derive(Debug)]
pub(crate) struct Reader {
    stop: watch::Sender<bool>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Reader {
    pub(crate) fn start(core: Arc<Core>) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let handle = Handle::current();
        let thread = std::thread::Builder::new().name("log-reader".to_owned());
        let thread = thread.spawn(move || handle.block_on(read(&core, stopped)));
        let failed = |error: std::io::Error| Error::Internal {
            doing: "starting the log reader",
            reason: error.to_string(),
        };
        Ok(Self { stop, thread: Mutex::new(Some(thread.map_err(failed)?)) })
    }

    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        let Some(thread) = self.thread.lock().take() else { return };
        if !matches!(tokio::task::spawn_blocking(move || thread.join()).await, Ok(Ok(()))) {
            tracing::error!("the log reader ended by a panic");
        }
    }
}

async fn read(core: &Core, mut stopped: watch::Receiver<bool>) {
    let mut log = core.records.log_watch();
    let mut followers = BTreeMap::new();
    let follow_every = Duration::from_millis(core.config.follow_interval_ms);
    let mut follow_at = Instant::now();
    let mut is_behind = true;
    loop {
        log.borrow_and_update();
        if let Err(error) = core.columns.catch_up().await {
            tracing::error!("columns cannot follow the log: {error}");
            follow_at = follow_at.max(Instant::now() + RETRY);
        }
        if is_behind && Instant::now() >= follow_at {
            run::follow_all(core, &mut followers).await;
            follow_at = Instant::now() + follow_every;
            is_behind = false;
        }
        tokio::select! {
            changed = log.changed() => {
                if changed.is_err() {
                    return;
                }
                is_behind = true;
            }
            () = tokio::time::sleep_until(follow_at.into()), if is_behind => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}
