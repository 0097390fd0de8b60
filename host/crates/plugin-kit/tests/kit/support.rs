//! Built components, and components with golden cases put in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value as Json, json};
use trellis_plugin_host::{Limits, Plugin, PluginHost};
use wasm_encoder::{ComponentSection, CustomSection};

/// Reads a component that `cargo xtask plugins` built.
pub(crate) fn built(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display()))
}

/// A host with time enough on a machine that is busy.
pub(crate) fn host() -> Arc<PluginHost> {
    static HOST: OnceLock<Arc<PluginHost>> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        let mut limits = Limits::default();
        for class in [&mut limits.record_hook, &mut limits.call, &mut limits.batch, &mut limits.training] {
            class.cpu_ms_max = 20_000;
        }
        trellis_plugin_kit::host(limits).unwrap()
    });
    Arc::clone(host)
}

pub(crate) fn with_section(mut component: Vec<u8>, section: &str, text: &str) -> Vec<u8> {
    let section = CustomSection { name: section.into(), data: text.as_bytes().into() };
    section.append_to_component(&mut component);
    component
}

/// A built plugin; compiled once for all tests of a process.
pub(crate) fn plugin(name: &str) -> Arc<Plugin> {
    static LOADED: Mutex<BTreeMap<String, Arc<Plugin>>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let plugin = loaded.entry(name.to_owned()).or_insert_with(|| host().load(&built(name)).unwrap());
    Arc::clone(plugin)
}

/// The text of the section with these cases, named 0, 1, 2…
pub(crate) fn section(cases: &[Json]) -> String {
    let named = |(name, case): (usize, &Json)| json!({ "name": name.to_string(), "case": case });
    json!({ "cases": cases.iter().enumerate().map(named).collect::<Vec<_>>() }).to_string()
}
