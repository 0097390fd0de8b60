use serde_json::json;
use trellis_storage::{ScanRange, Store, WriteSet};

use crate::support::{World, name};

/// Changes the store behind the back of the records, and expects that the check says so.
async fn check(tamper: impl AsyncFn(&dyn Store, &mut WriteSet), expected: &str) {
    let world = World::new().await;
    let account = world
        .create("account", json!({"name": "Acme", "external_id": "x", "description": "d".repeat(9_000)}))
        .await;
    world.order(account.id, "2026-01-01", "1", 1.0).await;
    world.expect_clean().await;
    let mut set = WriteSet::new();
    tamper(&**world.records.store(), &mut set).await;
    world.records.store().commit(set).await.unwrap();
    let report = world.records.check().await.unwrap();
    assert!(
        report.differences.iter().any(|difference| difference.contains(expected)),
        "{expected}: {:#?}",
        report.differences
    );
}

/// The first key of a kind, with its value.
async fn first(store: &dyn Store, kind: u8) -> (Vec<u8>, Vec<u8>) {
    let row = store.scan(ScanRange::prefix(&[kind]), 1).await.unwrap().rows.remove(0);
    (row.key.to_vec(), row.value.to_vec())
}

async fn remove_first(store: &dyn Store, set: &mut WriteSet, kind: u8) {
    set.delete(first(store, kind).await.0);
}

/// Flips the last byte of the first value of a kind.
async fn damage_first(store: &dyn Store, set: &mut WriteSet, kind: u8) {
    let (key, mut value) = first(store, kind).await;
    *value.last_mut().unwrap() ^= 1;
    set.put(key, value);
}

/// Flips the last byte of the last record, which stands in one part.
async fn damage_last_record(store: &dyn Store, set: &mut WriteSet) {
    let row = store.scan(ScanRange::prefix(&[0x01]).reversed(), 1).await.unwrap().rows.remove(0);
    let mut value = row.value.to_vec();
    *value.last_mut().unwrap() ^= 1;
    set.put(row.key.to_vec(), value);
}

#[tokio::test]
async fn what_does_not_agree_is_named() {
    check(async |store, set| remove_first(store, set, 0x08).await, "index entry").await;
    check(async |store, set| remove_first(store, set, 0x09).await, "ordinal").await;
    check(async |store, set| remove_first(store, set, 0x0b).await, "unique key").await;
    check(async |store, set| remove_first(store, set, 0x0c).await, "event").await;
    check(async |store, set| damage_first(store, set, 0x0c).await, "event").await;
    check(async |store, set| remove_first(store, set, 0x02).await, "is missing").await;
    check(async |store, set| damage_first(store, set, 0x01).await, "a part of the record").await;
    check(async |store, set| damage_last_record(store, set).await, "checksum").await;
    check(async |store, set| damage_first(store, set, 0x03).await, "the log after entry 0 cannot be read")
        .await;
    check(async |store, set| damage_first(store, set, 0x04).await, "its payload does not match").await;
    check(async |store, set| remove_first(store, set, 0x01).await, "is not there").await;
    check(
        async |_, set| {
            set.add([0x05], 1);
        },
        "its counter says",
    )
    .await;
}

#[tokio::test]
async fn entries_that_belong_to_nobody_are_named() {
    let stray = async |store: &dyn Store, set: &mut WriteSet, kind: u8| {
        let (mut key, value) = first(store, kind).await;
        *key.last_mut().unwrap() ^= 1;
        set.put(key, value);
    };
    for kind in [0x02, 0x08, 0x09, 0x0b, 0x0c] {
        check(async |store, set| stray(store, set, kind).await, "belongs to no record").await;
    }
}

#[tokio::test]
async fn a_payload_may_expire_but_not_change() {
    let world = World::new().await;
    let account = world.create("account", json!({"name": "Acme"})).await;
    let key = [&[0x04][..], &account.last_log.to_be_bytes(), &[0, 0]].concat();
    let mut set = WriteSet::new();
    set.delete(key);
    world.records.store().commit(set).await.unwrap();
    world.expect_clean().await;
    let entry = world.records.log_after(account.last_log - 1, 1).await.unwrap().remove(0);
    assert_eq!(entry.changes()[0].fields, None);
    assert_eq!(
        world.records.get(&world.caller.scope, &name("account"), account.id).await.unwrap().unwrap(),
        account
    );
}
