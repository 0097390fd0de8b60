//! Damage to sled, the checkpoint and what lies around them.

use std::fs;
use std::path::Path;

use trellis_storage::Store;

use super::{Contents, contents, copy, fill, filled, flip, lazy, open, refusal};
use crate::SledStore;
use crate::state::{OpenFault, State};

/// Opens, and expects that sled was built again for a reason that contains `reason`.
fn rebuilt(dir: &Path, expected: &Contents, reason: &str) {
    let opened = open(dir);
    let why = opened.report.rebuilt.clone().unwrap_or_default();
    assert!(why.contains(reason), "{:?}", opened.report);
    assert!(opened.report.healed());
    assert_eq!(&contents(&opened.store), expected);
    assert!(opened.store.verify().unwrap().is_good());
    drop(opened);
    let again = open(dir);
    assert!(!again.report.healed(), "{:?}", again.report);
    assert_eq!(&contents(&again.store), expected);
}

#[test]
fn a_deleted_sled_folder_is_built_again() {
    let (folder, expected) = filled(200);
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    assert!(!SledStore::verify_dir(folder.path()).unwrap().is_good());
    rebuilt(folder.path(), &expected, "missing");
}

#[test]
fn sled_that_a_closing_store_still_holds_is_waited_for() {
    let (folder, expected) = filled(200);
    let held = sled::open(folder.path().join("sled")).unwrap();
    let (sender, let_go) = std::sync::mpsc::channel();
    let holder = std::thread::spawn(move || {
        let_go.recv().unwrap();
        drop(held);
    });
    let timeout = std::time::Duration::from_secs(5);
    let refused = State::open(&folder.path().join("sled"), 1 << 20, timeout, &mut Vec::new());
    let Err(OpenFault::Refused(trellis_storage::Error::Io { source, .. })) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(source.kind(), std::io::ErrorKind::WouldBlock);
    sender.send(()).unwrap();
    let opened = open(folder.path());
    assert!(!opened.report.healed(), "{:?}", opened.report);
    assert_eq!(contents(&opened.store), expected);
    holder.join().unwrap();
}

#[test]
fn a_deleted_sled_file_is_built_again() {
    let (folder, expected) = filled(200);
    fs::remove_file(folder.path().join("sled/db")).unwrap();
    rebuilt(folder.path(), &expected, "missing");
}

#[test]
fn a_truncated_sled_file_is_built_again_and_kept_aside_once() {
    let (folder, expected) = filled(400);
    let db = folder.path().join("sled/db");
    for (round, bytes) in [(1, 0), (2, 4_096)] {
        let file = fs::File::options().write(true).open(&db).unwrap();
        file.set_len(bytes).unwrap();
        drop(file);
        rebuilt(folder.path(), &expected, "");
        let aside = crate::files::list(folder.path(), |name| name.starts_with("sled.damaged-")).unwrap();
        assert_eq!(aside, [folder.path().join(format!("sled.damaged-{round}"))]);
    }
}

/// A closed store whose sled file has several segments, some of them reused.
fn rewritten() -> (tempfile::TempDir, Contents) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store;
    for round in 0..12_u8 {
        let mut set = trellis_storage::WriteSet::new();
        for number in 0..1_500_u32 {
            set.put([&b"r"[..], &number.to_be_bytes()].concat(), vec![round; 100 + number as usize % 300]);
        }
        super::block_on(store.commit(set)).unwrap();
    }
    let contents = contents(&store);
    store.close().unwrap();
    (folder, contents)
}

#[test]
fn flipped_bytes_in_sled_are_healed_or_named() {
    let (folder, expected) = rewritten();
    let bytes = fs::metadata(folder.path().join("sled/db")).unwrap().len() as usize;
    let rounds = super::soak_rounds().max(24) as usize;
    for round in 0..rounds {
        let damaged = copy(folder.path());
        flip(&damaged.path().join("sled/db"), bytes * round / rounds + 7);
        let opened = match SledStore::open(damaged.path(), super::small()) {
            Ok(opened) => opened,
            Err(error) => panic!("round {round}: {error}"),
        };
        let named = opened.store.verify().map_or(true, |report| !report.is_good());
        if named {
            // What was named is healed by the next start.
            drop(opened);
            rebuilt(damaged.path(), &expected, "");
        } else {
            assert!(contents(&opened.store) == expected, "round {round}: served what is not right");
        }
    }
}

#[test]
fn a_row_that_sled_lost_in_silence_is_named_by_kind_and_healed() {
    for change in ["lost", "changed"] {
        let (folder, expected) = filled(100);
        {
            let db = sled::open(folder.path().join("sled")).unwrap();
            let rows = db.open_tree("rows").unwrap();
            let key = [b"e", &7_u64.to_be_bytes()[..]].concat();
            let stored = rows.remove(&key).unwrap().unwrap();
            if change == "changed" {
                let mut stored = stored.to_vec();
                stored[20] ^= 1;
                rows.insert(&key, stored).unwrap();
            }
            db.flush().unwrap();
        }
        let report = SledStore::verify_dir(folder.path()).unwrap();
        assert_eq!(report.differences.iter().map(|kind| kind.kind).collect::<Vec<_>>(), [b'e'], "{change}");
        assert!(report.problems[0].contains("0x65"), "{:?}", report.problems);
        let opened = open(folder.path());
        let report = opened.store.verify().unwrap();
        assert_eq!(report.differences[0].found.count, if change == "lost" { 99 } else { 100 });
        assert!(opened.store.snapshot_now().is_err(), "no snapshot is taken of damaged rows");
        drop(opened);
        rebuilt(folder.path(), &expected, "0x65");
    }
}

#[test]
fn a_sled_folder_older_than_the_checkpoint_is_built_again() {
    let (folder, _) = filled(50);
    let former = copy(&folder.path().join("sled"));
    let store = open(folder.path()).store;
    fill(&store, 50);
    let expected = contents(&store);
    drop(store);
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    fs::create_dir(folder.path().join("sled")).unwrap();
    super::copy_into(former.path(), &folder.path().join("sled"));
    rebuilt(folder.path(), &expected, "behind the checkpoint: position 50 instead of 100");
}

#[test]
fn a_left_over_of_an_interrupted_start_of_sled_is_deleted() {
    let (folder, expected) = filled(100);
    let stale = folder.path().join("sled/snap.0000000000000001.generating");
    fs::write(&stale, b"").unwrap();
    let opened = open(folder.path());
    assert_eq!(opened.report.stale_files_removed, [stale]);
    assert_eq!((contents(&opened.store), opened.report.rebuilt), (expected, None));
}

#[test]
fn a_damaged_or_missing_checkpoint_means_building_again() {
    let (folder, expected) = filled(100);
    let checkpoint = folder.path().join("checkpoint");
    for offset in 0..fs::metadata(&checkpoint).unwrap().len() as usize {
        let damaged = copy(folder.path());
        flip(&damaged.path().join("checkpoint"), offset);
        if offset % 16 == 0 {
            rebuilt(damaged.path(), &expected, "checkpoint");
        } else {
            let problems = SledStore::verify_dir(damaged.path()).unwrap().problems;
            assert!(problems[0].contains("checkpoint"), "{problems:?}");
        }
    }
    fs::remove_file(&checkpoint).unwrap();
    rebuilt(folder.path(), &expected, "no checkpoint");
}

#[test]
fn an_interrupted_build_starts_over_and_keeps_no_half_built_folder() {
    let (folder, expected) = filled(100);
    fs::write(folder.path().join("sled.rebuilding"), b"").unwrap();
    rebuilt(folder.path(), &expected, "interrupted");
    assert!(crate::files::list(folder.path(), |name| name.starts_with("sled.damaged-")).unwrap().is_empty());
}

#[test]
fn a_rebuild_can_be_asked_for() {
    let (folder, expected) = filled(100);
    let report = SledStore::rebuild(folder.path()).unwrap();
    assert_eq!((report.rebuilt.as_deref(), report.replayed_groups), (Some("asked for"), 100));
    assert!(report.damaged_kept.unwrap().join("db").exists());
    assert_eq!(contents(&open(folder.path()).store), expected);
}

#[test]
fn a_store_without_its_journal_is_refused() {
    let (folder, _) = filled(20);
    fs::remove_dir_all(folder.path().join("journal")).unwrap();
    assert!(refusal(folder.path()).contains("journal"));
    fs::remove_file(folder.path().join("checkpoint")).unwrap();
    assert!(refusal(folder.path()).contains("journal"));
}

#[test]
fn an_interrupted_creation_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("journal")).unwrap();
    fs::write(folder.path().join("journal/0000000001.journal"), b"TRLSJ").unwrap();
    fs::create_dir(folder.path().join("sled")).unwrap();
    fs::write(folder.path().join("sled.rebuilding"), b"").unwrap();
    let opened = open(folder.path());
    assert!(opened.report.created);
    fill(&opened.store, 3);
}

#[test]
fn what_sled_does_not_hold_yet_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path(), lazy()).unwrap().store;
    fill(&store, 300);
    let expected = contents(&store);
    // The copy is what a kill at this moment leaves: no checkpoint since the creation.
    let killed = copy(folder.path());
    drop(store);
    let opened = open(killed.path());
    assert_eq!(
        (opened.report.replayed_groups, &contents(&opened.store)),
        (300, &expected),
        "{:?}",
        opened.report
    );
    assert!(opened.store.verify().unwrap().is_good());
}
