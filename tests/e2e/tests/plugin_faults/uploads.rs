//! Uploads: what is no good plugin is refused in words, and nothing is installed.

use serde_json::json;
use trellis_e2e::{Api, Server, plugin};
use wasm_encoder::{ComponentSection, CustomSection};

use crate::{OUT_OF_TIME, beside_others, in_time};

/// A manifest that is good as long as the component exports `segmentation`.
const MANIFEST: &str = r#"
id = "made-up"
version = "0.3.0"
wit = "1.0.0"
provides = ["segmentation"]
name = { en = "Made up" }
datasets = [{ name = "customers", kind = "per-customer", object = "account", columns = [{ name = "n", field = "name" }] }]
"#;
const EXPORT: &str = r#"(instance $i) (export "trellis:plugin/segmentation@1.0.0" (instance $i))"#;
const NAME: &str = "plugin `made-up` 0.3.0";

fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let section = CustomSection { name: "trellis:manifest".into(), data: manifest.as_bytes().into() };
    section.append_to_component(&mut component);
    component
}

/// A component from its text, with a manifest.
fn made(text: &str, manifest: &str) -> Vec<u8> {
    with_manifest(wat::parse_str(format!("(component {text})")).unwrap(), manifest)
}

/// A component that wants this import.
fn importing(import: &str) -> Vec<u8> {
    made(&format!(r#"(import "{import}" (instance)) {EXPORT}"#), MANIFEST)
}

/// A component that does this when it starts.
fn starting(start: &str) -> Vec<u8> {
    let text = format!(
        r#"(core module $m (memory 1) (table $t 1 funcref) (func (export "f")) (func $start {start}) (start $start))
        (core instance $c (instantiate $m))
        (func $f (canon lift (core func $c "f")))
        (instance $i (export "describe" (func $f)) (export "fit" (func $f))
            (export "assign" (func $f)) (export "explain" (func $f)))
        (export "trellis:plugin/segmentation@1.0.0" (instance $i))"#
    );
    made(&text, MANIFEST)
}

fn built(name: &str) -> Vec<u8> {
    std::fs::read(plugin(name)).unwrap()
}

/// Each upload is refused with this code and these words, and leaves nothing behind; a good one is taken after it.
fn are_refused(code: &str, uploads: Vec<(&str, Vec<u8>, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let api = server.api();
    for (sin, wasm, words) in uploads {
        let detail = in_time(sin, &words, || {
            let refused = beside_others(&api, sin, || upload(&api, wasm.clone()));
            assert_eq!(
                (refused.status, &refused.json["code"]),
                (422, &json!(code)),
                "{sin}: {}",
                refused.json
            );
            refused.json["detail"].as_str().unwrap().to_owned()
        });
        assert!(detail.contains(&words), "{sin}: {detail}");
        assert_eq!(api.get("/api/v1/plugins").ok()["data"], json!([]), "`{sin}` is not installed");
    }
    upload(&api, built("retail-rfm")).ok();
}

fn upload(api: &Api, wasm: Vec<u8>) -> trellis_e2e::Response {
    api.post_bytes("/api/v1/plugins", "application/wasm", wasm)
}

#[test]
fn what_is_no_component_is_refused() {
    let component = built("retail-rfm");
    let not_one = || "is not a WebAssembly component: ".to_owned();
    are_refused(
        "PLUGIN_REFUSED",
        vec![
            ("nothing", Vec::new(), not_one()),
            ("text", b"no component".to_vec(), not_one()),
            ("an archive", b"PK\x03\x04 an archive".to_vec(), not_one()),
            ("a core module", wat::parse_str("(module)").unwrap(), "it is a core module".to_owned()),
            ("half of one", component[..component.len() / 2].to_vec(), not_one()),
        ],
    );
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let component = wat::parse_str(format!("(component {EXPORT})")).unwrap();
    let telepathy = EXPORT.replace("segmentation", "telepathy");
    let hook = format!("{MANIFEST}\n[[record-hook]]\nobject = \"lead\"\nfields = [\"status\"]\n");
    let version_two = EXPORT.replace("1.0.0", "2.0.0");
    let wit_three = MANIFEST.replace("wit = \"1.0.0\"", "wit = \"3.0.0\"");
    let exports_nothing = "says that it provides [\"segmentation\"], but its component exports []";
    let uses_two = "uses `trellis:plugin/segmentation@2.0.0`";
    let uses_three = "uses `trellis:plugin@3.0.0`, this host supports trellis:plugin 1.0.0";
    are_refused(
        "PLUGIN_REFUSED",
        vec![
            ("no manifest", component.clone(), "carries no `trellis:manifest` section".to_owned()),
            ("two manifests", with_manifest(built("retail-rfm"), MANIFEST), "carries 2".to_owned()),
            ("a broken manifest", with_manifest(component, "id = 5"), "plugin.toml of an unnamed".to_owned()),
            ("provides nothing", made("", MANIFEST), format!("{NAME} {exports_nothing}")),
            ("another interface", made(&telepathy, MANIFEST), "exports [\"telepathy\"]".to_owned()),
            ("a hook too many", made(EXPORT, &hook), "`record-hook`: is there".to_owned()),
            ("a wrong version", made(&version_two, MANIFEST), format!("{NAME} {uses_two}")),
            ("a wrong version said", made(EXPORT, &wit_three), format!("{NAME} {uses_three}")),
            ("another shape", made(EXPORT, MANIFEST), format!("{NAME} does not fit")),
        ],
    );
}

#[test]
fn imports_that_nobody_granted_are_refused_by_name() {
    let imports = [
        "wasi:sockets/tcp@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:keyvalue/store@0.2.0",
        "trellis:plugin/host-secrets@1.0.0",
        "trellis:plugin/host-lookups@1.0.0",
        "acme:crm/secrets",
    ];
    let refusal = |import: &str| format!("{NAME} imports `{import}`, which is not granted");
    let mut uploads: Vec<_> =
        imports.iter().map(|import| (*import, importing(import), refusal(import))).collect();
    uploads.push(("ungranted", built("ungranted"), "plugin `ungranted` 1.0.0 imports ".to_owned()));
    are_refused("PLUGIN_REFUSED", uploads);
}

#[test]
fn what_fails_while_it_starts_is_refused() {
    let table = "(drop (table.grow $t (ref.null func) (i32.const 70000)))";
    let at = |words: &str| format!("{NAME}, plugin.instantiate: {words}");
    are_refused(
        "PLUGIN_FAULT",
        vec![
            ("trap", starting("unreachable"), at("trapped: ")),
            ("loop", starting("(loop (br 0))"), at(OUT_OF_TIME)),
            (
                "memory",
                starting("(drop (memory.grow (i32.const 2000)))"),
                at("wanted more than its 67108864"),
            ),
            ("table", starting(table), at("wanted a table of more than 65536 elements")),
        ],
    );
}

#[test]
fn needs_beyond_the_limits_are_refused() {
    let parts = |module: &str, count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        made(&format!("(core module $m {module}) {instances} {EXPORT}"), MANIFEST)
    };
    let words = || format!("{NAME} needs more than a plugin gets: ");
    are_refused(
        "PLUGIN_REFUSED",
        vec![
            ("many instances", parts("", 65), words()),
            ("a large table", parts("(table 70000 funcref)", 1), words()),
            ("a large memory", parts("(memory 6000)", 1), words()),
        ],
    );
}

#[test]
fn the_same_version_with_other_content_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let (api, good) = (server.api(), built("hostile"));
    upload(&api, good.clone()).ok();
    let mut other = good.clone();
    CustomSection { name: "note".into(), data: b"changed".into() }.append_to_component(&mut other);
    let refused = upload(&api, other);
    let detail = refused.json["detail"].as_str().unwrap().to_owned();
    assert_eq!(refused.problem(409), "PLUGIN_VERSION_EXISTS");
    assert!(detail.starts_with("plugin `hostile` 1.0.0 is installed with other content"), "{detail}");
    upload(&api, good).ok();
}
