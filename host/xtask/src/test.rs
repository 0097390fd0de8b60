//! Every check: formatting, lints, unit tests, plugin tests, the built server from outside.

use std::process::Command;

use crate::Result;
use crate::command::{cargo, has_cargo, step, target_dir, trellis_binary};

const SOAK_ROUNDS: &str = "100";
/// Operations of the random life of a plugin.
const SOAK_OPERATIONS: &str = "10000";

/// Everything that has to hold before a change lands.
pub(crate) fn test(arguments: &[String]) -> Result {
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    crate::web::check()?;
    crate::guests::build_all()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    step("clippy", &mut cargo(&clippy))?;
    step("tests", with_paths(&mut runner(arguments)))?;
    crate::web::browse()?;
    step("documentation tests", &mut cargo(&["test", "--workspace", "--doc", "--quiet"]))
}

/// The crash tests, many times, and a long random life of a plugin.
pub(crate) fn soak(arguments: &[String]) -> Result {
    let rounds = arguments.first().map_or(SOAK_ROUNDS, String::as_str);
    rounds.parse::<u32>().map_err(|_| format!("`{rounds}` is not a number of rounds"))?;
    crate::guests::build_all()?;
    // Of the whole workspace, as for `test`: with the features of single packages everything would be compiled again.
    let programs = ["--lib", "--test", "crash", "--test", "platform_kill", "--test", "run_kill"];
    let mut command = cargo(&["test", "--workspace"]);
    command.args(programs).args(["kill", "--", "--nocapture"]);
    step("crash tests", with_paths(&mut command).env("TRELLIS_SOAK_ROUNDS", rounds))?;
    let mut command = cargo(&["test", "--workspace", "--test", "end_to_end"]);
    command.args(["lifecycle_model", "--", "--nocapture"]);
    let command = with_paths(&mut command).env("TRELLIS_SOAK_OPERATIONS", SOAK_OPERATIONS);
    step("lives of plugins", command)
}

/// `test`, and what needs tools that not everybody has.
pub(crate) fn ci() -> Result {
    test(&[])?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    if has_cargo("deny") {
        step("cargo-deny", &mut cargo(&["deny", "check", "bans", "licenses", "sources"]))
    } else {
        eprintln!("── cargo-deny is not installed (cargo install cargo-deny); skipped");
        Ok(())
    }
}

/// nextest where it is installed; cargo's own runner gives the same verdict more slowly.
fn runner(arguments: &[String]) -> Command {
    let mut command = if has_cargo("nextest") {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    command.args(arguments);
    command
}

fn with_paths(command: &mut Command) -> &mut Command {
    command
        .env("TRELLIS_TEST_PLUGINS", target_dir().join("plugins"))
        .env("TRELLIS_TEST_BINARY", trellis_binary())
}
