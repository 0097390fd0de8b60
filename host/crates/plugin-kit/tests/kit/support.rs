//! Built components, and components with golden cases put in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value as Json, json};
use trellis_plugin_host::{Limits, Plugin, PluginHost};
use wasm_encoder::{ComponentSection, CustomSection};

/// The file of a component that `cargo xtask plugins` builds.
fn path(name: &str) -> PathBuf {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        PathBuf::from,
    );
    folder.join(format!("{name}.wasm"))
}

/// Reads a component that `cargo xtask plugins` built.
pub(crate) fn built(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display()))
}

/// Limits with time enough on a machine that is busy.
fn patient() -> Limits {
    let mut limits = Limits::default();
    for class in [&mut limits.record_hook, &mut limits.call, &mut limits.batch, &mut limits.training] {
        class.cpu_ms_max = 20_000;
    }
    limits
}

pub(crate) fn host() -> Arc<PluginHost> {
    static HOST: OnceLock<Arc<PluginHost>> = OnceLock::new();
    Arc::clone(HOST.get_or_init(|| trellis_plugin_kit::host(patient()).unwrap()))
}

/// A plugin in a language whose tools are not everywhere; `None` where it was not built.
pub(crate) fn plugin_if_built(name: &str) -> Option<Arc<Plugin>> {
    let Ok(wasm) = std::fs::read(path(name)) else {
        eprintln!("{name} was not built: the tools of its language are missing; skipped");
        return None;
    };
    Some(host().load(&wasm).unwrap())
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
