//! `kill -9` in the middle of runs: a run that was accepted comes to an end after the next start, and to the same results as one that nothing
//! interrupted.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Server, eventually, rounds, trellis};

/// Differs from run to run; a failure prints the round's delay.
fn random_below(limit: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    limit.mul_f64(f64::from(nanos.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX))
}

/// Small batches, so that there is much to be interrupted between. The file is beside the data folder, where a server looks for it.
fn configure(data: &Path) {
    std::fs::write(data.with_extension("toml"), "[engine]\nbatch_rows_max = 16\n").unwrap();
}

/// Starts a run with the last model; its job.
fn start_run(api: &Api) -> String {
    let job = api.post("/api/v1/plugins/retail-rfm/run", &json!({ "model": "last" }));
    assert_eq!(job.status, 202, "{}", job.json);
    job.json["id"].as_str().unwrap().to_owned()
}

fn ended(api: &Api, job: &str) -> Json {
    eventually("the end of the run", || {
        let found = api.get(&format!("/api/v1/jobs/{job}")).ok();
        (!["queued", "running"].contains(&found["state"].as_str().unwrap())).then_some(found)
    })
}

#[test]
fn kill_during_runs_loses_none_and_changes_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    configure(&data);
    let server = Server::start(&data);
    server.import_cdnow();
    server.install("retail-rfm", "1998-06-30", "{}");
    let api = server.api();
    let first = api.run_plugin("retail-rfm");
    let (digest, counts) = (first["result"]["outputs_digest"].clone(), api.counts("retail_rfm__class"));
    assert!(digest.is_string(), "{first}");
    let started = Instant::now();
    ended(&api, &start_run(&api));
    let took = started.elapsed();
    server.stop();
    for round in 0..rounds() * 2 {
        let mut server = Server::start(&data);
        let job = start_run(&server.api());
        let delay = random_below(took);
        std::thread::sleep(delay);
        server.kill();
        drop(server);
        let server = Server::start(&data);
        let api = server.api();
        let found = ended(&api, &job);
        println!("round {round}: killed {delay:?} after the answer, of a run of {took:?}");
        assert_eq!(found["state"], "succeeded", "{found}");
        assert_eq!(found["result"]["outputs_digest"], digest, "{found}");
        assert_eq!(api.counts("retail_rfm__class"), counts);
        server.stop();
        let report = trellis(["verify", "--data", &data.to_string_lossy()]).ok();
        assert!(report.contains("no problems"), "{report}");
    }
}
