use super::{Subject, commit, counter, on_new_store, put, refused, value};
use crate::{Bound, Error, Position, PreconditionKind, ScanRange, StampPlace, StampSource};

pub fn a_put_is_read_back_with_its_position<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let position = put(&store, b"key", b"value").await;
        let found = store.get(b"key").await.unwrap().unwrap();
        assert_eq!((found.position, &found.value[..]), (position, &b"value"[..]));
        put(&store, b"empty", b"").await;
        assert_eq!(value(&store, b"empty").await, Some(vec![]));
    });
}

pub fn a_key_that_was_never_put_is_absent<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        put(&store, b"key", b"value").await;
        assert_eq!(store.get(b"ke").await.unwrap(), None);
        assert_eq!(store.get(b"key\0").await.unwrap(), None);
    });
}

pub fn a_delete_removes_and_may_be_repeated<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        put(&store, b"key", b"value").await;
        for _ in 0..2 {
            commit(&store, |set| {
                set.delete(b"key");
            })
            .await;
            assert_eq!(store.get(b"key").await.unwrap(), None);
            assert_eq!(store.scan(ScanRange::prefix(b""), 9).await.unwrap().rows, []);
        }
    });
}

pub fn a_second_put_replaces_value_and_position<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let first = put(&store, b"key", b"one").await;
        let second = put(&store, b"key", b"two").await;
        let found = store.get(b"key").await.unwrap().unwrap();
        assert!(second > first);
        assert_eq!((found.position, &found.value[..]), (second, &b"two"[..]));
    });
}

pub fn a_failed_precondition_writes_nothing<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        put(&store, b"old", b"1").await;
        let head = store.head();
        refused(&store, |set| {
            set.expect_absent(b"old").delete(b"old");
            set.put(b"new", b"2");
            set.add(b"count", 1);
        })
        .await;
        assert_eq!(value(&store, b"old").await.as_deref(), Some(&b"1"[..]));
        assert_eq!((value(&store, b"new").await, value(&store, b"count").await), (None, None));
        assert_eq!(store.head(), head);
    });
}

pub fn the_first_precondition_that_fails_is_named<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let position = put(&store, b"a", b"1").await;
        let error = refused(&store, |set| {
            set.expect_absent(b"z").expect_absent(b"a").expect_written_at(b"y", Position(1));
        })
        .await;
        let Error::PreconditionFailed { index, key, expected, found } = error else { panic!("{error}") };
        assert_eq!(
            (index, &key[..], expected, found),
            (1, &b"a"[..], PreconditionKind::Absent, Some(position))
        );
    });
}

pub fn absent_and_written_at_follow_the_key<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let created = commit(&store, |set| {
            set.expect_absent(b"k").put(b"k", b"1");
        });
        let created = created.await.position;
        let changed = commit(&store, |set| {
            set.expect_written_at(b"k", created).put(b"k", b"2");
        });
        let changed = changed.await.position;
        let stale = refused(&store, |set| {
            set.expect_written_at(b"k", created).put(b"k", b"3");
        });
        assert!(matches!(stale.await, Error::PreconditionFailed { found, .. } if found == Some(changed)));
        let missing = refused(&store, |set| {
            set.expect_written_at(b"other", created);
        });
        assert!(matches!(missing.await, Error::PreconditionFailed { found: None, .. }));
        commit(&store, |set| {
            set.expect_written_at(b"k", changed).delete(b"k");
        })
        .await;
        commit(&store, |set| {
            set.expect_absent(b"k");
        })
        .await;
    });
}

pub fn counter_bounds_look_at_the_value_before_the_write_set<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let claim = |set: &mut crate::WriteSet| {
            set.expect_counter(b"stock", Bound::AtLeast(1));
            set.add(b"stock", -1);
        };
        let missing_is_zero = refused(&store, claim).await;
        assert!(matches!(missing_is_zero, Error::PreconditionFailed { found: Some(Position(0)), .. }));
        commit(&store, |set| {
            set.expect_counter(b"stock", Bound::AtMost(0));
            set.add(b"stock", 2);
        })
        .await;
        commit(&store, claim).await;
        commit(&store, claim).await;
        assert!(matches!(refused(&store, claim).await, Error::PreconditionFailed { .. }));
        let over = refused(&store, |set| {
            set.expect_counter(b"stock", Bound::AtLeast(1));
        });
        assert!(matches!(over.await, Error::PreconditionFailed { index: 0, .. }));
    });
}

pub fn counters_add_up_and_refuse_to_leave_their_range<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        for (delta, expected) in [(5, 5), (-2, 3), (0, 3), (i64::MAX - 3, i64::MAX as u64)] {
            let committed = commit(&store, |set| {
                set.add(b"n", delta);
            });
            assert_eq!(committed.await.counters, [expected]);
            assert_eq!(counter(&store, b"n").await, expected);
        }
        for delta in [1, i64::MAX, i64::MIN] {
            let error = refused(&store, |set| {
                set.add(b"n", delta);
            });
            assert!(matches!(error.await, Error::InvalidWriteSet { .. }), "adding {delta}");
        }
        assert_eq!(counter(&store, b"n").await, i64::MAX as u64);
    });
}

pub fn a_counter_is_eight_bytes<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        put(&store, b"n", b"seven b").await;
        let add = refused(&store, |set| {
            set.add(b"n", 1);
        });
        assert!(matches!(add.await, Error::InvalidWriteSet { .. }));
        let bound = refused(&store, |set| {
            set.expect_counter(b"n", Bound::AtMost(9));
        });
        assert!(matches!(bound.await, Error::InvalidWriteSet { .. }));
        assert_eq!(value(&store, b"n").await.as_deref(), Some(&b"seven b"[..]));
    });
}

pub fn stamps_fill_keys_and_values<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        put(&store, b"earlier", b"").await;
        let committed = commit(&store, |set| {
            let number = set.add(b"log", 1);
            let entry = set.put(b"e/........", b"<........|........>");
            set.stamp(StampPlace::Key(entry, 2), StampSource::Counter(number));
            set.stamp(StampPlace::Value(entry, 1), StampSource::Position);
            set.stamp(StampPlace::Value(entry, 10), StampSource::Counter(number));
        });
        let committed = committed.await;
        let (position, number) = (committed.position.0.to_be_bytes(), committed.counters[0].to_be_bytes());
        let expected = [b"<", &position[..], b"|", &number[..], b">"].concat();
        assert_eq!(value(&store, &[b"e/", &number[..]].concat()).await, Some(expected));
        assert_eq!(value(&store, b"e/........").await, None);
    });
}

pub fn several_adds_to_one_counter_apply_in_order<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let committed = commit(&store, |set| {
            for place in 0..3_u8 {
                let number = set.add(b"log", 1);
                let entry = set.put([b"e/........", &[place][..]].concat(), [place]);
                set.stamp(StampPlace::Key(entry, 2), StampSource::Counter(number));
            }
            set.add(b"other", 7);
        });
        assert_eq!(committed.await.counters, [1, 2, 3, 7]);
        assert_eq!((counter(&store, b"log").await, counter(&store, b"other").await), (3, 7));
        let rows = store.scan(ScanRange::prefix(b"e/"), 9).await.unwrap().rows;
        let keys: Vec<_> = rows.iter().map(|row| row.key.to_vec()).collect();
        let expected = |number: u64| [b"e/", &number.to_be_bytes()[..], &[number as u8 - 1]].concat();
        assert_eq!(keys, [expected(1), expected(2), expected(3)]);
    });
}

pub fn adds_then_deletes_then_puts<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        commit(&store, |set| {
            set.put(b"put and delete", b"kept");
            set.delete(b"put and delete").delete(b"add and delete");
            set.add(b"add and delete", 4);
            set.put(b"add and put", b"kept");
            set.add(b"add and put", 4);
        })
        .await;
        assert_eq!(value(&store, b"put and delete").await.as_deref(), Some(&b"kept"[..]));
        assert_eq!(value(&store, b"add and delete").await, None);
        assert_eq!(value(&store, b"add and put").await.as_deref(), Some(&b"kept"[..]));
    });
}

pub fn the_last_put_of_a_key_wins<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        commit(&store, |set| {
            set.put(b"k", b"one");
            set.put(b"k", b"two");
        })
        .await;
        assert_eq!(value(&store, b"k").await.as_deref(), Some(&b"two"[..]));
        assert_eq!(store.scan(ScanRange::prefix(b""), 9).await.unwrap().rows.len(), 1);
    });
}

pub fn an_empty_write_set_gets_a_position<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let first = commit(&store, |_| ()).await;
        let second = commit(&store, |set| {
            set.expect_absent(b"k");
        });
        let second = second.await;
        assert!(second.position > first.position && first.position > Position(0));
        assert_eq!((store.head(), second.counters), (second.position, vec![]));
        assert_eq!(store.scan(ScanRange::prefix(b""), 9).await.unwrap().rows, []);
    });
}

pub fn positions_grow_and_head_follows<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        assert_eq!(store.head(), Position(0));
        let epoch = store.epoch();
        let mut last = Position(0);
        for round in 0..20_u8 {
            let position = put(&store, &[round % 3], &[round]).await;
            assert!(position > last, "{position:?} after {last:?}");
            assert_eq!(store.head(), position);
            last = position;
        }
        assert_eq!(store.epoch(), epoch);
    });
}

pub fn keys_of_any_bytes_are_kept_apart<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let parts: [&[u8]; 6] = [b"", b"\0", b"\xff", b"a", b"\0\xff", b"\xff\xff"];
        let mut keys: Vec<Vec<u8>> =
            parts.iter().flat_map(|a| parts.iter().map(|b| [*a, *b].concat())).collect();
        keys.sort();
        keys.dedup();
        for key in keys.iter().rev() {
            put(&store, key, key).await;
        }
        for key in &keys {
            assert_eq!(value(&store, key).await.as_ref(), Some(key));
        }
        let rows = store.scan(ScanRange::prefix(b""), 99).await.unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.key.to_vec()).collect::<Vec<_>>(), keys);
        let rows = store.scan(ScanRange::prefix(b"\xff"), 99).await.unwrap().rows;
        let expected: Vec<_> = keys.into_iter().filter(|key| key.starts_with(b"\xff")).collect();
        assert_eq!(rows.iter().map(|row| row.key.to_vec()).collect::<Vec<_>>(), expected);
    });
}

pub fn a_bad_stamp_is_refused<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        for offset in [3, usize::MAX] {
            let error = refused(&store, |set| {
                let entry = set.put(b"k", b"ten bytes!");
                set.stamp(StampPlace::Value(entry, offset), StampSource::Position);
            });
            assert!(matches!(error.await, Error::InvalidWriteSet { .. }), "at {offset}");
        }
        assert_eq!(value(&store, b"k").await, None);
    });
}
