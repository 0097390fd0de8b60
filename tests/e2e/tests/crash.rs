//! `kill -9` at random moments, damaged folders, torn files: what was acknowledged is there, what is damaged is healed or named.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::json;
use trellis_e2e::{Api, Server, cdnow, rounds, trellis};

/// Differs from run to run; a failure prints the round's delays.
fn random_ms(up_to: u64) -> u64 {
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    u64::from(nanos.wrapping_mul(2_654_435_761)) % up_to
}

fn verify(data: &Path) -> String {
    trellis(["verify", "--data", &data.to_string_lossy()]).ok()
}

#[test]
fn kill_during_import_and_writes_loses_no_acknowledged_row() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let acknowledged: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    for round in 0..rounds() {
        let mut server = Server::start(&data);
        let importer = import_in_background(&data);
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|n| write_accounts(server.api(), format!("w{round}-{n}"), &stop, &acknowledged))
            .collect();
        let delay = 100 + random_ms(1200);
        std::thread::sleep(Duration::from_millis(delay));
        server.kill();
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        importer.join().unwrap();
        drop(server);
        kill_some_starts(&data);
        println!(
            "round {round}: killed after {delay} ms, {} writes acknowledged so far",
            acknowledged.lock().unwrap().len()
        );
        let report = verify(&data);
        assert!(report.contains("no problems"), "{report}");
    }
    let server = Server::start(&data);
    let api = server.api();
    for (id, name) in acknowledged.lock().unwrap().iter() {
        let account = api.get(&format!("/api/v1/accounts/{id}")).ok();
        assert_eq!(account["name"], **name);
    }
    server.import_cdnow();
    assert_eq!(api.total("orders"), 6919);
}

/// Starts the server a few times and kills it while it starts.
fn kill_some_starts(data: &Path) {
    for _ in 0..3 {
        let mut server = Server::start_without_waiting(data);
        std::thread::sleep(Duration::from_millis(1 + random_ms(100)));
        server.kill();
    }
}

fn import_in_background(data: &Path) -> std::thread::JoinHandle<()> {
    let arguments: Vec<PathBuf> = vec![
        "import".into(),
        "order".into(),
        cdnow("cdnow_sample_transactions.csv"),
        "--map".into(),
        cdnow("orders.toml"),
        "--data".into(),
        data.into(),
    ];
    std::thread::spawn(move || drop(trellis(arguments)))
}

fn write_accounts(
    api: Api,
    prefix: String,
    stop: &Arc<AtomicBool>,
    acknowledged: &Arc<Mutex<BTreeMap<String, String>>>,
) -> std::thread::JoinHandle<()> {
    let (stop, acknowledged) = (Arc::clone(stop), Arc::clone(acknowledged));
    std::thread::spawn(move || {
        for number in 0.. {
            let name = format!("{prefix}-{number}");
            let answer = api.post("/api/v1/accounts", &json!({ "name": name }));
            if answer.status == 201 {
                acknowledged.lock().unwrap().insert(answer.json["id"].as_str().unwrap().to_owned(), name);
            } else if stop.load(Ordering::Relaxed) || answer.status == 0 {
                return;
            }
        }
    })
}

/// A folder with the sample in it, stopped in order.
fn filled(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    let server = Server::start(&data);
    server.import_cdnow();
    server.stop();
    data
}

fn holds_the_sample(data: &Path) {
    let server = Server::start(data);
    assert_eq!((server.api().total("orders"), server.api().total("accounts")), (6919, 2357));
    server.stop();
    let report = verify(data);
    assert!(report.contains("no problems"), "{report}");
}

fn sled_folder(data: &Path) -> PathBuf {
    let found = find(data, "sled");
    assert!(found.is_dir(), "the sled folder is in the store's folder");
    found
}

/// A folder of a name somewhere below another.
fn find(folder: &Path, name: &str) -> PathBuf {
    let entries =
        std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    for path in entries {
        if path.file_name().unwrap() == name {
            return path;
        }
        let below = find(&path, name);
        if below.is_dir() {
            return below;
        }
    }
    PathBuf::new()
}

#[test]
fn a_deleted_sled_folder_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let data = filled(folder.path());
    std::fs::remove_dir_all(sled_folder(&data)).unwrap();
    holds_the_sample(&data);
}

#[test]
fn a_truncated_sled_file_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let data = filled(folder.path());
    let file = std::fs::OpenOptions::new().write(true).open(sled_folder(&data).join("db")).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    holds_the_sample(&data);
}

#[test]
fn a_damaged_sled_file_is_healed_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = filled(folder.path());
    let path = sled_folder(&data).join("db");
    let mut bytes = std::fs::read(&path).unwrap();
    let (start, end) = (bytes.len() / 4, bytes.len() / 2);
    bytes[start..end].iter_mut().step_by(511).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&path, bytes).unwrap();
    let mut server = Server::start_without_waiting(&data);
    let ready = server.wait_until_ready();
    let healed =
        ready.is_ok() && (server.api().total("orders"), server.api().total("accounts")) == (6919, 2357);
    let log = server.log();
    server.kill();
    drop(server);
    let report = trellis(["verify", "--data", &data.to_string_lossy()]);
    let named = report.code == Some(78) || log.contains("damaged");
    assert!(healed && report.code == Some(0) || named, "ready {ready:?}, verify {report:?}\n{log}");
}

#[test]
fn a_torn_journal_tail_is_cut_and_damage_inside_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = filled(folder.path());
    let mut segments: Vec<PathBuf> =
        std::fs::read_dir(find(&data, "journal")).unwrap().flatten().map(|entry| entry.path()).collect();
    segments.sort();
    let last = segments.last().expect("a filled store has a journal");
    let whole = std::fs::read(last).unwrap();
    let torn = [whole.as_slice(), &[0x40, 0, 0, 0, 1, 2, 3]].concat();
    std::fs::write(last, torn).unwrap();
    holds_the_sample(&data);

    let mut damaged = std::fs::read(last).unwrap();
    let middle = whole.len() / 2;
    damaged[middle] ^= 0xff;
    std::fs::write(last, damaged).unwrap();
    let report = trellis(["verify", "--data", &data.to_string_lossy()]);
    assert_eq!(report.code, Some(78), "{report:?}");
    let name = last.file_name().unwrap().to_string_lossy().into_owned();
    assert!(format!("{}{}", report.stdout, report.stderr).contains(&name), "{report:?}");
}
