use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use trellis_model::{ObjectDefinition, ObjectName, Scope, bilingual};
use trellis_records::{Error as RecordsError, FoundRecord, Records, TextMatches, TextSearch};

use crate::build::{build, epoch};
use crate::find::Known;
use crate::folders::{self, Folders};
use crate::follow::{Command, Follower};
use crate::text::Query;
use crate::view::{Found, View, Within};
use crate::{Config, Error, Result};

/// Full-text search over all records.
#[derive(Debug)]
pub struct Search {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    known: ArcSwapOption<Known>,
}

/// What the follower of the log and its readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Records hold the search, so the search does not hold them.
    pub(crate) records: Weak<Records>,
    pub(crate) config: Config,
    pub(crate) folders: Folders,
    /// Whoever holds it is the only one to make or choose a generation.
    pub(crate) building: tokio::sync::Mutex<()>,
    view: ArcSwapOption<View>,
    /// Up to which log number everything can be found.
    shown: watch::Sender<u64>,
    stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn publish(&self, view: View, log: u64) {
        self.view.store(Some(Arc::new(view)));
        self.shown.send_replace(log);
    }

    /// Has nothing found until there is another index.
    pub(crate) fn withdraw(&self) {
        self.view.store(None);
    }

    /// Notes that everything up to a log number can be found.
    pub(crate) fn show(&self, log: u64) {
        self.shown.send_if_modified(|shown| std::mem::replace(shown, log) != log);
    }
}

impl Search {
    /// Opens the index in a folder and has a thread follow the log. Where there is none that fits the store, it is built first, and until
    /// then nothing is found. Call it within a runtime of tokio.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Index`].
    pub fn start(records: &Arc<Records>, folder: PathBuf, config: Config) -> Result<Arc<Self>> {
        let folders = Folders::new(folder)?;
        let generation = folders.open(&epoch(records), records.log_head(), &config)?;
        folders.keep_only(generation.as_ref().map(|generation| generation.folder()))?;
        let shared = Arc::new(Shared {
            records: Arc::downgrade(records),
            config,
            folders,
            building: tokio::sync::Mutex::default(),
            view: ArcSwapOption::empty(),
            shown: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
        });
        if let Some(generation) = &generation {
            shared.publish(generation.view()?, generation.commit.log);
        }
        let (commands, received) = mpsc::unbounded_channel();
        let follower = Follower::new(Arc::clone(&shared), received, records.log_watch(), generation);
        let handle = Handle::current();
        let thread = std::thread::Builder::new().name("search".into());
        let thread = thread.spawn(move || handle.block_on(follower.run())).map_err(|source| Error::Io {
            doing: "start a thread for",
            path: "search".into(),
            source,
        })?;
        Ok(Arc::new(Self {
            shared,
            commands,
            thread: Mutex::new(Some(thread)),
            known: ArcSwapOption::empty(),
        }))
    }

    /// Ends the thread after a last commit.
    pub async fn shutdown(&self) {
        self.stop();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the thread of full-text search has panicked");
            }
        }
    }

    fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        // It may have ended already.
        let _ended = self.commands.send(Command::Stop);
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn records(&self) -> Option<Arc<Records>> {
        self.shared.records.upgrade()
    }

    /// The index as of now with what is known about its objects.
    pub(crate) fn view(&self) -> Option<(Arc<View>, Arc<Known>)> {
        let (view, schema) = (self.shared.view.load_full()?, self.records()?.schema());
        if let Some(known) = self.known.load_full().filter(|known| known.is_of(&schema, &view)) {
            return Some((view, known));
        }
        let known = Arc::new(Known::new(schema, &view));
        self.known.store(Some(Arc::clone(&known)));
        Some((view, known))
    }

    /// Looks a query up in a view; where that is damaged, another one is made.
    pub(crate) fn look(
        &self,
        view: &View,
        query: &Query,
        within: &Within<'_>,
        found: &mut Found,
    ) -> Result<()> {
        let looked = view.find(query, within, found);
        if let Err(error) = &looked {
            tracing::error!(%error, "the index of full-text search cannot be read");
            // Nobody follows any more: the next start finds out for itself.
            let _ended = self.commands.send(Command::Discard(view.folder.clone()));
        }
        looked
    }

    fn query(&self, text: &str) -> Result<Query, RecordsError> {
        let max = self.config().query_chars_max;
        if text.chars().nth(max).is_some() {
            return Err(RecordsError::Query(bilingual!(
                "`q` has more than {max} characters",
                "`q` 超过 {max} 个字符"
            )));
        }
        Ok(Query::parse(text))
    }

    async fn wait_for(&self, log_number: u64) -> Result<(), RecordsError> {
        let mut shown = self.shared.shown.subscribe();
        while *shown.borrow_and_update() < log_number || self.shared.view.load().is_none() {
            let unavailable = |_| RecordsError::SearchUnavailable;
            self.commands.send(Command::Show).map_err(|_| RecordsError::SearchUnavailable)?;
            tokio::select! {
                changed = shown.changed() => changed.map_err(unavailable)?,
                () = self.commands.closed() => return Err(RecordsError::SearchUnavailable),
            }
        }
        Ok(())
    }

    async fn rebuild_with(&self, progress: &(dyn Fn(u64) -> bool + Sync)) -> Result<Option<u64>> {
        let records = self.records().ok_or(RecordsError::SearchUnavailable)?;
        let alone = self.shared.building.lock().await;
        let folder = self.shared.folders.next()?;
        let built = build(&records, &folder, self.config(), progress).await;
        let Ok(Some((generation, count))) = built else {
            folders::remove(&folder)?;
            return built.map(|_| None);
        };
        drop(alone);
        let (adopted, done) = oneshot::channel();
        let sent = self.commands.send(Command::Adopt(Box::new(generation), adopted));
        if sent.is_err() || done.await.is_err() {
            return Err(RecordsError::SearchUnavailable.into());
        }
        Ok(Some(count))
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.stop();
    }
}

impl TextSearch for Search {
    fn matching(
        &self,
        scope: &Scope,
        object: &ObjectDefinition,
        text: &str,
    ) -> Result<TextMatches, RecordsError> {
        let found = self.matching_of(scope, object, &self.query(text)?).map_err(failed)?;
        found.ok_or(RecordsError::SearchUnavailable)
    }

    fn find<'a>(
        &'a self,
        scope: &'a Scope,
        objects: &'a [ObjectName],
        text: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<FoundRecord>, RecordsError>> {
        Box::pin(async move {
            let query = self.query(text)?;
            let schema = self.records().ok_or(RecordsError::SearchUnavailable)?.schema();
            let named = |name: &ObjectName| {
                let object = schema.object(name.as_str()).cloned();
                object.ok_or_else(|| RecordsError::UnknownObject { name: name.to_string() })
            };
            let objects = if objects.is_empty() {
                schema.objects().cloned().collect()
            } else {
                objects.iter().map(named).collect::<Result<Vec<_>, _>>()?
            };
            let found = self.find_in(scope, &objects, &query, limit).await.map_err(failed)?;
            found.ok_or(RecordsError::SearchUnavailable)
        })
    }

    fn caught_up(&self, log_number: u64) -> BoxFuture<'_, Result<(), RecordsError>> {
        Box::pin(self.wait_for(log_number))
    }

    fn rebuild<'a>(
        &'a self,
        progress: &'a (dyn Fn(u64) -> bool + Sync),
    ) -> BoxFuture<'a, Result<Option<u64>, RecordsError>> {
        Box::pin(async move { self.rebuild_with(progress).await.map_err(failed) })
    }
}

/// What is wrong with the index is written down here; who asked learns that there is none now.
fn failed(error: Error) -> RecordsError {
    match error {
        Error::Records(error) => error,
        error => {
            tracing::error!(%error, "full-text search failed");
            RecordsError::SearchUnavailable
        }
    }
}
