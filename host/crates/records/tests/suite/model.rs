//! Random saves beside a model that does everything the slow way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_records::{Error, Query, Write, Written};

use crate::support::{World, name};

#[derive(Debug, Clone)]
enum Step {
    Create(Option<u8>, u8, Option<u8>),
    Update(usize, Option<u8>, u8, Option<u8>),
    Delete(usize),
    Restore(usize),
    Batch(Vec<(u8, u8)>),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || prop::option::weighted(0.7, 0_u8..6);
    let city = || prop::option::weighted(0.7, 0_u8..3);
    prop_oneof![
        (key(), 0_u8..4, city()).prop_map(|(key, name, city)| Step::Create(key, name, city)),
        (any::<usize>(), key(), 0_u8..4, city())
            .prop_map(|(at, key, name, city)| Step::Update(at, key, name, city)),
        any::<usize>().prop_map(Step::Delete),
        any::<usize>().prop_map(Step::Restore),
        prop::collection::vec((0_u8..6, 0_u8..4), 1..6).prop_map(Step::Batch),
    ]
}

#[derive(Debug, Clone, PartialEq)]
struct Account {
    key: Option<u8>,
    name: u8,
    city: Option<u8>,
    deleted: bool,
}

impl Account {
    fn json(&self) -> Json {
        let text = |prefix: &str, number: Option<u8>| number.map(|number| format!("{prefix}{number}"));
        json!({"external_id": text("k", self.key), "name": format!("n{}", self.name), "country": text("c", self.city)})
    }
}

#[derive(Default)]
struct Model(BTreeMap<RecordId, Account>);

impl Model {
    fn holder(&self, key: Option<u8>) -> Option<RecordId> {
        let held =
            |(_, account): &(&RecordId, &Account)| !account.deleted && key.is_some() && account.key == key;
        self.0.iter().find(held).map(|(id, _)| *id)
    }

    fn pick(&self, at: usize) -> Option<RecordId> {
        self.0.keys().nth(at % self.0.len().max(1)).copied()
    }

    /// Live ids by a sort value, then id, both in one direction.
    fn sorted<K: Ord>(
        &self,
        keep: impl Fn(&Account) -> bool,
        value: impl Fn(&Account) -> K,
        descending: bool,
    ) -> Vec<RecordId> {
        let live = self.0.iter().filter(|(_, account)| !account.deleted && keep(account));
        let mut ids: Vec<(K, RecordId)> = live.map(|(id, account)| (value(account), *id)).collect();
        ids.sort();
        if descending {
            ids.reverse();
        }
        ids.into_iter().map(|(_, id)| id).collect()
    }
}

/// Makes a step in both; what must fail must fail alike.
async fn make(world: &World, model: &mut Model, step: Step) {
    let account = name("account");
    match step {
        Step::Create(key, name, city) => {
            let new = Account { key, name, city, deleted: false };
            match (model.holder(key), world.try_create("account", new.json()).await) {
                (None, Ok(record)) => drop(model.0.insert(record.id, new)),
                (Some(expected), Err(Error::Duplicate { holder, .. })) => assert_eq!(holder, expected),
                (holder, result) => panic!("{holder:?} {result:?}"),
            }
        }
        Step::Update(at, key, name, city) => {
            let Some(id) = model.pick(at) else { return };
            let new = Account { key, name, city, deleted: false };
            let taken = model.holder(key).is_some_and(|holder| holder != id);
            match (model.0[&id].deleted, taken, world.update("account", id, new.json()).await) {
                (true, _, Err(Error::NotFound { .. })) | (false, true, Err(Error::Duplicate { .. })) => {}
                (false, false, Ok(_)) => drop(model.0.insert(id, new)),
                (deleted, taken, result) => panic!("{deleted} {taken} {result:?}"),
            }
        }
        Step::Delete(at) => {
            let Some(id) = model.pick(at) else { return };
            let result = world.records.delete(&world.caller, &account, id, None).await;
            let entry = model.0.get_mut(&id).unwrap();
            assert_eq!(result.is_ok(), !entry.deleted);
            entry.deleted = true;
        }
        Step::Restore(at) => {
            let Some(id) = model.pick(at) else { return };
            let taken = model.0[&id].deleted && model.holder(model.0[&id].key).is_some();
            assert_eq!(world.records.restore(&world.caller, &account, id).await.is_ok(), !taken);
            model.0.get_mut(&id).unwrap().deleted &= taken;
        }
        Step::Batch(rows) => {
            let rows: Vec<Account> = rows
                .into_iter()
                .map(|(key, name)| Account { key: Some(key), name, city: None, deleted: false })
                .collect();
            let json =
                |row: &Account| json!({"external_id": row.json()["external_id"], "name": row.json()["name"]});
            let writes: Vec<Write> = rows.iter().map(|row| world.upsert_of("account", json(row))).collect();
            for (row, written) in
                rows.into_iter().zip(world.records.write_batch(&world.caller, writes).await.unwrap())
            {
                match (model.holder(row.key), written.unwrap()) {
                    (None, Written::Created(record)) => drop(model.0.insert(record.id, row)),
                    (Some(id), Written::Updated(record)) => {
                        assert_eq!(id, record.id);
                        assert_ne!(model.0[&id].name, row.name);
                        model.0.get_mut(&id).unwrap().name = row.name;
                    }
                    (Some(id), Written::Unchanged(_)) => assert_eq!(model.0[&id].name, row.name),
                    (holder, written) => panic!("{holder:?} {written:?}"),
                }
            }
        }
    }
}

async fn compare(world: &World, model: &Model) {
    let everything = json!({"and": []});
    let one = json!({"field": "country", "op": "eq", "value": "c1"});
    let other = json!({"field": "country", "op": "ne", "value": "c1"});
    let later = json!({"field": "name", "op": "gte", "value": "n2"});
    for descending in [false, true] {
        let minus = if descending { "-" } else { "" };
        let cases: [(&Json, &str, Vec<RecordId>); 6] = [
            (&everything, "", model.sorted(|_| true, |_| (), false)),
            (&everything, "name", model.sorted(|_| true, |account| account.name, descending)),
            (&everything, "country", model.sorted(|_| true, |account| account.city, descending)),
            (
                &one,
                "name",
                model.sorted(|account| account.city == Some(1), |account| account.name, descending),
            ),
            (
                &other,
                "country",
                model.sorted(
                    |account| account.city.is_some_and(|city| city != 1),
                    |account| account.city,
                    descending,
                ),
            ),
            (&later, "name", model.sorted(|account| account.name >= 2, |account| account.name, descending)),
        ];
        for (filter, sort, expected) in cases {
            let sort = if sort.is_empty() { String::new() } else { format!("{minus}{sort}") };
            assert_eq!(
                world.count("account", filter.clone()).await,
                expected.len() as u64,
                "count of {filter}"
            );
            let mut query = Query { limit: 3, ..world.query("account", filter.clone(), &sort) };
            let mut found = Vec::new();
            loop {
                let page = world.records.list(&world.caller.scope, &query).await.unwrap();
                found.extend(page.records.iter().map(|record| record.id));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{filter} {sort}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn random_saves_agree_with_the_model(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let mut model = Model::default();
            for step in steps {
                make(&world, &mut model, step).await;
            }
            compare(&world, &model).await;
            world.expect_clean().await;
        });
    }
}
