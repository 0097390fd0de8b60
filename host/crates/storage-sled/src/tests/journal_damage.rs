//! Damage to the journal.

use std::fs;
use std::path::Path;

use trellis_storage::Store;

use super::{block_on, contents, copy, fill, filled, flip, lazy, open, put, refusal, segments};
use crate::SledStore;

/// A folder as a kill leaves it: everything in one segment, no checkpoint since the creation.
fn killed(rounds: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = crate::Config { journal_segment_bytes_max: u64::MAX, ..lazy() };
    let store = SledStore::open(folder.path(), config).unwrap().store;
    fill(&store, rounds);
    let killed = copy(folder.path());
    drop(store);
    // The copied sled may hold more than its own checkpoint says, or be half copied; here the journal is what matters.
    fs::remove_dir_all(killed.path().join("sled")).unwrap();
    killed
}

fn bytes(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_of_the_last_frame() {
    let without = killed(6);
    let with = killed(7);
    let (start, end) = (bytes(&segments(without.path())[0]), bytes(&segments(with.path())[0]));
    assert!(start < end);
    for length in start..=end {
        let torn = copy(with.path());
        let path = &segments(torn.path())[0];
        fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
        let opened = open(torn.path());
        let whole = length == end;
        let expected = (if whole { 0 } else { length - start }, if whole { 7 } else { 6 });
        assert_eq!((opened.report.torn_bytes_cut, opened.store.head().0), expected, "cut to {length}");
        assert_eq!(contents(&opened.store)[&b"n"[..]].1, expected.1.to_be_bytes());
        // The journal goes on behind the cut.
        assert_eq!(put(&opened.store, b"k", b"v").unwrap(), expected.1 + 1);
        drop(opened);
        assert_eq!(open(torn.path()).store.head().0, expected.1 + 1);
    }
}

#[test]
fn garbage_behind_the_last_frame_is_cut() {
    for garbage in [&[0; 5_000][..], b"TJF\x01", &b"TJF\x01\0\0\0\x02".repeat(9)] {
        let folder = killed(5);
        let path = &segments(folder.path())[0];
        let whole = fs::read(path).unwrap();
        fs::write(path, [&whole, garbage].concat()).unwrap();
        let opened = open(folder.path());
        assert_eq!((opened.report.torn_bytes_cut, opened.store.head().0), (garbage.len() as u64, 5));
    }
}

#[test]
fn a_value_that_looks_like_a_frame_does_not_pass_for_one() {
    let folder = killed(3);
    let frame = fs::read(&segments(folder.path())[0]).unwrap().split_off(crate::journal::HEADER_BYTES);
    let store = SledStore::open(folder.path(), lazy()).unwrap().store;
    put(&store, b"frame", &frame).unwrap();
    let torn = copy(folder.path());
    drop(store);
    fs::remove_dir_all(torn.path().join("sled")).unwrap();
    let path = &segments(torn.path())[0];
    let length = bytes(path);
    fs::File::options().write(true).open(path).unwrap().set_len(length - 1).unwrap();
    // The checkpoint that the copy holds was written when the store was opened, before the torn commit.
    assert_eq!(open(torn.path()).store.head().0, 3);
}

#[test]
fn a_flipped_byte_before_the_last_frame_is_named_with_its_file() {
    let folder = killed(4);
    let path = segments(folder.path())[0].clone();
    let last_frame = bytes(&segments(killed(3).path())[0]) as usize;
    for offset in 0..last_frame {
        let damaged = copy(folder.path());
        let copied = damaged.path().join("journal").join(path.file_name().unwrap());
        flip(&copied, offset);
        if offset % 7 == 0 {
            let message = refusal(damaged.path());
            assert!(message.contains("0000000001.journal"), "byte {offset}: {message}");
            assert_eq!(bytes(&copied), bytes(&path), "a refused start changes nothing");
        }
        let problems = SledStore::verify_dir(damaged.path()).unwrap().problems;
        assert!(
            problems.iter().any(|problem| problem.contains("0000000001.journal")),
            "byte {offset}: {problems:?}"
        );
    }
}

#[test]
fn a_flipped_byte_in_what_a_checkpoint_covers_is_named() {
    // The store was closed: its checkpoint knows that the last frame was durable, so it cannot be a torn one.
    let (folder, _) = filled(20);
    let last = segments(folder.path()).pop().unwrap();
    let length = bytes(&last) as usize;
    flip(&last, length - 3);
    let problems = SledStore::verify_dir(folder.path()).unwrap().problems;
    assert!(problems[0].contains("was durable up to"), "{problems:?}");
    fs::File::options().write(true).open(&last).unwrap().set_len(length as u64 - 3).unwrap();
    let message = refusal(folder.path());
    assert!(message.contains("ends before byte"), "{message}");
}

#[test]
fn a_missing_segment_is_named() {
    let (folder, expected) = filled(600);
    let all = segments(folder.path());
    assert!(all.len() >= 4, "{} segments", all.len());
    for missing in [0, 1, all.len() - 2, all.len() - 1] {
        let damaged = copy(folder.path());
        let path = damaged.path().join("journal").join(all[missing].file_name().unwrap());
        fs::remove_file(&path).unwrap();
        let problems = SledStore::verify_dir(damaged.path()).unwrap().problems;
        let name = path.file_name().unwrap().to_str().unwrap();
        if missing == 0 {
            // Nothing needs it while sled is well, but building again would.
            assert!(problems[0].contains("no snapshot leads up to it"), "{problems:?}");
            let opened = open(damaged.path());
            assert_eq!((contents(&opened.store), opened.report.notes.len()), (expected.clone(), 1));
            drop(opened);
            let again = open(damaged.path());
            assert!(again.report.notes.len() <= 1);
        } else {
            assert!(problems[0].contains(name), "{problems:?}");
            let message = refusal(damaged.path());
            assert!(message.contains(name) || message.contains("is missing"), "{message}");
        }
    }
}

#[test]
fn without_its_beginning_the_journal_cannot_build_sled() {
    let (folder, _) = filled(600);
    fs::remove_file(&segments(folder.path())[0]).unwrap();
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    let message = refusal(folder.path());
    assert!(message.contains("cannot be built again") && message.contains("no snapshot"), "{message}");
    assert!(!folder.path().join("sled").exists(), "a refused start changes nothing");
}

#[test]
fn a_segment_that_was_being_created_is_no_damage() {
    let (folder, expected) = filled(40);
    let last = segments(folder.path()).pop().unwrap();
    let number: u64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    fs::write(last.with_file_name(format!("{:010}.journal", number + 1)), b"TRLS").unwrap();
    let opened = open(folder.path());
    assert_eq!(opened.report.stale_files_removed.len(), 1);
    assert_eq!(contents(&opened.store), expected);
    fill(&opened.store, 200);
    drop(opened);
    assert_eq!(
        block_on(open(folder.path()).store.get(b"n")).unwrap().unwrap().value[..],
        240_u64.to_be_bytes()
    );
}
