//! What is wrong with a project is said so that its author can mend it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use tempfile::TempDir;
use trellis_plugin_build::{BuildOptions, build};

const CARGO_TOML: &str = "[package]\nname = \"small\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n";
const PLUGIN_TOML: &str = "id = \"small\"\nversion = \"1.2.3\"\n";

/// A project with these files. It shares the workspace's target folder, so that the standard library is compiled once.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Test programs lie in `<target>/debug/deps`, wherever the target folder is.
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let config = format!("[build]\ntarget-dir = \"{}\"\n", target.display());
    for (name, text) in files.iter().copied().chain([(".cargo/config.toml", &*config)]) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let folder = project(files);
    let out = folder.path().join("out.wasm");
    let error = build(folder.path(), &BuildOptions { out: Some(out.clone()) }).unwrap_err().to_string();
    for part in expected {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
    assert!(!out.exists());
}

#[test]
fn a_missing_file_is_named() {
    check(&[], &["neither Cargo.toml (Rust) nor package.json (JavaScript) nor pyproject.toml (Python)"]);
    check(&[("Cargo.toml", CARGO_TOML)], &["plugin.toml` is missing", "what it reads"]);
}

#[test]
fn a_broken_manifest_is_quoted_with_its_line() {
    let files =
        [("Cargo.toml", CARGO_TOML), ("plugin.toml", "id = \"small\"\nversion = 1.\n"), ("src/lib.rs", "")];
    check(&files, &["plugin.toml` is no plugin manifest", "line 2"]);
    let files = [("Cargo.toml", CARGO_TOML), ("plugin.toml", "id = \"small\"\n"), ("src/lib.rs", "")];
    check(&files, &["missing field `version`"]);
}

#[test]
fn manifests_that_disagree_are_told_apart() {
    for (plugin_toml, expected) in [
        (
            "id = \"smaller\"\nversion = \"1.2.3\"\n",
            "`id` differs: plugin.toml says `smaller`, Cargo.toml says `small`",
        ),
        (
            "id = \"small\"\nversion = \"2.0.0\"\n",
            "`version` differs: plugin.toml says `2.0.0`, Cargo.toml says `1.2.3`",
        ),
    ] {
        check(&[("Cargo.toml", CARGO_TOML), ("plugin.toml", plugin_toml), ("src/lib.rs", "")], &[expected]);
    }
}

#[test]
fn a_package_without_a_dynamic_library_is_refused() {
    let cargo_toml = CARGO_TOML.replace("cdylib", "rlib");
    check(
        &[("Cargo.toml", &cargo_toml), ("plugin.toml", PLUGIN_TOML), ("src/lib.rs", "")],
        &["crate-type = [\"cdylib\""],
    );
}

#[test]
fn the_compiler_is_quoted() {
    let source = "pub fn number() -> u32 {\n    \"no number\"\n}\n";
    // A name of its own: cargo tells packages at the root of a workspace apart by name, and the target folder is shared.
    let (cargo_toml, plugin_toml) =
        (CARGO_TOML.replace("small", "broken"), PLUGIN_TOML.replace("small", "broken"));
    let files = [("Cargo.toml", &*cargo_toml), ("plugin.toml", &*plugin_toml), ("src/lib.rs", source)];
    check(&files, &["compiling of `broken` failed", "mismatched types", "src/lib.rs:2"]);
}

#[test]
fn a_library_that_exports_no_interface_is_no_plugin() {
    let source = "#[unsafe(no_mangle)]\npub extern \"C\" fn number() -> u32 {\n    7\n}\n";
    let files = [("Cargo.toml", CARGO_TOML), ("plugin.toml", PLUGIN_TOML), ("src/lib.rs", source)];
    check(&files, &["exports no interface", "export_segmentation!"]);
}
