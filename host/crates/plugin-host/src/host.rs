//! The plugin host: loads components and keeps what all plugins share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::cache::{Cache, Cached};
use crate::compile::{CompileError, compile};
use crate::component::inspect_within;
use crate::engines::{Engines, Metering};
use crate::health::{Clock, HealthListener, Wards};
use crate::permits::Permits;
use crate::{
    Config, Digest, Error, Health, Inspection, LoggedLine, Plugin, PluginMetrics, PoisonRow, Quarantine,
    Result, Supervision,
};

/// Folder within the cache for code that counts what it uses.
const METERED_CACHE: &str = "metered";

/// Loads plugins. One for a process: it holds the memory pool, the permits and the cache.
#[derive(Debug)]
pub struct PluginHost {
    shared: Arc<Shared>,
    cache: Option<Cache>,
    /// One compilation at a time; a plugin that two callers install at once is compiled once.
    compiling: Mutex<()>,
    loaded: Mutex<HashMap<Digest, Weak<Plugin>>>,
    /// Made when something is metered for the first time.
    metered: Mutex<Option<Arc<Metered>>>,
}

/// Where plugins run whose use is counted.
#[derive(Debug)]
struct Metered {
    shared: Arc<Shared>,
    cache: Option<Cache>,
}

/// What plugins need of their host.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) engines: Engines,
    pub(crate) permits: Permits,
    pub(crate) wards: Wards,
    pub(crate) counters: Arc<Counters>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) faults: AtomicU64,
    compiled: AtomicU64,
    cache_hits: AtomicU64,
    cache_rejected: AtomicU64,
}

/// What happened since the host started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostStats {
    /// Whether instances use pooled memory.
    pub pooling: bool,
    /// Calls that run now.
    pub permits_in_use: usize,
    /// Calls that were begun, the trial at each load included.
    pub calls: u64,
    /// Calls that ended in a fault of the plugin.
    pub faults: u64,
    /// Components that were compiled.
    pub compiled: u64,
    /// Components that came from the cache.
    pub cache_hits: u64,
    /// Files of the cache that somebody had changed.
    pub cache_rejected: u64,
}

impl PluginHost {
    /// Sets up the sandbox.
    ///
    /// # Errors
    /// That this machine cannot run it, or that the cache folder cannot be used.
    pub fn new(config: Config) -> Result<Arc<Self>> {
        let engines = Engines::new(&config)?;
        let cache = cache_in(config.cache_dir.clone(), &engines, &config)?;
        let permits = Permits::new(config.permits);
        let wards = Wards::new(config.supervision);
        let shared = Arc::new(Shared { config, engines, permits, wards, counters: Arc::default() });
        let (compiling, loaded, metered) = (Mutex::new(()), Mutex::new(HashMap::new()), Mutex::new(None));
        Ok(Arc::new(Self { shared, cache, compiling, loaded, metered }))
    }

    /// Checks, compiles (unless it is cached), links and tries a component. A component that is loaded already is shared.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn load(&self, wasm: &[u8]) -> Result<Arc<Plugin>> {
        let inspection = inspect_within(wasm, self.shared.config.component_bytes_max)?;
        let digest = inspection.digest;
        if let Some(plugin) = self.find_loaded(&digest) {
            return Ok(plugin);
        }
        if let Some(code) = self.cached(self.cache.as_ref(), &digest) {
            return self.finish(inspection, &code);
        }
        let _one_at_a_time = self.compiling.lock();
        if let Some(plugin) = self.find_loaded(&digest) {
            return Ok(plugin);
        }
        let code = self.compile(&self.shared, Metering::Off, &inspection, wasm)?;
        let plugin = self.finish(inspection, &code)?;
        // Only what has proved to load is kept.
        keep(self.cache.as_ref(), &digest, &code);
        Ok(plugin)
    }

    /// Loads a component as [`PluginHost::load`] does, but for comparing and measuring: what its calls use is counted
    /// ([`CallStats::fuel`](crate::CallStats::fuel), [`Plugin::used`]), which makes them slower. Such calls run one at a time on a permit of their own, so that
    /// nobody who works waits for them. Each load gives a plugin of its own, whose figures nobody else adds to.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn load_metered(&self, wasm: &[u8]) -> Result<Arc<Plugin>> {
        let inspection = inspect_within(wasm, self.shared.config.component_bytes_max)?;
        let (digest, metered) = (inspection.digest, self.metered()?);
        let load = |inspection, code: &[u8]| Plugin::new(Arc::clone(&metered.shared), inspection, code);
        if let Some(code) = self.cached(metered.cache.as_ref(), &digest) {
            return load(inspection, &code).map(Arc::new);
        }
        let _one_at_a_time = self.compiling.lock();
        let code = self.compile(&metered.shared, Metering::On, &inspection, wasm)?;
        let plugin = load(inspection, &code)?;
        keep(metered.cache.as_ref(), &digest, &code);
        Ok(Arc::new(plugin))
    }

    fn metered(&self) -> Result<Arc<Metered>> {
        let mut metered = self.metered.lock();
        if let Some(metered) = &*metered {
            return Ok(Arc::clone(metered));
        }
        let engines = Engines::metered()?;
        let config = self.shared.config.clone();
        let dir = config.cache_dir.as_deref().map(|dir| dir.join(METERED_CACHE));
        let cache = cache_in(dir, &engines, &config)?;
        let counters = Arc::clone(&self.shared.counters);
        // What is tried out strikes nobody, and is not refused where the version in use is quarantined.
        let wards = Wards::new(Supervision { strikes_max: 0, ..config.supervision });
        let shared = Arc::new(Shared { config, engines, permits: Permits::new(1), wards, counters });
        Ok(Arc::clone(metered.insert(Arc::new(Metered { shared, cache }))))
    }

    /// What calls may use, by class.
    pub fn limits(&self) -> &crate::Limits {
        &self.shared.config.limits
    }

    /// What happened since the start.
    pub fn stats(&self) -> HostStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared.counters;
        HostStats {
            pooling: self.shared.engines.pooling,
            permits_in_use: self.shared.permits.in_use(),
            calls: count(&counters.calls),
            faults: count(&counters.faults),
            compiled: count(&counters.compiled),
            cache_hits: count(&counters.cache_hits),
            cache_rejected: count(&counters.cache_rejected),
        }
    }

    /// Sets where supervision has the time from and who hears of what it decides; the first call counts.
    pub fn supervise(&self, clock: Arc<dyn Clock>, listener: Arc<dyn HealthListener>) {
        self.shared.wards.supervise(clock, listener);
    }

    /// How a component stands that was loaded since the start, or is in quarantine.
    pub fn health(&self, digest: &Digest) -> Option<Health> {
        Some(self.shared.wards.find(digest)?.health())
    }

    /// What a component did since the start, if it was loaded.
    pub fn metrics(&self, digest: &Digest) -> Option<PluginMetrics> {
        Some(self.shared.wards.find(digest)?.metrics())
    }

    /// What every component did that was loaded since the start, by plugin and version.
    pub fn all_metrics(&self) -> Vec<PluginMetrics> {
        self.shared.wards.all().iter().map(|ward| ward.metrics()).collect()
    }

    /// What a component wrote last, the oldest line first.
    pub fn log_lines(&self, digest: &Digest) -> Vec<LoggedLine> {
        self.shared.wards.find(digest).map(|ward| ward.lines()).unwrap_or_default()
    }

    /// The poison rows of a component that were found last, the oldest first.
    pub fn poison_rows(&self, digest: &Digest) -> Vec<PoisonRow> {
        self.shared.wards.find(digest).map(|ward| ward.poison_rows()).unwrap_or_default()
    }

    /// Puts a component into quarantine as an earlier process left it.
    pub fn restore_quarantine(&self, quarantine: &Quarantine) {
        self.shared.wards.of(&quarantine.plugin, quarantine.digest).restore(quarantine);
    }

    /// Has a component called again, with no strikes. Says whether it was not called before.
    pub fn release(&self, digest: &Digest) -> bool {
        self.shared.wards.find(digest).is_some_and(|ward| ward.release())
    }

    /// Forgets what is known of a component that is not used any more. Its compiled code goes when room is needed for other.
    pub fn forget(&self, digest: &Digest) {
        self.shared.wards.forget(digest);
        if let Some(metered) = &*self.metered.lock() {
            metered.shared.wards.forget(digest);
        }
    }

    fn find_loaded(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        self.loaded.lock().get(digest)?.upgrade()
    }

    fn finish(&self, inspection: Inspection, code: &[u8]) -> Result<Arc<Plugin>> {
        let digest = inspection.digest;
        let plugin = Arc::new(Plugin::new(Arc::clone(&self.shared), inspection, code)?);
        let mut loaded = self.loaded.lock();
        loaded.retain(|_, plugin| plugin.strong_count() > 0);
        // Somebody else may have found the same code in the cache meanwhile.
        if let Some(plugin) = loaded.get(&digest).and_then(Weak::upgrade) {
            return Ok(plugin);
        }
        loaded.insert(digest, Arc::downgrade(&plugin));
        Ok(plugin)
    }

    fn cached(&self, cache: Option<&Cache>, digest: &Digest) -> Option<Vec<u8>> {
        let counters = &self.shared.counters;
        match cache?.get(digest) {
            Cached::Code(code) => {
                counters.cache_hits.fetch_add(1, Ordering::Relaxed);
                Some(code)
            }
            Cached::Rejected => {
                counters.cache_rejected.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%digest, "compiled plugin in the cache was changed; it is compiled again");
                None
            }
            Cached::Nothing => None,
        }
    }

    fn compile(
        &self,
        shared: &Shared,
        metering: Metering,
        inspection: &Inspection,
        wasm: &[u8],
    ) -> Result<Vec<u8>> {
        let (config, plugin) = (&shared.config, inspection.manifest.plugin_version());
        let code =
            compile(shared.engines.compiling(), config, metering, wasm).map_err(|error| match error {
                CompileError::Failed(reason) => Error::CompileFailed { plugin, reason },
                CompileError::Timeout => {
                    Error::CompileTimeout { plugin, timeout_ms: config.compile_timeout_ms }
                }
            })?;
        self.shared.counters.compiled.fetch_add(1, Ordering::Relaxed);
        Ok(code)
    }
}

fn cache_in(dir: Option<PathBuf>, engines: &Engines, config: &Config) -> Result<Option<Cache>> {
    dir.map(|dir| Cache::open(&dir, engines.compiling(), config.compiled_bytes_max)).transpose()
}

fn keep(cache: Option<&Cache>, digest: &Digest, code: &[u8]) {
    if let Some(cache) = cache
        && let Err(error) = cache.put(digest, code)
    {
        tracing::warn!(%error, %digest, "compiled plugin cannot be kept in the cache");
    }
}
