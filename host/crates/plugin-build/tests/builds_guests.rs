//! Builds the first-party plugins and the hostile guests, and looks at what came out.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic and say what it skips")]

use std::path::{Path, PathBuf};

use trellis_plugin_build::{BuildOptions, Built, Error, build, component};

/// The names of interfaces, sorted, as components write them.
fn full_names<const N: usize>(interfaces: [&str; N]) -> Vec<String> {
    let mut names = interfaces.map(|interface| format!("trellis:plugin/{interface}@1.0.0")).to_vec();
    names.sort_unstable();
    names
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

#[track_caller]
fn built(project: &str) -> Built {
    build(&workspace().join(project), &BuildOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Builds `project`, whose plugin implements `interfaces`, and checks what the component says about itself.
#[track_caller]
fn check<const N: usize>(project: &str, id: &str, interfaces: [&str; N]) -> Built {
    checked(built(project), "trellis-sdk-rust 0.1.0", (project, id), interfaces)
}

/// As [`check`], in a language whose tools are not everywhere; nothing is asked where they are missing.
#[track_caller]
fn check_scripted<const N: usize>(sdk: &str, (project, id): (&str, &str), interfaces: [&str; N]) {
    let built = match build(&workspace().join(project), &BuildOptions::default()) {
        Err(error @ Error::NoTool { .. }) => {
            eprintln!("{project} is skipped: {error}");
            return;
        }
        built => built.unwrap_or_else(|error| panic!("{error}")),
    };
    let again = std::fs::read(&built.path).unwrap();
    let built = checked(built, sdk, (project, id), interfaces);
    let other = built.component.imports.iter().find(|import| !import.starts_with("trellis:plugin/"));
    assert_eq!(other, None, "nothing but the host's own interfaces");
    assert!(built.size_bytes < 24 << 20, "{} bytes", built.size_bytes);
    let rebuilt = build(&workspace().join(project), &BuildOptions::default()).unwrap();
    assert_eq!(std::fs::read(&rebuilt.path).unwrap(), again, "what did not change is not built again");
}

#[track_caller]
fn checked<const N: usize>(
    built: Built,
    sdk: &str,
    (project, id): (&str, &str),
    interfaces: [&str; N],
) -> Built {
    assert_eq!((built.id.as_str(), built.version.as_str()), (id, "1.0.0"));
    assert!(built.path.ends_with(format!("plugins/{id}.wasm")), "{}", built.path.display());
    // componentize-py exports an interface of its own beside them.
    let is_ours = |export: &&String| export.starts_with("trellis:");
    let mut exports: Vec<_> = built.component.exports.iter().filter(is_ours).cloned().collect();
    exports.sort_unstable();
    assert_eq!(exports, full_names(interfaces));
    assert_eq!(built.component.sdk.as_deref(), Some(sdk));
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
    let built = check("plugins/retail-rfm", "retail-rfm", ["model-report", "segmentation"]);
    let mut imports = built.component.imports;
    imports.sort_unstable();
    assert_eq!(imports, full_names(["columns", "host-log", "reports", "row-streams", "types"]));
    assert!(built.size_bytes < 450_000, "{} bytes", built.size_bytes);
}

#[test]
fn value_pyramid_scores_and_needs_nothing_special() {
    let built = check("plugins/value-pyramid", "value-pyramid", ["model-report", "scoring"]);
    let mut imports = built.component.imports;
    imports.sort_unstable();
    assert_eq!(imports, full_names(["columns", "host-log", "reports", "row-streams", "types"]));
    assert!(built.size_bytes < 400_000, "{} bytes", built.size_bytes);
}

#[test]
fn win_back_decides_for_campaigns_and_asks_for_nothing() {
    let built = check("plugins/win-back", "win-back", ["campaign-rules"]);
    let mut imports = built.component.imports;
    imports.sort_unstable();
    assert_eq!(
        imports,
        full_names(["actions", "columns", "host-log", "reports", "row-streams", "types", "values"])
    );
    assert!(built.size_bytes < 300_000, "{} bytes", built.size_bytes);
}

#[test]
fn the_hostile_guest_imports_the_log_that_it_floods() {
    let built = built("tests/guests/hostile");
    assert!(built.component.imports.contains(&"trellis:plugin/host-log@1.0.0".to_owned()));
}

#[test]
fn the_ungranted_guest_imports_what_no_host_has() {
    let built = check("tests/guests/ungranted", "ungranted", ["segmentation"]);
    assert!(built.component.imports.contains(&"trellis:plugin/secret-files@1.0.0".to_owned()));
}

#[test]
fn the_wasi_guest_imports_wasi() {
    let built = check("tests/guests/uses-wasi", "uses-wasi", ["segmentation"]);
    assert!(built.component.imports.contains(&"wasi:clocks/wall-clock@0.2.3".to_owned()));
}

#[test]
fn a_plugin_may_be_written_in_javascript() {
    check_scripted("trellis-sdk-js 0.1.0", ("examples/plugin-js", "js-engagement"), ["scoring"]);
    let interfaces = ["campaign-rules", "service-workflow", "record-hook"];
    check_scripted("trellis-sdk-js 0.1.0", ("tests/guests/desk-js", "desk-js"), interfaces);
}

#[test]
fn a_plugin_may_be_written_in_python() {
    check_scripted("trellis-sdk-python 0.1.0", ("examples/plugin-python", "python-engagement"), ["scoring"]);
    let interfaces = ["campaign-rules", "service-workflow", "record-hook"];
    check_scripted("trellis-sdk-python 0.1.0", ("tests/guests/desk-python", "desk-python"), interfaces);
}

#[test]
fn a_plugin_may_implement_every_interface() {
    let interfaces = [
        "analysis",
        "campaign-rules",
        "model-report",
        "record-hook",
        "scoring",
        "segmentation",
        "service-workflow",
    ];
    let built = check("tests/guests/every-interface", "every-interface", interfaces);
    let mut imports = built.component.imports;
    imports.sort_unstable();
    let expected =
        ["actions", "columns", "host-log", "host-lookups", "reports", "row-streams", "types", "values"];
    assert_eq!(imports, full_names(expected));
    assert!(built.size_bytes < 500_000, "{} bytes", built.size_bytes);
}
