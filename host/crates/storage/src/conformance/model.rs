use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Subject, on_new_store, set};
use crate::{Position, ScanRange, StampPlace, StampSource};

/// Steps of one history.
const STEPS: usize = 100;

#[derive(Debug, Clone)]
enum Write {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    Add(Vec<u8>, i8),
    StampedPut(Vec<u8>),
    ExpectAbsent(Vec<u8>),
    /// Of the key's last position as the model knows it, or the one before.
    ExpectWrittenAt(Vec<u8>, bool),
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Write>),
    Get(Vec<u8>),
    Scan { start: Vec<u8>, end: Option<Vec<u8>>, reverse: bool, rows_max: usize },
}

/// The model: value and position by key.
type Model = BTreeMap<Vec<u8>, (Position, Vec<u8>)>;

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(1), Just(b'a'), Just(254), Just(255)], 0..4)
}

/// Counters have keys of their own, so that most adds meet a counter and some meet a value.
fn counter() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => prop::sample::select(vec![b"#1".to_vec(), b"#2".to_vec()]), 1 => key()]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        6 => (key(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(key, value)| Write::Put(key, value)),
        3 => key().prop_map(Write::Delete),
        3 => (counter(), -3..10_i8).prop_map(|(key, delta)| Write::Add(key, delta)),
        1 => key().prop_map(Write::StampedPut),
        1 => key().prop_map(Write::ExpectAbsent),
        1 => (key(), prop::bool::weighted(0.8)).prop_map(|(key, current)| Write::ExpectWrittenAt(key, current)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let range = (key(), prop::option::of(key()), any::<bool>(), 0..12_usize);
    prop_oneof![
        6 => prop::collection::vec(write(), 0..8).prop_map(Step::Commit),
        2 => key().prop_map(Step::Get),
        3 => range.prop_map(|(start, end, reverse, rows_max)| Step::Scan { start, end, reverse, rows_max }),
    ]
}

/// What the model says a commit does: the new state, or `None` where it is refused.
fn apply(model: &Model, writes: &[Write], position: Position) -> Option<(Model, Vec<u64>)> {
    let mut next = model.clone();
    let mut counters = Vec::new();
    for write in writes {
        match write {
            Write::ExpectAbsent(key) if model.contains_key(key) => return None,
            Write::ExpectWrittenAt(key, current) if !(model.contains_key(key) && *current) => return None,
            _ => {}
        }
    }
    for write in writes {
        let Write::Add(key, delta) = write else { continue };
        let before = match next.get(key) {
            Some((_, value)) => u64::from_be_bytes(value.clone().try_into().ok()?),
            None => 0,
        };
        let after =
            before.checked_add_signed(i64::from(*delta)).filter(|after| i64::try_from(*after).is_ok())?;
        next.insert(key.clone(), (position, after.to_be_bytes().to_vec()));
        counters.push(after);
    }
    for write in writes {
        if let Write::Delete(key) = write {
            next.remove(key);
        }
    }
    for write in writes {
        match write {
            Write::Put(key, value) => next.insert(key.clone(), (position, value.clone())),
            Write::StampedPut(key) => next.insert(key.clone(), (position, position.0.to_be_bytes().to_vec())),
            _ => None,
        };
    }
    Some((next, counters))
}

async fn commit_both(store: &Subject, model: &mut Model, writes: &[Write]) {
    let head = store.head();
    let outcome = store.commit(set(|set| {
        for write in writes {
            match write {
                Write::Put(key, value) => _ = set.put(&key[..], &value[..]),
                Write::Delete(key) => _ = set.delete(&key[..]),
                Write::Add(key, delta) => _ = set.add(&key[..], i64::from(*delta)),
                Write::StampedPut(key) => {
                    let put = set.put(&key[..], [0; 8]);
                    set.stamp(StampPlace::Value(put, 0), StampSource::Position);
                }
                Write::ExpectAbsent(key) => _ = set.expect_absent(&key[..]),
                Write::ExpectWrittenAt(key, current) => {
                    let last = model.get(key).map_or(Position(0), |(position, _)| *position);
                    let expected = if *current { last } else { Position(last.0.saturating_sub(1)) };
                    set.expect_written_at(&key[..], expected);
                }
            }
        }
    }));
    let outcome = outcome.await;
    let position = outcome.as_ref().map_or(head, |committed| committed.position);
    match (outcome, apply(model, writes, position)) {
        (Ok(committed), Some((next, counters))) => {
            assert!(committed.position > head);
            assert_eq!(committed.counters, counters);
            *model = next;
        }
        (Err(_), None) => assert_eq!(store.head(), head),
        (outcome, expected) => panic!("store says {outcome:?}, the model {expected:?}"),
    }
}

async fn compare_scan(store: &Subject, model: &Model, range: ScanRange, rows_max: usize) {
    let inside = |key: &[u8]| key >= &range.start[..] && range.end.as_ref().is_none_or(|end| key < &end[..]);
    let mut expected: Vec<_> = model.iter().filter(|(key, _)| inside(key)).collect();
    if range.reverse {
        expected.reverse();
    }
    let more = expected.len() > rows_max;
    expected.truncate(rows_max);
    let page = store.scan(range, rows_max).await.unwrap();
    let rows = page.rows.iter().map(|row| (row.key.to_vec(), (row.position, row.value.to_vec())));
    let expected = expected.into_iter().map(|(key, found)| (key.clone(), found.clone()));
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(page.more, more);
}

/// 64 histories of up to 100 steps; `PROPTEST_CASES` raises the number.
pub fn any_history_matches_a_sorted_map<G>(factory: &dyn Fn() -> (Subject, G)) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(step(), 1..=STEPS), |steps| {
        on_new_store(factory, |store| async move {
            let mut model = Model::new();
            for step in &steps {
                match step {
                    Step::Commit(writes) => commit_both(&store, &mut model, writes).await,
                    Step::Get(key) => {
                        let found =
                            store.get(key).await.unwrap().map(|found| (found.position, found.value.to_vec()));
                        assert_eq!(found, model.get(key).cloned());
                    }
                    Step::Scan { start, end, reverse, rows_max } => {
                        let range = ScanRange { start: start.clone(), end: end.clone(), reverse: *reverse };
                        compare_scan(&store, &model, range, *rows_max).await;
                    }
                }
            }
            compare_scan(&store, &model, ScanRange::prefix(b""), usize::MAX).await;
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
