//! The parts of a server in this process, on a temporary folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trellis_access::Access;
use trellis_columns::Columns;
use trellis_engine::Engine;
use trellis_model::{ObjectName, PluginId};
use trellis_plugin_host::{Compiler, PluginHost};
use trellis_records::{Caller, Records, SystemClock, SystemIds, TextSearch};
use trellis_search::Search;
use trellis_storage::{MemoryStore, Store};
use trellis_storage_sled::SledStore;

/// A server without its HTTP side.
pub(crate) struct Parts {
    pub folder: tempfile::TempDir,
    /// The store on disk; `None` where everything is in memory.
    pub store: Option<Arc<SledStore>>,
    pub records: Arc<Records>,
    pub columns: Arc<Columns>,
    pub engine: Arc<Engine>,
    pub access: Arc<Access>,
    pub search: Arc<Search>,
    pub token: String,
}

/// As a server has it, but for the free space that a machine for benchmarks may lack.
pub(crate) fn storage_config() -> trellis_storage_sled::Config {
    trellis_storage_sled::Config { free_bytes_min: 0, ..Default::default() }
}

/// A component that `cargo xtask plugins` built.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS")
        .map_or_else(|| PathBuf::from("target/plugins"), PathBuf::from);
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask bench`", path.display()))
}

/// What a job gave.
///
/// # Panics
/// When it failed.
pub(crate) async fn finish(engine: &Arc<Engine>, job: trellis_engine::Job) -> serde_json::Value {
    let job = engine.job_wait(job.id).await.expect("a job that was started");
    assert_eq!(format!("{:?}", job.state), "Succeeded", "{job:?}");
    job.result
}

fn rfm() -> PluginId {
    "retail-rfm".parse().expect("an id")
}

/// The host itself as caller.
pub(crate) fn caller() -> Caller {
    Caller::system("bench")
}

impl Parts {
    /// An empty server on disk.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store =
            SledStore::open(&folder.path().join("store"), storage_config()).expect("a new store").store;
        Self::over(folder, Arc::clone(&store) as _, Some(store)).await
    }

    /// An empty server whose records are in memory only.
    pub(crate) async fn in_memory() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::over(folder, Arc::new(MemoryStore::new()), None).await
    }

    async fn over(folder: tempfile::TempDir, kv: Arc<dyn Store>, store: Option<Arc<SledStore>>) -> Self {
        let dir = |name: &str| {
            let dir = folder.path().join(name);
            std::fs::create_dir_all(&dir).expect("a folder");
            dir
        };
        let records =
            Records::open(kv, Arc::new(SystemClock), Arc::new(SystemIds::default()), Default::default())
                .await
                .expect("records");
        let columns =
            Columns::open(Arc::clone(&records), dir("columns"), Default::default()).await.expect("columns");
        records.set_derived(Arc::clone(&columns) as _);
        let search = Search::start(&records, dir("search"), Default::default()).expect("full-text search");
        records.set_text_search(Arc::clone(&search) as _);
        records.set_formulas(Arc::new(trellis_engine::RuleFormulas::new(Default::default())));
        columns.catch_up().await.expect("roll-ups");
        let compiler = Compiler::InProcess;
        let host = PluginHost::new(trellis_plugin_host::Config { compiler, ..Default::default() })
            .expect("a plugin host");
        let engine = Engine::start(
            Arc::clone(&records),
            Arc::clone(&columns),
            host,
            dir("plugins"),
            Default::default(),
        );
        let engine = engine.await.expect("an engine");
        let opened = Access::open(Arc::clone(&records), folder.path(), Default::default()).await;
        let (access, first_start) = opened.expect("users and tokens");
        let token = first_start.expect("a new store").admin_token;
        Self { folder, store, records, columns, engine, access, search, token }
    }

    /// Waits until full-text search knows everything that was saved.
    pub(crate) async fn search_caught_up(&self) {
        let search: &dyn TextSearch = &*self.search;
        search.caught_up(self.records.log_head()).await.expect("full-text search follows");
    }

    /// Ends what works in the background, before the runtime does.
    pub(crate) async fn shutdown(&self) {
        self.engine.shutdown().await;
        self.search.shutdown().await;
    }

    /// Ends everything in order and opens the folder again; `None` where something still holds it.
    pub(crate) async fn reopen(self) -> Option<Duration> {
        self.shutdown().await;
        let Self { folder, store, records, columns, engine, access, search, .. } = self;
        columns.checkpoint().await.expect("a checkpoint");
        store?.close().expect("a store that closes");
        drop((records, columns, engine, access, search));
        for _ in 0..100 {
            let started = Instant::now();
            if let Ok(opened) = SledStore::open(&folder.path().join("store"), storage_config()) {
                let kv = opened.store as Arc<dyn Store>;
                let records = Records::open(
                    kv,
                    Arc::new(SystemClock),
                    Arc::new(SystemIds::default()),
                    Default::default(),
                );
                let records = records.await.expect("records");
                let columns = Columns::open(records, folder.path().join("columns"), Default::default()).await;
                columns.expect("columns").catch_up().await.expect("columns follow");
                return Some(started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// Imports a file of purchases as a server does: by a job.
    pub(crate) async fn import(&self, file: &Path) -> serde_json::Value {
        let mapping = Some(crate::population::MAPPING.to_owned());
        self.import_object("order", mapping, file).await
    }

    /// Imports a file of records of an object.
    pub(crate) async fn import_object(
        &self,
        object: &str,
        mapping: Option<String>,
        file: &Path,
    ) -> serde_json::Value {
        let object: ObjectName = object.parse().expect("a name");
        let spooled = self.engine.spool_path();
        std::fs::copy(file, &spooled).expect("a copy");
        let job = self.engine.import_start(&caller(), &object, mapping, spooled, "bench.csv").await;
        finish(&self.engine, job.expect("an import that starts")).await
    }

    /// Installs the RFM plugin, as of the end of the generated purchases.
    pub(crate) async fn install_rfm(&self) {
        self.engine.plugin_upload(&caller(), guest("retail-rfm")).await.expect("a plugin");
        self.engine
            .plugin_enable(&caller(), &rfm(), Default::default())
            .await
            .expect("a plugin that can be enabled");
    }

    /// Runs it.
    pub(crate) async fn run_rfm(&self) -> serde_json::Value {
        let job = self.engine.plugin_run(&caller(), &rfm(), Default::default()).await;
        finish(&self.engine, job.expect("a run that starts")).await
    }
}
