//! A plugin that misbehaves ends in a clear error; everybody else goes on; the next call works.
//!
//! The guest `hostile` commits the sin that its configuration names. Each module here goes through the sins of one way into a plugin.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

mod campaigns;
mod cases;
mod hooks;
mod languages;
mod runs;
mod scores;
mod uploads;

use serde_json::{Value as Json, json};
use trellis_e2e::{Api, Response, Server, eventually};

/// What says that a call took too long; a sin with these words is meant to.
const OUT_OF_TIME: &str = "ran longer than";
/// Calls for which somebody waits have 50 to 200 ms, which a busy machine may use up without any sin. They are then made again.
const ATTEMPTS: u32 = 50;

/// Nobody minds faults: the guest is called after any number of them, and a batch that fails is not taken apart. A busy machine has as long as it
/// needs to compile an interpreter.
const UNSUPERVISED: &str =
    "[plugins]\ncompile_timeout_ms = 900000\n[plugins.supervision]\nstrikes_max = 0\nbisect_calls_max = 0\n";

/// A server with fifty customers and the guest, which does nothing wrong yet.
fn server(folder: &std::path::Path) -> Server {
    std::fs::write(folder.join("data.toml"), UNSUPERVISED).unwrap();
    let server = Server::start(&folder.join("data"));
    let mut rows = String::from("customer_id,master_id,date,cds,amount\n");
    (1..=50).for_each(|customer| {
        rows += &format!("{customer},0,1997-01-{:02},1,{}.50\n", customer % 28 + 1, customer)
    });
    let file = folder.join("orders.csv");
    std::fs::write(&file, rows).unwrap();
    let map = trellis_e2e::cdnow("orders.toml");
    server.cli(&["import", "order", &file.to_string_lossy(), "--map", &map.to_string_lossy()]).ok();
    server.install("hostile", "1997-09-30", "{}");
    server
}

/// Enables the guest with something that it is to do wrong; `none` makes it good.
fn sinner(api: &Api, sin: &str) {
    let settings = json!({ "config": { "sin": sin }, "as_of": "1997-09-30" });
    works_again(sin, || api.post("/api/v1/plugins/hostile/enable", &settings));
}

/// The message has to name the plugin, its version, and what it did.
fn assert_named(sin: &str, message: &str, words: &str) {
    let names = message.contains("plugin `hostile` 1.0.0") && message.contains(words);
    assert!(names, "{sin}: `{message}` instead of `{words}`");
}

/// A question that the guest answers with a sin is answered with a problem that names it, while others are served.
fn assert_refused(api: &Api, sin: &str, path: &str, words: &str) {
    let detail = in_time(sin, words, || {
        let asked = beside_others(api, sin, || api.get(path));
        let detail = asked.json["detail"].as_str().unwrap().to_owned();
        assert_eq!(asked.problem(422), "PLUGIN_FAULT");
        detail
    });
    assert_named(sin, &detail, words);
}

fn id(record: &Json) -> &str {
    record["id"].as_str().unwrap()
}

/// Does something while others are served, at least once, and returns what came of it.
fn beside_others<T: Send>(api: &Api, sin: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let working = scope.spawn(work);
        loop {
            let answer = api.get("/api/v1/accounts?limit=50");
            assert_eq!(answer.status, 200, "others are answered beside `{sin}`: {}", answer.json);
            if working.is_finished() {
                return working.join().unwrap();
            }
        }
    })
}

/// Asks, and asks again where the machine was too busy to let the guest commit its sin in time.
fn in_time(sin: &str, words: &str, mut ask: impl FnMut() -> String) -> String {
    for _ in 0..ATTEMPTS {
        let message = ask();
        if words.ends_with(OUT_OF_TIME) || !is_too_busy(&message) {
            return message;
        }
    }
    panic!("{sin}: the machine is too busy for any call");
}

/// A call that has to succeed; it is made again where the machine was too busy for it.
fn works_again(sin: &str, mut ask: impl FnMut() -> Response) -> Json {
    let mut answer = ask();
    for _ in 0..ATTEMPTS {
        if !is_too_busy(&answer.json.to_string()) {
            break;
        }
        answer = ask();
    }
    assert!((200..300).contains(&answer.status), "a good call works around `{sin}`: {}", answer.json);
    answer.json
}

fn is_too_busy(message: &str) -> bool {
    [OUT_OF_TIME, "look-ups took", "every permit was taken"].iter().any(|late| message.contains(late))
}
