//! Plugins in JavaScript and Python through the whole server: good ones agree, bad ones are contained.

use serde_json::json;
use trellis_e2e::{Api, Server, plugin_file, trellis};

use crate::{in_time, server};

/// Whether a plugin was built here; CI has the tools of every language.
fn built(name: &str) -> bool {
    let file = plugin_file(name);
    let found = file.is_file();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "{} is missing: run `cargo xtask plugins`",
        file.display()
    );
    if !found {
        println!("skipped: {} was not built, since this machine lacks its toolchain", file.display());
    }
    found
}

/// Installs a plugin and runs it, again where the machine was too busy.
fn run(server: &Server, name: &str, config: &serde_json::Value) -> Result<(), String> {
    let request = json!({ "config": config });
    let failure = in_time(name, "", || {
        let job =
            server.api().wait_for_job(server.api().post(&format!("/api/v1/plugins/{name}/run"), &request));
        if job["state"] == "succeeded" { String::new() } else { job["error"]["message"].to_string() }
    });
    if failure.is_empty() { Ok(()) } else { Err(failure) }
}

/// The score of every customer and why, in the order of the customers.
fn scores(api: &Api, name: &str) -> Vec<(String, String)> {
    let page = api.get("/api/v1/accounts?limit=50").ok();
    let customers = page["data"].as_array().unwrap().iter();
    customers
        .map(|customer| {
            let why = format!(
                "/api/v1/scores/{}__engagement/explanations/{}",
                name.replace('-', "_"),
                crate::id(customer)
            );
            let value = api.get(&why).ok();
            (value["value"].to_string(), value["reasons"].to_string())
        })
        .collect()
}

#[test]
fn two_languages_score_alike() {
    if !built("js-engagement") || !built("python-engagement") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let [js, python] = ["js-engagement", "python-engagement"].map(|name| {
        server.install(name, "1997-09-30", "{}");
        run(&server, name, &json!({})).unwrap_or_else(|error| panic!("{error}"));
        scores(&server.api(), name)
    });
    assert_eq!(js.len(), 50);
    assert!(js.iter().all(|(value, reasons)| value != "null" && reasons.contains("points")), "{js:?}");
    assert_eq!(js, python);
}

#[test]
fn sins_in_other_languages_fail_their_run() {
    for (language, sins) in [
        (
            "js",
            [
                ("throw", "Error: as the test asked"),
                ("nan", "column `points`: row 0 is NaN"),
                ("memory", "wanted more than its 268435456 bytes of memory"),
                ("environment", "ReferenceError: process is not defined"),
                ("fit-throw", "Error: as the test asked"),
            ],
        ),
        (
            "python",
            [
                ("throw", "ValueError: as the test asked"),
                ("nan", "column `points`: row 0 is NaN"),
                ("memory", "wanted more than its 268435456 bytes of memory"),
                ("environment", "KeyError: 'HOME'"),
                ("fit-throw", "ValueError: as the test asked"),
            ],
        ),
    ] {
        let name = format!("hostile-{language}");
        if !built(&name) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path());
        server.install(&name, "1997-09-30", "{}");
        run(&server, &name, &json!({ "sin": "none" })).unwrap_or_else(|error| panic!("{error}"));
        for (sin, words) in sins {
            let message = run(&server, &name, &json!({ "sin": sin })).unwrap_err();
            let named = message.contains(&format!("plugin `{name}` 1.0.0")) && message.contains(words);
            assert!(named, "{sin}: {message}");
        }
        run(&server, &name, &json!({ "sin": "none" })).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_server_says_which_plugins_run_on_it() {
    let version = trellis(["--version"]).ok();
    assert!(
        version.starts_with("trellis ") && version.contains("plugins: trellis:plugin 1.0.0 to 1.0.0"),
        "{version}"
    );
    assert!(version.contains("wasmtime 48."), "{version}");
    assert_eq!(trellis(["-V"]).ok(), version);
}
