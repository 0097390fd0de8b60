//! Everything that must agree at the end of a history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{Fields, ObjectId, RecordId, Scope};
use trellis_records::{Config, EntryBody, Query, Records, SystemClock, SystemIds};
use trellis_storage::{MemoryStore, ScanRange, Store, WriteSet};

use crate::model::{Model, OBJECTS};
use crate::steps::{COUNTRIES, STATUSES, WORDS, World};

pub(crate) async fn everything(world: &World, model: &Model) {
    world.settle().await;
    records(world, model).await;
    lists(world, model).await;
    roll_ups(world, model).await;
    search(world, model).await;
    let report = world.app.records.check().await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
    let state = alive(&world.app.records).await;
    assert_eq!(folded_log(world).await, state, "the log tells the same as the records");
    assert_eq!(alive(&*copy(world).await).await, state, "rows in another store tell the same");
}

async fn records(world: &World, model: &Model) {
    for (id, entry) in &model.records {
        let actual = world.state(model, entry.object, id).await;
        let mut expected = entry.state.clone();
        expected.merged_into = expected.merged_into.map(|into| model.target(&into));
        assert_eq!(actual, expected, "{} {id}", entry.object);
    }
}

async fn found(world: &World, object: &str, body: Json) -> BTreeSet<String> {
    let mut body = body;
    body["limit"] = json!(200);
    let page = world.admin.post(&format!("/api/v1/{object}s/search"), body).await.expect(200);
    assert_eq!(page["page"]["next"], Json::Null, "more than a page");
    page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn expected(model: &Model, object: &str, keep: impl Fn(&crate::model::Fields) -> bool) -> BTreeSet<String> {
    model.alive(object).into_iter().filter(|id| keep(&model.records[id].state.fields)).collect()
}

/// By an index, by a filter without one, by what a reference points at, and counted.
async fn lists(world: &World, model: &Model) {
    let eq = |field: &str, value: &Json| json!({ "filter": { "field": field, "op": "eq", "value": value } });
    for country in COUNTRIES.map(|country| json!(country)) {
        let accounts = expected(model, "account", |fields| fields["country"] == country);
        assert_eq!(found(world, "account", eq("country", &country)).await, accounts, "accounts in {country}");
        let cases = expected(model, "case", |fields| {
            let account = model.target(fields["account"].as_str().unwrap());
            model.records[&account].state.alive && accounts.contains(&account)
        });
        assert_eq!(
            found(world, "case", eq("account.country", &country)).await,
            cases,
            "cases of accounts in {country}"
        );
    }
    for status in STATUSES.map(|status| json!(status)) {
        let cases = expected(model, "case", |fields| fields["status"] == status);
        assert_eq!(found(world, "case", eq("status", &status)).await, cases, "cases that are {status}");
        let body = json!({ "filter": { "field": "status", "op": "eq", "value": status }, "aggregates": [{ "function": "count" }] });
        let counted = world.admin.post("/api/v1/cases/aggregate", body).await.expect(200);
        assert_eq!(counted["data"][0]["count"].as_u64().unwrap_or(0), cases.len() as u64, "{counted}");
    }
}

/// The cases of each account that are not resolved.
async fn roll_ups(world: &World, model: &Model) {
    world.app.columns.catch_up().await.unwrap();
    for id in model.alive("account") {
        let open = expected(model, "case", |fields| {
            fields["status"] != "resolved" && model.target(fields["account"].as_str().unwrap()) == id
        });
        let account = world.admin.get(&format!("/api/v1/accounts/{id}")).await.expect(200);
        assert_eq!(account["open_cases"], json!(open.len()), "{id}");
        let page = found(
            world,
            "account",
            json!({ "filter": { "field": "open_cases", "op": "eq", "value": open.len() } }),
        )
        .await;
        assert!(page.contains(&id), "{id} has {} open cases", open.len());
    }
}

async fn search(world: &World, model: &Model) {
    let search = world.app.records.text_search().unwrap();
    search.caught_up(world.app.records.log_head()).await.unwrap();
    for (object, field) in [("account", "name"), ("case", "subject")] {
        for word in WORDS {
            let has = |fields: &crate::model::Fields| fields[field].as_str().unwrap().starts_with(word);
            assert_eq!(
                found(world, object, json!({ "q": word })).await,
                expected(model, object, has),
                "{object} {word}"
            );
        }
    }
}

/// What is there and alive, without what is computed.
async fn alive(records: &Records) -> BTreeMap<(ObjectId, RecordId), Fields> {
    let (schema, mut all) = (records.schema(), BTreeMap::new());
    for name in OBJECTS {
        let name: trellis_model::ObjectName = name.parse().unwrap();
        let mut query = Query { limit: 100, ..Query::new(name) };
        loop {
            let page = records.list(&Scope::everything(), &query).await.unwrap();
            for mut record in page.records {
                let object = schema.object_by_id(record.object).unwrap();
                record.fields.retain(|field, _| object.field_by_id(*field).unwrap().computed.is_none());
                all.insert((record.object, record.id), record.fields);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    all
}

/// Every change from the first on, one after the other.
async fn folded_log(world: &World) -> BTreeMap<(ObjectId, RecordId), Fields> {
    let records = &world.app.records;
    let schema = records.schema();
    let objects: BTreeSet<ObjectId> = OBJECTS.iter().map(|name| schema.object(name).unwrap().id).collect();
    let (mut all, mut dead) = (BTreeMap::<_, Fields>::new(), BTreeSet::new());
    let mut number = 0;
    loop {
        let entries = records.log_after(number, 100).await.unwrap();
        let Some(last) = entries.last() else { break };
        number = last.number;
        for entry in entries {
            let EntryBody::Changes(changes) = entry.body else { continue };
            for change in changes.into_iter().filter(|change| objects.contains(&change.object)) {
                let key = (change.object, change.id);
                let state = all.entry(key).or_default();
                if ["deleted", "merged"].contains(&change.kind.as_str()) {
                    dead.insert(key);
                    continue;
                }
                dead.remove(&key);
                for (field, change) in change.fields.expect("no payload has expired") {
                    match change.after {
                        Some(value) => state.insert(field, value),
                        None => state.remove(&field),
                    };
                }
            }
        }
    }
    all.retain(|key, _| !dead.contains(key));
    all
}

/// All rows in a store of their own.
async fn copy(world: &World) -> Arc<Records> {
    let store = Arc::new(MemoryStore::new());
    let mut range = ScanRange { start: Vec::new(), end: None, reverse: false };
    loop {
        let page = world.app.store.scan(range.clone(), 200).await.unwrap();
        let mut set = WriteSet::new();
        for row in &page.rows {
            set.put(row.key.to_vec(), row.value.to_vec());
        }
        store.commit(set).await.unwrap();
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => break,
        }
    }
    Records::open(store, Arc::new(SystemClock), Arc::new(SystemIds::default()), Config::default())
        .await
        .unwrap()
}
