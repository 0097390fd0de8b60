//! Builds the first-party plugins and the hostile guests, and looks at what came out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use trellis_plugin_build::{BuildOptions, Built, build, component};

const SEGMENTATION: &str = "trellis:plugin/segmentation@1.0.0";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

#[track_caller]
fn built(project: &str) -> Built {
    build(&workspace().join(project), &BuildOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Builds `project` and checks what the component says about itself.
#[track_caller]
fn check(project: &str, id: &str) -> Built {
    let built = built(project);
    assert_eq!((built.id.as_str(), built.version.as_str()), (id, "1.0.0"));
    assert!(built.path.ends_with(format!("plugins/{id}.wasm")), "{}", built.path.display());
    assert_eq!(built.component.exports, [SEGMENTATION]);
    assert_eq!(built.component.sdk.as_deref(), Some("trellis-sdk-rust 0.1.0"));
    let manifest = std::fs::read_to_string(workspace().join(project).join("plugin.toml")).unwrap();
    assert_eq!(built.component.manifest, Some(manifest));

    let bytes = std::fs::read(&built.path).unwrap();
    assert_eq!(bytes.len() as u64, built.size_bytes);
    assert_eq!(component::Summary::read(&bytes).unwrap(), built.component);
    let text = String::from_utf8_lossy(&bytes);
    let workspace = workspace().to_string_lossy().into_owned();
    assert!(!text.contains(&workspace), "the component names a folder of this machine");
    built
}

#[test]
fn retail_rfm_is_a_segmentation_plugin_that_needs_nothing_special() {
    let built = check("plugins/retail-rfm", "retail-rfm");
    let mut imports = built.component.imports;
    imports.sort_unstable();
    let interfaces = ["columns", "host-log", "row-streams", "types"];
    assert_eq!(imports, interfaces.map(|interface| format!("trellis:plugin/{interface}@1.0.0")));
    assert!(built.size_bytes < 300_000, "{} bytes", built.size_bytes);
}

#[test]
fn the_hostile_guest_imports_the_log_that_it_floods() {
    let built = check("tests/guests/hostile", "hostile");
    assert!(built.component.imports.contains(&"trellis:plugin/host-log@1.0.0".to_owned()));
}

#[test]
fn the_ungranted_guest_imports_what_no_host_has() {
    let built = check("tests/guests/ungranted", "ungranted");
    assert!(built.component.imports.contains(&"trellis:plugin/secret-files@1.0.0".to_owned()));
}
