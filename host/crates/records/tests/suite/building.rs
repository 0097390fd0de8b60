//! Indexes that come to be while records are read, written and lost.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_records::{BuildEnd, Config, Error, SchemaApply};
use trellis_storage::{Committed, Epoch, MemoryStore, Page, Position, ScanRange, Store, Versioned, WriteSet};

use crate::shaping::{machine, set};
use crate::support::World;

fn confirmed() -> SchemaApply {
    SchemaApply { confirm_destructive: true, ..SchemaApply::default() }
}

async fn world_with(machines: usize) -> World {
    let world = World::new().await;
    world.shape(machine()).await;
    for number in 0..machines {
        let price = number % 7;
        world.create("machine", json!({ "name": format!("m{number}"), "serial": format!("s{number}"), "price": price as f64 })).await;
    }
    world
}

fn indexed() -> Json {
    let mut definition = machine();
    set(&mut definition, "price", "indexed", json!(true));
    set(&mut definition, "serial", "unique", json!(true));
    definition["indexes"] = json!([{ "equals": ["state"], "sort": "price" }]);
    definition
}

#[tokio::test]
async fn an_index_is_used_only_once_it_is_built() {
    let world = world_with(450).await;
    world.apply(vec![indexed()], &SchemaApply::default()).await.unwrap();
    let object = world.records.schema().object("machine").unwrap().clone();
    assert_eq!(world.records.schema().building(object.id), ["price", "serial", "state, price"]);
    let filter = || json!({ "field": "price", "op": "eq", "value": 3 });
    let before = world.list("machine", filter(), "").await;
    assert_eq!((before.records.len(), before.plan.index), (64, None));
    let by_serial = world.upsert_by_serial("s3").await.unwrap_err();
    assert!(by_serial.to_string().contains("still being built"), "{by_serial}");
    // Saves maintain it already.
    let late = world.create("machine", json!({ "name": "late", "serial": "s-late", "price": 3.0 })).await;
    world.expect_clean().await;
    world.build_all().await;
    let after = world.list("machine", filter(), "").await;
    assert_eq!((after.records.len(), after.plan.index.as_deref()), (65, Some("price")));
    assert!(after.records.iter().any(|record| record.id == late.id));
    assert!(world.upsert_by_serial("s3").await.is_ok());
    assert_eq!(
        world.try_create("machine", json!({ "name": "x", "serial": "s-late" })).await.unwrap_err().code(),
        "duplicate"
    );
    world.expect_clean().await;

    world.apply(vec![machine()], &confirmed()).await.unwrap();
    assert_eq!(world.list("machine", filter(), "").await.plan.index, None);
    world.create("machine", json!({ "name": "twin", "serial": "s-late" })).await;
    world.build_all().await;
    assert!(world.records.pending_builds().is_empty());
    world.expect_clean().await;
}

#[tokio::test]
async fn a_field_with_shared_values_does_not_become_unique() {
    let world = world_with(3).await;
    let twin = world.create("machine", json!({ "name": "twin", "serial": "s1" })).await;
    let mut definition = machine();
    set(&mut definition, "serial", "unique", json!(true));
    world.apply(vec![definition.clone()], &SchemaApply::default()).await.unwrap();
    let build = world.records.pending_builds().remove(0);
    let error = world.records.build_index(&world.caller, &build, &|_| ControlFlow::Continue(())).await;
    let Err(Error::NotUnique { duplicates, .. }) = error else { panic!("{error:?}") };
    assert_eq!((duplicates.len(), &*duplicates[0].0, duplicates[0].2), (1, "s1", twin.id));
    assert!(!world.records.schema().object("machine").unwrap().field("serial").unwrap().unique);
    world.build_all().await;
    world.create("machine", json!({ "name": "again", "serial": "s1" })).await;
    world.expect_clean().await;

    for record in
        world.list("machine", json!({ "field": "serial", "op": "eq", "value": "s1" }), "").await.records
    {
        world.update("machine", record.id, json!({ "serial": null })).await.unwrap();
    }
    world.shape(definition).await;
    world.expect_clean().await;
}

/// Frees and takes values whose keys are not built yet.
#[tokio::test]
async fn a_value_that_two_records_share_survives_the_change_of_one_of_them() {
    let world = world_with(0).await;
    let first = world.create("machine", json!({ "name": "first", "serial": "a" })).await;
    let mut definition = machine();
    set(&mut definition, "serial", "unique", json!(true));
    world.apply(vec![definition], &SchemaApply::default()).await.unwrap();
    // Nobody knows yet that the first has it.
    let second = world.create("machine", json!({ "name": "second", "serial": "a" })).await;
    world.update("machine", first.id, json!({ "serial": "b" })).await.unwrap();
    let third = world.try_create("machine", json!({ "name": "third", "serial": "a" })).await;
    assert!(matches!(third, Err(Error::Duplicate { holder, .. }) if holder == second.id));
    world.build_all().await;
    world.expect_clean().await;
}

/// A store that loses its process after so many commits.
#[derive(Debug)]
struct Mortal {
    inner: Arc<MemoryStore>,
    left: AtomicU64,
}

impl Store for Mortal {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, trellis_storage::Result<Option<Versioned>>> {
        self.inner.get(key)
    }

    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, trellis_storage::Result<Page>> {
        self.inner.scan(range, rows_max)
    }

    fn commit(&self, set: WriteSet) -> BoxFuture<'_, trellis_storage::Result<Committed>> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            let stopped = trellis_storage::Error::Stopped { reason: "the test stopped it".into() };
            return Box::pin(async { Err(stopped) });
        }
        self.inner.commit(set)
    }

    fn head(&self) -> Position {
        self.inner.head()
    }

    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }
}

#[tokio::test]
async fn a_crash_at_any_commit_of_a_change_and_its_builds_leaves_one_or_the_other() {
    for commits in [0, 1, 2, 3, 4, 5, 7, 9, 12] {
        let store = Arc::new(MemoryStore::new());
        let world = World::over(Arc::clone(&store), Config::default()).await;
        world.shape(machine()).await;
        for half in [0..125, 125..250] {
            let create =
                |number| world.create_of("machine", json!({ "name": "m", "serial": format!("s{number}") }));
            let written = world.records.write_batch(&world.caller, half.map(create).collect()).await.unwrap();
            assert!(written.iter().all(Result::is_ok));
        }
        let version = world.records.schema().version();
        let mortal = Arc::new(Mortal { inner: Arc::clone(&store), left: commits.into() });
        let dying = World::over_any(mortal, Config::default()).await;
        let applied = dying.apply(vec![indexed()], &SchemaApply::default()).await;
        assert_eq!(applied.is_ok(), commits > 0);
        if applied.is_ok() {
            for build in dying.records.pending_builds() {
                let end = dying.records.build_index(&dying.caller, &build, &|_| ControlFlow::Continue(()));
                if end.await.is_err() {
                    break;
                }
            }
        }
        let again = World::over(store, Config::default()).await;
        again.expect_clean().await;
        assert_eq!(again.records.schema().version() > version, commits > 0);
        again.shape(indexed()).await;
        let filter = json!({ "field": "state", "op": "eq", "value": "new" });
        let found = again.list("machine", filter, "price").await;
        assert_eq!((found.records.len(), found.plan.index.as_deref()), (200, Some("state, price")));
        again.expect_clean().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_while_the_schema_changes_and_indexes_are_built() {
    let world = Arc::new(world_with(300).await);
    let ids: Vec<RecordId> = world
        .list("machine", json!({ "and": [] }), "")
        .await
        .records
        .iter()
        .map(|record| record.id)
        .collect();
    let mut writers = Vec::new();
    for writer in 0..4_usize {
        let (world, ids) = (Arc::clone(&world), ids.clone());
        writers.push(tokio::spawn(async move {
            for round in 0..60 {
                let id = ids[(writer * 50 + round) % ids.len()];
                let price = (round % 5) as f64;
                match world
                    .update("machine", id, json!({ "price": price, "serial": format!("w{writer}-{round}") }))
                    .await
                {
                    Ok(_) | Err(Error::Contended { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                world
                    .create(
                        "machine",
                        json!({ "name": "new", "serial": format!("n{writer}-{round}"), "price": price }),
                    )
                    .await;
            }
        }));
    }
    for _ in 0..3 {
        world.apply(vec![indexed()], &confirmed()).await.unwrap();
        world.build_all().await;
        world.apply(vec![machine()], &confirmed()).await.unwrap();
        tokio::task::yield_now().await;
    }
    world.shape(indexed()).await;
    for writer in writers {
        writer.await.unwrap();
    }
    world.build_all().await;
    world.expect_clean().await;
    assert!(world.records.pending_builds().is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Create(u8, u8),
    Update(usize, u8, u8),
    Delete(usize),
    Restore(usize),
    /// Indexes on price, unique on serial, a composite one.
    Shape(bool, bool, bool),
    /// So many pages of what is to be built.
    Build(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..6, 0_u8..3).prop_map(|(serial, price)| Step::Create(serial, price)),
        4 => (any::<usize>(), 0_u8..6, 0_u8..3).prop_map(|(at, serial, price)| Step::Update(at, serial, price)),
        2 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Restore),
        3 => any::<(bool, bool, bool)>().prop_map(|(a, b, c)| Step::Shape(a, b, c)),
        3 => (1_u8..4).prop_map(Step::Build),
        1 => Just(Step::Reopen),
    ]
}

async fn take(world: &mut World, store: &Arc<MemoryStore>, ids: &mut Vec<RecordId>, step: Step) {
    let fields = |serial: u8, price: u8| {
        let serial = (serial > 0).then(|| format!("s{serial}"));
        json!({ "name": "m", "serial": serial, "price": f64::from(price) })
    };
    let pick = |ids: &Vec<RecordId>, at: usize| ids.get(at % ids.len().max(1)).copied();
    match step {
        Step::Create(serial, price) => {
            ids.extend(world.try_create("machine", fields(serial, price)).await.ok().map(|record| record.id));
        }
        Step::Update(at, serial, price) => {
            let Some(id) = pick(ids, at) else { return };
            let _ = world.update("machine", id, fields(serial, price)).await;
        }
        Step::Delete(at) => {
            let Some(id) = pick(ids, at) else { return };
            let _ = world.records.delete(&world.caller, &crate::support::name("machine"), id, None).await;
        }
        Step::Restore(at) => {
            let Some(id) = pick(ids, at) else { return };
            let _ = world.records.restore(&world.caller, &crate::support::name("machine"), id).await;
        }
        Step::Shape(price, serial, composite) => {
            let mut definition = machine();
            set(&mut definition, "price", "indexed", json!(price));
            set(&mut definition, "serial", "unique", json!(serial));
            if composite {
                definition["indexes"] = json!([{ "equals": ["serial"], "sort": "price" }]);
            }
            world.apply(vec![definition], &confirmed()).await.unwrap();
        }
        Step::Build(pages) => {
            for build in world.records.pending_builds() {
                let left = AtomicU64::new(pages.into());
                let stop = |_: u64| match left.fetch_sub(1, Ordering::SeqCst) {
                    0 | 1 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                };
                match world.records.build_index(&world.caller, &build, &stop).await {
                    Ok(BuildEnd::Finished | BuildEnd::Stopped | BuildEnd::Nothing) => {}
                    Err(Error::NotUnique { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
        Step::Reopen => *world = World::over(Arc::clone(store), Config::default()).await,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn indexes_agree_with_records_after_any_changes_of_the_schema(steps in prop::collection::vec(step(), 10..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move {
            let store = Arc::new(MemoryStore::new());
            let mut world = World::over(Arc::clone(&store), Config::default()).await;
            world.shape(machine()).await;
            let mut ids = Vec::new();
            for step in steps {
                take(&mut world, &store, &mut ids, step).await;
            }
            world.expect_clean().await;
            while let Some(build) = world.records.pending_builds().into_iter().next() {
                match world.records.build_index(&world.caller, &build, &|_| ControlFlow::Continue(())).await {
                    Ok(_) | Err(Error::NotUnique { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            world.expect_clean().await;
            for price in 0..3 {
                let filter = json!({ "field": "price", "op": "eq", "value": price });
                let found = world.list("machine", filter, "").await.records.len();
                let mut slow = 0;
                for id in &ids {
                    let record = world.get("machine", *id).await;
                    slow += usize::from(record.is_some_and(|record| world.text("machine", &record, "price") == format!("{price}.0")));
                }
                assert_eq!(found, slow);
            }
        });
    }
}

#[tokio::test]
async fn an_index_that_is_dropped_while_it_is_built_leaves_nothing() {
    let world = world_with(250).await;
    world.apply(vec![indexed()], &SchemaApply::default()).await.unwrap();
    for build in world.records.pending_builds() {
        // The second page is the first of records.
        let pages = AtomicU64::new(2);
        let stop = |_: u64| match pages.fetch_sub(1, Ordering::SeqCst) {
            1 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        assert_eq!(world.records.build_index(&world.caller, &build, &stop).await.unwrap(), BuildEnd::Stopped);
    }
    world.apply(vec![machine()], &confirmed()).await.unwrap();
    assert!(world.records.pending_builds().iter().all(|build| !build.building));
    world.build_all().await;
    world.expect_clean().await;
}
