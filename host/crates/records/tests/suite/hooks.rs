use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use trellis_model::{
    ChangeKind, Decider, FieldId, FieldName, ObjectId, PluginId, Record, RecordId, Scope, Text, Value,
};
use trellis_records::{
    Caller, Config, EntryBody, Error, Proposed, Records, SaveContext, SaveHook, Veto, Write, Written,
};
use trellis_storage::{MemoryStore, ScanRange, Store};

use crate::support::{World, name};

/// What a test's hook does with the rows that it is asked about.
type Look = dyn Fn(&SaveContext, &mut [Proposed]) -> Vec<Veto> + Send + Sync;

/// A hook that is a function, about one object.
struct Hook {
    object: ObjectId,
    asked: AtomicUsize,
    look: Box<Look>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl SaveHook for Hook {
    fn concerns(&self, object: ObjectId) -> bool {
        object == self.object
    }

    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(proposed.iter().all(|row| row.object == self.object));
        let vetoes = (self.look)(context, proposed);
        Box::pin(async move { if vetoes.is_empty() { Ok(()) } else { Err(vetoes) } })
    }
}

fn object(world: &World, object: &str) -> ObjectId {
    world.records.schema().object(object).unwrap().id
}

fn field(world: &World, object: &str, field: &str) -> FieldId {
    world.records.schema().object(object).unwrap().field(field).unwrap().id
}

fn add_hook(
    world: &World,
    about: &str,
    look: impl Fn(&SaveContext, &mut [Proposed]) -> Vec<Veto> + Send + Sync + 'static,
) -> Arc<Hook> {
    let (object, asked) = (object(world, about), AtomicUsize::new(0));
    let hook = Arc::new(Hook { object, asked, look: Box::new(look) });
    world.records.add_hook(Arc::clone(&hook) as Arc<dyn SaveHook>);
    hook
}

fn plugin() -> Decider {
    Decider::Plugin { id: PluginId::new("manners").unwrap(), version: "1.2.0".into() }
}

fn veto(row: usize) -> Veto {
    Veto {
        by: plugin(),
        code: "bad-name".into(),
        reason: Text::new("not so", "不可以"),
        field: Some(FieldName::new("name").unwrap()),
        unavailable: false,
        row,
    }
}

/// Refuses records named `bad…`, and writes names in capitals.
fn manners(name: FieldId) -> impl Fn(&SaveContext, &mut [Proposed]) -> Vec<Veto> {
    move |_, proposed| {
        let mut vetoes = Vec::new();
        for (row, record) in proposed.iter_mut().enumerate() {
            let Some(Value::Text(name)) = record.fields.get_mut(&name) else { continue };
            if name.starts_with("bad") {
                vetoes.push(veto(row));
            }
            *name = if name == "empty" { String::new() } else { name.to_uppercase() };
        }
        vetoes
    }
}

async fn everything(store: &MemoryStore) -> Vec<(Vec<u8>, Vec<u8>)> {
    let page = store.scan(ScanRange { start: vec![0], end: None, reverse: false }, 100_000).await.unwrap();
    page.rows.into_iter().map(|row| (row.key.to_vec(), row.value.to_vec())).collect()
}

fn codes(results: &[Result<Written, Error>]) -> Vec<&'static str> {
    let code = |result: &Result<Written, Error>| match result {
        Ok(Written::Created(_)) => "created",
        Ok(Written::Unchanged(_)) => "unchanged",
        Ok(_) => "ok",
        Err(error) => error.code(),
    };
    results.iter().map(code).collect()
}

#[tokio::test]
async fn hooks_change_and_refuse_rows_and_their_changes_are_checked() {
    let world = World::new().await;
    let hook = add_hook(&world, "account", manners(field(&world, "account", "name")));
    let names = ["one", "bad 1", "two", "bad 2", "empty"];
    let writes = names.iter().map(|name| world.create_of("account", json!({"name": name}))).collect();
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    assert_eq!(codes(&results), ["created", "veto", "created", "veto", "validation_error"]);
    let error = results[1].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "refused by plugin manners 1.2.0: not so");
    assert_eq!(error.text().zh_cn, "插件 manners 1.2.0 拒绝了此更改：不可以");
    let Error::Veto { by, code, field, unavailable: false, .. } = error else { panic!("{error:?}") };
    assert_eq!((&**by, code.as_str(), field.as_ref().unwrap().as_str()), (&plugin(), "bad-name", "name"));
    assert_eq!(world.names("account", json!({"and": []}), "name").await, ["ONE", "TWO"]);
    // Both vetoes at once, then the empty name, then what is left.
    assert_eq!(hook.asked.load(Ordering::Relaxed), 3);
    world.expect_clean().await;
}

#[tokio::test]
async fn a_hook_sees_only_the_objects_that_concern_it_and_valid_rows() {
    let world = World::new().await;
    let [account, name] = ["country", "name"].map(|of| field(&world, "account", of));
    let first = add_hook(&world, "account", move |_, proposed| {
        proposed[0].fields.insert(account, Value::Text(String::new()));
        Vec::new()
    });
    let second = add_hook(&world, "account", move |context, proposed| {
        assert!(context.now_ms() > 0 && context.caller().actor == Caller::system("test").actor);
        assert_eq!(proposed.len(), 1);
        assert!(proposed[0].fields.contains_key(&name) && !proposed[0].fields.contains_key(&account));
        assert_eq!((proposed[0].kind, proposed[0].before.as_ref()), (ChangeKind::Created, None));
        Vec::new()
    });
    let writes = vec![
        world.create_of("product", json!({"name": "P"})),
        world.create_of("account", json!({"name": "A"})),
    ];
    assert_eq!(
        codes(&world.records.write_batch(&world.caller, writes).await.unwrap()),
        ["created", "created"]
    );
    assert_eq!([&first, &second].map(|hook| hook.asked.load(Ordering::Relaxed)), [1, 1]);
    world.create("product", json!({"name": "Q"})).await;
    assert_eq!(first.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_veto_leaves_nothing_behind() {
    let store = Arc::new(MemoryStore::new());
    let world = World::over(Arc::clone(&store), Config::default()).await;
    let one = world.create("account", json!({"name": "One"})).await;
    add_hook(&world, "account", |context, proposed| {
        context.put(b"\x5atest".to_vec(), b"kept".to_vec());
        context.expect_version(proposed[0].object, proposed[0].id, None);
        (0..proposed.len()).map(veto).collect()
    });
    let before = (world.records.log_head(), everything(&store).await);
    let error = world.update("account", one.id, json!({"name": "Two"})).await.unwrap_err();
    assert_eq!(error.code(), "veto");
    let created = world.create_of("account", json!({"name": "Three"}));
    let also = |_| -> Vec<(Vec<u8>, Vec<u8>)> { panic!("nothing is committed") };
    let results = world.records.write_batch_with(&world.caller, vec![created], &also).await.unwrap();
    assert_eq!(codes(&results), ["veto"]);
    // Creating reserved a block of ordinals already with the first record, so nothing at all is new.
    assert_eq!((world.records.log_head(), everything(&store).await), before);
}

#[tokio::test]
async fn a_hook_that_could_not_decide_is_told_apart() {
    let world = World::new().await;
    add_hook(&world, "account", |_, _| vec![Veto { unavailable: true, ..veto(0) }]);
    let error = world.try_create("account", json!({"name": "A"})).await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        ("veto_unavailable", "no decision by plugin manners 1.2.0: not so".into())
    );
}

#[tokio::test]
async fn a_change_that_a_hook_takes_back_is_none() {
    let world = World::new().await;
    let one = world.create("account", json!({"name": "One"})).await;
    add_hook(&world, "account", |_, proposed| {
        for row in proposed.iter_mut() {
            row.fields =
                row.before.as_ref().map_or_else(|| row.fields.clone(), |before| before.fields.clone());
        }
        Vec::new()
    });
    let head = world.records.log_head();
    let writes = vec![
        Write::Update {
            object: name("account"),
            id: one.id,
            changes: world.changes("account", json!({"name": "Two"})),
            expected_version: None,
        },
        world.create_of("account", json!({"name": "Three"})),
    ];
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    assert_eq!(codes(&results), ["unchanged", "created"]);
    assert_eq!(results[0].as_ref().unwrap().record(), Some(&one));
    assert_eq!(world.records.log_after(head, 10).await.unwrap()[0].changes().len(), 1);
    world.expect_clean().await;
}

/// Copies the name of one account into the description of another that is saved, and meanwhile somebody changes it, once.
#[derive(Debug)]
struct CopiesName {
    records: Weak<Records>,
    account: ObjectId,
    read: Option<RecordId>,
    name: FieldId,
    description: FieldId,
    meanwhile: fn() -> Option<Json>,
    asked: AtomicUsize,
}

impl CopiesName {
    async fn look(&self, context: &SaveContext, row: &mut Proposed) {
        let Some(id) = self.read.filter(|id| *id != row.id) else { return };
        let records = self.records.upgrade().unwrap();
        let attempt = self.asked.fetch_add(1, Ordering::SeqCst);
        let read = records.get(&Scope::everything(), &name("account"), id).await.unwrap();
        context.expect_version(self.account, id, read.as_ref().map(|record| record.version));
        let copied = read.and_then(|record| record.fields.get(&self.name).cloned());
        row.fields.insert(self.description, copied.unwrap_or_else(|| Value::Text("nobody".into())));
        context.put(vec![0x5a, b'0' + u8::try_from(attempt).unwrap()], b"decided".to_vec());
        if attempt == 0 {
            let caller = Caller::system("meanwhile");
            match (self.meanwhile)() {
                Some(new) => {
                    let new = Value::Text(new.as_str().unwrap().to_owned());
                    let changes = [(self.name, Some(new))].into();
                    records.update(&caller, &name("account"), id, changes, None).await.unwrap();
                }
                None => drop(records.restore(&caller, &name("account"), id).await.unwrap()),
            }
        }
    }
}

impl SaveHook for CopiesName {
    fn concerns(&self, object: ObjectId) -> bool {
        object == self.account
    }

    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        Box::pin(async move {
            for row in proposed {
                self.look(context, row).await;
            }
            Ok(())
        })
    }
}

async fn check_copied(meanwhile: fn() -> Option<Json>, deleted: bool, expected: &str) {
    let store = Arc::new(MemoryStore::new());
    let world = World::over(Arc::clone(&store), Config::default()).await;
    let read: Record = world.create("account", json!({"name": "Old"})).await;
    if deleted {
        world.delete("account", read.id).await;
    }
    world.records.add_hook(Arc::new(CopiesName {
        records: Arc::downgrade(&world.records),
        account: object(&world, "account"),
        read: Some(read.id),
        name: field(&world, "account", "name"),
        description: field(&world, "account", "description"),
        meanwhile,
        asked: AtomicUsize::new(0),
    }));
    let copy = world.create("account", json!({"name": "Copy"})).await;
    assert_eq!(world.text("account", &copy, "description"), expected);
    let decided: Vec<_> =
        everything(&store).await.into_iter().map(|(key, _)| key).filter(|key| key[0] == 0x5a).collect();
    assert_eq!(decided, [vec![0x5a, b'1']], "only what the committed attempt noted");
    world.expect_clean().await;
}

#[tokio::test]
async fn a_save_starts_again_where_what_a_hook_had_read_changes() {
    check_copied(|| Some(json!("New")), false, "New").await;
    // It was deleted when the hook looked, and came back.
    check_copied(|| None, true, "Old").await;
}

#[tokio::test]
async fn a_hook_may_rely_on_a_deleted_record_staying_away() {
    let world = World::new().await;
    let gone = world.create("account", json!({"name": "Gone"})).await;
    world.delete("account", gone.id).await;
    let account = object(&world, "account");
    let hook = add_hook(&world, "account", move |context, _| {
        context.expect_version(account, gone.id, None);
        Vec::new()
    });
    world.create("account", json!({"name": "A"})).await;
    assert_eq!(hook.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_a_hook_notes_is_committed_with_its_rows_only() {
    let store = Arc::new(MemoryStore::new());
    let world = World::over(Arc::clone(&store), Config::default()).await;
    let one = world.create("account", json!({"name": "One", "external_id": "X"})).await;
    // Each write set notes how many rows it has; the second row takes what the first one frees, so it needs the next set.
    add_hook(&world, "account", |context, proposed| {
        context
            .put(vec![0x5a, u8::try_from(proposed.len()).unwrap(), proposed[0].id.as_bytes()[15]], vec![1]);
        Vec::new()
    });
    let free = Write::Update {
        object: name("account"),
        id: one.id,
        changes: world.changes("account", json!({"external_id": "Y"})),
        expected_version: None,
    };
    let writes = vec![free, world.create_of("account", json!({"name": "Two", "external_id": "X"}))];
    let also = |end: usize| vec![(vec![0x5b, u8::try_from(end).unwrap()], vec![2])];
    let results = world.records.write_batch_with(&world.caller, writes, &also).await.unwrap();
    assert_eq!(codes(&results), ["ok", "created"]);
    let noted: Vec<Vec<u8>> = everything(&store).await.into_iter().map(|(key, _)| key).collect();
    let sizes: Vec<u8> = noted.iter().filter(|key| key[0] == 0x5a).map(|key| key[1]).collect();
    assert_eq!(sizes, [1, 1], "the attempt with both rows was not committed");
    let ends: Vec<u8> = noted.iter().filter(|key| key[0] == 0x5b).map(|key| key[1]).collect();
    assert_eq!(ends, [1, 2]);
    world.expect_clean().await;
}

#[tokio::test]
async fn a_hook_looks_again_at_the_rows_that_fit_into_a_write_set() {
    let store = Arc::new(MemoryStore::new());
    let world = World::over(Arc::clone(&store), Config::default()).await;
    // Notes for each row how many rows it was judged with.
    add_hook(&world, "account", |context, proposed| {
        for row in proposed.iter() {
            let key = [&[0x5a], &row.id.as_bytes()[..]].concat();
            context.put(key, vec![u8::try_from(proposed.len()).unwrap()]);
        }
        Vec::new()
    });
    let (head, long) = (world.records.log_head(), "x".repeat(9_900));
    let row = |n: usize| json!({"name": format!("n{n:03}"), "description": long.clone()});
    let writes: Vec<Write> = (0..200).map(|n| world.create_of("account", row(n))).collect();
    let ends = AtomicUsize::new(0);
    let also = |end: usize| {
        ends.fetch_max(end, Ordering::Relaxed);
        Vec::new()
    };
    let results = world.records.write_batch_with(&world.caller, writes, &also).await.unwrap();
    assert!(results.iter().all(Result::is_ok) && ends.into_inner() == 200);
    let entries = world.records.log_after(head, 10).await.unwrap();
    let mut together = Vec::new();
    for entry in &entries {
        let rows = u8::try_from(entry.changes().len()).unwrap();
        together.extend(std::iter::repeat_n(rows, rows.into()));
    }
    let noted = everything(&store).await.into_iter().filter(|(key, _)| key[0] == 0x5a);
    let noted: Vec<u8> = noted.map(|(_, value)| value[0]).collect();
    assert_eq!((entries.len(), noted), (2, together));
    world.expect_clean().await;
}

#[tokio::test]
async fn a_chain_of_causes_leads_back_to_what_came_from_outside() {
    let world = World::new().await;
    let mut log = None;
    let mut numbers = Vec::new();
    for depth in 0..4 {
        let mut caller = world.caller.clone();
        (caller.cause.log, caller.cause.depth) = (log, depth);
        let fields = world.fields("account", json!({"name": format!("A{depth}")}));
        let record = world.records.create(&caller, &name("account"), fields).await.unwrap();
        log = Some(record.last_log);
        numbers.insert(0, record.last_log);
        world.create("product", json!({"name": "between"})).await;
    }
    let chain = world.records.cause_chain(numbers[0], 10).await.unwrap();
    assert_eq!(chain.iter().map(|entry| entry.number).collect::<Vec<_>>(), numbers);
    assert!(
        chain
            .iter()
            .all(|entry| matches!(&entry.body, EntryBody::Changes(changes) if changes[0].fields.is_some()))
    );
    assert_eq!(world.records.cause_chain(numbers[0], 2).await.unwrap(), chain[..2]);
    let same = world.records.log_after(numbers[1] - 1, 1).await.unwrap();
    assert_eq!(world.records.log_entry(numbers[1]).await.unwrap().as_ref(), same.first());
    assert_eq!(world.records.log_entry(0).await.unwrap(), None);
    assert_eq!(world.records.cause_chain(numbers[0] + 100, 10).await.unwrap(), []);
}
