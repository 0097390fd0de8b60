//! A server without HTTP and with a clock that stands still.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value as Json, json};
use trellis_columns::Columns;
use trellis_engine::{Config, Decision, DecisionQuery, Engine};
use trellis_model::{Cause, FieldName, Filter, ObjectName, Record, RecordId, Scope, Value};
use trellis_plugin_host::PluginHost;
use trellis_records::{Caller, Clock, EntryBody, LogEntry, Query, Records, SystemIds, Write};
use trellis_storage::MemoryStore;

use crate::store::StoppingStore;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    dir: tempfile::TempDir,
    inner: Arc<MemoryStore>,
    pub(crate) store: Arc<StoppingStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) records: Arc<Records>,
    pub(crate) columns: Arc<Columns>,
    pub(crate) engine: Arc<Engine>,
    config: Config,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        // 2026-11-21T12:00:00Z
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_262_400_000)));
        let config = Config { timer_clock_check_ms: 5, follow_interval_ms: 1, ..config };
        Self::open(tempfile::tempdir().unwrap(), Arc::default(), clock, config).await
    }

    async fn open(
        dir: tempfile::TempDir,
        inner: Arc<MemoryStore>,
        clock: Arc<TestClock>,
        config: Config,
    ) -> Self {
        let store = StoppingStore::over(Arc::clone(&inner));
        let of_records = trellis_records::Config {
            time_zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
            ..Default::default()
        };
        let ids = Arc::new(SystemIds::default());
        let records =
            Records::open(Arc::clone(&store) as _, Arc::clone(&clock) as _, ids, of_records).await.unwrap();
        let columns = Columns::open(Arc::clone(&records), dir.path().join("columns"), Default::default())
            .await
            .unwrap();
        records.set_derived(columns.clone());
        let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache"));
        let host = trellis_plugin_host::Config { permits: 2, cache_dir, ..Default::default() };
        let host = PluginHost::new(host).unwrap();
        let folder = dir.path().join("engine");
        let (of_engine, of_columns) = (Arc::clone(&records), Arc::clone(&columns));
        let engine = Engine::start(of_engine, of_columns, host, folder, config.clone()).await.unwrap();
        Self { dir, inner, store, clock, records, columns, engine, config }
    }

    /// The same data in another process.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(async |_| {}).await
    }

    /// As [`World::restart`], with something happening while no engine runs.
    pub(crate) async fn restart_after(self, meanwhile: impl AsyncFnOnce(&Self)) -> Self {
        self.engine.shutdown().await;
        meanwhile(&self).await;
        Self::open(self.dir, self.inner, self.clock, self.config).await
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Waits until everything that is in the log was reacted to, and what came of that.
    pub(crate) async fn settle(&self) {
        tokio::time::timeout(PATIENCE, self.engine.reactions_settled()).await.expect("reactions settle");
    }

    pub(crate) async fn create(&self, object: &str, fields: Json) -> Record {
        self.create_by(&Caller::system("test"), object, fields).await
    }

    pub(crate) async fn create_by(&self, caller: &Caller, object: &str, fields: Json) -> Record {
        let object = name(object);
        let changes = self.records.schema().fields(&object, named(fields)).unwrap();
        let fields = changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
        self.records.create(caller, &object, fields).await.unwrap()
    }

    /// As [`Self::create`], for what may be refused.
    pub(crate) async fn try_create(&self, object: &str, fields: Json) -> Result<Record, String> {
        let object = name(object);
        let changes = self.records.schema().fields(&object, named(fields)).unwrap();
        let fields = changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
        let caller = Caller::system("test");
        self.records.create(&caller, &object, fields).await.map_err(|error| error.to_string())
    }

    /// Creates an account that nobody reacts to, so that ordinals are reserved and the next one takes a single commit.
    pub(crate) async fn warm_up(&self) {
        let cause = Cause { automations_off: true, ..Cause::default() };
        let silent = Caller { cause, ..Caller::system("test") };
        self.create_by(&silent, "account", json!({ "name": "Silent" })).await;
        self.settle().await;
    }

    pub(crate) async fn accounts(&self, count: usize) {
        let object = name("account");
        for first in (0..count).step_by(200) {
            let create = |number| {
                let fields = named(json!({ "name": format!("Customer {number}") }));
                let changes = self.records.schema().fields(&object, fields).unwrap();
                let fields = changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
                Write::Create { object: object.clone(), fields, id: None }
            };
            let writes = (first..count.min(first + 200)).map(create).collect();
            let written = self.records.write_batch(&Caller::system("test"), writes).await.unwrap();
            assert!(written.iter().all(Result::is_ok));
        }
    }

    pub(crate) async fn update(&self, object: &str, id: RecordId, fields: Json) -> Record {
        let object = name(object);
        let changes = self.records.schema().fields(&object, named(fields)).unwrap();
        self.records.update(&Caller::system("test"), &object, id, changes, None).await.unwrap()
    }

    /// As [`Self::update`], for what may be refused.
    pub(crate) async fn try_update(
        &self,
        object: &str,
        id: RecordId,
        fields: Json,
    ) -> Result<Record, String> {
        let object = name(object);
        let changes = self.records.schema().fields(&object, named(fields)).unwrap();
        let updated = self.records.update(&Caller::system("test"), &object, id, changes, None).await;
        updated.map_err(|error| error.to_string())
    }

    /// Adds a rule that is switched on.
    pub(crate) async fn rule(&self, object: &str, trigger: &str, source: &str, more: Json) -> RecordId {
        let mut fields = json!({
            "name": format!("{trigger} of {object}"),
            "object": object,
            "trigger": trigger,
            "position": 1,
            "enabled": true,
            "source": source,
        });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.create("rule", fields).await.id
    }

    /// The fields of a record by name.
    pub(crate) async fn fields(&self, object: &str, id: RecordId) -> BTreeMap<String, Json> {
        let record = self.records.find(&Scope::everything(), &name(object), id).await.unwrap();
        self.by_name(&record)
    }

    pub(crate) fn by_name(&self, record: &Record) -> BTreeMap<String, Json> {
        let named = self.records.schema().named(record).unwrap();
        named.fields.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect()
    }

    /// All records of an object, in the order of their creation.
    pub(crate) async fn all(&self, object: &str) -> Vec<BTreeMap<String, Json>> {
        let query = Query { limit: 200, filter: Filter::And(Vec::new()), ..Query::new(name(object)) };
        let page = self.records.list(&Scope::everything(), &query).await.unwrap();
        page.records.iter().map(|record| self.by_name(record)).collect()
    }

    pub(crate) async fn all_ids(&self, object: &str) -> Vec<RecordId> {
        let query = Query { limit: 200, filter: Filter::And(Vec::new()), ..Query::new(name(object)) };
        let page = self.records.list(&Scope::everything(), &query).await.unwrap();
        page.records.iter().map(|record| record.id).collect()
    }

    /// The decisions about a record, the oldest first.
    pub(crate) async fn decisions(&self, object: &str, id: RecordId) -> Vec<Decision> {
        let query = DecisionQuery { object: Some(name(object)), record: Some(id), ..Default::default() };
        let mut decisions = self.engine.decisions(query, None, 200).await.unwrap().decisions;
        decisions.reverse();
        decisions
    }

    pub(crate) async fn log(&self) -> Vec<LogEntry> {
        let (mut log, mut after) = (Vec::new(), 0);
        loop {
            let entries = self.records.log_after(after, 500).await.unwrap();
            let Some(last) = entries.last() else { return log };
            after = last.number;
            log.extend(entries);
        }
    }

    pub(crate) async fn events(&self, wanted: &str) -> Vec<Json> {
        let data = |entry: LogEntry| match entry.body {
            EntryBody::Event { name, data } if name == wanted => Some(data),
            _ => None,
        };
        self.log().await.into_iter().filter_map(data).collect()
    }

    /// Waits until something is so.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, is_so: impl Fn() -> F) {
        let waited = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}");
    }
}

pub(crate) fn name(object: &str) -> ObjectName {
    ObjectName::new(object).unwrap()
}

/// Fields as JSON writes them; `Schema::fields` makes of them what each field is.
pub(crate) fn named(fields: Json) -> BTreeMap<FieldName, Option<Value>> {
    let value = |json: &Json| match json {
        Json::Null => None,
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Bool(flag) => Some(Value::Bool(*flag)),
        Json::Number(number) => Some(Value::Integer(number.as_i64().unwrap())),
        Json::Array(items) => {
            Some(Value::List(items.iter().map(|item| Value::Text(item.as_str().unwrap().into())).collect()))
        }
        Json::Object(_) => Some(Value::Json(json.clone())),
    };
    let field = |(name, json): (&String, &Json)| (FieldName::new(name).unwrap(), value(json));
    fields.as_object().unwrap().iter().map(field).collect()
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
