//! Merges: what the winner gets, where ids and references lead, and that a merge ends the same wherever it was interrupted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use trellis_model::{FieldAccess, FieldName, ObjectScope, Record, RecordId, RowAccess, Scope};
use trellis_records::{
    Caller, Config, Error, Limits, MergeRequest, Records, Repointed, SystemClock, SystemIds,
};
use trellis_storage::{
    Committed, Epoch, MemoryStore, Page, Position, Result as StorageResult, ScanRange, Store, Versioned,
    WriteSet,
};

use crate::support::{World, name};

fn request(
    object: &str,
    winner: RecordId,
    losers: &[RecordId],
    choices: &[(&str, RecordId)],
) -> MergeRequest {
    let choices = choices.iter().map(|(field, id)| (FieldName::new(field).unwrap(), *id)).collect();
    MergeRequest { object: name(object), winner, losers: losers.to_vec(), choices }
}

/// Both steps of a merge.
async fn merge(
    records: &Records,
    caller: &Caller,
    request: &MergeRequest,
) -> Result<(Record, Repointed), Error> {
    let winner = records.merge_records(caller, request).await?;
    let losers = &request.losers;
    let repointed = records.repoint_references(caller, &request.object, losers, &|_| {}).await?;
    Ok((winner, repointed))
}

async fn field(world: &World, object: &str, id: RecordId, field: &str) -> String {
    let record = world.get(object, id).await.unwrap();
    world.text(object, &record, field)
}

#[tokio::test]
async fn the_winner_fills_its_blanks_and_takes_what_was_chosen() {
    let world = World::new().await;
    let winner = world.create("account", json!({"name": "Acme", "city": "Berlin"})).await.id;
    let first =
        world.create("account", json!({"name": "Acme Ltd", "phone": "030 1", "external_id": "x1"})).await.id;
    let second = world
        .create("account", json!({"name": "ACME", "phone": "030 2", "website": "acme.example"}))
        .await
        .id;
    let request = request("account", winner, &[first, second], &[("name", first), ("city", second)]);

    let plan = world.records.merge_plan(&Scope::everything(), &request).await.unwrap();
    let planned: BTreeMap<String, (Option<String>, RecordId)> = plan
        .values
        .iter()
        .map(|value| {
            (value.field.to_string(), (value.value.as_ref().map(|value| value.canonical()), value.from))
        })
        .collect();
    let some = |text: &str, from| (Some(text.to_owned()), from);
    let expected = [
        ("city".to_owned(), (None, second)),
        ("external_id".to_owned(), some("x1", first)),
        ("name".to_owned(), some("Acme Ltd", first)),
        ("phone".to_owned(), some("030 1", first)),
        ("website".to_owned(), some("acme.example", second)),
    ];
    assert_eq!(planned, BTreeMap::from(expected));
    assert!(world.get("account", first).await.is_some(), "a plan changes nothing");

    let (record, _) = merge(&world.records, &world.caller, &request).await.unwrap();
    let text = |field: &str| world.text("account", &record, field);
    assert_eq!(
        ["name", "phone", "website", "city", "external_id"].map(text),
        ["Acme Ltd", "030 1", "acme.example", "", "x1"]
    );
    for loser in [first, second] {
        assert_eq!(world.get("account", loser).await, None);
        let into = world.records.merged_into(&Scope::everything(), &name("account"), loser).await.unwrap();
        assert_eq!(into, Some(winner));
    }
    world.expect_clean().await;
}

#[tokio::test]
async fn what_refers_to_a_loser_refers_to_the_winner() {
    // Batches of two, so that there are several.
    let limits = Limits { batch_rows_max: 2, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    let winner = world.create("account", json!({"name": "winner"})).await.id;
    let loser = world.create("account", json!({"name": "loser"})).await.id;
    let mut orders = Vec::new();
    for day in ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"] {
        orders.push(world.order(loser, day, "10", 1.0).await.id);
    }
    let mine = world.order(winner, "2024-02-01", "5", 1.0).await.id;
    let contact = world.create("contact", json!({"name": "c", "account": loser.to_string()})).await.id;
    let gone = world.create("contact", json!({"name": "gone", "account": loser.to_string()})).await.id;
    world.delete("contact", gone).await;

    let request = request("account", winner, &[loser], &[]);
    let plan = world.records.merge_plan(&Scope::everything(), &request).await.unwrap();
    let counted: Vec<_> =
        plan.references.iter().map(|count| (count.object.to_string(), count.count)).collect();
    assert_eq!(counted, [("contact".to_owned(), 1), ("order".to_owned(), 5)]);
    let (_, repointed) = merge(&world.records, &world.caller, &request).await.unwrap();
    assert_eq!(repointed, Repointed { records: 6, cleared: 0 });
    for order in orders.into_iter().chain([mine]) {
        assert_eq!(field(&world, "order", order, "account").await, winner.to_string());
    }
    assert_eq!(field(&world, "contact", contact, "account").await, winner.to_string());
    // One that comes back follows.
    world.records.restore(&world.caller, &name("contact"), gone).await.unwrap();
    assert_eq!(field(&world, "contact", gone, "account").await, winner.to_string());
    world.expect_clean().await;
}

#[tokio::test]
async fn an_id_leads_on_through_further_merges_and_no_longer_once_restored() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for label in ["a", "b", "c"] {
        ids.push(world.create("account", json!({"name": label})).await.id);
    }
    let [a, b, c] = ids[..] else { panic!() };
    merge(&world.records, &world.caller, &request("account", b, &[a], &[])).await.unwrap();
    merge(&world.records, &world.caller, &request("account", c, &[b], &[])).await.unwrap();
    let into =
        async |id| world.records.merged_into(&Scope::everything(), &name("account"), id).await.unwrap();
    assert_eq!([into(a).await, into(b).await, into(c).await], [Some(c), Some(c), None]);

    // A new reference to what was merged is stored as one to the winner.
    let contact = world.create("contact", json!({"name": "x", "account": a.to_string()})).await.id;
    assert_eq!(field(&world, "contact", contact, "account").await, c.to_string());

    // What was merged is neither changed nor deleted; the error names the winner.
    let merged = |result: Result<(), Error>| match result {
        Err(Error::Merged { id, into, .. }) => (id, into),
        other => panic!("{other:?}"),
    };
    assert_eq!(merged(world.update("account", a, json!({"name": "x"})).await.map(drop)), (a, c));
    assert_eq!(merged(world.records.delete(&world.caller, &name("account"), b, None).await), (b, c));
    let other = world.create("account", json!({"name": "d"})).await.id;
    let again = merge(&world.records, &world.caller, &request("account", other, &[a], &[])).await;
    assert_eq!(merged(again.map(drop)), (a, c));

    world.records.restore(&world.caller, &name("account"), b).await.unwrap();
    assert_eq!([into(a).await, into(b).await], [Some(b), None]);
    world.expect_clean().await;
}

#[tokio::test]
async fn what_comes_back_names_the_winner_though_that_is_deleted() {
    let world = World::new().await;
    let winner = world.create("account", json!({"name": "a"})).await.id;
    let loser = world.create("account", json!({"name": "b"})).await.id;
    let contact = world.create("contact", json!({"name": "x", "account": loser.to_string()})).await.id;
    world.records.delete(&world.caller, &name("contact"), contact, None).await.unwrap();
    merge(&world.records, &world.caller, &request("account", winner, &[loser], &[])).await.unwrap();
    world.records.delete(&world.caller, &name("account"), winner, None).await.unwrap();

    world.records.restore(&world.caller, &name("contact"), contact).await.unwrap();
    assert_eq!(field(&world, "contact", contact, "account").await, winner.to_string());
    world.expect_clean().await;
}

#[tokio::test]
async fn a_request_that_contradicts_itself_changes_nothing() {
    let limits = Limits { merge_records_max: 2, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    let mut ids = Vec::new();
    for label in ["a", "b", "c", "d"] {
        ids.push(world.create("account", json!({"name": label})).await.id);
    }
    let [a, b, c, d] = ids[..] else { panic!() };
    let refused =
        async |request: MergeRequest| world.records.merge_records(&world.caller, &request).await.unwrap_err();
    let code = async |request| refused(request).await.code();
    assert_eq!(code(request("account", a, &[], &[])).await, "invalid_merge");
    assert_eq!(code(request("account", a, &[a], &[])).await, "invalid_merge");
    assert_eq!(code(request("account", a, &[b, b], &[])).await, "invalid_merge");
    assert_eq!(code(request("account", a, &[b], &[("name", c)])).await, "invalid_merge");
    assert_eq!(code(request("account", a, &[b], &[("nothing", b)])).await, "unknown_field");
    assert_eq!(code(request("account", a, &[b, c, d], &[])).await, "too_many");
    assert_eq!(code(request("contact", a, &[b], &[])).await, "not_found");
    assert_eq!(world.count("account", json!({"and": []})).await, 4);
}

#[tokio::test]
async fn a_merge_needs_the_sight_of_all_records_and_the_right_to_write() {
    let world = World::new().await;
    let winner = world.create("account", json!({"name": "a", "city": "Berlin"})).await.id;
    let loser = world.create("account", json!({"name": "b", "city": "Paris", "phone": "1"})).await.id;
    let narrow = |access: ObjectScope| Caller {
        scope: Scope::everything().with(name("account"), access),
        ..Caller::system("test")
    };
    let filter =
        trellis_model::Filter::parse(&json!({"field": "city", "op": "eq", "value": "Berlin"})).unwrap();
    let near = narrow(ObjectScope { rows: RowAccess::Where(filter), ..ObjectScope::everything() });
    let request_of = |choices: &[(&str, RecordId)]| request("account", winner, &[loser], choices);
    let error = world.records.merge_records(&near, &request_of(&[])).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { id, .. } if id == loser), "{error}");

    let phone = [FieldName::new("phone").unwrap()].into();
    let shy = narrow(ObjectScope { writable: FieldAccess::Except(phone), ..ObjectScope::everything() });
    let error = world.records.merge_records(&shy, &request_of(&[("phone", loser)])).await.unwrap_err();
    assert!(matches!(error, Error::FieldDenied { .. }), "{error}");
    // What is not asked for is left, and the plan says so.
    let plan = world.records.merge_plan(&shy.scope, &request_of(&[])).await.unwrap();
    assert_eq!((plan.values.len(), plan.warnings.len()), (0, 1));
    assert!(plan.warnings[0].en.contains("`phone`"), "{:?}", plan.warnings);
}

#[tokio::test]
async fn somebody_else_who_writes_meanwhile_is_not_lost() {
    let world = World::new().await;
    let winner = world.create("account", json!({"name": "w"})).await.id;
    let loser = world.create("account", json!({"name": "l"})).await.id;
    let request = request("account", winner, &[loser], &[]);
    let write = async {
        for number in 0..20 {
            world.update("account", winner, json!({"description": format!("{number}")})).await.unwrap();
            let contact = json!({"name": format!("c{number}"), "account": loser.to_string()});
            world.create("contact", contact).await;
            tokio::task::yield_now().await;
        }
    };
    let (merged, ()) = tokio::join!(merge(&world.records, &world.caller, &request), write);
    merged.unwrap();
    assert_eq!(field(&world, "account", winner, "description").await, "19");
    let stray = json!({"field": "account", "op": "eq", "value": loser.to_string()});
    assert_eq!(world.count("contact", stray).await, 0);
    let found = json!({"field": "account", "op": "eq", "value": winner.to_string()});
    assert_eq!(world.count("contact", found).await, 20);
    world.expect_clean().await;
}

/// A store that dies before a commit.
#[derive(Debug)]
struct Mortal {
    store: Arc<MemoryStore>,
    commits_left: AtomicUsize,
}

impl Store for Mortal {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, StorageResult<Option<Versioned>>> {
        self.store.get(key)
    }

    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, StorageResult<Page>> {
        self.store.scan(range, rows_max)
    }

    fn commit(&self, set: WriteSet) -> BoxFuture<'_, StorageResult<Committed>> {
        let died =
            self.commits_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match died {
            Ok(_) => self.store.commit(set),
            Err(_) => Box::pin(async { Err(trellis_storage::Error::Stopped { reason: "died".into() }) }),
        }
    }

    fn head(&self) -> Position {
        self.store.head()
    }

    fn epoch(&self) -> Epoch {
        self.store.epoch()
    }
}

/// The state that a merge of two losers with references leads to, when the store dies after some commits and the merge is done again.
async fn merged_after_a_crash(commits: usize) -> (Vec<Json>, bool) {
    let store = Arc::new(MemoryStore::new());
    let limits = Limits { batch_rows_max: 3, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let world = World::over(Arc::clone(&store), config.clone()).await;
    let winner = world.create("account", json!({"name": "w"})).await.id;
    let first = world.create("account", json!({"name": "l1", "external_id": "x", "phone": "1"})).await.id;
    let second = world.create("account", json!({"name": "l2", "city": "Berlin"})).await.id;
    for number in 0..5 {
        let account = if number % 2 == 0 { first } else { second };
        world.order(account, "2024-01-01", "1", f64::from(number)).await;
        world.create("contact", json!({"name": format!("c{number}"), "account": account.to_string()})).await;
    }
    let request = request("account", winner, &[first, second], &[]);
    let mortal = Arc::new(Mortal { store: Arc::clone(&store), commits_left: AtomicUsize::new(commits) });
    let dying =
        Records::open(mortal, Arc::new(SystemClock), Arc::new(SystemIds::default()), config.clone()).await;
    let survived = merge(&dying.unwrap(), &world.caller, &request).await.is_ok();

    let world = World::over(store, config).await;
    merge(&world.records, &world.caller, &request).await.unwrap();
    world.expect_clean().await;
    let mut state = Vec::new();
    for (object, fields) in [
        ("account", vec!["name", "external_id", "phone", "city"]),
        ("contact", vec!["name", "account"]),
        ("order", vec!["quantity", "account"]),
    ] {
        for record in world.list(object, json!({"and": []}), "").await.records {
            let text =
                |field: &&str| world.text(object, &record, field).replace(&winner.to_string(), "winner");
            state.push(json!(fields.iter().map(text).collect::<Vec<_>>()));
        }
    }
    (state, survived)
}

#[tokio::test]
async fn a_merge_ends_the_same_wherever_it_was_interrupted() {
    let (expected, survived) = merged_after_a_crash(usize::MAX).await;
    assert!(survived);
    assert_eq!(expected[0], json!(["w", "x", "1", "Berlin"]));
    assert!(expected[1..].iter().all(|row| row[1] == "winner"), "{expected:?}");
    let mut commits = 0;
    loop {
        let (state, survived) = merged_after_a_crash(commits).await;
        assert_eq!(state, expected, "died after {commits} commits");
        if survived {
            break;
        }
        commits += 1;
    }
    assert!(commits >= 6, "the merge has {commits} commits: two for the records, the rest for references");
}

#[derive(Debug, Clone)]
enum Step {
    Account,
    Contact(usize),
    Refer(usize, usize),
    Delete(bool, usize),
    Restore(bool, usize),
    Merge(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<usize>;
    prop_oneof![
        Just(Step::Account),
        at().prop_map(Step::Contact),
        (at(), at()).prop_map(|(contact, account)| Step::Refer(contact, account)),
        (any::<bool>(), at()).prop_map(|(account, at)| Step::Delete(account, at)),
        (any::<bool>(), at()).prop_map(|(account, at)| Step::Restore(account, at)),
        (at(), at()).prop_map(|(winner, loser)| Step::Merge(winner, loser)),
    ]
}

/// Everything the slow way.
#[derive(Default)]
struct Model {
    /// Whether each is deleted, and what it was merged into.
    accounts: BTreeMap<RecordId, (bool, Option<RecordId>)>,
    /// Whether each is deleted, and its account.
    contacts: BTreeMap<RecordId, (bool, RecordId)>,
}

impl Model {
    fn lead(&self, id: RecordId) -> RecordId {
        let mut id = id;
        while let Some((true, Some(into))) = self.accounts.get(&id) {
            id = *into;
        }
        id
    }

    fn is_there(&self, account: RecordId) -> bool {
        self.accounts.get(&account).is_some_and(|(deleted, _)| !deleted)
    }
}

fn pick<T>(map: &BTreeMap<RecordId, T>, at: usize) -> Option<RecordId> {
    map.keys().nth(at % map.len().max(1)).copied()
}

async fn make(world: &World, model: &mut Model, step: Step) {
    match step {
        Step::Account => {
            let id = world.create("account", json!({"name": "a"})).await.id;
            model.accounts.insert(id, (false, None));
        }
        Step::Contact(at) => {
            let Some(account) = pick(&model.accounts, at) else { return };
            let made =
                world.try_create("contact", json!({"name": "c", "account": account.to_string()})).await;
            let led = model.lead(account);
            assert_eq!(made.is_ok(), model.is_there(led));
            if let Ok(made) = made {
                model.contacts.insert(made.id, (false, led));
            }
        }
        Step::Refer(contact, account) => {
            let picked = pick(&model.contacts, contact).zip(pick(&model.accounts, account));
            let Some((contact, account)) = picked else { return };
            let done = world.update("contact", contact, json!({"account": account.to_string()})).await;
            let (led, (deleted, before)) = (model.lead(account), model.contacts[&contact]);
            // A reference that stays as it is needs no target.
            assert_eq!(done.is_ok(), !deleted && (model.is_there(led) || account == before), "{done:?}");
            if done.is_ok() {
                model.contacts.insert(contact, (false, led));
            }
        }
        Step::Delete(true, at) => {
            let Some(id) = pick(&model.accounts, at) else { return };
            let done = world.records.delete(&world.caller, &name("account"), id, None).await;
            let entry = model.accounts.get_mut(&id).unwrap();
            assert_eq!(done.is_ok(), !entry.0);
            entry.0 = true;
        }
        Step::Delete(false, at) => {
            let Some(id) = pick(&model.contacts, at) else { return };
            let done = world.records.delete(&world.caller, &name("contact"), id, None).await;
            let entry = model.contacts.get_mut(&id).unwrap();
            assert_eq!(done.is_ok(), !entry.0);
            entry.0 = true;
        }
        Step::Restore(true, at) => {
            let Some(id) = pick(&model.accounts, at) else { return };
            world.records.restore(&world.caller, &name("account"), id).await.unwrap();
            model.accounts.insert(id, (false, None));
        }
        Step::Restore(false, at) => {
            let Some(id) = pick(&model.contacts, at) else { return };
            world.records.restore(&world.caller, &name("contact"), id).await.unwrap();
            let (deleted, account) = model.contacts[&id];
            // One that is there already stays as it is.
            let account = if deleted { model.lead(account) } else { account };
            model.contacts.insert(id, (false, account));
        }
        Step::Merge(winner, loser) => {
            let picked = pick(&model.accounts, winner).zip(pick(&model.accounts, loser));
            let Some((winner, loser)) = picked else { return };
            let done = merge(&world.records, &world.caller, &request("account", winner, &[loser], &[])).await;
            let again =
                model.accounts[&loser].0 && model.accounts[&loser].1.is_some() && model.lead(loser) == winner;
            let possible = winner != loser && model.is_there(winner) && (model.is_there(loser) || again);
            assert_eq!(done.is_ok(), possible, "{done:?}");
            if possible && !again {
                model.accounts.insert(loser, (true, Some(winner)));
                for (_, account) in
                    model.contacts.values_mut().filter(|(deleted, account)| !deleted && *account == loser)
                {
                    *account = winner;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn random_merges_agree_with_the_model(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let mut model = Model::default();
            for step in steps {
                make(&world, &mut model, step).await;
            }
            for (id, (deleted, account)) in &model.contacts {
                let found = world.get("contact", *id).await;
                assert_eq!(found.is_none(), *deleted);
                if let Some(found) = found {
                    assert_eq!(world.text("contact", &found, "account"), account.to_string());
                }
            }
            for (id, (deleted, _)) in &model.accounts {
                assert_eq!(world.get("account", *id).await.is_none(), *deleted);
                let into = world.records.merged_into(&Scope::everything(), &name("account"), *id).await.unwrap();
                let led = model.lead(*id);
                assert_eq!(into, (led != *id && model.is_there(led)).then_some(led));
            }
            world.expect_clean().await;
        });
    }
}
