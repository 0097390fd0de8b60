//! Tests of the store as a whole. What each file of the crate promises by itself is shown here through its effect.

mod conformance;
mod damage;
mod faults;
mod journal_damage;
mod kill;
mod overlay;
mod snapshots;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trellis_storage::{ScanRange, Store, WriteSet};

use crate::{Config, Opened, SledStore};

/// A configuration in which everything happens soon: rotation, checkpoints, waiting for room.
fn small() -> Config {
    Config {
        cache_capacity_bytes: 16 << 20,
        journal_segment_bytes_max: 16 << 10,
        checkpoint_interval_ms: 20,
        overlay_bytes_max: 1 << 20,
        filter_bytes: 64 << 10,
        filter_after_misses: 20,
        free_bytes_min: 0,
        ballast_bytes: 0,
        ..Config::default()
    }
}

/// As [`small`], but sled falls behind the journal: no checkpoint before the end.
fn lazy() -> Config {
    Config { checkpoint_interval_ms: 3_600_000, ..small() }
}

fn open(dir: &Path) -> Opened {
    SledStore::open(dir, small()).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// How often a test with chance in it repeats; `TRELLIS_SOAK_ROUNDS` raises it.
fn soak_rounds() -> u64 {
    std::env::var("TRELLIS_SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5)
}

type Contents = BTreeMap<Vec<u8>, (u64, Vec<u8>)>;

fn contents(store: &SledStore) -> Contents {
    let page = block_on(store.scan(ScanRange::prefix(b""), usize::MAX)).unwrap();
    page.rows.into_iter().map(|row| (row.key.to_vec(), (row.position.0, row.value.to_vec()))).collect()
}

fn put(store: &SledStore, key: &[u8], value: &[u8]) -> trellis_storage::Result<u64> {
    let mut set = WriteSet::new();
    set.put(key, value);
    block_on(store.commit(set)).map(|committed| committed.position.0)
}

/// Commits `rounds` write sets of a few kinds of rows: new ones, rewritten ones, deleted ones, a counter.
fn fill(store: &SledStore, rounds: u64) {
    for round in 1..=rounds {
        let mut set = WriteSet::new();
        set.add(b"n", 1);
        set.put([b"e", &store.head().0.to_be_bytes()[..]].concat(), vec![round as u8; 60]);
        set.put([b"r", &(round % 17).to_be_bytes()[..]].concat(), round.to_be_bytes());
        set.delete([b"r", &(round % 5).to_be_bytes()[..]].concat());
        block_on(store.commit(set)).unwrap();
    }
}

/// A closed store with contents.
fn filled(rounds: u64) -> (tempfile::TempDir, Contents) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    fill(&store, rounds);
    let contents = contents(&store);
    store.close().unwrap();
    (folder, contents)
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    crate::files::list(&dir.join("journal"), |name| name.ends_with(".journal")).unwrap()
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[offset] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

/// The error of an open that must fail.
fn refusal(dir: &Path) -> String {
    SledStore::open(dir, small()).map(|opened| opened.report).unwrap_err().to_string()
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_store_keeps_its_epoch_contents_and_positions() {
    let (folder, expected) = filled(50);
    let first = open(folder.path());
    assert!(!first.report.created && !first.report.healed(), "{:?}", first.report);
    assert_eq!(first.report.replayed_groups, 0, "a closed store has nothing to replay");
    let (epoch, head) = (first.store.epoch(), first.store.head());
    assert_eq!((contents(&first.store), head.0), (expected, 50));
    drop(first);
    let second = open(folder.path()).store;
    assert_eq!((second.epoch(), second.head()), (epoch, head));
    assert_eq!(put(&second, b"k", b"v").unwrap(), 51);
    assert_ne!(epoch, open(tempfile::tempdir().unwrap().path()).store.epoch());
}

#[test]
fn a_folder_can_be_open_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    assert!(refusal(folder.path()).contains("another process has it open"));
    drop(first);
    open(folder.path());
}

#[test]
fn a_closed_store_takes_no_commits_and_closes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    put(&store, b"k", b"v").unwrap();
    store.close().unwrap();
    store.close().unwrap();
    assert!(put(&store, b"k", b"w").unwrap_err().to_string().contains("closed"));
    assert_eq!(contents(&store).len(), 1);
}

#[test]
fn commits_wait_for_room_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path(), Config { overlay_bytes_max: 1, ..small() }).unwrap().store;
    fill(&store, 100);
    assert_eq!(contents(&store)[&b"n"[..]].1, 100_u64.to_be_bytes());
}

#[test]
fn verify_follows_commits_that_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    for kind in 0..40_u8 {
        let mut set = WriteSet::new();
        (0..500_u16).for_each(|number| {
            set.put([&[kind][..], &number.to_be_bytes()].concat(), [kind; 20]);
        });
        block_on(store.commit(set)).unwrap();
    }
    let writer = std::thread::spawn({
        let store = Arc::clone(&store);
        move || fill(&store, 600)
    });
    let mut checks = 0;
    while !writer.is_finished() || checks < 2 {
        let report = store.verify().unwrap();
        assert!(report.is_good(), "{report:?}");
        checks += 1;
    }
    writer.join().unwrap();
    store.close().unwrap();
    drop(store);
    let report = SledStore::verify_dir(folder.path()).unwrap();
    assert!(report.is_good() && report.sums.rows() > 20_000, "{report:?}");
}

#[test]
fn stats_count_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    fill(&store, 30);
    let stats = store.stats();
    assert_eq!((stats.commits, stats.groups, stats.journal_sync.count, stats.head.0), (30, 30, 30, 30));
    assert!(
        stats.journal_bytes > 30 * 60 && stats.sled_bytes > 0 && stats.journal_sync.max_us > 0,
        "{stats:?}"
    );
    store.close().unwrap();
    assert_eq!((store.stats().applied.0, store.stats().overlay_bytes), (30, 0));
}
