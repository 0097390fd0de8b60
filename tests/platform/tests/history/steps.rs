//! What may happen, done to the server and to the model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::{Client, TestApp};

use crate::model::{Done, Model, State};

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Some accounts and cases, in one batch each.
    Create {
        accounts: u8,
        cases: u8,
        seed: u8,
    },
    /// Fields of some accounts.
    Accounts {
        from: usize,
        count: u8,
        country: u8,
    },
    /// Fields of some cases.
    Cases {
        from: usize,
        count: u8,
        status: u8,
        account: usize,
    },
    Delete {
        object: bool,
        at: usize,
    },
    Restore {
        object: bool,
        at: usize,
    },
    Merge {
        winner: usize,
        loser: usize,
    },
    Undo {
        job: usize,
    },
    Bulk {
        from: u8,
        to: u8,
    },
    /// A new field, with an index or not.
    Schema {
        indexed: bool,
    },
}

pub(crate) const COUNTRIES: [&str; 3] = ["DE", "FR", "CN"];
pub(crate) const STATUSES: [&str; 3] = ["new", "open", "resolved"];
pub(crate) const WORDS: [&str; 4] = ["mill", "harbour", "公海", "客户"];

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let at = any::<usize>;
    prop_oneof![
        4 => (1_u8..4, 0_u8..4, any::<u8>()).prop_map(|(accounts, cases, seed)| Step::Create { accounts, cases, seed }),
        3 => (at(), 1_u8..4, 0_u8..3).prop_map(|(from, count, country)| Step::Accounts { from, count, country }),
        3 => (at(), 1_u8..4, 0_u8..3, at()).prop_map(|(from, count, status, account)| Step::Cases { from, count, status, account }),
        2 => (any::<bool>(), at()).prop_map(|(object, at)| Step::Delete { object, at }),
        2 => (any::<bool>(), at()).prop_map(|(object, at)| Step::Restore { object, at }),
        2 => (at(), at()).prop_map(|(winner, loser)| Step::Merge { winner, loser }),
        3 => at().prop_map(|job| Step::Undo { job }),
        1 => (0_u8..3, 0_u8..3).prop_map(|(from, to)| Step::Bulk { from, to }),
        1 => any::<bool>().prop_map(|indexed| Step::Schema { indexed }),
    ]
}

pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) admin: Client,
    made: u32,
    fields: u32,
}

fn pick<T: Clone>(from: &[T], at: usize) -> Option<T> {
    if from.is_empty() { None } else { from.get(at % from.len()).cloned() }
}

fn take<T: Clone>(from: &[T], at: usize, count: u8) -> Vec<T> {
    (0..usize::from(count).min(from.len())).filter_map(|n| pick(from, at.wrapping_add(n))).collect()
}

impl World {
    pub(crate) async fn new() -> Self {
        let app = TestApp::new().await;
        app.start_search().await;
        let admin = app.admin();
        Self { app, admin, made: 0, fields: 0 }
    }

    pub(crate) async fn make(&mut self, model: &mut Model, step: &Step) {
        match step {
            Step::Create { accounts, cases, seed } => self.create(model, *accounts, *cases, *seed).await,
            Step::Accounts { from, count, country } => {
                let change = BTreeMap::from([("country", json!(COUNTRIES[usize::from(*country)]))]);
                let ids = take(&model.alive("account"), *from, *count);
                self.update(model, "account", ids, change).await;
            }
            Step::Cases { from, count, status, account } => {
                let Some(account) = pick(&model.alive("account"), *account) else { return };
                let change = BTreeMap::from([
                    ("status", json!(STATUSES[usize::from(*status)])),
                    ("account", json!(account)),
                ]);
                let ids = take(&model.alive("case"), *from, *count);
                self.update(model, "case", ids, change).await;
            }
            Step::Delete { object, at } => self.delete(model, object_of(*object), *at).await,
            Step::Restore { object, at } => self.restore(model, object_of(*object), *at).await,
            Step::Merge { winner, loser } => self.merge(model, *winner, *loser).await,
            Step::Undo { job } => self.undo(model, *job).await,
            Step::Bulk { from, to } => self.bulk(model, usize::from(*from), usize::from(*to)).await,
            Step::Schema { indexed } => self.shape(*indexed).await,
        }
    }

    async fn batch(&self, object: &str, operations: Vec<Json>) -> Json {
        let path = format!("/api/v1/{object}s/batch");
        self.admin.post(&path, json!({ "operations": operations })).await.expect(200)
    }

    /// Waits until every job has ended: indexes are built by jobs.
    pub(crate) async fn settle(&self) {
        for job in self.app.engine.jobs(None, 200).await.unwrap().jobs {
            self.app.engine.job_wait(job.id).await.unwrap();
        }
    }

    pub(crate) async fn finish(&self, job: Json) -> Json {
        let id = RecordId::parse(job["id"].as_str().unwrap()).unwrap();
        let ended = self.app.engine.job_wait(id).await.unwrap();
        assert_eq!(format!("{:?}", ended.state), "Succeeded", "{ended:?}");
        self.admin.get(&format!("/api/v1/jobs/{id}")).await.expect(200)
    }

    async fn create(&mut self, model: &mut Model, accounts: u8, cases: u8, seed: u8) {
        let mut new = Vec::new();
        for n in 0..accounts {
            self.made += 1;
            let word = WORDS[usize::from(seed.wrapping_add(n)) % WORDS.len()];
            new.push(BTreeMap::from([
                ("name", json!(format!("{word} {}", self.made))),
                ("country", json!(COUNTRIES[usize::from(seed.wrapping_mul(n + 1)) % 3])),
                ("external_id", json!(format!("e{}", self.made))),
            ]));
        }
        self.create_all(model, "account", new).await;
        let owners = model.alive("account");
        let mut new = Vec::new();
        for n in 0..cases {
            self.made += 1;
            let owner = pick(&owners, usize::from(seed) + usize::from(n)).unwrap();
            let word = WORDS[usize::from(seed.wrapping_add(n)) % WORDS.len()];
            new.push(BTreeMap::from([
                ("subject", json!(format!("{word} {}", self.made))),
                ("status", json!(STATUSES[usize::from(n) % 2])),
                ("account", json!(owner)),
            ]));
        }
        self.create_all(model, "case", new).await;
    }

    async fn create_all(
        &self,
        model: &mut Model,
        object: &'static str,
        new: Vec<BTreeMap<&'static str, Json>>,
    ) {
        if new.is_empty() {
            return;
        }
        let operations = new.iter().map(|fields| json!({ "op": "create", "data": fields })).collect();
        let answer = self.batch(object, operations).await;
        assert_eq!(answer["refused"], 0, "{answer}");
        let mut done = Done::new();
        for (place, fields) in new.into_iter().enumerate() {
            let id = answer["data"][place]["id"].as_str().unwrap().to_owned();
            model.put(&mut done, &id, object, State { fields, alive: true, merged_into: None });
        }
        model.jobs.push((answer["job"].as_str().unwrap().to_owned(), done));
    }

    async fn update(
        &self,
        model: &mut Model,
        object: &'static str,
        ids: Vec<String>,
        change: BTreeMap<&'static str, Json>,
    ) {
        if ids.is_empty() {
            return;
        }
        let operations = ids.iter().map(|id| json!({ "op": "update", "id": id, "data": change })).collect();
        let answer = self.batch(object, operations).await;
        assert_eq!(answer["refused"], 0, "{answer}");
        let mut done = Done::new();
        for id in ids {
            let mut state = model.records[&id].state.clone();
            state.fields.extend(change.clone());
            model.put(&mut done, &id, object, state);
        }
        model.jobs.push((answer["job"].as_str().unwrap().to_owned(), done));
    }

    async fn delete(&self, model: &mut Model, object: &'static str, at: usize) {
        let Some(id) = pick(&model.alive(object), at) else { return };
        let answer = self.batch(object, vec![json!({ "op": "delete", "id": id })]).await;
        assert_eq!(answer["data"][0]["status"], 204, "{answer}");
        let mut done = Done::new();
        let state = State { alive: false, ..model.records[&id].state.clone() };
        model.put(&mut done, &id, object, state);
        model.jobs.push((answer["job"].as_str().unwrap().to_owned(), done));
    }

    async fn restore(&self, model: &mut Model, object: &'static str, at: usize) {
        let dead: Vec<String> =
            model.ids(object).into_iter().filter(|id| !model.records[id].state.alive).collect();
        let Some(id) = pick(&dead, at) else { return };
        let answer = self.batch(object, vec![json!({ "op": "restore", "id": id })]).await;
        let mut done = Done::new();
        if answer["data"][0]["status"] == 200 {
            let mut state = State { alive: true, merged_into: None, ..model.records[&id].state.clone() };
            // What it refers to may have become part of another record meanwhile.
            if let Some(account) = state.fields.get("account").and_then(Json::as_str).map(str::to_owned) {
                state.fields.insert("account", json!(model.target(&account)));
            }
            model.put(&mut done, &id, object, state);
        } else {
            // A case whose account is not there any more cannot come back.
            let account =
                model.records[&id].state.fields.get("account").and_then(Json::as_str).map(str::to_owned);
            let account = account.expect("only a case may be refused");
            assert!(!model.records[&model.target(&account)].state.alive, "{answer}");
        }
        model.jobs.push((answer["job"].as_str().unwrap().to_owned(), done));
    }

    async fn merge(&self, model: &mut Model, winner: usize, loser: usize) {
        let accounts = model.alive("account");
        let (Some(winner), Some(loser)) = (pick(&accounts, winner), pick(&accounts, loser)) else { return };
        if winner == loser {
            return;
        }
        let body = json!({ "winner": winner, "losers": [loser] });
        let job = self.finish(self.admin.post("/api/v1/accounts/merge", body).await.expect(202)).await;
        let mut done = Done::new();
        let state =
            State { alive: false, merged_into: Some(winner.clone()), ..model.records[&loser].state.clone() };
        model.put(&mut done, &loser, "account", state);
        for id in model.alive("case") {
            let mut state = model.records[&id].state.clone();
            if state.fields["account"] == json!(loser) {
                state.fields.insert("account", json!(winner));
                model.put(&mut done, &id, "case", state);
            }
        }
        model.jobs.push((job["id"].as_str().unwrap().to_owned(), done));
    }

    async fn bulk(&self, model: &mut Model, from: usize, to: usize) {
        let filter = json!({ "field": "country", "op": "eq", "value": COUNTRIES[from] });
        let body = json!({ "filter": filter, "set": { "country": COUNTRIES[to] } });
        let job = self.finish(self.admin.post("/api/v1/accounts/bulk", body).await.expect(202)).await;
        let mut done = Done::new();
        for id in model.alive("account") {
            let mut state = model.records[&id].state.clone();
            if state.fields["country"] == json!(COUNTRIES[from]) {
                state.fields.insert("country", json!(COUNTRIES[to]));
                model.put(&mut done, &id, "account", state);
            }
        }
        model.jobs.push((job["id"].as_str().unwrap().to_owned(), done));
    }

    /// Where nobody touched a record since, it must be as it was before the job. Elsewhere each field must be either as it is or as it
    /// was, and the model takes over which.
    async fn undo(&self, model: &mut Model, job: usize) {
        if model.jobs.is_empty() {
            return;
        }
        let place = job % model.jobs.len();
        let (id, target) = model.jobs[place].clone();
        let body = json!({ "target": { "job": id } });
        let answer = self.admin.post("/api/v1/undo", body).await;
        if target.is_empty() && answer.status != 202 {
            return;
        }
        let undone = self.finish(answer.expect(202)).await;
        let touched: Vec<String> = model.touched_after(place).into_iter().cloned().collect();
        let mut done = Done::new();
        for (id, (before, after)) in &target {
            let (object, now) = (model.records[id].object, model.records[id].state.clone());
            let actual = self.state(model, object, id).await;
            let mut wanted = before.clone().unwrap_or_else(|| State { alive: false, ..after.clone() });
            // Undoing the restoration of a merged record deletes it again; its address leads nowhere then.
            wanted.merged_into = None;
            let untouched = !touched.contains(id);
            let blocked = wanted.alive
                && wanted.fields.get("account").and_then(Json::as_str).is_some_and(|account| {
                    target.contains_key(account) || !model.records[account].state.alive
                });
            let leads_nowhere = |state: &State| {
                state.merged_into.as_ref().is_some_and(|into| !model.records[&model.target(into)].state.alive)
            };
            let merged = leads_nowhere(&now);
            if untouched && !blocked && !merged {
                assert_eq!(actual, wanted, "undoing {id} of {target:?}: {undone}");
            } else {
                for (name, value) in &actual.fields {
                    let states = [now.fields.get(name), wanted.fields.get(name)].into_iter().flatten();
                    let merged = |value: &Json| json!(value.as_str().map(|id| model.target(id)));
                    let allowed: Vec<Json> =
                        states.flat_map(|value| [value.clone(), merged(value)]).collect();
                    assert!(allowed.contains(value), "{name} of {id}: {value}, {allowed:?}: {undone}");
                }
                assert!(actual.alive == now.alive || actual.alive == wanted.alive, "{id}: {undone}");
            }
            model.put(&mut done, id, object, actual);
        }
        model.jobs.push((undone["id"].as_str().unwrap().to_owned(), done));
    }

    /// A record as the server has it, in the fields that the model knows.
    pub(crate) async fn state(&self, model: &Model, object: &'static str, id: &str) -> State {
        let answer = self.admin.get(&format!("/api/v1/{object}s/{id}")).await;
        let known = &model.records[id].state;
        match answer.status {
            200 => {
                let record = answer.json();
                let fields = known.fields.keys().map(|name| (*name, record[*name].clone())).collect();
                State { fields, alive: true, merged_into: None }
            }
            301 => {
                let into = answer.json()["merged_into"].as_str().unwrap().to_owned();
                State { alive: false, merged_into: Some(into), ..known.clone() }
            }
            // What became part of a record that is deleted leads nowhere.
            404 => {
                let into = known.merged_into.as_ref().map(|into| model.target(into));
                let into = into.filter(|into| !model.records[into].state.alive);
                State { alive: false, merged_into: into, ..known.clone() }
            }
            other => panic!("{other} for {object} {id}"),
        }
    }

    async fn shape(&mut self, indexed: bool) {
        self.fields += 1;
        let name = format!("extra_{}", self.fields);
        let field = json!({
            "name": name, "label": { "en": name, "zh-CN": "附加字段" }, "type": "text", "characters_max": 40, "indexed": indexed,
        });
        let answer = self.admin.post("/api/v1/metadata/objects/account/fields", field).await;
        assert!((200..300).contains(&answer.status), "{}", String::from_utf8_lossy(&answer.body));
    }
}

fn object_of(case: bool) -> &'static str {
    if case { "case" } else { "account" }
}
