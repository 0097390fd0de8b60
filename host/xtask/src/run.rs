//! `cargo xtask run`: from a clean clone to a server with real purchases in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::Result;
use crate::command::{root, target_dir, trellis_binary};

const READY_WITHIN: Duration = Duration::from_secs(60);
/// Written when the sample data is in, so that a second start does not load it again.
const SAMPLE_MARK: &str = "sample-loaded";

/// Builds, serves, and loads the sample data on the first start.
pub(crate) fn run(arguments: &[String]) -> Result {
    crate::guests::build_all()?;
    let data = option(arguments, "--data").map_or_else(|| root().join("data"), PathBuf::from);
    let mut serve = Command::new(trellis_binary());
    serve.arg("serve").args(arguments).current_dir(root());
    if option(arguments, "--data").is_none() {
        serve.arg("--data").arg(&data);
    }
    let mut server = serve.spawn().map_err(|error| format!("cannot start the server: {error}"))?;
    let loaded = wait_until_ready(&data, &mut server).and_then(|()| load_sample(&data));
    if let Err(message) = loaded {
        let _ = server.kill();
        return Err(message);
    }
    print_sign_in(&data);
    let status = server.wait().map_err(|error| format!("cannot wait for the server: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
}

fn option(arguments: &[String], name: &str) -> Option<String> {
    let place = arguments.iter().position(|argument| argument == name)?;
    arguments.get(place + 1).cloned()
}

fn wait_until_ready(data: &Path, server: &mut Child) -> Result {
    let started = Instant::now();
    while started.elapsed() < READY_WITHIN {
        if let Ok(Some(status)) = server.try_wait() {
            return Err(format!("the server ended with {status}"));
        }
        if trellis(data, &["status"]).output().is_ok_and(|output| output.status.success()) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("the server did not become ready within 60 s".into())
}

fn load_sample(data: &Path) -> Result {
    if data.join(SAMPLE_MARK).exists() {
        return Ok(());
    }
    let example = |file: &str| root().join("examples").join(file).to_string_lossy().into_owned();
    let plugin =
        |name: &str| target_dir().join(format!("plugins/{name}.wasm")).to_string_lossy().into_owned();
    for (object, csv, map) in [
        ("order", "cdnow/cdnow_sample_transactions.csv", "cdnow/orders.toml"),
        ("lead", "service/leads.csv", "service/leads.toml"),
        ("case", "service/cases.csv", "service/cases.toml"),
    ] {
        show(data, &["import", object, &example(csv), "--map", &example(map)])?;
    }
    show(data, &["plugin", "install", &plugin("retail-rfm"), "--enable", "--as-of", "1997-09-30"])?;
    for name in ["value-pyramid", "win-back", "complaint-desk", "b2b-gate"] {
        show(data, &["plugin", "install", &plugin(name), "--enable"])?;
    }
    show(data, &["plugin", "run", "retail-rfm"])?;
    show(data, &["plugin", "run", "value-pyramid"])?;
    show(data, &["rule", "load", &example("rules")])?;
    std::fs::write(data.join(SAMPLE_MARK), "the sample data of examples is loaded\n")
        .map_err(|error| format!("cannot write {SAMPLE_MARK}: {error}"))
}

/// Runs a command of the command line and shows it, so that the reader can do the same by hand.
fn show(data: &Path, arguments: &[&str]) -> Result {
    println!("\n$ trellis {}", arguments.join(" "));
    let status =
        trellis(data, arguments).status().map_err(|error| format!("cannot start trellis: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("trellis {} failed", arguments.join(" "))) }
}

fn trellis(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(trellis_binary());
    command.args(arguments).arg("--data").arg(data).current_dir(root());
    command
}

fn print_sign_in(data: &Path) {
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap_or_default().trim().to_owned();
    println!("\nTrellis serves at  {}", read("server-url"));
    println!("Sign in with       {}", read("admin-token"));
    println!("Programs send      Authorization: Bearer {}", read("admin-token"));
    println!(
        "Try                curl -H \"Authorization: Bearer $(cat {}/admin-token)\" {}/api/v1/segmentations",
        data.display(),
        read("server-url")
    );
    println!("Stop with          Ctrl-C");
}
