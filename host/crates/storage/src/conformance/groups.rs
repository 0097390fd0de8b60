use std::sync::Arc;

use super::{Subject, commit, counter, on_new_store, put, set, value};
use crate::{Error, Position, ScanRange, StampPlace, StampSource};

/// Tasks that commit at once.
const TASKS: u64 = 16;
/// Commits of each task.
const COMMITS: u64 = 25;

pub fn counters_are_contiguous_under_concurrency<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                let mut numbers = Vec::new();
                for _ in 0..COMMITS {
                    let committed = commit(&store, |set| {
                        let number = set.add(b"log", 1);
                        let entry = set.put(b"e/........", task.to_be_bytes());
                        set.stamp(StampPlace::Key(entry, 2), StampSource::Counter(number));
                    });
                    let committed = committed.await;
                    numbers.push((committed.counters[0], committed.position));
                }
                numbers
            });
        }
        let mut numbers: Vec<(u64, Position)> = tasks.join_all().await.concat();
        numbers.sort();
        assert!(numbers.iter().map(|(number, _)| *number).eq(1..=TASKS * COMMITS));
        assert!(numbers.is_sorted_by(|a, b| a.1 < b.1), "a later number has a later position");
        let rows = store.scan(ScanRange::prefix(b"e/"), usize::MAX).await.unwrap().rows;
        let found: Vec<_> = rows.iter().map(|row| (row.key[2..].to_vec(), row.position)).collect();
        let expected: Vec<_> =
            numbers.iter().map(|(number, at)| (number.to_be_bytes().to_vec(), *at)).collect();
        assert_eq!(found, expected);
    });
}

pub fn write_sets_in_flight_together_see_each_other<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        // Each transfer takes one from what it sees; together they may take ten and no more.
        commit(&store, |set| {
            set.add(b"left", 10);
        })
        .await;
        let transfers: Vec<_> = (0..40_u8)
            .map(|task| {
                store.commit(set(|set| {
                    set.expect_counter(b"left", crate::Bound::AtLeast(1));
                    set.add(b"left", -1);
                    set.put([b't', task], [task]);
                }))
            })
            .collect();
        let outcomes = futures_util::future::join_all(transfers).await;
        let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let refused = |outcome: &&Result<_, _>| matches!(outcome, Err(Error::PreconditionFailed { .. }));
        assert_eq!((taken, outcomes.iter().filter(refused).count()), (10, 30));
        assert_eq!(counter(&store, b"left").await, 0);
        assert_eq!(store.scan(ScanRange::prefix(b"t"), 99).await.unwrap().rows.len(), 10);
    });
}

pub fn concurrent_creators_of_one_key_have_one_winner<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        for round in 0..20_u8 {
            let creators = (0..TASKS as u8).map(|task| {
                store.commit(set(|set| {
                    set.expect_absent([b'u', round]).put([b'u', round], [task]);
                }))
            });
            let outcomes = futures_util::future::join_all(creators).await;
            let winners: Vec<u8> =
                (0..).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(at, _)| at).collect();
            assert_eq!(winners.len(), 1, "round {round}");
            assert_eq!(value(&store, &[b'u', round]).await, Some(winners));
        }
    });
}

pub fn readers_see_every_acknowledged_commit<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let (acknowledged, seen) = tokio::sync::watch::channel(0_u64);
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (store, seen) = (Arc::clone(&store), seen.clone());
            readers.spawn(async move {
                while seen.has_changed().is_ok() {
                    let at_least = *seen.borrow();
                    let found = value(&store, b"n")
                        .await
                        .map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
                    assert!(found >= at_least, "read {found} after {at_least} was acknowledged");
                    let page = store.scan(ScanRange::prefix(b"n"), 1).await.unwrap();
                    assert!(at_least == 0 || page.rows[0].value[..] >= at_least.to_be_bytes()[..]);
                    tokio::task::yield_now().await;
                }
            });
        }
        drop(seen);
        for round in 1..=400_u64 {
            put(&store, b"n", &round.to_be_bytes()).await;
            acknowledged.send_replace(round);
        }
        drop(acknowledged);
        readers.join_all().await;
    });
}
