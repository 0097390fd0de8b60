//! New plugins, as far as they need no compiler; `tests/e2e` builds and installs one.

use std::path::Path;

use trellis_plugin_host::Manifest;
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_kit::golden::Cases;
use trellis_plugin_kit::project::create;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A manifest that the host takes, and a golden case that can be run.
fn check(provides: &[Interface]) {
    let parent = tempfile::tempdir().unwrap();
    let folder = create(parent.path(), "my-plugin", provides).unwrap();
    let manifest = Manifest::parse(&read(&folder, "plugin.toml")).unwrap();
    assert_eq!(manifest.provides.len(), provides.len());
    let case = |interface: &Interface| {
        let name = interface.name();
        let case: serde_json::Value =
            serde_json::from_str(&read(&folder, &format!("tests/golden/{name}.json"))).unwrap();
        serde_json::json!({ "name": name, "case": case })
    };
    let text = serde_json::json!({ "cases": provides.iter().map(case).collect::<Vec<_>>() }).to_string();
    let cases = Cases::parse(&text, &manifest, 10).unwrap();
    assert_eq!(cases.problems().next(), None);
    let library = read(&folder, "src/lib.rs");
    assert_eq!(library.matches("use trellis_sdk::{").count(), 1, "{library}");
    assert_eq!(library.matches("export_").count(), provides.len() * 2, "{library}");
    assert!(read(&folder, "tests/plugin.rs").contains("use my_plugin::Plugin;\n"));
    assert!(read(&folder, "Cargo.lock").contains("name = \"wit-bindgen\""));
}

/// An interface with what it cannot be without.
fn alone(interface: Interface) -> Vec<Interface> {
    match interface {
        Interface::ModelReport => vec![Interface::Scoring, interface],
        interface => vec![interface],
    }
}

#[test]
fn every_interface_alone_and_all_together_make_a_plugin() {
    for interface in Interface::ALL {
        check(&alone(interface));
    }
    check(&[Interface::Segmentation, Interface::ModelReport]);
    check(&Interface::ALL);
}

#[test]
fn a_new_plugin_is_about_twenty_lines() {
    for interface in Interface::ALL {
        let parent = tempfile::tempdir().unwrap();
        let folder = create(parent.path(), "short", &alone(interface)).unwrap();
        let lines = read(&folder, "src/lib.rs").lines().count();
        let lines_max = 40 + 20 * (alone(interface).len() - 1);
        assert!(lines <= lines_max, "{}: {lines} lines", interface.name());
    }
}

#[test]
fn the_sdk_in_it_is_the_sdk() {
    let parent = tempfile::tempdir().unwrap();
    let folder = create(parent.path(), "my-plugin", &[Interface::Scoring]).unwrap();
    for file in ["sdk/rust/src/lib.rs", "sdk/rust/src/testing/mod.rs", "wit/worlds.wit", "wit/scoring.wit"] {
        assert_eq!(read(&folder.join("vendor/trellis"), file), read(Path::new(ROOT), file), "{file}");
    }
    let parse = |text: String| text.parse::<toml::Table>().unwrap();
    let (own, workspace) =
        (parse(read(Path::new(ROOT), "sdk/rust/Cargo.toml")), parse(read(Path::new(ROOT), "Cargo.toml")));
    let carried = parse(read(&folder, "vendor/trellis/sdk/rust/Cargo.toml"));
    assert_eq!(carried["package"], own["package"]);
    let shared = &workspace["workspace"]["dependencies"];
    let same = |own: &toml::Value, carried: &toml::Value| {
        let (own, carried) = (own.as_table().unwrap(), carried.as_table().unwrap());
        assert_eq!(own.keys().collect::<Vec<_>>(), carried.keys().collect::<Vec<_>>());
        for (name, dependency) in carried {
            assert_eq!(
                dependency, &shared[name],
                "{name} in sdk/rust/template/vendored.toml and in Cargo.toml"
            );
        }
    };
    same(&own["dependencies"], &carried["dependencies"]);
    let native =
        |table: &toml::Table| table["target"]["cfg(not(target_family = \"wasm\"))"]["dependencies"].clone();
    same(&native(&own), &native(&carried));
}

#[test]
fn bad_names_and_taken_places_are_refused_and_nothing_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let check = |name: &str, provides: &[Interface], expected: &str| {
        let error = create(parent.path(), name, provides).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("My Plugin", &[Interface::Scoring], "2 to 40 of a-z, 0-9 and -, a letter first, no --");
    check("../up", &[Interface::Scoring], "`../up`");
    check("test", &[Interface::Scoring], "a plugin cannot be called `test`");
    check("no-models", &[Interface::ModelReport], "shows models of `segmentation` or `scoring`");
    check("nothing", &[], "at least one interface: segmentation, scoring");
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    std::fs::write(parent.path().join("taken"), "mine").unwrap();
    check("taken", &[Interface::Scoring], "taken` exists already");
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 1);
}
