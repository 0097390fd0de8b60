use std::sync::Arc;

use super::{Subject, all_pages, commit, keys_of, on_new_store, put};
use crate::{Position, ScanRange};

fn range(start: &[u8], end: &[u8]) -> ScanRange {
    ScanRange { start: start.to_vec(), end: Some(end.to_vec()), reverse: false }
}

/// Two hundred keys `0..200` of two bytes, put in a scattered order, every seventh deleted again; returns what remains.
async fn scattered(store: &Subject) -> Vec<Vec<u8>> {
    let key = |number: u16| number.to_be_bytes();
    for chunk in 0..20_u16 {
        commit(store, |set| {
            for number in (0..10).map(|step| (chunk * 10 + step) * 77 % 200) {
                set.put(key(number), number.to_le_bytes());
            }
        })
        .await;
    }
    for number in (0..200).step_by(7) {
        commit(store, |set| {
            set.delete(key(number));
        })
        .await;
    }
    (0..200).filter(|number| number % 7 != 0).map(|number| key(number).to_vec()).collect()
}

pub fn a_scan_is_in_key_order_both_ways<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let mut expected = scattered(&store).await;
        let page = store.scan(ScanRange::prefix(b""), usize::MAX).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.key.to_vec()).collect::<Vec<_>>(), expected);
        for row in &page.rows {
            let found = store.get(&row.key).await.unwrap().unwrap();
            assert_eq!((found.position, &found.value), (row.position, &row.value));
        }
        expected.reverse();
        assert_eq!(keys_of(&store, ScanRange::prefix(b"").reversed()).await, expected);
    });
}

pub fn a_prefix_scan_holds_only_its_prefix<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        for key in
            [&b"a"[..], b"ab", b"ab\0", b"ab\xff\xff", b"ac", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"]
        {
            put(&store, key, key).await;
        }
        let found = keys_of(&store, ScanRange::prefix(b"ab")).await;
        assert_eq!(found, [&b"ab"[..], b"ab\0", b"ab\xff\xff"]);
        assert_eq!(
            keys_of(&store, ScanRange::prefix(b"\xff\xff")).await,
            [&b"\xff\xff"[..], b"\xff\xff\x01"]
        );
        let backwards = keys_of(&store, ScanRange::prefix(b"\xff").reversed()).await;
        assert_eq!(backwards, [&b"\xff\xff\x01"[..], b"\xff\xff", b"\xff"]);
        assert_eq!(
            keys_of(&store, range(b"ab", b"ac")).await,
            found,
            "the end is exclusive, the start is not"
        );
    });
}

pub fn pages_join_up_without_gap_or_double<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let expected = scattered(&store).await;
        for rows_max in [1, 2, 7, 50, 171, 172, 1_000] {
            for reverse in [false, true] {
                let all = ScanRange { start: vec![], end: None, reverse };
                let pages = all_pages(&store, all, rows_max).await.unwrap();
                let full = &pages[..pages.len() - 1];
                assert!(
                    full.iter().all(|page| page.rows.len() == rows_max),
                    "only the last page may be short"
                );
                let rows = pages.iter().flat_map(|page| &page.rows);
                let mut keys: Vec<_> = rows.map(|row| row.key.to_vec()).collect();
                if reverse {
                    keys.reverse();
                }
                assert_eq!(keys, expected, "pages of {rows_max}, reverse {reverse}");
            }
        }
    });
}

pub fn more_tells_whether_rows_remain<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        for key in [b"p1", b"p2", b"p3", b"q1"] {
            put(&store, key, b"").await;
        }
        let more = async |range: ScanRange, rows_max| store.scan(range, rows_max).await.unwrap().more;
        assert!(more(ScanRange::prefix(b"p"), 2).await);
        assert!(!more(ScanRange::prefix(b"p"), 3).await);
        assert!(!more(ScanRange::prefix(b"p").reversed(), 3).await);
        assert!(more(ScanRange::prefix(b"p").reversed(), 2).await);
        assert!(more(ScanRange::prefix(b""), 3).await);
        commit(&store, |set| {
            set.delete(b"p3");
        })
        .await;
        assert!(!more(ScanRange::prefix(b"p"), 2).await, "a deleted row does not remain");
    });
}

pub fn empty_ranges_have_no_rows<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        for key in [b"a", b"b", b"c"] {
            put(&store, key, b"").await;
        }
        for (start, end) in
            [(&b"b"[..], &b"b"[..]), (b"c", b"a"), (b"b\0", b"c"), (b"", b""), (b"", b"a"), (b"d", b"e")]
        {
            for empty in [range(start, end), range(start, end).reversed()] {
                let page = store.scan(empty.clone(), 9).await.unwrap();
                assert!(page.rows.is_empty() && !page.more, "{empty:?}");
            }
        }
        let none = store.scan(ScanRange::prefix(b"z"), 9).await.unwrap();
        assert!(none.rows.is_empty() && !none.more);
        let past_the_end = ScanRange::prefix(b"").after(b"c");
        assert_eq!(keys_of(&store, past_the_end).await, Vec::<Vec<u8>>::new());
        let before_the_start = ScanRange::prefix(b"").reversed().after(b"a");
        assert_eq!(keys_of(&store, before_the_start).await, Vec::<Vec<u8>>::new());
    });
}

pub fn a_page_names_what_it_holds<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let empty = store.scan(ScanRange::prefix(b""), 9).await.unwrap();
        assert_eq!((empty.from, empty.to), (Position(0), Position(0)));
        for key in [b"a", b"b", b"c"] {
            put(&store, key, b"").await;
        }
        let page = store.scan(ScanRange::prefix(b""), 9).await.unwrap();
        assert_eq!((page.from, page.to), (store.head(), store.head()), "nothing else writes");
    });
}

pub fn a_scan_beside_writers_holds_what_was_there_before<G>(factory: &dyn Fn() -> (Subject, G)) {
    on_new_store(factory, |store| async move {
        let key = |number: u32| [b"r", &number.to_be_bytes()[..]].concat();
        commit(&store, |set| {
            for number in 0..500 {
                set.put(key(number), 0_u32.to_be_bytes());
            }
        })
        .await;
        let writer = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                for round in 1..=60_u32 {
                    // Rows below 500 are rewritten, rows from 500 on come and go.
                    commit(&store, |set| {
                        for number in (0..500).step_by(9) {
                            set.put(key(number), round.to_be_bytes());
                        }
                        for number in 500..530 {
                            match round % 2 {
                                0 => _ = set.delete(key(number)),
                                _ => _ = set.put(key(number), round.to_be_bytes()),
                            }
                        }
                    })
                    .await;
                }
            }
        });
        let mut scans = 0;
        while !writer.is_finished() || scans < 3 {
            let all = ScanRange { reverse: scans % 2 == 1, ..ScanRange::prefix(b"r") };
            let pages = all_pages(&store, all, 40).await.unwrap();
            let rows = pages.iter().flat_map(|page| page.rows.iter().map(move |row| (page, row)));
            let mut keys = Vec::new();
            for (page, row) in rows {
                assert!(
                    row.position <= page.to && page.from <= page.to,
                    "{:?} in {:?}",
                    row.position,
                    page.to
                );
                keys.push(u32::from_be_bytes(row.key[1..].try_into().unwrap()));
            }
            if scans % 2 == 1 {
                keys.reverse();
            }
            assert!(keys.is_sorted_by(|a, b| a < b), "no key twice");
            assert!(
                keys.iter().filter(|number| **number < 500).count() == 500,
                "no row that was there is missing"
            );
            scans += 1;
        }
        writer.await.unwrap();
    });
}
