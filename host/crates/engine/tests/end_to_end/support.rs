//! A server without HTTP: everything that the engine stands on, in one folder and one memory store.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde_json::{Value as Json, json};
use trellis_columns::{AsOf, Columns};
use trellis_engine::{Config, Engine, Job, JobState, PluginInfo, RunRequest, UseSettings};
use trellis_model::{ObjectName, PluginId, Record, RecordId, Scope, Value};
use trellis_plugin_host::PluginHost;
use trellis_records::{Caller, Records, SystemClock, SystemIds};
use trellis_storage::{MemoryStore, Store};

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: trellis_plugin_host::Limits,
    pub(crate) config: Config,
    pub(crate) records: Arc<Records>,
    pub(crate) columns: Arc<Columns>,
    pub(crate) engine: Arc<Engine>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_limits(trellis_plugin_host::Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: trellis_plugin_host::Limits) -> Self {
        let config = Config { assign_parallel_max: 2, follow_interval_ms: 1, ..Config::default() };
        Self::with(limits, config).await
    }

    pub(crate) async fn with(limits: trellis_plugin_host::Limits, config: Config) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Self::open(tempfile::tempdir().unwrap(), store, limits, config).await
    }

    async fn open(
        dir: tempfile::TempDir,
        store: Arc<dyn Store>,
        limits: trellis_plugin_host::Limits,
        config: Config,
    ) -> Self {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        let records =
            Records::open(Arc::clone(&store), clock, ids, trellis_records::Config::default()).await.unwrap();
        let columns = dir.path().join("columns");
        let columns =
            Columns::open(Arc::clone(&records), columns, trellis_columns::Config::default()).await.unwrap();
        records.set_derived(columns.clone());
        let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache"));
        let supervision = trellis_plugin_host::Supervision {
            bisect_calls_max: 0,
            ..trellis_plugin_host::Supervision::off()
        };
        let host =
            trellis_plugin_host::Config { permits: 2, cache_dir, limits, supervision, ..Default::default() };
        let host = PluginHost::new(host).unwrap();
        let engine = dir.path().join("engine");
        let engine = Engine::start(Arc::clone(&records), Arc::clone(&columns), host, engine, config.clone())
            .await
            .unwrap();
        Self { dir, store, limits, config, records, columns, engine }
    }

    /// The same data in another process.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// As [`World::restart`], with something happening to the folder while the server is down.
    pub(crate) async fn restart_after(self, while_down: impl FnOnce(&std::path::Path)) -> Self {
        self.engine.shutdown().await;
        while_down(self.dir.path());
        Self::open(self.dir, self.store, self.limits, self.config).await
    }

    pub(crate) async fn install(&self, name: &str) -> PluginInfo {
        self.engine.plugin_upload(&caller(), built(name)).await.unwrap()
    }

    /// Installs and enables a plugin.
    pub(crate) async fn enable(&self, name: &str, config: Json, as_of: AsOf) -> PluginInfo {
        let id = self.install(name).await.id;
        let settings = UseSettings { config, as_of, ..UseSettings::default() };
        self.engine.plugin_enable(&caller(), &id, settings).await.unwrap()
    }

    pub(crate) async fn run(&self, plugin: &str, request: RunRequest) -> Job {
        let job = self.engine.plugin_run(&caller(), &plugin_id(plugin), request).await.unwrap();
        self.engine.job_wait(job.id).await.unwrap()
    }

    /// Runs a plugin and returns its result.
    pub(crate) async fn run_well(&self, plugin: &str, request: RunRequest) -> Json {
        let job = self.run(plugin, request).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        job.result
    }

    pub(crate) async fn import(
        &self,
        object: &str,
        mapping: Option<&str>,
        csv: &str,
    ) -> trellis_engine::Result<Job> {
        let file = self.engine.spool_path();
        std::fs::write(&file, csv).unwrap();
        let (object, mapping) = (ObjectName::new(object).unwrap(), mapping.map(str::to_owned));
        let job = self.engine.import_start(&caller(), &object, mapping, file, "data.csv").await?;
        self.engine.job_wait(job.id).await
    }

    pub(crate) async fn import_cdnow(&self) -> Job {
        let (mapping, csv) = (example("orders.toml"), example("cdnow_sample_transactions.csv"));
        let job = self.import("order", Some(&mapping), &csv).await.unwrap();
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        job
    }

    pub(crate) async fn account(&self, external_id: &str) -> Record {
        let account = ObjectName::new("account").unwrap();
        let field = trellis_model::FieldName::new("external_id").unwrap();
        let value = Value::Text(external_id.to_owned());
        self.records
            .find_by(&Scope::everything(), &account, &field, &value)
            .await
            .unwrap()
            .expect("the account is there")
    }

    pub(crate) async fn value(&self, segmentation: &str, external_id: &str) -> Option<String> {
        let ordinal = self.account(external_id).await.ordinal.unwrap();
        self.columns.value_of(&Scope::everything(), segmentation, ordinal)
    }

    /// How many customers have each value; values that nobody has are left out.
    pub(crate) fn counts(&self, segmentation: &str) -> BTreeMap<String, u64> {
        let info = self.columns.segmentation(segmentation).expect("the segmentation is there");
        let counts = info.counts.iter().filter(|count| count.count > 0);
        counts.map(|count| (count.value.clone(), count.count)).collect()
    }

    pub(crate) async fn events(&self, name: &str) -> Vec<Json> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let entries = self.records.log_after(after, 500).await.unwrap();
            let Some(last) = entries.last() else { return events };
            after = last.number;
            events.extend(entries.into_iter().filter_map(|entry| match entry.body {
                trellis_records::EntryBody::Event { name: found, data } if found == name => Some(data),
                _ => None,
            }));
        }
    }
}

pub(crate) fn caller() -> Caller {
    Caller::system("test")
}

pub(crate) fn plugin_id(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

pub(crate) fn unknown_id() -> RecordId {
    RecordId(uuid::Uuid::from_u128(1))
}

pub(crate) fn date(text: &str) -> AsOf {
    AsOf::Date(text.parse().unwrap())
}

/// The settings of the expected figures.
pub(crate) fn cdnow_settings() -> (Json, AsOf) {
    (json!({}), date("1997-09-30"))
}

pub(crate) fn example(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/cdnow")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A component that `cargo xtask plugins` built.
pub(crate) fn built(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display()))
}
