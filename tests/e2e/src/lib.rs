//! Drives the built `trellis` binary as its users do: the command line, HTTP, and `kill -9`.
//!
//! Nothing here depends on a crate of the host. The binary and the plugins are built by `cargo xtask test` beforehand; a test that
//! does not find them fails and says so.
#![expect(
    clippy::indexing_slicing,
    reason = "indexing JSON gives null where there is nothing, and a test may panic"
)]

mod api;
mod cli;
mod server;

use std::path::{Path, PathBuf};

pub use api::{Api, Response};
pub use cli::{Output, trellis, trellis_as_author};
pub use server::Server;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/e2e lies two below the root")
        .to_path_buf()
}

/// A file of the sample data.
pub fn cdnow(name: &str) -> PathBuf {
    root().join("examples/cdnow").join(name)
}

/// A file of the reference data, which lies beside the project (`../shared/data`) or where `TRELLIS_REFERENCE_DATA` says; says so and gives
/// `None` where it is missing.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn reference(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from);
    let file = given.unwrap_or_else(|| root().join("../shared/data")).join(name);
    if !file.is_file() {
        eprintln!("SKIPPED: the reference data `{name}` is not there");
        return None;
    }
    Some(file)
}

/// A plugin or guest that `cargo xtask plugins` built.
///
/// # Panics
/// When it is not there.
pub fn plugin(name: &str) -> PathBuf {
    let path = plugin_file(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask plugins`", path.display());
    path
}

/// Where a plugin would be, built or not.
pub fn plugin_file(name: &str) -> PathBuf {
    let folder =
        std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(|| target_dir().join("plugins"), PathBuf::from);
    folder.join(format!("{name}.wasm"))
}

/// Looks again until there is something: reactions follow a change, they are not part of it.
///
/// # Panics
/// When there is nothing within a minute.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{what} did not happen within a minute");
}

/// How many rounds a crash test makes: 5, or what `cargo xtask soak` asks for.
pub fn rounds() -> u32 {
    std::env::var("TRELLIS_SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5)
}

pub(crate) fn binary() -> PathBuf {
    let path = std::env::var_os("TRELLIS_TEST_BINARY")
        .map_or_else(|| target_dir().join("debug/trellis"), PathBuf::from);
    assert!(path.exists(), "{} is missing: run `cargo build`", path.display());
    path
}

/// Cargo's target folder: test programs lie in `target/debug/deps`.
pub fn target_dir() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    program.ancestors().nth(3).expect("test programs lie three below the target folder").to_path_buf()
}
