//! The interfaces of today against what was released, and the components that were built against them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use trellis_wit_check::{check, check_plugins, freeze};

/// Guests that ask for what no host has, on purpose.
const STRANGERS: [&str; 2] = ["ungranted.wasm", "uses-wasi.wasm"];

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").canonicalize().unwrap()
}

fn plugins() -> Vec<PathBuf> {
    let folder = std::env::var_os("TRELLIS_TEST_PLUGINS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins"), PathBuf::from);
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    files
}

#[test]
fn the_interfaces_are_compatible_with_what_was_released() {
    assert_eq!(check(&wit()).unwrap(), [""; 0]);
}

#[test]
fn the_interfaces_could_be_released_now() {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(wit()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let version = trellis_version();
    freeze(copy.path(), &version).unwrap_or_else(|error| panic!("{error}"));
}

/// The version that `worlds.wit` names.
fn trellis_version() -> semver::Version {
    let text = std::fs::read_to_string(wit().join("worlds.wit")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("package trellis:plugin@")).unwrap();
    line.trim_end_matches(';').parse().unwrap()
}

#[test]
fn components_fit_the_interfaces_that_they_name() {
    let plugins = plugins();
    assert!(plugins.len() > STRANGERS.len(), "{plugins:?}");
    for file in plugins {
        let stranger = STRANGERS.iter().any(|name| file.ends_with(name));
        let problem = check_plugins(&wit(), &file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(problem.is_some(), stranger, "{}: {problem:?}", file.display());
    }
}
