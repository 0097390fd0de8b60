//! Reads while some commits are in sled and some only in the overlay: the test holds the applier back and lets it go.

use proptest::prelude::*;
use trellis_storage::{ScanRange, Store, WriteSet};

use super::{Contents, block_on, small};
use crate::SledStore;

#[derive(Debug, Clone)]
enum Step {
    /// Puts (a value) and deletes (none) of one commit.
    Commit(Vec<(u8, Option<u8>)>),
    Scan {
        start: u8,
        end: u8,
        reverse: bool,
        rows_max: usize,
    },
    Get(u8),
    /// Lets everything committed so far into sled.
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..24_u8;
    let change = (key.clone(), prop::option::weighted(0.6, any::<u8>()));
    prop_oneof![
        4 => prop::collection::vec(change, 1..6).prop_map(Step::Commit),
        4 => (key.clone(), key.clone(), any::<bool>(), 0..8_usize)
            .prop_map(|(start, end, reverse, rows_max)| Step::Scan { start, end, reverse, rows_max }),
        2 => key.prop_map(Step::Get),
        2 => Just(Step::Drain),
    ]
}

fn drain(store: &SledStore) {
    while store.shared().applied.lock().position < store.head().0
        || store.shared().queue.waiting.lock().bytes > 0
    {
        std::thread::yield_now();
    }
}

fn commit(store: &SledStore, model: &mut Contents, changes: &[(u8, Option<u8>)]) {
    let mut set = WriteSet::new();
    let deletes = changes.iter().filter(|(_, value)| value.is_none());
    let puts = changes.iter().filter_map(|(key, value)| value.map(|value| (*key, value)));
    for (key, _) in deletes {
        set.delete([*key]);
        model.remove(&vec![*key]);
    }
    for (key, value) in puts.clone() {
        set.put([key], [value]);
    }
    let position = block_on(store.commit(set)).unwrap().position.0;
    model.extend(puts.map(|(key, value)| (vec![key], (position, vec![value]))));
}

fn scan(store: &SledStore, model: &Contents, range: ScanRange, rows_max: usize) {
    let inside = |key: &[u8]| key >= &range.start[..] && range.end.as_ref().is_none_or(|end| key < &end[..]);
    let mut expected: Vec<_> =
        model.iter().filter(|(key, _)| inside(key)).map(|(key, row)| (key.clone(), row.clone())).collect();
    if range.reverse {
        expected.reverse();
    }
    let page = block_on(store.scan(range, rows_max)).unwrap();
    assert_eq!(page.more, expected.len() > rows_max);
    expected.truncate(rows_max);
    let rows = page.rows.iter().map(|row| (row.key.to_vec(), (row.position.0, row.value.to_vec())));
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    assert_eq!((page.from, page.to), (store.head(), store.head()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn overlay_and_sled_are_read_as_one(steps in prop::collection::vec(step(), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path(), small()).unwrap().store;
        let mut model = Contents::new();
        let mut held = Some(store.shared().applied.lock());
        for step in &steps {
            match step {
                Step::Commit(changes) => commit(&store, &mut model, changes),
                Step::Scan { start, end, reverse, rows_max } => {
                    let range = ScanRange { start: vec![*start], end: Some(vec![*end]), reverse: *reverse };
                    scan(&store, &model, range, *rows_max);
                }
                Step::Get(key) => {
                    let found = block_on(store.get(&[*key])).unwrap();
                    let found = found.map(|found| (found.position.0, found.value.to_vec()));
                    assert_eq!(found, model.get(&vec![*key]).cloned());
                }
                Step::Drain => {
                    drop(held.take());
                    drain(&store);
                    held = Some(store.shared().applied.lock());
                }
            }
        }
        scan(&store, &model, ScanRange::prefix(b""), 1_000);
        drop(held);
        drain(&store);
        scan(&store, &model, ScanRange::prefix(b"").reversed(), 1_000);
    }
}
