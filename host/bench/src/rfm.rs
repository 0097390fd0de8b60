//! The main job at size: import → features → plugin → memberships; and the run alone, over features that are warm.

use std::time::Duration;

use crate::figures::{once, per_second, print};
use crate::memory::{disk_mib, resident_mib};
use crate::setup::Parts;

pub(crate) fn end_to_end() {
    measured(100_000, 1_000_000, 1);
}

pub(crate) fn warm_run() {
    measured(1_000_000, 1_000_000, 3);
}

fn measured(customers: u64, purchases: u64, runs: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let parts = Parts::new().await;
        let before = resident_mib();
        let file = parts.folder.path().join("purchases.csv");
        crate::population::write(&file, customers, purchases);
        let size = format!("{customers} customers, {purchases} purchases");
        let started = std::time::Instant::now();
        let import = parts.import(&file).await;
        let took = started.elapsed();
        let rows = import.get("rows").and_then(serde_json::Value::as_u64).unwrap_or(0);
        assert_eq!(rows, purchases);
        print(&format!("import of {size}"), per_second(purchases as usize, took), "rows/s", &seconds(took));
        print(
            "disk per 100,000 records",
            disk_mib(&parts.folder.path().join("store")) / (customers + purchases) as f64 * 1e5,
            "MiB",
            "journal and sled",
        );
        print("resident memory", resident_mib(), "MiB", &format!("{before:.0} before"));
        features(&parts).await;
        parts.install_rfm().await;
        for run in 1..=runs {
            let started = std::time::Instant::now();
            let result = parts.run_rfm().await;
            print(
                &format!("RFM run {run}: features → plugin → memberships"),
                started.elapsed().as_secs_f64() * 1e3,
                "ms",
                "aim 600 for 1 M warm",
            );
            part_times(&result);
        }
        parts.shutdown().await;
        let store = parts.store.as_ref().expect("a store on disk");
        let (closed, took) = once(|| store.close());
        closed.expect("a store that closes");
        print("closing the store", took.as_secs_f64() * 1e3, "ms", "");
    });
}

async fn features(parts: &Parts) {
    let started = std::time::Instant::now();
    parts.columns.catch_up().await.expect("features that follow");
    print(
        "features: what was left to fold after the import",
        started.elapsed().as_secs_f64() * 1e3,
        "ms",
        "",
    );
}

/// The parts of a run as the run itself took them.
fn part_times(result: &serde_json::Value) {
    let timings = result.get("timings_ms").and_then(serde_json::Value::as_object);
    for (name, took) in timings.into_iter().flatten() {
        print(&format!("  {name}"), took.as_f64().unwrap_or(0.0), "ms", "");
    }
}

fn seconds(duration: Duration) -> String {
    format!("in {:.1} s", duration.as_secs_f64())
}
