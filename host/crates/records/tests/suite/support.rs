//! What the tests of this crate share: a store in memory, a clock that ticks, short ways to write and ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value as Json, json};
use trellis_model::{Fields, Filter, ObjectName, Record, RecordId, Scope, Sort};
use trellis_records::{
    Caller, Clock, Config, Error, FieldChanges, Query, RecordPage, Records, SystemIds, Write,
};
use trellis_storage::MemoryStore;

/// A clock that moves by 10 ms whenever somebody looks.
#[derive(Debug)]
pub(crate) struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(10, Ordering::Relaxed)
    }
}

/// Records in memory, with a caller that may do everything.
pub(crate) struct World {
    pub(crate) records: Arc<Records>,
    pub(crate) caller: Caller,
}

pub(crate) fn name(name: &str) -> ObjectName {
    ObjectName::new(name).unwrap()
}

pub(crate) async fn open(store: Arc<MemoryStore>, config: Config) -> Arc<Records> {
    let clock = Arc::new(TickingClock(AtomicI64::new(1_700_000_000_000)));
    Records::open(store, clock, Arc::new(SystemIds::default()), config).await.unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::over(Arc::new(MemoryStore::new()), config).await
    }

    pub(crate) async fn over_any(store: Arc<dyn trellis_storage::Store>, config: Config) -> Self {
        let clock = Arc::new(TickingClock(AtomicI64::new(1_700_000_000_000)));
        let records = Records::open(store, clock, Arc::new(SystemIds::default()), config).await.unwrap();
        Self { records, caller: Caller::system("test") }
    }

    /// Sets the name of the machine with a serial number.
    pub(crate) async fn upsert_by_serial(&self, serial: &str) -> Result<(), Error> {
        let key_field = self.records.schema().object("machine").unwrap().field("serial").unwrap().id;
        let fields = self.fields("machine", json!({ "name": "found", "serial": serial }));
        let write = Write::Upsert { object: name("machine"), key_field, fields };
        self.records.write_batch(&self.caller, vec![write]).await?.remove(0).map(drop)
    }

    pub(crate) async fn over(store: Arc<MemoryStore>, config: Config) -> Self {
        Self { records: open(store, config).await, caller: Caller::system("test") }
    }

    /// Fields by name, as the API writes them; null is left out.
    pub(crate) fn fields(&self, object: &str, json: Json) -> Fields {
        let changes = self.changes(object, json);
        changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect()
    }

    pub(crate) fn changes(&self, object: &str, json: Json) -> FieldChanges {
        let schema = self.records.schema();
        let object = schema.object(object).unwrap();
        let change = |(name, value): (&String, &Json)| {
            let field = object.field(name).unwrap_or_else(|| panic!("no field {name}"));
            (field.id, field.field_type.parse_json(value).unwrap())
        };
        json.as_object().unwrap().iter().map(change).collect()
    }

    pub(crate) fn create_of(&self, object: &str, json: Json) -> Write {
        Write::Create { object: name(object), fields: self.fields(object, json), id: None }
    }

    pub(crate) fn upsert_of(&self, object: &str, json: Json) -> Write {
        let key_field = self.records.schema().object(object).unwrap().field("external_id").unwrap().id;
        Write::Upsert { object: name(object), key_field, fields: self.fields(object, json) }
    }

    pub(crate) async fn create(&self, object: &str, json: Json) -> Record {
        self.try_create(object, json).await.unwrap()
    }

    pub(crate) async fn try_create(&self, object: &str, json: Json) -> Result<Record, Error> {
        self.records.create(&self.caller, &name(object), self.fields(object, json)).await
    }

    pub(crate) async fn update(&self, object: &str, id: RecordId, json: Json) -> Result<Record, Error> {
        self.records.update(&self.caller, &name(object), id, self.changes(object, json), None).await
    }

    pub(crate) async fn delete(&self, object: &str, id: RecordId) {
        self.records.delete(&self.caller, &name(object), id, None).await.unwrap();
    }

    pub(crate) async fn get(&self, object: &str, id: RecordId) -> Option<Record> {
        self.records.get(&Scope::everything(), &name(object), id).await.unwrap()
    }

    pub(crate) fn query(&self, object: &str, filter: Json, sort: &str) -> Query {
        Query {
            filter: Filter::parse(&filter).unwrap(),
            sort: Sort::parse_list(sort).unwrap(),
            ..Query::new(name(object))
        }
    }

    pub(crate) async fn list(&self, object: &str, filter: Json, sort: &str) -> RecordPage {
        let query = Query { limit: 200, ..self.query(object, filter, sort) };
        self.records.list(&Scope::everything(), &query).await.unwrap()
    }

    /// A field of the records that a query finds, as JSON.
    pub(crate) async fn names(&self, object: &str, filter: Json, sort: &str) -> Vec<String> {
        let page = self.list(object, filter, sort).await;
        page.records.iter().map(|record| self.text(object, record, "name")).collect()
    }

    pub(crate) fn text(&self, object: &str, record: &Record, field: &str) -> String {
        let schema = self.records.schema();
        let id = schema.object(object).unwrap().field(field).unwrap().id;
        record.fields.get(&id).map(trellis_model::Value::canonical).unwrap_or_default()
    }

    pub(crate) async fn count(&self, object: &str, filter: Json) -> u64 {
        self.records
            .count(&Scope::everything(), &name(object), &Filter::parse(&filter).unwrap())
            .await
            .unwrap()
    }

    pub(crate) async fn order(&self, account: RecordId, day: &str, amount: &str, quantity: f64) -> Record {
        let order = json!({
            "account": account.to_string(), "ordered_on": day, "quantity": quantity,
            "amount": {"amount": amount, "currency": "USD"},
        });
        self.create("order", order).await
    }

    /// Fails with the differences where records, indexes and log do not agree.
    pub(crate) async fn expect_clean(&self) {
        let report = self.records.check().await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.differences);
    }
}
