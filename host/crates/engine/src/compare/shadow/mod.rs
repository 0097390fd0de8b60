//! Shadows: a version that is evaluated beside the one in use, on the same inputs, and applied never.
//!
//! Whole runs are done again from their capsules after they ended; so nothing is missed by a restart. Single decisions go through a bounded
//! queue: who decides never waits, and what does not fit is dropped and counted. One thread does the work, one call at a time, on the
//! engine that counts fuel. What a shadow comes to is kept in files of its own, which nothing can be flipped to
//! (`host/docs/decisions/0023-shadows-are-capsules.md`).

mod api;
mod evaluate;
mod figures;
mod lost;
mod observed;
mod runs;
mod store;
mod worker;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::{Mutex, RwLock};
use semver::Version;
use serde_json::Value as Json;
use tokio::sync::{Notify, mpsc};
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::Plugin;

use figures::FiguresV1;
pub(crate) use observed::{Asked, Observed};
pub(crate) use store::listed;
pub(crate) use worker::start;

use crate::{plugins::Enabled, run::PerInterface};

/// How a shadow is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowRequest {
    /// The version.
    pub version: Version,
    /// Its configuration; that of the use where it is `None`.
    pub config: Option<Json>,
    /// What it is granted; what the use grants of what it asks for where it is `None`.
    pub grants: Option<Vec<String>>,
}

/// The shadows of a server.
#[derive(Debug)]
pub(crate) struct Shadows {
    active: RwLock<Arc<BTreeMap<PluginId, Arc<Shadow>>>>,
    queue: mpsc::Sender<Box<Waiting>>,
    /// Taken by the thread that does the work.
    waiting: Mutex<Option<mpsc::Receiver<Box<Waiting>>>>,
    /// Observed and not yet compared: how many, and about how many bytes they take.
    open: AtomicU64,
    bytes: AtomicU64,
    bytes_max: u64,
    /// Those that could not be loaded at the start, until the administrators are told.
    lost: Mutex<Vec<lost::Lost>>,
    wake: Notify,
    /// Held while shadows are started and stopped.
    changing: tokio::sync::Mutex<()>,
}

/// What was observed, and about how many bytes it takes.
#[derive(Debug)]
struct Waiting {
    observed: Observed,
    bytes: u64,
}

/// A version that is evaluated beside the one in use.
#[derive(Debug)]
pub(crate) struct Shadow {
    /// As it would be used; its calls are counted.
    candidate: Arc<Enabled>,
    settings: store::ShadowV1,
    figures: Mutex<FiguresV1>,
    dropped: AtomicU64,
    /// The version in use, loaded so that what it uses is counted.
    used: Mutex<Option<Arc<Plugin>>>,
    /// What the shadow learned in the last run.
    models: Mutex<Option<Arc<PerInterface<Vec<u8>>>>>,
}

impl Shadows {
    /// What waits at most: in number, and in bytes.
    pub(crate) fn new(queued_max: usize, bytes_max: u64) -> Self {
        let (queue, waiting) = mpsc::channel(queued_max.max(1));
        Self {
            active: RwLock::default(),
            queue,
            waiting: Mutex::new(Some(waiting)),
            open: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            bytes_max,
            lost: Mutex::default(),
            wake: Notify::new(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether a plugin has a shadow. Costs next to nothing.
    pub(crate) fn watches(&self, plugin: &PluginId) -> bool {
        self.active.read().contains_key(plugin)
    }

    /// Has the shadow of a plugin, if there is one, compared with what the plugin just answered. Never waits.
    pub(crate) fn offer(&self, plugin: &PluginId, observed: impl FnOnce() -> Observed) {
        let Some(shadow) = self.get(plugin) else { return };
        self.push(&shadow.dropped, observed());
    }

    fn push(&self, dropped: &AtomicU64, observed: Observed) {
        let bytes = observed.bytes();
        self.open.fetch_add(1, Relaxed);
        let fits = self.bytes.fetch_add(bytes, Relaxed) + bytes <= self.bytes_max;
        if !fits || self.queue.try_send(Box::new(Waiting { observed, bytes })).is_err() {
            self.done(bytes);
            dropped.fetch_add(1, Relaxed);
        }
    }

    /// Notes that something of this size does not wait any more.
    fn done(&self, bytes: u64) {
        self.open.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Whether a version of a plugin is evaluated as its shadow.
    pub(crate) fn evaluates(&self, plugin: &PluginId, version: &Version) -> bool {
        self.get(plugin).is_some_and(|shadow| shadow.settings.version == version.to_string())
    }

    /// Whether a shadow is the one of its plugin, and was not ended meanwhile.
    fn is_active(&self, shadow: &Arc<Shadow>) -> bool {
        self.get(&shadow.candidate.id).is_some_and(|active| Arc::ptr_eq(&active, shadow))
    }

    /// Has the thread look for runs that ended.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn get(&self, plugin: &PluginId) -> Option<Arc<Shadow>> {
        self.active.read().get(plugin).cloned()
    }

    fn all(&self) -> Vec<Arc<Shadow>> {
        self.active.read().values().cloned().collect()
    }

    fn put(&self, shadow: Shadow) {
        let mut active = self.active.write();
        let mut changed = BTreeMap::clone(&active);
        changed.insert(shadow.candidate.id.clone(), Arc::new(shadow));
        *active = Arc::new(changed);
    }

    fn remove(&self, plugin: &PluginId) -> Option<Arc<Shadow>> {
        let mut active = self.active.write();
        let mut changed = BTreeMap::clone(&active);
        let removed = changed.remove(plugin);
        *active = Arc::new(changed);
        removed
    }
}

impl Shadow {
    fn new(candidate: Enabled, settings: store::ShadowV1, figures: FiguresV1) -> Self {
        let dropped = AtomicU64::new(figures.dropped);
        Self {
            candidate: Arc::new(candidate),
            settings,
            figures: Mutex::new(figures),
            dropped,
            used: Mutex::default(),
            models: Mutex::default(),
        }
    }

    /// The figures as they are now.
    fn figures(&self) -> FiguresV1 {
        FiguresV1 { dropped: self.dropped.load(Relaxed), ..self.figures.lock().clone() }
    }

    /// The run that was compared last.
    fn last_run(&self) -> Option<RecordId> {
        self.figures.lock().last_run.map(super::id_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(rows: u64) -> Observed {
        let batch = trellis_model::Batch { ordinals: (0..rows).collect(), ..trellis_model::Batch::default() };
        Observed {
            plugin: PluginId::new("desk").unwrap(),
            asked: Asked::Rows { batch, results: Vec::new() },
            at: figures::tests::at(),
            answers: BTreeMap::new(),
        }
    }

    #[test]
    fn what_nobody_watches_is_not_looked_at() {
        let (shadows, plugin) = (Shadows::new(2, u64::MAX), PluginId::new("desk").unwrap());
        shadows.offer(&plugin, || unreachable!("it is not made"));
        assert_eq!(shadows.open.load(Relaxed), 0);
        assert!(!shadows.watches(&plugin));
    }

    #[test]
    fn what_does_not_fit_into_the_queue_in_number_or_bytes_is_counted_and_nobody_waits() {
        let dropped = AtomicU64::new(0);
        let push = |shadows: &Shadows, rows| shadows.push(&dropped, observed(rows));
        let shadows = Shadows::new(2, u64::MAX);
        (0..3).for_each(|_| push(&shadows, 1));
        assert_eq!((shadows.open.load(Relaxed), dropped.load(Relaxed)), (2, 1), "two fit");
        let one = observed(1_000).bytes();
        let shadows = Shadows::new(100, 2 * one);
        (0..3).for_each(|_| push(&shadows, 1_000));
        assert_eq!((shadows.open.load(Relaxed), dropped.load(Relaxed)), (2, 2), "two fit");
        assert_eq!(shadows.bytes.load(Relaxed), 2 * one);
        shadows.done(one);
        push(&shadows, 1_000);
        assert_eq!((shadows.open.load(Relaxed), dropped.load(Relaxed)), (2, 2), "there is room again");
    }
}
