//! All wards of a process, and who hears of what they decide.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::{Health, Supervision, Ward};
use crate::{Digest, PluginVersion};

/// Where supervision has the time from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// What somebody should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthChange {
    /// A version is not called any more.
    Quarantined(Quarantine),
    /// A version that was quarantined is called again, because it was tried and went well.
    Recovered(Health),
}

/// Why a version is not called any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// Which version.
    pub plugin: PluginVersion,
    /// Names its content.
    pub digest: Digest,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub since_ms: i64,
    /// When it is tried again; `None` until somebody releases it.
    pub until_ms: Option<i64>,
    /// How many strikes there were.
    pub strikes: u32,
    /// Where it failed last: `segmentation.assign`.
    pub function: String,
    /// What happened there.
    pub reason: String,
}

/// Who hears of changes. Called on the thread of the call that caused one: it must not block.
pub trait HealthListener: Send + Sync + std::fmt::Debug {
    /// Something changed.
    fn changed(&self, change: HealthChange);
}

/// All wards of a process.
#[derive(Debug)]
pub(crate) struct Wards {
    limits: Supervision,
    clock: OnceLock<Arc<dyn Clock>>,
    listener: OnceLock<Arc<dyn HealthListener>>,
    by_digest: Mutex<HashMap<Digest, Arc<Ward>>>,
}

impl Wards {
    pub(crate) fn new(limits: Supervision) -> Self {
        let (clock, listener) = (OnceLock::new(), OnceLock::new());
        Self { limits, clock, listener, by_digest: Mutex::default() }
    }

    pub(crate) fn limits(&self) -> &Supervision {
        &self.limits
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.get().map_or_else(|| SystemClock.now_ms(), |clock| clock.now_ms())
    }

    /// Sets where the time comes from and who hears of changes; the first call counts.
    pub(crate) fn supervise(&self, clock: Arc<dyn Clock>, listener: Arc<dyn HealthListener>) {
        let _ = (self.clock.set(clock), self.listener.set(listener));
    }

    pub(super) fn tell(&self, change: HealthChange) {
        if let Some(listener) = self.listener.get() {
            listener.changed(change);
        }
    }

    /// The ward of a component, made if it is not known yet.
    pub(crate) fn of(&self, plugin: &PluginVersion, digest: Digest) -> Arc<Ward> {
        let mut wards = self.by_digest.lock();
        Arc::clone(wards.entry(digest).or_insert_with(|| Arc::new(Ward::new(plugin.clone(), digest))))
    }

    pub(crate) fn find(&self, digest: &Digest) -> Option<Arc<Ward>> {
        self.by_digest.lock().get(digest).cloned()
    }

    /// Every ward, by plugin and version.
    pub(crate) fn all(&self) -> Vec<Arc<Ward>> {
        let mut wards: Vec<_> = self.by_digest.lock().values().cloned().collect();
        wards.sort_by(|a, b| {
            let key = |ward: &Ward| (ward.plugin().id.to_string(), ward.plugin().version.clone());
            key(a).cmp(&key(b))
        });
        wards
    }

    /// Forgets a component.
    pub(crate) fn forget(&self, digest: &Digest) {
        self.by_digest.lock().remove(digest);
    }
}
