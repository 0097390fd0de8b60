//! What the tests of this crate share.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use trellis_model::{ObjectName, Record, RecordId, Scope, Sort};
use trellis_records::{Caller, FieldChanges, Query, Records, SystemClock, SystemIds, TextSearch};
use trellis_search::{Config, Search};
use trellis_storage::MemoryStore;

/// Records in memory with their search.
pub(crate) struct World {
    pub(crate) records: Arc<Records>,
    pub(crate) search: Arc<Search>,
    pub(crate) caller: Caller,
    pub(crate) folder: TempDir,
}

pub(crate) fn name(name: &str) -> ObjectName {
    ObjectName::new(name).unwrap()
}

/// A config in which nothing is shown before somebody asks for it.
pub(crate) fn patient() -> Config {
    Config { commit_interval_ms: 3_600_000, ..Config::default() }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(patient()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let store = Arc::new(MemoryStore::new());
        let limits = trellis_records::Config::default();
        let records = Records::open(store, Arc::new(SystemClock), Arc::new(SystemIds::default()), limits)
            .await
            .unwrap();
        let folder = TempDir::new().unwrap();
        let search = start(&records, folder.path(), config);
        let world = Self { records, search, caller: Caller::system("test"), folder };
        world.caught_up().await;
        world
    }

    pub(crate) async fn caught_up(&self) {
        self.search.caught_up(self.records.log_head()).await.unwrap();
    }

    pub(crate) fn changes(&self, object: &str, json: &Json) -> FieldChanges {
        let schema = self.records.schema();
        let object = schema.object(object).unwrap();
        let change = |(name, value): (&String, &Json)| {
            let field = object.field(name).unwrap_or_else(|| panic!("no field {name}"));
            (field.id, field.field_type.parse_json(value).unwrap())
        };
        json.as_object().unwrap().iter().map(change).collect()
    }

    pub(crate) async fn create(&self, object: &str, json: Json) -> Record {
        let fields = self.changes(object, &json).into_iter().filter_map(|(id, value)| Some((id, value?)));
        self.records.create(&self.caller, &name(object), fields.collect()).await.unwrap()
    }

    pub(crate) async fn account(&self, title: &str) -> RecordId {
        self.create("account", json!({ "name": title })).await.id
    }

    pub(crate) async fn update(&self, object: &str, id: RecordId, json: Json) {
        self.records
            .update(&self.caller, &name(object), id, self.changes(object, &json), None)
            .await
            .unwrap();
    }

    pub(crate) async fn delete(&self, object: &str, id: RecordId) {
        self.records.delete(&self.caller, &name(object), id, None).await.unwrap();
    }

    pub(crate) async fn restore(&self, object: &str, id: RecordId) {
        self.records.restore(&self.caller, &name(object), id).await.unwrap();
    }

    /// The titles of what is found among all objects, the best first.
    pub(crate) async fn titles(&self, text: &str) -> Vec<String> {
        self.titles_for(&Scope::everything(), text).await
    }

    pub(crate) async fn titles_for(&self, scope: &Scope, text: &str) -> Vec<String> {
        let found = self.search.find(scope, &[], text, 50).await.unwrap();
        found.into_iter().map(|found| found.title.unwrap_or_default()).collect()
    }

    /// The names in a list of accounts.
    pub(crate) async fn listed(&self, scope: &Scope, text: &str, sort: &str) -> Vec<String> {
        let query = Query {
            text: Some(text.into()),
            sort: Sort::parse_list(sort).unwrap(),
            limit: 200,
            ..Query::new(name("account"))
        };
        let page = self.records.list(scope, &query).await.unwrap();
        page.records.iter().map(|record| self.text(record, "name")).collect()
    }

    pub(crate) fn text(&self, record: &Record, field: &str) -> String {
        let schema = self.records.schema();
        let id = schema.object_by_id(record.object).unwrap().field(field).unwrap().id;
        record.fields.get(&id).map(trellis_model::Value::canonical).unwrap_or_default()
    }
}

/// Starts the search of some records.
pub(crate) fn start(records: &Arc<Records>, folder: &Path, config: Config) -> Arc<Search> {
    let search = Search::start(records, folder.to_path_buf(), config).unwrap();
    records.set_text_search(Arc::clone(&search) as Arc<dyn TextSearch>);
    search
}
