use super::{Subject, commit, on_new_store, refused, value};
use crate::{Error, Limits, WriteSet};

fn fill(set: &mut WriteSet, puts: usize, value_bytes: usize) {
    for number in 0..puts {
        set.put((number as u64).to_be_bytes(), vec![7; value_bytes]);
    }
}

pub fn each_limit_is_reached_and_then_refused<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let limits = Limits::default();
        commit(&store, |set| fill(set, limits.write_set_keys_max, 1)).await;
        let error = refused(&store, |set| fill(set, limits.write_set_keys_max + 1, 1)).await;
        assert!(
            matches!(error, Error::WriteSetTooLarge { keys, keys_max, .. } if keys == keys_max + 1),
            "{error}"
        );

        let value_bytes = 4_096 - 8;
        let fitting = limits.write_set_bytes_max / (value_bytes + 8);
        commit(&store, |set| fill(set, fitting, value_bytes)).await;
        let error = refused(&store, |set| fill(set, fitting + 1, value_bytes)).await;
        assert!(
            matches!(error, Error::WriteSetTooLarge { bytes, bytes_max, .. } if bytes > bytes_max),
            "{error}"
        );

        let key = vec![b'k'; limits.key_bytes_max];
        commit(&store, |set| {
            set.put(key.clone(), b"");
        })
        .await;
        assert_eq!(value(&store, &key).await, Some(vec![]));
        let long = [&key[..], b"k"].concat();
        for what in 0..3 {
            let error = refused(&store, |set| match what {
                0 => _ = set.put(&long[..], b""),
                1 => _ = set.delete(&long[..]),
                _ => _ = set.add(&long[..], 1),
            });
            assert!(matches!(error.await, Error::KeyTooLong { .. }), "case {what}");
        }

        commit(&store, |set| {
            set.put(b"v", vec![1; limits.value_bytes_max]);
        })
        .await;
        let error = refused(&store, |set| {
            set.put(b"v", vec![2; limits.value_bytes_max + 1]);
        });
        assert!(matches!(error.await, Error::ValueTooLong { .. }));
        assert_eq!(value(&store, b"v").await, Some(vec![1; limits.value_bytes_max]));
    });
}
