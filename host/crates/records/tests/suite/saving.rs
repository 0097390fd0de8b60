use serde_json::json;
use trellis_model::{ChangeKind, Scope};
use trellis_records::{Config, Error, Limits, Write, Written};

use crate::support::{World, name};

#[tokio::test]
async fn a_record_comes_back_as_it_was_saved() {
    let world = World::new().await;
    let account =
        world.create("account", json!({"name": "Acme", "external_id": "a1", "kind": "company"})).await;
    assert_eq!(world.get("account", account.id).await.unwrap(), account);
    assert_eq!(account.ordinal, Some(0));
    let entry = world.records.log_after(account.last_log - 1, 10).await.unwrap().remove(0);
    assert_eq!((entry.number, entry.position), (account.last_log, account.version));
    let change = &entry.changes()[0];
    assert_eq!(
        (change.id, change.kind, change.previous, change.ordinal),
        (account.id, ChangeKind::Created, 0, Some(0))
    );
    assert_eq!(change.fields.as_ref().unwrap().len(), 3);
    world.expect_clean().await;
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_logs_both_sides() {
    let world = World::new().await;
    let before = world.create("account", json!({"name": "Acme", "city": "Oslo"})).await;
    let after = world.update("account", before.id, json!({"name": "Zeta", "city": null})).await.unwrap();
    assert!(after.version > before.version && after.updated_at_ms > before.updated_at_ms);
    assert_eq!(after.created_at_ms, before.created_at_ms);
    assert_eq!(world.names("account", json!({"and": []}), "name").await, ["Zeta"]);
    let entry = world.records.log_after(after.last_log - 1, 1).await.unwrap().remove(0);
    assert_eq!(
        (entry.changes()[0].kind, entry.changes()[0].previous),
        (ChangeKind::Updated, before.last_log)
    );
    assert_eq!(entry.changes()[0].fields.as_ref().unwrap().len(), 2);
    let head = world.records.log_head();
    let same = world.update("account", before.id, json!({"name": "Zeta"})).await.unwrap();
    assert_eq!(
        (same, world.records.log_head()),
        (after, head),
        "a change that changes nothing writes nothing"
    );
    world.expect_clean().await;
}

#[tokio::test]
async fn wrong_fields_are_all_named() {
    let world = World::new().await;
    let error = world.try_create("order", json!({"amount": {"amount": "1", "currency": "EUR"}, "account": "01939d4c-7c3a-7b6e-8000-000000000001"})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ordered_on: a value is required; amount: there is no rate from EUR to USD"
    );
    let missing = json!({"ordered_on": "2026-01-01", "account": "01939d4c-7c3a-7b6e-8000-000000000001"});
    let error = world.try_create("order", missing).await.unwrap_err();
    assert_eq!(error.to_string(), "account: there is no account `01939d4c-7c3a-7b6e-8000-000000000001`");
    assert!(
        matches!(world.try_create("account", json!({"name": ""})).await.unwrap_err(), Error::Invalid(errors) if errors[0].code == "required")
    );
    assert_eq!(world.count("account", json!({"and": []})).await, 0);
    world.expect_clean().await;
}

#[tokio::test]
async fn a_stale_version_is_refused_with_the_record_as_it_is() {
    let world = World::new().await;
    let first = world.create("account", json!({"name": "Acme"})).await;
    let second = world.update("account", first.id, json!({"name": "Zeta"})).await.unwrap();
    let changes = world.changes("account", json!({"name": "Mine"}));
    let error = world
        .records
        .update(&world.caller, &name("account"), first.id, changes, Some(first.version))
        .await
        .unwrap_err();
    let Error::VersionConflict { expected, found } = error else { panic!("{error}") };
    assert_eq!((expected, *found), (first.version, second));
}

#[tokio::test]
async fn deleting_frees_a_unique_value_and_restoring_takes_it_back() {
    let world = World::new().await;
    let first = world.create("account", json!({"name": "One", "external_id": "x"})).await;
    let error = world.try_create("account", json!({"name": "Two", "external_id": "x"})).await.unwrap_err();
    assert!(matches!(error, Error::Duplicate { holder, .. } if holder == first.id));
    world.delete("account", first.id).await;
    assert_eq!(world.get("account", first.id).await, None);
    let second = world.create("account", json!({"name": "Two", "external_id": "x"})).await;
    let error = world.records.restore(&world.caller, &name("account"), first.id).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`x` as external_id is taken by account `{}`", second.id));
    world.delete("account", second.id).await;
    let restored = world.records.restore(&world.caller, &name("account"), first.id).await.unwrap();
    assert_eq!((restored.fields, restored.ordinal), (first.fields, first.ordinal));
    world.expect_clean().await;
}

#[tokio::test]
async fn append_only_records_are_deleted_but_never_changed() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Acme"})).await;
    let line = json!({"account": account.id.to_string(), "ordered_on": "2026-01-02", "quantity": 2.0});
    let line = world.create("order_line", line).await;
    let error = world.update("order_line", line.id, json!({"quantity": 3.0})).await.unwrap_err();
    assert_eq!(error.code(), "append_only");
    world.delete("order_line", line.id).await;
    world.expect_clean().await;
}

#[tokio::test]
async fn a_batch_is_one_write_set_whose_bad_rows_fail_alone() {
    let world = World::new().await;
    let head = world.records.log_head();
    let writes = vec![
        world.create_of("account", json!({"name": "A", "external_id": "a"})),
        world.create_of("account", json!({"external_id": "b"})),
        world.create_of("account", json!({"name": "C", "external_id": "a"})),
        world.create_of("account", json!({"name": "D"})),
    ];
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    let codes: Vec<&str> =
        results.iter().map(|result| result.as_ref().map_or_else(Error::code, |_| "ok")).collect();
    assert_eq!(codes, ["ok", "validation_error", "duplicate", "ok"]);
    assert_eq!(world.records.log_head(), head + 1);
    assert_eq!(world.records.log_after(head, 5).await.unwrap()[0].changes().len(), 2);
    let ordinals: Vec<_> =
        results.iter().filter_map(|result| result.as_ref().ok()?.record()?.ordinal).collect();
    assert!(ordinals.is_sorted());
    world.expect_clean().await;
}

#[tokio::test]
async fn later_writes_of_a_batch_see_earlier_ones() {
    let world = World::new().await;
    let id = world.create("account", json!({"name": "Zero", "external_id": "z"})).await.id;
    let given =
        trellis_records::IdSource::record_id(&trellis_records::SystemIds::default(), 1_700_000_000_000);
    let writes = vec![
        Write::Create {
            object: name("account"),
            fields: world.fields("account", json!({"name": "One"})),
            id: Some(given),
        },
        world.create_of("order", json!({"account": given.to_string(), "ordered_on": "2026-01-01"})),
        Write::Update {
            object: name("account"),
            id: given,
            changes: world.changes("account", json!({"name": "Uno"})),
            expected_version: None,
        },
        world.upsert_of("account", json!({"name": "Two", "external_id": "two"})),
        world.upsert_of("account", json!({"name": "Two", "external_id": "two"})),
        world.upsert_of("account", json!({"name": "Deux", "external_id": "two"})),
        Write::Delete { object: name("account"), id, expected_version: None },
        world.create_of("account", json!({"name": "New", "external_id": "z"})),
    ];
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    let kinds: Vec<&str> = results
        .iter()
        .map(|result| match result {
            Ok(Written::Created(_)) => "created",
            Ok(Written::Updated(_)) => "updated",
            Ok(Written::Unchanged(_)) => "unchanged",
            Ok(Written::Deleted) => "deleted",
            Ok(Written::Restored(_)) => "restored",
            Err(error) => error.code(),
        })
        .collect();
    assert_eq!(
        kinds,
        ["created", "created", "updated", "created", "unchanged", "updated", "deleted", "created"]
    );
    assert_eq!(world.names("account", json!({"and": []}), "name").await, ["Deux", "New", "Uno"]);
    world.expect_clean().await;
}

#[tokio::test]
async fn long_values_stand_in_parts() {
    let world = World::new().await;
    let long = "长".repeat(10_000);
    let record = world.create("account", json!({"name": "Long", "description": long})).await;
    assert_eq!(world.get("account", record.id).await.unwrap(), record);
    world.expect_clean().await;
    let short = world.update("account", record.id, json!({"description": "short"})).await.unwrap();
    assert_eq!(world.get("account", record.id).await.unwrap(), short);
    world.expect_clean().await;
}

#[tokio::test]
async fn only_one_of_many_wins_a_unique_value() {
    let world = World::new().await;
    let create =
        |n: usize| world.try_create("account", json!({"name": format!("n{n}"), "external_id": "same"}));
    let results = futures_util::future::join_all((0..20).map(create)).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results.iter().flatten().count() == 1
            && results
                .iter()
                .filter_map(|result| result.as_ref().err())
                .all(|error| error.code() == "duplicate")
    );
    world.expect_clean().await;
}

#[tokio::test]
async fn limits_are_reached() {
    let limits =
        Limits { batch_rows_max: 2, record_bytes_max: 1_000, fields_per_record_max: 3, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    let writes = vec![world.create_of("account", json!({"name": "A"})); 3];
    assert_eq!(
        world.records.write_batch(&world.caller, writes).await.unwrap_err().to_string(),
        "3 writes in a batch, at most 2"
    );
    let error = world
        .try_create("account", json!({"name": "A", "description": "x".repeat(2_000)}))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "2001 bytes in a record, at most 1000");
    let error = world
        .try_create("account", json!({"name": "A", "city": "B", "country": "C", "phone": "D"}))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "4 fields in a record, at most 3");
    let mut deep = world.caller.clone();
    deep.cause.depth = 9;
    let error = world
        .records
        .create(&deep, &name("account"), world.fields("account", json!({"name": "A"})))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "change is 9 reactions deep, at most 8");
}

#[tokio::test]
async fn what_is_stored_is_there_after_opening_again() {
    let store = std::sync::Arc::new(trellis_storage::MemoryStore::new());
    let world = World::over(store.clone(), Config::default()).await;
    let account = world.create("account", json!({"name": "Acme"})).await;
    let records = crate::support::open(store, Config::default()).await;
    assert_eq!(records.log_head(), world.records.log_head());
    assert_eq!(
        records.get(&Scope::everything(), &name("account"), account.id).await.unwrap().unwrap(),
        account
    );
    let again = World { records, caller: world.caller };
    let next = again.create("account", json!({"name": "Next"})).await;
    assert_eq!(next.ordinal, Some(1_000), "what was left of the block is a gap");
    assert_eq!(again.records.ordinal_bound(account.object), 1_001);
    let ids = again.records.ordinals_after(account.object, None, 10).await.unwrap();
    assert_eq!(ids, [(0, account.id), (1_000, next.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_had_read_the_same_version_one_wins() {
    let world = World::new().await;
    let first = world.create("account", json!({"name": "Acme"})).await;
    let update = |n: usize| {
        let (records, caller) = (world.records.clone(), world.caller.clone());
        let changes = world.changes("account", json!({"name": format!("n{n}")}));
        // A task must be able to save: the future crosses threads.
        tokio::spawn(async move {
            records.update(&caller, &name("account"), first.id, changes, Some(first.version)).await
        })
    };
    let results = futures_util::future::join_all((0..16).map(update)).await;
    let codes: Vec<&str> = results
        .iter()
        .map(|result| result.as_ref().unwrap().as_ref().map_or_else(Error::code, |_| "ok"))
        .collect();
    assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| ["ok", "version_conflict"].contains(code)), "{codes:?}");
    world.expect_clean().await;
}

#[tokio::test]
async fn a_batch_too_large_for_one_write_set_becomes_several_in_order() {
    let world = World::new().await;
    let head = world.records.log_head();
    let long = "x".repeat(9_900);
    let row = |n: usize| json!({"name": format!("n{n:03}"), "description": long.clone()});
    let writes: Vec<Write> = (0..200).map(|n| world.create_of("account", row(n))).collect();
    let results = world.records.write_batch(&world.caller, writes).await.unwrap();
    let names: Vec<String> = results
        .iter()
        .map(|result| world.text("account", result.as_ref().unwrap().record().unwrap(), "name"))
        .collect();
    assert!(names.is_sorted() && names.len() == 200);
    assert_eq!(world.records.log_head(), head + 2, "4 MB of records and log need two write sets");
    world.expect_clean().await;
}

#[tokio::test]
async fn the_log_tells_its_readers_when_it_grows() {
    let world = World::new().await;
    let mut watch = world.records.log_watch();
    let before = *watch.borrow_and_update();
    world.create("account", json!({"name": "Acme"})).await;
    assert_eq!((watch.has_changed().unwrap(), *watch.borrow_and_update()), (true, before + 1));
    let data = json!({"run": 7});
    let body = trellis_records::EntryBody::Event { name: "run.flipped".into(), data };
    let entry = trellis_records::NewEntry {
        actor: world.caller.actor.clone(),
        cause: world.caller.cause.clone(),
        body,
    };
    let mut set = trellis_storage::WriteSet::new();
    set.put([0x50], [1]);
    let counter = set.add([0x51], 5);
    let committed = world.records.commit(set, Some(entry.clone())).await.unwrap();
    assert_eq!((committed.log_number, committed.counters), (Some(before + 2), vec![5]), "{counter:?}");
    let logged = world.records.log_after(before + 1, 10).await.unwrap().remove(0);
    assert_eq!((logged.body, logged.position), (entry.body, committed.position.0));
    world.expect_clean().await;
}

#[tokio::test]
async fn the_base_currency_is_fixed_by_the_first_amount() {
    let store = std::sync::Arc::new(trellis_storage::MemoryStore::new());
    let yuan = || Config { base_currency: trellis_model::Currency::new("CNY").unwrap(), ..Config::default() };
    let open = |config| World::over(store.clone(), config);
    open(Config::default()).await.create("account", json!({"name": "Acme"})).await;
    let price = json!({"name": "Tea", "list_price": {"amount": "9.90", "currency": "CNY"}});
    open(yuan()).await.create("product", price).await;
    let ids = std::sync::Arc::new(trellis_records::SystemIds::default());
    let clock = std::sync::Arc::new(trellis_records::SystemClock);
    let error =
        trellis_records::Records::open(store.clone(), clock, ids, Config::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the base currency is CNY since the first amount was stored, the configuration says USD"
    );
    open(yuan()).await.expect_clean().await;
}

#[tokio::test]
async fn a_counter_has_grown_once_a_change_of_its_object_is_acknowledged() {
    use std::sync::atomic::Ordering;
    let world = World::new().await;
    let schema = world.records.schema();
    let counter = world.records.watch_object(schema.object("rule").unwrap().id);
    let same = world.records.watch_object(schema.object("rule").unwrap().id);
    let count = || (counter.load(Ordering::Acquire), same.load(Ordering::Acquire));
    let create = |object: &str, fields| {
        world.records.write_batch(&world.caller, vec![world.create_of(object, fields)])
    };
    create("account", json!({ "name": "Acme" })).await.unwrap();
    assert_eq!(count(), (0, 0), "of another object");
    let rule = json!({
        "name": "R", "object": "account", "trigger": "before_save", "position": 1, "enabled": false, "source": "1",
    });
    let mut written = create("rule", rule).await.unwrap();
    assert_eq!(count(), (1, 1));
    let id = written.remove(0).unwrap().record().unwrap().id;
    world.records.delete(&world.caller, &name("rule"), id, None).await.unwrap();
    assert_eq!(count(), (2, 2), "a deletion too");
    world.records.restore(&world.caller, &name("rule"), id).await.unwrap();
    assert_eq!(count(), (3, 3), "and a restoration");
}

#[tokio::test]
async fn a_filter_can_be_asked_about_a_record_that_is_not_stored() {
    let world = World::new().await;
    let mut written = world
        .records
        .write_batch(&world.caller, vec![world.create_of("account", json!({ "name": "Acme" }))])
        .await
        .unwrap();
    let mut record = written.remove(0).unwrap().record().unwrap().clone();
    let would = |field: &str, value: &str, record: &trellis_model::Record, scope: trellis_model::Scope| {
        let filter = trellis_model::Filter::compare(field, trellis_model::Op::Eq, value).unwrap();
        let (world, record) = (&world, record.clone());
        async move { world.records.would_match(&scope, &name("account"), &filter, &record).await }
    };
    let all = trellis_model::Scope::everything;
    record.fields.extend(world.fields("account", json!({ "industry": "retail" })));
    assert!(would("industry", "retail", &record, all()).await.unwrap());
    assert!(!would("industry", "other", &record, all()).await.unwrap());
    assert!(!would("industry", "retail", &record, trellis_model::Scope::nothing()).await.unwrap_or(false));
    record.deleted_at_ms = Some(1);
    assert!(!would("industry", "retail", &record, all()).await.unwrap(), "deleted");
}
