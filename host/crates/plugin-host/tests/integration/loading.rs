//! What is refused before it runs, and in which words.

use trellis_plugin_host::{Config, Error, Manifest, PluginHost, SUPPORTED_WIT, inspect, read_manifest};

use crate::support::{MANIFEST, built, made, with_manifest};

const EXPORTS_SEGMENTATION: &str =
    r#"(component (instance $i) (export "trellis:plugin/segmentation@1.0.0" (instance $i)))"#;

/// A component that does this when it starts, and whose functions have the right names and the wrong types.
fn starting(start: &str) -> String {
    format!(
        r#"(component
        (core module $m (memory 1) (table $t 1 funcref) (func (export "f")) (func $start {start}) (start $start))
        (core instance $c (instantiate $m))
        (func $f (canon lift (core func $c "f")))
        (instance $i (export "describe" (func $f)) (export "fit" (func $f))
            (export "assign" (func $f)) (export "explain" (func $f)))
        (export "trellis:plugin/segmentation@1.0.0" (instance $i)))"#
    )
}

/// Expects that a component is refused in these words, by the check and by the host alike.
fn check(wasm: &[u8], expected: &str) {
    let host = PluginHost::new(Config::default()).unwrap();
    let refused = [host.load(wasm).unwrap_err(), inspect(wasm).unwrap_err()];
    for error in refused.map(|error| error.to_string()) {
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(host.stats().compiled, 0, "nothing is compiled before it is checked");
}

/// As [`check`], for a component that is made of one import and exports segmentation.
fn check_import(import: &str, expected: &str) {
    let text = format!(
        r#"(component (import "{import}" (instance))
            (instance $i) (export "trellis:plugin/segmentation@1.0.0" (instance $i)))"#
    );
    check(&made(&text, MANIFEST), expected);
}

#[test]
fn what_is_no_component_is_refused() {
    check(b"", "is not a WebAssembly component: ");
    check(b"PK\x03\x04 an archive", "is not a WebAssembly component: ");
    check(&wat::parse_str("(module)").unwrap(), "it is a core module");
    let component = built("retail-rfm");
    check(&component[..component.len() / 2], "is not a WebAssembly component: ");
    check(&with_manifest(component, MANIFEST), "it carries 2 `trellis:manifest` sections");
}

#[test]
fn a_component_over_the_limit_is_refused() {
    let host = PluginHost::new(Config { component_bytes_max: 1_000, ..Config::default() }).unwrap();
    let error = host.load(&built("retail-rfm")).unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes_max: 1_000, .. }), "{error}");
}

#[test]
fn a_component_without_a_manifest_is_refused() {
    let wasm = wat::parse_str(EXPORTS_SEGMENTATION).unwrap();
    check(&wasm, "carries no `trellis:manifest` section: build it with `trellis plugin build`");
    check(&with_manifest(wasm, "id = 5"), "plugin.toml of an unnamed plugin, line 1: ");
}

#[test]
fn a_manifest_that_lies_is_refused() {
    check(
        &made("(component)", MANIFEST),
        "plugin `made-up` 0.3.0 says that it provides [\"segmentation\"], but its component exports []",
    );
    let text = EXPORTS_SEGMENTATION.replace("segmentation", "telepathy");
    check(&made(&text, MANIFEST), "exports [\"telepathy\"]: correct `provides` in plugin.toml");
}

#[test]
fn other_versions_of_the_interfaces_are_refused_by_name() {
    assert_eq!(SUPPORTED_WIT, semver::Version::new(1, 0, 0));
    for version in ["2.0.0", "1.1.0", "0.9.0"] {
        let text = EXPORTS_SEGMENTATION.replace("1.0.0", version);
        let expected = format!("plugin `made-up` 0.3.0 uses `trellis:plugin/segmentation@{version}`");
        check(&made(&text, MANIFEST), &expected);
    }
    let manifest = MANIFEST.replace("wit = \"1.0.0\"", "wit = \"3.0.0\"");
    check(
        &made(EXPORTS_SEGMENTATION, &manifest),
        "uses `trellis:plugin@3.0.0`, this host supports trellis:plugin 1.0.0",
    );
    let manifest = MANIFEST.replace("wit = \"1.0.0\"", "wit = \"1.0.7\"");
    check(&made(EXPORTS_SEGMENTATION, &manifest), "`wit`: says 1.0.7, but the component uses");
}

#[test]
fn imports_that_nobody_granted_are_refused_by_name() {
    let plugin = "plugin `made-up` 0.3.0 imports ";
    for network in ["wasi:sockets/tcp@0.2.0", "wasi:http/outgoing-handler@0.2.0"] {
        check_import(network, &format!("{plugin}`{network}`, which is not granted: plugins have no network"));
    }
    for other in ["wasi:keyvalue/store@0.2.0", "wasi:cli/environment@0.3.0", "wasi:cli/environment"] {
        check_import(
            other,
            &format!("{plugin}`{other}`, which is not granted: it is none of the interfaces"),
        );
    }
    check_import(
        "trellis:plugin/host-secrets@1.0.0",
        "`trellis:plugin/host-secrets@1.0.0`, which is not granted: no grant",
    );
    check_import(
        "trellis:plugin/host-lookups@1.0.0",
        "`trellis:plugin/host-lookups@1.0.0`, which is not granted: say in plugin.toml what it may look up: `[[lookups]]`",
    );
    check_import("acme:crm/secrets", "the host offers interfaces of trellis:plugin/ only");
    let error = inspect(&built("ungranted")).unwrap_err();
    assert!(matches!(&error, Error::ImportNotGranted { import, .. } if import.contains("secret")), "{error}");
    assert!(error.to_string().starts_with("plugin `ungranted` 1.0.0 imports "), "{error}");
}

#[test]
fn manifests_that_do_not_fit_the_component_are_refused() {
    let all = r#"(component (instance $i) (export "trellis:plugin/segmentation@1.0.0" (instance $i))
        (instance $j) (export "trellis:plugin/record-hook@1.0.0" (instance $j)))"#;
    check(
        &made(all, MANIFEST),
        "provides [\"segmentation\"], but its component exports [\"record-hook\", \"segmentation\"]",
    );
    let hook = format!("{MANIFEST}\n[[record-hook]]\nobject = \"lead\"\nfields = [\"status\"]\n");
    check(&made(EXPORTS_SEGMENTATION, &hook), "`record-hook`: is there, but `provides` does not name");
    let provides = MANIFEST.replace("[\"segmentation\"]", "[\"segmentation\", \"record-hook\"]");
    check(&made(all, &provides), "`record-hook`: is missing: `provides` names it");
}

#[test]
fn interfaces_of_another_shape_are_refused() {
    let host = PluginHost::new(Config::default()).unwrap();
    let without_functions = host.load(&made(EXPORTS_SEGMENTATION, MANIFEST)).unwrap_err();
    let with_other_types = host.load(&made(&starting(""), MANIFEST)).unwrap_err();
    for error in [without_functions, with_other_types] {
        assert!(matches!(error, Error::WrongShape { .. }), "{error:?}");
        assert!(error.to_string().starts_with("plugin `made-up` 0.3.0 does not fit"), "{error}");
    }
}

#[test]
fn a_guest_that_fails_while_it_starts_is_refused() {
    let host = PluginHost::new(Config::default()).unwrap();
    let check = |start: &str, expected: &str| {
        let error = host.load(&made(&starting(start), MANIFEST)).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    };
    let plugin = "plugin `made-up` 0.3.0, plugin.instantiate: ";
    check("unreachable", &format!("{plugin}trapped: "));
    check("(loop (br 0))", &format!("{plugin}ran longer than its 200 ms"));
    check("(drop (memory.grow (i32.const 2000)))", &format!("{plugin}wanted more than its 67108864 bytes"));
    check(
        "(drop (table.grow $t (ref.null func) (i32.const 70000)))",
        &format!("{plugin}wanted a table of more than 65536 elements"),
    );
    assert_eq!((host.stats().faults, host.stats().permits_in_use), (4, 0));
}

#[test]
fn a_component_of_too_many_parts_is_refused() {
    let text = |instances: &str| {
        format!(
            r#"(component (core module $m) (core module $t (table 70000 funcref)) (core module $l (memory 2000))
            (core module $s (memory 1)) (core module $n (table 1 funcref)) {instances}
            (instance $i) (export "trellis:plugin/segmentation@1.0.0" (instance $i)))"#
        )
    };
    let host = PluginHost::new(Config::default()).unwrap();
    for (part, count) in [("$m", 65), ("$t", 1), ("$l", 1), ("$s", 9), ("$n", 17)] {
        let instances = format!("(core instance (instantiate {part}))").repeat(count);
        let error = host.load(&made(&text(&instances), MANIFEST)).unwrap_err();
        assert!(matches!(error, Error::OverLimits { .. }), "{part}: {error}");
        assert!(host.all_metrics().is_empty(), "nothing is known of what was refused");
        assert!(
            error.to_string().starts_with("plugin `made-up` 0.3.0 needs more than a plugin gets: "),
            "{error}"
        );
    }
}

#[test]
fn the_most_parts_are_what_the_config_says() {
    let config = Config {
        core_instances_max: 3,
        memories_max: 2,
        tables_max: 2,
        table_elements_max: 9,
        ..Config::default()
    };
    for pooling in [true, false] {
        let host = PluginHost::new(Config { pooling, ..config.clone() }).unwrap();
        assert_eq!(host.stats().pooling, pooling);
        // Beside a module with a memory and a table, whose start is checked here.
        for (module, count) in
            [("", 3), ("(memory 1)", 2), ("(table 1 funcref)", 2), ("(table 10 funcref)", 1)]
        {
            let more = format!(
                "(core module $more {module}) {}",
                "(core instance (instantiate $more))".repeat(count)
            );
            let text = starting("").replacen("(core module $m", &format!("{more} (core module $m"), 1);
            let error = host.load(&made(&text, MANIFEST)).unwrap_err();
            if pooling {
                assert!(matches!(error, Error::OverLimits { .. }), "{module}: {error}");
            } else {
                // It shows when the component is tried.
                let words = error.to_string();
                let expected = ["resource limit exceeded", "wanted a table of more than 9 elements"];
                assert!(expected.iter().any(|part| words.contains(part)), "{module}: {words}");
            }
        }
    }
}

#[test]
fn what_a_component_says_of_itself_is_bounded() {
    let component = || wat::parse_str(EXPORTS_SEGMENTATION).unwrap();
    let long = format!("{MANIFEST}# {}", "x".repeat(1 << 20));
    check(&with_manifest(component(), &long), "its `trellis:manifest` section has ");
    let mut no_text = component();
    let section =
        wasm_encoder::CustomSection { name: "trellis:manifest".into(), data: (&[0xff_u8][..]).into() };
    wasm_encoder::ComponentSection::append_to_component(&section, &mut no_text);
    check(&no_text, "its `trellis:manifest` section is not UTF-8");
    let escapes = MANIFEST.replace("id = \"made-up\"", "id = \"\\u001b[2Jme\"");
    check(&made(EXPORTS_SEGMENTATION, &escapes), "plugin.toml of plugin ` [2Jme` 0.3.0, `id`: ");
    let sdk = "\u{1b}[2J".repeat(1_000);
    let section = wasm_encoder::CustomSection { name: "trellis:sdk".into(), data: sdk.as_bytes().into() };
    let mut named = made(EXPORTS_SEGMENTATION, &MANIFEST.replace("Made up", "Made\\u001b up"));
    wasm_encoder::ComponentSection::append_to_component(&section, &mut named);
    let inspection = inspect(&named).unwrap();
    assert_eq!(inspection.manifest.name.en, "Made  up");
    assert!(inspection.sdk.is_some_and(|sdk| sdk.chars().count() == 101 && sdk.starts_with(" [2J")));
}

#[test]
fn a_good_component_says_what_it_is() {
    let wasm = built("retail-rfm");
    let inspection = inspect(&wasm).unwrap();
    assert_eq!(inspection.manifest.id.as_str(), "retail-rfm");
    let mut exports = inspection.exports.clone();
    exports.sort_unstable();
    assert_eq!(exports, ["trellis:plugin/model-report@1.0.0", "trellis:plugin/segmentation@1.0.0"]);
    assert!(inspection.imports.iter().all(|import| import.starts_with("trellis:plugin/")), "{inspection:?}");
    assert!(
        inspection.sdk.as_deref().is_some_and(|sdk| sdk.starts_with("trellis-sdk-rust ")),
        "{inspection:?}"
    );
    assert_eq!((inspection.bytes, inspection.digest.to_string().len()), (wasm.len(), 64));
    assert!(read_manifest(&wasm).unwrap().contains("id = \"retail-rfm\""));
}

#[test]
fn every_manifest_of_this_repository_is_good() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."));
    let mut checked = 0;
    for parent in ["plugins", "tests/guests"] {
        for folder in std::fs::read_dir(root.join(parent)).unwrap() {
            let path = folder.unwrap().path().join("plugin.toml");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let manifest = Manifest::parse(&text).unwrap_or_else(|error| panic!("{error}"));
            assert!(manifest.requests().iter().all(|request| !request.text.zh_cn.is_empty()));
            checked += 1;
        }
    }
    assert!(checked >= 5, "{checked} manifests");
}

#[test]
fn two_who_load_the_same_component_share_it() {
    let host = PluginHost::new(Config::default()).unwrap();
    let wasm = built("hostile");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| host.load(&wasm).unwrap());
        let one = host.load(&wasm).unwrap();
        assert!(std::sync::Arc::ptr_eq(&one, &other.join().unwrap()));
    });
    assert_eq!(host.stats().compiled, 1);
}
