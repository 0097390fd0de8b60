//! A thread of the engine that works until it is told to stop.

use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::watch};

use crate::{Error, Result};

/// A thread that works until it is told to stop.
#[derive(Debug)]
pub(crate) struct Background {
    name: &'static str,
    stop: watch::Sender<bool>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Background {
    /// Starts the thread. The future that `work` makes ends soon after the value that it was given becomes true.
    pub(crate) fn start<F: Future<Output = ()>>(
        name: &'static str,
        work: impl FnOnce(watch::Receiver<bool>) -> F + Send + 'static,
    ) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let handle = Handle::current();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || handle.block_on(work(stopped)));
        let failed = |error: std::io::Error| Error::Internal {
            doing: "starting a thread of the engine",
            reason: format!("{name}: {error}"),
        };
        Ok(Self { name, stop, thread: Mutex::new(Some(thread.map_err(failed)?)) })
    }

    /// Tells the thread to stop and waits until it has.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        let Some(thread) = self.thread.lock().take() else { return };
        if !matches!(tokio::task::spawn_blocking(move || thread.join()).await, Ok(Ok(()))) {
            tracing::error!(thread = self.name, "a thread of the engine ended by a panic");
        }
    }
}
