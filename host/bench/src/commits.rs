//! Durable commits beside the least that durability costs: a bare append and `fdatasync`.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trellis_storage::{Store, WriteSet};
use trellis_storage_sled::SledStore;

use crate::figures::{per_second, percentile, print};

const FOR: Duration = Duration::from_secs(3);
/// About what one record with its index and log entries takes.
const VALUE: [u8; 300] = [7; 300];
const PUTS: usize = 4;

pub(crate) fn measure() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let before = bare_appends(folder.path());
    let store = SledStore::open(&folder.path().join("store"), crate::setup::storage_config())
        .expect("a new store")
        .store;
    let measured = [1, 16].map(|clients| (clients, durable_commits(&store, clients)));
    let after = bare_appends(folder.path());
    let bare = before.max(after);
    print(
        "bare append of 1.2 KB + fdatasync",
        bare,
        "/s",
        &format!("the better of {before:.0} before and {after:.0} after"),
    );
    for (clients, (rate, mut times)) in measured {
        let beside = format!(
            "{:.2} of bare; p99 {:.2} ms",
            rate / bare,
            percentile(&mut times, 0.99).as_secs_f64() * 1e3
        );
        print(&format!("durable commits of {PUTS} puts, {clients} clients"), rate, "/s", &beside);
    }
}

fn bare_appends(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("bare")).expect("a file");
    let frame = [VALUE; PUTS].concat();
    let (started, mut count) = (Instant::now(), 0);
    while started.elapsed() < FOR {
        file.write_all(&frame).expect("an append");
        file.sync_data().expect("a sync");
        count += 1;
    }
    per_second(count, started.elapsed())
}

fn durable_commits(store: &Arc<SledStore>, clients: usize) -> (f64, Vec<Duration>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let started = Instant::now();
    let client = |client: usize| {
        let store = Arc::clone(store);
        async move {
            let mut times = Vec::new();
            while started.elapsed() < FOR {
                let asked = Instant::now();
                let mut set = WriteSet::new();
                for put in 0..PUTS {
                    set.put(format!("{clients}/{client}/{}/{put}", times.len()), VALUE);
                }
                store.commit(set).await.expect("a commit");
                times.push(asked.elapsed());
            }
            times
        }
    };
    let tasks: Vec<_> = (0..clients).map(|number| runtime.spawn(client(number))).collect();
    let times: Vec<Duration> = runtime.block_on(async {
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.expect("a client that ends"));
        }
        all
    });
    (per_second(times.len(), started.elapsed()), times)
}
