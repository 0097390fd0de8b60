//! Failures of the file system while the store runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use trellis_storage::{Error, Store};

use super::{contents, fill, lazy, open, put, small};
use crate::files::{Files, Op};
use crate::{Config, OnStopped, SledStore};

/// Files that fail at `op` with `kind` while the switch is on.
fn failing(op: Op, kind: io::ErrorKind) -> (Files, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&switch);
    let files = Files::failing(move |found| match found == op && on.load(Ordering::SeqCst) {
        true => Err(kind.into()),
        false => Ok(()),
    });
    (files, switch)
}

#[test]
fn a_failed_journal_sync_stops_the_store_for_good() {
    for op in [Op::SyncJournal, Op::Append] {
        let folder = tempfile::tempdir().unwrap();
        let (files, switch) = failing(op, io::ErrorKind::Other);
        let called = Arc::new(AtomicU64::new(0));
        let hook = OnStopped::new({
            let called = Arc::clone(&called);
            move |reason| {
                assert!(reason.contains("journal segment"), "{reason}");
                called.fetch_add(1, Ordering::SeqCst);
            }
        });
        let config = Config { on_stopped: Some(hook), ..small() };
        let store = SledStore::open_with(folder.path(), config, files, None).unwrap().store;
        fill(&store, 10);
        let acknowledged = contents(&store);
        switch.store(true, Ordering::SeqCst);
        assert!(matches!(put(&store, b"k", b"v").unwrap_err(), Error::Stopped { .. }));
        switch.store(false, Ordering::SeqCst);
        assert!(matches!(put(&store, b"k", b"v").unwrap_err(), Error::Stopped { .. }), "never tried again");
        assert_eq!((store.head().0, called.load(Ordering::SeqCst)), (10, 1));
        assert!(store.close().is_err());
        drop(store);
        let healed = open(folder.path()).store;
        let found = contents(&healed);
        assert!(acknowledged.iter().all(|(key, row)| found.get(key) == Some(row)));
        // The append whose sync failed may have reached the file; its callers were told that nobody knows.
        assert!((10..=11).contains(&healed.head().0));
    }
}

#[test]
fn an_append_without_space_is_refused_and_later_ones_work() {
    let folder = tempfile::tempdir().unwrap();
    let (files, switch) = failing(Op::Append, io::ErrorKind::StorageFull);
    let store = SledStore::open_with(folder.path(), small(), files, None).unwrap().store;
    fill(&store, 5);
    switch.store(true, Ordering::SeqCst);
    assert!(matches!(put(&store, b"k", b"v").unwrap_err(), Error::DiskFull { .. }));
    assert_eq!((store.head().0, contents(&store).contains_key(&b"k"[..])), (5, false));
    switch.store(false, Ordering::SeqCst);
    assert_eq!(put(&store, b"k", b"v").unwrap(), 6);
    drop(store);
    assert_eq!(open(folder.path()).store.head().0, 6);
}

#[test]
fn a_nearly_full_disk_refuses_commits_and_goes_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    {
        fill(&open(folder.path()).store, 5);
    }
    let config = Config { free_bytes_min: u64::MAX, ..small() };
    let store = SledStore::open(folder.path(), config).unwrap().store;
    let error = put(&store, b"k", b"v").unwrap_err();
    assert!(
        matches!(error, Error::DiskFull { free_bytes_min: u64::MAX, free_bytes } if free_bytes > 0),
        "{error}"
    );
    assert!(matches!(store.snapshot_now().unwrap_err(), Error::DiskFull { .. }));
    assert_eq!((store.head().0, contents(&store)[&b"n"[..]].1.clone()), (5, 5_u64.to_be_bytes().to_vec()));
    store.close().unwrap();
}

#[test]
fn a_failed_sync_of_sled_or_checkpoint_stops_the_store_and_loses_nothing() {
    for op in [Op::SyncState, Op::Replace] {
        let folder = tempfile::tempdir().unwrap();
        let (files, switch) = failing(op, io::ErrorKind::Other);
        let store = SledStore::open_with(folder.path(), lazy(), files, None).unwrap().store;
        fill(&store, 10);
        let expected = contents(&store);
        switch.store(true, Ordering::SeqCst);
        assert!(store.close().is_err(), "{op:?}");
        assert!(matches!(put(&store, b"k", b"v").unwrap_err(), Error::Stopped { .. }));
        drop(store);
        let healed = open(folder.path());
        assert_eq!((contents(&healed.store), healed.report.rebuilt), (expected, None), "{op:?}");
    }
}

#[test]
fn a_timeout_of_sleds_opening_is_damage_that_is_healed() {
    let folder = tempfile::tempdir().unwrap();
    fill(&open(folder.path()).store, 10);
    let mut removed = Vec::new();
    let outcome = crate::state::State::open(
        &folder.path().join("sled"),
        16 << 20,
        std::time::Duration::ZERO,
        &mut removed,
    );
    assert!(
        matches!(outcome, Err(crate::state::OpenFault::Damaged(reason)) if reason.contains("within 0 ms"))
    );
}

#[test]
fn the_ballast_takes_up_its_space_and_can_be_dropped_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ballast");
    let config = Config { ballast_bytes: 1 << 20, ..small() };
    drop(SledStore::open(folder.path(), config.clone()).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
    assert!(crate::ballast::drop_off(folder.path()));
    assert!(!crate::ballast::drop_off(folder.path()), "there is none any more");
    drop(SledStore::open(folder.path(), Config { free_bytes_min: u64::MAX, ..config.clone() }).unwrap());
    assert!(!path.exists(), "a nearly full disk gets no ballast");
    drop(SledStore::open(folder.path(), config).unwrap());
    assert!(path.exists());
}
