//! Kills at random moments. The test binary runs itself as the process that is killed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use trellis_storage::{ScanRange, StampPlace, StampSource, Store, WriteSet};

use super::{block_on, small, soak_rounds};
use crate::{Config, SledStore};

const DIR: &str = "TRELLIS_KILL_TEST_DIR";
const WRITERS: u64 = 4;

fn config() -> Config {
    // Snapshots and rotation happen all the time, so that kills hit them too.
    Config { snapshot_after_journal_bytes: 100_000, ..small() }
}

/// Not a test by itself: what the killed process does. It prints the number of each acknowledged commit.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let store = SledStore::open(Path::new(&dir), config()).unwrap().store;
    println!("\nopened");
    let threads = (0..WRITERS).map(|writer| {
        let store = Arc::clone(&store);
        std::thread::spawn(move || {
            for round in 0.. {
                let committed = block_on(store.commit(work(writer, round))).unwrap();
                let line = format!("ack {} {}\n", committed.counters[0], committed.position.0);
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    loop {
        // Rotation, checkpoint, snapshot and dropping segments are all killed at some time.
        std::thread::sleep(Duration::from_millis(30));
        store.snapshot_now().unwrap();
        if threads.iter().any(std::thread::JoinHandle::is_finished) {
            break;
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

/// An entry whose key and value carry the next number, a row of the writer rewritten, another one deleted.
fn work(writer: u64, round: u64) -> WriteSet {
    let mut set = WriteSet::new();
    let number = set.add(b"log", 1);
    let entry = set.put(b"e........", [&[0; 8][..], &vec![writer as u8; (round % 300) as usize]].concat());
    set.stamp(StampPlace::Key(entry, 1), StampSource::Counter(number));
    set.stamp(StampPlace::Value(entry, 0), StampSource::Position);
    set.add([b'c', writer as u8], 1);
    set.put([&[b'r', writer as u8][..], &(round % 50).to_be_bytes()].concat(), round.to_be_bytes());
    set.delete([&[b'r', writer as u8][..], &((round + 25) % 50).to_be_bytes()].concat());
    set
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["tests::kill::child", "--exact", "--nocapture", "--test-threads=1"]).env(DIR, dir);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills `child` after `delay` and returns the acknowledged numbers with their positions.
fn kill_after(mut child: Child, delay: Duration) -> BTreeSet<(u64, u64)> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = reader.join().unwrap();
    lines.iter().filter_map(|line| parse(line)).collect()
}

/// The last line may be cut short by the kill; a number cut short is a number that was acknowledged before, too.
fn parse(line: &str) -> Option<(u64, u64)> {
    let (number, position) = line.strip_prefix("ack ")?.split_once(' ')?;
    Some((number.parse().ok()?, position.parse().ok()?))
}

fn random_ms(from: u64, to: u64) -> Duration {
    let nanos = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    Duration::from_millis(from + u64::from(nanos / 1_000) % (to - from))
}

/// Opens the store and checks it against everything acknowledged so far.
fn check(dir: &Path, acknowledged: &BTreeSet<(u64, u64)>) {
    let opened = SledStore::open(dir, config()).unwrap();
    assert_eq!(opened.report.rebuilt, None, "a kill never damages sled: {:?}", opened.report);
    let store = opened.store;
    let number = |key: &[u8]| {
        block_on(store.get(key))
            .unwrap()
            .map_or(0, |found| u64::from_be_bytes(found.value[..].try_into().unwrap()))
    };
    let last = number(b"log");
    let rows = block_on(store.scan(ScanRange::prefix(b"e"), usize::MAX)).unwrap().rows;
    let found: BTreeSet<(u64, u64)> = rows
        .iter()
        .map(|row| {
            assert_eq!(row.value[..8], row.position.0.to_be_bytes(), "the stamp is the position");
            (u64::from_be_bytes(row.key[1..].try_into().unwrap()), row.position.0)
        })
        .collect();
    assert!(found.iter().map(|(number, _)| *number).eq(1..=last), "numbers without a gap");
    let lost: Vec<_> = acknowledged.iter().filter(|ack| !found.contains(ack)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!((0..WRITERS).map(|writer| number(&[b'c', writer as u8])).sum::<u64>(), last);
    assert!(store.head().0 >= last);
    let report = store.verify().unwrap();
    assert!(report.is_good(), "{report:?}");
}

#[test]
fn a_kill_while_writing_loses_no_acknowledged_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for _ in 0..soak_rounds() {
        let killed = kill_after(start(folder.path()), random_ms(60, 600));
        acknowledged.extend(killed);
        check(folder.path(), &acknowledged);
    }
    assert!(!acknowledged.is_empty(), "the child acknowledged nothing before it was killed");
    let report = SledStore::verify_dir(folder.path()).unwrap();
    assert!(report.is_good(), "{report:?}");
}

#[test]
fn a_kill_during_start_up_loses_no_acknowledged_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..soak_rounds() {
        if round % 3 == 0 {
            // Now and then there is more to replay, or all of sled to build.
            acknowledged.extend(kill_after(start(folder.path()), random_ms(200, 400)));
        }
        if round % 3 == 1 {
            std::fs::remove_dir_all(folder.path().join("sled")).unwrap();
        }
        for _ in 0..4 {
            acknowledged.extend(kill_after(start(folder.path()), random_ms(1, 40)));
        }
        // A start that was killed while it was building sled is allowed to be building still.
        drop(SledStore::open(folder.path(), config()).unwrap());
        check(folder.path(), &acknowledged);
    }
}
