//! Reading and loading all plugins at a start: on all cores, since each costs a read, a digest and the making of its code.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use trellis_plugin_host::{Inspection, Plugin, PluginHost};

use super::files::Files;

/// What became of a component.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    /// What it says about itself, or why it cannot be used.
    pub(super) inspection: Result<Arc<Inspection>, String>,
    /// Its code, where it was to be loaded and could be.
    pub(super) plugin: Option<Arc<Plugin>>,
}

/// Reads components by digest and loads those for which that is wanted.
pub(super) fn open_all(
    host: &PluginHost,
    files: &Files,
    wanted: &[([u8; 32], bool)],
) -> HashMap<[u8; 32], Opened> {
    let (next, opened) = (AtomicUsize::new(0), Mutex::new(HashMap::with_capacity(wanted.len())));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(wanted.len());
    let work = || {
        while let Some((digest, load)) = wanted.get(next.fetch_add(1, Relaxed)) {
            let one = open(host, files, digest, *load);
            opened.lock().insert(*digest, one);
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    opened.into_inner()
}

fn open(host: &PluginHost, files: &Files, digest: &[u8; 32], load: bool) -> Opened {
    let broken = |reason: String| Opened { inspection: Err(reason), plugin: None };
    let bytes = match files.read(digest) {
        Ok(bytes) => bytes,
        Err(unusable) => return broken(unusable.0),
    };
    if !load {
        let inspection = trellis_plugin_host::inspect(&bytes);
        let inspection = inspection.map(Arc::new).map_err(|error| error.to_string());
        return Opened { inspection, plugin: None };
    }
    match host.load(&bytes) {
        Ok(plugin) => Opened { inspection: Ok(Arc::new(plugin.inspection().clone())), plugin: Some(plugin) },
        Err(error) => broken(error.to_string()),
    }
}
