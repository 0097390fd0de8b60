//! A company for the figures of plugins at size: records, columns and engine over the memory store, without search and users, which
//! would take most of the time until it is there.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_columns::Columns;
use trellis_engine::{Engine, ModelChoice, RunRequest, UseSettings};
use trellis_model::{ObjectName, PluginId};
use trellis_plugin_host::{Compiler, PluginHost};
use trellis_records::{Records, SystemClock, SystemIds};
use trellis_storage::{MemoryStore, Store};

use crate::setup::{caller, finish, guest};

/// How many customers: those of the variable `TRELLIS_BENCH_CUSTOMERS`, a million where it is not set.
pub(crate) fn customers() -> u64 {
    let set = std::env::var("TRELLIS_BENCH_CUSTOMERS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

/// A company.
pub(crate) struct Company {
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    pub records: Arc<Records>,
    pub columns: Arc<Columns>,
    pub host: Arc<PluginHost>,
    pub engine: Arc<Engine>,
}

impl Company {
    pub(crate) async fn new() -> Self {
        Self::over(tempfile::tempdir().expect("a temporary folder"), Arc::new(MemoryStore::new())).await
    }

    async fn over(folder: tempfile::TempDir, store: Arc<dyn Store>) -> Self {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        let records =
            Records::open(Arc::clone(&store), clock, ids, Default::default()).await.expect("records");
        let dir = |name: &str| -> PathBuf {
            let dir = folder.path().join(name);
            std::fs::create_dir_all(&dir).expect("a folder");
            dir
        };
        let columns = Columns::open(Arc::clone(&records), dir("columns"), Default::default());
        let columns = columns.await.expect("columns");
        records.set_derived(Arc::clone(&columns) as _);
        let host = Self::host(dir("cache"));
        let engine = Engine::start(
            Arc::clone(&records),
            Arc::clone(&columns),
            Arc::clone(&host),
            dir("engine"),
            Default::default(),
        );
        let engine = engine.await.expect("an engine");
        Self { folder, store, records, columns, host, engine }
    }

    fn host(cache: PathBuf) -> Arc<PluginHost> {
        let (compiler, cache_dir) = (Compiler::InProcess, Some(cache));
        PluginHost::new(trellis_plugin_host::Config { compiler, cache_dir, ..Default::default() })
            .expect("a plugin host")
    }

    /// The same company in what would be another process, but for the code that is loaded: that comes from the cache again.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, store, records, columns, host, engine } = self;
        engine.shutdown().await;
        drop((records, columns, host, engine));
        Self::over(folder, store).await
    }

    /// Imports a purchase for each customer.
    pub(crate) async fn purchases(&self, customers: u64) {
        let file = self.engine.spool_path();
        crate::population::write(&file, customers, customers);
        let order: ObjectName = "order".parse().expect("a name");
        let mapping = Some(crate::population::MAPPING.to_owned());
        let job = self.engine.import_start(&caller(), &order, mapping, file, "bench.csv").await;
        finish(&self.engine, job.expect("an import that starts")).await;
        self.columns.catch_up().await.expect("features");
    }

    /// Installs and enables a copy of the plugin that weighs ten features.
    pub(crate) async fn enable_copy(&self, number: u32) -> PluginId {
        self.engine.plugin_upload(&caller(), copy(number)).await.expect("a plugin");
        let id: PluginId = copy_id(number).parse().expect("an id");
        let enabled = self.engine.plugin_enable(&caller(), &id, UseSettings::default()).await;
        enabled.expect("a plugin that can be enabled");
        id
    }

    pub(crate) async fn run(&self, id: &PluginId, model: ModelChoice) -> Json {
        let request = RunRequest { model, ..RunRequest::default() };
        let job = self.engine.plugin_run(&caller(), id, request).await.expect("a run that starts");
        finish(&self.engine, job).await
    }
}

/// The component under another id, which is as long, so that the length of its manifest stays.
pub(crate) fn copy(number: u32) -> Vec<u8> {
    let (mut bytes, from, to) =
        (guest("linear"), br#"id = "linear""#, format!(r#"id = "{}""#, copy_id(number)));
    assert_eq!(from.len(), to.len(), "a length within the file would be wrong");
    let place = bytes.windows(from.len()).position(|found| found == from).expect("a manifest with an id");
    bytes.get_mut(place..place + from.len()).expect("found there").copy_from_slice(to.as_bytes());
    bytes
}

pub(crate) fn copy_id(number: u32) -> String {
    format!("line{number:02}")
}
