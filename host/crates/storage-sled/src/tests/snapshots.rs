//! Snapshots, what they let go, and building from them.

use std::fs;
use std::sync::Arc;

use trellis_storage::Store;

use super::{block_on, contents, fill, filled, flip, open, put, refusal, segments, small};
use crate::{Config, SledStore};

#[test]
fn a_snapshot_lets_old_segments_go_and_builds_sled_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    fill(&store, 500);
    store.close().unwrap();
    drop(store);
    let store = open(folder.path()).store;
    let before = segments(folder.path()).len();
    let info = store.snapshot_now().unwrap();
    assert_eq!((info.from.0, info.to.0, info.rows as usize), (500, 500, contents(&store).len()));
    assert_eq!((info.segments_dropped as usize, segments(folder.path()).len()), (before, 1));
    fill(&store, 100);
    let expected = contents(&store);
    drop(store);
    assert!(SledStore::verify_dir(folder.path()).unwrap().is_good());
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    let opened = open(folder.path());
    assert_eq!(opened.report.rebuilt_from_snapshot, Some(info.path));
    assert_eq!((contents(&opened.store), opened.report.replayed_groups), (expected, 100));
    assert!(opened.store.verify().unwrap().is_good());
}

#[test]
fn what_was_deleted_before_a_snapshot_is_in_no_file_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    put(&store, b"k", b"the secret").unwrap();
    put(&store, b"other", b"the rest").unwrap();
    let holders = |what: &[u8]| {
        let mut files = segments(folder.path());
        files.extend(crate::snapshot::paths(folder.path()).unwrap());
        files.retain(|path| fs::read(path).unwrap().windows(what.len()).any(|window| window == what));
        files
    };
    store.snapshot_now().unwrap();
    assert_eq!(holders(b"the secret").len(), 1);
    let mut set = trellis_storage::WriteSet::new();
    set.delete(b"k");
    block_on(store.commit(set)).unwrap();
    store.snapshot_now().unwrap();
    assert_eq!((holders(b"the secret").len(), holders(b"the rest").len()), (0, 1));
    store.close().unwrap();
    assert!(store.snapshot_now().is_err(), "closed");
    drop(store);
    assert!(SledStore::verify_dir(folder.path()).unwrap().is_good());
}

#[test]
fn a_snapshot_beside_writers_and_the_journal_lead_to_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    let writer = std::thread::spawn({
        let store = Arc::clone(&store);
        move || fill(&store, 800)
    });
    let mut taken = Vec::new();
    while !writer.is_finished() {
        taken.push(store.snapshot_now().unwrap());
    }
    writer.join().unwrap();
    assert!(taken.is_sorted_by_key(|info| info.from));
    assert!(
        taken[..taken.len() - 1]
            .iter()
            .all(|info| !info.path.exists() || info.path == taken[taken.len() - 1].path)
    );
    let expected = contents(&store);
    drop(store);
    let report = SledStore::rebuild(folder.path()).unwrap();
    assert!(report.rebuilt_from_snapshot.is_some());
    let opened = open(folder.path());
    assert_eq!(contents(&opened.store), expected);
}

#[test]
fn snapshots_come_by_themselves_when_the_journal_grows() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { snapshot_after_journal_bytes: 50_000, checkpoint_interval_ms: 5, ..small() };
    let store = SledStore::open(folder.path(), config).unwrap().store;
    let mut rounds = 0;
    while crate::snapshot::paths(folder.path()).unwrap().is_empty() {
        fill(&store, 50);
        rounds += 1;
        assert!(rounds < 400, "no snapshot after {} bytes of journal", store.stats().journal_bytes);
    }
    let expected = contents(&store);
    drop(store);
    let opened = open(folder.path());
    assert_eq!((contents(&opened.store), opened.report.healed()), (expected, false));
}

#[test]
fn a_damaged_snapshot_is_named_and_the_whole_journal_stands_in_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { journal_segment_bytes_max: u64::MAX, ..small() };
    let store = SledStore::open(folder.path(), config).unwrap().store;
    fill(&store, 40);
    let expected = contents(&store);
    // As in the background: the segment that is being written stays, and here it is the only one.
    crate::snapshot::take(store.shared()).unwrap();
    drop(store);
    let path = crate::snapshot::paths(folder.path()).unwrap().remove(0);
    flip(&path, 100);
    let problems = SledStore::verify_dir(folder.path()).unwrap().problems;
    assert!(problems[0].contains(path.file_name().unwrap().to_str().unwrap()), "{problems:?}");
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    let opened = open(folder.path());
    assert_eq!((opened.report.rebuilt_from_snapshot, opened.report.notes.len()), (None, 1));
    assert_eq!(contents(&opened.store), expected);
}

#[test]
fn every_damaged_byte_of_a_snapshot_is_noticed() {
    let (folder, _) = filled(12);
    let info = open(folder.path()).store.snapshot_now().unwrap();
    let epoch = open(folder.path()).store.epoch();
    for offset in 0..info.bytes as usize {
        flip(&info.path, offset);
        assert!(crate::snapshot::read(&info.path, epoch, &mut |_, _| Ok(())).is_err(), "byte {offset}");
        flip(&info.path, offset);
    }
    for length in [0, 10, info.bytes / 2, info.bytes - 1] {
        let cut = folder.path().join("cut");
        fs::copy(&info.path, &cut).unwrap();
        fs::File::options().write(true).open(&cut).unwrap().set_len(length).unwrap();
        assert!(crate::snapshot::read(&cut, epoch, &mut |_, _| Ok(())).is_err(), "cut to {length}");
    }
    crate::snapshot::read(&info.path, epoch, &mut |_, _| Ok(())).unwrap();
}

#[test]
fn a_damaged_snapshot_that_is_needed_refuses_the_start_by_name() {
    let (folder, _) = filled(600);
    let info = open(folder.path()).store.snapshot_now().unwrap();
    assert!(info.segments_dropped > 0);
    flip(&info.path, 200);
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    let message = refusal(folder.path());
    assert!(message.contains(info.path.file_name().unwrap().to_str().unwrap()), "{message}");
}

#[test]
fn lost_snapshots_are_replaced_soon() {
    let (folder, expected) = filled(600);
    let info = open(folder.path()).store.snapshot_now().unwrap();
    fs::remove_file(&info.path).unwrap();
    let opened = open(folder.path());
    assert_eq!(opened.report.notes.len(), 1);
    let mut rounds = 0;
    while crate::snapshot::paths(folder.path()).unwrap().is_empty() {
        fill(&opened.store, 1);
        rounds += 1;
        assert!(rounds < 20_000, "no snapshot was taken");
    }
    assert!(contents(&opened.store).len() >= expected.len());
}
