//! Running other programs, and where things lie.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::Result;

/// The root of the workspace. Cargo says where it is when it runs this: a target folder that is shared may hold the program as another clone
/// built it.
pub(crate) fn root() -> PathBuf {
    let built_at = || env!("CARGO_MANIFEST_DIR").into();
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(built_at))
        .ancestors()
        .nth(2)
        .expect("host/xtask lies two below the root")
        .to_path_buf()
}

/// The target folder, which CI keeps outside the clone.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The server as `cargo build` leaves it.
pub(crate) fn trellis_binary() -> PathBuf {
    target_dir().join("debug/trellis")
}

/// A cargo command in the root of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command with its output shown; a failure names it.
pub(crate) fn step(name: &str, command: &mut Command) -> Result {
    eprintln!("── {name}");
    let started = Instant::now();
    let status = command
        .status()
        .map_err(|error| format!("{name}: cannot start {:?}: {error}", command.get_program()))?;
    if status.success() {
        eprintln!("   {name}: {:.1} s", started.elapsed().as_secs_f64());
        Ok(())
    } else {
        Err(format!("{name} failed ({status})"))
    }
}

/// Whether a cargo subcommand is installed.
pub(crate) fn has_cargo(subcommand: &str) -> bool {
    cargo(&[subcommand, "--version"]).output().is_ok_and(|output| output.status.success())
}
